"""``jsonl/preferences.*.jsonl`` and ``jsonl/labels.*.jsonl`` of an export: which of two replies a person preferred.

A pair holds a reply that a person chose and one that was rejected for the same prompt. A label says of one reply alone
whether a person wanted it. Both are in trl's conversational format: ``prompt`` is the conversation before the reply,
without the system prompt, which stands in ``system``; ``chosen``, ``rejected`` and ``completion`` hold one message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from curation.contracts.contract import lines
from curation.contracts.rows import AboutRow, RowMessage
from curation.record import Message, messages_from_json

# Where a preference comes from: a rewrite in the log, an approved line for a prompt whose other line was rejected, a
# vote between two replies, a visitor's better answer, and for a label also an approval, a rejection, or a thumb.
Origin = Literal["rewrite", "approved_later", "vote", "better_answer", "approval", "rejection", "thumb"]


class PreferenceRow(AboutRow):
    """A row of the configuration ``preferences``.

    ``annotators`` is how many people preferred ``chosen``; ``edit_distance`` how far it is from ``rejected``, from 0
    (the same) to 1 (nothing in common): 1 - ``fuzz.ratio`` / 100. ``rejected_source`` and ``rejected_rights`` are those
    of the sample that ``rejected`` stands in, where it is not the one that the row is about; None otherwise.
    """

    prompt: list[RowMessage]
    chosen: list[RowMessage]
    rejected: list[RowMessage]
    origin: str
    annotators: int
    edit_distance: float
    rejected_source: str | None
    rejected_rights: str | None


class LabelRow(AboutRow):
    """A row of the configuration ``labels``: one reply, and whether a person wanted it."""

    prompt: list[RowMessage]
    completion: list[RowMessage]
    label: bool
    origin: str
    annotators: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A pair as training reads it. ``prompt`` ends with the turn that both replies answer."""

    id: str
    prompt: tuple[Message, ...]
    chosen: str
    rejected: str
    origin: str
    language: str | None = None
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A reply as training reads it, and whether a person wanted it."""

    id: str
    prompt: tuple[Message, ...]
    completion: str
    label: bool
    origin: str
    language: str | None = None
    group: str = ""


def preference_rows(side: str) -> str:
    """Return where an export keeps one side's pairs as JSON lines."""
    return f"jsonl/preferences.{side}.jsonl"


def label_rows(side: str) -> str:
    """Return where an export keeps one side's labels as JSON lines."""
    return f"jsonl/labels.{side}.jsonl"


def read_preferences(folder: Path, side: Literal["train", "eval"]) -> tuple[Preference, ...]:
    """Read one side's pairs; nothing where the export has none, as those of older versions."""

    def pair(content: Mapping[str, Any]) -> Preference:
        return Preference(
            id=content["id"],
            prompt=messages_from_json(content["prompt"]),
            chosen=content["chosen"][0]["content"],
            rejected=content["rejected"][0]["content"],
            origin=content["origin"],
            language=content.get("language") or None,
            group=content.get("group") or content["id"],
        )

    file = folder / preference_rows(side)
    return tuple(lines(file, pair)) if file.is_file() else ()


def read_labels(folder: Path, side: Literal["train", "eval"]) -> tuple[Label, ...]:
    """Read one side's labels; nothing where the export has none, as those of older versions."""

    def label(content: Mapping[str, Any]) -> Label:
        return Label(
            id=content["id"],
            prompt=messages_from_json(content["prompt"]),
            completion=content["completion"][0]["content"],
            label=bool(content["label"]),
            origin=content["origin"],
            language=content.get("language") or None,
            group=content.get("group") or content["id"],
        )

    file = folder / label_rows(side)
    return tuple(lines(file, label)) if file.is_file() else ()
