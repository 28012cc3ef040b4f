"""The turns of a dialogue, however a row writes them: who speaks, and what. Pure.

A turn is an object (``from``/``value``, ``role``/``content``, ``speaker``/``text``, ``is_human``/``message``), one
of both sides (``{"user": …, "assistant": …}``), a pair, or a text that opens with a label.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from curation.chat import BadRow
from curation.importers.source.columns import folded
from curation.persona import Persona
from curation.record import Message, Role

ROLES: dict[str, Role] = {
    "human": "user", "user": "user", "prompter": "user", "you": "user", "{{user}}": "user", "<user>": "user",
    "question": "user", "instruction": "user", "customer": "user", "client": "user", "player": "user", "input": "user",
    "gpt": "assistant", "assistant": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant",
    "ai": "assistant", "{{char}}": "assistant", "<bot>": "assistant", "chatbot": "assistant", "answer": "assistant",
    "response": "assistant", "output": "assistant",
    "system": "system", "developer": "system",
}  # fmt: skip
# What a program says to a model: no person's words.
_PROGRAMS = {
    "tool", "tools", "function", "function call", "function response", "tool call", "tool calls", "tool response",
    "tool result", "observation", "ipython", "environment", "plugin", "api",
}  # fmt: skip
# Columns that hold the turns of a dialogue, in the order in which they count.
LISTS = (
    "conversations", "messages", "conversation", "dialogue", "dialog", "dialogues", "turns", "chat", "items",
    "chat_messages", "utterances", "msgs", "hội thoại", "đối thoại",
)  # fmt: skip
_WHO = (
    "from", "role", "speaker", "speaker name", "author", "sender", "sender name", "src", "character", "name", "who",
    "user", "username", "participant",
)  # fmt: skip
_SAID = (
    "value", "content", "text", "mes", "message", "utterance", "line", "words", "sentence", "body", "raw content",
    "dialogue", "quote", "output",
)  # fmt: skip
_LABELLED = re.compile(r"^\s*(?P<who>[^\s:：][^:：\n]{0,39}?)\s*[:：]\s*(?P<said>\S.*)$", re.DOTALL)


# The two sides of an exchange in one object; `instruction` and `output` are rather a row's.
_SIDES = {"user", "human", "you", "assistant", "gpt", "bot", "ai", "model", "chatbot", "system", "question", "answer"}


class Turn(NamedTuple):
    """Who speaks (a role or a name), what, and the speaker's own name beside a role. None where a row has none."""

    who: Any
    words: Any
    name: Any = None
    attached: bool = False


def listed(value: Any) -> list[Any] | None:
    """Return a list of turns, also one that a table's cell holds as JSON; None for anything else."""
    if isinstance(value, str) and value.lstrip()[:1] == "[" and value.rstrip()[-1:] == "]":
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, list) else None


def is_turn(value: Any) -> bool:
    """Return whether a value looks like one turn: words with a speaker, both sides, a pair or a text."""
    if not isinstance(value, Mapping):
        return isinstance(value, str) or (isinstance(value, list) and len(value) == 2)
    columns = {folded(str(name)) for name in value}
    if columns & {"is human", "is user"} or (columns & set(_WHO) and columns & set(_SAID)):
        return True
    return bool(columns) and columns <= _SIDES


def turns_of(value: Any, key: str) -> list[Turn]:
    """Return the turns of a list. Raises BadRow for a value that holds none."""
    turns = listed(value)
    if turns is None and isinstance(value, str):
        raise BadRow("bad_json", f"`{key}` is a text that is not JSON; expected a list of turns")
    if not turns or not all(isinstance(turn, Mapping | str | list) for turn in turns):
        raise BadRow("not_a_row", f"`{key}` is not a list of turns")
    return [found for turn in turns for found in _turn(turn, key)]


def _turn(turn: Any, key: str) -> Iterator[Turn]:
    if isinstance(turn, str):
        match = _LABELLED.match(turn)
        yield Turn(match["who"], match["said"]) if match else Turn(None, turn)
        return
    if isinstance(turn, list):
        if len(turn) != 2:
            raise BadRow("not_a_row", f"`{key}` holds a list of {len(turn)}; expected pairs")
        yield Turn(turn[0], turn[1])
        return
    columns = {folded(str(name)): value for name, value in turn.items()}
    human = next((columns[c] for c in ("is human", "is user") if isinstance(columns.get(c), bool)), None)
    said = next((columns[c] for c in _SAID if columns.get(c) is not None), None)
    who = next((columns[c] for c in _WHO if columns.get(c) not in (None, "")), None)
    name = columns.get("name")
    if isinstance(who, Mapping):
        human = next((who[c] for c in ("is_human", "is_user") if isinstance(who.get(c), bool)), human)
        who = who.get("nickname") or who.get("name") or who.get("username") or who.get("role")
    if human is not None:
        yield Turn("user" if human else "assistant", _words(said), who or None)
        return
    sides = [(side, value) for side, value in turn.items() if folded(str(side)) in ROLES and value is not None]
    if who is None or (said is None and sides):
        if not sides:
            yield Turn(who, _words(said), None)
            return
        for side, value in sides:
            yield Turn(folded(str(side)), _words(value), None)
        return
    yield Turn(who, _words(said), name if name != who else None, attached=_has_attachment(said))


def _words(content: Any) -> Any:
    """Return what is said: a text as it is, a list of parts as its text parts joined."""
    if not isinstance(content, list):
        return content.get("text") if isinstance(content, Mapping) else content
    parts = []
    for part in content:
        text = part.get("text") if isinstance(part, Mapping) else part
        text = text.get("value") if isinstance(text, Mapping) else text
        if isinstance(text, str):
            parts.append(text)
    return "\n".join(parts) if parts else content


def _has_attachment(content: Any) -> bool:
    """Return whether a list of parts holds something else than texts: a picture, a sound."""
    return isinstance(content, list) and any(
        not isinstance(part, str) and not (isinstance(part, Mapping) and "text" in part) for part in content
    )


def message_of(turn: Turn, persona: Persona) -> Message:
    """Return a turn as a message. Raises BadRow for one without words or of no known role.

    A name decides before a role: what a program's `assistant` says under another character's name is that character's.
    """
    who, words, name = turn.who, turn.words, turn.name
    if not isinstance(words, str) or not isinstance(name, str | None):
        raise BadRow("not_text", f"a turn's words are {type(words).__name__}; expected a text")
    label = str(who).strip() if isinstance(who, str | int) and not isinstance(who, bool) else ""
    if folded(label) in _PROGRAMS:
        raise BadRow("unknown_role", f"a turn of {who!r}, which is a program's; expected user, assistant or system")
    role = ROLES.get(label.casefold())
    if role is None:
        if label in ("", "?"):
            raise BadRow("unknown_role", f"a turn of {who!r}; expected user, assistant or system")
        # A speaker's name, as exports of chat pages write it.
        return Message("assistant", words) if persona.is_character(label) else Message("user", words, label)
    if role == "assistant" and name and name.strip():
        generic = name.strip().casefold() in ROLES or persona.is_character(name)
        role, name = ("assistant", None) if generic else ("user", name)
    return Message(role, words, name.strip() or None if name else None)
