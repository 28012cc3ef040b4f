"""`inosuke publish-model`: a trained adapter, or the model it was merged into, goes to the Hugging Face Hub.

Comes in: a run folder (``adapter/`` or ``merged/``, ``tokenizer/``, ``gguf/``, recipe, persona, metrics, loss curve,
card). Goes out: one commit whose files lie where ``from_pretrained("OWNER/NAME")`` looks for them. Knows no tensors:
weights are safetensors and GGUF files, and pickles are never sent.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

from curation.errors import InosukeError
from curation.export import manifest, versions
from curation.files import sha256_file, write_atomically
from curation.hub import model_card, rights
from curation.hub.client import Hub, check_name
from curation.hub.commit import Before, upload

_ABOUT = ("README.md", "recipe.toml", "persona.toml", "metrics.json", "loss_curve.png")
_NEEDED = ("README.md", "persona.toml", "metrics.json")
# peft and transformers write cards of their own beside the weights; the run's card says more. A pickle runs code when
# it is loaded: no reader of a public repository should have to trust one.
_NEVER = ("README.md", "*.bin", "*.pt", "*.pth", "*.pkl")
_GGUF, _GGUF_LIST = "gguf", "gguf/gguf.json"


def publish_model(
    run: Path,
    repo: str,
    *,
    merged: bool = False,
    gguf: bool = True,
    private: bool = False,
    tag: str | None = None,
    dry_run: bool = False,
    quiet: bool = False,
) -> dict[str, Any]:
    """Publish a run's adapter, or with ``merged`` its merged model, as ``repo``; return what was done.

    The run's GGUF files go along, where it has any, unless ``gguf`` is False. ``dry_run`` asks the Hub nothing. Raises
    InosukeError that names the file which is missing or damaged, or what the Hub said.
    """
    check_name(repo)
    if tag is not None:
        versions.check_tag(tag)
    files = _files(run, merged) | (_gguf_files(run) if gguf else {})
    with tempfile.TemporaryDirectory(prefix="inosuke-publish-") as scratch:
        folder = Path(scratch) / "model"
        version = _stage(run, files, folder, repo, merged)
        result: dict[str, Any] = {
            "repo": repo,
            "action": "would be published",
            "private": private,
            "version": version,
            "run": run.name,
            "files": sorted([*files, manifest.NAME]),
            "deleted": [],
            "tag": tag,
            "commit": None,
            "url": None,
            "warnings": _warnings(files) + ([] if private else _not_publishable(run)),
        }
        if dry_run:
            return result
        hub = Hub(repo, "model")

        def describe(before: Before) -> str:
            return f"Run {run.name}, {'merged model' if merged else 'adapter'}, version {version}."

        title = f"{'Model' if merged else 'Adapter'} of run {run.name}"
        done = upload(hub, folder, title, describe, private=private, tag=tag, quiet=quiet)
        return result | {
            "action": "published" if done.changed else "unchanged, no commit",
            "files": done.files,
            "deleted": done.deleted,
            "commit": done.commit,
            "url": hub.url,
            "warnings": result["warnings"] + done.warnings,
        }


def _files(run: Path, merged: bool) -> dict[str, Path]:
    """Return path in the repository → file of the run. Raises InosukeError for a run that is not whole."""
    weights = run / ("merged" if merged else "adapter")
    files = {name: run / name for name in _ABOUT if (run / name).is_file()}
    for folder in (run / "tokenizer", weights):  # merged/ brings a tokenizer of its own: the later one counts
        for path in sorted(folder.glob("*")):
            if path.is_file() and path.name not in _ABOUT and not any(path.match(pattern) for pattern in _NEVER):
                files[path.name] = path
    if missing := [name for name in _NEEDED if name not in files]:
        raise InosukeError(f"{run}: no finished run, {missing[0]} is missing. Expected what `inosuke train` writes.")
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
    listed: dict[str, str | None] = {}
    served = ""
    if (run / _GGUF_LIST).is_file():
        try:
            content = json.loads((run / _GGUF_LIST).read_text(encoding="utf-8"))
            listed = {f"{_GGUF}/{entry['file']}": entry.get("sha256") for entry in content["files"]}
            served = f"{_GGUF}/{content.get('served')}"
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InosukeError(
                f"{run / _GGUF_LIST}: not a list of GGUF files as it is written there. {again}"
            ) from None
        # What the list does not name is a file that was not finished.
        found = {name: path for name, path in found.items() if name in listed}
        if gone := sorted(listed.keys() - found.keys()):
            raise InosukeError(f"{run / gone[0]}: is missing, though {_GGUF_LIST} names it. {again}")
        found[_GGUF_LIST] = run / _GGUF_LIST
    for name, path in found.items():
        if name == _GGUF_LIST:
            continue
        with path.open("rb") as file:
            begins = file.read(4)
        if begins != b"GGUF" or listed.get(name) not in (None, sha256_file(path)):
            raise InosukeError(f"{path}: is damaged, it is not the file that was converted. {again}")
    return dict(sorted(found.items(), key=lambda pair: pair[0] != served))


def _stage(run: Path, files: dict[str, Path], folder: Path, repo: str, merged: bool) -> str:
    """Lay the files out as the repository will hold them, with a manifest; return the version."""
    folder.mkdir()
    gguf = [name for name in files if name.endswith(".gguf")]
    for name, path in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        if name == manifest.CARD:
            text = path.read_text(encoding="utf-8")
            write_atomically(folder / name, model_card.for_repository(text, repo, merged=merged, gguf=gguf))
            continue
        try:
            (folder / name).hardlink_to(path)
        except OSError:  # another disk, or a file system without hard links
            shutil.copyfile(path, folder / name)
    about: manifest.Manifest = {
        "version": "",
        "run": run.name,
        "files": {name: sha256_file(folder / name) for name in sorted(files)},
    }
    about["version"] = manifest.version_of(about)
    manifest.write(about, folder)
    return str(about["version"])


def _not_publishable(run: Path) -> list[str]:
    """Say which lines the model has learnt that would not go into a public dataset, where the export is still there."""
    try:
        trained_on = json.loads((run / "metrics.json").read_text(encoding="utf-8"))["dataset"]["path"]
        about = manifest.read(run.resolve().parent.parent / trained_on)
        counted = Counter(about["counts"]["train"]["rights"])
    except (ValueError, KeyError, TypeError, InosukeError):  # an older run, or an export that was cleared away
        return []
    held = {name: n for name, n in counted.items() if name not in rights.PUBLISHABLE}
    if not held:
        return []
    said = ", ".join(f"{n:,} are {name}" for name, n in held.items())
    return [
        f"of the samples it was trained on, {said}. A model can repeat what it has learnt, and its card quotes it: "
        "publish it with --private unless you have the right to show these lines."
    ]


def _warnings(files: dict[str, Path]) -> list[str]:
    """Say what would keep a stranger from loading the adapter."""
    if (config := files.get("adapter_config.json")) is None:
        return []
    base = json.loads(config.read_text(encoding="utf-8")).get("base_model_name_or_path")
    if base and (Path(base).is_absolute() or base.count("/") != 1):
        return [
            f"adapter_config.json names the base model `{base}`, a folder of this machine. Whoever loads the adapter "
            "must name the base model; publish the merged model (--merged) to spare them that."
        ]
    return []
