"""The words of a text in their usual spelling. The words of each language are in ``spellings.toml``.

Texts in, words out; knows nothing of pairs, and nothing of who talks (:mod:`curation.dedup.folding` does).
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from itertools import product
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from curation.cleaning.normalise import INVISIBLE

_TABLE = Path(__file__).with_name("spellings.toml")
_TONES = "\u0300\u0301\u0303\u0309\u0323"
_VIETNAMESE = re.compile(f"[{_TONES}\u031bđ]|[aeo]\u0302|a\u0306")  # in decomposed letters
_TOKEN = re.compile(r"[\w\u0300-\u036f]+(?:['’](?=\w)\w+)*|[^\w\s]")
# Marks that do not end a clause.
_WITHIN = frozenset("'’-–—*_`~\"“”‘«»")
_FOREIGN = str.maketrans("авеёіјкмнорстухѕԁԛԝһαενικμνορτυχ", "abeeijkmhopctyxsdqwhaevikuvoptux")
_LATIN, _LOOK_ALIKE = re.compile("[a-z]"), re.compile("[а-яёіјѕԁԛԝһα-ω]")
# Faces typed with marks: :)) =)) ^^ :D :v <3
_FACES = re.compile(
    r"(?<!\w)(?:[:;=x][-'^]?[)(\]\[dpvo3]+|<3+|\^[_.]?\^|t_t|-_-|>_<|:>|=\)+)(?!\w)",
    re.IGNORECASE,
)
# Emoji, arrows, symbols and private characters.
_PICTURES = re.compile("[\x60\x5e\xa8\xaf\xb4\xb8\u2100-\u2bff\ud800-\uf8ff\ufe00-\ufe0f\U0001f000-\U000fffff]")
_STRETCHED = re.compile(rf"([^\W\d_])([{_TONES}]?)((?:\1[{_TONES}]?){{2,}})")
_TWICE = re.compile(rf"([^\W\d_])([{_TONES}]?)\1(?![{_TONES}])")
_LAUGHTER = re.compile(r"\b([^\W\d_]{2,3}?)\1{2,}\b")
_OPEN_Y = re.compile(r"((?:ngh|ng|nh|gh|gi|kh|ph|th|tr|ch|qu|[bcdđghklmnprstvx])?)y")


class Table(BaseModel):
    """One language's lists; the head of ``spellings.toml`` says what each is for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    you: tuple[str, ...]
    nouns_too: tuple[str, ...]
    not_before: tuple[str, ...]
    me: tuple[str, ...]
    not_after: tuple[str, ...]
    openers: tuple[str, ...]
    enders: tuple[str, ...]
    verbs_too: tuple[str, ...]
    movers: tuple[str, ...]
    pointers: tuple[str, ...]
    pointed: tuple[str, ...]
    closing: tuple[str, ...]
    greetings: tuple[str, ...]
    negations: tuple[str, ...]
    between: tuple[str, ...]
    sure: tuple[str, ...]
    spellings: dict[str, str]
    opposites: dict[str, str]
    doubled: str = ""


class Word(NamedTuple):
    """A folded word, and whether it was written with a capital letter."""

    text: str
    capital: bool = False


class Phrases:
    """A list of a table, to find at a place of a clause."""

    def __init__(self, phrases: Iterable[str]) -> None:
        self._found = {tuple(phrase.split(" ")) for phrase in phrases}
        self._first = {phrase[0] for phrase in self._found}
        self._longest = max(map(len, self._found), default=0)

    def at(self, words: Sequence[str], start: int) -> int:
        """Return the length of the longest phrase that begins at ``start``, 0 where none does."""
        if start >= len(words) or words[start] not in self._first:
            return 0
        sizes = range(min(self._longest, len(words) - start), 0, -1)
        return next((n for n in sizes if tuple(words[start : start + n]) in self._found), 0)

    def ends(self, words: Sequence[str]) -> int:
        """Return the length of the longest phrase at the end, 0 where there is none."""
        sizes = range(min(self._longest, len(words)), 0, -1)
        return next((n for n in sizes if tuple(words[-n:]) in self._found), 0)


