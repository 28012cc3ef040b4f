"""`inosuke publish`: send an export to the Hugging Face Hub and load it back.

In: an export folder, whole and unchanged. Out: one commit, or none if nothing changed. What may not be public is left
out and listed, and names of local folders are replaced. The merged repository is loaded before anything is sent.
"""

from __future__ import annotations

import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from curation import console
from curation.checks import EXAMPLE_MARKS
from curation.cleaning import personal_data
from curation.contracts.manifest import Manifest, Published
from curation.errors import InosukeError
from curation.export import card, card_merge, exported_rows, manifest, terms, versions
from curation.export.exported_rows import Rows
from curation.export.manifest import CARD
from curation.export.write import write_card, write_citations, write_folder
from curation.files import write_atomically
from curation.hub import neutral, preview, rights
from curation.hub.client import check_name
from curation.hub.commit import Draft, draft, look_first, send
from curation.hub.publication import DatasetPublication, completed
from curation.hub.rehearsal import Rehearsal
from curation.hub.verify import load_back
from curation.persona import load_persona
from curation.record import KINDS


def publish(
    export: Path,
    repo: str,
    *,
    private: bool = False,
    tag: str | None = None,
    dry_run: bool = False,
    include_private: Sequence[str] = (),
    allow_empty: Sequence[str] = (),
    yes: bool = False,
    confirm: Callable[[DatasetPublication], None] = preview.refuse_unanswered,
    quiet: bool = False,
) -> DatasetPublication:
    """Publish an export as the dataset ``repo``.

    Who sees the repository decides what is published: in a public one, samples whose rights are neither ``own`` nor
    ``licensed`` are left out unless ``include_private`` names them (by a sample's id, a source file or a source
    folder). ``private`` makes a new repository private. If samples of a kind were imported and none is approved,
    nothing is published unless ``allow_empty`` names the kind.

    ``confirm`` gets what would be published before anything is sent, unless nothing changes or ``yes``; it raises to
    stop. ``dry_run`` reads the Hub and changes nothing; without a token it does not ask the Hub. Raises InosukeError;
    the Hub is then unchanged unless the message names a commit.
    """
    check_name(repo)
    if tag is not None:
        versions.check_tag(tag)
    local = manifest.check(export)
    whole = exported_rows.read(export)
    _refuse_examples(whole)
    with tempfile.TemporaryDirectory(prefix="inosuke-publish-") as scratch:
        with console.bar(3, "look at the repository", "step", quiet=quiet) as bar:
            before, unasked = look_first(repo, "dataset", Path(scratch) / "hub", private=private, dry_run=dry_run)
            _next(bar, "check rights and texts")
            hidden = before.remote.private if before.remote else private
            rows, held = (whole, rights.Held()) if hidden else rights.public(whole, include_private)
            if not rows.samples:
                raise InosukeError(_nothing_left(held))
            _refuse_empty_kinds(whole, local, allow_empty)
            warnings = _check_personal_data(rows, local)
            if empty := [kind for kind in KINDS if kind not in _kinds(rows)]:
                warnings.append(f"nothing of the kind {', '.join(empty)} is published; the card states it")
            folder = Path(scratch) / "export"
            about = _stage(export, folder, local, rows, held, repo)
            _next(bar, "load the merged repository")
            compared = preview.compare(before, exported_rows.read(folder))
            trial = Rehearsal(before, folder, Path(scratch), replaceable=compared.diff is not None)
            wanted = draft(
                before,
                folder,
                tag=tag,
                front_matter=trial.front_matter,
                follow=lambda data: _following(data, about, folder, repo),
            )
            trial.load_ours()
        persona = load_persona(export / "persona.toml")
        said = terms.of_front_matter(card_merge.parse((folder / CARD).read_text(encoding="utf-8"), CARD).data)
        planned = DatasetPublication(
            repo=repo,
            private=hidden,
            version=about.version,
            exported_as=local.version,
            corpus=local.configuration.get("corpus"),
            visibility=preview.visibility(before, hidden, unasked),
            licence=preview.licence(said, terms.together(about, repo)),
            origin=preview.origins(terms.by_source(rows.samples, persona, local.configuration.get("corpus"))),
            samples={side: about.counts[side].samples for side in exported_rows.SIDES},
            rows=compared.changes,
            left_out=held.counts,
            left_out_from=dict(held.sources),
            left_out_ids=[key for ids in held.ids.values() for key in ids],
            included=dict(held.included),
            files=sorted(wanted.files),
            deleted=sorted(wanted.stale),
            tag=tag,
            checked=trial.checked,
            notes=[
                *preview.other_source(before, local),
                *trial.fitted.notes,
                *preview.unnamed_licence(said),
                *([persona.moved_words] if persona.moved_words else []),
            ],
            questions=[*trial.fitted.questions, *preview.questions(wanted, compared)] if wanted.changed else [],
            warnings=warnings + ([] if hidden else preview.private_in_history(before)),
        )
        if dry_run:
            return planned
        if wanted.changed and not yes:
            confirm(planned)
        title = f"{about.persona.name} {about.version}: " + " + ".join(f"{n:,} {s}" for s, n in planned.samples.items())
        return _send(planned, wanted, folder, title, compared.description(about.version), quiet)


