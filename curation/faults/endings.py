"""Replies that break off: in a word, in a clause, in a quotation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from curation.faults.registry import fault
from curation.faults.syllables import is_foreign, is_syllable
from curation.faults.words import WORDS
from curation.persona import Persona

_END = re.compile(r"[.!?…。！？～~♪♥❤)\]}»”’\"'」』*]\W*$")
_OPEN = re.compile(r"[,;:，、；：(\[{«“‘「『/&+=\\]\s*$|\s-$")
_UNFINISHED = {language: frozenset(words) for language, words in WORDS["unfinished"].items()}
_CONSONANTS = re.compile(r"[bcdđghklmnpqrstvx]{1,3}", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?…](?=\s)")
_LAST_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*$")
_WORD = re.compile(r"[^\W\d_]+")
# Who does something, and not what: `nên ta`, `, ngươi`.
_SUBJECT = re.compile(
    r"(?:,|\b(?:nên|vì|và|nhưng|thì|để|khi|nếu)) (?:ta|ngươi|hắn|họ|bọn ta|chúng|chúng ta)$", re.IGNORECASE
)
_LEAST_WORDS = 3  # after the last sentence: fewer may be an afterthought (`Hả? ta đây`)
_PAIRS = ("“”", "«»", "「」", "『』", "()", "[]", "（）")
# From this many replies on a corpus shows what is usual. If this many end with a mark, one without it has broken
# off; if fewer than this many do, a missing mark says nothing.
REPLIES, USUAL, SELDOM = 30, 0.95, 0.8


@fault
def cut_off(text: str, persona: Persona) -> Iterable[str]:
    """The reply ends in the middle of a word, a clause or a quotation."""
    if breaks_off(text, persona) or goes_on(text):
        yield tail(text)


def breaks_off(text: str, persona: Persona) -> bool:
    """Return whether the end itself shows that more was to come: an open quotation, a comma, half of a word."""
    text = text.strip()
    vietnamese = "vi" in persona.languages and _is_vietnamese(text)
    if _OPEN.search(text) or _unclosed(text, vietnamese):
        return True
    if _is_ended(text):
        return False
    word = _LAST_WORD.search(text)
    last = word.group().casefold().replace("’", "'") if word else ""
    if last in _UNFINISHED["vi" if vietnamese else "en"] or (vietnamese and (_SUBJECT.search(text) or _broken(last))):
        return len(text.split()) > 1
    return False


def goes_on(text: str) -> bool:
    """Return whether a reply ends with some words without a mark, after sentences that have theirs."""
    text = text.strip()
    sentences = _SENTENCE.split(text)
    return not _is_ended(text) and len(sentences) > 1 and len(sentences[-1].split()) >= _LEAST_WORDS


def _is_ended(text: str) -> bool:
    return not text or bool(_END.search(text)) or not text[-1].isalpha()


def ends_with_a_mark(text: str) -> bool:
    """Return whether a reply's end is marked as one."""
    text = text.strip()
    return bool(_END.search(text)) or not text or not text[-1].isalnum()


def share_of_marks(replies: Sequence[str]) -> float | None:
    """Return the share of replies that end with a mark, 0 to 1; None for too few to tell what is usual."""
    return sum(map(ends_with_a_mark, replies)) / len(replies) if len(replies) >= REPLIES else None


def tail(text: str) -> str:
    """Return the last words of a reply, as they stand in it."""
    found = re.search(r"(?:\S+[^\S\n]+){0,3}\S+$", text.strip())
    return found.group()[-60:] if found else ""


def _is_vietnamese(text: str) -> bool:
    return any(not word.isascii() and is_syllable(word) for word in _WORD.findall(text))


def _broken(last: str) -> bool:
    """Return whether a last word is the beginning of a syllable: `câ`, `ng`."""
    if _CONSONANTS.fullmatch(last):
        return True
    return not last.isascii() and not is_foreign(last) and not is_syllable(last) and not re.search(r"(\w)\1", last)


def _unclosed(text: str, vietnamese: bool) -> bool:
    """Return whether a quotation or a bracket is open at the end."""
    if any(text.count(pair[0]) > text.count(pair[1]) for pair in _PAIRS):
        return True
    if text.count('"') % 2:
        return True
    # In English `'` is also an apostrophe.
    opened = len(re.findall(r"(?:^|(?<=[\s:,(]))['‘](?=[^\W\d_])", text))
    closed = len(re.findall(r"(?<=[\w.!?…,])['’](?!\w)", text))
    return vietnamese and opened > closed
