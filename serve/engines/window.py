"""How many tokens prompt and reply may have together: the model's own number, up to what memory allows.

In: what the model was made for, what was asked for (`--context`), what the cache takes of a token. Out: a number.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from curation.errors import UsageError

# Where a model does not say, and where there is no room for more.
SMALLEST_DEFAULT = 2048
# Without --context not more than this on a CPU: the small default model with its caches stays near 520 MB, two cores
# take many seconds to read so much once, and every word of a reply looks at all of it.
LARGEST_ON_A_CPU = 4096
# The share of the free memory that the answers' caches may take without --context.
_SHARE = 0.25


def window(
    named: str, own: int | None, asked: int | None, takes: Callable[[int], float], free: float | None, most: int
) -> int:
    """Return how many tokens prompt and reply may have together.

    ``own`` is what the model called ``named`` was made for (None: unknown), ``asked`` what the operator wants, ``most``
    what is sensible without asking, ``takes`` how many bytes the caches of all answers take for a window, and ``free``
    how many there are (None: unknown). Raises UsageError for more than the model was made for, or than memory allows.
    """
    if asked is None:
        tokens = min(own or SMALLEST_DEFAULT, most)
        while free is not None and tokens > SMALLEST_DEFAULT and takes(tokens) > _SHARE * free:
            tokens = max(SMALLEST_DEFAULT, tokens // 2)
        return tokens
    if own is not None and asked > own:
        raise UsageError(
            f"a context of {asked:,} tokens was asked for, and {named} reads at most {own:,}. Give --context a smaller "
            "number, or leave it out."
        )
    if free is not None and takes(asked) > free:
        raise UsageError(
            f"a context of {asked:,} tokens takes {takes(asked) / 1e9:.1f} GB for the caches of all answers, and "
            f"{free / 1e9:.1f} GB are free. Give --context a smaller number, or leave it out."
        )
    return asked


def free_memory(later: int = 0) -> int | None:
    """Return how many bytes this process may still take, or None where the system does not say.

    Where ``later`` more models are loaded after this one, it is an equal part for each of them.
    """
    known = []
    info = Path("/proc/meminfo")
    if info.is_file():
        lines = dict(line.split(":", 1) for line in info.read_text(encoding="ascii").splitlines())
        known.append(int(lines["MemAvailable"].split()[0]) * 1024)
    most, used = Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory.current")
    if most.is_file() and used.is_file() and (text := most.read_text(encoding="ascii").strip()) != "max":
        # What the system only keeps as long as no one needs it counts as used there.
        known.append(max(0, int(text) - int(used.read_text(encoding="ascii")) + _file_cache()))
    free = min(known, default=None)
    return None if free is None else free // (later + 1)


def _file_cache() -> int:
    stat = Path("/sys/fs/cgroup/memory.stat")
    rows = [line.split() for line in stat.read_text(encoding="ascii").splitlines()] if stat.is_file() else []
    return sum(int(row[1]) for row in rows if row[0] == "inactive_file")
