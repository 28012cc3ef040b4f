"""Read one annotation: Label Studio's result list becomes a verdict. Pure; knows no server and no store."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from annotations.labelstudio.interface import VERDICTS, reply_name
from annotations.labelstudio.tasks import ShownTask, read_task
from annotations.words import current_reason
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
    """A submitted annotation as a verdict. ``user`` is the server's id of the annotator."""

    origin: Origin
    shown: ShownTask
    verdict: Verdict
    messages: tuple[Message, ...] | None
    reason: str
    user: int | None
    time: datetime


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A submitted annotation that cannot be recorded, and why."""

    task: int
    annotation: int
    why: str


def read(task: Mapping[str, Any], annotation: Mapping[str, Any], project: str) -> Reading | Unreadable | None:
    """Return an annotation's verdict; None for one that was cancelled (skipped)."""
    if annotation.get("was_cancelled"):
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
    messages = _rewritten(shown.messages, values)
    if any(m.role == "assistant" and not m.content.strip() for m in messages) and verdict != "reject":
        return Unreadable(task["id"], annotation["id"], "a reply was emptied; reject the sample instead")
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
        aliases = ["to be rewritten (Label Studio)", *aliases]
    time = _moment(annotation["updated_at"])
    return Reading(
        origin=Origin(
            project=project,
            task=task["id"],
            annotation=annotation["id"],
            saved=round(time.timestamp() * 1000),
            # Of the aliases, which no version changes: an annotation that has been pulled stays known.
            digest=_digest(verdict, new, "; ".join([*aliases, *notes])),
        ),
        shown=shown,
        verdict=verdict,
        messages=new,
        reason="; ".join([*map(current_reason, aliases), *notes]),
        user=_user(annotation.get("completed_by")),
        time=time,
    )


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

    Where the page was filled from the prediction (``turns`` is there), a missing area was emptied by hand. On a page
    that was begun without the prediction, areas that were not filled change nothing.
    """
    emptied: list[str] | None = [] if "turns" in values else None
    new: list[Message] = []
    number = 0
    for message in messages:
        if message.role == "assistant":
            number += 1
            texts = values.get(reply_name(number), emptied)
            if texts is not None:
                message = replace(message, content="\n".join(texts))
        new.append(message)
    return tuple(new)


def _user(completed_by: object) -> int | None:
    """Return a user's id; some answers hold the id, others the user."""
    if isinstance(completed_by, Mapping):
        completed_by = completed_by.get("id")
    return completed_by if isinstance(completed_by, int) else None


def _moment(value: str | datetime) -> datetime:
    time = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return time.astimezone(UTC)


def _digest(verdict: str, messages: Sequence[Message] | None, reason: str) -> str:
    turns = None if messages is None else [[m.role, m.name, m.content] for m in messages]
    body = json.dumps([verdict, turns, reason], ensure_ascii=False)
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:10]
