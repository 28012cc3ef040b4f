"""Which process of an `accelerate launch` this is, read from the environment, and what the processes do together.

torch is imported only where there is more than one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Processes:
    """The number of processes that train together, and the rank of this one. The first one writes and reports.

    ``local_rank`` counts on this machine alone: it is the index of the process's GPU.
    """

    count: int
    rank: int
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        """Whether this process writes the run."""
        return self.rank == 0


ALONE = Processes(1, 0)


def of_environment() -> Processes:
    """Read what `accelerate launch` and torchrun set; without that, return ``ALONE``."""
    named = os.environ.get
    return Processes(int(named("WORLD_SIZE", "1")), int(named("RANK", "0")), int(named("LOCAL_RANK", "0")))


def join(processes: Processes, device: str) -> None:
    """Connect the processes and give each its GPU. Has to come first: torch's default is the first GPU, for all."""
    if processes.count > 1:
        from accelerate import PartialState

        PartialState(cpu=device == "cpu")


def total(processes: Processes, part: Iterable[float]) -> list[float]:
    """Add up figures over all processes, each with the same result; ``part`` are those of this process."""
    if processes.count == 1:
        return list(part)
    from accelerate.utils import gather_object

    everywhere: list[list[float]] = gather_object([list(part)])
    return [sum(figures) for figures in zip(*everywhere, strict=True)]
