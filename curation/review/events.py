"""One event of the review log: its fields, its line of JSON, and the union of two logs. Pure.

Knows nothing of what the events of a sample add up to (``states.py`` does) or of the file (``decisions.py``).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import MISSING, asdict, dataclass, fields
from functools import cache
from typing import Any, Literal, get_args

from curation.record import Message, messages_to_json

Verdict = Literal["approve", "reject", "rewrite", "skip", "flag", "note", "undo"]
Client = Literal["streamlit", "label-studio", "chat", "import", "cli"]
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

    ``after`` is what the annotator could see of the sample's earlier verdicts and undos: the id of the newest one, or
    "" where there was none. Where merged logs hold several, none of which was made in sight of another, it is all of
    their ids with spaces between. None means that it is not known: an event of an older log, or of a client that does
    not record it.
    Events made as one action share a ``batch``. ``guidelines`` is the version of the guidelines that were in force,
    ``seconds`` how long the annotator worked on the sample. A line omits each of these at its default.
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
    after: str | None = None
    batch: str = ""
    guidelines: str = ""
    seconds: float = 0.0


def trusted_approval(
    sample_id: str, author: str, folder: str, time: str, cut: bool = False, withdrawn: int = 0
) -> Decision:
    """Return the approval that import gives to an author's own writing. Its id follows from the sample's id.

    ``cut`` is for a dialogue that was cut from a transcript of a folder whose entry trusts its transcripts.
    ``withdrawn`` is how many approvals import has given to the sample before and undone.
    """
    why = "transcripts: {} says trust_transcripts" if cut else "the author's own writing: {} is marked trusted"
    return Decision(
        id=id_from(f"import approves {sample_id}" + (f" again {withdrawn}" if withdrawn else "")),
        sample_id=sample_id,
        revision=0,
        verdict="approve",
        messages=None,
        reason=f"{why.format(folder)} in persona.toml",
        annotator=author,
        client="import",
        time=time,
    )


def trust_withdrawn(approval: Decision, time: str) -> Decision:
    """Return the undo of an approval by import whose sample has since got a flag that blocks approval.

    ``reason`` is the id of what is undone, as in every undo.
    """
    return Decision(
        id=id_from(f"import withdraws {approval.id}"),
        sample_id=approval.sample_id,
        revision=approval.revision,
        verdict="undo",
        messages=None,
        reason=approval.id,
        annotator=approval.annotator,
        client="import",
        time=time,
    )


def id_from(text: str) -> str:
    """Return the id of an event that follows from its cause alone, so that two clones give it the same one."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


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
    return min(one, other, key=lambda d: (d.time, line(d)))


def parse(text: str) -> Decision:
    """Read one line of a log. Raises ValueError (pydantic's ValidationError) for anything that is not an event."""
    decision: Decision = _adapter().validate_json(text)
    if (decision.messages is None) == (decision.verdict == "rewrite"):
        raise ValueError(f"{decision.verdict} {'without' if decision.messages is None else 'with'} messages")
    if not (decision.seconds >= 0 and math.isfinite(decision.seconds)):
        raise ValueError(f"{decision.seconds} seconds; expected a number from 0 on")
    return decision


@cache
def _adapter() -> Any:
    from pydantic import TypeAdapter

    return TypeAdapter(Decision)


def line(decision: Decision) -> str:
    """Return the event as a line of the log, without the line end."""
    row = asdict(decision)
    row["messages"] = None if decision.messages is None else messages_to_json(decision.messages)
    for name, default in _OMITTED:
        if row[name] == default:
            del row[name]
    return json.dumps(row, ensure_ascii=False)


# Fields that came later than the first logs: lines without them read and are written again as they were.
_OMITTED = tuple((f.name, f.default) for f in fields(Decision) if f.default is not MISSING)
