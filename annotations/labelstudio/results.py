"""Read one annotation: Label Studio's result list becomes a verdict. Pure; knows no server and no store."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from annotations.labelstudio.interface import VERDICTS, line_name, reply_name, speaker_name
from annotations.labelstudio.tasks import ShownTask, read_task
from annotations.words import current_reason
from curation.cleaning.typed_text import clean_typed
from curation.record import Message
from curation.review.decisions import Verdict

# The id of an event that a pull makes: project, task, annotation, when it was saved (ms), a digest of its content. So
# any clone that has the log knows what has been pulled, and pulling twice makes the same events.
_EVENT = re.compile(r"ls-([0-9a-f]{8})-(\d+)-(\d+)-(\d+)-([0-9a-f]{10})")


@dataclass(frozen=True, slots=True)
class Origin:
    """The annotation that an event came from: a ``digest`` of its content then, ``saved`` in ms since 1970."""

    project: str
    task: int
    annotation: int
    saved: int
    digest: str

    @property
    def event_id(self) -> str:
        """The id of the event."""
        return f"ls-{self.project}-{self.task}-{self.annotation}-{self.saved}-{self.digest}"


def origin(event_id: str) -> Origin | None:
    """Return the annotation that an event came from, None for an event that no pull has made."""
    match = _EVENT.fullmatch(event_id)
    if match is None:
        return None
    project, task, annotation, saved, digest = match.groups()
    return Origin(project=project, task=int(task), annotation=int(annotation), saved=int(saved), digest=digest)


@dataclass(frozen=True, slots=True)
class Reading:
    """A submitted annotation as a verdict. ``user`` is the server's id of the annotator.

    ``reason`` holds codes alone, joined by "; "; what the annotator wrote beside them is the ``note``. ``seconds`` is
    the server's lead time. ``gold``: the server has it as the ground truth of its task. ``comments`` is how many
    comments it has, where the edition has comments.
    """

    origin: Origin
    shown: ShownTask
    verdict: Verdict
    messages: tuple[Message, ...] | None
    reason: str
    note: str
    user: int | None
    time: datetime
    seconds: float = 0.0
    gold: bool = False
    comments: int = 0


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment on an annotation. ``user`` is the server's id of its author."""

    id: int
    text: str
    user: int | None
    time: datetime

    @property
    def digest(self) -> str:
        """Eight hexadecimal digits that change with the text."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A submitted annotation that cannot be recorded, and why."""

    task: int
    annotation: int
    why: str


def rejected(annotation: Mapping[str, Any]) -> bool:
    """Return whether a reviewer has rejected an annotation and nothing has happened to it since.

    Reviews are of the paid editions. Their newest one counts; an annotation that was corrected after it waits for
    another, and is a verdict until then.
    """
    action = annotation.get("last_action")
    if action in ("rejected", "accepted", "fixed_and_accepted", "deleted_review"):
        return bool(action == "rejected")
    reviews = [r for r in annotation.get("reviews") or () if isinstance(r, Mapping) and r.get("accepted") is not None]
    if not reviews:
        return False
    newest = max(reviews, key=lambda r: _moment_or_none(r.get("created_at")) or datetime.min.replace(tzinfo=UTC))
    reviewed, saved = (_moment_or_none(o.get(k)) for o, k in ((newest, "created_at"), (annotation, "updated_at")))
    corrected = action == "updated" and reviewed is not None and saved is not None and saved > reviewed
    return not newest["accepted"] and not corrected


