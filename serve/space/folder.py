"""Writes a folder that Hugging Face builds as a Space: the app, the run, its base model, and how to start them."""

from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

from curation import licences
from curation.contracts.gguf import GgufFile, GgufList, write_gguf_list
from curation.contracts.run import SAME_IDS
from curation.errors import InosukeError, UsageError
from curation.files import sha256_file
from curation.newest import find_run, set_latest
from curation.persona import copy_persona
from serve.engines import ENGINES
from serve.model_files import gguf_choice, weights
from serve.model_files.portrait import find_portrait
from serve.model_files.served_run import MODELS, Run, checked_run
from serve.space.card import terms_of, write_card
from serve.space.filling import check_empty, files_of, filling, text_file

_HERE = Path(__file__).parent
_PACKAGES = Path(__file__).parents[2]

# What `python -m serve` imports, whichever engine it runs; constraints.txt pins their dependencies.
_ALWAYS = ("click", "filelock", "flask", "huggingface_hub", "prometheus_client", "pydantic", "regex", "waitress")
# The engines that a Space can run, with what it installs for each.
REQUIREMENTS = {name: (*_ALWAYS, *entry.requirements) for name, entry in ENGINES.items() if entry.requirements}
# The shared ground: all that serve may import of curation, with the files it reads.
_SHARED = ("*.py", "bases.toml", "chat/*.py", "chat_templates/*", "contracts/*.py", "licence_texts/*", "lorebook/*.py")
CARD = "README.md.template"


def write_space(
    out: Path,
    run_name: str | None = None,
    root: Path = Path(),
    weights_from: str | None = None,
    api: Any = None,
    *,
    base_licence: str | None = None,
    licence_known: bool = False,
) -> list[Path]:
    """Write the folder and return its files, relative to it. ``out`` may contain nothing but a ``.git``.

    A run with a GGUF file is served by llama.cpp there, any other by transformers. With ``weights_from``, a model
    repository ``OWNER/NAME[@REVISION]`` that is read through ``api``, the GGUF stays there and the image fetches it.

    Card, LICENSE and NOTICE follow the licence of the base, which ``base_licence`` names where the table of bases does
    not have it. With ``licence_known`` a licence that no one names is a UsageError.
    """
    check_empty(out)
    engine = "llamacpp" if gguf_choice.available(find_run(root / MODELS, run_name)) else "transformers"
    run = checked_run(root, run_name, weights=ENGINES[engine].serves == "adapter")
    if weights_from and engine != "llamacpp":
        raise UsageError(
            f"--weights-from names the repository of a GGUF file, and the run {run.name} has none. Make one with "
            "`inosuke gguf`."
        )
    terms = terms_of(run, engine == "llamacpp", base_licence, licence_known)
    licence_text = licences.text_of(terms.licence, run.folder, api) if terms else None
    with filling(out) as part:
        _copy_app(part)
        if engine == "llamacpp":
            _copy_gguf(part, run, weights_from, api)
        else:
            _copy_models(part, run, root)
        _copy_portrait(part, run, root)
        write_card(part, CARD, run, terms)
        if terms:
            licences.write_files(part, terms, licence_text)
        _write_build(part, root, REQUIREMENTS[engine], engine)
    return files_of(out)


def _copy_app(part: Path) -> None:
    shutil.copytree(_PACKAGES / "serve", part / "serve", ignore=shutil.ignore_patterns("__pycache__", "space"))
    (part / "curation").mkdir()
    for pattern in _SHARED:
        for file in (_PACKAGES / "curation").glob(pattern):
            target = part / file.relative_to(_PACKAGES)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, target)


def _copy_gguf(part: Path, run: Run, weights_from: str | None, api: Any) -> None:
    """Copy the one file that is served, or pin it in its repository. The weights it was made from are not needed."""
    file = gguf_choice.choose(run.folder)
    sha256 = file.sha256 or sha256_file(file.path)
    folder = part / MODELS / run.name
    (folder / "gguf").mkdir(parents=True)
    if weights_from:
        pinned = weights.pin(weights_from, file.path, sha256, f"{MODELS}/{run.name}", api)
        text_file(part / weights.FILE, pinned.model_dump_json(indent=2) + "\n")
    else:
        shutil.copyfile(file.path, folder / "gguf" / file.path.name)
    entry = GgufFile(file=file.path.name, type=file.type, sha256=sha256, bytes=file.path.stat().st_size)
    write_gguf_list(folder, GgufList(files=[entry], served=file.path.name))
    shutil.copytree(run.folder / "tokenizer", folder / "tokenizer")
    copy_persona(run.folder / "persona.toml", folder)
    for name in ("metrics.json", SAME_IDS, "card.png"):
        if (run.folder / name).is_file():  # older runs have no SAME_IDS, and few have a card
            shutil.copyfile(run.folder / name, folder / name)
    set_latest(part / MODELS, run.name)


def _copy_models(part: Path, run: Run, root: Path) -> None:
    models = part / MODELS
    shutil.copytree(run.folder, models / run.name)
    set_latest(models, run.name)
    if isinstance(run.base, Path):
        try:
            inside = run.base.resolve().relative_to(root.resolve())
        except ValueError:
            raise InosukeError(
                f"the base model is at {run.base}, outside of the project. Copy it under models/base/ and train again."
            ) from None
        shutil.copytree(run.base, part / inside)


def _copy_portrait(part: Path, run: Run, root: Path) -> None:
    """Copy the picture to the path that persona.toml names."""
    if path := find_portrait(run.persona, root):
        target = part / run.persona.page.portrait
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _write_build(part: Path, root: Path, requirements: tuple[str, ...], engine: str) -> None:
    # A character's own folder has none: then that of the project, whose code the Space runs.
    constraints = next((p for p in (root / "constraints.txt", _PACKAGES / "constraints.txt") if p.is_file()), None)
    if constraints is None:
        raise InosukeError("constraints.txt is missing, which pins what a Space installs. Run this in the project.")
    shutil.copyfile(constraints, part / "constraints.txt")
    pins = [f"{name}=={metadata.version(name).split('+')[0]}\n" for name in sorted(requirements)]
    text_file(part / "requirements.txt", "".join(pins))
    for name, target in ((f"Dockerfile.{engine}", "Dockerfile"), ("gitattributes", ".gitattributes")):
        text_file(part / target, (_HERE / name).read_text(encoding="utf-8"))
