"""Edited rows: which sample that is gone a new sample was made from. Pure; knows samples and fingerprints, no files.

A sample's id names its text, so a corrected row comes in as one sample that is gone and one that is new. Here they are
paired again: by their words, and by their place where the place is known.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from rapidfuzz import fuzz

from curation.dedup.folding import reply_key
from curation.dedup.join.similar import cross_pairs
from curation.dedup.wording import by_replies
from curation.record import Sample

# Shares of equal words, by fuzz.ratio. From the first on, a new sample takes the side of one that is gone; from the
# second on it counts as that one's edit, or from the third on if it stands at its place.
_SAME_SIDE, _EDITED, _EDITED_IN_PLACE = 60.0, 75.0, 40.0
_DIGEST = 6  # characters


@dataclass(frozen=True, slots=True)
class Gone:
    """What is known of a text that may be gone: the fingerprint of its words, and its place ("" if unknown)."""

    words: str
    place: str = ""


class Ancestor(NamedTuple):
    """The sample that another one resembles: the share of equal words, 0 to 100.

    ``edited`` is False where they are only alike enough to belong on one side. ``same`` means: no word differs, folded.
    """

    id: str
    score: float
    edited: bool
    same: bool


def fingerprint(sample: Sample) -> str:
    """Return the words of a sample in a form that can be compared and not read: a digest, then 12 bits a word.

    Words are folded (:mod:`curation.dedup.spellings`); the turns are divided by dots. The prompt of a quote does not
    count.
    """
    turns = [m for m in sample.messages if m.role == "assistant" or (m.role == "user" and not by_replies(sample))]
    keys = [reply_key(m.content) for m in turns]
    digest = b64encode(hashlib.sha256("\n".join(keys).encode("utf-8", "surrogatepass")).digest())[:_DIGEST].decode()
    return digest + ".".join("".join(map(_code, key.split(" "))) for key in keys)


def place(sample: Sample) -> str:
    """Return where a sample comes from, to compare."""
    return f"{sample.source.path}\n{sample.source.locator}"


def likeness(one: str, other: str) -> tuple[float, bool]:
    """Return the share of equal words of two fingerprints, 0 to 100, and whether no word differs."""
    return fuzz.ratio(_readable(one), _readable(other)), one == other


def trace(new: Iterable[Sample], gone: Mapping[str, Gone]) -> dict[str, Ancestor]:
    """Return the ancestor of each new sample that has one, by id.

    The best pairs come first, and a text that is gone has one edit. What is left takes the side of what it resembles.
    """
    samples = list(new)
    if not samples or not gone:
        return {}
    found = sorted(_pairs(samples, gone), key=lambda pair: (-pair[0], pair[1], pair[2]))
    ancestors: dict[str, Ancestor] = {}
    taken: set[str] = set()
    for only_alike in (False, True):
        for _, child, old, score, edited, same in found:
            if child in ancestors or (not only_alike and (old in taken or not edited)):
                continue
            ancestors[child] = Ancestor(old, score, edited and not only_alike, same and not only_alike)
            taken.add(old)
    return ancestors


_Pair = tuple[float, str, str, float, bool, bool]  # weight, new id, id that is gone, score, edited, same


def _pairs(samples: list[Sample], gone: Mapping[str, Gone]) -> Iterable[_Pair]:
    ids = list(gone)
    prints = [fingerprint(sample) for sample in samples]
    mine, theirs = [_readable(p) for p in prints], [_readable(gone[i].words) for i in ids]
    at_place: dict[str, list[int]] = {}
    for number, old in enumerate(ids):
        if gone[old].place:
            at_place.setdefault(gone[old].place, []).append(number)
    near = cross_pairs(mine, theirs, _SAME_SIDE)
    pairs = {(int(i), int(j)): float(score) for i, j, score in zip(near.i, near.j, near.score, strict=True)}
    for number, sample in enumerate(samples):
        for other in at_place.get(place(sample), ()):
            score = fuzz.ratio(mine[number], theirs[other], score_cutoff=_EDITED_IN_PLACE)
            if score:
                pairs[number, other] = score
    for (number, other), score in pairs.items():
        old = ids[other]
        here = bool(gone[old].place) and gone[old].place == place(samples[number])
        same = prints[number] == gone[old].words
        # Of two texts that are as near, the one at the place is meant; no word that differs counts more.
        weight = score + 10 * here + 100 * same
        yield weight, samples[number].id, old, score, here or score >= _EDITED, same


@lru_cache(maxsize=1 << 15)
def _code(word: str) -> str:
    """Return two characters for a word."""
    number = int.from_bytes(hashlib.sha256(word.encode("utf-8", "surrogatepass")).digest()[:2], "big") & 0xFFF
    return b64encode((number << 4).to_bytes(2, "big"))[:2].decode()


def _readable(words: str) -> str:
    """Return a fingerprint with one character a word, for rapidfuzz; any text, also one that is not a fingerprint."""
    turns = words[_DIGEST:].split(".")
    return "\n".join("".join(_letter(turn[at : at + 2]) for at in range(0, len(turn), 2)) for turn in turns)


@lru_cache(maxsize=1 << 13)
def _letter(code: str) -> str:
    try:
        number = int.from_bytes(b64decode(f"{code}A=", validate=True), "big") >> 4
    except ValueError:
        return "?"
    return chr(0x4E00 + (number & 0xFFF))
