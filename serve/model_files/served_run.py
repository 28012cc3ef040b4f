"""Chooses the run to serve below ``models/`` and checks that its parts fit together. Loads no model.

A run's folder contains ``adapter/``, ``tokenizer/``, ``persona.toml`` and ``metrics.json``, and often ``gguf/``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curation.bases import check_adapter
from curation.chat import Prompt
from curation.contracts.run import RunBase, read_metrics
from curation.errors import InosukeError
from curation.files import sha256_file
from curation.newest import find_run, runs
from curation.persona import Persona, load_persona

MODELS = "models"


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """A finished training run. ``base`` is a folder, or a model's id on the Hub; ``why`` is why this run was chosen.

    ``trained_on`` is what the trainer recorded of the base.
    """

    name: str
    folder: Path
    base: Path | str
    base_name: str
    trained_on: RunBase
    prompt: Prompt
    dataset: str
    persona: Persona
    why: str


def checked_run(root: Path, name: str | None = None, weights: bool = True) -> Run:
    """Return the run called ``name``, or the newest, after every check that needs no loading.

    ``weights`` tells whether the adapter and its base will be loaded; a GGUF contains both, and is checked on its own.
    Raises InosukeError when there is no run, when a part of it is missing or damaged, or when its base model is missing
    or is not the one that it was trained on.
    """
    folder = find_run(root / MODELS, name)
    metrics = read_metrics(folder)
    adapter = ("adapter/adapter_config.json", "adapter/adapter_model.safetensors") if weights else ()
    for part in (*adapter, "tokenizer", "persona.toml"):
        if not (folder / part).exists():
            raise InosukeError(f"the run {folder.name} has no {part}. Expected a finished run: train again.")
    if weights:
        _check_safetensors(folder / "adapter" / "adapter_model.safetensors", "Train again with `make train`.")
        check_adapter(folder / "adapter", metrics.base_model)
    count = len(runs(root / MODELS))
    return Run(
        name=folder.name,
        folder=folder,
        base=_check_base(root, metrics.base_model, folder.name) if weights else metrics.base_model.path,
        base_name=metrics.base_model.name,
        trained_on=metrics.base_model,
        prompt=metrics.prompt,
        dataset=metrics.dataset.version,
        persona=load_persona(folder / "persona.toml").as_served(),
        why=f"chosen by its name; {count} in {root / MODELS}" if name else f"the newest of {count} in {root / MODELS}",
    )


def _check_base(root: Path, base: RunBase, run: str) -> Path | str:
    folder = root / base.path
    if not folder.is_dir():
        if base.path.count("/") == 1 and not base.path.startswith((f"{MODELS}/", ".", "/")):
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
    # The trainer joins the hashes of weights in several files with "+".
    if base.sha256 is not None and (seen := "+".join(map(sha256_file, weights))) != base.sha256:
        raise InosukeError(
            f"the run {run} is an adapter for another base model: it was trained on {base.name} with weights "
            f"{base.sha256[:12]}, and those in {folder} are {seen[:12]}. Train again, or restore the former weights."
        )
    return folder


def _check_safetensors(path: Path, remedy: str) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as tensors:  # reads the header and compares it with the file's size
            count = len(tensors.keys())
    except (SafetensorError, OSError) as error:
        raise InosukeError(f"{path} is damaged ({error}). Expected a safetensors file. {remedy}") from None
    if not count:
        raise InosukeError(f"{path} contains no tensors. {remedy}")
