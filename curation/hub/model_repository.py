"""`inosuke publish-model`: send a trained adapter, or the model it was merged into, to the Hugging Face Hub.

In: a run folder (``adapter/`` or ``merged/``, ``tokenizer/``, ``gguf/``, recipe, persona, metrics, loss curve, card).
Out: one commit, with the files where ``from_pretrained("OWNER/NAME")`` looks for them. Knows no tensors. Weights are
safetensors and GGUF files; pickles are never sent.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from curation import console, licences
from curation.contracts.gguf import GGUF_LIST, read_gguf_list
from curation.contracts.manifest import MANIFEST, Manifest, read_manifest, write_manifest
from curation.contracts.published import Published, PublishedAs, read_published, write_published
from curation.contracts.run import METRICS, SAME_IDS, RunMetrics, read_metrics
from curation.errors import InosukeError
from curation.export import versions
from curation.export.manifest import CARD, with_version
from curation.files import sha256_file, write_atomically
from curation.hub import model_card, preview, rights
from curation.hub.client import check_name
from curation.hub.commit import Before, Draft, draft, look_first, send
from curation.hub.publication import MOST_REMOVED, ModelPublication, completed
from curation.licences import Terms
from curation.persona import persona_files

_ABOUT = (CARD, "recipe.toml", "persona.toml", METRICS, SAME_IDS, "loss_curve.png", "card.png")
_NEEDED = (CARD, "persona.toml", METRICS)
# peft and transformers write cards of their own beside the weights; the card of the run is more complete. Loading a
# pickle runs code, so a public repository must not require it.
_NEVER = ("README.md", "*.bin", "*.pt", "*.pth", "*.pkl")
_GGUF = "gguf"


def publish_model(
    run: Path,
    repo: str,
    *,
    merged: bool = False,
    gguf: bool = True,
    private: bool = False,
    tag: str | None = None,
    base_licence: str | None = None,
    dry_run: bool = False,
    yes: bool = False,
    confirm: Callable[[ModelPublication], None] = preview.refuse_unanswered,
    quiet: bool = False,
) -> ModelPublication:
    """Publish the adapter of a run, or with ``merged`` its merged model, as ``repo``.

    GGUF files of the run are included unless ``gguf`` is False. ``base_licence`` names the licence of a base that is
    not in the table of bases. ``confirm`` is called before the commit, unless ``yes``, and raises to stop. ``dry_run``
    reads the Hub and changes nothing; without a token it does not ask the Hub. Raises InosukeError that names the
    missing or damaged file, what the base's licence forbids, or the answer of the Hub.
    """
    check_name(repo)
    if tag is not None:
        versions.check_tag(tag)
    metrics = read_metrics(run)
    files = _files(run, merged) | (_gguf_files(run) if gguf else {})
    in_gguf = any(name.startswith(_GGUF) for name in files)
    changes = licences.run_changes(run.name, merged=merged, gguf=in_gguf)
    terms = licences.terms_of(metrics.base_model, changes, base_licence)
    licences.checked_name(repo, terms)
    with tempfile.TemporaryDirectory(prefix="inosuke-publish-") as scratch:
        folder = Path(scratch) / "model"
        unfetched = terms.licence.hub_text if dry_run else None
        text = unfetched or licences.text_of(terms.licence, run)
        before, unasked = look_first(repo, "model", Path(scratch) / "hub", private=private, dry_run=dry_run)
        hidden = before.remote.private if before.remote else private
        version = _stage(run, files, folder, repo, merged, terms, text)
        where = f"{repo}/{CARD} on the Hub"
        wanted = draft(
            before, folder, tag=tag, front_matter=lambda data: licences.checked_front_matter(data, terms, where)
        )
        planned = ModelPublication(
            repo=repo,
            private=hidden,
            version=version,
            run=run.name,
            base=terms.base + (f" (https://huggingface.co/{terms.hub_id})" if terms.hub_id else ""),
            licence=terms.licence.name,
            files=sorted(wanted.files),
            deleted=sorted(wanted.stale),
            tag=tag,
            warnings=_warnings(files, terms, merged) + ([] if hidden else _not_publishable(run, metrics)),
            visibility=preview.visibility(before, hidden, unasked),
            **_changes(wanted, terms),
        )
        if dry_run:
            return planned
        if wanted.changed and not yes:
            confirm(planned)
        assert before.hub is not None  # only a dry run does without
        what = "merged model" if merged else "adapter"
        title = f"{'Model' if merged else 'Adapter'} of run {run.name}"
        description = f"Run {run.name}, {what}, version {version}."
        outcome = send(wanted, before.hub, title, description, private=hidden, tag=tag, quiet=quiet)
        done = completed(planned, outcome, before.hub.url)
        return replace(
            done,
            warnings=done.warnings
            + _recorded(run, merged, PublishedAs(repository=repo, commit=outcome.commit, private=hidden)),
        )


def _recorded(run: Path, merged: bool, published: PublishedAs) -> list[str]:
    """Note in the run's folder where it is. Return a warning where that fails: what was published stays published."""
    try:
        try:
            before = read_published(run)
        except InosukeError:  # damaged: what it said is lost, what is known now is not
            before = Published()
        write_published(run, before.model_copy(update={"merged" if merged else "adapter": published}))
    except InosukeError as error:
        return [f"the run's folder does not say where it was published: {error}"]
    return []


