"""How varied an export's wording is: opening words, near-duplicates, and a few samples of each kind to read.

Chat rows of an export come in (:mod:`curation.export.exported_rows`), plain figures go out. Pure; knows no command
and no card.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from curation.export.exported_rows import Row, replies
from curation.record import KINDS

_WORD = re.compile(r"\w+(?:['’-]\w+)*")
# Kinds whose prompt only says "speak": two of them are alike when what he says is.
_BY_REPLY = ("persona", "quote")


@dataclass(frozen=True, slots=True)
class Opening:
    """The two words that most replies of a language begin with; ``share`` is of all its replies, 0 to 1."""

    words: str
    count: int
    replies: int

    @property
    def share(self) -> float:
        """How many of the replies begin so, 0 to 1."""
        return self.count / self.replies if self.replies else 0.0

    def to_json(self) -> dict[str, Any]:
        """Return it as plain objects."""
        return {**asdict(self), "share": round(self.share, 4)}


@dataclass(frozen=True, slots=True)
class Near:
    """Two texts that are nearly the same: rapidfuzz's ratio (0 to 100), and for each the sample and the words."""

    score: float
    ids: tuple[str, str]
    texts: tuple[str, str]


def openings(rows: Sequence[Row]) -> dict[str, Opening]:
    """Return the most frequent opening of each language; rows without a language count as `none`."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for reply in replies(row):
            seen[row["language"] or "none"][" ".join(_WORD.findall(reply.casefold())[:2])] += 1
    # Of two that are as frequent, the first in the alphabet: two runs must say the same.
    first = {language: min(words.items(), key=lambda w: (-w[1], w[0])) for language, words in seen.items()}
    return {
        language: Opening(*first[language], seen[language].total())
        for language in sorted(seen, key=lambda code: (-seen[code].total(), code))
    }


def near_replies(rows: Sequence[Row], threshold: float) -> list[Near]:
    """Return the pairs of replies, lower-cased, whose ratio is ``threshold`` or more; the nearest first."""
    return _near([(row["id"], reply) for row in rows for reply in replies(row)], threshold)


def near_samples(rows: Sequence[Row], threshold: float) -> list[Near]:
    """Return the pairs of whole samples: for quotes and persona lines what he says, else every turn."""
    texts = []
    for row in rows:
        turns = replies(row) if row["kind"] in _BY_REPLY else [m["content"] for m in row["messages"]]
        texts.append((row["id"], "\n".join(turns)))
    return _near(texts, threshold)


def pick(rows: Sequence[Row], count: int, seed: int) -> dict[str, list[Row]]:
    """Return up to ``count`` rows of each kind, drawn at random; the same seed draws the same ones."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    drawn: dict[str, list[Row]] = {}
    for kind in KINDS:
        of_kind = sorted((row for row in rows if row["kind"] == kind), key=lambda row: str(row["id"]))
        drawn[kind] = chance.sample(of_kind, min(count, len(of_kind)))
    return drawn


def _near(texts: Sequence[tuple[str, str]], threshold: float) -> list[Near]:
    from curation.dedup import similar_pairs

    found = similar_pairs([text.lower() for _, text in texts], threshold)
    pairs = [
        Near(float(score), (texts[i][0], texts[j][0]), (texts[i][1], texts[j][1])) for i, j, score in found.tolist()
    ]
    return sorted(pairs, key=lambda pair: (-pair.score, pair.ids))
