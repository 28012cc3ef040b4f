"""From encoded rows to the tensors of one training step. Knows nothing of text, models or recipes.

Two layouts give the same loss for the same rows:

- ``packed``: rows follow each other in a single sequence, which holds their common beginning (the system prompt) once.
  ``train.model.packed_attention`` lets each row attend only to that beginning and to itself; its positions continue
  from the beginning. There is no padding, and a long system prompt is computed once instead of once a row.
- ``padded``: one row a line, padded to a fixed length, as the first trainer did it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal, TypeAlias

import torch

from train.data.dialogues import Encoded

Layout = Literal["packed", "padded"]
LossOn = Literal["replies", "text"]
Batch: TypeAlias = dict[str, Any]  # tensors, and `rows`

IGNORE = -100  # torch.nn.functional.cross_entropy's default ignore_index


def packed(rows: Sequence[Encoded], loss_on: LossOn = "replies") -> Batch:
    """Pack rows into one sequence of T tokens that holds their common beginning once.

    Returns ``input_ids``, ``position_ids``, ``labels`` and ``row`` (each ``[1, T]``). ``labels[0, t]`` is the token
    that position t should predict, so it is already shifted, or -100. ``row`` is the index of the row that a position
    belongs to, -1 for the beginning. For ``packed_attention``, ``rows`` holds the lengths of the beginning (S) and of
    the own part of each row, and ``attention_mask`` is the mask of the longest part (L): ``[1, 1, L, S + L]``.
    """
    wanted = [_mask(r, loss_on) for r in rows]
    shared = _shared_beginning(rows, wanted)
    ids = list(rows[0].input_ids[:shared])
    positions = list(range(shared))
    owners = [-1] * shared
    labels = [IGNORE] * shared
    for index, (row, mask) in enumerate(zip(rows, wanted, strict=True)):
        ids += row.input_ids[shared:]
        positions += range(shared, len(row.input_ids))
        owners += [index] * (len(row.input_ids) - shared)
        labels += _targets(row.input_ids, mask)[shared:]
    own = [len(row.input_ids) - shared for row in rows]
    return {
        "input_ids": torch.tensor([ids]),
        "position_ids": torch.tensor([positions]),
        "attention_mask": torch.ones(max(own), shared + max(own), dtype=torch.bool).tril(shared)[None, None],
        "labels": torch.tensor([labels]),
        "row": torch.tensor([owners]),
        "rows": (shared, *own),
    }


def padded(rows: Sequence[Encoded], length: int, pad_id: int, loss_on: LossOn = "replies") -> Batch:
    """Pad B rows to L tokens: ``input_ids``, ``attention_mask``, ``labels`` and ``row``, each ``[B, L]``."""
    ids = torch.full((len(rows), length), pad_id)
    attention = torch.zeros((len(rows), length), dtype=torch.long)
    labels = torch.full((len(rows), length), IGNORE)
    for index, row in enumerate(rows):
        used = len(row.input_ids)
        ids[index, :used] = torch.tensor(row.input_ids)
        attention[index, :used] = 1
        labels[index, :used] = torch.tensor(_targets(row.input_ids, _mask(row, loss_on)))
    owner = torch.arange(len(rows))[:, None].expand(-1, length).contiguous()
    return {"input_ids": ids, "attention_mask": attention, "labels": labels, "row": owner}


def by_length(rows: Sequence[Encoded], size: int) -> Iterator[list[Encoded]]:
    """Yield groups of at most ``size`` rows, longest first: if the first group fits into memory, all do."""
    ordered = sorted(rows, key=lambda r: len(r.input_ids), reverse=True)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]


def _mask(row: Encoded, loss_on: LossOn) -> list[int]:
    return row.loss_mask if loss_on == "replies" else [1] * len(row.input_ids)


def _targets(ids: Sequence[int], mask: Sequence[int]) -> list[int]:
    return [i if m else IGNORE for i, m in zip(ids[1:], mask[1:], strict=True)] + [IGNORE]


def _shared_beginning(rows: Sequence[Encoded], wanted: Sequence[Sequence[int]]) -> int:
    """Count the tokens that all rows begin with, but end before the position that predicts a first counted token.

    That position must belong to its row, since the next token differs from row to row.
    """
    shared = min(max(next((i for i, m in enumerate(mask) if m), len(mask)) - 1, 0) for mask in wanted)
    first = rows[0].input_ids
    for row in rows[1:]:
        shared = next((i for i in range(shared) if row.input_ids[i] != first[i]), shared)
    return shared
