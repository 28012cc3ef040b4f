"""Finds replies that repeat themselves, as small models do when they get stuck. Knows nothing of models.

A shout ("Xông lên! Xông lên! Xông lên!") or a laugh ("Hahahaha!") is not a loop. Words are what stands between spaces,
so a Vietnamese syllable is a word; case and punctuation do not count. A reply loops in any of four cases:

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

TIMES, WORDS = 3, 9
TIMES_AT_THE_END, WORDS_AT_THE_END = 2, 8
CHARACTERS = 40
LONG, DIFFERENT_PAIRS = 24, 0.6


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