def _changes(wanted: Draft, terms: Terms) -> dict[str, Any]:
    """Return what the repository holds, what would come and go, what the licence adds, and what wants an answer."""
    before = wanted.before
    sizes = before.remote.sizes if before.remote else {}
    removed = {name: sizes.get(name, 0) for name in wanted.stale}
    published = sum(size for name, size in sizes.items() if before.manifest and name in before.manifest.files)
    share = sum(removed.values()) / published if published else 0.0
    questions = preview.of_others(wanted)
    if share > MOST_REMOVED:
        gone = console.size(sum(removed.values()))
        questions.append(f"{gone} of the {console.size(published)} that are published would be removed")
    sent = {name: path.stat().st_size for name, path in wanted.files.items()}
    return {
        "notice": _notice(terms, wanted),
        "there": _there(before, sizes),
        "added": {name: size for name, size in sent.items() if name not in sizes},
        "replaced": {name: size for name, size in sent.items() if name in sizes},
        "removed": removed,
        "removed_share": share,
        "questions": questions if wanted.changed else [],
    }


def _notice(terms: Terms, wanted: Draft) -> list[str]:
    licence = terms.licence
    carried = " and ".join(name for name in (licences.LICENCE_FILE, licences.NOTICE_FILE) if name in wanted.local)
    said = [f"{licence.title}, {licence.link}; {carried} go with the model"]
    said += [licence.built_with] if licence.built_with else []
    said += [f"use is restricted: {licence.use_policy}"] if licence.use_policy else []
    return said


def _there(before: Before, sizes: Mapping[str, int]) -> str:
    """Return what the repository holds now."""
    if before.hub is None:
        return "not known"
    if before.remote is None:
        return "nothing: the repository does not exist"
    held = f"{len(sizes)} files, {console.size(sum(sizes.values()))}"
    if before.manifest is None:
        return f"{held}, not published from here"
    run = f"run {before.manifest.run}" if before.manifest.run else "not a run"
    return f"{run} (version {before.manifest.version}), {held}"


def _files(run: Path, merged: bool) -> dict[str, Path]:
    """Return path in the repository → file of the run. Raises InosukeError if a file of the run is missing."""
    weights = run / ("merged" if merged else "adapter")
    files = {name: run / name for name in _ABOUT if (run / name).is_file()}
    if "persona.toml" in files:  # and the lorebook that belongs to it
        files |= {name: run / name for name in persona_files(run / "persona.toml")}
    for folder in (run / "tokenizer", weights):  # merged/ has its own tokenizer: the later one counts
        for path in sorted(folder.glob("*")):
            if path.is_file() and path.name not in _ABOUT and not any(path.match(pattern) for pattern in _NEVER):
                files[path.name] = path
    if missing := [name for name in _NEEDED if name not in files]:
        raise InosukeError(f"{run}: not a finished run, {missing[0]} is missing. Expected what `inosuke train` writes.")
    if not any(name.endswith(".safetensors") for name in files):
        make = "Run `inosuke merge` first." if merged else "Train again with `inosuke train`."
        raise InosukeError(f"{weights}: no weights (*.safetensors) to publish. {make}")
    return files


