"""`inosuke publish-model`: a trained adapter, or the model it was merged into, goes to the Hugging Face Hub.

Comes in: a run folder (``adapter/`` or ``merged/``, ``tokenizer/``, recipe, persona, metrics, loss curve, card).
Goes out: one commit whose files lie where ``from_pretrained("OWNER/NAME")`` looks for them. Knows no tensors: weights
are safetensors files, and pickles are never sent.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from curation import manifest, versions
from curation.errors import InosukeError
from curation.files import sha256_file
from curation.hub import Hub, check_name
from curation.upload import Before, upload

_ABOUT = ("README.md", "recipe.toml", "persona.toml", "metrics.json", "loss_curve.png")
_NEEDED = ("README.md", "persona.toml", "metrics.json")
# peft and transformers write cards of their own beside the weights; the run's card says more. A pickle runs code when
# it is loaded: no reader of a public repository should have to trust one.
_NEVER = ("README.md", "*.bin", "*.pt", "*.pth", "*.pkl")


def publish_model(
    run: Path,
    repo: str,
    *,
    merged: bool = False,
    private: bool = False,
    tag: str | None = None,
    dry_run: bool = False,
    quiet: bool = False,
) -> dict[str, Any]:
    """Publish a run's adapter, or with ``merged`` its merged model, as ``repo``; return what was done.

    ``dry_run`` asks the Hub nothing. Raises InosukeError that names the file which is missing, or what the Hub said.
    """
    check_name(repo)
    if tag is not None:
        versions.check_tag(tag)
    files = _files(run, merged)
    with tempfile.TemporaryDirectory(prefix="inosuke-publish-") as scratch:
        folder = Path(scratch) / "model"
        version = _stage(run, files, folder)
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
            "warnings": _warnings(files),
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


def _stage(run: Path, files: dict[str, Path], folder: Path) -> str:
    """Lay the files out as the repository will hold them, with a manifest; return the version."""
    folder.mkdir()
    for name, path in files.items():
        try:
            (folder / name).hardlink_to(path) if name != manifest.CARD else shutil.copyfile(path, folder / name)
        except OSError:  # another disk, or a file system without hard links
            shutil.copyfile(path, folder / name)
    about: manifest.Manifest = {
        "version": "",
        "run": run.name,
        "files": {name: sha256_file(path) for name, path in sorted(files.items())},
    }
    about["version"] = manifest.version_of(about)
    manifest.write(about, folder)
    return str(about["version"])


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
