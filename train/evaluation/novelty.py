"""How much of a reply was said in training: the longest run of words that stands there, and the nearest reply. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from train.evaluation.metrics import syllables


class Training:
    """The replies of the train split, to be searched for copies."""

    def __init__(self, replies: Sequence[str]) -> None:
        self._replies = [syllables(text) for text in replies]
        self._texts = sorted({text.lower() for text in replies})
        self._runs: dict[int, set[tuple[str, ...]]] = {}

    def longest_span(self, text: str) -> int:
        """Return how many words in a row, at most, a text shares with some reply of the training."""
        words = syllables(text)
        length = 0
        # Where a run of n words is copied, so is each run of n - 1 in it: the length only ever grows by one.
        for start in range(len(words)):
            while start + length < len(words) and tuple(words[start : start + length + 1]) in self._known(length + 1):
                length += 1
        return length

    def nearest(self, text: str) -> float:
        """Return the rapidfuzz ratio (0 to 100) of the most similar reply of the training."""
        from rapidfuzz import fuzz, process

        found = process.extractOne(text.lower(), self._texts, scorer=fuzz.ratio)
        return float(found[1]) if found else 0.0

    def _known(self, length: int) -> set[tuple[str, ...]]:
        if length not in self._runs:
            self._runs[length] = {
                tuple(words[i : i + length]) for words in self._replies for i in range(len(words) - length + 1)
            }
        return self._runs[length]
