"""Keeps what visitors think of a reply: a rating, or a better reply. One JSON line each.

Out: ``<folder>/<date>.jsonl``, which the importers read as one more source. Only the reply and the messages before it
are kept, never the whole conversation. Knows nothing of HTTP.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from filelock import FileLock
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from curation.errors import InosukeError
from serve.schema import MAX_CHARS, MessageIn, text_problem

# A reply and the messages that it answers. More would be the conversation.
_MOST_MESSAGES = 6


def _text(value: str) -> str:
    if wrong := text_problem(value):
        raise ValueError(wrong)
    return value


def _hidden(name: str) -> str:
    """Return a hash of an id of the page. The id itself would lead to a conversation in the visitor's browser."""
    return hashlib.sha256(name.encode()).hexdigest()[:16]


class FeedbackIn(BaseModel):
    """A visitor's feedback on one reply. If ``rating`` and ``better`` are both null, it withdraws earlier feedback."""

    model_config = ConfigDict(extra="forbid", strict=True)

    conversation: str = Field(pattern=r"^[\w-]{1,64}$")
    # The reply's id. Its number is accepted from pages of the first version; two tabs can disagree on it.
    turn: Annotated[int, Field(ge=0, lt=10_000)] | Annotated[str, Field(pattern=r"^[\w-]{1,64}$")]
    rating: Literal["up", "down"] | None = None
    better: Annotated[str, Field(max_length=MAX_CHARS), AfterValidator(_text)] | None = None
    messages: list[MessageIn] = Field(min_length=2, max_length=_MOST_MESSAGES)
    consent: Literal[True]

    @field_validator("messages")
    @classmethod
    def _one_reply(cls, messages: list[MessageIn]) -> list[MessageIn]:
        roles = [m.role for m in messages]
        if roles[-1] != "assistant" or roles.count("assistant") != 1:
            raise ValueError("expected what the visitor wrote and then the one reply to it, not the whole conversation")
        return messages


def feedback_files(folder: Path) -> list[Path]:
    """Return a server's own files in a folder, the oldest first; not those that `inosuke feedback pull` fetched."""
    return sorted(folder.glob("[0-9]*-[0-9]*-[0-9]*.jsonl"))


class InboxFull(InosukeError):
    """The folder has reached its limit."""


class Inbox:
    """A folder to which feedback is appended, a file a day, up to ``limit`` bytes.

    Several servers and characters may share it: one writes at a time, so that no line is torn and the lines are in the
    order of their times. ``about`` tells in each line whose reply it is: `character`, `model`, and `run` where one is
    served. ``added`` is called after each line.
    """

    def __init__(
        self, folder: Path, about: Mapping[str, str | None], limit: int, added: Callable[[], object] = lambda: None
    ) -> None:
        self.folder = folder
        self._about = dict(about)
        self._limit = limit
        self._added = added
        self._lock = FileLock(folder / ".lock")

    def add(self, feedback: FeedbackIn) -> None:
        """Append one line, and wait until it is on the disk. Raises InboxFull when there is no room for it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._lock:
            self._append(feedback, datetime.now(UTC))
        self._added()

    def _append(self, feedback: FeedbackIn, now: datetime) -> None:
        row: dict[str, Any] = {
            "time": now.isoformat(timespec="milliseconds"),
            "conversation": _hidden(feedback.conversation),
            "turn": _hidden(feedback.turn) if isinstance(feedback.turn, str) else feedback.turn,
            "rating": feedback.rating,
            "better": feedback.better,
            "messages": [m.model_dump() for m in feedback.messages],
            **self._about,
        }
        line = (json.dumps(row, ensure_ascii=False) + "\n").encode("utf-8")
        if sum(p.stat().st_size for p in feedback_files(self.folder)) + len(line) > self._limit:
            raise InboxFull("this server keeps no more feedback for now: what it keeps has reached its limit.")
        path = self.folder / f"{now:%Y-%m-%d}.jsonl"
        new = not path.exists()
        with path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        if new and os.name == "posix":  # the file's name is on the disk only with its folder
            folder = os.open(self.folder, os.O_RDONLY)
            os.fsync(folder)
            os.close(folder)

    def read(self) -> bytes:
        """Return every line of this server's files, the oldest first."""
        if not self.folder.is_dir():
            return b""
        with self._lock:
            return b"".join(p.read_bytes() for p in feedback_files(self.folder))
