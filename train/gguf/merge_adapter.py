"""``inosuke merge``: base and adapter become one model folder, in the base's 16 bits.

Never into 4-bit weights: the sum would be rounded to 16 levels again, and small changes would be lost (peft #2321).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from curation.errors import InosukeError
from train.run.finished import Trained, open_run


def merge(persona_file: Path, run: str | None, say: Callable[[str], None]) -> Path:
    """Write ``models/<run>/merged`` (safetensors, tokenizer, persona.toml) and return it; an older one is replaced.

    Raises InosukeError when the run or its base is not there, or the disk is too full.
    """
    trained = open_run(persona_file.resolve().parent, run, say)
    say(f"Merging {trained.name} into {trained.base.name}")
    final, partial = trained.folder / "merged", trained.folder / ".merged.partial"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        write(trained, partial)
        if final.exists():
            shutil.rmtree(final)
        partial.rename(final)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return final


def write(trained: Trained, folder: Path) -> None:
    """Write the merged model into a folder that does not exist yet. Raises InosukeError when the disk is too full."""
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM

    from train.model.load import load_adapter, load_tokenizer, unreachable
    from train.progress import quiet

    quiet()
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
    merged = load_adapter(base, trained.folder / "adapter").merge_and_unload(safe_merge=True)
    merged.save_pretrained(folder)
    load_tokenizer(str(trained.folder / "tokenizer")).save_pretrained(folder)
    shutil.copyfile(trained.folder / "persona.toml", folder / "persona.toml")
