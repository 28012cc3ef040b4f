"""`inosuke publish`: an export goes to the Hugging Face Hub, and is loaded back before anybody says done.

Comes in: an export folder, whole and unchanged. Goes out: one commit, or none where nothing changed. What may not be
public stays behind and is listed.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curation.cleaning import personal_data
from curation.errors import InosukeError
from curation.export import card, exported_rows, manifest, versions
from curation.export.diff_text import headline, text
from curation.export.write import write_folder
from curation.files import sha256_file, write_atomically
from curation.folders import Folders
from curation.hub import rights
from curation.hub.client import Hub, check_name
from curation.hub.commit import Before, upload
from curation.hub.verify import reload
from curation.persona import load_persona
from curation.record import KINDS

_SHOWN = 10  # changed samples of each sort in a commit's description


def newest_export(folders: Folders) -> Path:
    """Return the newest export's folder. Raises InosukeError where nothing was exported yet."""
    return versions.latest(folders.export)


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
) -> dict[str, Any]:
    """Publish an export as the dataset ``repo`` and return what was done, as `--json` prints it.

    Without ``private``, samples whose rights are neither ``own`` nor ``licensed`` are left out unless
    ``include_private`` names them (a sample's id, a source file or folder). A kind of which samples were imported and
    none is approved stops a publication unless ``allow_empty`` names it. ``dry_run`` asks the Hub nothing.
    Raises InosukeError, with nothing changed on the Hub unless the message names a commit.
    """
    check_name(repo)
    if tag is not None:
        versions.check_tag(tag)
    about = manifest.check(export)
    with _steps(quiet) as step, tempfile.TemporaryDirectory(prefix="inosuke-publish-") as scratch:
        step("check rights and texts")
        whole = exported_rows.read(export)
        content, held = (whole, rights.Held()) if private else rights.public(whole, include_private)
        if not any(content.chat.values()):
            raise InosukeError(_nothing_left(held))
        _look_for_empty_kinds(whole, about, allow_empty)
        warnings = _look_for_personal_data(content, about)
        if empty := [kind for kind in KINDS if kind not in _kinds(content)]:
            warnings.append(f"what is published has no sample of the kind {', '.join(empty)}; the card says so")
        folder = Path(scratch) / "export"
        about = _stage(export, folder, about, content, held, repo)
        samples = {side: about["counts"][side]["samples"] for side in exported_rows.SIDES}
        result: dict[str, Any] = {
            "repo": repo,
            "action": "would be published",
            "private": private,
            "version": about["version"],
            "samples": samples,
            "left_out": held.counts,
            "left_out_from": dict(held.sources),
            "left_out_ids": [key for ids in held.ids.values() for key in ids],
            "included": dict(held.included),
            "files": sorted([*about["files"], manifest.NAME]),
            "deleted": [],
            "tag": tag,
            "commit": None,
            "url": None,
            "warnings": warnings,
        }
        if dry_run:
            return result
        step("upload")
        hub = Hub(repo, "dataset")

        def describe(before: Before) -> str:
            return _describe(before, content, about["version"])

        title = f"{about['persona']['name']} {about['version']}: " + " + ".join(
            f"{n:,} {s}" for s, n in samples.items()
        )
        done = upload(hub, folder, title, describe, private=private, tag=tag, quiet=quiet)
        step("load it back")
        reload(hub, done.commit, folder)
        return result | {
            "action": "published" if done.changed else "unchanged, no commit",
            "files": done.files,
            "deleted": done.deleted,
            "commit": done.commit,
            "url": hub.url,
            "warnings": done.warnings + warnings,
        }


def _stage(
    export: Path, folder: Path, about: manifest.Manifest, content: exported_rows.Rows, held: rights.Held, repo: str
) -> manifest.Manifest:
    """Write what goes to the Hub into ``folder``: the export itself, or the part of it that may be public."""
    if not held.counts and not held.included:
        folder.mkdir()
        for name in (*about["files"], manifest.NAME):  # only what the manifest vouches for
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(export / name, folder / name)
    else:
        folder.mkdir()
        published = {"from": about["version"], "left_out": held.counts, "included": dict(held.included)}
        persona_file = export / "persona.toml"
        facts = manifest.facts_of(about) | {"held_out": len(content.held_out), "published": published}
        about = write_folder(folder, content, load_persona(persona_file), persona_file, facts)
    write_atomically(folder / manifest.CARD, card.text(about, repo))
    about["files"][manifest.CARD] = sha256_file(folder / manifest.CARD)
    manifest.write(about, folder)
    return about


