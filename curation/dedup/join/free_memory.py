"""How much memory is left, asked before a large step instead of being killed in the middle of it."""

from __future__ import annotations

from curation.errors import InosukeError


def check_memory(needed: int, what: str, advice: str) -> None:
    """Raise InosukeError, with the estimate and ``advice``, when ``needed`` bytes are not there.

    The answer is the operating system's; a container with a lower limit of its own is not seen.
    """
    if needed < 1 << 26:  # asking takes longer than 64 MB are worth
        return
    import psutil  # type: ignore[import-untyped]

    free = psutil.virtual_memory().available
    if needed > free:
        raise InosukeError(
            f"{what} need about {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are free. {advice}"
        )
