"""Writes a folder that Hugging Face builds as a Space: the app, the run, its base model, and how to start them."""

from __future__ import annotations

import json
import shutil
import tempfile
from importlib import metadata
from pathlib import Path
from string import Template
from typing import Any, TypeVar

from curation import bases, licences
from curation.contracts import SAME_IDS, GgufFile, GgufList, write_gguf_list
from curation.errors import InosukeError, UsageError
from curation.files import PARTIAL, sha256_file
from curation.licences import Terms
from curation.newest import find_run, set_latest
from curation.persona import Persona
from serve.engines import ENGINES
from serve.model_files import gguf_choice, weights
from serve.model_files.portrait import find_portrait
from serve.model_files.served_run import MODELS, Run, checked_run

T = TypeVar("T")
_HERE = Path(__file__).parent
_PACKAGES = Path(__file__).parents[2]

# What `python -m serve` imports, whichever engine it runs; constraints.txt pins their dependencies.
_ALWAYS = ("click", "filelock", "flask", "huggingface_hub", "prometheus_client", "pydantic", "waitress")
# The engines that a Space can run, with what it installs for each.
REQUIREMENTS = {name: (*_ALWAYS, *entry.requirements) for name, entry in ENGINES.items() if entry.requirements}
# The shared ground: all that serve may import of curation, with the files it reads.
_SHARED = ("*.py", "bases.toml", "chat_templates/*", "licence_texts/*")
_DESCRIPTION_LIMIT = 60  # characters that the Hub accepts in `short_description`


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
    if out.exists() and any(p.name != ".git" for p in out.iterdir()):
        raise InosukeError(f"{out} is not empty. Expected a new folder, or a fresh clone of a Space: name another.")
    engine = "llamacpp" if gguf_choice.available(find_run(root / MODELS, run_name)) else "transformers"
    run = checked_run(root, run_name, weights=ENGINES[engine].serves == "adapter")
    if weights_from and engine != "llamacpp":
        raise UsageError(
            f"--weights-from names the repository of a GGUF file, and the run {run.name} has none. Make one with "
            "`inosuke gguf`."
        )
    terms = _terms(run, engine, base_licence, licence_known)
    licence_text = licences.text_of(terms.licence, run.folder, api) if terms else None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        # Not `whole_folder`, which would have to replace the clone with its .git. Nothing half-written stays in `out`.
        with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=out.parent) as name:
            part = Path(name)
            _copy_app(part)
            if engine == "llamacpp":
                _copy_gguf(part, run, weights_from, api)
            else:
                _copy_models(part, run, root)
            _copy_portrait(part, run, root)
            _write_card(part, run, terms)
            if terms:
                licences.write_files(part, terms, licence_text)
            _write_build(part, root, REQUIREMENTS[engine], engine)
            out.mkdir(exist_ok=True)
            written = sorted(p.relative_to(part) for p in part.rglob("*") if p.is_file())
            for entry in part.iterdir():
                entry.rename(out / entry.name)
    except OSError as error:
        raise InosukeError(f"{out} cannot be written: {error}. Check the disk's free space, then try again.") from error
    return written


def _copy_app(part: Path) -> None:
    shutil.copytree(_PACKAGES / "serve", part / "serve", ignore=shutil.ignore_patterns("__pycache__", "space"))
    (part / "curation").mkdir()
    for pattern in _SHARED:
        for file in (_PACKAGES / "curation").glob(pattern):
            target = part / file.relative_to(_PACKAGES)
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(file, target)


def _terms(run: Run, engine: str, base_licence: str | None, licence_known: bool) -> Terms | None:
    """Return what the base's licence demands; None where it is not known and need not be."""
    if bases.of_run(run.trained_on) is None and not base_licence and not licence_known:
        return None
    merged = engine == "llamacpp"
    changes = licences.run_changes(run.name, merged=merged, gguf=merged)
    return licences.terms_of(run.trained_on, changes, base_licence)


def _copy_gguf(part: Path, run: Run, weights_from: str | None, api: Any) -> None:
    """Copy the one file that is served, or pin it in its repository. The weights it was made from are not needed."""
    file = gguf_choice.choose(run.folder)
    sha256 = file.sha256 or sha256_file(file.path)
    folder = part / MODELS / run.name
    (folder / "gguf").mkdir(parents=True)
    if weights_from:
        pinned = weights.pin(weights_from, file.path, sha256, f"{MODELS}/{run.name}", api)
        _text(part / weights.FILE, pinned.model_dump_json(indent=2) + "\n")
    else:
        shutil.copyfile(file.path, folder / "gguf" / file.path.name)
    entry = GgufFile(file=file.path.name, type=file.type, sha256=sha256, bytes=file.path.stat().st_size)
    write_gguf_list(folder, GgufList(files=[entry], served=file.path.name))
    shutil.copytree(run.folder / "tokenizer", folder / "tokenizer")
    for name in ("metrics.json", "persona.toml", SAME_IDS):
        if (run.folder / name).is_file():  # runs of older versions have no SAME_IDS
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


def _write_card(part: Path, run: Run, terms: Terms | None) -> None:
    name = run.persona.name
    stated = terms.front_matter() if terms else {"license": "other"}
    card = Template((_HERE / "README.md.template").read_text(encoding="utf-8"))
    text = card.substitute(
        # JSON's texts are YAML's, whatever is in a name.
        title=_json(run.persona.page.title or name),
        short_description=_json(f"Chat with {name}"[:_DESCRIPTION_LIMIT].rstrip()),
        character=name,
        question=_json(_in_english(run.persona, run.persona.page.starters, ("Who are you?",))[0]),
        notice=_in_english(
            run.persona, run.persona.page.notice, f"{name} is played by a language model, which can be wrong."
        ),
        run=run.name,
        base=run.base_name,
        dataset=run.dataset,
        front_matter="\n".join(f"{key}: {value}" for key, value in stated.items()),
        licence="" if terms else licences.unknown_section(run.base_name),
    )
    if terms:
        text = licences.with_section(text, terms)
    _text(part / "README.md", text)


def _write_build(part: Path, root: Path, requirements: tuple[str, ...], engine: str) -> None:
    constraints = root / "constraints.txt"
    if not constraints.is_file():
        raise InosukeError(f"{constraints} is missing, which pins what a Space installs. Run this in the project.")
    shutil.copyfile(constraints, part / "constraints.txt")
    pins = [f"{name}=={metadata.version(name).split('+')[0]}\n" for name in sorted(requirements)]
    _text(part / "requirements.txt", "".join(pins))
    for name, target in ((f"Dockerfile.{engine}", "Dockerfile"), ("gitattributes", ".gitattributes")):
        _text(part / target, (_HERE / name).read_text(encoding="utf-8"))


def _in_english(persona: Persona, texts: dict[str, T], otherwise: T) -> T:
    """Return the English text, or the one in the character's first language that has one, or a default."""
    return next((texts[code] for code in ("en", *persona.languages) if texts.get(code)), otherwise)


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
