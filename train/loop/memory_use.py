"""What memory this process took at most, and a watcher that tells when steps are far slower than they should be."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import psutil  # type: ignore[import-untyped]
import torch
from transformers import TrainerCallback

from train.loop.callbacks import Recorder

Say = Callable[[str], None]
FIRST, LAST = 3, 8  # steps; the first ones also fill caches and choose kernels
TOO_SLOW = 4  # times


def reset_peak() -> None:
    """Begin to measure a new peak on a GPU. A CPU has one peak for the whole process."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_bytes() -> int:
    """Return the peak: what torch reserved on the GPU, or the main memory of the process."""
    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved())
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource  # not on Windows

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else 1024 * peak)


def whole_bytes() -> int:
    """Return how much memory there is: of the GPU, or of the machine."""
    if torch.cuda.is_available():
        return int(torch.cuda.mem_get_info()[1])
    return int(psutil.virtual_memory().total)


class SpeedWatch(TrainerCallback):  # type: ignore[misc]
    """Says once when a GPU trains several times slower than measuring the base suggested.

    On Windows and WSL the driver raises no error when the card is full: it moves the rest to main memory.
    """

    def __init__(
        self, recorder: Recorder, expected: float, say: Say, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``expected`` are tokens a second."""
        self.recorder, self.expected, self.say, self.clock = recorder, expected, say, clock
        self._steps = 0
        self._begun = (0, 0.0)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Measure from the third step to the eighth."""
        self._steps += 1
        if self._steps == FIRST:
            self._begun = (self.recorder.tokens, self.clock())
        elif self._steps == LAST:
            seconds = max(self.clock() - self._begun[1], 1e-3)
            speed = (self.recorder.tokens - self._begun[0]) / seconds
            if speed * TOO_SLOW < self.expected:
                self.say(
                    f"Note: {speed:,.0f} tokens a second; expected were {self.expected:,.0f}. On Windows and WSL the "
                    "card may be full: the driver then uses main memory and raises no error. Close other programs, or "
                    "stop, halve `batch_size` and double `gradient_accumulation` in the recipe. NVIDIA's control panel "
                    'can turn that off ("CUDA - Sysmem Fallback Policy": "Prefer No Sysmem Fallback"); then batches '
                    "are halved by themselves."
                )

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Measure steps without an evaluation between them."""
        if self._steps < LAST:
            self._steps = FIRST - 1
