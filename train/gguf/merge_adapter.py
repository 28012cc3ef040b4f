"""``inosuke merge``: merges an adapter into its base, in the 16 bits of the base.

It never merges into 4-bit weights: the sum would be rounded to 16 levels again, which loses small changes (peft #2321).
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from curation.errors import InosukeError, UsageError
from curation.files import remove_partial, whole_folder
from curation.persona import copy_persona
from train.run.finished import FinishedRun, open_run


def merge_run(persona_file: Path, run: str | None, say: Callable[[str], None]) -> Path:
    """Write ``models/<run>/merged`` (safetensors, tokenizer, persona.toml) and return it; an older one is replaced.

    Raises InosukeError when the run or its base does not exist, or when the disk is too full.
    """
    trained = open_run(persona_file.resolve().parent, run, say)
    say(f"Merging {trained.name} into {trained.base.name}")
    final = trained.folder / "merged"
    remove_partial(trained.folder)
    with whole_folder(final) as part:
        write(trained, part)
        if final.exists():
            shutil.rmtree(final)
    return final


def merge_runs(persona_file: Path, runs: Sequence[str], weights: Sequence[float], say: Callable[[str], None]) -> Path:
    """Write the base with the weighted sum of several runs' adapters into ``models/<first>/merged-with-<others>``.

    Tokenizer and persona.toml are those of the first run. Without ``weights`` each run has the same share. Raises
    UsageError when the weights do not match the runs, or the runs have different bases.
    """
    if weights and len(weights) != len(runs):
        raise UsageError(f"{len(weights)} weights for {len(runs)} runs. Give --weight once a run, in their order.")
    if not all(map(math.isfinite, weights)):
        raise UsageError(f"--weight: expected numbers such as 0.5, not {', '.join(map(str, weights))}.")
    if len(set(runs)) < len(runs):
        raise UsageError(f"a run is named twice in {' '.join(runs)}. Name each once, with its weight.")
    shares = list(weights) or [1 / len(runs)] * len(runs)
    opened = [open_run(persona_file.resolve().parent, run, say) for run in runs]
    first = opened[0]
    for other in opened[1:]:
        same = (other.base.sha256, other.base.location) == (first.base.sha256, first.base.location)
        if not same or other.metrics.prompt != first.metrics.prompt:
            raise UsageError(
                f"{other.name} was trained on {other.base.name} with {other.metrics.prompt} prompts, {first.name} on "
                f"{first.base.name} with {first.metrics.prompt} prompts. Only adapters of one base can be added up."
            )
    listed = ", ".join(f"{share:g} of {run.name}" for share, run in zip(shares, opened, strict=True))
    say(f"Merging {listed} into {first.base.name}")
    final = first.folder / f"merged-with-{'-'.join(run.name for run in opened[1:])}"
    with whole_folder(final) as part:
        write(first, part, list(zip(opened, shares, strict=True)))
        if final.exists():
            shutil.rmtree(final)
    return final


def is_whole(folder: Path) -> bool:
    """Return whether a merged model is all there; a copied folder may lack files, or end in the middle of one."""
    from safetensors import SafetensorError, safe_open

    index = folder / "model.safetensors.index.json"
    try:
        names = {"model.safetensors"}
        if index.is_file():
            names = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        for name in names:
            with safe_open(folder / name, "pt"):  # it compares the file's size with the tensors in its header
                pass
    except (OSError, ValueError, KeyError, SafetensorError):
        return False
    return all((folder / name).is_file() for name in ("config.json", "tokenizer.json"))


def write(trained: FinishedRun, folder: Path, several: Sequence[tuple[FinishedRun, float]] = ()) -> None:
    """Write the merged model into a folder; of ``several`` adapters, their sum times their weights.

    Raises InosukeError when the disk is too full.
    """
    _write(trained, folder, several, merged=True)


def write_base(trained: FinishedRun, folder: Path) -> None:
    """Write the base of a run with the run's tokenizer into a folder, as :func:`write` does with its adapter."""
    _write(trained, folder, (), merged=False)


def _write(trained: FinishedRun, folder: Path, several: Sequence[tuple[FinishedRun, float]], merged: bool) -> None:
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    from train.model.load import load_tokenizer, unreachable
    from train.progress import quiet_libraries

    quiet_libraries()
    try:
        base: Any = AutoModelForCausalLM.from_pretrained(trained.base.location, dtype="auto")
    except (OSError, ValueError, SafetensorError) as error:
        raise unreachable(trained.base.location, error) from error
    if base.dtype == torch.float32:
        base = base.to(torch.bfloat16)
    needed = sum(p.numel() * p.element_size() for p in base.parameters()) + 50_000_000
    if (free := shutil.disk_usage(trained.folder).free) < needed:
        raise InosukeError(
            f"{trained.folder}: {free / 1e6:,.0f} MB free, the merged model needs {needed / 1e6:,.0f} MB. "
            "Free some disk space and run the command again."
        )
    model = _merged(base, trained, several) if merged else base
    try:
        model.save_pretrained(folder)
        load_tokenizer(str(trained.folder / "tokenizer"), needs_template=False).save_pretrained(folder)
        copy_persona(trained.folder / "persona.toml", folder)
    except (OSError, SafetensorError) as error:
        raise InosukeError(
            f"{folder.parent}: the merged model cannot be written ({error}). Free some disk space or change the "
            "folder's permissions, then run the command again."
        ) from error


def _merged(base: Any, trained: FinishedRun, several: Sequence[tuple[FinishedRun, float]]) -> Any:
    from train.model.load import load_adapter

    adapted = load_adapter(base, trained.folder / "adapter")
    if several:
        for number, (run, _) in enumerate(several[1:], 1):
            adapted.load_adapter(run.folder / "adapter", adapter_name=str(number))
        names = ["default", *(str(number) for number in range(1, len(several)))]
        # "cat" puts the matrices side by side, so the sum is exact whatever their ranks are.
        adapted.add_weighted_adapter(names, [w for _, w in several], "sum", combination_type="cat")
        adapted.set_adapter("sum")
    return adapted.merge_and_unload(safe_merge=True)
