"""Which entries of a lorebook fire in a conversation.

Keys are compared after NFC, without case (unless the entry wants it), without zero-width characters, and with any white
space as one space. A book with thousands of entries is searched by the first letters of its keys, so that the time
follows the length of the messages. Patterns have a limit in time: a book may come from a stranger.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from curation.lorebook.book import Book, Entry
from curation.lorebook.macros import scanned
from curation.record import Message

# Entries that fire entries that fire entries: how often the new ones are scanned, and how many characters in all.
ROUNDS = 5
MOST_SCANNED = 100_000
# Seconds for one pattern in one message, and for all patterns of a request. Beyond them a pattern does not match.
PATTERN_SECONDS = 0.02
ALL_PATTERNS_SECONDS = 0.1
# Zero-width and invisible: they divide a word for a computer alone.
_INVISIBLE = dict.fromkeys(
    [0xAD, 0x180E, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A)]
)
# Between messages, so that no key begins in one and ends in another.
_BETWEEN = "\0"
# How many letters of a key are looked up first: as many of these as it has.
_GRAMS = (1, 2, 3, 6)
# Written without spaces between words: a whole word cannot be told there.
_NO_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_SLASHED = re.compile(r"/(?P<pattern>.+)/(?P<flags>[a-z]*)", re.DOTALL)


def fired(book: Book, messages: Sequence[Message]) -> list[Entry]:
    """Return the entries that fire on messages, the lowest ``insertion_order`` first; the last message is the newest.

    Entries that stand beside the system prompt are not among them, but what they say may fire others.
    """
    turns = [m for m in messages if m.role != "system"]
    index = _index(book)
    scan = _Scan(book, turns)
    replies = sum(m.role == "assistant" for m in turns)
    before = index.before(book, turns)
    found: dict[int, Entry] = {}
    new: list[Entry] = []
    for round_ in range(ROUNDS + 1 if book.recursive else 1):
        if round_:
            scan.add(e.content for e in (*(index.standing if round_ == 1 else ()), *new) if e.fires_others)
        hits = index.hits(scan, recursive=bool(round_)) - found.keys()
        if not round_:
            hits |= {n for n in before if index.entries[n].keeps}
        new = [e for n in sorted(hits) if n not in index.stands and _may((e := index.entries[n]), replies, n in before)]
        found |= {index.places[entry.number]: entry for entry in new}
        if round_ and not new:
            break
    return sorted(found.values(), key=lambda entry: (entry.order, entry.number))


def within(entries: Iterable[Entry], sizes: Iterable[int], budget: int) -> list[Entry]:
    """Return the entries that a budget has room for, in their order; ``sizes`` are in the budget's unit.

    One that is too long by itself goes first, then those of the lowest priority.
    """
    sized = [(entry, size) for entry, size in zip(entries, sizes, strict=True) if size <= budget]
    total = sum(size for _, size in sized)
    out: set[int] = set()
    for entry, size in sorted(sized, key=lambda pair: (pair[0].weight, -pair[0].number)):
        if total <= budget:
            break
        out.add(entry.number)
        total -= size
    return [entry for entry, _ in sized if entry.number not in out]


def plain(text: str, fold: bool = True) -> str:
    """Return a text as keys are compared with it."""
    return _plain(text, fold)


@lru_cache(maxsize=8192)
def _plain(text: str, fold: bool) -> str:
    text = unicodedata.normalize("NFC", text.translate(_INVISIBLE))
    # Folding takes some letters apart (İ): compose them again.
    text = unicodedata.normalize("NFC", text.casefold()) if fold else text
    return " ".join(text.replace(_BETWEEN, " ").split())


class _Scan:
    """The texts that keys are looked for in: the newest messages and, in later rounds, what fired before."""

    def __init__(self, book: Book, turns: Sequence[Message]) -> None:
        self._book, self._turns = book, turns
        self._more: list[str] = []
        self._texts: dict[tuple[int, bool], str] = {}
        self._until = time.monotonic() + ALL_PATTERNS_SECONDS

    def add(self, contents: Iterable[str]) -> None:
        """Scan contents of entries too, from now on."""
        self._texts.clear()
        room = MOST_SCANNED - sum(map(len, self._more))
        for content in contents:
            if (room := room - len(content)) < 0:
                break
            self._more.append(scanned(content))

    def parts(self, entry_depth: int | None) -> list[str]:
        """Return the raw texts for a depth."""
        depth = self._book.scan_depth if entry_depth is None else entry_depth
        return [*(m.content for m in self._turns[max(0, len(self._turns) - depth) :]), *self._more]

    def text(self, entry_depth: int | None, fold: bool) -> str:
        """Return the texts for a depth as one, ready to be compared."""
        depth = self._book.scan_depth if entry_depth is None else entry_depth
        if (depth, fold) not in self._texts:
            self._texts[depth, fold] = _BETWEEN.join(_plain(part, fold) for part in self.parts(depth))
        return self._texts[depth, fold]

    def matches(self, pattern: Any, entry_depth: int | None) -> bool:
        """Return whether a pattern is found in one of the texts, in time."""
        for part in self.parts(entry_depth):
            left = min(PATTERN_SECONDS, self._until - time.monotonic())
            if left <= 0:
                return False
            try:
                if pattern.search(unicodedata.normalize("NFC", part.translate(_INVISIBLE)), timeout=left):
                    return True
            except TimeoutError:
                continue
        return False


class _Index:
    """The keys of a book by depth, case and first letters."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = [entry for entry in entries if entry.speaks]
        self.places = {entry.number: place for place, entry in enumerate(self.entries)}
        self.stands = {place for place, entry in enumerate(self.entries) if entry.stands}
        self.standing = [self.entries[place] for place in sorted(self.stands)]
        self._remembering = [entry for entry in self.entries if entry.keeps or entry.once]
        self._always = {
            n for n, entry in enumerate(self.entries) if entry.always or (entry.constant and not entry.use_regex)
        }
        self._patterns: list[tuple[int, list[Any]]] = []
        keyed: dict[tuple[int | None, bool], list[tuple[str, int]]] = {}
        for number, entry in enumerate(self.entries):
            if entry.use_regex:
                self._patterns.append((number, _compiled(entry)))
                continue
            group = keyed.setdefault((entry.scan_depth, not entry.case_sensitive), [])
            keys = dict.fromkeys(_plain(key, not entry.case_sensitive) for key in entry.keys)
            group += [(key, number) for key in keys if key]
        self._groups = {kind: _by_letters(keys) for kind, keys in keyed.items()}

    def hits(self, scan: _Scan, recursive: bool) -> set[int]:
        """Return the entries whose keys, secondary keys and patterns are found."""
        hits = set(self._always)
        for (depth, fold), group in self._groups.items():
            text = scan.text(depth, fold)
            for size, keys in group.items():
                for gram in keys.keys() & {text[at : at + size] for at in range(len(text) - size + 1)}:
                    for key, number in keys[gram]:
                        if number not in hits and _holds(text, key, self.entries[number].whole_words):
                            hits.add(number)
        hits |= {
            n for n, patterns in self._patterns if any(scan.matches(p, self.entries[n].scan_depth) for p in patterns)
        }
        return {n for n in hits if not (recursive and self.entries[n].only_messages) and self._agrees(n, scan)}

    def _agrees(self, number: int, scan: _Scan) -> bool:
        """Return whether the keys beside an entry's own ones let it fire."""
        entry = self.entries[number]
        if entry.use_regex or not (entry.secondary or entry.also or entry.excluded) or entry.always:
            return True
        fold = not entry.case_sensitive
        text = scan.text(entry.scan_depth, fold)

        def has(keys: Iterable[str]) -> list[bool]:
            return [bool(key) and _holds(text, key, entry.whole_words) for key in (_plain(k, fold) for k in keys)]

        if entry.secondary and not entry.constant:
            seen = has(entry.secondary)
            if not {"any": any(seen), "all": all(seen), "not_any": not any(seen), "not_all": not all(seen)}[
                entry.logic
            ]:
                return False
        return (not entry.also or any(has(entry.also))) and not any(has(entry.excluded))

    def before(self, book: Book, turns: Sequence[Message]) -> set[int]:
        """Return which of the entries that remember fired at an earlier message of the user."""
        if not self._remembering:
            return set()
        small = _Index(self._remembering)
        found: set[int] = set()
        for end in (n + 1 for n, m in enumerate(turns[:-1]) if m.role == "user"):
            replies = sum(m.role == "assistant" for m in turns[:end])
            fired_then = (small.entries[n] for n in small.hits(_Scan(book, turns[:end]), recursive=False))
            found |= {self.places[entry.number] for entry in fired_then if _counts(entry, replies)}
        return found