class Language:
    """One language's table in canonical spelling."""

    def __init__(self, code: str, table: Table) -> None:
        self.vietnamese = code == "vi"
        self.sure = frozenset(table.sure)
        self._known: dict[str, Word] = {}  # as typed: a corpus has few different words, and each many times
        self._doubled = frozenset(table.doubled.split())
        self._spellings = {tuple(typed.split(" ")): meant.split(" ") for typed, meant in table.spellings.items()}
        self._first = {typed[0] for typed in self._spellings}
        self._longest = max(map(len, self._spellings))
        self._opposites = {tuple(self._phrase(a).split(" ")): self._phrase(b) for a, b in table.opposites.items()}
        self._opposite_ends = {words[-1] for words in self._opposites}
        self.negations = frozenset(map(self._phrase, table.negations))
        self.you, self.nouns_too = self._phrases(table.you), self._phrases(table.nouns_too)
        self.openers, self.enders = self._phrases(table.openers), self._phrases(table.enders)
        self.verbs_too, self.greetings = self._phrases(table.verbs_too), self._phrases(table.greetings)
        self.closing = self._phrases(table.closing)
        self.not_before = frozenset(map(self._phrase, table.not_before))
        self.me, self.not_after = frozenset(map(self._phrase, table.me)), frozenset(map(self._phrase, table.not_after))
        self.pointers, self.between = self._phrases(table.pointers), frozenset(map(self._phrase, table.between))
        self.movers, self.pointed = (frozenset(map(self._phrase, words)) for words in (table.movers, table.pointed))

    def clauses(self, text: str) -> list[list[Word]]:
        """Return the words of a text by clause, without marks, emoji and faces.

        Full-width and look-alike letters are Latin, stretched sounds are short, chat spellings are written out. The
        place of a tone mark, ``i``/``y``, contractions and a negated opposite (``not safe``) do not matter.
        """
        text = unicodedata.normalize("NFC", unicodedata.normalize("NFKC", INVISIBLE.sub("", text)))
        typed: list[list[Word]] = [[]]
        for piece in _TOKEN.findall(_latin(_without_pictures(text))):
            if piece[0].isalnum():
                if (word := self._known.get(piece)) is None:
                    small = unicodedata.normalize("NFC", piece.casefold()).replace("’", "'")
                    word = self._known[piece] = Word(self._short(small), piece[0].isupper())
                typed[-1].append(word)
            elif piece not in _WITHIN:
                typed.append([])
        return [self._written_out(clause) for clause in typed if clause]

    def canonical(self, word: str) -> str:
        """Return a syllable with its tone at its end, ``i`` for an open ``y``: ``hoà`` is ``hòa``, ``kỳ`` is ``kì``."""
        return _canonical(word) if self.vietnamese else word

    def _phrase(self, text: str) -> str:
        return " ".join(map(self.canonical, text.split(" ")))

    def _phrases(self, texts: Iterable[str]) -> Phrases:
        return Phrases(map(self._phrase, texts))

    def _written_out(self, clause: list[Word]) -> list[Word]:
        """Write chat spellings out, then put the opposite in the place of a negated word."""
        found: list[Word] = []
        at = 0
        while at < len(clause):
            size, meant = self._meant(clause, at)
            for word in meant:
                found.append(Word(self.canonical(word), clause[at].capital))
                for of in (1, 2) if found[-1].text in self._opposite_ends else ():
                    opposite = self._opposites.get(tuple(one.text for one in found[-of:]))
                    if opposite and len(found) > of and found[-of - 1].text in self.negations:
                        found[-of - 1 :] = map(Word, opposite.split(" "))
            at += size
        return found

    def _meant(self, clause: list[Word], at: int) -> tuple[int, list[str]]:
        """Return how many words are one spelling, and the words that it stands for."""
        word = clause[at].text
        # A unit after a number is not a chat spelling: "5 m", "3 k".
        counted = at > 0 and clause[at - 1].text.isdigit() and len(word) == 1 and word != "h"
        if word in self._first and not counted:
            for size in range(self._longest, 0, -1):
                typed = tuple(one.text for one in clause[at : at + size])
                if typed in self._spellings:
                    return len(typed), self._spellings[typed]
        # A text that says no says it alike: "doesn't", "does not".
        return 1, [word[:-3], "not"] if word.endswith("n't") and len(word) > 3 else [word]

    def _short(self, word: str) -> str:
        """Take out the stretching: ``nàooooo`` is ``nào``, ``goooood`` is ``good``, ``hahahaha`` is ``haha``."""
        if len(word) < 3 or word.isdigit():
            return word
        # With the tones apart, and no other mark: ``ư`` and ``u`` are two letters, ``à`` and ``a`` are one sound.
        apart = _tones_apart(word)
        if runs := len(_STRETCHED.findall(apart)):
            choices = product((2, 1), repeat=min(runs, 4)) if self._doubled else ()
            shorter = (_unstretched(apart, sizes) for sizes in choices)
            apart = next((word for word in shorter if word in self._doubled), _unstretched(apart, ()))
        if self.vietnamese and "oong" not in apart:  # xoong, boong
            apart = _TWICE.sub(r"\1\2", apart)
        return _LAUGHTER.sub(r"\1\1", unicodedata.normalize("NFC", apart))


