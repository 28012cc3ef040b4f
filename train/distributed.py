"""Which of the processes of an `accelerate launch` this is. Read from the environment, so it costs no torch."""

from __future__ import annotations

import os
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Processes:
    """How many processes train together, and the number of this one; the first writes and speaks."""

    count: int
    rank: int

    @property
    def is_first(self) -> bool:
        """Say whether this process writes the run."""
        return self.rank == 0


ALONE = Processes(1, 0)


def of_environment() -> Processes:
    """Return what `accelerate launch` (or torchrun) says in ``WORLD_SIZE`` and ``RANK``; alone without them."""
    return Processes(int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0")))