def _by_letters(keys: Sequence[tuple[str, int]]) -> dict[int, dict[str, list[tuple[str, int]]]]:
    """Return keys by how many letters are looked up, then by these: a key's first or last, the rarer ones."""
    ends = [(key[:size], key[-size:]) for key, _ in keys for size in [_letters(key)]]
    common = Counter(end for pair in ends for end in set(pair))
    found: dict[int, dict[str, list[tuple[str, int]]]] = {}
    for (key, number), pair in zip(keys, ends, strict=True):
        found.setdefault(_letters(key), {}).setdefault(min(pair, key=common.__getitem__), []).append((key, number))
    return found


def _letters(key: str) -> int:
    return max(size for size in _GRAMS if size <= len(key))


def _may(entry: Entry, replies: int, before: bool) -> bool:
    """Return whether an entry's conditions on the course of the conversation hold."""
    return (before and entry.keeps and not entry.once) or (_counts(entry, replies) and not (entry.once and before))


def _counts(entry: Entry, replies: int) -> bool:
    return entry.always or (replies >= entry.after and replies % entry.every == 0)


def _holds(text: str, key: str, whole: bool) -> bool:
    if not whole:
        return key in text
    at = text.find(key)
    while at >= 0:
        end = at + len(key)
        if not _joins(text[at - 1 : at], key[0]) and not _joins(key[-1], text[end : end + 1]):
            return True
        at = text.find(key, at + 1)
    return False


