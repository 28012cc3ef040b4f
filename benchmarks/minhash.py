"""MinHash as its libraries offer it, for comparison: each entry of MINHASH takes texts and returns the pairs it finds.

datasketch and rensa are not dependencies of the project: ``pip install datasketch rensa`` to measure them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

Pair = tuple[int, int]


def _datasketch(
    texts: Sequence[str], shingles: Callable[[str], set[str]], threshold: float, permutations: int
) -> set[Pair]:
    from datasketch import MinHash, MinHashLSH

    lsh = MinHashLSH(threshold=threshold, num_perm=permutations)
    found: set[Pair] = set()
    for at, text in enumerate(texts):
        shingled = shingles(text)
        if not shingled:
            continue
        sketch = MinHash(num_perm=permutations)
        sketch.update_batch([shingle.encode() for shingle in shingled])
        found.update((other, at) for other in lsh.query(sketch))
        lsh.insert(at, sketch)
    return found


def _rensa(texts: Sequence[str], threshold: float) -> set[Pair]:
    from rensa import RMinHash, RMinHashLSH

    lsh = RMinHashLSH(threshold=threshold, num_perm=128, num_bands=32)
    sketches: list[Any] = []
    found: set[Pair] = set()
    for at, text in enumerate(texts):
        sketch = RMinHash(num_perm=128, seed=42)
        sketch.update(text.split())
        # Its own deduplicator checks candidates against the sketches' similarity too.
        found.update((other, at) for other in lsh.query(sketch) if sketches[other].jaccard(sketch) >= threshold)
        lsh.insert(at, sketch)
        sketches.append(sketch)
    return found


def _letters(text: str, n: int) -> set[str]:
    return {text[k : k + n] for k in range(max(1, len(text) - n + 1))}


def _words(text: str, n: int) -> set[str]:
    words = re.split(r"\W", text)
    return {" ".join(words[k : k + n]) for k in range(len(words) - n + 1)}


MINHASH: dict[str, Callable[[Sequence[str]], set[Pair]]] = {
    "datasketch, its defaults (threshold 0.9, 128 permutations), words": lambda t: _datasketch(
        t, lambda text: set(text.split()), 0.9, 128
    ),
    "datasketch, its defaults, 5 words": lambda t: _datasketch(t, lambda text: _words(text, 5), 0.9, 128),
    "datasketch, tuned for recall: 3 letters, threshold 0.5": lambda t: _datasketch(
        t, lambda text: _letters(text, 3), 0.5, 128
    ),
    "text-dedup's settings: 5 words, threshold 0.7, 250 permutations": lambda t: _datasketch(
        t, lambda text: _words(text, 5), 0.7, 250
    ),
    "rensa: words, threshold 0.8, 128 permutations in 32 bands": lambda t: _rensa(t, 0.8),
}
