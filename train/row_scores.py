"""Scores kept row by row, for whoever resamples them or holds two models against each other on the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from train.batches import IGNORE, by_length, packed
from train.data import Encoded
from train.scoring import EVAL_ROWS, Score, token_losses


def row_scores(
    model: Any,
    rows: Sequence[Encoded],
    end_ids: Iterable[int],
    after_batch: Callable[[int], object] = lambda rows_done: None,
) -> list[Score]:
    """Score each row, in the order given. Their :func:`total` is what :func:`train.scoring.score` returns."""
    ends = torch.tensor(sorted(end_ids))
    scores: dict[int, Score] = {}
    numbered = {id(row): number for number, row in enumerate(rows)}
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for group in by_length(rows, EVAL_ROWS):
                batch = {k: v.to(model.device) for k, v in packed(group).items()}
                counted = batch["labels"] != IGNORE
                losses = token_losses(model, batch).cpu().double()
                is_end = torch.isin(batch["labels"][counted].cpu(), ends)
                owner = batch["row"][counted].cpu()
                for index, row in enumerate(group):
                    mine = owner == index
                    scores[numbered[id(row)]] = Score(
                        losses[mine].sum().item(),
                        losses[mine & is_end].sum().item(),
                        int(mine.sum()),
                        row.chars,
                        int((mine & is_end).sum()),
                    )
                after_batch(len(group))
    finally:
        model.train(was_training)
    return [scores[number] for number in range(len(rows))]


def total(scores: Sequence[Score]) -> Score:
    """Add up scores."""
    return Score(
        nll=sum(s.nll for s in scores),
        end_nll=sum(s.end_nll for s in scores),
        tokens=sum(s.tokens for s in scores),
        chars=sum(s.chars for s in scores),
        turns=sum(s.turns for s in scores),
    )
