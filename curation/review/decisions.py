"""The review log: events in, the state of each sample out. Knows nothing of databases, interfaces or exports.

The log is a JSONL file in git, one event per line, oldest first. New work is appended, so diffs stay readable. Each
event has its own id, so any two logs merge by union. The state of a sample is a fold over its events, so it can always
be rebuilt.
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
# Verdicts that approve or reject a sample; the others only comment on it.
DECISIVE: tuple[Verdict, ...] = ("approve", "reject", "rewrite")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One event of the log.

    ``revision`` is the one that the annotator saw (0 is the imported text). Only a rewrite has ``messages``; it
    approves them as the next revision. ``reason`` is a code or free text; for an undo, the id of the event to undo.
    ``time`` is UTC, ISO 8601, to the millisecond. ``panel`` is the number of annotators who judge the sample blind,
    that is, without seeing each other's verdicts. With the default of 1 a verdict counts on its own, and its line omits
    ``panel``.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The state of one sample according to the log. ``messages`` is None while the imported text stands.

    ``conflicts`` are verdicts on a revision that had already been replaced: they change nothing by themselves, and an
    adjudicator looks at them. ``voters`` gave a blind verdict on this revision. The sample keeps its state until the
    whole panel has judged it. If the panel disagrees, the sample is pending and ``disputed`` until one verdict of
    panel 1 settles it.
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
    """A log as read: its events and, unchanged, the lines that are not events (1-based line number, text)."""

    decisions: tuple[Decision, ...] = ()
    damaged: tuple[tuple[int, str], ...] = ()


def trusted_approval(sample_id: str, author: str, folder: str, time: str) -> Decision:
    """Return the approval that import gives to an author's own writing. Its id follows from the sample's id."""
    return Decision(
        id=hashlib.sha256(f"import approves {sample_id}".encode()).hexdigest()[:32],
        sample_id=sample_id,
        revision=0,
        verdict="approve",
        messages=None,
        reason=f"the author's own writing: {folder} is marked trusted in persona.toml",
        annotator=author,
        client="import",
        time=time,
    )


def fold(decisions: Iterable[Decision]) -> dict[str, State]:
    """Return the state of every sample that occurs in the events. The order of the input does not matter."""
    by_sample: dict[str, list[Decision]] = defaultdict(list)
    for decision in ordered(decisions):
        by_sample[decision.sample_id].append(decision)
    return {sample: _fold_one(events) for sample, events in by_sample.items()}


def standing(events: Iterable[Decision]) -> list[Decision]:
    """Return one sample's events in the order in which they count, without undos and the events they undo."""
    return _standing(ordered(events))


def _standing(events: list[Decision]) -> list[Decision]:
    undone = {e.reason for e in events if e.verdict == "undo"}
    # Any person overrules an approval by import, whenever the import ran.
    return sorted((e for e in events if e.verdict != "undo" and e.id not in undone), key=lambda e: e.client != "import")


def built_upon(rewrite: Decision, events: Iterable[Decision]) -> str | None:
    """Return the other annotator who continued from a rewrite, None where undoing it undoes no one else's work.

    ``events`` are the sample's.
    """
    for later in standing(events):
        if later.verdict in DECISIVE and later.revision > rewrite.revision and later.annotator != rewrite.annotator:
            return later.annotator
    return None


def _fold_one(events: list[Decision]) -> State:
    status: Status = "pending"
    revision, messages, reason = 0, None, ""
    reviewers: dict[str, None] = {}
    skipped: dict[str, None] = {}
    notes: list[str] = []
    conflicts: list[str] = []
    votes: dict[str, Decision] = {}  # the blind verdicts on this revision, by annotator
    settled = disputed = False
    stands: Decision | None = None  # the event that decided the status
    for e in _standing(events):
        if e.verdict in DECISIVE:
            if e.revision != revision or _contradicts_unseen(e, stands):
                conflicts.append(e.id)
                continue
            reviewers[e.annotator] = None
            if e.panel > 1:
                votes[e.annotator] = e
                if settled or len(votes) < max(v.panel for v in votes.values()):
                    continue  # decided already, or the panel is not complete
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
        status=status,
        revision=revision,
        messages=messages,
        reason=reason,
        reviewers=tuple(reviewers),
        skipped_by=tuple(skipped),
        notes=tuple(notes),
        conflicts=tuple(conflicts),
        voters=tuple(votes),
        disputed=disputed,
    )


def _contradicts_unseen(e: Decision, stands: Decision | None) -> bool:
    """Return whether a verdict from Label Studio contradicts another person's standing verdict.

    The review desk shows the earlier verdict, so a later one overrules it on purpose. Label Studio shows no verdicts,
    so there the annotator may not have known about the earlier one.
    """
    if e.client != "label-studio" or e.panel > 1 or stands is None or stands.client == "import":
        return False
    return e.annotator != stands.annotator and e.verdict != ("reject" if stands.verdict == "reject" else "approve")


def ordered(decisions: Iterable[Decision]) -> list[Decision]:
    """Return the union of events, oldest first. Of two events with the same id, the earlier one stands."""
    union: dict[str, Decision] = {}
    for decision in decisions:
        known = union.setdefault(decision.id, decision)
        if known != decision:
            union[decision.id] = earlier(known, decision)
    return sorted(union.values(), key=lambda d: (d.time, d.id))


def earlier(one: Decision, other: Decision) -> Decision:
    """Return the one of two events with the same id that stands. The choice is the same on every machine."""
    return min(one, other, key=lambda d: (d.time, _line(d)))


# ---------------------------------------------------------------- the file


def read_log(path: Path) -> Log:
    """Read a log. A missing file is an empty log. A damaged line is kept separately and does not affect the others."""
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
    """Write the log in its order, damaged lines last and unchanged. Return whether the file changed."""
    lines = [_line(d) for d in ordered(log.decisions)] + [text for _, text in log.damaged]
    return write_atomically(path, "".join(f"{line}\n" for line in lines))


def parse(line: str) -> Decision:
    """Read one line of a log. Raises ValueError (pydantic's ValidationError) for anything that is not an event."""
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
