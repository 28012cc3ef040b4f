"""Writes a folder that Hugging Face builds as it is: the app, the run, its base model, and how to start them."""

from __future__ import annotations

import json
import shutil
from importlib import metadata
from pathlib import Path
from string import Template
from typing import Any

from curation.errors import InosukeError, UsageError
from curation.files import sha256_file
from serve.model_files import gguf_choice, weights
from serve.model_files.served_run import Run, choose, find_run

_HERE = Path(__file__).parent
_PACKAGES = Path(__file__).parents[2]

# What `python -m serve` imports, by engine; constraints.txt pins what these bring along. llama.cpp needs no torch: the
# image is a tenth of the other's.
_ALWAYS = ("click", "flask", "prometheus_client", "pydantic", "waitress")
REQUIREMENTS = {
    "llamacpp": (*_ALWAYS, "tokenizers", "xllamacpp"),
    "transformers": (*_ALWAYS, "accelerate", "peft", "safetensors", "torch", "transformers"),
}


def write_space(
    out: Path, run_name: str | None = None, root: Path = Path(), weights_from: str | None = None, api: Any = None
) -> list[Path]:
    """Write the folder and return its files, relative to it. ``out`` may hold nothing but a ``.git``.

    A run with a GGUF is served by llama.cpp there, any other by transformers. With ``weights_from``, a model repository
    ``OWNER/NAME[@REVISION]`` that is asked through ``api``, the GGUF stays there and the image fetches it. The files
    are put together beside ``out`` first, so that nothing half-written is left when the disk is full.
    """
    if out.exists() and any(p.name != ".git" for p in out.iterdir()):
        raise InosukeError(f"{out} is not empty. Expected a new folder, or a fresh clone of a Space: name another.")
    engine = "llamacpp" if gguf_choice.available(choose(root / "models", run_name)[0]) else "transformers"
    run = find_run(root, run_name, weights=engine == "transformers")
    if weights_from and engine != "llamacpp":
        raise UsageError(
            f"--weights-from names where a GGUF lies, and the run {run.name} has none. Make one with `inosuke gguf`."
        )
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        _copy_app(part)
        if engine == "llamacpp":
            _copy_gguf(part, run, weights_from, api)
        else:
            _copy_models(part, run, root)
        _write_card(part, run, root, (*REQUIREMENTS[engine], *(("huggingface_hub",) if weights_from else ())), engine)
        out.mkdir(parents=True, exist_ok=True)
        written = sorted(p.relative_to(part) for p in part.rglob("*") if p.is_file())
        for entry in part.iterdir():
            entry.rename(out / entry.name)
    except OSError as error:
        raise InosukeError(f"{out} cannot be written: {error}. Is there room on the disk?") from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return written


def _copy_app(part: Path) -> None:
    shutil.copytree(_PACKAGES / "serve", part / "serve", ignore=shutil.ignore_patterns("__pycache__", "space"))
    (part / "curation").mkdir()
    for module in (_PACKAGES / "curation").glob("*.py"):  # the shared ground: all that serve may import of it
        shutil.copyfile(module, part / "curation" / module.name)


def _copy_gguf(part: Path, run: Run, weights_from: str | None, api: Any) -> None:
    """Copy the one file that is served, or name where it lies, and nothing of the weights that it was made from."""
    file = gguf_choice.choose(run.folder)
    sha256 = file.sha256 or sha256_file(file.path)
    folder = part / "models" / run.name
    (folder / "gguf").mkdir(parents=True)
    if weights_from:
        pinned = weights.pin(weights_from, file.path, sha256, f"models/{run.name}", api)
        _text(part / weights.FILE, pinned.model_dump_json(indent=2) + "\n")
    else:
        shutil.copyfile(file.path, folder / "gguf" / file.path.name)
    entry = {
        "file": file.path.name,
        "type": file.type,
        "sha256": sha256,
        "bytes": file.path.stat().st_size,
    }
    _text(folder / "gguf" / "gguf.json", json.dumps({"files": [entry], "served": file.path.name}, indent=2) + "\n")
    shutil.copytree(run.folder / "tokenizer", folder / "tokenizer")
    for name in ("metrics.json", "persona.toml"):
        shutil.copyfile(run.folder / name, folder / name)
    _text(part / "models" / "latest", f"{run.name}\n")


def _copy_models(part: Path, run: Run, root: Path) -> None:
    models = part / "models"
    shutil.copytree(run.folder, models / run.name)
    _text(models / "latest", f"{run.name}\n")
    if isinstance(run.base, Path):
        try:
            inside = run.base.resolve().relative_to(root.resolve())
        except ValueError:
            raise InosukeError(
                f"the base model is at {run.base}, outside of the project. Copy it under models/base/ and train again."
            ) from None
        shutil.copytree(run.base, part / inside)


def _write_card(part: Path, run: Run, root: Path, needs: tuple[str, ...], engine: str) -> None:
    constraints = root / "constraints.txt"
    if not constraints.is_file():
        raise InosukeError(f"{constraints} is missing, which pins what a Space installs. Run this in the project.")
    shutil.copyfile(constraints, part / "constraints.txt")
    pins = [f"{name}=={metadata.version(name).split('+')[0]}\n" for name in sorted(needs)]
    _text(part / "requirements.txt", "".join(pins))
    card = Template((_HERE / "README.md.template").read_text(encoding="utf-8"))
    _text(
        part / "README.md",
        card.substitute(character=run.persona.name, run=run.name, base=run.base_name, dataset=run.dataset),
    )
    for name, target in ((f"Dockerfile.{engine}", "Dockerfile"), ("gitattributes", ".gitattributes")):
        _text(part / target, (_HERE / name).read_text(encoding="utf-8"))


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
