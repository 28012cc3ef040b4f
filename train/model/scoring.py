"""How likely a model finds given replies: scores for evaluations and reports. Knows nothing of files."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from accelerate.utils import send_to_device

from curation.errors import InosukeError
from train.data.batches import IGNORE, by_length
from train.data.dialogues import Encoded
from train.model.loss import token_losses
from train.model.loss_check import lay_out, proved_layout
from train.model.out_of_memory import NoMemoryLeft, halving
from train.progress import bar

# More rows share one prompt, fewer take less memory; eight were fastest on two cores,
# docs/experiments/2026-11-25-evaluation-batch-size.md.
EVAL_ROWS = 8


@dataclass(frozen=True, slots=True)
class Score:
    """Summed negative log-likelihood (natural log) of replies, with the counts to divide it by.

    ``nll`` covers the text of the replies and the end-of-turn token after each; ``end_nll`` covers the ``turns``
    end-of-turn tokens alone.
    """

    nll: float
    end_nll: float
    tokens: int
    chars: int
    turns: int

    @property
    def text_nll(self) -> float:
        """The text of the replies alone. A base that never saw the chat template has no idea of the end of a turn."""
        return self.nll - self.end_nll

    def as_json(self) -> dict[str, float | int]:
        """Return the figures of ``metrics.json``, with the counts behind them."""
        loss = self.nll / self.tokens
        return {
            "reply_nll_per_char": self.nll / self.chars,
            "text_nll_per_char": self.text_nll / self.chars,
            "loss": loss,
            "perplexity": math.exp(min(loss, 700.0)),  # exp overflows a float above 709
            "end_of_turn_nll": self.end_nll / self.turns,
            "reply_tokens": self.tokens,
            "reply_chars": self.chars,
            "replies": self.turns,
        }


def row_scores(
    model: Any,
    rows: Sequence[Encoded],
    end_ids: Iterable[int],
    after_batch: Callable[[int], object] = lambda rows_done: None,
    rows_at_once: int = EVAL_ROWS,
) -> list[Score]:
    """Score each row, in the order given. ``end_ids`` are the tokens that may end a turn."""
    ends = torch.tensor(sorted(end_ids))
    scores: dict[int, Score] = {}
    numbered = {id(row): number for number, row in enumerate(rows)}
    was_training = model.training
    layout = proved_layout(model, rows)
    model.eval()
    try:
        with torch.inference_mode():
            for group in by_length(rows, rows_at_once):
                batch = send_to_device(lay_out(group, layout), model.device)
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


def measure_rows(model: Any, rows: Sequence[Encoded], end_ids: Iterable[int], title: str) -> list[Score]:
    """Score each row, with a progress bar; where memory runs out, fewer rows at once.

    Raises InosukeError when it runs out with a single row.
    """
    try:
        return score_rows(model, rows, end_ids, title)
    except NoMemoryLeft:
        raise InosukeError(
            "out of memory while dialogues were measured, one at a time. Close other programs that use the memory, or "
            "choose a smaller base model."
        ) from None


def score_rows(model: Any, rows: Sequence[Encoded], end_ids: Iterable[int], title: str) -> list[Score]:
    """Score as :func:`measure_rows` does. Raises NoMemoryLeft: the caller knows what to advise."""
    ends = list(end_ids)

    def some(rows_at_once: int) -> list[Score]:
        with bar(len(rows), title, "row") as shown:
            return row_scores(model, rows, ends, shown.update, rows_at_once)

    return halving(EVAL_ROWS, some)


def total(scores: Sequence[Score]) -> Score:
    """Add up scores."""
    return Score(
        nll=sum(s.nll for s in scores),
        end_nll=sum(s.end_nll for s in scores),
        tokens=sum(s.tokens for s in scores),
        chars=sum(s.chars for s in scores),
        turns=sum(s.turns for s in scores),
    )
