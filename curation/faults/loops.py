"""Replies that repeat themselves. A laugh, a shout and a battle cry said two or three times are not loops."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from curation.faults.registry import fault
from curation.persona import Persona

TIMES = 4  # a phrase of two words or more, in a row
TIMES_ANYWHERE, WORDS_ANYWHERE = 4, 3  # a phrase of three words or more, wherever it stands
TIMES_ONE_WORD = 6  # a single word, in a row
SENTENCE_WORDS = 6  # a sentence of this many words never comes twice
LONG_PHRASE, LONGER_PHRASE = 5, 8  # words that three times in a row are a loop, and twice
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_SENTENCE = re.compile(r"[^.!?…\n]+")
# Laughs and cries: one syllable's letters again and again (`ha`, `hê`, `grrr`, `á`, `oái`).
_CRY = re.compile(
    r"h[aeiouêôơưáàảéèẻíìóòúùừứ]+|h?[aáàảăâeéèêiíìoóòôơuúùưứừ]+[hr]*|g?r+[aà]*[hr]*|kh?[aàiì]+|b[uù]m+|ầm|rầm|đùng"
)
# Text without spaces (a joined loop, Japanese): the same characters four times in a row.
_CHARACTERS = re.compile(r"(\S{4,60}?)\1{3,}")


@fault
def loop(text: str, persona: Persona) -> Iterable[str]:
    """The reply says the same words again and again."""
    spans = [(m.start(), m.end()) for m in _WORD.finditer(text)]
    words = [text[start:end].casefold() for start, end in spans]
    at = _in_a_row(words) or _anywhere(words)
    if at:
        start, length = at
        yield text[spans[start][0] : spans[start + length - 1][1]]
        return
    said = [(s, " ".join(_WORD.findall(s.casefold()))) for s in map(str.strip, _SENTENCE.findall(text))]
    times = Counter(key for _, key in said)
    for sentence, key in said:
        if (times[key] > 1 and key.count(" ") >= SENTENCE_WORDS - 1) or (times[key] >= TIMES and key.count(" ") >= 1):
            yield sentence
            return
    joined = _CHARACTERS.search(text)
    if joined and not _CRY.fullmatch(joined.group(1).casefold()) and len(set(joined.group(1).casefold())) > 3:
        yield joined.group(1)


def _in_a_row(words: Sequence[str]) -> tuple[int, int] | None:
    """Return where a block that repeats in a row begins, and its length in words; None where none does."""
    for length in range(1, len(words) // 2 + 1):
        run = 0
        for i in range(length, len(words)):
            run = run + 1 if words[i] == words[i - length] else 0
            start = i - run - length + 1
            block = words[start : start + length]
            times = (run + length) // length
            if times >= _enough(block):
                return start, length
    return None


def _enough(block: Sequence[str]) -> int:
    """Return how often a block must stand in a row to be a loop."""
    if all(_CRY.fullmatch(word) for word in block):
        return 1_000_000
    if len(set(block)) == 1:
        return -(-TIMES_ONE_WORD // len(block))
    if len(block) >= LONGER_PHRASE:
        return 2
    return 3 if len(block) >= LONG_PHRASE or (len(block) == LONG_PHRASE - 1 and len(set(block)) == 2) else TIMES


def _anywhere(words: Sequence[str]) -> tuple[int, int] | None:
    """Return where a phrase begins that stands in many places, none over another."""
    last: dict[tuple[str, ...], int] = {}
    times: Counter[tuple[str, ...]] = Counter()
    for i in range(len(words) - WORDS_ANYWHERE + 1):
        phrase = tuple(words[i : i + WORDS_ANYWHERE])
        if i - last.get(phrase, -WORDS_ANYWHERE) < WORDS_ANYWHERE:
            continue
        last[phrase] = i
        times[phrase] += 1
        if times[phrase] >= TIMES_ANYWHERE and not all(_CRY.fullmatch(word) for word in phrase):
            return i, WORDS_ANYWHERE
    return None
