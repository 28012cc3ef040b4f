"""Prompts kept for evaluation: read like a source, never trained on, shipped with the export."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from curation import chat
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import ROLES, Message, Rejected, Sample, messages_from_json, sample_id


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A prompt and the reply it hopes for: ``sample.messages`` ends with the reference. ``tests`` names the skill."""

    id: str
    sample: Sample
    tests: str | None

    @property
    def prompt(self) -> tuple[Message, ...]:
        """The dialogue up to the reply that is asked for."""
        return self.sample.messages[:-1]

    @property
    def reference(self) -> str:
        """The reply it hopes for."""
        return self.sample.messages[-1].content


def read_held_out(file: SourceFile, persona: Persona) -> tuple[list[HeldOut], list[Rejected]]:
    """Read a JSONL file of ``{"id", "tests", "messages", "reference"}`` objects or alpaca rows."""
    found: list[HeldOut] = []
    rejected: list[Rejected] = []
    for number, line in enumerate(file.text.split("\n"), 1):
        if not line.strip():
            continue
        source = file.at(f"row {number}", "held_out")
        try:
            row = json.loads(line)
            messages = _messages(row) if isinstance(row, dict) and "messages" in row else None
            if messages is None:
                sample = chat.from_alpaca(row, "conversation", persona)
            else:
                sample = Sample(sample_id("conversation", messages), "conversation", messages, None, None, source)
        except (ValueError, chat.BadRow) as error:
            rejected.append(Rejected(source=source, reason="bad_held_out", text=line, detail=str(error)))
            continue
        tests = row.get("tests")
        name = str(row.get("id") or sample.id)
        found.append(HeldOut(name, replace(sample, source=source), None if tests is None else str(tests)))
    return found, rejected


def _messages(row: dict[str, Any]) -> tuple[Message, ...]:
    try:
        messages = messages_from_json(row["messages"])
    except (KeyError, TypeError, AttributeError):
        raise ValueError('`messages` must be a list of {"role", "content"} objects') from None
    texts = [m.content for m in messages] + [row.get("reference")]
    if not messages or messages[-1].role != "user" or any(m.role not in ROLES for m in messages):
        raise ValueError("`messages` must end with a user turn and know the roles system, user and assistant only")
    if any(not isinstance(t, str) or not t.strip() for t in texts):
        raise ValueError("every message and `reference` must be a text that is not empty")
    return (*messages, Message("assistant", row["reference"]))
