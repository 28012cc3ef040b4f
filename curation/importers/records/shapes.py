"""The shapes of rows that hold a dialogue. A row in, a sample out; each shape is one entry of SHAPES.

Alpaca ``{"instruction", "input", "output"}``, ShareGPT ``{"conversations": [{"from", "value"}]}``, OpenAI
``{"messages": [{"role", "content"}]}``, Label Studio tasks ``{"data", "annotations"}``, and prompt/reply columns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from curation import chat
from curation.chat import BadRow
from curation.importers.records import feedback
from curation.persona import Persona
from curation.record import Flag, Kind, Message, Role, Sample, Source, sample_id

_NOWHERE = Source(path="", sha256="", locator="", importer="rows")
Row = Mapping[str, Any]
Reader = Callable[[Row, Kind, Persona], Sample]

_ROLES: dict[str, Role] = {
    "human": "user", "user": "user", "prompter": "user", "you": "user",
    "gpt": "assistant", "assistant": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant",
    "system": "system",
}  # fmt: skip
_PAIRS = (("prompt", "response"), ("prompt", "completion"), ("question", "answer"), ("input", "target"))


def read_row(row: Any, kind: Kind, persona: Persona) -> tuple[Sample, str]:
    """Return the sample and the name of the row's shape. Raises BadRow, with a reason code, where it is not one."""
    if isinstance(row, Mapping):
        for name, (fits, reader) in SHAPES.items():
            if fits(row):
                return reader(row, kind, persona), name
    return chat.from_alpaca(row, kind, persona), "alpaca"


def _sharegpt(row: Row, kind: Kind, persona: Persona) -> Sample:
    turns = [(turn.get("from"), turn.get("value"), None) for turn in _turns(row, "conversations")]
    return _dialogue(turns, kind, persona, row)


def _openai(row: Row, kind: Kind, persona: Persona) -> Sample:
    turns = [(turn.get("role"), turn.get("content"), turn.get("name")) for turn in _turns(row, "messages")]
    return _dialogue(turns, kind, persona, row)


def _pair(row: Row, kind: Kind, persona: Persona) -> Sample:
    prompt, reply = next(p for p in _PAIRS if p[0] in row and p[1] in row)
    return chat.from_alpaca({"instruction": row[prompt], "input": "", "output": row[reply]}, kind, persona)


def _label_studio(row: Row, kind: Kind, persona: Persona) -> Sample:
    """Read a task with its newest submitted annotation; a rewritten reply replaces the one that was shown."""
    annotations = row.get("annotations") or row.get("completions")
    given = [a for a in annotations if isinstance(a, Mapping)] if isinstance(annotations, list) else []
    if not given:
        raise BadRow("unlabelled", "the task has no annotation; exports hold every task, submitted or not")
    live = [a for a in given if not a.get("was_cancelled")]
    if not live:
        raise BadRow("cancelled", "every annotation of the task was skipped")
    results = live[-1].get("result")
    results = [r for r in results if isinstance(r, Mapping)] if isinstance(results, list) else []
    choices = {str(c).lower() for r in results for c in _values(r, "choices")}
    if choices & {"reject", "rejected", "bad", "loại"}:
        raise BadRow("rejected_by_annotator", f"the annotation says {', '.join(sorted(choices))}")
    if not isinstance(row.get("data"), Mapping):
        raise BadRow("no_output", "the task has no `data`; expected the row that was annotated")
    sample, _ = read_row({k: v for k, v in row["data"].items() if k not in ("data", "annotations")}, kind, persona)
    rewritten = next((str(t) for r in results for t in _values(r, "text") if str(t).strip()), None)
    if rewritten is None or rewritten == sample.messages[-1].content:
        return sample
    messages = (*sample.messages[:-1], Message("assistant", rewritten, sample.messages[-1].name))
    return Sample(
        id=sample_id(kind, messages), kind=kind, messages=messages, language=None, topic=sample.topic, source=_NOWHERE
    )


# name → (whether a row has this shape, reader). The first that fits is used; any other row is alpaca.
SHAPES: dict[str, tuple[Callable[[Row], bool], Reader]] = {
    "feedback": (feedback.is_feedback, feedback.read),
    "label-studio": (lambda row: "data" in row and ("annotations" in row or "completions" in row), _label_studio),
    "sharegpt": (lambda row: "conversations" in row, _sharegpt),
    "openai": (lambda row: "messages" in row, _openai),
    "pairs": (lambda row: "output" not in row and any(a in row and b in row for a, b in _PAIRS), _pair),
}


def _turns(row: Row, key: str) -> list[Mapping[str, Any]]:
    turns = row[key]
    if isinstance(turns, str):
        # A CSV cell can hold a list only as JSON.
        try:
            turns = json.loads(turns)
        except (ValueError, RecursionError):
            raise BadRow("bad_json", f"`{key}` is a text that is not JSON; expected a list of turns") from None
    if not isinstance(turns, list) or not turns or not all(isinstance(t, Mapping) for t in turns):
        raise BadRow("not_a_row", f"`{key}` is not a list of turns")
    return turns


def _dialogue(turns: list[tuple[Any, Any, Any]], kind: Kind, persona: Persona, row: Row) -> Sample:
    messages: list[Message] = []
    for who, words, name in turns:
        if not isinstance(words, str) or not isinstance(name, str | None):
            raise BadRow("not_text", f"a turn's words are {type(words).__name__}; expected a text")
        role = _ROLES.get(str(who).lower())
        if role is None and isinstance(who, str) and who.strip():
            # A speaker's name, as exports of chat pages write it.
            role, name = ("assistant", None) if persona.is_character(who) else ("user", who)
        if role is None:
            raise BadRow("unknown_role", f"a turn of {who!r}; expected user, assistant or system")
        messages.append(Message(role, words, name or None))
    if any(not m.content.strip() for m in messages):
        raise BadRow("empty_turn", "a turn has no words; expected a text for each")
    if messages[-1].role != "assistant":
        raise BadRow("ends_with_user", "the last turn is not the character's; expected the character's reply last")
    if not any(m.role == "user" for m in messages):
        raise BadRow("no_prompt", "nothing is said to the character")
    topic = row.get("topic")
    topic = topic if isinstance(topic, str) and topic.strip() else None
    flags = _unnamed_speakers(messages, persona)
    return Sample(
        id=sample_id(kind, tuple(messages)),
        kind=kind,
        messages=tuple(messages),
        language=None,
        topic=topic,
        source=_NOWHERE,
        flags=flags,
    )


def _unnamed_speakers(messages: list[Message], persona: Persona) -> tuple[Flag, ...]:
    """Flag a turn without a name in a dialogue where others have one: as in a transcript, it may be the character's."""
    said = [m for m in messages if m.role == "user"]
    nameless = [m for m in said if not m.name]
    if not nameless or not any(m.name and not persona.is_user(m.name) for m in said):
        return ()
    return (Flag("unknown_speaker", f"no speaker is named for: {nameless[0].content[:80]}"),)


def _values(result: Mapping[str, Any], key: str) -> list[Any]:
    value = result.get("value")
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else [found] if isinstance(found, str) else []
