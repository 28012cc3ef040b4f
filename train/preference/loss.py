"""The losses of preference training, on sums of token losses. Knows nothing of trainers, texts or files.

- pairs: DPO (Rafailov et al. 2023, arXiv 2305.18290) with the supervised term of RPO (Pang et al. 2024, arXiv
  2404.19733): ``-log sigmoid(beta * margin) + rpo_alpha * nll(chosen) / tokens``. trl's ``DPOTrainer`` computes the
  same with ``loss_type=["sigmoid", "sft"]``, which means over all chosen tokens of a batch, not pairs.
- single replies: trl's ``KTOTrainer`` with ``loss_type="apo_zero_unpaired"``, which is KTO (Ethayarajh et al. 2024,
  arXiv 2402.01306) with a reference point of zero instead of one estimated over a batch, which would be noise for four.

The reference is the adapter as it was before the first step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn import functional

from train.data.batches import IGNORE, Batch
from train.model.loss import token_losses
from train.preference.pairs import PAIR, WANTED


def row_losses(model: Any, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the summed loss and the number of counted tokens of each row of a batch, ``[rows]`` in fp32."""
    losses = token_losses(model, batch)
    owner = batch["row"][batch["labels"] != IGNORE]
    rows = int(owner.max()) + 1
    nll = torch.zeros(rows, device=losses.device).index_add(0, owner, losses.float())
    return nll, torch.zeros(rows, device=losses.device).index_add(0, owner, torch.ones_like(losses, dtype=nll.dtype))


def judged_losses(
    nll: torch.Tensor, tokens: torch.Tensor, reference: torch.Tensor, kinds: Sequence[int], beta: float, alpha: float
) -> torch.Tensor:
    """Return the loss of each pair or single reply, ``[len(kinds)]``, from the summed losses of their rows."""
    gain = reference - nll  # how much more likely than before, in nats
    losses, at = [], 0
    for kind in kinds:
        if kind == PAIR:
            margin = beta * (gain[at] - gain[at + 1])
            losses.append(-functional.logsigmoid(margin) + alpha * nll[at] / tokens[at])
            at += 2
        else:
            wanted = torch.sigmoid(beta * gain[at])
            losses.append(1 - wanted if kind == WANTED else wanted)
            at += 1
    return torch.stack(losses)