def _send(
    planned: DatasetPublication, wanted: Draft, folder: Path, title: str, description: str, quiet: bool
) -> DatasetPublication:
    hub = wanted.before.hub
    assert hub is not None  # only a dry run does without
    with console.bar(2, "upload", "step", quiet=quiet) as bar:
        outcome = send(wanted, hub, title, description, private=planned.private, tag=planned.tag, quiet=quiet)
        _next(bar, "load it back")
        load_back(hub, outcome.commit, folder)
    return completed(planned, outcome, hub.url)


def _next(bar: Any, title: str) -> None:
    bar.update(1)
    bar.set_description(title)


def _stage(export: Path, folder: Path, local: Manifest, rows: Rows, held: rights.Held, repo: str) -> Manifest:
    """Write what is sent to the Hub into ``folder``, without a name of a local folder in it. Return its manifest."""
    folder.mkdir()
    original = export / "persona.toml"
    names = neutral.names(local, load_persona(original), rows)
    included: dict[str, int] = {}
    for name, count in held.included.items():
        shown = names.around(name) or name
        included[shown] = included.get(shown, 0) + count
    published = Published.model_validate({"from": local.version, "left_out": held.counts, "included": included})
    facts = neutral.manifest(local, names).model_copy(update={"held_out": len(rows.held_out), "published": published})
    persona_file = folder.with_name("persona.toml")
    content = neutral.persona_file(tomllib.loads(original.read_text(encoding="utf-8-sig")), names)
    write_atomically(persona_file, tomli_w.dumps(content, multiline_strings=True))
    about = write_folder(folder, neutral.rows(rows, names), load_persona(persona_file), persona_file, facts)
    return write_card(folder, about, repo)


def _following(data: Mapping[str, Any], about: Manifest, folder: Path, repo: str) -> str:
    """Return the card whose text states the licence of its YAML data: an owner may set another one on the Hub.

    The citations in ``folder`` state it from then on, too. Raises InosukeError where that licence is not theirs to
    give, because a source is under another person's.
    """
    said = terms.of_front_matter(data)
    if said == terms.together(about, repo):
        return card.text(about, repo, exported_rows.infos(folder))
    for source in about.sources:
        theirs = terms.of_source(source)
        if source.rights == "licensed" and theirs.is_stated and said.id != "other" and said != theirs:
            raise InosukeError(
                f"{repo}: its card on the Hub says `license: {said.id}`, but lines are under {theirs.plain()} (a "
                "source folder whose rights are `licensed`, in persona.toml), and that is not yours to change. Remove "
                "`license` from README.md on the Hub, or correct persona.toml and run `inosuke dataset`; then publish "
                "again. Nothing was uploaded."
            )
    write_citations(folder, about, repo, said.id)
    return card.text(about, repo, exported_rows.infos(folder), said)


