"""`inosuke dataset`: the stages, to be read from top to bottom in :func:`build`.

Comes in: the source folders of persona.toml (or one corpus) and the review log. Goes out: the queue, the quarantine,
the log with the approvals of trusted sources, and the export. Opens files only through the modules that know them.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from curation.build import changes, sources
from curation.checks import check_reply, check_sample
from curation.cleaning import personal_data
from curation.cleaning.normalise import clean
from curation.codes import blocks_approval, findings, never_trained
from curation.errors import InosukeError
from curation.files import write_atomically
from curation.folders import Folders
from curation.importers.batch import Job, read_all
from curation.importers.source.source_file import load
from curation.persona import Persona, load_persona
from curation.record import KINDS, Imported, Rejected, Sample, Source
from curation.review.decisions import Log, State, fold, read_log, trusted_approval, write_log
from curation.split.held_out import HeldOut, read_held_out
from curation.transcripts.scenes import to_samples

# Sample id → (id, source) of every sample that exact merging folded into it.
Merged: TypeAlias = Mapping[str, Sequence[tuple[str, Source]]]


@dataclass(slots=True)
class Report:
    """What a run did, as `inosuke dataset --json` prints it. Counts are samples unless the name says otherwise."""

    imported: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, int] = field(default_factory=dict)
    flagged: dict[str, int] = field(default_factory=dict)
    duplicates: dict[str, int] = field(default_factory=dict)
    awaiting_review: int = 0
    approved: int = 0
    exported: dict[str, int] = field(default_factory=dict)
    version: str | None = None
    path: str | None = None
    held_out: int = 0
    multi_turn: int = 0
    languages: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    approved_on_import: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    up_to_date: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain objects."""
        return asdict(self)


@dataclass(slots=True)
class _Read:
    """Everything that the files gave, before any stage has looked at it."""

    samples: list[Sample] = field(default_factory=list)
    held_out: list[HeldOut] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    vouched: dict[str, tuple[str, str]] = field(default_factory=dict)  # sample id → (author, trusted folder)
    multi_turn: int = 0


def build(persona_file: Path, corpus: Path | None = None, auto_near: bool = False, quiet: bool = False) -> Report:
    """Run the stages and return the report. Does nothing, in well under a second, when nothing has changed.

    ``auto_near`` leaves all but the best of each near-duplicate cluster out of the export, without asking a person.
    Raises InosukeError where there is nothing to import; damaged files and rows are reported and the others go on.
    """
    persona = load_persona(persona_file)
    folders = Folders(persona.root)
    with folders.locked():
        files, unknown = sources.find(persona, corpus)
        inputs = changes.inputs(files, persona_file, auto_near)
        known = changes.unchanged(folders, inputs)
        if known is not None:
            return replace(Report(**known), up_to_date=True)

        found = _import(files, unknown, persona, folders, quiet)
        samples, rejected = _clean(found.samples)
        samples = _tag_languages(samples, persona, quiet)
        samples = [
            replace(s, flags=(*s.flags, *check_sample(s, persona), *personal_data.check(s, persona))) for s in samples
        ]
        samples, merged, clusters, near = _dedup(samples, persona)
        doubles = near if auto_near else set()

        log = read_log(folders.log)
        log = _approve_trusted(samples, merged, found.vouched, log, folders)
        states = fold(log.decisions)
        approved, left_out = _approved(samples, states, persona, doubles)

        _write_queue(folders, samples, merged, clusters)
        _write_quarantine(folders, [*found.rejected, *rejected])

        ids = {s.id for s in samples}
        report = Report(
            imported={kind: sum(s.kind == kind for s in found.samples) for kind in KINDS},
            rejected=_tally(r.reason for r in (*found.rejected, *rejected)),
            flagged=_tally(f.code for s in samples for f in findings(s.flags)),
            duplicates={"exact": sum(map(len, merged.values())), "near": len(near)},
            awaiting_review=sum(states.get(s.id, State()).status == "pending" for s in samples),
            approved=sum(states.get(s.id, State()).status == "approved" for s in samples),
            held_out=len(found.held_out),
            multi_turn=found.multi_turn,
            languages=_tally(str(s.language) for s in samples),
            left_out=left_out,
            approved_on_import=_tally(
                d.annotator for d in log.decisions if d.client == "import" and d.sample_id in ids
            ),
            errors=[*found.errors, *(f"{folders.log}: line {n} is no event; kept as it is" for n, _ in log.damaged)],
        )
        options = {"corpus": None if corpus is None else corpus.resolve().name, "auto_near": auto_near}
        _export(report, ids, approved, log, states, found.held_out, persona, persona_file, folders, options)
        changes.save(folders, inputs, report.to_json())
        return report


