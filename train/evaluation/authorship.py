"""Whose words are these? A verifier over character n-grams (Koppel & Schler 2004), trained on the train split.

It reads texts in lower case, without punctuation and with every pronoun masked, so that a model does not pass by saying
the right pronoun loudly. Its negatives are other speakers' lines and the base's replies. Pure numpy and scipy.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LENGTHS = (2, 3, 4)
MOST = 3000  # texts of each side: more change nothing
FEWEST = 50
DECAY = 1.0  # L2, per text


class Verifier:
    """Logistic regression on n-gram frequencies. :meth:`odds` is positive for a text that seems the author's."""

    def __init__(self, author: Sequence[str], others: Sequence[Sequence[str]]) -> None:
        """Learn from masked texts. Each of the ``others`` weighs the same, and together as much as the author."""
        from scipy.optimize import minimize

        sides = [_some(author), *(_some(other) for other in others if other)]
        texts = [text for side in sides for text in side]
        counts = Counter(gram for text in texts for gram in set(_grams(text)))
        self._columns = {gram: i for i, (gram, n) in enumerate(sorted(counts.items())) if n > 1}
        self._columns = {gram: i for i, gram in enumerate(self._columns)}
        x = self._matrix(texts)
        y = np.asarray([1.0] * len(sides[0]) + [-1.0] * (len(texts) - len(sides[0])))
        shares = [0.5, *([0.5 / (len(sides) - 1)] * (len(sides) - 1))]
        weight = np.concatenate(
            [np.full(len(side), share * len(texts) / len(side)) for side, share in zip(sides, shares, strict=True)]
        )

        def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            margin = y * (x @ w[:-1] + w[-1])
            value = (weight * np.logaddexp(0, -margin)).sum() + DECAY / 2 * (w[:-1] @ w[:-1])
            slope = -weight * y / (1 + np.exp(np.clip(margin, -500, 500)))
            return float(value), np.append(x.T @ slope + DECAY * w[:-1], slope.sum())

        start = np.zeros(x.shape[1] + 1)
        self._weights = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x

    def odds(self, texts: Sequence[str]) -> list[float]:
        """Return the log odds of each masked text."""
        found: list[float] = (self._matrix(texts) @ self._weights[:-1] + self._weights[-1]).tolist()
        return found

    def _matrix(self, texts: Sequence[str]) -> Any:
        from scipy.sparse import csr_matrix

        values: list[float] = []
        columns: list[int] = []
        ends = [0]
        for text in texts:
            found = Counter(c for gram in _grams(text) if (c := self._columns.get(gram)) is not None)
            row = np.log1p(np.fromiter(found.values(), float, len(found)))
            values += (row / (np.linalg.norm(row) or 1.0)).tolist()
            columns += found
            ends.append(len(columns))
        return csr_matrix((values, columns, ends), shape=(len(texts), len(self._columns)))


def _grams(text: str) -> list[str]:
    padded = f" {text} "
    return [padded[i : i + n] for n in LENGTHS for i in range(len(padded) - n + 1)]


def _some(texts: Sequence[str]) -> list[str]:
    return random.Random(0).sample(list(texts), min(MOST, len(texts)))  # noqa: S311 - the same texts each time