def _joins(left: str, right: str) -> bool:
    """Return whether two letters side by side belong to one word."""
    return all(c.isalnum() and not _NO_SPACES.match(c) for c in (left, right)) if left and right else False


def _compiled(entry: Entry) -> list[Any]:
    """Return the patterns of an entry; an invalid one never matches."""
    return [
        pattern for key in (*entry.keys, *entry.also) if (pattern := compiled(key, entry.case_sensitive)) is not None
    ]


def compiled(key: str, case_sensitive: bool | None) -> Any:
    """Return a key as a pattern, also one that is written ``/pattern/flags``; None for an invalid one."""
    import regex  # only a book with patterns needs it; the standard library's has no limit in time

    flags = 0 if case_sensitive else regex.IGNORECASE
    if slashed := _SLASHED.fullmatch(key):
        key = slashed["pattern"]
        known = {"i": regex.IGNORECASE, "m": regex.MULTILINE, "s": regex.DOTALL}
        flags = sum({known[f] for f in slashed["flags"] if f in known})
    try:
        return regex.compile(unicodedata.normalize("NFC", key), flags)
    except (regex.error, ValueError, OverflowError, RecursionError, MemoryError):
        return None


_INDICES: WeakKeyDictionary[Book, _Index] = WeakKeyDictionary()


def _index(book: Book) -> _Index:
    if (index := _INDICES.get(book)) is None:
        index = _INDICES[book] = _Index(book.entries)
    return index
