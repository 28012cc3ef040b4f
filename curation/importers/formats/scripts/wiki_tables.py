"""Wikitables: rows of cells, and which cell is the speaker's name and which the words. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from curation.transcripts.speakers import is_name

_ATTRIBUTES = re.compile(r"^\s*(?:[\w-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s|\"']+)\s*)+\|(?!\|)")
_TIME = re.compile(r"^\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?$")
_WHO = re.compile(r"(?i)speaker|character|name|who|role|nhân vật|người nói|tên|名前|話者|キャラ")
_SAYS = re.compile(r"(?i)line|dialogue|quote|words|text|said|says|lời|thoại|câu|台詞|セリフ")

_LANGUAGES = {
    "en": re.compile(r"(?i)english|tiếng anh|英語"),
    "vi": re.compile(r"(?i)vietnamese|tiếng việt|ベトナム語"),
    "ja": re.compile(r"(?i)japanese|kanji|tiếng nhật|日本語"),
}


@dataclass(slots=True)
class TableRow:
    """The cells of a row with the number of its line; ``header``: all of them are headers."""

    number: int
    cells: list[str] = field(default_factory=list)
    headers: int = 0

    @property
    def header(self) -> bool:
        """Return whether the row only names the columns."""
        return bool(self.cells) and self.headers == len(self.cells)


@dataclass(slots=True)
class Table:
    """A table that is read line by line. ``rows`` are complete; lines without a mark continue the last cell."""

    rows: list[TableRow] = field(default_factory=list)

    def add(self, line: str, number: int) -> None:
        """Read one line inside the table."""
        text = line.strip()
        if text.startswith("|-"):
            self.rows.append(TableRow(number))
        elif text[:1] in ("|", "!"):
            if not self.rows:
                self.rows.append(TableRow(number))
            row = self.rows[-1]
            cells = re.split(r"\|\||!!" if text[0] == "!" else r"\|\|", text[1:])
            row.number = row.number if row.cells else number
            row.cells += [_ATTRIBUTES.sub("", cell).strip() for cell in cells]
            row.headers += len(cells) if text[0] == "!" else 0
        elif self.rows and self.rows[-1].cells:
            self.rows[-1].cells[-1] += f"\n{line}"


def timed(words: str, others: Sequence[str]) -> str:
    """Return the words of a row behind the time that another cell of it holds, if one does."""
    time = next((cell.strip() for cell in others if _TIME.match(cell.strip())), "")
    return f"[{time}] {words}" if time else words


def is_time(cell: str) -> bool:
    """Return whether a cell is a time."""
    return _TIME.match(cell.strip()) is not None


def columns(titles: Sequence[str], languages: Sequence[str]) -> tuple[int, int] | None:
    """Return the places of the speaker's column and the words' by their titles, or None where they do not tell.

    Of columns that are called after languages, the first of ``languages`` that the table has holds the words.
    """
    who = [i for i, title in enumerate(titles) if _WHO.search(title)]
    for language in languages:
        named = [i for i, title in enumerate(titles) if language in _LANGUAGES and _LANGUAGES[language].search(title)]
        if who and named:
            return who[0], named[0]
    says = [i for i, title in enumerate(titles) if _SAYS.search(title) and i not in who[:1]]
    return (who[0], says[0]) if who and says else None


def speaker_and_words(cells: Sequence[str], known: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return the places of a row's name and words, or None where no cell is a name before the words."""
    if known and max(known) < len(cells):
        return known
    for place, cell in enumerate(cells[:-1]):
        if is_name(cell.rstrip(":： ")):
            return place, place + 1
    return None