def _kinds(rows: Rows) -> set[str]:
    return {row["kind"] for row in rows.samples}


def _refuse_empty_kinds(whole: Rows, about: Manifest, allowed: Sequence[str]) -> None:
    """Refuse an export that has lost a whole kind: quarantined, not reviewed yet, or all of it left out."""
    for kind, count in about.imported.items():
        if count and kind not in allowed and kind not in _kinds(whole):
            raise InosukeError(
                f"the export has no sample of the kind {kind}, though {count:,} were imported. Approve some in "
                f"`make review`, then run `inosuke dataset` and publish again. If it is meant to be empty, add "
                f"--allow-empty {kind}. Nothing was uploaded."
            )


def _check_personal_data(rows: Rows, about: Manifest) -> list[str]:
    """Refuse personal data that no reviewer has seen; return a warning that counts what a reviewer approved."""
    languages = about.configuration.get("languages", ("vi", "en"))
    for prompt in rows.held_out:
        if found := personal_data.flag((*(m["content"] for m in prompt["messages"]), prompt["reference"]), languages):
            raise InosukeError(
                f"the held-out prompt {prompt['id']} holds personal data ({found[0].detail}). Change it in "
                f"{prompt.get('source', 'its file')}, then run `inosuke dataset` and publish again. Nothing was "
                "uploaded."
            )
    approved: list[str] = []
    unseen: list[str] = []
    for row in rows.samples:
        texts = (*(m["content"] for m in row["messages"]), row["topic"] or "")
        if personal_data.flag(texts, languages):
            (approved if "personal_data" in row["flags"] else unseen).append(row["id"])
    if unseen:
        raise InosukeError(
            f"{len(unseen):,} samples hold an e-mail address, a phone number or the like that no reviewer has seen: "
            f"{', '.join(unseen[:5])}{' …' if len(unseen) > 5 else ''}. Rewrite or reject them in `make review`, then "
            "run `inosuke dataset` and publish again. Nothing was uploaded."
        )
    if not approved:
        return []
    return [f"{len(approved):,} samples hold personal data that a reviewer approved: {', '.join(approved[:5])}"]


def _refuse_examples(rows: Rows) -> None:
    """Raise InosukeError if a row or held-out prompt is still an example of `inosuke new`."""
    samples = [(row["source"], [m["content"] for m in row["messages"]]) for row in rows.samples]
    prompts = [(row.get("source", ""), [row["reference"] or ""]) for row in rows.held_out]
    marks = [mark.casefold() for mark in EXAMPLE_MARKS.values()]
    found = [
        source for source, texts in (*samples, *prompts) if any(m in text.casefold() for m in marks for text in texts)
    ]
    if found:
        raise InosukeError(
            f"{len(found):,} rows are still examples of `inosuke new` (in {', '.join(sorted(set(found))[:5])}), and "
            "they are not the character's lines. Replace or remove them, run `inosuke dataset`, and publish again. "
            "Nothing was uploaded."
        )


def _nothing_left(held: rights.Held) -> str:
    if not held.ids:
        return "the export has no sample, so there is nothing to publish. Approve some with `make review`."
    return (
        f"nothing may be public: of the samples, {', '.join(f'{len(ids):,} are {r}' for r, ids in held.ids.items())} "
        f"(from {', '.join(sorted(held.sources))}). Publish with --private, or name what you have the right to publish "
        "with --include-private. If the lines are yours to publish, set `rights` of the folder in persona.toml, with "
        "its `license` and `origin`; then run `inosuke dataset`, which writes the rights into a new export, and "
        "publish again."
    )
