"""What llama.cpp calls an importance matrix: which inputs of each weight matrix are large when the character speaks.

In: a model with its adapter, encoded rows of the train split, the run's 16-bit GGUF file. Out: the mean square of each
input, by the tensor names of the GGUF file. With it a quantiser rounds the most used columns most exactly. Source:
llama.cpp, tools/imatrix, which does the same with plain text. Knows nothing of runs or exports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from train.data.dialogues import Encoded
from train.model.scoring import row_scores

Importance: TypeAlias = dict[str, NDArray[np.float32]]  # GGUF tensor name -> [columns], fp32


def measure(
    model: Any,
    rows: Sequence[Encoded],
    end_ids: Iterable[int],
    file: Path,
    after_batch: Callable[[int], object] = lambda rows_done: None,
) -> Importance:
    """Run the rows through a peft model; return the mean square of the inputs of each matrix in ``file``.

    A common beginning of rows (the system prompt) counts once a batch, as train.data.batches packs it.
    """
    sums: dict[str, torch.Tensor] = {}
    counts: dict[str, int] = {}

    def watch(name: str) -> Callable[[Any, tuple[torch.Tensor, ...]], None]:
        def add(module: Any, inputs: tuple[torch.Tensor, ...]) -> None:
            seen = inputs[0].detach().float().flatten(0, -2)
            sums[name] = sums.get(name, 0.0) + seen.square().sum(0)
            counts[name] = counts.get(name, 0) + len(seen)

        return add

    with ExitStack() as hooks:
        for name, module in _matrices(model, file):
            hooks.callback(module.register_forward_pre_hook(watch(name)).remove)
        row_scores(model, rows, end_ids, after_batch)
    return {name: (total / counts[name]).cpu().numpy() for name, total in sums.items()}


def _matrices(model: Any, file: Path) -> Iterator[tuple[str, torch.nn.Linear]]:
    """Yield the linear layers of the model under their names in the GGUF file; layers without a name are left out."""
    from gguf import MODEL_ARCH_NAMES, GGUFReader, get_tensor_name_map

    fields = GGUFReader(file).fields
    kind = fields["general.architecture"].contents()
    number = next(arch for arch, name in MODEL_ARCH_NAMES.items() if name == kind)
    names = get_tensor_name_map(number, fields[f"{kind}.block_count"].contents())
    for name, module in model.get_base_model().named_modules():
        # peft wraps a layer and keeps it as `base_layer`; both receive the same input.
        if isinstance(module, torch.nn.Linear) and (found := names.get_name(name.removesuffix(".base_layer"))):
            yield f"{found}.weight", module
