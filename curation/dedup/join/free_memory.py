"""A check for enough free memory before a large step, so that the process is not killed in the middle of it."""

from __future__ import annotations

from curation.errors import InosukeError


def check_memory(needed: int, what: str, advice: str) -> None:
    """Raise InosukeError, with the estimate and ``advice``, when fewer than ``needed`` bytes are free.

    The figure is the operating system's; a lower limit of a container is not seen.
    """
    if needed < 1 << 26:  # too little to be worth asking
        return
    import psutil  # type: ignore[import-untyped]

    free = psutil.virtual_memory().available
    if needed > free:
        raise InosukeError(
            f"{what} need about {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free. {advice}"
        )