@cache
def languages() -> dict[str, Language]:
    """Return the languages of the table, by code."""
    tables = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return {code: Language(code, Table(**table)) for code, table in tables.items()}


def language_of(text: str) -> Language:
    """Return the language of a text: Vietnamese where a letter or a spelling shows it, else English."""
    bare = unicodedata.normalize("NFD", text.casefold())
    vietnamese = languages()["vi"]
    if _VIETNAMESE.search(bare) or not vietnamese.sure.isdisjoint(re.findall(r"[^\W\d_]+", bare)):
        return vietnamese
    return languages()["en"]


def words(text: str) -> list[str]:
    """Return the folded words of a text, as :meth:`Language.clauses` gives them."""
    return [word.text for clause in language_of(text).clauses(text) for word in clause]


def negations(words: Iterable[str]) -> int:
    """Return how many of some folded words say no, in any language of the table."""
    return sum(word in _negations() for word in words)


@cache
def _negations() -> frozenset[str]:
    return frozenset[str]().union(*(language.negations for language in languages().values()))


@cache
def between() -> frozenset[str]:
    """Return the words whose two sides may change places without another meaning, in any language."""
    return frozenset[str]().union(*(language.between for language in languages().values()))


def _without_pictures(text: str) -> str:
    """Blank emoji, pictures and typed faces."""
    return _FACES.sub(" ", _PICTURES.sub(" ", text))


def _latin(text: str) -> str:
    """Write Cyrillic and Greek letters that look Latin as Latin, in a text that is mostly Latin."""
    small = text.casefold()
    alike = _LOOK_ALIKE.findall(small)
    if not alike or len(alike) > len(_LATIN.findall(small)):
        return text
    return "".join(c.casefold().translate(_FOREIGN).upper() if c.isupper() else c.translate(_FOREIGN) for c in text)


def _unstretched(apart: str, sizes: Sequence[int]) -> str:
    """Leave of each stretched sound as many letters as ``sizes`` says in turn, by default one, with its tone."""
    left = iter(sizes)

    def one(run: re.Match[str]) -> str:
        tone = run[2] or next((c for c in run[3] if c in _TONES), "")
        return run[1] * next(left, 1) + tone

    return _STRETCHED.sub(one, apart)


@lru_cache(maxsize=1 << 14)
def _tones_apart(word: str) -> str:
    """Return a word with its tone marks as characters of their own, after their vowels; other marks stay joined."""
    pieces = []
    for letter in word:
        bare = unicodedata.normalize("NFD", letter)
        tones = "".join(c for c in bare if c in _TONES)
        pieces.append(unicodedata.normalize("NFC", "".join(c for c in bare if c not in _TONES)) + tones)
    return "".join(pieces)


@lru_cache(maxsize=1 << 14)
def _canonical(word: str) -> str:
    apart = _tones_apart(word)
    tone = "".join(c for c in apart if c in _TONES)
    base = "".join(c for c in apart if c not in _TONES)
    if base[:1] == "f":
        base = f"ph{base[1:]}"
    match = _OPEN_Y.fullmatch(base)
    return (f"{match[1]}i" if match else base) + tone
