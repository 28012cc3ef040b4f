"""Chats with a bot, as its program saves them → samples: SillyTavern, Character.AI (CAI Tools), our own chat page.

The reply that was chosen counts; other versions of it are rejected as ``other_version``, and what the program hides or
says itself as ``not_said``. A bot under another name than the character's is someone else. Every sample is flagged: a
model wrote the replies, whoever the character is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from curation.chat import BadRow
from curation.importers.records.dialogue import exchanges, to_read
from curation.importers.records.from_rows import placed
from curation.importers.records.turns import Turn, message_of
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Flag, Imported, Message, Rejected, Sample

_MODEL = Flag("written_by_model", "a chat with a bot")


class _Turn(NamedTuple):
    """A turn of a chat: its words, whose they are, and its place; ``notice`` is why it is no turn at all."""

    place: str
    by_user: bool
    name: str
    text: str
    notice: str = ""
    others: tuple[str, ...] = ()
    flags: tuple[Flag, ...] = ()


@dataclass(slots=True)
class _Found:
    samples: list[Sample] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)


def read_rows(file: SourceFile, persona: Persona, numbered: Sequence[tuple[int, Any]]) -> Imported | None:
    """Return the samples of a SillyTavern chat, one message a row, or None for other rows."""
    if not any(_is_message(row) for _, row in numbered[:5]):
        return None
    turns = [turn for number, row in numbered for turn in _sillytavern(number, row)]
    return _imported(file, persona, "SillyTavern", [("chat", turns)])


def read(file: SourceFile, persona: Persona, value: Any) -> Imported | None:
    """Return the samples of a JSON file with chats, or None for a value that holds none."""
    if isinstance(value, list) and value and any(_is_message(row) for row in value[:5]):
        return read_rows(file, persona, list(enumerate(value, 1)))
    own = _own_page(value)
    if own is not None:
        return _imported(file, persona, "chat page", own)
    histories = _histories(value, 0)
    if histories:
        chats = [(f"chat {n}", [*_character_ai(messages)]) for n, messages in enumerate(histories, 1)]
        return _imported(file, persona, "Character.AI", chats)
    return None


def _imported(
    file: SourceFile, persona: Persona, program: str, chats: Sequence[tuple[str, Sequence[_Turn]]]
) -> Imported:
    kind = persona.kind_of(file.path.name)
    importer = program.lower().replace(" ", "-")
    found = _Found()
    for chat, turns in chats:
        messages, flags = _messages(file, persona, chat, turns, found, importer)
        samples: list[Sample] = []
        for part in exchanges(messages, persona):
            text = "\n".join(m.content for m in part)
            try:
                read = to_read(part, kind, persona)
            except BadRow as error:
                source = file.at(chat, importer)
                reason = "after_last_reply" if error.reason == "ends_with_user" and samples else error.reason
                found.rejected.append(Rejected(source=source, reason=reason, text=text, detail=str(error)))
                continue
            own = tuple(dict.fromkeys(flag for m in part for flag in flags.get(id(m), ())))
            samples += [replace(sample, flags=(*own, _MODEL, *sample.flags)) for sample in read.samples]
        found.samples += placed(samples, file.at(chat, importer))
    return Imported(samples=tuple(found.samples), rejected=tuple(found.rejected), format=f"chat ({program})")


def _messages(
    file: SourceFile, persona: Persona, chat: str, turns: Sequence[_Turn], found: _Found, importer: str
) -> tuple[list[Message], dict[int, tuple[Flag, ...]]]:
    """Return a chat's messages and the flags of each by its identity; what is no turn goes to the rejections."""
    messages: list[Message] = []
    flags: dict[int, tuple[Flag, ...]] = {}
    for turn in turns:
        source = file.at(f"{chat} · {turn.place}", importer)
        for other in turn.others:
            detail = "another answer was chosen"
            found.rejected.append(Rejected(source=source, reason="other_version", text=other, detail=detail))
        if turn.notice:
            found.rejected.append(Rejected(source=source, reason="not_said", text=turn.text, detail=turn.notice))
        elif not turn.text.strip():
            found.rejected.append(Rejected(source=source, reason="empty", text="", detail="the turn has no words"))
        else:
            # A name decides before a role: a user may play the character, and another bot is not the character.
            who = turn.name if persona.is_character(turn.name) else "user" if turn.by_user else "assistant"
            message = message_of(Turn(who, turn.text, None if who == turn.name else turn.name or None), persona)
            messages.append(message)
            flags[id(message)] = turn.flags
    return messages, flags


# ---------------------------------------------------------------- SillyTavern


def _is_message(row: Any) -> bool:
    return isinstance(row, Mapping) and isinstance(row.get("mes"), str) and ("is_user" in row or "name" in row)


def _sillytavern(number: int, row: Any) -> Iterator[_Turn]:
    place = f"row {number}"
    if not isinstance(row, Mapping):
        yield _Turn(place, True, "", str(row), notice="a row that cannot be read")
        return
    if not isinstance(row.get("mes"), str):
        if "chat_metadata" not in row and "user_name" not in row:
            yield _Turn(place, True, "", str(dict(row))[:400], notice="a row without a message")
        return  # the head of the file holds no line of the chat
    text, swipes, chosen = row["mes"], row.get("swipes"), row.get("swipe_id")
    others: tuple[str, ...] = ()
    if isinstance(swipes, list):
        if not text.strip() and isinstance(chosen, int) and 0 <= chosen < len(swipes):
            text = swipes[chosen] if isinstance(swipes[chosen], str) else text
        others = tuple(dict.fromkeys(s for s in swipes if isinstance(s, str) and s.strip() and s != text))
    extra = row.get("extra")
    kind = extra.get("type") if isinstance(extra, Mapping) else None
    notice = ""
    if row.get("is_system") is True:
        notice = "a line that SillyTavern hides or wrote itself"
    elif kind in ("narrator", "comment", "system", "assistant_note"):
        notice = f"a line of the type {kind}"
    name = row.get("name")
    yield _Turn(place, row.get("is_user") is True, name.strip() if isinstance(name, str) else "", text, notice, others)


