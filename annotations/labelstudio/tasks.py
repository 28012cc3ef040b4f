"""Queue items as Label Studio tasks, and back. Pure; knows no server.

``data`` holds everything that a verdict needs (sample id, revision, the turns word for word), so that an annotation
can be read without the queue that its task came from. The server does not prevent two tasks of one sample: the pair
(sample id, revision) identifies a task.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotations.labelstudio.interface import line_name, reply_name, speaker_name
from annotations.words import say
from curation.codes import FLAGS, Language, findings
from curation.persona import Persona
from curation.record import Message, Source, messages_from_json
from curation.review.queue import QueueItem

# In a task's data: the field where a push keeps the former `about` of a task that it has closed.
CLOSED = "open_about"

# One name for all predictions: Label Studio shows those of the version that the project selects.
MODEL_VERSION = "as it stands"


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """The identity of a task."""

    sample_id: str
    revision: int


@dataclass(frozen=True, slots=True)
class ShownTask:
    """What a task showed its annotator: the sample, its revision and its turns.

    ``after`` says which verdicts the annotator could know of, as an event's ``after`` does: "" where there were none,
    None for a task of an earlier version, which does not say.
    """

    key: Key
    messages: tuple[Message, ...]
    after: str | None = None


def to_task(
    item: QueueItem,
    revision: int,
    messages: Sequence[Message],
    persona: Persona,
    *,
    language: Language = "en",
    neighbours: Sequence[QueueItem] = (),
    panel: int = 1,
    after: str = "",
    again: bool = False,
) -> dict[str, Any]:
    """Return the task for a queue item: ``data`` to show and one prediction to correct.

    ``neighbours`` are the other members of its near-duplicate cluster; ``panel`` annotators judge it. ``after`` says
    which verdicts the page tells of: see :class:`ShownTask`. ``again`` marks the task of a decided
    sample that was sent for another opinion.
    """
    sample, flags = item.sample, findings(item.sample.flags)
    data = {
        "sample_id": sample.id,
        "revision": revision,
        "kind": sample.kind,
        "language": sample.language or "",
        "source": place(sample.source),
        "turns": [_turn(m, persona) for m in messages],
        "about": _about(item, revision, panel, language),
        "flags": "\n".join(_flag(f.code, f.detail, language) for f in flags) or say("no_flags", language),
        "flag_codes": [f.code for f in flags],
        "near_duplicates": _near(neighbours, language),
        "after": after,
    }
    if again:
        data["again"] = True
    return {"data": data, "predictions": [prediction(messages)]}


def prediction(messages: Sequence[Message]) -> dict[str, Any]:
    """Return the prediction that fills the text areas: the character's turns, the others' turns and their names."""
    replies = [m.content for m in messages if m.role == "assistant"]
    lines = [m for m in messages if m.role != "assistant"]
    result = [_choice("turns", str(len(replies)))]
    result += [_text(reply_name(n), text) for n, text in enumerate(replies, 1)]
    result.append(_choice("lines", str(len(lines))))
    for n, line in enumerate(lines, 1):
        result.append(_text(line_name(n), line.content))
        if line.name:
            result.append(_text(speaker_name(n), line.name))
    return {"model_version": MODEL_VERSION, "result": result}


def key_of(data: Mapping[str, Any]) -> Key | None:
    """Return the identity of a task, None for one that no push has made."""
    sample, revision = data.get("sample_id"), data.get("revision")
    if not isinstance(sample, str) or not sample or not isinstance(revision, int) or isinstance(revision, bool):
        return None
    return Key(sample, revision)


def read_task(data: Mapping[str, Any]) -> ShownTask | None:
    """Return what a task showed, None where no push has made it or its turns have been altered."""
    key = key_of(data)
    if key is None:
        return None
    try:
        messages = messages_from_json([{k: v for k, v in t.items() if v is not None} for t in _turns(data)])
    except (KeyError, TypeError, AttributeError):
        return None
    after = data.get("after")
    shown = ShownTask(key, messages, after if isinstance(after, str) else None)
    return shown if any(m.role == "assistant" for m in messages) else None


def place(source: Source) -> str:
    """Return where a sample came from in one line."""
    return f"{source.path} · {source.locator}" if source.locator else source.path


def _turn(message: Message, persona: Persona) -> dict[str, str | None]:
    """Return a turn: ``speaker`` and ``text`` for the page, ``role``, ``text`` and ``name`` for reading it back."""
    label = persona.name if message.role == "assistant" else persona.user_label
    if message.role == "system":
        label = "System"
    return {
        "speaker": message.name or label,
        "text": message.content,
        "role": message.role,
        "name": message.name,
    }


def _turns(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"role": t["role"], "content": t["text"], "name": t.get("name")} for t in data["turns"]]


def _choice(control: str, value: str) -> dict[str, Any]:
    return _result(control, "choices", {"choices": [value]})


def _text(control: str, text: str) -> dict[str, Any]:
    return _result(control, "textarea", {"text": [text]})


def _result(control: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    # Without an id the page makes one up on every visit, and draws the text area a second time.
    return {"id": control, "from_name": control, "to_name": "dialogue", "type": kind, "value": value}


def _flag(code: str, detail: str, language: Language) -> str:
    words = FLAGS[code].words(language) if code in FLAGS else code  # a queue of another version may have other codes
    return f"⚑ {words} {detail}".rstrip()


# A line that opens every episode is in hundreds of places.
_PLACES_SHOWN = 2


def _about(item: QueueItem, revision: int, panel: int, language: Language) -> str:
    sample = item.sample
    parts = [sample.kind, sample.language or say("ls_no_language", language), place(sample.source)]
    if sample.topic:
        parts.append(say("ls_topic", language, topic=sample.topic))
    if revision:
        parts.append(say("revision", language, n=revision))
    if item.merged:
        shown = [place(source) for source in item.merged[:_PLACES_SHOWN]]
        if more := len(item.merged) - len(shown):
            shown.append(say("ls_more", language, n=more))
        parts.append(say("ls_also", language, places=", ".join(shown)))
    if panel > 1:
        parts.append(say("blind", language, n=panel))
    return " · ".join(parts)


# A cluster of hundreds (a song, a catchphrase) would fill every task with the others.
_NEIGHBOURS_SHOWN = 5


def _near(neighbours: Sequence[QueueItem], language: Language) -> str:
    if not neighbours:
        return say("ls_no_near", language)
    lines = [f"≈ {n.sample.id}: {' / '.join(n.sample.replies)[:200]}" for n in neighbours[:_NEIGHBOURS_SHOWN]]
    if len(neighbours) > _NEIGHBOURS_SHOWN:
        lines.append(say("ls_near_more", language, n=len(neighbours) - _NEIGHBOURS_SHOWN))
    return "\n".join(lines)