def _kinds(content: exported_rows.Rows) -> set[str]:
    return {row["kind"] for side in content.chat.values() for row in side}


def _look_for_empty_kinds(whole: exported_rows.Rows, about: Mapping[str, Any], allowed: Sequence[str]) -> None:
    """Refuse an export that lost a whole kind on its way: rejected, not reviewed yet, or all of it set aside."""
    for kind, count in about.get("imported", {}).items():
        if count and kind not in allowed and kind not in _kinds(whole):
            raise InosukeError(
                f"the export has no sample of the kind {kind}, though {count:,} were imported. Approve some in "
                f"`make review`, then run `inosuke dataset` and publish again; if it is meant to be empty, say "
                f"--allow-empty {kind}. Nothing was uploaded."
            )


def _look_for_personal_data(content: exported_rows.Rows, about: Mapping[str, Any]) -> list[str]:
    """Refuse personal data that nobody was shown; say how many rows hold some that a person let through."""
    languages = about.get("configuration", {}).get("languages", ("vi", "en"))
    for prompt in content.held_out:
        if found := personal_data.flag((*(m["content"] for m in prompt["messages"]), prompt["reference"]), languages):
            raise InosukeError(
                f"the prompt {prompt['id']}, held out for evaluation, holds personal data ({found[0].detail}). Change "
                f"it in {prompt.get('source', 'its file')}, then run `inosuke dataset` and publish again. Nothing was "
                "uploaded."
            )
    seen: list[str] = []
    unseen: list[str] = []
    for row in (row for side in content.chat.values() for row in side):
        texts = (*(m["content"] for m in row["messages"]), row["topic"] or "")
        if personal_data.flag(texts, languages):
            (seen if "personal_data" in row["flags"] else unseen).append(row["id"])
    if unseen:
        raise InosukeError(
            f"{len(unseen):,} samples hold an e-mail address, a phone number or the like that nobody was asked about: "
            f"{', '.join(unseen[:5])}{' …' if len(unseen) > 5 else ''}. Rewrite or reject them in `make review`, then "
            "run `inosuke dataset` and publish again. Nothing was uploaded."
        )
    return [f"{len(seen):,} samples hold personal data that a reviewer approved: {', '.join(seen[:5])}"] if seen else []


def _describe(before: Before, content: exported_rows.Rows, version: str) -> str:
    """Say in the commit what changed since the last publication, sample by sample."""
    needed = [
        *(exported_rows.parquet(config, side) for config in exported_rows.CONFIGS for side in exported_rows.SIDES),
        exported_rows.HELD_OUT,
    ]
    if not before.manifest or any(name not in before.files for name in needed):
        return f"First publication, version {version}."
    for name in needed:
        before.read(name)
    try:
        diff = versions.compare(exported_rows.read(before.scratch), content)
    except (ValueError, KeyError) as error:
        return f"Version {version}. What was here before cannot be compared with it ({type(error).__name__})."
    changes = text(diff, str(before.manifest.get("version")), version, _SHOWN, show_old=False)
    return f"{headline(diff)}\n\n{changes}"


def _nothing_left(held: rights.Held) -> str:
    if not held.ids:
        return "the export has no sample, so there is nothing to publish. Approve some with `make review`."
    return (
        f"nothing may be public: of the samples, {', '.join(f'{len(ids):,} are {r}' for r, ids in held.ids.items())} "
        f"(from {', '.join(sorted(held.sources))}). Publish with --private, name what you have the right to publish "
        "with --include-private, or set `rights` of the folder in persona.toml."
    )


@contextmanager
def _steps(quiet: bool) -> Iterator[Any]:
    from tqdm import tqdm

    disable = True if quiet else None  # None: quiet where nobody looks (a pipe, a log file)
    with tqdm(total=3, unit="step", leave=False, file=sys.stderr, disable=disable) as bar:
        begun = 0

        def step(name: str) -> None:
            nonlocal begun
            bar.update(min(begun, 1))  # the one before is done now
            begun += 1
            bar.set_description(name)

        yield step