def _gguf_files(run: Path) -> dict[str, Path]:
    """Return the GGUF files of a run and their list, the file to serve first. Raises InosukeError for a damaged one."""
    found = {f"{_GGUF}/{path.name}": path for path in sorted((run / _GGUF).glob("*.gguf"))}
    if not found:
        return {}
    again = f"Run `inosuke gguf {run.name}` again, or leave the files out with --no-gguf. Nothing was uploaded."
    content = read_gguf_list(run)
    listed = {f"{_GGUF}/{entry.file}": entry.sha256 for entry in content.files}
    if (run / GGUF_LIST).is_file():
        # A file that the list does not name was not finished.
        found = {name: path for name, path in found.items() if name in listed}
        if gone := sorted(listed.keys() - found.keys()):
            raise InosukeError(f"{run / gone[0]}: is missing, though {GGUF_LIST} lists it. {again}")
    for name, path in found.items():
        with path.open("rb") as file:
            magic = file.read(4)
        if magic != b"GGUF" or listed.get(name) not in (None, sha256_file(path)):
            raise InosukeError(f"{path}: is damaged; it is not the file that `inosuke gguf` wrote. {again}")
    if (run / GGUF_LIST).is_file():
        found[GGUF_LIST] = run / GGUF_LIST
    return dict(sorted(found.items(), key=lambda pair: pair[0] != f"{_GGUF}/{content.served}"))


def _stage(
    run: Path, files: dict[str, Path], folder: Path, repo: str, merged: bool, terms: Terms, licence_text: str | None
) -> str:
    """Put the files where the repository will hold them, with what the licence demands. Return the version."""
    folder.mkdir()
    gguf = [name for name in files if name.endswith(".gguf")]
    for name, path in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        if name == CARD:
            text = path.read_text(encoding="utf-8")
            write_atomically(folder / name, model_card.for_repository(text, repo, terms, merged=merged, gguf=gguf))
            continue
        try:
            (folder / name).hardlink_to(path)
        except OSError:  # another disk, or a file system without hard links
            shutil.copyfile(path, folder / name)
    names = {*files, *licences.write_files(folder, terms, licence_text)}
    hashes = {name: sha256_file(folder / name) for name in sorted(names)}
    about = with_version(Manifest(version="", run=run.name, files=hashes))
    write_manifest(folder, about)
    return about.version


def _not_publishable(run: Path, metrics: RunMetrics) -> list[str]:
    """Return a warning if the model was trained on lines that may not be public, as far as its export still exists."""
    export = run.resolve().parent.parent / metrics.dataset.path
    if not (export / MANIFEST).is_file():
        return []
    train = read_manifest(export).counts.get("train")
    held = {name: n for name, n in (train.rights if train else {}).items() if name not in rights.PUBLISHABLE}
    if not held:
        return []
    said = ", ".join(f"{n:,} are {name}" for name, n in held.items())
    return [
        f"of the samples it was trained on, {said}. A model can repeat lines that it has learnt, and its card quotes "
        "it. Publish it with --private unless you have the right to show these lines."
    ]


def _warnings(files: dict[str, Path], terms: Terms, merged: bool) -> list[str]:
    """Return a warning where the licence forbids commercial use, and one if other users could not load the adapter."""
    said = [] if terms.licence.commercial else [f"the licence of {terms.base} allows no commercial use of the model."]
    return said + ([] if merged else _not_loadable(files, terms))


def _not_loadable(files: dict[str, Path], terms: Terms) -> list[str]:
    if terms.base_is_cut:
        return [
            f"the adapter belongs to a {terms.base} whose vocabulary was cut here: it does not fit the model of that "
            "name on the Hub. Publish the merged model (--merged) or the GGUF files for other users."
        ]
    if (config := files.get("adapter_config.json")) is None:
        return []
    base = json.loads(config.read_text(encoding="utf-8")).get("base_model_name_or_path")
    if base and (Path(base).is_absolute() or base.count("/") != 1):
        return [
            f"adapter_config.json names the base model `{base}`, a folder of this machine. Users of the adapter must "
            "pass the name of the base model themselves. The merged model (--merged) needs none."
        ]
    return []
