"""From encoded rows to the tensors of one training step. Knows nothing of text, models or recipes.

Two layouts give the same loss for the same rows:

- ``packed``: rows follow each other in a single sequence. Those that begin alike (with the same system prompt) are a
  group, which holds their common beginning once. ``train.model.packed_attention`` lets each row attend only to that
  beginning and to itself; its positions continue from the beginning. There is no padding, and a system prompt is
  computed once instead of once a row.
- ``padded``: one row a line, padded to a fixed length, as the first trainer did it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Literal, TypeAlias

import torch

from train.data.dialogues import Encoded

Layout = Literal["packed", "padded"]
LossOn = Literal["replies", "text"]
Batch: TypeAlias = dict[str, Any]  # tensors, and `rows`

IGNORE = -100  # torch.nn.functional.cross_entropy's default ignore_index


def packed(rows: Sequence[Encoded], loss_on: LossOn = "replies") -> Batch:
    """Pack rows into one sequence of T tokens that holds the common beginning of each group of rows once.

    Returns ``input_ids``, ``position_ids``, ``labels`` and ``row`` (each ``[1, T]``). ``labels[0, t]`` is the token
    that position t should predict, so it is already shifted, or -100. ``row`` is the index of the row that a position
    belongs to, -1 for a beginning. For ``packed_attention``, ``rows`` holds for each group the lengths of its beginning
    (S) and of the own part of each of its rows, and ``attention_mask`` is the mask of the longest beginning and the
    longest part (L): ``[1, 1, L, S + L]``. The mask of any other group is its lower left corner, moved to the right.
    """
    wanted = [_mask(r, loss_on) for r in rows]
    ids: list[int] = []
    positions: list[int] = []
    owners: list[int] = []
    labels: list[int] = []
    groups: list[tuple[int, ...]] = []
    for shared, members in _groups(rows, wanted):
        ids += rows[members[0]].input_ids[:shared]
        positions += range(shared)
        owners += [-1] * shared
        labels += [IGNORE] * shared
        for index in members:
            row = rows[index].input_ids
            ids += row[shared:]
            positions += range(shared, len(row))
            owners += [index] * (len(row) - shared)
            labels += _targets(row, wanted[index])[shared:]
        groups.append((shared, *(len(rows[index].input_ids) - shared for index in members)))
    longest, own = max(g[0] for g in groups), max(max(g[1:]) for g in groups)
    return {
        "input_ids": torch.tensor([ids]),
        "position_ids": torch.tensor([positions]),
        "attention_mask": torch.ones(own, longest + own, dtype=torch.bool).tril(longest)[None, None],
        "labels": torch.tensor([labels]),
        "row": torch.tensor([owners]),
        "rows": tuple(groups),
    }


def in_parts(rows: Sequence[Encoded], count: int, loss_on: LossOn = "replies") -> Batch:
    """Pack rows into at most ``count`` batches of about as many tokens each: ``parts``, and the ``labels`` of all."""
    groups: list[list[Encoded]] = [[] for _ in range(min(count, len(rows)))]

    def with_it(group: list[Encoded], row: Encoded) -> int:
        """Count a group's tokens after it has got the row: rows of one beginning are welcome to each other."""
        rows = [*group, row]
        lengths = (
            (shared, [len(rows[i].input_ids) - shared for i in members])
            for shared, members in _groups(rows, [_mask(r, loss_on) for r in rows])
        )
        return sum(shared + sum(own) for shared, own in lengths)

    for row in sorted(rows, key=lambda r: len(r.input_ids), reverse=True):
        min(groups, key=lambda group: with_it(group, row)).append(row)
    parts = tuple(packed(group, loss_on) for group in groups if group)
    return {"parts": parts, "labels": torch.cat([part["labels"][0] for part in parts])}


def token_count(batch: Batch) -> int:
    """Count the tokens that a batch of any layout computes, without padding."""
    if "parts" in batch:
        return sum(map(token_count, batch["parts"]))
    # A packed batch has no padding; a padded one's mask is [B, L].
    return int(batch["input_ids"].numel() if "rows" in batch else batch["attention_mask"].sum())


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


def _groups(rows: Sequence[Encoded], wanted: Sequence[Sequence[int]]) -> list[tuple[int, list[int]]]:
    """Divide rows so that beginnings, held once a group, leave the fewest tokens: the length of each, and its rows.

    In the order of their ids, rows that begin alike are neighbours.
    """
    order = sorted(range(len(rows)), key=lambda index: rows[index].input_ids)
    alike = [_shared(rows[a].input_ids, rows[b].input_ids) for a, b in pairwise(order)]
    # A beginning ends before the position that predicts a first counted token. That position must belong to its row,
    # since the next token differs from row to row.
    most = [max(next((i for i, m in enumerate(wanted[index]) if m), len(wanted[index])) - 1, 0) for index in order]
    best: list[tuple[int, list[tuple[int, list[int]]]]] = [(0, [])]  # the tokens saved by the first rows in order
    for end in range(1, len(order) + 1):
        found = []
        shared = most[end - 1]
        for begin in range(end - 1, -1, -1):
            shared = min(shared, most[begin], *alike[begin : begin + 1] if begin < end - 1 else ())
            saved, groups = best[begin]
            members = sorted(order[begin:end])
            once = shared if len(members) > 1 else 0
            found.append((saved + once * (len(members) - 1), [*groups, (once, members)]))
        best.append(max(found, key=lambda division: (division[0], -len(division[1]))))
    return sorted(best[-1][1], key=lambda group: group[1])  # as the rows were given


def _shared(a: Sequence[int], b: Sequence[int]) -> int:
    """Count the tokens that two rows begin with."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
