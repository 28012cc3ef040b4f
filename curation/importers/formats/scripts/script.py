"""Plain scripts and Markdown (.txt, .md, .log): names before, above or around the lines, and times where they are.

A README is Markdown too: without script lines it is skipped, which the report shows and is not an error. A plain text
without them is an error that says what it looks like.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from curation.errors import InosukeError
from curation.importers.formats.scripts import markdown, prose, quotes, rows, stamps
from curation.importers.formats.scripts.labels import (
    BULLET,
    DIRECTION,
    HEADING,
    Found,
    Layout,
    layout_of,
    looks_like_script,
)
from curation.importers.formats.scripts.rows import Row
from curation.importers.lines import marked_labels
from curation.importers.lines.raw_line import RawLine, clock
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

SKIPPED = "skipped (no script lines)"
_WIDE = re.compile("[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]")
_MARKDOWN = (".md", ".markdown")
# What lies beside a release and says how it may be used. A text of another name without script lines is an error.
_NOTICE = re.compile(
    r"(?:read[ _-]?me|licen[cs]e|copying|notice|authors|change[ _-]?log|release[ _-]?notes)\b", re.IGNORECASE
)
# `* Tanjiro has joined`, `-!- mode`, `--> Tanjiro`: what an IRC client reports.
_NOTICES = ("* ", "*** ", "-!- ", "--> ", "<-- ", "-- ", "== ")


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read a script. Raises InosukeError for a text without script lines, with what it looks like."""
    suffix = file.path.suffix.lower()
    found = read_rows(file, rows.of_text(file.text), persona, "script", escapes=suffix in _MARKDOWN)
    if found is not None:
        return found
    speech = prose.has_speech(file.text)
    if (suffix in _MARKDOWN or _NOTICE.match(file.path.name)) and not speech:
        return Imported(format=SKIPPED)
    raise InosukeError(
        f"{file.path}: no script lines; {prose.looks_like(file.text)}. Expected lines with their speaker, such as "
        "`Name: words`; write the names before the lines, or leave the file out."
    )


def read_rows(
    file: SourceFile,
    given: Sequence[Row],
    persona: Persona,
    importer: str,
    rejected: Sequence[Rejected] = (),
    *,
    escapes: bool = False,
    wrapped: bool = False,
) -> Imported | None:
    """Read the rows of a script or document, or return None where too few of them name a speaker.

    Headings and rules begin a scene, directions are rejected, a blank line ends a NAME's block. ``escapes``: the rows
    are Markdown, so a backslash before a mark goes. ``wrapped``: rows are printed lines, so a paragraph has several.
    """
    pieces = [
        replace(row, text=piece) if piece is not row.text else row
        for row in stamps.read(given)
        for piece in markdown.at_bold_labels(_words(row, escapes))
    ]
    layout = layout_of(pieces, persona)
    timed = sum(row.start_ms is not None for row in pieces)
    # Speech without names is speech by its times: most rows have one.
    has_times = not stamps.are_dated(given) and timed > 0.8 * sum(bool(row.text.strip()) for row in pieces)
    if not looks_like_script(layout, pieces) and not has_times:
        return None
    reader = _Reader(file, importer, layout, list(rejected), wrapped)
    for row, label in zip(pieces, layout.found, strict=True):
        reader.add(row, label)
    reader.close()
    return to_imported(file, reader.lines, persona, importer, reader.rejected, script=True)


def _words(row: Row, escapes: bool) -> str:
    """Return a row's text with its labels unmarked and its emphasis as in Markdown."""
    text = markdown.from_html(row.text)
    text = markdown.unescaped(text) if escapes else text
    # Bold labels are read as they are: each opens a turn, wherever it stands in the row.
    return text if "**" in text or "__" in text else marked_labels.unmarked(text)


@dataclass(slots=True)
class _Reader:
    """Turns rows into lines, in order, with the state between them."""

    file: SourceFile
    importer: str
    layout: Layout
    rejected: list[Rejected]
    wrapped: bool = False
    lines: list[RawLine] = field(default_factory=list)
    scene: int = 1
    part: int = 0
    speaker: str = ""
    evidence: str = ""
    label: Row | None = None
    open: bool = False
    below: bool = False
    over: bool = False
    turn: list[RawLine] = field(default_factory=list)
    waiting: tuple[int | None, int | None] = (None, None)

    def add(self, row: Row, label: Found | None) -> None:
        """Read one row."""
        text = row.text.strip()
        if row.part != self.part:
            self.scene += bool(self.lines)
            self.part = row.part
            self.close()
        if row.start_ms is not None:
            self.waiting = (row.start_ms, row.end_ms)
        if label:
            self.close()
            self.speaker, self.evidence, self.open, self.over = label.name, label.evidence, True, label.over
            self.label = row
            if label.rest.strip():
                self._say(label.rest, row)
        elif not text:
            self.below = self.below and self.open and quotes.is_open(self.turn)
            # A name alone waits for its words; an open quote continues.
            if not (self.over or not self.turn or quotes.is_open(self.turn)):
                self.open = False
        elif self._is_direction(text):
            self._reject("stage_direction", row, text.lstrip("# "), "what is done or heard, not said")
        elif HEADING.match(text):
            if any(c.isalpha() for c in text):
                self._reject("heading", row, text, "the title of a part")
            self.scene += bool(self.lines)
            self.close()
        elif self.open and (quotes.is_open(self.turn) or not self._has_ended(text)):
            self._say(text if quotes.is_open(self.turn) else BULLET.sub("", text), row)
        else:
            if self.speaker or self.layout.may_be_another(text):
                self.close()  # it may be another speaker's, and so may the lines after it
            self._say(BULLET.sub("", text), row)

    def close(self) -> None:
        """End a speaker's block."""
        if self.turn and self.speaker:
            quotes.take_off(self.turn)
        elif self.label and self.speaker:
            self._reject(
                "heading", self.label, self.label.text.strip() or self.speaker, "a name, and nothing said below it"
            )
        self.label = None
        self.turn, self.speaker, self.evidence, self.open, self.over = [], "", "", False, False
        self.below = False

    def _is_direction(self, text: str) -> bool:
        if text[:1] == "#":
            text = text.lstrip("#").strip()
        return bool(DIRECTION.match(text)) or ("<name>" in self.layout.shapes and text.startswith(_NOTICES))

    def _has_ended(self, text: str) -> bool:
        """Return whether the speaker's words ended before a row: a quote was closed, or another may speak."""
        return quotes.is_closed(self.turn) or self.layout.may_be_another(text)

    def _say(self, words: str, row: Row) -> None:
        start, end = self.waiting
        self.waiting = (None, None)
        if self.wrapped and self.below and self.lines:
            before = self.lines[-1]
            before.text += ("" if _WIDE.search(before.text[-1:]) else " ") + markdown.plain(words)
            return
        line = RawLine(
            text=markdown.plain(words),
            locator=self._place(row, start),
            start_ms=start,
            end_ms=end,
            speaker=markdown.restored(self.speaker),
            evidence=self.evidence if self.speaker else "",
        )
        self.lines.append(line)
        self.below = True
        if self.open:
            self.turn.append(line)

    def _reject(self, reason: str, row: Row, text: str, detail: str) -> None:
        source = self.file.at(self._place(row, row.start_ms), self.importer)
        self.rejected.append(Rejected(source=source, reason=reason, text=markdown.restored(text), detail=detail))

    def _place(self, row: Row, start: int | None) -> str:
        time = f" {clock(start)}" if start is not None else ""
        return f"scene {self.scene} · {row.place}{time}"
