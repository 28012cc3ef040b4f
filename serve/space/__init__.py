"""Writes a folder that Hugging Face builds as it is: the app, the run, its base model, and how to start them."""

from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path
from string import Template

from curation.errors import InosukeError
from serve.runs import Run, find_run

_HERE = Path(__file__).parent
_PACKAGES = Path(__file__).parents[2]

# What `python -m serve` with the engine `transformers` imports; constraints.txt pins what these bring along.
REQUIREMENTS = (
    "accelerate",
    "click",
    "flask",
    "httpx",
    "peft",
    "pydantic",
    "safetensors",
    "torch",
    "transformers",
    "waitress",
)
CURATION = ("__init__.py", "record.py", "errors.py", "files.py", "persona.py", "chat.py")


def write_space(out: Path, run_name: str | None = None, root: Path = Path()) -> list[Path]:
    """Write the folder and return its files, relative to it. ``out`` may hold nothing but a ``.git``.

    The files are put together beside it first, so that nothing half-written is left when the disk is full.
    """
    if out.exists() and any(p.name != ".git" for p in out.iterdir()):
        raise InosukeError(f"{out} is not empty. Expected a new folder, or a fresh clone of a Space: name another.")
    run = find_run(root, run_name)
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        _copy_app(part)
        _copy_models(part, run, root)
        _write_card(part, run, root)
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
    for name in CURATION:
        shutil.copyfile(_PACKAGES / "curation" / name, part / "curation" / name)


def _copy_models(part: Path, run: Run, root: Path) -> None:
    models = part / "models"
    shutil.copytree(run.folder, models / run.name)
    (models / "latest").write_text(f"{run.name}\n", encoding="utf-8")
    if isinstance(run.base, Path):
        try:
            inside = run.base.resolve().relative_to(root.resolve())
        except ValueError:
            raise InosukeError(
                f"the base model is at {run.base}, outside of the project. Copy it under models/base/ and train again."
            ) from None
        shutil.copytree(run.base, part / inside)


def _write_card(part: Path, run: Run, root: Path) -> None:
    constraints = root / "constraints.txt"
    if not constraints.is_file():
        raise InosukeError(f"{constraints} is missing, which pins what a Space installs. Run this in the project.")
    shutil.copyfile(constraints, part / "constraints.txt")
    pins = [f"{name}=={metadata.version(name).split('+')[0]}\n" for name in REQUIREMENTS]
    (part / "requirements.txt").write_text("".join(pins), encoding="utf-8", newline="\n")
    card = Template((_HERE / "README.md.template").read_text(encoding="utf-8"))
    text = card.substitute(character=run.persona.name, run=run.name, base=run.base_name, dataset=run.dataset)
    (part / "README.md").write_text(text, encoding="utf-8", newline="\n")
    for name in ("Dockerfile", "gitattributes"):
        target = "." + name if name == "gitattributes" else name
        (part / target).write_text((_HERE / name).read_text(encoding="utf-8"), encoding="utf-8", newline="\n")