def read(task: Mapping[str, Any], annotation: Mapping[str, Any], project: str) -> Reading | Unreadable | None:
    """Return an annotation's verdict; None for one that was cancelled (skipped) or that a reviewer has rejected."""
    if annotation.get("was_cancelled") or rejected(annotation):
        return None
    shown = read_task(task["data"])
    if shown is None:
        return Unreadable(task["id"], annotation["id"], "its task was not made by `inosuke label-studio push`")
    values = _values(annotation.get("result") or [])
    chosen = values.get("verdict", [])
    if len(chosen) != 1 or chosen[0] not in VERDICTS:
        said = f"its verdict is {', '.join(chosen)}" if chosen else "it has no verdict"
        return Unreadable(task["id"], annotation["id"], f"{said}; expected one of {', '.join(VERDICTS)}")
    verdict: Verdict = chosen[0]  # type: ignore[assignment]
    typed = _rewritten(shown.messages, values)
    messages = clean_typed(typed)[0]
    if messages == clean_typed(shown.messages)[0]:
        messages = shown.messages
    emptied = (not m.content.strip() and old.content.strip() for m, old in zip(messages, shown.messages, strict=True))
    if any(emptied) and verdict != "reject":
        return Unreadable(task["id"], annotation["id"], "a turn was emptied; reject the sample instead")
    # What the annotation says by the letter: it identifies the event, so no other cleaning may change it.
    letter = "rewrite" if typed != shown.messages and verdict != "reject" else verdict
    aliases = values.get("reason", [])
    notes = [n.strip() for n in values.get("notes", []) if n.strip()]
    new: tuple[Message, ...] | None = None
    if verdict == "reject":
        pass
    elif messages != shown.messages:
        # Corrected and approved in one go: the verdict is about the corrected text.
        verdict, new = "rewrite", messages
    elif verdict == "rewrite":
        # `rewrite` without a new text asks another annotator for one: the sample stays open.
        verdict = "flag"
        aliases = [_TO_REWRITE, *aliases]
        letter = "flag" if typed == shown.messages else letter
    time = _moment(annotation["updated_at"])
    gold = bool(annotation.get("ground_truth"))
    return Reading(
        origin=Origin(
            project=project,
            task=task["id"],
            annotation=annotation["id"],
            saved=round(time.timestamp() * 1000),
            # Of the aliases, which no version changes: an annotation that has been pulled stays known.
            digest=_digest(letter, typed if letter == "rewrite" else None, "; ".join([*aliases, *notes]), gold),
        ),
        shown=shown,
        verdict=verdict,
        messages=new,
        reason="; ".join(map(current_reason, aliases)),
        note="\n".join(notes),
        user=_user(annotation.get("completed_by")),
        time=time,
        seconds=_seconds(annotation.get("lead_time")),
        gold=gold,
        comments=annotation.get("comment_count") or 0,
    )


# What events of a flag say since the first version. Its digest holds this text; `current_reason` gives today's code.
_TO_REWRITE = "to be rewritten (Label Studio)"


def _seconds(lead_time: object) -> float:
    """Return a lead time in seconds; 0 where the server gives none that is possible."""
    known = isinstance(lead_time, int | float) and math.isfinite(lead_time) and lead_time > 0
    return round(float(lead_time), 1) if known else 0.0  # type: ignore[arg-type]


def _values(result: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the texts and choices of each control by its name."""
    found: dict[str, list[str]] = {}
    for region in result:
        value = region.get("value") or {}
        given = value.get("choices", value.get("text"))
        if isinstance(given, str):
            given = [given]
        if isinstance(given, list):
            found[str(region.get("from_name"))] = [str(v) for v in given]
    return found


def _rewritten(messages: Sequence[Message], values: Mapping[str, list[str]]) -> tuple[Message, ...]:
    """Return the turns with what the text areas hold.

    Where the page was filled from the prediction (``turns`` or ``lines`` is there), a missing area was emptied by hand.
    On a page that was begun without the prediction, areas that were not filled change nothing.
    """
    new: list[Message] = []
    replies = lines = 0
    for message in messages:
        if message.role == "assistant":
            replies += 1
            words, who = _area(values, "turns", reply_name(replies)), None
        else:
            lines += 1
            words, who = (_area(values, "lines", name(lines)) for name in (line_name, speaker_name))
        if words is not None:
            message = replace(message, content=words)
        if who is not None and who.strip() != (message.name or "").strip():
            message = replace(message, name=" ".join(who.split()) or None)
        new.append(message)
    return tuple(new)


def _area(values: Mapping[str, list[str]], counter: str, name: str) -> str | None:
    """Return what a text area holds, "" for one that was emptied, None for one that was never filled."""
    texts = values.get(name, [] if counter in values else None)
    return None if texts is None else "\n".join(texts)


def _user(completed_by: object) -> int | None:
    """Return a user's id; some answers hold the id, others the user."""
    if isinstance(completed_by, Mapping):
        completed_by = completed_by.get("id")
    return completed_by if isinstance(completed_by, int) else None


def _moment(value: str | datetime) -> datetime:
    time = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return time.astimezone(UTC)


def _moment_or_none(value: object) -> datetime | None:
    return _moment(value) if isinstance(value, str | datetime) else None


def _digest(verdict: str, messages: Sequence[Message] | None, reason: str, gold: bool) -> str:
    turns = None if messages is None else [[m.role, m.name, m.content] for m in messages]
    body = json.dumps([verdict, turns, reason, *(["ground truth"] if gold else [])], ensure_ascii=False)
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:10]
