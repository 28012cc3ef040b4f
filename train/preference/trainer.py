"""The trainer of preferences: the project's own, with another loss, another evaluation, and a watch on the chosen.

Batches, chunked logits, checkpoints and the budget are those of a supervised training.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from train.data.batches import Batch
from train.data.dialogues import Encoded
from train.loop.callbacks import Recorder
from train.loop.trainer import DivergedError, ReplyTrainer, measure
from train.model.load import end_ids
from train.model.scoring import Score, measure_rows
from train.preference.loss import judged_losses, row_losses
from train.preference.pairs import PAIR, Judged

# Nats a token that the chosen replies may lose against the start. DPO alone is known to push both replies down
# (eric-mitchell/direct-preference-optimization#36); a pair still counts as won then, but the model forgets the reply.
MOST_FALL = 0.1
COLLAPSES = 2  # evaluations in a row


@dataclass(frozen=True, slots=True)
class Watched:
    """An evaluation: loss and accuracy of the pairs, how much likelier the replies became (nats a token), dialogues.

    ``dialogue_loss`` is that of held-out dialogues per reply token.
    """

    loss: float
    accuracy: float
    chosen_gain: float
    rejected_gain: float
    dialogue_loss: float

    @property
    def has_fallen(self) -> bool:
        """Whether the chosen replies are clearly less likely than before the training."""
        return not self.chosen_gain >= -MOST_FALL


@dataclass(slots=True)
class Judging:
    """What the loss and the evaluations need: the recipe's weights, pairs to evaluate on, dialogues to keep."""

    beta: float
    alpha: float
    pairs: Sequence[Judged]
    dialogues: Sequence[Encoded]
    record: dict[int, Watched] = field(default_factory=dict)


def flat(judged: Sequence[Judged]) -> list[Encoded]:
    """Return the rows of pairs and single replies one after the other."""
    return [row for item in judged for row in item.rows]


def collate(rows: Callable[[Sequence[Encoded]], Batch], judged: Sequence[Judged]) -> Batch:
    """Return a batch of the rows of ``judged`` with what :func:`judged_losses` needs beside the model."""
    batch = rows(flat(judged))
    reference = torch.tensor([value for item in judged for value in item.reference])
    return batch | {"reference": reference, "kinds": tuple(item.kind for item in judged)}


def watched(judged: Sequence[Judged], scores: Sequence[Score], dialogues: Score, judging: Judging) -> Watched:
    """Return the figures of pairs from the scores of their rows (in the order of :func:`flat`)."""
    nll, tokens = torch.tensor([s.nll for s in scores]), torch.tensor([float(s.tokens) for s in scores])
    reference = torch.tensor([value for item in judged for value in item.reference])
    kinds = [item.kind for item in judged]
    loss = judged_losses(nll, tokens, reference, kinds, judging.beta, judging.alpha).mean().item()
    gain = reference - nll
    firsts = [at for at, item in _offsets(judged) if item.kind == PAIR]
    if not firsts:
        return Watched(loss, math.nan, 0.0, 0.0, dialogues.nll / dialogues.tokens)
    chosen = torch.tensor(firsts)
    rejected = chosen + 1
    won = (gain[chosen] > gain[rejected]).double() + 0.5 * (gain[chosen] == gain[rejected]).double()
    return Watched(
        loss=loss,
        accuracy=won.mean().item(),
        chosen_gain=(gain[chosen].sum() / tokens[chosen].sum()).item(),
        rejected_gain=(gain[rejected].sum() / tokens[rejected].sum()).item(),
        dialogue_loss=dialogues.nll / dialogues.tokens,
    )


def _offsets(judged: Sequence[Judged]) -> list[tuple[int, Judged]]:
    found, at = [], 0
    for item in judged:
        found.append((at, item))
        at += len(item.rows)
    return found


class PreferenceRecorder(Recorder):
    """A recorder that keeps no checkpoint which forgot the dialogues or the chosen replies, and stops a collapse."""

    def __init__(self, *args: Any, judging: Judging, most_dialogue_loss: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.judging = judging
        self.most_dialogue_loss = most_dialogue_loss

    @property
    def best_step(self) -> int | None:
        """The step with the lowest loss of those that may be kept; None where there is none."""
        good = [e for e in self.evaluations if math.isfinite(e.loss) and self._may_be_kept(e.step)]
        return min(good, key=lambda e: e.loss).step if good else None

    def _may_be_kept(self, step: int) -> bool:
        figures = self.judging.record.get(step)
        return figures is not None and not figures.has_fallen and figures.dialogue_loss <= self.most_dialogue_loss

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Stop when the chosen replies fell in several evaluations, else as every training stops."""
        latest = [self.judging.record[e.step] for e in self.evaluations[-COLLAPSES:] if e.step in self.judging.record]
        if len(latest) == COLLAPSES and all(w.has_fallen for w in latest) and not self.stopped_because:
            self.stopped_because = (
                f"the reward collapsed: the chosen replies became less likely than before, by "
                f"{-latest[-1].chosen_gain:.2f} nats a token"
            )
            control.should_training_stop = True
        super().on_evaluate(args, state, control, **kwargs)

    def state(self) -> dict[str, Any]:
        """Return the recorder's state with the figures of the pairs."""
        return super().state() | {"watched": {step: asdict(w) for step, w in self.judging.record.items()}}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue the record of a checkpoint."""
        super().restore(state)
        self.judging.record = {step: Watched(**figures) for step, figures in state["watched"].items()}


class PreferenceTrainer(ReplyTrainer):
    """The trainer with the loss of pairs and single replies."""

    def __init__(self, *, judging: Judging, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.judging = judging

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> torch.Tensor:
        """Return the summed loss of the batch, divided by the pairs of a whole step. NaN ends the training."""
        batch = {k: v for k, v in inputs.items() if k not in ("reference", "kinds")}
        nll, tokens = row_losses(model, batch)
        reference = inputs["reference"].to(nll.device)
        losses = judged_losses(nll, tokens, reference, inputs["kinds"], self.judging.beta, self.judging.alpha)
        loss: torch.Tensor = losses.sum() / (self.args.train_batch_size * self.args.gradient_accumulation_steps)
        self.step_loss = self.step_loss + loss.detach()
        if self.accelerator.sync_gradients:
            value, self.step_loss = float(self.step_loss), 0.0
            if not math.isfinite(value):
                raise DivergedError(value, self.state.global_step + 1)
        return loss

    def evaluate(self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval") -> Any:
        """Measure the pairs and the dialogues, and notify the callbacks."""
        ends = end_ids(self.processing_class)
        scores = measure_rows(self.model, flat(self.judging.pairs), ends, "Pairs")
        dialogues = measure(self.model, self.judging.dialogues, self.processing_class, "Evaluating")
        figures = watched(self.judging.pairs, scores, dialogues, self.judging)
        step = self.state.global_step
        self.judging.record[step] = figures
        self.recorder.scores[step] = dialogues
        metrics = {f"{metric_key_prefix}_loss": figures.loss}
        self.log(dict(metrics))
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics
