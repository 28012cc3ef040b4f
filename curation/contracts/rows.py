"""The rows of an export and its held-out prompts: their types, and reading them from JSON lines.

They are written by :mod:`curation.export.exported_rows`, which also writes them as Parquet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypedDict

from curation.contracts.contract import lines
from curation.record import Message, messages_from_json

HELD_OUT = "heldout.jsonl"


class RowMessage(TypedDict):
    """One turn in a row."""

    role: str
    content: str
    name: str | None


class AboutRow(TypedDict):
    """What every exported row says about its sample; ``system`` is the system prompt that it is trained under."""

    id: str
    system: str
    group: str
    kind: str
    language: str | None
    topic: str | None
    flags: list[str]
    revision: int
    reviewers: int
    source: str
    source_sha256: str
    locator: str
    importer: str
    rights: str


class ChatRow(AboutRow):
    """A row of the configuration ``chat``."""

    messages: list[RowMessage]


class InstructRow(AboutRow):
    """A row of the configuration ``instruct``: the reply number ``turn`` of a sample.

    ``history`` holds the exchanges before it, [prompt, reply] each.
    """

    turn: int
    instruction: str
    input: str
    output: str
    history: list[list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedRow:
    """One approved dialogue as training reads it; its last message is the character's reply.

    Rows of one ``group`` resemble each other: the split moved them to their side together. It is the row's own id in
    exports of older versions, which do not have groups.
    """

    id: str
    kind: str
    messages: tuple[Message, ...]
    language: str | None = None
    group: str = ""

    def __post_init__(self) -> None:
        if not self.group:
            object.__setattr__(self, "group", self.id)


def read_chat_rows(folder: Path, side: Literal["train", "eval"]) -> tuple[ExportedRow, ...]:
    """Read one side's dialogues. From JSON lines and not from Parquet: a training process then needs no pyarrow."""

    def row(content: Mapping[str, Any]) -> ExportedRow:
        return ExportedRow(
            id=content["id"],
            kind=content["kind"],
            messages=messages_from_json(content["messages"]),
            language=content.get("language") or None,
            group=content.get("group") or "",
        )

    return tuple(lines(folder / chat_rows(side), row))


def chat_rows(side: str) -> str:
    """Return where an export keeps one side's dialogues as JSON lines."""
    return f"jsonl/chat.{side}.jsonl"


class HeldOutRow(TypedDict):
    """A row of ``heldout.jsonl``; in the file, an empty text stands where a row has no ``tests``."""

    id: str
    messages: list[dict[str, Any]]
    reference: str
    tests: str | None
    source: str
    rights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """A prompt that nothing is trained on. ``reference`` is the author's reply to it; ``tests`` names the skill."""

    id: str
    messages: tuple[Message, ...]
    reference: str | None = None
    tests: str | None = None


def read_held_out(folder: Path) -> tuple[HeldOut, ...]:
    """Read an export's held-out prompts; nothing where the export does not have the file."""

    def prompt(content: Mapping[str, Any]) -> HeldOut:
        return HeldOut(
            id=content["id"],
            messages=messages_from_json(content["messages"]),
            reference=content.get("reference"),
            tests=content.get("tests") or None,
        )

    file = folder / HELD_OUT
    return tuple(lines(file, prompt)) if file.is_file() else ()
