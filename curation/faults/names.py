"""Names in two spellings. The whole corpus decides which is the usual one, unless persona.toml lists the names."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from rapidfuzz.distance import DamerauLevenshtein

from curation.faults.dialogue import NOT_NAMES
from curation.faults.syllables import is_syllable
from curation.persona import Persona
from curation.record import Sample

_LEAST_LETTERS = 4
_USUAL = 3  # how many samples a spelling needs to be the usual one
_FAR_RARER, _LONG = 100, 6  # with another vowel it must be this much rarer, and a long name: Tanjuro is a father
_RARER = 10  # a slip of one letter is this many times rarer; two spellings of one name can be nearer
# A capitalised word that follows a small one is a name; at the start of a sentence it may be any word.
_WORD = re.compile(r"(?<![\w'’])[A-ZĐĀĒĪŌŪ][^\W\d_]*(?:-[^\W\d_]+)*")
_INSIDE = re.compile(r"(?<=[a-zà-ỹđ,] )[A-ZĐĀĒĪŌŪ][^\W\d_]*(?:-[^\W\d_]+)*")


def misspelt(samples: Sequence[Sample], persona: Persona) -> Mapping[str, str]:
    """Return the spellings of names that are not the usual ones, each with the usual one."""
    seen: Counter[str] = Counter()
    inside: set[str] = set()
    for sample in samples:
        text = "\n".join(m.content for m in sample.messages if m.role != "system")
        inside |= {word for word in _INSIDE.findall(text) if _is_name(word)}
        seen.update({word for word in _WORD.findall(text) if _is_name(word)})
    listed = {word for name in _known(persona) for word in name.split()}
    right = {word for name in persona.style.names for word in name.split()}
    found: dict[str, str] = {}
    names = sorted((n for n in seen if n in inside or n in listed), key=lambda n: (n not in listed, -seen[n], n))
    usual = sorted({*listed, *names}, key=lambda n: (n not in listed, -seen[n], n))
    for word in seen:
        if word in listed or len(word) < _LEAST_LETTERS:
            continue
        meant = next((n for n in usual if n != word and _is_slip(word, n, seen, n in listed)), None)
        # A rare name one letter away from a listed one is a slip; one that comes often is another name.
        if meant is None and seen[word] < _USUAL:
            meant = next((n for n in right if len(n) > _LEAST_LETTERS and _one_off(word, n)), None)
        if meant is not None:
            found[word] = meant
    return found


def in_texts(texts: Iterable[str], wrong: Mapping[str, str]) -> list[str]:
    """Return the misspelt names of these texts, each once."""
    return list(dict.fromkeys(word for text in texts for word in _WORD.findall(text) if word in wrong))


def _known(persona: Persona) -> tuple[str, ...]:
    return (persona.name, *persona.aliases, *persona.style.names, *(n for n in persona.address if n not in NOT_NAMES))


def _is_name(word: str) -> bool:
    """Return whether a capitalised word can be a foreign name rather than a Vietnamese word or a shout."""
    return len(word) >= _LEAST_LETTERS and not word.isupper() and not is_syllable(word)


def _is_slip(word: str, usual: str, seen: Counter[str], listed: bool) -> bool:
    if (len(usual) < _LEAST_LETTERS and not listed) or abs(len(word) - len(usual)) > 2:
        return False
    more = seen[usual]
    if _one_sound(word) == _one_sound(usual):
        return listed or (more >= _USUAL and more > 2 * seen[word])
    if not (listed or (more >= _USUAL and more >= _RARER * seen[word])):
        return False
    if word[0] == usual[0] and len(word) == len(usual) and sorted(word) == sorted(usual) and word != usual:
        return True  # the same letters in another order: `Gyiu`, `Renkogu`
    if min(len(word), len(usual)) >= _LONG and seen[word] < _USUAL and more >= _FAR_RARER and _one_off(word, usual):
        return True
    return min(len(word), len(usual)) > _LEAST_LETTERS and _one_letter(word, usual)


def _one_off(word: str, name: str) -> bool:
    return word[0] == name[0] and DamerauLevenshtein.distance(word, name) == 1


def _one_letter(word: str, usual: str) -> bool:
    """Return whether a letter is missing, doubled or in its neighbour's place; another letter makes another name."""
    if word.casefold() == usual.casefold() or word[0] != usual[0]:
        return False
    if DamerauLevenshtein.distance(word, usual) != 1:
        return False
    # Tanjuro and Tanjiro, Kanae and Kanao are two people each; a name with one more syllable is one too.
    if len(word) == len(usual):
        return sorted(word) == sorted(usual)
    longer, shorter = sorted((word, usual), key=len, reverse=True)
    return longer[:-1] != shorter


@lru_cache(maxsize=20_000)
def _one_sound(name: str) -> str:
    """Return a name without the ways to write a long vowel: Giyuu, Giyū and Giyu, Kyojuro and Kyoujurou are one."""
    bare = unicodedata.normalize("NFD", name.casefold())
    # With hyphens and marks (`Tan-ji-rổ`) a name is mangled on purpose.
    bare = "".join(c for c in bare if not unicodedata.combining(c) or ("-" in name and c != "\u0304"))
    for written, meant in (("ou", "o"), ("oh", "o"), ("-", ""), ("dz", "j"), ("tz", "ts"), ("z", "j")):
        bare = bare.replace(written, meant)
    return re.sub(r"c(?!h)", "k", re.sub(r"([aeiou])\1+", r"\1", bare))
