"""The review log: events in, the state of each sample out. Knows nothing of databases, interfaces or exports.

The log is a JSONL file in git, one event a line, oldest first, so that new work is appended and diffs stay readable.
Events carry their own ids, so any two logs merge by union, and the state of a sample is a fold over its events: it can
always be rebuilt.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

from curation.files import write_atomically
from curation.record import Message, messages_to_json

Verdict = Literal["approve", "reject", "rewrite", "skip", "flag", "note", "undo"]
Client = Literal["streamlit", "label-studio", "chat", "import", "cli"]
Status = Literal["pending", "approved", "rejected"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True, slots=True)
class Decision:
    """One event of the log.

    ``revision`` is the one the annotator saw (0 is the imported text). ``messages`` is only set by a rewrite, which
    approves them as the next revision. ``reason`` is a code or a sentence; for an undo, the id of the event that it
    takes back. ``time`` is UTC, ISO 8601, to the millisecond. ``panel`` is how many annotators judge the sample, each
    without seeing the others' verdicts; with the usual 1 a verdict counts by itself and its line does not mention it.
    """

    id: str
    sample_id: str
    revision: int
    verdict: Verdict
    messages: tuple[Message, ...] | None
    reason: str
    annotator: str
    client: Client
    time: str
    panel: int = 1


@dataclass(frozen=True, slots=True)
class State:
    """What the log says of one sample. ``messages`` is None while the imported text stands.

    ``conflicts`` are verdicts made on a revision that somebody had replaced meanwhile: they change nothing by
    themselves and are there to be looked at. ``voters`` gave a blind verdict on this revision; the sample stays as it
    was until the whole panel has, and is ``disputed`` (and pending) where they disagree, until one verdict of panel 1
    settles it.
    """

    status: Status = "pending"
    revision: int = 0
    messages: tuple[Message, ...] | None = None
    reason: str = ""
    reviewers: tuple[str, ...] = ()
    skipped_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    voters: tuple[str, ...] = ()
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Log:
    """A log as read: its events and, word for word, the lines that are none (1-based line number, text)."""

    decisions: tuple[Decision, ...] = ()
    damaged: tuple[tuple[int, str], ...] = ()


def trusted_approval(sample_id: str, author: str, folder: str, time: str) -> Decision:
    """Return the approval that import gives to an author's own writing; its id follows from the sample's."""
    event = hashlib.sha256(f"import approves {sample_id}".encode()).hexdigest()[:32]
    reason = f"the author's own writing: {folder} is marked trusted in persona.toml"
    return Decision(event, sample_id, 0, "approve", None, reason, author, "import", time)


def fold(decisions: Iterable[Decision]) -> dict[str, State]:
    """Return the state of every sample that the events speak of; the order of the input does not matter."""
    by_sample: dict[str, list[Decision]] = defaultdict(list)
    for decision in ordered(decisions):
        by_sample[decision.sample_id].append(decision)
    return {sample: _fold_one(events) for sample, events in by_sample.items()}


def standing(events: Iterable[Decision]) -> list[Decision]:
    """Return one sample's events in the order they count in, without undos and what they took back."""
    return _standing(ordered(events))


def _standing(events: list[Decision]) -> list[Decision]:
    undone = {e.reason for e in events if e.verdict == "undo"}
    # What import approved, any person overrules, whenever the import took place.
    return sorted((e for e in events if e.verdict != "undo" and e.id not in undone), key=lambda e: e.client != "import")


def _fold_one(events: list[Decision]) -> State:
    status: Status = "pending"
    revision, messages, reason = 0, None, ""
    reviewers: dict[str, None] = {}
    skipped: dict[str, None] = {}
    notes: list[str] = []
    conflicts: list[str] = []
    votes: dict[str, Decision] = {}  # the blind verdicts on this revision, by annotator
    settled = disputed = False
    stands: Decision | None = None  # what the status rests on
    for e in _standing(events):
        if e.verdict in ("approve", "reject", "rewrite"):
            if e.revision != revision or _contradicts_unseen(e, stands):
                conflicts.append(e.id)
                continue
            reviewers[e.annotator] = None
            if e.panel > 1:
                votes[e.annotator] = e
                if settled or len(votes) < max(v.panel for v in votes.values()):
                    continue  # decided already, or somebody has still to judge
                disputed = len({(v.verdict, v.messages) for v in votes.values()}) > 1
                if disputed:
                    status, reason = "pending", ""
                    continue
            else:
                settled, disputed = e.client != "import", False
            stands = e
            status, reason = ("rejected" if e.verdict == "reject" else "approved"), e.reason
            if e.verdict == "rewrite":
                revision, messages = revision + 1, e.messages
                votes = {}
        elif e.verdict == "skip":
            skipped[e.annotator] = None
        elif e.verdict in ("note", "flag"):
            notes.append(e.reason)
    return State(
        status,
        revision,
        messages,
        reason,
        tuple(reviewers),
        tuple(skipped),
        tuple(notes),
        tuple(conflicts),
        tuple(votes),
        disputed,
    )


def _contradicts_unseen(e: Decision, stands: Decision | None) -> bool:
    """Say whether a verdict made in Label Studio, which shows nobody's, goes against another person's that stands.

    At the desk the earlier verdict was on the screen, so a later one is meant; here it may be plain ignorance.
    """
    if e.client != "label-studio" or e.panel > 1 or stands is None or stands.client == "import":
        return False
    return e.annotator != stands.annotator and e.verdict != ("reject" if stands.verdict == "reject" else "approve")


def ordered(decisions: Iterable[Decision]) -> list[Decision]:
    """Return the union of events, oldest first. Of two with one id, the earlier stands."""
    union: dict[str, Decision] = {}
    for decision in decisions:
        known = union.setdefault(decision.id, decision)
        if known != decision:
            union[decision.id] = earlier(known, decision)
    return sorted(union.values(), key=lambda d: (d.time, d.id))


def earlier(one: Decision, other: Decision) -> Decision:
    """Return which of two events with one id stands, the same on every machine."""
    return min(one, other, key=lambda d: (d.time, _line(d)))


# ---------------------------------------------------------------- the file


def read_log(path: Path) -> Log:
    """Read a log; a file that is not there is an empty one. A damaged line is kept apart and never costs the others."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        return Log()
    decisions: list[Decision] = []
    damaged: list[tuple[int, str]] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            decisions.append(parse(line))
        except ValueError:
            damaged.append((number, line))
    return Log(tuple(ordered(decisions)), tuple(damaged))


def write_log(path: Path, log: Log) -> bool:
    """Write the log in its order, damaged lines last and untouched. Returns whether the file changed."""
    lines = [_line(d) for d in ordered(log.decisions)] + [text for _, text in log.damaged]
    return write_atomically(path, "".join(f"{line}\n" for line in lines))


def parse(line: str) -> Decision:
    """Read one line of a log. Raises ValueError (pydantic's ValidationError) for anything that is no event."""
    decision: Decision = _adapter().validate_json(line)
    if (decision.messages is None) == (decision.verdict == "rewrite"):
        raise ValueError(f"{decision.verdict} {'without' if decision.messages is None else 'with'} messages")
    return decision


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Decision)


def _line(decision: Decision) -> str:
    row = asdict(decision)
    row["messages"] = None if decision.messages is None else messages_to_json(decision.messages)
    if decision.panel == 1:
        del row["panel"]
    return json.dumps(row, ensure_ascii=False)
