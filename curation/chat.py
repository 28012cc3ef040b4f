"""The one place that knows prompt shapes: alpaca rows ⇄ messages, and messages → token ids with a loss mask.

Training and serving both call :func:`render`; nothing else builds a prompt. Knows nothing of files, importers or
models.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from curation.errors import InosukeError
from curation.persona import Persona
from curation.record import Flag, Kind, Message, Role, Sample, Source, sample_id

Prompt = Literal["chat", "alpaca"]

_NOWHERE = Source(path="", sha256="", locator="", importer="alpaca")
# What may be a label: up to 40 characters before a colon. A reply can open with prose that ends in a colon ("Ta hét vào
# núi: …"), so a label splits a turn only when persona.toml knows the name.
_LABEL = re.compile(r"^(?P<label>[^\s:：][^\n:：]{0,39})[:：][ \t]?(?P<rest>.*)$", re.DOTALL)


class BadRow(InosukeError):
    """A row that cannot become a sample; ``reason`` is the code it is quarantined under."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


# ---------------------------------------------------------------- alpaca rows ⇄ messages


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
        sample = Sample(
            id=sample.id,
            kind=kind,
            messages=messages,
            language=None,
            topic=topic,
            source=_NOWHERE,
            flags=(*sample.flags, Flag("alpaca_layout", raw)),
        )
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


# ---------------------------------------------------------------- messages → token ids


@dataclass(frozen=True, slots=True)
class Rendered:
    """Token ids and, for each, whether the loss counts it. Both lists have one entry a token."""

    input_ids: list[int]
    loss_mask: list[int]


def render(messages: Sequence[Message], tokenizer: Any, persona: Persona, prompt: Prompt = "chat") -> Rendered:
    """Render a dialogue as token ids and a loss mask, for training and serving alike.

    ``prompt="chat"`` uses the tokenizer's chat template, with the persona's system prompt if the dialogue does not
    start with one. ``prompt="alpaca"`` is the ``### Instruction:`` layout. A dialogue that ends with a user turn gets
    the cue for a reply; one that ends with a reply is complete. The loss counts the replies and the end-of-turn token
    after each, nothing else.

    A turn's text is tokenized apart from the template around it, and never as control tokens. So the ids of
    ``messages[:k]`` are a prefix of the ids of ``messages`` wherever turn k is a reply, and a typed ``<|im_end|>`` is
    text. Raises ValueError without messages, InosukeError for a template that cannot be used this way.
    """
    if not messages:
        raise ValueError("render needs at least one message")
    lay_out = _chat_pieces if prompt == "chat" else _alpaca_pieces
    pieces = lay_out(messages, tokenizer, persona)
    input_ids: list[int] = []
    loss_mask: list[int] = []
    after_reply = False
    for text, role in pieces:
        ids: list[int] = tokenizer(text, add_special_tokens=False, split_special_tokens=role is not None)["input_ids"]
        mask = [int(role == "assistant")] * len(ids)
        if after_reply:
            if not ids or ids[0] not in tokenizer.all_special_ids:
                raise InosukeError(
                    f"the chat template puts {text[:20]!r} after a reply; expected an end-of-turn token. "
                    "A model trained without one never stops talking: choose another base model."
                )
            mask[0] = 1
        input_ids += ids
        loss_mask += mask
        after_reply = role == "assistant"
    return Rendered(input_ids, loss_mask)


def fit(
    messages: Sequence[Message], tokenizer: Any, persona: Persona, limit: int, prompt: Prompt = "chat"
) -> tuple[list[Message], Rendered] | None:
    """Drop whole exchanges from the front until the dialogue has at most ``limit`` tokens.

    Returns the remaining messages and their rendering, or None if even the last exchange is too long.
    """
    system = [m for m in messages if m.role == "system"]
    turns = [m for m in messages if m.role != "system"]
    while turns:
        rendered = render([*system, *turns], tokenizer, persona, prompt)
        if len(rendered.input_ids) <= limit:
            return [*system, *turns], rendered
        nxt = next((i for i, m in enumerate(turns[1:], 1) if m.role == "user" and turns[i - 1].role != "user"), None)
        if nxt is None:
            return None
        turns = turns[nxt:]
    return None


def _spoken(message: Message, persona: Persona) -> str:
    """Return what the model reads for a turn: a third speaker's name is part of it, a layout label is not."""
    text = message.content.strip()
    if message.role == "user" and message.name and not persona.is_user(message.name):
        return f"{message.name}: {text}"
    return text


def _chat_pieces(messages: Sequence[Message], tokenizer: Any, persona: Persona) -> list[tuple[str, Role | None]]:
    """Return (text, role) pieces in order; the role is None for the template's own text."""
    turns = list(messages)
    if turns[0].role != "system":
        # Without one, Qwen's template would add its own ("You are Qwen, created by Alibaba Cloud").
        turns.insert(0, Message("system", persona.system_prompt))
    # The template runs over stand-ins from the private use area, so that its text and the turns' text stay apart,
    # whatever a turn contains. A template that changes a stand-in would change the words: refuse it.
    stand_ins = [f"\ue000{index}\ue001" for index in range(len(turns))]
    text: str = tokenizer.apply_chat_template(
        [{"role": m.role, "content": s} for m, s in zip(turns, stand_ins, strict=True)],
        tokenize=False,
        add_generation_prompt=turns[-1].role == "user",
    )
    pieces: list[tuple[str, Role | None]] = []
    for message, stand_in in zip(turns, stand_ins, strict=True):
        before, found, text = text.partition(stand_in)
        if not found:
            raise InosukeError(
                f"the chat template of {type(tokenizer).__name__} changes or drops a {message.role} turn, so it cannot "
                "be used for training or serving. Choose another base model."
            )
        pieces += [(before, None), (_spoken(message, persona), message.role)]
    pieces.append((text, None))
    return pieces


def _alpaca_pieces(messages: Sequence[Message], tokenizer: Any, persona: Persona) -> list[tuple[str, Role | None]]:
    """Return the pieces of the alpaca layout, with an end-of-text token after each reply."""
    if tokenizer.eos_token is None:
        raise InosukeError(
            'the tokenizer lacks an end-of-text token, which alpaca prompts need after a reply. Use prompt = "chat".'
        )
    pieces: list[tuple[str, Role | None]] = []
    for index, message in enumerate(messages):
        if message.role == "assistant":
            pieces += [(_spoken(message, persona), "assistant"), (f"{tokenizer.eos_token}\n\n", None)]
        elif message.role == "user":
            answered = index + 1 == len(messages) or messages[index + 1].role == "assistant"
            cue = "\n\n### Response:\n" if answered else "\n\n"
            pieces += [("### Instruction:\n", None), (_spoken(message, persona), "user"), (cue, None)]
    return pieces
