"""Words by which speakers name themselves and each other, by language: to be masked, or counted. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Vietnamese has no neutral pair: who says `ta` and `ngươi` says who they are. Words that are more often a noun (`con`,
# `ông`) are masked but not counted.
COUNTED = {
    "vi": ("tôi", "tớ", "tao", "tui", "ta", "mình", "em", "anh", "chị", "cậu", "bạn", "mày", "ngươi", "mi"),
    "en": ("i", "me", "my", "mine", "myself", "you", "your", "yours", "yourself"),
}
NOUNS = ("ông", "bà", "cô", "chú", "bác", "cháu", "con")
MASKED = (*COUNTED["vi"], *NOUNS, *COUNTED["en"], "thou", "thee", "thy", "we", "us")


def mask(text: str, own: Sequence[str]) -> str:
    """Return the text in lower case, without punctuation, with each pronoun as ``_``; ``own`` are the persona's."""
    words = re.sub(r"[\W_]+", " ", text.lower()).strip()
    return _pattern((*own, *MASKED)).sub("_", words)


def own_share(text: str, own: Sequence[str], language: str) -> float | None:
    """Return which share of a text's pronouns are the persona's own; None for a text without any."""
    found = [word.lower() for word in _pattern((*own, *COUNTED[language])).findall(text)]
    mine = {word.lower() for word in own}
    return sum(word in mine for word in found) / len(found) if found else None


def _pattern(words: Sequence[str]) -> re.Pattern[str]:
    longest_first = sorted({w.lower() for w in words}, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
