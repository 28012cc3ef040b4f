"""How varied the wording of an export is: opening words, near-duplicates, random samples of each kind to read.

In: chat rows of an export (:mod:`curation.export.exported_rows`). Out: plain figures. Pure; knows no command and no
card.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from curation.contracts.rows import ChatRow
from curation.export.exported_rows import replies
from curation.record import BY_REPLY, KINDS

LIMIT = 0.03  # docs/corpus.md: no opening begins more than this share of a language's replies
_SHOWN = 5  # openings of each length that are returned even where none is over the limit

_WORD = re.compile(r"\w+(?:['’-]\w+)*")


@dataclass(frozen=True, slots=True)
class Opening:
    """The first word or two that replies in a language begin with, and how many of its ``replies`` do."""

    words: str
    count: int
    replies: int

    @property
    def share(self) -> float:
        """The share of all replies that begin with these words, 0 to 1."""
        return self.count / self.replies if self.replies else 0.0

    @property
    def over(self) -> bool:
        """Whether more replies begin with these words than the guide allows."""
        return self.share > LIMIT

    def to_json(self) -> dict[str, Any]:
        """Return it as plain objects."""
        return {**asdict(self), "share": round(self.share, 4)}


@dataclass(frozen=True, slots=True)
class Near:
    """Two texts that are nearly the same: the ratio of rapidfuzz (0 to 100), the ids of the samples, the texts."""

    score: float
    ids: tuple[str, str]
    texts: tuple[str, str]


def openings(rows: Sequence[ChatRow]) -> dict[str, Opening]:
    """Return the most frequent two words of each language. Rows without a language count as ``none``."""
    return {language: found[0] for language, found in frequent_openings(rows, 2).items()}


def frequent_openings(rows: Sequence[ChatRow], words: int) -> dict[str, list[Opening]]:
    """Return the openings of that length, by language: those over the limit, and at least the five most frequent."""
    seen: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for reply in replies(row):
            seen[row["language"] or "none"][" ".join(_WORD.findall(reply.casefold())[:words])] += 1
    found: dict[str, list[Opening]] = {}
    for language in sorted(seen, key=lambda code: (-seen[code].total(), code)):
        total = seen[language].total()
        # Of two equally frequent openings, the first in the alphabet: every run must give the same answer.
        ordered = sorted(seen[language].items(), key=lambda pair: (-pair[1], pair[0]))
        listed = [Opening(words=text, count=n, replies=total) for text, n in ordered]
        found[language] = [opening for at, opening in enumerate(listed) if at < _SHOWN or opening.over]
    return found


def near_replies(rows: Sequence[ChatRow], threshold: float) -> list[Near]:
    """Return the pairs of replies whose ratio, in lower case, is ``threshold`` or more. The nearest come first."""
    return _near([(row["id"], reply) for row in rows for reply in replies(row)], threshold)


def near_samples(rows: Sequence[ChatRow], threshold: float) -> list[Near]:
    """Return the pairs of near samples. Of quotes and persona lines only replies are compared, otherwise every turn."""
    texts = []
    for row in rows:
        turns = replies(row) if row["kind"] in BY_REPLY else [m["content"] for m in row["messages"]]
        texts.append((row["id"], "\n".join(turns)))
    return _near(texts, threshold)


def pick(rows: Sequence[ChatRow], count: int, seed: int) -> dict[str, list[ChatRow]]:
    """Return up to ``count`` random rows of each kind. The same seed draws the same rows."""
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    drawn: dict[str, list[ChatRow]] = {}
    for kind in KINDS:
        of_kind = sorted((row for row in rows if row["kind"] == kind), key=lambda row: str(row["id"]))
        drawn[kind] = chance.sample(of_kind, min(count, len(of_kind)))
    return drawn


def _near(texts: Sequence[tuple[str, str]], threshold: float) -> list[Near]:
    from curation.dedup import similar_pairs

    found = similar_pairs([text.lower() for _, text in texts], threshold)
    pairs = [
        Near(score=float(score), ids=(texts[i][0], texts[j][0]), texts=(texts[i][1], texts[j][1]))
        for i, j, score in found.tolist()
    ]
    return sorted(pairs, key=lambda pair: (-pair.score, pair.ids))
