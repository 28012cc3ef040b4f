"""The review log's file: JSONL in git, one event per line, oldest first. The door to the whole log.

New work is appended, so diffs stay readable. Each event has its own id, so any two logs merge by union. The state of a
sample is a fold over its events, so it can always be rebuilt. The event is in ``events.py``, what its annotator saw in
``causes.py``, the fold in ``states.py``. Nothing here knows databases, interfaces or exports.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curation.files import write_atomically
from curation.review.causes import in_sight, standing
from curation.review.events import (
    DECISIVE,
    VERDICTS,
    Client,
    Decision,
    Verdict,
    earlier,
    line,
    ordered,
    parse,
    trust_withdrawn,
    trusted_approval,
)
from curation.review.records import read_lines
from curation.review.states import State, Status, built_upon, fold

__all__ = [
    "DECISIVE",
    "VERDICTS",
    "Client",
    "Decision",
    "Log",
    "State",
    "Status",
    "Verdict",
    "built_upon",
    "earlier",
    "fold",
    "in_sight",
    "line",
    "ordered",
    "parse",
    "read_log",
    "standing",
    "trust_withdrawn",
    "trusted_approval",
    "write_log",
]


@dataclass(frozen=True, slots=True)
class Log:
    """A log as read: its events and, unchanged, the lines that are not events (1-based line number, text).

    ``markers`` counts lines of a merge conflict of git (see :mod:`curation.review.records`), which :func:`write_log`
    leaves out.
    """

    decisions: tuple[Decision, ...] = ()
    damaged: tuple[tuple[int, str], ...] = ()
    markers: int = 0


def read_log(path: Path) -> Log:
    """Read a log. A missing file is an empty log. A damaged line is kept separately and does not affect the others.

    Raises InosukeError where the file cannot be read or is not UTF-8.
    """
    lines = read_lines(path, parse)
    return Log(tuple(ordered(lines.found)), lines.damaged, lines.markers)


def write_log(path: Path, log: Log) -> bool:
    """Write the log in its order, damaged lines last and unchanged. Return whether the file changed."""
    lines = [line(d) for d in ordered(log.decisions)] + [text for _, text in log.damaged]
    return write_atomically(path, "".join(f"{line}\n" for line in lines))
