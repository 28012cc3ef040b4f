"""Chats of people, as programs export them → lines of a transcript: Discord, Telegram, Messenger and Instagram.

A chat has no silences that mean anything within a minute, so its times only cut it where an hour passes. What the
program itself writes (`X joined`) is rejected as ``not_said``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from curation.cleaning.mojibake import repair
from curation.importers.lines.raw_line import RawLine
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported

_PAUSE_SECONDS = 3600
_MENTION = re.compile(r"<@!?(\d+)>")


class _Said(NamedTuple):
    """One message: who, what, when in seconds, and why it is not dialogue."""

    who: str
    text: str
    at: float | None
    notice: str = ""


def read(file: SourceFile, persona: Persona, value: Any) -> Imported | None:
    """Return the lines of an exported chat, or None for a value that is not one."""
    for name, fits, messages in PROGRAMS:
        if fits(value):
            lines = list(_lines(messages(value, persona)))
            return to_imported(file, lines, persona, f"chat ({name})", script=True) if lines else None
    return None


def _lines(messages: Iterator[_Said]) -> Iterator[RawLine]:
    scene, before = 1, None
    for number, said in enumerate(messages, 1):
        if before is not None and said.at is not None and abs(said.at - before) > _PAUSE_SECONDS:
            scene += 1
        before = said.at if said.at is not None else before
        yield RawLine(
            text=said.text,
            locator=f"scene {scene} · message {number}",
            speaker=said.who,
            evidence="column" if said.who else "",
            reason="not_said" if said.notice else "",
            detail=said.notice,
        )


def _list(value: Any) -> list[Mapping[str, Any]]:
    messages = value.get("messages") if isinstance(value, Mapping) else None
    return [m for m in messages if isinstance(m, Mapping)] if isinstance(messages, list) else []


def _is_discord(value: Any) -> bool:
    return any(isinstance(m.get("author"), Mapping) and "content" in m for m in _list(value)[:50])


def _discord(value: Any, persona: Persona) -> Iterator[_Said]:
    """Messages of DiscordChatExporter; `Default` and `Reply` are what people write."""
    for message in _list(value):
        author = message.get("author")
        names = [author.get(key) for key in ("nickname", "name", "globalName")] if isinstance(author, Mapping) else []
        known = [name.strip() for name in names if isinstance(name, str) and name.strip()]
        who = next((name for name in known if persona.is_character(name)), known[0] if known else "")
        kind = message.get("type", "Default")
        notice = "" if kind in ("Default", "Reply", 0, 19) else f"a notice of Discord ({str(kind)[:40]})"
        text = message.get("content")
        people = {str(p.get("id")): str(p.get("name")) for p in message.get("mentions") or () if isinstance(p, Mapping)}
        words = text if isinstance(text, str) else ""
        words = _MENTION.sub(lambda m, people=people: f"@{people.get(m[1], 'someone')}", words)  # type: ignore[misc]
        yield _Said(who, words, _seconds(message.get("timestamp")), notice)


def _is_telegram(value: Any) -> bool:
    if isinstance(value, Mapping) and isinstance(value.get("chats"), Mapping):
        return isinstance(value["chats"].get("list"), list)
    return any("from" in m and "text" in m and ("date" in m or m.get("type") == "message") for m in _list(value)[:50])


def _telegram(value: Any, persona: Persona) -> Iterator[_Said]:
    if isinstance(value.get("chats"), Mapping):
        for chat in value["chats"]["list"]:
            if isinstance(chat, Mapping):
                yield from _telegram({"messages": chat.get("messages")}, persona)
        return
    for message in _list(value):
        who = message.get("forwarded_from") or message.get("from")
        text = message.get("text")
        parts = text if isinstance(text, list) else [text]
        words = "".join(str(p.get("text") or "") if isinstance(p, Mapping) else p or "" for p in parts if _is_part(p))
        at = message.get("date_unixtime")
        when = float(at) if isinstance(at, str) and at.isdigit() and len(at) < 12 else _seconds(message.get("date"))
        notice = "" if message.get("type", "message") == "message" else "a notice of Telegram"
        yield _Said(who.strip() if isinstance(who, str) else "", words, when, notice)


def _is_part(part: Any) -> bool:
    return isinstance(part, str | Mapping)


def _is_meta(value: Any) -> bool:
    return any("sender_name" in m and "timestamp_ms" in m for m in _list(value)[:50])


def _meta(value: Any, persona: Persona) -> Iterator[_Said]:
    """Messages of Messenger and Instagram: the newest comes first, and the bytes of each text were read wrongly."""
    stamped = [(m.get("timestamp_ms"), m) for m in _list(value)]
    numbered = [(at if isinstance(at, int | float) else 0, m) for at, m in stamped]
    for at, message in sorted(numbered, key=lambda pair: pair[0]):
        who, text = message.get("sender_name"), message.get("content")
        words = repair(text)[0] if isinstance(text, str) else ""
        yield _Said(repair(who)[0].strip() if isinstance(who, str) else "", words, at / 1000 if at else None)


# name, whether a value is the program's export, its messages in order
PROGRAMS: tuple[tuple[str, Callable[[Any], bool], Callable[[Any, Persona], Iterator[_Said]]], ...] = (
    ("Discord", _is_discord, _discord),
    ("Telegram", _is_telegram, _telegram),
    ("Messenger", _is_meta, _meta),
)


def _seconds(stamp: Any) -> float | None:
    """Return a date and time (ISO 8601) in seconds, or None."""
    if not isinstance(stamp, str) or len(stamp) < 10:
        return None
    try:
        when = datetime.fromisoformat(stamp)
        return when.timestamp() if when.tzinfo else (when - datetime(1970, 1, 1)).total_seconds()
    except (ValueError, OverflowError, OSError):
        return None
