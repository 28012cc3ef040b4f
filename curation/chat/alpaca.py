"""Alpaca rows ⇄ messages: the ``instruction``, ``input`` and ``output`` of the first corpora.

In: one row. Out: one sample, and back. Knows nothing of files; :mod:`curation.importers` read those.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from curation.errors import InosukeError
from curation.persona import Persona
from curation.record import Flag, Kind, Message, Role, Sample, Source, sample_id

_NOWHERE = Source(path="", sha256="", locator="", importer="alpaca")
# What may be a label: up to 40 characters before a colon. A reply can open with prose that ends in a colon ("Ta hét vào
# núi: …"), so a label splits a turn only when persona.toml knows the name.
_LABEL = re.compile(r"^(?P<label>[^\s:：][^\n:：]{0,39})[:：][ \t]?(?P<rest>.*)$", re.DOTALL)


class BadRow(InosukeError):
    """A row that cannot become a sample; ``reason`` is the code it is quarantined under."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def from_alpaca(row: Mapping[str, Any], kind: Kind, persona: Persona) -> Sample:
    """Return an ``{"instruction", "input", "output"}`` row as a sample with one message a turn.

    A dialogue inside ``input`` or ``output`` is split at its labels, so that a model learns only the character's lines.
    Raises BadRow, with a reason code, for a row without a reply by the character.
    """
    texts = _texts(row)
    instruction, inp, output = texts["instruction"], texts["input"], texts["output"]
    opening = _turns(inp, persona)
    if opening and opening[0].role == "user" and opening[0].name:
        topic, turns = instruction or None, opening
    else:
        # The usual alpaca row: the input belongs to the instruction. A label before it is layout.
        prompt = "\n\n".join(part for part in (instruction, inp) if part.strip())
        topic, turns = None, _turns(prompt, persona)
    cue = turns.pop().name if turns and turns[-1].role == "assistant" and not turns[-1].content else None
    if not any(t.content.strip() for t in turns if t.role == "user"):
        raise BadRow("no_prompt", "the row has no instruction and no input; expected what is said to the character")
    replies = _turns(output, persona, first="assistant", name=cue)
    if replies[0].role != "assistant":
        raise BadRow("reply_by_user", f"`output` begins with the label `{replies[0].name}:`, not with the reply")
    if any(not t.content.strip() for t in turns + replies):
        raise BadRow("empty_turn", "a label in the row has no words after it; expected a text for each turn")
    if replies[-1].role != "assistant":
        raise BadRow("ends_with_user", f"`output` ends with `{replies[-1].name}:`; expected the character's reply last")
    messages = tuple(turns + replies)
    sample = Sample(
        id=sample_id(kind, messages),
        kind=kind,
        messages=messages,
        language=None,
        topic=topic,
        source=_NOWHERE,
        flags=_doubts(replies, persona),
    )
    if to_alpaca(sample, persona) != dict(row):
        # No space after a label, an extra key, …: the flag keeps the row as it is.
        raw = json.dumps(dict(row), ensure_ascii=False)
        sample = replace(sample, flags=(*sample.flags, Flag("alpaca_layout", raw)))
    return sample


def to_alpaca(sample: Sample, persona: Persona) -> dict[str, Any]:
    """Return a sample as an alpaca row. An imported sample that was not rewritten gives back the row it came from."""
    untouched = sample_id(sample.kind, sample.messages) == sample.id
    raw = next((f.detail for f in sample.flags if f.code == "alpaca_layout"), None)
    if raw is not None and untouched:
        row: dict[str, Any] = json.loads(raw)
        return row
    turns = [m for m in sample.messages if m.role != "system"]
    # Everything before the character's first reply belongs to the input, whoever said it.
    at = next(i for i, m in enumerate(turns) if m.role == "assistant")
    lead, reply, rest = turns[:at], turns[at], turns[at + 1 :]
    if sample.topic is None and not rest and len(lead) == 1:
        return {"instruction": _labelled(lead[0]), "input": "", "output": reply.content}
    user = lead[0].name if lead and lead[0].name else persona.user_label
    default: dict[Role, str] = {"user": user, "assistant": persona.name, "system": ""}
    opening = [f"{m.name or user}: {m.content}" for m in lead] + ([f"{reply.name}:"] if reply.name else [])
    lines = [reply.content, *(f"{m.name or default[m.role]}: {m.content}" for m in rest)]
    return {"instruction": sample.topic or "", "input": "\n".join(opening), "output": "\n".join(lines)}


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    if not isinstance(row, Mapping):
        raise BadRow("not_a_row", f"a {type(row).__name__}; expected an object with `instruction` and `output`")
    if "output" not in row:
        raise BadRow("no_output", f"the row has the keys {sorted(map(str, row))}; expected `output` with the reply")
    texts = {key: row.get(key, "") for key in ("instruction", "input", "output")}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise BadRow("not_text", f"`{key}` is {type(value).__name__} ({str(value)[:40]!r}); expected a text")
    if not texts["output"].strip():
        raise BadRow("empty_reply", "`output` is empty; expected the character's reply")
    return texts


def _turns(text: str, persona: Persona, first: Role = "user", name: str | None = None) -> list[Message]:
    """Split a labelled dialogue line by line; a line without a known label continues the turn before."""
    turns: list[Message] = []
    for line in text.split("\n"):
        match = _LABEL.match(line)
        label = match["label"] if match else ""
        if match and persona.is_character(label):
            turns.append(Message("assistant", match["rest"], label))
        elif match and persona.is_user(label):
            turns.append(Message("user", match["rest"], label))
        elif turns:
            last = turns[-1]
            turns[-1] = Message(last.role, f"{last.content}\n{line}", last.name)
        else:
            turns.append(Message(first, line, name))
    return turns


def _doubts(replies: Sequence[Message], persona: Persona) -> tuple[Flag, ...]:
    """Flag a line inside a reply that may be another speaker's: an unknown name alone before a colon."""
    for message in replies:
        if message.role != "assistant":
            continue
        for line in message.content.split("\n")[1:]:
            match = _LABEL.match(line)
            words = match["label"].split() if match else []
            if words and len(words) <= 3 and all(w[0].isupper() or not w[0].isascii() for w in words):
                return (Flag("possible_speaker", " ".join(words)),)
    return ()


def _labelled(message: Message) -> str:
    return f"{message.name}: {message.content}" if message.name else message.content
