"""Writes a LoRA adapter as a GGUF file, in a separate process: ``adapter_process.py CONVERTER BASE ADAPTER OUT NOTE``.

In: the folders of the unpacked converter, of the base model and of the adapter as peft saved it; NOTE is a JSON object
of text keys to write into the file. Out: the adapter alone, in 16 bits, which llama.cpp lays over a GGUF file of the
base. The converter's own class of the model names the tensors and reorders their rows. Imports nothing of this project.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PREFIX = "base_model.model."
_PLAIN = {"use_dora": False, "bias": "none", "modules_to_save": None, "rank_pattern": {}, "alpha_pattern": {}}


def scaling(config: dict[str, Any]) -> float:
    """Return by what the product of the two matrices is multiplied, times the rank: llama.cpp divides by the rank.

    Raises ValueError for an adapter that holds more than two matrices a layer, which no GGUF file can.
    """
    other = [name for name, plain in _PLAIN.items() if (config.get(name) or plain) != plain]
    if other or config.get("peft_type", "LORA") != "LORA":
        raise ValueError(f"the adapter uses {', '.join(other) or config['peft_type']}; expected plain LoRA matrices")
    rank, alpha = config["r"], config["lora_alpha"]
    return float(alpha * rank**0.5 if config.get("use_rslora") else alpha)


def pairs(weights: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield the name of each weight that an adapter changes, and its two matrices (rank, in) and (out, rank).

    Raises ValueError for a tensor that is not one of such a pair.
    """
    first, second = ".lora_A.weight", ".lora_B.weight"
    names = {name.removesuffix(first) for name in weights if name.endswith(first)}
    if odd := sorted(weights.keys() - {name + end for name in names for end in (first, second)}):
        raise ValueError(f"the adapter holds {odd[0]}; expected pairs of LoRA matrices")
    for name in sorted(names):
        yield f"{name.removeprefix(_PREFIX)}.weight", weights[name + first].float(), weights[name + second].float()


def placed(model: Any, name: str, a: Any, b: Any) -> tuple[str, Any]:
    """Return where llama.cpp has a weight, and ``b`` with its rows in llama.cpp's order.

    The order is proved: the converter has to make of the product what the product of the new matrices is. Raises
    ValueError where it changes a weight in another way.
    """
    import torch

    found = model.filter_tensors((name, lambda: b))
    if found is None:
        raise ValueError(f"the converter leaves {name} out")
    name = found[0]
    number = next((int(part) for part in name.split(".") if part.isdecimal()), None)
    whole, rows = (list(model.modify_tensors(tensor, name, number)) for tensor in (b @ a, b))
    if len(whole) != 1 or len(rows) != 1 or not torch.allclose(rows[0][1] @ a, whole[0][1], rtol=1e-4, atol=1e-5):
        raise ValueError(f"the converter does not only reorder the rows of {name}")
    return rows[0][0], rows[0][1]


def main(converter: str, base: str, adapter: str, out: str, note: str) -> None:
    """Convert. The last line on standard error tells what went wrong."""
    # The script's own folder comes first on the path; its modules must not shadow the converter's.
    sys.path[0] = converter
    import gguf
    import numpy as np
    import torch
    from conversion import (  # type: ignore[import-not-found]
        ModelBase,
        ModelType,
        get_model_architecture,
        get_model_class,
    )
    from safetensors.torch import load_file

    config = json.loads((Path(adapter) / "adapter_config.json").read_text(encoding="utf-8"))
    architecture = get_model_architecture(ModelBase.load_hparams(Path(base), False), ModelType.TEXT)
    with torch.inference_mode():
        model = get_model_class(architecture)(Path(base), gguf.LlamaFileType.MOSTLY_F16, Path(out), dry_run=True)
        writer = gguf.GGUFWriter(out, gguf.MODEL_ARCH_NAMES[model.model_arch])
        writer.add_type(gguf.GGUFType.ADAPTER)
        writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, scaling(config))
        for key, value in json.loads(note).items():
            writer.add_string(key, value)
        for name, a, b in pairs(load_file(Path(adapter) / "adapter_model.safetensors")):
            place, rows = placed(model, name, a, b)
            writer.add_tensor(f"{place}.lora_a", a.numpy().astype(np.float16))
            writer.add_tensor(f"{place}.lora_b", np.ascontiguousarray(rows.numpy()).astype(np.float16))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
