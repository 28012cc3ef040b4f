"""Openings and endings: runs of lines that several episodes share. Pure.

A run of three lines is a shingle; a shingle in two episodes is a repetition. Files that share most of their lines are
one episode twice (another format, another release) and do not count against each other.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from curation.record import Utterance

RUN = 3
# Fewer letters than this in a run, and it is `Chạy!` `Ừ.` `Chạy!`, not a song.
MIN_LETTERS = 30
SAME_EPISODE = 0.5
_PRINTED = {"mokuro", "manga109", "magi"}
_WORDS = re.compile(r"\W+")


def repeated(episodes: Sequence[Sequence[Utterance]]) -> list[set[int]]:
    """Return, for each episode, the indices of the lines that are part of a song, a jingle or a recap.

    A run that three or more episodes share is removed from all of them. A run that two share is removed from both if it
    is in the same third of each, as songs are; otherwise the later one is a recap, and the earlier keeps its lines.
    """
    shingles = [_shingles(lines) for lines in episodes]
    owner: dict[int, int] = {}
    for number, own in enumerate(shingles):
        for shingle in own:
            owner.setdefault(shingle, number)
    versions = _versions(shingles, owner)
    places: dict[int, list[tuple[int, int]]] = {}  # shingle → (file, index of its first line), if in several files
    for number, own in enumerate(shingles):
        for shingle, index in own.items():
            first = owner[shingle]
            if first != number:
                places.setdefault(shingle, [(first, shingles[first][shingle])]).append((number, index))
    found: list[set[int]] = [set() for _ in episodes]
    for hits in places.values():
        sharing = {versions[file] for file, _ in hits}
        if len(sharing) < 2:
            continue
        thirds = {3 * index // len(episodes[file]) for file, index in hits}
        keep = min(sharing) if len(sharing) == 2 and len(thirds) > 1 else None
        for file, index in hits:
            if versions[file] != keep:
                found[file].update(range(index, index + RUN))
    return found


def _shingles(lines: Sequence[Utterance]) -> dict[int, int]:
    """Return the hash of every run of lines → the index where it first begins. A printed page is never a song."""
    if lines and lines[0].source.importer in _PRINTED:
        return {}
    words = [_letters(line.text) for line in lines]
    found: dict[int, int] = {}
    for index in range(len(words) - RUN + 1):
        run = tuple(words[index : index + RUN])
        if sum(map(len, run)) >= MIN_LETTERS:
            found.setdefault(hash(run), index)
    return found


def _letters(text: str) -> str:
    """Return a line's letters and digits in lower case. Most lines hold little else but spaces."""
    joined = "".join(text.casefold().split())
    return joined if joined.isalnum() else _WORDS.sub("", joined)


def _versions(shingles: Sequence[dict[int, int]], owner: dict[int, int]) -> list[int]:
    """Return, for each file, the first file of the same episode. Compares each with the owners of its lines alone."""
    version = list(range(len(shingles)))
    for number, own in enumerate(shingles):
        shared = Counter(owner[s] for s in own if owner[s] != number)
        for other, count in shared.items():
            if count >= SAME_EPISODE * min(len(own), len(shingles[other])):
                version[number] = version[other]
                break
    return version
