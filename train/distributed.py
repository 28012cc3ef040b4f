"""Which process of an `accelerate launch` this is, read from the environment, so that torch is not imported."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Processes:
    """The number of processes that train together, and the rank of this one. The first one writes and reports."""

    count: int
    rank: int

    @property
    def is_first(self) -> bool:
        """Whether this process writes the run."""
        return self.rank == 0


ALONE = Processes(1, 0)


def of_environment() -> Processes:
    """Read ``WORLD_SIZE`` and ``RANK``, which `accelerate launch` and torchrun set; without them, return ``ALONE``."""
    return Processes(int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0")))