# ---------------------------------------------------------------- Character.AI


def _histories(value: Any, depth: int) -> list[list[Mapping[str, Any]]]:
    """Return the chats of a Character.AI history, wherever the program that saved it put them."""
    if depth > 5 or not isinstance(value, Mapping | list):
        return []
    if isinstance(value, list):
        if value and all(_is_cai(message) for message in value):
            return [value]
        return [chat for part in value for chat in _histories(part, depth + 1)]
    keys = ("histories", "history", "chats", "conversations", "msgs", "turns", "chat", "messages")
    return [chat for key in keys if key in value for chat in _histories(value[key], depth + 1)]


def _is_cai(message: Any) -> bool:
    if not isinstance(message, Mapping):
        return False
    said_by = message.get("src") or message.get("author")
    if not isinstance(said_by, Mapping):
        return False
    return "is_human" in said_by or isinstance(message.get("candidates"), list)


def _character_ai(messages: Sequence[Mapping[str, Any]]) -> Iterator[_Turn]:
    for number, message in enumerate(messages, 1):
        by = message.get("src") or message.get("author") or {}
        name = by.get("name")
        text = message.get("text")
        others: tuple[str, ...] = ()
        candidates = [c for c in message.get("candidates") or () if isinstance(c, Mapping)]
        if candidates:
            wanted = message.get("primary_candidate_id")
            chosen = next((c for c in candidates if wanted and c.get("candidate_id") == wanted), candidates[0])
            text = chosen.get("raw_content") or chosen.get("text") or ""
            said = (c.get("raw_content") or c.get("text") for c in candidates if c is not chosen)
            others = tuple(other for other in said if isinstance(other, str) and other.strip())
        notice = "removed from the chat" if message.get("is_alternative") or message.get("deleted") else ""
        words = text if isinstance(text, str) else ""
        human = by.get("is_human") is True
        yield _Turn(f"message {number}", human, name.strip() if isinstance(name, str) else "", words, notice, others)


# ---------------------------------------------------------------- our own chat page


def _own_page(value: Any) -> list[tuple[str, list[_Turn]]] | None:
    """Return the conversations of a file that `serve`'s chat page saved, of either version, or None."""
    if not isinstance(value, Mapping):
        return None
    if value.get("format") == "inosuke-chat":
        chats = value.get("conversations")
    elif isinstance(value.get("nodes"), list) and isinstance(value.get("chosen"), Mapping):
        chats = [value]
    else:
        return None
    named = [c for c in chats if isinstance(c, Mapping)] if isinstance(chats, list) else []
    return [(f"conversation {str(c.get('id') or n)[:64]}", list(_path(c))) for n, c in enumerate(named, 1)]


def _path(chat: Mapping[str, Any]) -> Iterator[_Turn]:
    """Yield the turns that the page shows, from the first on; version 1 has a list, version 2 a tree."""
    if isinstance(chat.get("messages"), list):
        shown = [m for m in chat["messages"] if isinstance(m, Mapping)]
        for number, message in enumerate(shown, 1):
            yield _page_turn(message, number, ())
        return
    children: dict[Any, list[Mapping[str, Any]]] = {}
    for node in chat.get("nodes") or ():
        if isinstance(node, Mapping) and isinstance(node.get("parent"), str | None):
            children.setdefault(node.get("parent"), []).append(node)
    chosen = chat.get("chosen")
    chosen = chosen if isinstance(chosen, Mapping) else {}
    here, number = None, 0
    while here in children:
        siblings = children.pop(here)  # taken out: a damaged tree may lead back
        node = next((n for n in siblings if n.get("id") == chosen.get(here or "")), siblings[-1])
        others = tuple(str(n.get("content") or "") for n in siblings if n is not node and n.get("role") == "assistant")
        number += 1
        yield _page_turn(node, number, others)
        here = node.get("id") if isinstance(node.get("id"), str) else ""


def _page_turn(node: Mapping[str, Any], number: int, others: tuple[str, ...]) -> _Turn:
    text, better, rating = node.get("content"), node.get("better"), node.get("rating")
    words = text if isinstance(text, str) else ""
    flags: tuple[Flag, ...] = ()
    if isinstance(better, str) and better.strip():
        flags = (Flag("feedback_better", f"a visitor wrote this instead of: {words}"),)
        words, others = better, (words, *others)
    elif rating == "up":
        flags = (Flag("feedback_up", "a visitor liked this reply"),)
    elif rating == "down":
        flags = (Flag("feedback_down", "a visitor disliked this reply: rewrite or reject it"),)
    role = node.get("role")
    notice = "" if role in ("user", "assistant") else "neither the visitor's nor the character's"
    if node.get("state") == "broken":
        notice = "an answer that broke off"
    others = tuple(other for other in others if other.strip())
    return _Turn(f"turn {number}", role == "user", "", words, notice, others, flags)
