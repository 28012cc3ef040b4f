"""The state of a training, without pickle: tensors go into a safetensors file, everything around them into JSON.

``torch.save`` would pickle, and opening a pickle runs the code inside it. Knows nothing of trainers.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from curation.errors import InosukeError

TENSORS, REST = "state.safetensors", "state.json"


def pack(value: Any, tensors: dict[str, torch.Tensor], path: str = "") -> Any:
    """Return ``value`` as JSON that :func:`unpack` reverses; its tensors are put into ``tensors`` under their path.

    Keeps what JSON would lose: tuples, and keys that are not strings. Raises TypeError for any other type.
    """
    match value:
        case torch.Tensor():
            # A copy: safetensors refuses tensors that share memory, and the training keeps writing to these.
            tensors[path] = value.detach().to("cpu", copy=True).contiguous()
            return {"tensor": path}
        case np.ndarray():
            return {"array": pack(torch.from_numpy(value.astype(np.int64)), tensors, path), "dtype": str(value.dtype)}
        case dict():
            return {"dict": [[k, pack(v, tensors, f"{path}/{k}")] for k, v in value.items()]}
        case list() | tuple():
            items = [pack(v, tensors, f"{path}/{i}") for i, v in enumerate(value)]
            return {"list" if isinstance(value, list) else "tuple": items}
        case None | bool() | int() | float() | str():
            return value
        case _:
            raise TypeError(f"{path}: a {type(value).__name__} cannot be kept in a checkpoint")


def unpack(packed: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """Reverse :func:`pack`; tensors are returned on the CPU."""
    if not isinstance(packed, dict):
        return packed
    if "tensor" in packed:
        return tensors[packed["tensor"]]
    if "array" in packed:
        return unpack(packed["array"], tensors).numpy().astype(packed["dtype"])
    if "dict" in packed:
        return {key: unpack(value, tensors) for key, value in packed["dict"]}
    if "list" in packed:
        return [unpack(value, tensors) for value in packed["list"]]
    return tuple(unpack(value, tensors) for value in packed["tuple"])


def write(folder: Path, state: Any) -> None:
    """Write a state into an existing folder and flush it to the disk."""
    tensors: dict[str, torch.Tensor] = {}
    rest = json.dumps(pack(state, tensors))
    save_file(tensors, folder / TENSORS)
    (folder / REST).write_text(rest, encoding="utf-8")
    for name in (TENSORS, REST):
        with (folder / name).open("rb+") as file:
            os.fsync(file.fileno())


def read(folder: Path) -> Any:
    """Read a state that :func:`write` wrote. Raises InosukeError when a file is missing or damaged."""
    try:
        return unpack(json.loads((folder / REST).read_text(encoding="utf-8")), load_file(folder / TENSORS))
    # safetensors raises an exception type of its own for each kind of damage
    except Exception as error:
        raise InosukeError(
            f"{folder}: this checkpoint cannot be read ({error}). Remove the folder to resume from an earlier one, if "
            "there is one, or train again."
        ) from error
