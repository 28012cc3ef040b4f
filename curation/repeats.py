"""Replies that repeat themselves, as small models do: what holds them back, and what finds them. Pure.

:func:`repeat_penalties` returns which next tokens would continue a sequence that a reply already holds, and how much
that costs them. This is the DRY penalty ("Don't Repeat Yourself", p-e-w, text-generation-webui pull request 5677), with
the constants that llama.cpp uses too. Unlike a repetition penalty it leaves single words alone, so a reply may use the
words of the question as often as it likes; only a sequence that comes again is held back, the more the longer it is.

:func:`find_loop` looks at a whole reply, :func:`listen` at one that goes on. A shout ("Xông lên! Xông lên! Xông lên!")
or a laugh ("Hahahaha!") is not a loop. Words are what stands between spaces, so a Vietnamese syllable is a word; case
and punctuation do not count. A reply loops in any of four cases:

1. The same words stand three times or more in a row, and the repetition is nine words or longer.
2. The reply was cut off at the token limit, and the same words stand twice or more in a row at its end, eight words or
   longer. A model that is stuck never ends its turn, so the end is where to look.
3. The same characters stand three times or more in a row, 40 characters or longer: a laugh without end, emoji, and
   languages that do not put spaces between words.
4. Of 24 words or more, fewer than 60% of the pairs of neighbours are different: a list that changes one word a line.

No line of the starter corpus comes near: what stands there three times in a row is at most four words and 12
characters long, and at least 80% of the pairs of a long reply are different.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

BASE = 1.75
ALLOWED = 2  # a sequence of fewer tokens may come again freely
RANGE = 256  # tokens looked back

TIMES, WORDS = 3, 9
TIMES_AT_THE_END, WORDS_AT_THE_END = 2, 8
CHARACTERS = 40
LONG, DIFFERENT_PAIRS = 24, 0.6
TWICE = 8  # a reply that goes on is stopped where this many words or more stand twice in a row


def repeat_penalties(reply: Sequence[int], multiplier: float) -> dict[int, float]:
    """Return what to subtract from the scores of next tokens: ``multiplier * BASE ** (n - ALLOWED)``.

    ``n`` is the length of the longest sequence at the end of ``reply`` that stands earlier in it, followed by that
    token. Tokens for which it is shorter than ``ALLOWED`` are left out.
    """
    if not multiplier:
        return {}
    tail = list(reply[-RANGE:])
    longest: dict[int, int] = {}
    for place in range(ALLOWED, len(tail)):
        length = 0
        while length < place and tail[place - 1 - length] == tail[-1 - length]:
            length += 1
        if length >= ALLOWED:
            longest[tail[place]] = max(length, longest.get(tail[place], 0))
    return {token: multiplier * BASE ** min(length - ALLOWED, 50) for token, length in longest.items()}


def find_loop(text: str, *, ended: bool) -> str | None:
    """Return what a reply repeats, once, in lower case; None for a reply that does not loop.

    ``ended`` says whether the model ended its turn, rather than being cut off at the token limit.
    """
    words = re.findall(r"\w+", text.lower())
    if found := _repeated(words, TIMES, WORDS):
        return " ".join(found)
    if not ended and (found := _repeated(words[::-1], TIMES_AT_THE_END, WORDS_AT_THE_END, at_the_start=True)):
        return " ".join(found[::-1])
    if found := _repeated("".join(text.lower().split()), TIMES, CHARACTERS):
        return "".join(found)
    pairs = list(pairwise(words))
    if len(words) >= LONG and len(set(pairs)) < DIFFERENT_PAIRS * len(pairs):
        [(pair, _)] = Counter(pairs).most_common(1)
        return " ".join(pair)
    return None


def listen(text: str) -> tuple[int, bool]:
    """Return how much of a reply that goes on may be shown, and whether it has become a loop with its last word.

    In a loop that is the text without the last word. Otherwise the last word is left out as long as it is not whole and
    could be the one that makes a loop.
    """
    spans = [m.span() for m in re.finditer(r"\w+", text)]
    if not spans:
        return len(text), False
    last, end = spans[-1]
    words = [text[a:b].lower() for a, b in spans]
    looping = _stuck(words, 0) or _at_the_end("".join(text.lower().split()), TIMES, CHARACTERS, 1)
    growing = end == len(text) and _stuck(words[:-1], 1)
    return (last if looping or growing else len(text)), looping


def _stuck(words: Sequence[str], missing: int) -> bool:
    """Return whether the end of these words is a loop, or would be with the right ``missing`` ones after them."""
    if _at_the_end(words, TIMES, WORDS - missing, 1, missing) or _at_the_end(words, 2, 0, TWICE, missing):
        return True
    pairs = len(words) + missing - 1
    return pairs >= LONG - 1 and len(set(pairwise(words))) < DIFFERENT_PAIRS * pairs


def _at_the_end(items: Sequence[str], times: int, least: int, shortest: int, missing: int = 0) -> bool:
    """Return whether a block of ``shortest`` items or more stands ``times`` times in a row at the end of ``items``."""
    for period in range(shortest, (len(items) + missing) // times + 1):
        wanted = max(times * period - missing, least) - period
        at = len(items) - 1
        while wanted > 0 and at >= period and items[at] == items[at - period]:
            wanted -= 1
            at -= 1
        if wanted <= 0:
            return True
    return False


def _repeated(items: Sequence[str], times: int, least: int, *, at_the_start: bool = False) -> Sequence[str]:
    """Return the shortest block that stands ``times`` times in a row over ``least`` items or more; empty if none does.

    The last repetition need not be whole, as long as ``times`` of them are. A block of ``period`` items repeats where
    each item equals the one ``period`` before it.
    """
    for period in range(1, len(items) // times + 1):
        wanted = max(times * period, least)
        length = period
        for i in range(period, len(items)):
            if items[i] == items[i - period]:
                length += 1
                if length >= wanted:
                    return items[i - length + 1 : i - length + 1 + period]
            elif at_the_start:
                break
            else:
                length = period
    return ""
