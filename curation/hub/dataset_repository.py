"""`inosuke publish`: send an export to the Hugging Face Hub and load it back.

In: an export folder, whole and unchanged. Out: one commit, or none if nothing changed. What may not be public is left
out and listed.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from curation import console
from curation.cleaning import personal_data
from curation.contracts import HELD_OUT, MANIFEST, Manifest, Published
from curation.errors import InosukeError
from curation.export import exported_rows, manifest, versions
from curation.export.diff_text import headline, text
from curation.export.exported_rows import Rows
from curation.export.write import write_card, write_folder
from curation.hub import rights
from curation.hub.client import Hub, check_name
from curation.hub.commit import Before, upload
from curation.hub.publication import DatasetPublication, completed
from curation.hub.verify import load_back
from curation.persona import load_persona
from curation.record import KINDS

_SHOWN = 10  # changed samples of each sort in the description of a commit


def publish(
    export: Path,
    repo: str,
    *,
    private: bool = False,
    tag: str | None = None,
    dry_run: bool = False,
    include_private: Sequence[str] = (),
    allow_empty: Sequence[str] = (),
    quiet: bool = False,
) -> DatasetPublication:
    """Publish an export as the dataset ``repo``.

    Without ``private``, samples whose rights are neither ``own`` nor ``licensed`` are left out unless
    ``include_private`` names them (by a sample's id, a source file or a source folder). If samples of a kind were
    imported and none is approved, nothing is published unless ``allow_empty`` names the kind. ``dry_run`` does not
    contact the Hub. Raises InosukeError; the Hub is then unchanged unless the message names a commit.
    """
    check_name(repo)
    if tag is not None:
        versions.check_tag(tag)
    about = manifest.check(export)
    with (
        console.bar(3, "check rights and texts", "step", quiet=quiet) as bar,
        tempfile.TemporaryDirectory(prefix="inosuke-publish-") as scratch,
    ):
        whole = exported_rows.read(export)
        rows, held = (whole, rights.Held()) if private else rights.public(whole, include_private)
        if not rows.samples:
            raise InosukeError(_nothing_left(held))
        _refuse_empty_kinds(whole, about, allow_empty)
        warnings = _check_personal_data(rows, about)
        if empty := [kind for kind in KINDS if kind not in _kinds(rows)]:
            warnings.append(f"nothing of the kind {', '.join(empty)} is published; the card states it")
        folder = Path(scratch) / "export"
        about = _stage(export, folder, about, rows, held, repo)
        samples = {side: about.counts[side].samples for side in exported_rows.SIDES}
        planned = DatasetPublication(
            repo=repo,
            private=private,
            version=about.version,
            samples=samples,
            left_out=held.counts,
            left_out_from=dict(held.sources),
            left_out_ids=[key for ids in held.ids.values() for key in ids],
            included=dict(held.included),
            files=sorted([*about.files, MANIFEST]),
            tag=tag,
            warnings=warnings,
        )
        if dry_run:
            return planned
        bar.update(1)
        bar.set_description("upload")
        hub = Hub(repo, "dataset")

        def describe(before: Before) -> str:
            return _describe(before, rows, about.version)

        counted = " + ".join(f"{n:,} {side}" for side, n in samples.items())
        title = f"{about.persona.name} {about.version}: {counted}"
        outcome = upload(hub, folder, title, describe, private=private, tag=tag, quiet=quiet)
        bar.update(1)
        bar.set_description("load it back")
        load_back(hub, outcome.commit, folder)
        return completed(planned, outcome, hub.url)


def _stage(export: Path, folder: Path, about: Manifest, rows: Rows, held: rights.Held, repo: str) -> Manifest:
    """Write what is sent to the Hub into ``folder``: the whole export, or the part of it that may be public."""
    folder.mkdir()
    if not held.counts and not held.included:
        for name in about.files:  # only files that the manifest lists
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(export / name, folder / name)
    else:
        published = Published.model_validate(
            {"from": about.version, "left_out": held.counts, "included": dict(held.included)}
        )
        persona_file = export / "persona.toml"
        facts = about.model_copy(update={"held_out": len(rows.held_out), "published": published})
        about = write_folder(folder, rows, load_persona(persona_file), persona_file, facts)
    return write_card(folder, about, repo)


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


def _describe(before: Before, rows: Rows, version: str) -> str:
    """Return the description of the commit: what changed since the last publication, sample by sample."""
    needed = [
        *(exported_rows.parquet(config, side) for config in exported_rows.CONFIGS for side in exported_rows.SIDES),
        HELD_OUT,
    ]
    if before.manifest is None or any(name not in before.files for name in needed):
        return f"First publication, version {version}."
    for name in needed:
        before.read(name)
    try:
        diff = versions.compare(exported_rows.read(before.scratch), rows)
    except (ValueError, KeyError) as error:
        return f"Version {version}. It cannot be compared with the files before it ({type(error).__name__})."
    changes = text(diff, before.manifest.version, version, _SHOWN, show_old=False)
    return f"{headline(diff)}\n\n{changes}"


def _nothing_left(held: rights.Held) -> str:
    if not held.ids:
        return "the export has no sample, so there is nothing to publish. Approve some with `make review`."
    return (
        f"nothing may be public: of the samples, {', '.join(f'{len(ids):,} are {r}' for r, ids in held.ids.items())} "
        f"(from {', '.join(sorted(held.sources))}). Publish with --private, name what you have the right to publish "
        "with --include-private, or set `rights` of the folder in persona.toml."
    )
