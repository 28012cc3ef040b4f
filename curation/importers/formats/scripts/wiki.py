"""MediaWiki and Fandom transcripts (.wiki, .wikitext, .mediawiki): `'''Name:''' line`, tables, lists, quote templates.

Sections are scenes. Markup is resolved in ``wiki_markup``; this module reads who says each row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from curation.errors import InosukeError
from curation.importers.formats.scripts import markdown, quotes, stamps, wiki_tables
from curation.importers.formats.scripts.labels import HEADING, Layout, layout_of
from curation.importers.formats.scripts.rows import Row, of_text
from curation.importers.formats.scripts.wiki_markup import BOLD_ALONE, BOLD_LABEL, OPEN, SEP, resolve, words
from curation.importers.lines.raw_line import RawLine
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected
from curation.transcripts.speakers import is_name

_HEADING = re.compile(r"^\s*(={1,6})\s*(?P<title>.+?)\s*\1\s*$")
_INDENT = re.compile(r"^[*:;#]+\s*")
_DEFINED = re.compile(r"^;\s*(?P<name>[^:：\n]{1,60}?)\s*(?:[:：]\s*(?P<rest>.*))?$")
_BOLD_ITALICS = re.compile(r"'{4,}")
_DIRECTION = re.compile(r"^(?:''\s*[\[(]?.*?[\])]?\s*''|\[[^\[\]]*\]|\([^()]*\))$")
# (opening, closing): mwparserfromhell backtracks to each one that is never closed, so time grows with their square.
_PAIRS = (("{{", "}}"), ("[[", "]]"), ("{|", "|}"), (r"<[a-zA-Z]", r"</|/>"))
MAX_UNCLOSED = 100


@dataclass(slots=True)
class _Piece:
    """A piece of a row. ``depth`` is its indent; ``turn`` counts the speeches of the page."""

    text: str
    place: str
    speaker: str = ""
    evidence: str = ""
    depth: int = 0
    after_blank: bool = False
    times: tuple[int | None, int | None] = (None, None)


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read the lines of a page. Raises InosukeError for a page without lines or with much unclosed markup."""
    return read_pages(file, [file.text], persona)


def read_pages(file: SourceFile, pages: Sequence[str], persona: Persona, rejected: Iterable[Rejected] = ()) -> Imported:
    """Read the lines of several pages of one file, such as an export; each page is a scene."""
    lines: list[RawLine] = []
    left_out = list(rejected)
    for number, text in enumerate(pages, 1):
        _check(file, text)
        page = _Page(file, f"page {number} " if len(pages) > 1 else "", persona.languages)
        page.read(text)
        lines += page.lines(persona)
        left_out += page.rejected
    return to_imported(file, lines, persona, "wiki", left_out, script=True)


def _check(file: SourceFile, text: str) -> None:
    for opening, closing in _PAIRS:
        open_ended = len(re.findall(opening if "<" in opening else re.escape(opening), text))
        open_ended -= len(re.findall(closing if "<" in closing else re.escape(closing), text))
        if open_ended > MAX_UNCLOSED:
            raise InosukeError(
                f"{file.path}: {open_ended:,} times `{opening}` without its end. Expected a whole wiki page; "
                "fetch it again."
            )


