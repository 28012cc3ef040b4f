"""TensorBoard logs (``--tensorboard``): the figures of each step and evaluation, written while a training runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from curation.errors import UsageError

FOLDER = "tensorboard"


def writer(folder: Path) -> TrainerCallback:
    """Return a callback that writes into ``folder``. Raises UsageError when TensorBoard is not installed."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UsageError(
            f"--tensorboard: {error}. Install it with `pip install -c constraints.txt -e .[tensorboard]`, or leave the "
            "option out; loss_curve.png shows the same losses."
        ) from error
    return Scalars(lambda step: SummaryWriter(str(folder), purge_step=step))


class Scalars(TrainerCallback):  # type: ignore[misc]
    """Writes the figures of each step with a SummaryWriter, opened when the training begins or continues."""

    def __init__(self, open_writer: Any) -> None:
        self.open_writer = open_writer
        self.writer: Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Open the writer and drop the steps that a killed training wrote after its last checkpoint."""
        self.writer = self.open_writer(state.global_step + 1)

    def on_log(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Write the figures of a step or an evaluation."""
        for name, value in kwargs["logs"].items():
            if name in ("loss", "eval_loss", "learning_rate", "grad_norm"):
                self.writer.add_scalar(f"train/{name}", value, state.global_step)

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Flush, so that TensorBoard shows the evaluation at once."""
        self.writer.flush()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Close the file."""
        self.writer.close()
