"""`inosuke dataset`: the stages in order. Read :func:`build` from top to bottom.

In: the source folders of persona.toml (or one corpus) and the review log. Out: the queue, the quarantine, the review
log with approvals of trusted sources, and the export. Only the modules that know a file format open files.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from curation import console, faults
from curation.checks import check_reply, check_sample
from curation.cleaning import personal_data, referents
from curation.cleaning.normalise import clean
from curation.codes import blocks_approval, findings, never_trained
from curation.contracts.manifest import Manifest, PreferenceFacts
from curation.errors import InosukeError
from curation.files import write_atomically
from curation.folders import Folders
from curation.importers.many_files import Job, read_all
from curation.importers.source.source_file import load
from curation.importers.together import name_together, recast_all
from curation.persona import Persona, load_persona
from curation.pipeline import changes, sources, trust
from curation.pipeline.edited_rows import Edits, find_edits
from curation.pipeline.report import Report
from curation.record import KINDS, Imported, Rejected, Sample, Source
from curation.review.decisions import Log, State, fold, read_log, write_log
from curation.review.records import read_records
from curation.split.held_out import HeldOutSample, read_held_out_file
from curation.transcripts.scenes import to_samples

# Sample id → (id, source) of every exact duplicate that was merged into it.
Merged: TypeAlias = Mapping[str, Sequence[tuple[str, Source]]]


@dataclass(slots=True, kw_only=True)
class Build:
    """One run of the pipeline: what it was started with, and what its stages have found so far."""

    persona: Persona
    persona_file: Path
    folders: Folders
    corpus: Path | None
    auto_near: bool
    quiet: bool

    # from import
    held_out: list[HeldOutSample] = field(default_factory=list)
    vouched: dict[str, sources.Voucher] = field(default_factory=dict)  # by sample id
    cut: set[str] = field(default_factory=set)  # ids of samples cut from a trusted folder's transcripts: not approved
    errors: list[str] = field(default_factory=list)

    # from import and cleaning
    samples: list[Sample] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    imported: Counter[str] = field(default_factory=Counter)  # samples by kind, without those that cleaning rejected
    multi_turn: int = 0

    # from deduplication
    merged: Merged = field(default_factory=dict)
    clusters: Mapping[str, str] = field(default_factory=dict)  # sample id → its near-duplicate cluster
    near: Set[str] = frozenset()  # ids of samples with a better near-duplicate
    droppable: Set[str] = frozenset()  # of these, what --auto-near leaves out

    # from the review log and earlier builds
    log: Log = field(default_factory=Log)
    edits: Edits = field(default_factory=Edits)
    states: Mapping[str, State] = field(default_factory=dict)
    approved: list[Sample] = field(default_factory=list)  # at their approved revision
    left_out: Counter[str] = field(default_factory=Counter)  # why other approved samples cannot be exported

    def state(self, sample: Sample) -> State:
        """Return what the review log says about a sample."""
        return self.states.get(sample.id, State())


def build(persona_file: Path, corpus: Path | None = None, *, auto_near: bool = False, quiet: bool = False) -> Report:
    """Run the stages and return the report. If nothing has changed since the last build, only return its report.

    ``auto_near`` exports only the best sample of each near-duplicate cluster, without asking an annotator. Raises
    InosukeError if there is nothing to import. Damaged files and rows are reported, and the others are imported.
    """
    persona = load_persona(persona_file)
    folders = Folders(persona.root)
    with folders.locked():
        files, unknown = sources.find(persona, corpus)
        inputs = changes.inputs(files, persona_file, auto_near)
        if (known := changes.unchanged(folders, inputs)) is not None:
            return replace(known, up_to_date=True)
        run = Build(
            persona=persona,
            persona_file=persona_file,
            folders=folders,
            corpus=corpus,
            auto_near=auto_near,
            quiet=quiet,
            errors=[f"{path}: no importer reads this kind of file; it is skipped" for path in unknown],
        )
        _import(run, files)
        _clean(run)
        _tag_languages(run)
        _check(run)
        _deduplicate(run)
        run.log = read_log(folders.log)
        _find_edited_rows(run)
        _approve_trusted(run)
        run.states = fold(run.log.decisions)
        _select_approved(run)
        _write_queue(run)
        _write_quarantine(run)
        report = _report(run)
        _export(run, report)
        changes.save(folders, inputs, report)
        return report


# ---------------------------------------------------------------- the stages


def _import(run: Build, files: Sequence[sources.SourcePath]) -> None:
    for source in (f for f in files if f.held_out):
        try:
            file = load(source.path, name=source.name, rights=source.about.rights)
            prompts, rejected = read_held_out_file(file, run.persona)
        except InosukeError as error:
            run.errors.append(str(error))
            continue
        run.held_out += prompts
        run.rejected += rejected
    lines = [f for f in files if not f.held_out]
    jobs = [Job(f.path, f.name, f.about.rights) for f in lines]
    transcripts: list[Imported] = []
    covers: dict[str, sources.SourcePath] = {}  # by the path in the records: that of a zip's member is below the zip's
    read = read_all(jobs, run.persona, run.folders.imports, run.quiet)
    results = name_together(recast_all(read, [f.about.speakers for f in lines]))
    for source, result in zip(lines, results, strict=True):
        if isinstance(result, InosukeError):
            run.errors.append(str(result))
            continue
        run.rejected += result.rejected
        run.samples += result.samples
        if result.utterances:
            transcripts.append(result)
            covers |= dict.fromkeys((u.source.path for u in result.utterances), source)
        if source.about.trusted:
            _vouch(run, result.samples, source)
    # All transcripts together: an opening song is recognised because more than one episode has it.
    samples, rejected = to_samples(transcripts, run.persona)
    run.samples += samples
    run.rejected += rejected
    for sample in samples:
        source = covers[sample.source.path]
        if source.about.trust_transcripts:
            _vouch(run, [sample], source, cut=True)
        elif source.about.trusted:
            run.cut.add(sample.id)


def _vouch(run: Build, samples: Iterable[Sample], source: sources.SourcePath, cut: bool = False) -> None:
    for sample in samples:
        run.vouched.setdefault(sample.id, sources.Voucher(source.about.author, source.folder, cut))


def _clean(run: Build) -> None:
    cleaned = [clean(s) for s in run.samples]
    run.samples = [s for s in cleaned if isinstance(s, Sample)]
    run.rejected += [s for s in cleaned if isinstance(s, Rejected)]
    # Counted here, so that a row that cleaning leaves empty is quarantined and not imported as well.
    run.imported = Counter(s.kind for s in run.samples)
    run.multi_turn = sum(len(s.replies) > 1 for s in run.samples)


def _tag_languages(run: Build) -> None:
    from curation.cleaning import language

    with console.bar(len(run.samples), "languages", "sample", quiet=run.quiet) as bar:
        run.samples = language.tag(run.samples, run.persona, bar.update)


def _check(run: Build) -> None:
    found = faults.in_corpus(run.samples, run.persona)
    run.samples = [
        replace(
            s,
            flags=(
                *s.flags,
                *check_sample(s, run.persona),
                *more,
                *personal_data.check(s, run.persona),
                *referents.check(s, run.persona),
            ),
        )
        for s, more in zip(run.samples, found, strict=True)
    ]


def _deduplicate(run: Build) -> None:
    from curation import dedup

    duplicates = dedup.cluster(
        run.samples, run.persona.dedup.threshold, run.persona.dedup.template_prompts, names=run.persona.names
    )
    off = run.persona.checks.off
    run.samples = [replace(s, flags=tuple(f for f in s.flags if f.code not in off)) for s in dedup.flag(duplicates)]
    run.merged = {e.kept: e.dropped for e in duplicates.exact}
    run.clusters = {s: c.id for c in duplicates.near for s in (c.kept, *(m.sample_id for m in c.members))}
    run.near = {m.sample_id for c in duplicates.near for m in c.members}
    run.droppable = dedup.droppable(duplicates)


def _find_edited_rows(run: Build) -> None:
    """Find what rows edited in their sources were before; add their verdicts to the log, where these still hold."""
    run.edits = find_edits(run.samples, run.folders, run.log, datetime.now(UTC).isoformat(timespec="milliseconds"))
    run.errors += [run.edits.problem] * bool(run.edits.problem)
    flags = run.edits.flags
    run.samples = [replace(s, flags=(*s.flags, flags[s.id])) if s.id in flags else s for s in run.samples]
    if run.edits.events:
        run.log = replace(run.log, decisions=(*run.log.decisions, *run.edits.events))
        write_log(run.folders.log, run.log)


def _approve_trusted(run: Build) -> None:
    """Approve what an author vouches for, unless a flag blocks approval; write the log if that adds an event.

    Trust covers what the author wrote. A dialogue that :mod:`curation.transcripts.scenes` cut may hold another person's
    line, so it waits for an annotator unless the folder's entry trusts its transcripts too.
    """
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    merged = {kept: [sample_id for sample_id, _ in dropped] for kept, dropped in run.merged.items()}
    new = trust.events(run.samples, run.vouched, merged, run.log.decisions, now)
    if new:
        run.log = replace(run.log, decisions=(*run.log.decisions, *new))
        write_log(run.folders.log, run.log)


def _select_approved(run: Build) -> None:
    for sample in run.samples:
        state = run.state(sample)
        if state.status != "approved":
            continue
        final = sample if state.messages is None else replace(sample, messages=state.messages)
        codes = never_trained(f for reply in final.replies for f in check_reply(reply, run.persona))
        if not final.replies or final.messages[-1].role != "assistant":
            codes.add("no_reply_at_the_end")
        if run.auto_near and sample.id in run.droppable:
            codes.add("near_duplicate")
        run.left_out.update(codes)
        if not codes:
            run.approved.append(final)


def _write_queue(run: Build) -> None:
    from curation.review.queue import QueueItem, write_queue

    items = [
        QueueItem(
            sample=s,
            cluster=run.clusters.get(s.id),
            merged=tuple(source for _, source in run.merged.get(s.id, ())),
        )
        for s in run.samples
    ]
    write_queue(items, run.folders.queue)


def _write_quarantine(run: Build) -> None:
    lines = (json.dumps(asdict(r), ensure_ascii=False) for r in run.rejected)
    write_atomically(run.folders.quarantine, "".join(f"{line}\n" for line in lines))


def _report(run: Build) -> Report:
    ids = {s.id for s in run.samples}
    status = Counter(run.state(s).status for s in run.samples)
    undone = {d.reason for d in run.log.decisions if d.verdict == "undo"}
    given = (d for d in run.log.decisions if d.client == "import" and d.verdict == "approve" and d.id not in undone)
    by_import = (d.annotator for d in given if d.sample_id in ids)
    damaged = [f"{run.folders.log}: line {n} is not an event; it is kept unchanged" for n, _ in run.log.damaged]
    if run.log.markers:
        damaged.append(
            f"{run.folders.log}: {run.log.markers:,} conflict markers of git. The events of both sides count; "
            "`inosuke review sync` removes the markers"
        )
    return Report(
        imported={kind: run.imported[kind] for kind in KINDS},
        rejected=_tally(r.reason for r in run.rejected),
        flagged=_tally(f.code for s in run.samples for f in findings(s.flags)),
        duplicates={"exact": sum(map(len, run.merged.values())), "near": len(run.near)},
        awaiting_review=status["pending"],
        awaiting_flagged=sum(
            s.id in run.vouched and blocks_approval(s.flags) and run.state(s).status == "pending" for s in run.samples
        ),
        awaiting_transcripts=sum(s.id in run.cut and run.state(s).status == "pending" for s in run.samples),
        approved=status["approved"],
        conflicts=sum(bool(run.state(s).conflicts) for s in run.samples),
        disputes=sum(run.state(s).disputed for s in run.samples),
        exported={"train": 0, "eval": 0},
        held_out=len(run.held_out),
        multi_turn=run.multi_turn,
        languages=_tally(str(s.language) for s in run.samples),
        left_out=dict(run.left_out),
        approved_on_import=_tally(by_import),
        errors=[*run.errors, *damaged],
    )


def _export(run: Build, report: Report) -> None:
    """Split and write what is approved, and complete the report."""
    from curation.export.exported_rows import ExportInput
    from curation.export.write import write_export
    from curation.preferences.gather import Material, gather
    from curation.review.choices import standing_votes
    from curation.split.assign import split

    judged = {s.id for s in run.samples if run.state(s).status != "pending"}
    if not run.approved:
        run.edits.save(run.folders, run.samples, {}, judged)
        return
    divided = split(
        run.approved,
        run.persona.dedup.threshold,
        eval_share=run.persona.split.eval_share,
        template_prompts=run.persona.dedup.template_prompts,
        held_out=[h.sample for h in run.held_out],
        previous=run.edits.sides(),
        names=run.persona.names,
    )
    run.edits.save(run.folders, run.samples, divided.side, judged)
    if not divided.side:  # all of it is near held-out prompts
        report.left_out |= _tally(entry["why"] for entry in divided.report["left_out"])
        return
    opinions = gather(
        Material(
            samples=run.samples,
            approved=run.approved,
            states=run.states,
            decisions=run.log.decisions,
            votes=standing_votes(read_records(run.folders.choices).records),
            side=divided.side,
            held_out=[h.sample for h in run.held_out],
            choices_file=run.folders.choices.relative_to(run.folders.root).as_posix(),
        ),
        run.persona,
    )
    report.preferences = _tally(pair.origin for pair in opinions.pairs)
    report.preferences_set_aside = _tally(opinions.set_aside.elements())
    content = ExportInput(
        samples=run.approved,
        side=divided.side,
        group=divided.group,
        opinions=opinions,
        states=run.states,
        held_out=run.held_out,
        persona=run.persona,
        persona_file=run.persona_file,
        facts=_facts(run, report, divided.report, divided.side.keys()),
    )
    folder = write_export(content, run.folders.export)
    report.exported = {side: sum(s == side for s in divided.side.values()) for side in report.exported}
    report.version = folder.name
    report.path = str(folder)


def _facts(run: Build, report: Report, split: Mapping[str, Any], exported: Set[str]) -> Manifest:
    """Return what the manifest says about the build and the review; the export adds the rest."""
    from curation.review import facts

    review = facts.review(run.log.decisions, {s.id for s in run.samples})
    sources = {s.id: s.source.path for s in run.samples if s.id in exported and run.state(s).revision == 0}
    if audits := facts.audits(read_records(run.folders.audits).records, run.log.decisions, sources):
        review = review.model_copy(update={"audits": audits})
    corpus = None if run.corpus is None else run.corpus.resolve().name
    return Manifest(
        version="",
        files={},
        configuration={"corpus": corpus, "auto_near": run.auto_near},
        imported=report.imported,
        rejected=report.rejected,
        flagged=report.flagged,
        duplicates=report.duplicates,
        review=review.model_copy(update={"approved": report.approved, "awaiting_review": report.awaiting_review}),
        left_out=report.left_out,
        log=facts.position(run.log),
        split=dict(split),
        held_out=len(run.held_out),
        preferences=PreferenceFacts(set_aside=report.preferences_set_aside),
    )


def _tally(codes: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(codes).items(), key=lambda pair: (-pair[1], pair[0])))