@dataclass(slots=True)
class _Page:
    """One page, read row by row into pieces; then the pieces without a speaker are looked at together."""

    file: SourceFile
    prefix: str
    languages: Sequence[str]
    pieces: list[_Piece] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    section: int = 1
    number: int = 0
    blank: bool = True
    defined: str = ""
    times: tuple[int | None, int | None] = (None, None)

    def read(self, text: str) -> None:
        """Read the rows of the page's source."""
        tables: list[wiki_tables.Table] = []
        for timed in stamps.read(of_text(resolve(self.file, text, self.prefix, self.rejected))):
            row = f"{timed.name}: {timed.text}" if timed.name else timed.text
            self.times = (timed.start_ms, timed.end_ms)
            stripped = row.strip()
            if stripped.startswith("{|"):
                tables.append(wiki_tables.Table())
            elif stripped.startswith("|}") and tables:
                self._table(tables.pop())
            elif tables and stripped.startswith("|+"):
                self._reject(reason="heading", text=words(stripped[2:]), detail="the title of a table")
            elif tables:
                self.number += 1
                tables[-1].add(row, self.number)
            else:
                self._row(row)
        for table in tables:
            self._table(table)

    def lines(self, persona: Persona) -> list[RawLine]:
        """Return the lines, each with its speaker where the page names one."""
        rows = [Row(f"{p.speaker}: {p.text}" if p.speaker else p.text, p.place) for p in self.pieces]
        layout = layout_of(rows, persona)
        lines: list[RawLine] = []
        turn: list[RawLine] = []
        waiting: _Piece | None = None
        speaker, evidence, depth = "", "", 0
        for piece, label in zip(self.pieces, layout.found, strict=True):
            text = piece.text
            if piece.speaker:
                speaker, evidence, depth = piece.speaker, piece.evidence, piece.depth
            elif label:
                speaker, evidence, text, depth = label.name, label.evidence, label.rest, piece.depth
            elif not (speaker and self._continues(piece, depth, turn, layout)):
                speaker, evidence = "", ""
            if piece.speaker or label or not speaker:
                self._end(turn, waiting)
                turn, waiting = [], None
            if not text:
                waiting = piece
                continue
            waiting = None
            start, end = piece.times
            line = RawLine(markdown.plain(text), piece.place, start, end, speaker=speaker, evidence=evidence)
            lines.append(line)
            turn += [line] if speaker else []
        self._end(turn, waiting)
        return lines

    def _end(self, turn: list[RawLine], name: _Piece | None) -> None:
        """End a speech; a name that nothing was said below is a heading."""
        quotes.take_off(turn)
        if name is not None:
            text = name.speaker or markdown.plain(name.text)
            source = self.file.at(name.place, "wiki")
            why = "a name, and nothing is said below it"
            self.rejected.append(Rejected(source=source, reason="heading", text=text, detail=why))

    def _continues(self, piece: _Piece, depth: int, turn: Sequence[RawLine], layout: Layout) -> bool:
        """Return whether a row without a label goes on with the speech above: indented below it, or after a name."""
        if layout.may_be_another(piece.text):
            return False
        return not turn or (piece.depth > depth and not piece.after_blank)

    def _row(self, row: str) -> None:
        if heading := _HEADING.match(row):
            self._heading(words(heading["title"]))
            return
        if not row.strip():
            self.blank, self.defined = True, ""
            return
        self.number += 1
        self._words(row)
        self.blank = False

    def _words(self, row: str) -> None:
        """Read a row that is not markup of the page: a template's line, a direction, or words with labels."""
        bare = _INDENT.sub("", row.strip()).strip()
        depth = len(row) - len(row.lstrip("*:;#"))
        if row.startswith(OPEN):
            speaker, _, said = row[1:].partition(SEP)
            self._add(words(said), words(speaker), evidence="template" if speaker else "")
        elif _DIRECTION.match(bare) and not bare.startswith("'''"):
            self._reject(reason="stage_direction", text=words(bare), detail="what is done, not said")
        elif row.startswith(";") and HEADING.match(bare):
            self._reject(reason="heading", text=words(bare), detail="the title of a part")
        elif alone := BOLD_ALONE.match(_BOLD_ITALICS.sub("'''", bare)):
            self.defined = ""
            self._add(f"**{words(alone['name'])}**", "", evidence="", depth=depth)
        elif (defined := _DEFINED.match(row)) and is_name(name := words(defined["name"])) and not HEADING.match(name):
            self.defined = name
            if defined["rest"]:
                self._labelled(defined["rest"], depth, name)
        else:
            if self.defined and row.startswith(":") and not BOLD_LABEL.search(row):
                self._add(words(bare), self.defined, evidence="bold", depth=depth)
                return
            self.defined = ""
            self._labelled(bare, depth)

    def _labelled(self, text: str, depth: int, speaker: str = "") -> None:
        """Cut a row at its bold labels. The words before the first are ``speaker``'s, if there is one."""
        text = _BOLD_ITALICS.sub("'''", text)
        labels = list(BOLD_LABEL.finditer(text))
        cuts = [0, *(label.start() for label in labels), len(text)]
        names = [speaker, *(words(label["label"]) for label in labels)]
        for index, name in enumerate(names):
            start = labels[index - 1].end() if index else 0
            said = words(text[start : cuts[index + 1]])
            if said or name:
                self._add(said, name, evidence="bold" if name else "", depth=depth)

    def _add(self, text: str, speaker: str, *, evidence: str, depth: int = 0) -> None:
        if text or speaker:
            self.pieces.append(_Piece(text, self._place(), speaker, evidence, depth, self.blank, self.times))
            self.times = (None, None)

    def _table(self, table: wiki_tables.Table) -> None:
        """Read a table: a row of headers names the columns; a row of one cell holds ordinary rows."""
        known: tuple[int, int] | None = None
        here = self.number
        for row in table.rows:
            self.number = row.number
            self.blank = True
            cells = [words(cell) for cell in row.cells]
            if row.header and len(cells) > 1:
                known = wiki_tables.columns(cells, self.languages) or known
                self._reject(
                    reason="heading",
                    text=" | ".join(filter(None, cells)),
                    detail="the titles of a table's columns",
                )
                continue
            if len(cells) < 2 or any(BOLD_LABEL.search(cell) for cell in row.cells):
                for cell in row.cells:
                    for line in cell.split("\n"):
                        self._row(line)
                continue
            places = wiki_tables.speaker_and_words(cells, known)
            if places is None:
                for cell in filter(None, cells):
                    self._add(cell, "", evidence="")
                continue
            who, says = places
            self._add(cells[says], cells[who].rstrip(":： "), evidence="column")
            for place, cell in enumerate(cells):
                if place not in places and cell:
                    self._reject(reason="other_column", text=cell, detail="a cell beside the words")
        self.number = max(here, self.number)
        self.blank = True

    def _heading(self, title: str) -> None:
        self.section += bool(self.pieces)
        self.number = 0
        source = self.file.at(f"{self.prefix}section {self.section}", "wiki")
        self.rejected.append(Rejected(source=source, reason="heading", text=title, detail="the title of a section"))
        self.blank, self.defined = True, ""

    def _reject(self, reason: str, text: str, detail: str) -> None:
        source = self.file.at(self._place(), "wiki")
        self.rejected.append(Rejected(source=source, reason=reason, text=text, detail=detail))

    def _place(self) -> str:
        return f"{self.prefix}section {self.section} · line {self.number}"