# ---------------------------------------------------------------- the stages


def _import(
    files: Sequence[sources.SourcePath], unknown: Sequence[Path], persona: Persona, folders: Folders, quiet: bool
) -> _Read:
    found = _Read(errors=[f"{path}: no importer knows this kind of file; left alone" for path in unknown])
    for source in (f for f in files if f.held_out):
        try:
            prompts, bad = read_held_out(load(source.path, name=source.name, rights=source.about.rights), persona)
            found.held_out += prompts
            found.rejected += bad
        except InosukeError as error:
            found.errors.append(str(error))
    lines = [f for f in files if not f.held_out]
    jobs = [Job(f.path, f.name, f.about.rights) for f in lines]
    transcripts: list[Imported] = []
    trusted: dict[str, sources.SourcePath] = {}  # by the path that records carry; a zip's members lie below it
    for source, result in zip(lines, read_all(jobs, persona, folders.imports, quiet), strict=True):
        if isinstance(result, InosukeError):
            found.errors.append(str(result))
            continue
        found.rejected += result.rejected
        found.samples += result.samples
        if result.utterances:
            transcripts.append(result)
        if source.about.trusted:
            paths = {s.source.path for s in result.samples} | {u.source.path for u in result.utterances}
            trusted |= dict.fromkeys(paths, source)
    # All transcripts together: an opening song is known by being sung in more than one episode.
    samples, rejected = to_samples(transcripts, persona)
    found.samples += samples
    found.rejected += rejected
    found.multi_turn = sum(len(s.replies) > 1 for s in found.samples)
    for sample in found.samples:
        if vouching := trusted.get(sample.source.path):
            found.vouched.setdefault(sample.id, (vouching.about.author, vouching.folder))
    return found


def _clean(samples: Sequence[Sample]) -> tuple[list[Sample], list[Rejected]]:
    cleaned = [clean(s) for s in samples]
    return [s for s in cleaned if isinstance(s, Sample)], [s for s in cleaned if isinstance(s, Rejected)]


def _tag_languages(samples: Sequence[Sample], persona: Persona, quiet: bool) -> list[Sample]:
    from curation.cleaning import language

    with _bar(len(samples), "languages", "sample", quiet) as bar:
        return language.tag(samples, persona, bar.update)


def _dedup(samples: Sequence[Sample], persona: Persona) -> tuple[list[Sample], Merged, dict[str, str], Set[str]]:
    """Return the samples left, what was merged into each, the cluster of each, and the ids near a better one."""
    from curation import dedup

    duplicates = dedup.cluster(samples, persona.dedup.threshold, persona.dedup.template_prompts)
    merged = {e.kept: e.dropped for e in duplicates.exact}
    clusters = {sample: c.id for c in duplicates.near for sample in (c.kept, *(m.sample_id for m in c.members))}
    return dedup.flag(duplicates), merged, clusters, {m.sample_id for c in duplicates.near for m in c.members}


