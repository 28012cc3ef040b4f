"""What a search asks for, and where a text answers it. Pure; the store and the page use the same rules.

Comes in: what an annotator typed. Goes out: the parts that a text must hold, and the places where it holds them.

- ``mat`` finds `mật`, `MẬT` and its decomposed form: a part without marks ignores marks, and case never counts.
- ``mật`` finds only `mật`, and ``đ`` only `đ`: a part with marks means them.
- Several words are all wanted, in any order. ``"a quoted phrase"`` is wanted as it is.
- ``/…/`` is a regular expression (of the ``regex`` package), in which the same is true of marks and case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import regex

from curation.errors import UsageError

# Latin, Greek and Cyrillic accents. The marks of other scripts, such as the two of kana (か, が), make other letters.
_MARKS = re.compile("[\u0300-\u036f]+")
# One letter with its marks, or a run of spaces.
_CLUSTER = regex.compile(r"\s+|\X")
_PARTS = re.compile(r'"([^"]*)"|(\S+)')
# An id's first digits, as many as an annotator might copy.
_ID = re.compile(r"[0-9a-f]{6,64}")

# How long a pattern may work on one text. A plain one takes microseconds, a catastrophic one takes for ever.
_SECONDS_A_TEXT = 0.2


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a text must hold, as :func:`folded` gives it. ``marks`` says that its marks count."""

    text: str
    marks: bool


@dataclass(frozen=True, slots=True)
class Query:
    """A search. Either ``pattern`` is set, or all ``parts`` are wanted; neither means that everything is found."""

    parts: tuple[Part, ...] = ()
    pattern: Any = None
    marks: bool = False


class BadPattern(UsageError):
    """A regular expression that is not one, or that takes too long. The message says which and what to do."""


@lru_cache(maxsize=256)
def parse(typed: str) -> Query:
    """Return what the text of a search field asks for. Raises BadPattern."""
    typed = typed.strip()
    if len(typed) > 2 and typed[0] == typed[-1] == "/":
        return _pattern(typed[1:-1])
    wanted = (folded(quoted or plain.replace('"', ""), True) for quoted, plain in _PARTS.findall(typed))
    return Query(tuple(Part(text, _has_marks(text)) for text in wanted if text))


def _pattern(text: str) -> Query:
    text = unicodedata.normalize("NFC", text)
    try:
        return Query(pattern=regex.compile(text, regex.IGNORECASE | regex.MULTILINE), marks=_has_marks(text))
    except (regex.error, OverflowError, RecursionError) as error:
        raise BadPattern(
            f"/{text}/ is not a regular expression: {error}. Correct it, or leave out the slashes to search for words."
        ) from None


def folded(text: str, marks: bool) -> str:
    """Return a text as searches compare it: NFC, in one case, spaces as one blank, and without marks if asked for."""
    text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())
    if not marks:
        text = unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFD", text))).replace("đ", "d")
    return " ".join(text.replace("\0", " ").split())


def looks_like_id(part: Part) -> bool:
    """Return whether a part may be the beginning of a sample's id."""
    return _ID.fullmatch(part.text) is not None


def found_by(query: Query, plain: str, marked: str) -> bool:
    """Return whether a pattern finds a text, given without and with marks. Raises BadPattern if it takes too long."""
    try:
        return query.pattern.search(marked if query.marks else plain, timeout=_SECONDS_A_TEXT) is not None
    except TimeoutError:
        raise BadPattern(
            f"/{query.pattern.pattern}/ takes too long. A repetition inside a repetition, such as (a|aa)+, makes it "
            "try every way to cut the text up. Write it without one, or search for words."
        ) from None


def places(query: Query, text: str) -> list[tuple[int, int]]:
    """Return where a text answers a query: (start, end) in ``text``, in order, without overlaps.

    A pattern that takes too long marks nothing: the search itself reports that.
    """
    found: list[tuple[int, int]] = []
    for marks in (False, True):
        wanted = [part.text for part in query.parts if part.marks == marks]
        if not wanted and (query.pattern is None or query.marks != marks):
            continue
        compared, starts, ends = _mapped(text, marks)
        spans = _spans(query.pattern, compared) if query.pattern is not None else _literal(wanted, compared)
        found += [(starts[start], ends[end - 1]) for start, end in spans]
    return joined(found)


def joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return spans in order, those that overlap or touch as one."""
    result: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return result


def _literal(wanted: list[str], text: str) -> Iterator[tuple[int, int]]:
    for match in re.finditer("|".join(map(re.escape, sorted(wanted, key=len, reverse=True))), text):
        yield match.span()


def _spans(pattern: Any, text: str) -> list[tuple[int, int]]:
    try:
        return [m.span() for m in pattern.finditer(text, timeout=_SECONDS_A_TEXT) if m.end() > m.start()]
    except TimeoutError:
        return []


def _mapped(text: str, marks: bool) -> tuple[str, list[int], list[int]]:
    """Return :func:`folded` of a text with, for each of its letters, where its cluster starts and ends in the text."""
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for match in _CLUSTER.finditer(text):
        cluster = match.group()
        piece = folded(cluster, marks) or (" " if cluster.isspace() or cluster == "\0" else "")
        if piece == " " and (not pieces or pieces[-1].endswith(" ")):
            continue
        pieces.append(piece)
        starts += [match.start()] * len(piece)
        ends += [match.end()] * len(piece)
    return "".join(pieces), starts, ends


def _has_marks(text: str) -> bool:
    return folded(text, False) != folded(text, True)
