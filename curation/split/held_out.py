"""Held-out prompts: read like a source, never trained on, shipped with the export for evaluation."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from curation import chat
from curation.contracts.rows import HeldOutRow
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import ROLES, Message, Rejected, Sample, messages_from_json, messages_to_json, sample_id


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOutSample:
    """A held-out prompt with the reply that its author expects. ``tests`` names the skill that it tests.

    ``sample.messages`` ends with that reply, the reference.
    """

    id: str
    sample: Sample
    tests: str | None

    def to_row(self) -> HeldOutRow:
        """Return the row of ``heldout.jsonl``."""
        return {
            "id": self.id,
            "messages": messages_to_json(self.sample.messages[:-1]),
            "reference": self.sample.messages[-1].content,
            "tests": self.tests,
            "source": self.sample.source.path,
            "rights": self.sample.source.rights,
        }


def read_held_out_file(file: SourceFile, persona: Persona) -> tuple[list[HeldOutSample], list[Rejected]]:
    """Read a JSONL file of ``{"id", "tests", "messages", "reference"}`` objects or alpaca rows.

    Return the prompts and the rows that are not one, with the reason.
    """
    found: list[HeldOutSample] = []
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
                sample = Sample(
                    id=sample_id("conversation", messages),
                    kind="conversation",
                    messages=messages,
                    language=None,
                    topic=None,
                    source=source,
                )
        except (ValueError, chat.BadRow) as error:
            rejected.append(Rejected(source=source, reason="bad_held_out", text=line, detail=str(error)))
            continue
        tests = row.get("tests")
        found.append(
            HeldOutSample(
                id=str(row.get("id") or sample.id),
                sample=replace(sample, source=source),
                tests=None if tests is None else str(tests),
            )
        )
    return found, rejected


def _messages(row: dict[str, Any]) -> tuple[Message, ...]:
    try:
        messages = messages_from_json(row["messages"])
    except (KeyError, TypeError, AttributeError):
        raise ValueError('`messages` must be a list of {"role", "content"} objects') from None
    texts = [m.content for m in messages] + [row.get("reference")]
    if not messages or messages[-1].role != "user" or any(m.role not in ROLES for m in messages):
        raise ValueError("`messages` must end with a user turn and use only the roles system, user and assistant")
    if any(not isinstance(t, str) or not t.strip() for t in texts):
        raise ValueError("every message and `reference` must be a text that is not empty")
    return (*messages, Message("assistant", row["reference"]))