def _approve_trusted(
    samples: Sequence[Sample],
    merged: Merged,
    vouched: Mapping[str, tuple[str, str]],
    log: Log,
    folders: Folders,
) -> Log:
    """Approve what an author vouches for, unless a line may be somebody else's; write the log if that is news."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    known = {d.id for d in log.decisions}
    news = []
    for sample in samples:
        ids = (sample.id, *(dropped_id for dropped_id, _ in merged.get(sample.id, ())))
        voucher = next((vouched[i] for i in ids if i in vouched), None)
        if voucher is None or blocks_approval(sample.flags):
            continue
        decision = trusted_approval(sample.id, *voucher, now)
        if decision.id not in known:
            news.append(decision)
    if not news:
        return log
    log = Log((*log.decisions, *news), log.damaged)
    write_log(folders.log, log)
    return log


def _approved(
    samples: Sequence[Sample], states: Mapping[str, State], persona: Persona, doubles: Set[str]
) -> tuple[list[Sample], dict[str, int]]:
    """Return the approved samples at their approved revision, and why others of them cannot be exported."""
    approved: list[Sample] = []
    left_out: Counter[str] = Counter()
    for sample in samples:
        state = states.get(sample.id, State())
        if state.status != "approved":
            continue
        final = sample if state.messages is None else replace(sample, messages=state.messages)
        codes = never_trained(f for reply in final.replies for f in check_reply(reply, persona))
        if not final.replies or final.messages[-1].role != "assistant":
            codes.add("no_reply_at_the_end")
        if sample.id in doubles:
            codes.add("near_duplicate")
        left_out.update(codes)
        if not codes:
            approved.append(final)
    return approved, dict(left_out)


def _write_queue(folders: Folders, samples: Sequence[Sample], merged: Merged, clusters: Mapping[str, str]) -> None:
    from curation.review.queue import QueueItem, write_queue

    write_queue(
        [QueueItem(s, clusters.get(s.id), tuple(source for _, source in merged.get(s.id, ()))) for s in samples],
        folders.queue,
    )


def _write_quarantine(folders: Folders, rejected: Sequence[Rejected]) -> None:
    lines = (json.dumps(asdict(r), ensure_ascii=False) for r in rejected)
    write_atomically(folders.quarantine, "".join(f"{line}\n" for line in lines))


def _export(
    report: Report,
    ids: Set[str],
    approved: Sequence[Sample],
    log: Log,
    states: Mapping[str, State],
    held_out: Sequence[HeldOut],
    persona: Persona,
    persona_file: Path,
    folders: Folders,
    options: Mapping[str, Any],
) -> None:
    """Split and write what is approved; fills in the report's last fields."""
    from curation.export.write import export
    from curation.review import facts as review_facts
    from curation.split.assign import split
    from curation.split.history import read_sides, remember

    report.exported = {"train": 0, "eval": 0}
    if not approved:
        return
    known = read_sides(folders.split)
    divided = split(
        approved,
        persona.dedup.threshold,
        persona.split.eval_share,
        persona.dedup.template_prompts,
        [h.sample for h in held_out],
        known,
    )
    remember(folders.split, known, divided.side)
    facts = {
        "configuration": options,
        "imported": report.imported,
        "rejected": report.rejected,
        "flagged": report.flagged,
        "duplicates": report.duplicates,
        "review": {
            "approved": report.approved,
            "awaiting_review": report.awaiting_review,
            **review_facts.review(log.decisions, ids),
        },
        "left_out": report.left_out,
        "log": review_facts.position(log),
        "split": divided.report,
        "held_out": len(held_out),
    }
    path = export(approved, divided.side, states, held_out, persona, persona_file, folders.export, facts)
    report.exported = {side: sum(s == side for s in divided.side.values()) for side in ("train", "eval")}
    report.version = path.name
    report.path = str(path)


# ---------------------------------------------------------------- small helpers


def _tally(codes: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(codes).items(), key=lambda pair: (-pair[1], pair[0])))


def _bar(total: int, title: str, unit: str, quiet: bool) -> Any:
    from tqdm import tqdm

    # disable=None: quiet where nobody looks (a pipe, a log file).
    return tqdm(total=total, desc=title, unit=unit, disable=True if quiet else None, leave=False, file=sys.stderr)
