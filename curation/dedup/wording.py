"""Which words of a sample are compared, and in what form. Knows nothing of pairs or clusters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Set

from curation.record import BY_REPLY, Sample

_OTHER = re.compile(r"[\W_]+")
_SPACE = re.compile(r"\s+")
_REPEATED = re.compile(r"([^\w\s])\1+")
# The marks of Latin letters. Kana have theirs elsewhere (U+3099): か and が are two letters, not one with a mark.
_MARKS = re.compile(r"[\u0300-\u036f]")


def normal(text: str) -> str:
    """Return the form in which two texts count as the same: composed letters, one case, single spaces and marks.

    ``HẢ??  Ai đó…`` and ``Hả? ai đó...`` are the same; ``mật`` and ``mặt`` are two words.
    """
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).replace("…", "...")
    return _REPEATED.sub(_single, _SPACE.sub(" ", text).strip())


def _single(repeated: re.Match[str]) -> str:
    mark = repeated[1]
    return mark if unicodedata.category(mark)[0] in "PS" else repeated[0]


def without_diacritics(text: str) -> str:
    """Return a normal form without the marks of Latin letters: ``mật`` and ``mặt`` become ``mat``, ``đ`` ``d``."""
    return unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", text))).replace("đ", "d")


def letters(text: str) -> str:
    """Return the letters and digits of a text without diacritics: what is left of it where all marks were lost."""
    return _OTHER.sub("", without_diacritics(normal(text)))


def compared(
    sample: Sample,
    templates: Collection[str],
    prompt: Callable[[str], str] = normal,
    reply: Callable[[str], str] = normal,
) -> tuple[str, ...]:
    """Return the forms that decide whether a sample is near another, turn by turn; by default the normal ones.

    Quotes and persona lines are compared by their replies, dialogues by all their turns. A prompt among ``templates``
    (normal forms), shared by many rows, carries no information and is left out.
    """
    if by_replies(sample):
        return tuple(map(reply, sample.replies))
    turns = [
        m for m in sample.messages if m.role != "system" and not (m.role == "user" and normal(m.content) in templates)
    ]
    return tuple(prompt(m.content) if m.role == "user" else reply(m.content) for m in turns)


def by_replies(sample: Sample) -> bool:
    """Return whether a sample is compared by its replies alone. The two groups are not compared with each other."""
    return sample.kind in BY_REPLY


def exact_key(sample: Sample, templates: Set[str]) -> tuple[object, ...]:
    """Return a key that is equal for two samples if one of them is redundant: the kind and every informative turn.

    The prompt of a quote is not. In other kinds, two questions with one answer are two samples, and so is one line
    said by two people.
    """
    turns: list[tuple[str, str]] = []
    for message in sample.messages:
        text = normal(message.content)
        if message.role == "assistant":
            turns.append((message.role, text))
        elif message.role == "user" and sample.kind != "quote" and text not in templates:
            turns.append((message.role, f"{normal(message.name or '')}: {text}"))
    return (sample.kind, *turns)
