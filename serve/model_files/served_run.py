"""Which run is served: finds it under ``models/`` and checks that its parts fit together. Loads no model.

A run folder holds ``adapter/``, ``tokenizer/``, ``persona.toml`` and ``metrics.json``, and often ``gguf/``;
``models/latest`` names the newest finished one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from curation.chat import Prompt
from curation.errors import InosukeError
from curation.files import sha256_file
from curation.persona import Persona, load_persona


@dataclass(frozen=True, slots=True)
class Run:
    """A finished training run. ``base`` is a folder, or the id of a model on the Hub; ``why`` says why this run."""

    name: str
    folder: Path
    base: Path | str
    base_name: str
    prompt: Prompt
    dataset: str
    persona: Persona
    why: str


class _Base(BaseModel):
    name: str
    path: str
    sha256: str | None = None


class _Dataset(BaseModel):
    version: str = "unknown"


class _Metrics(BaseModel):
    """What serving reads of metrics.json; the trainer writes much more."""

    base_model: _Base
    prompt: Prompt = "chat"
    dataset: _Dataset = Field(default_factory=_Dataset)


def find_run(root: Path, name: str | None = None, models: str = "models", weights: bool = True) -> Run:
    """Return the run called ``name``, or the newest, with everything checked that can be checked without loading it.

    ``weights`` says whether the adapter and its base will be loaded; a GGUF holds both, and is checked on its own.
    Raises InosukeError, saying what to do, when there is no run, a part of it is missing or damaged, or its base
    model is missing or another one than it was trained on.
    """
    folder, why = choose(root / models, name)
    metrics = _read_metrics(folder)
    adapter = ("adapter/adapter_config.json", "adapter/adapter_model.safetensors") if weights else ()
    for part in (*adapter, "tokenizer", "persona.toml"):
        if not (folder / part).exists():
            raise InosukeError(f"the run {folder.name} has no {part}. Expected a finished run: train again.")
    if weights:
        _check_safetensors(folder / "adapter" / "adapter_model.safetensors", "Train again with `make train`.")
    return Run(
        name=folder.name,
        folder=folder,
        base=_check_base(root, metrics.base_model, folder.name) if weights else metrics.base_model.path,
        base_name=metrics.base_model.name,
        prompt=metrics.prompt,
        dataset=metrics.dataset.version,
        persona=load_persona(folder / "persona.toml"),
        why=why,
    )


def choose(models: Path, name: str | None) -> tuple[Path, str]:
    """Return the folder of the run called ``name``, or of the newest, and why that one."""
    finished = sorted(f.parent.name for f in models.glob("*/metrics.json"))
    there = f"Runs that are there: {', '.join(finished)}." if finished else "There is none: run `make train` first."
    if name is not None:
        # A name, never a path: what a person types here must not lead out of the folder.
        if name not in finished:
            raise InosukeError(f"no run is called {name!r} under {models}. {there}")
        return models / name, f"you named it; {len(finished)} under {models}"
    latest = models / "latest"
    if not finished:
        raise InosukeError(f"no run under {models}: run `make train` first.")
    if not latest.is_file():
        raise InosukeError(f"{latest} is missing, which names the newest run. Choose one with --run. {there}")
    # A damaged name is one that is not there, and is shown as it was read.
    newest = latest.read_text(encoding="utf-8", errors="backslashreplace").strip()
    if newest not in finished:
        raise InosukeError(f"{latest} names {newest!r}, which is not there. Choose a run with --run. {there}")
    return models / newest, f"the newest of {len(finished)} under {models}"


def _read_metrics(folder: Path) -> _Metrics:
    path = folder / "metrics.json"
    try:
        return _Metrics.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InosukeError(
            f"{path}: {where}: {first['msg']}. Expected what `make train` writes: train again, or choose another run."
        ) from None


def _check_base(root: Path, base: _Base, run: str) -> Path | str:
    folder = root / base.path
    if not folder.is_dir():
        if base.path.count("/") == 1 and not base.path.startswith(("models/", ".", "/")):
            return base.path  # an id on the Hub, fetched and checked by huggingface_hub
        raise InosukeError(
            f"the base model {base.name} is not at {folder}, and the run {run} is an adapter for it. "
            "Run `make train`, which fetches it, or copy it there."
        )
    weights = sorted(folder.glob("*.safetensors"))
    remedy = f"Delete {folder} and run `make train`, which fetches it again."
    if not weights:
        raise InosukeError(f"{folder} has no weights. Expected *.safetensors. {remedy}")
    for path in weights:
        _check_safetensors(path, remedy)
    # Weights in several files are named by all their hashes, as the trainer does.
    if base.sha256 is not None and (seen := "+".join(map(sha256_file, weights))) != base.sha256:
        raise InosukeError(
            f"the run {run} is an adapter for another base model: it was trained on {base.name} with weights "
            f"{base.sha256[:12]}, and those in {folder} are {seen[:12]}. Train again, or put the former ones back."
        )
    return folder


def _check_safetensors(path: Path, remedy: str) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as tensors:  # reads the header and holds it against the file's size
            count = len(tensors.keys())
    except (SafetensorError, OSError) as error:
        raise InosukeError(f"{path} is damaged ({error}). Expected a safetensors file. {remedy}") from None
    if not count:
        raise InosukeError(f"{path} holds no tensors. {remedy}")
