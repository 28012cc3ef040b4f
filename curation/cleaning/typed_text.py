"""Cleaning text that a person typed or pasted, as imported text is cleaned. Pure.

Turns in; cleaned turns and a list of what was removed out. ``clean_typed`` of its own result changes nothing.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from curation.cleaning.normalise import INVISIBLE, clean_text
from curation.cleaning.spelling import respell
from curation.record import Message

# Unicode gives control characters no names.
_CONTROLS = {"\0": "NULL", "\b": "BACKSPACE", "\x1b": "ESCAPE", "\x7f": "DELETE"}


@dataclass(frozen=True, slots=True)
class Removed:
    """A character that was removed: its code (``U+200B``), its name in Unicode, and how often it occurred.

    The code ``NFC`` stands for letters that were written as a letter and separate marks, and are now one character; the
    code ``spelling`` for a word or a sign in another form (the name is ``doạ → dọa``).
    """

    code: str
    name: str
    count: int


def clean_typed(messages: Iterable[Message]) -> tuple[tuple[Message, ...], tuple[Removed, ...]]:
    """Return the turns as ``curation.cleaning.normalise`` cleans imported ones, and what that removed.

    The text and the speaker's name of each turn are in NFC, without invisible characters, white space collapsed; the
    text is in the spelling of the dataset. A turn may come out empty: the caller decides what that means.
    """
    cleaned: list[Message] = []
    found: Counter[str] = Counter()
    spelled: Counter[str] = Counter()
    for message in messages:
        name = None if message.name is None else " ".join(clean_text(message.name).split()) or None
        content, changes = respell(clean_text(message.content))
        cleaned.append(replace(message, content=content, name=name))
        spelled += changes
        for text in (message.content, message.name or ""):
            # A carriage return is one way to end a line; the others in `INVISIBLE` are never seen.
            found.update(c for c in INVISIBLE.findall(text) if c not in "\r\x85")
            visible = INVISIBLE.sub("", text)
            found["NFC"] += max(0, len(visible) - len(unicodedata.normalize("NFC", visible)))
    removed = [_removed(character, count) for character, count in sorted(found.items()) if count]
    return tuple(cleaned), (*removed, *(Removed("spelling", change, count) for change, count in spelled.items()))


def _removed(character: str, count: int) -> Removed:
    if character == "NFC":
        return Removed("NFC", "decomposed letters", count)
    code = f"U+{ord(character):04X}"
    return Removed(code, unicodedata.name(character, _CONTROLS.get(character, code)), count)
