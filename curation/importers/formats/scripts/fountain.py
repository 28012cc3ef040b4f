"""Fountain screenplays (.fountain): characters above their dialogue. See https://fountain.io/syntax.

Scene headings begin a scene. Action, parentheticals, notes and the boneyard are rejected with their text.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from curation.importers.formats.scripts import markdown
from curation.importers.lines.raw_line import RawLine
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

_BONEYARD = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_NOTE = re.compile(r"\[\[(?:[^\]]|\](?!\])){0,4000}\]\]")
_TITLE = re.compile(r"(?i)^(?:title|credit|authors?|source|draft date|date|contact|copyright|notes|format)\s*:")
_SCENE = re.compile(r"(?i)^(?:int|ext|est|int\.?/ext|i/e)[. ]")
_MANNER = re.compile(r"\s*\([^()]*\)")


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read a screenplay. Raises InosukeError for a file without a line of it."""
    reader = _Screenplay(file)
    text = _NOTE.sub(lambda m: reader.aside(m[0].strip("[] \n"), m[0]), file.text)
    text = _BONEYARD.sub(lambda m: reader.aside(m[0].strip("/* \n"), m[0]), text)
    reader.read(text.split("\n"))
    return to_imported(file, reader.lines, persona, "fountain", reader.rejected, script=True)


@dataclass(slots=True)
class _Screenplay:
    file: SourceFile
    lines: list[RawLine] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    scene: int = 1
    number: int = 0

    def aside(self, text: str, written: str) -> str:
        """Reject a note or what lies in the boneyard, and return its line ends, so that line numbers stay."""
        source = self.file.at("notes", "fountain")
        detail = "a note of the authors, or a part that they cut"
        self.rejected.append(Rejected(source=source, reason="comment", text=text, detail=detail))
        return "\n" * written.count("\n")

    def read(self, rows: list[str]) -> None:
        """Read the lines in order."""
        index = self._title_page(rows)
        before = ""
        while index < len(rows):
            row = rows[index].strip()
            self.number = index + 1
            below = rows[index + 1] if index + 1 < len(rows) else ""
            if not before and below.strip() and (name := _character(row)):
                index = self._speech(name, rows, index + 1)
                before = ""
                continue
            if row and not row.startswith("==="):
                self._not_said(row, alone=not before and not below.strip())
            before = row
            index += 1

    def _title_page(self, rows: list[str]) -> int:
        """Reject the title page, and return the index of the line behind it."""
        index = next((i for i, row in enumerate(rows) if row.strip()), len(rows))
        if index == len(rows) or not _TITLE.match(rows[index].lstrip("\ufeff")):
            return index
        while index < len(rows) and rows[index].strip():
            self.number = index + 1
            self._reject("heading", rows[index].strip(), "the title page")
            index += 1
        return index

    def _speech(self, name: str, rows: list[str], index: int) -> int:
        """Read what a character says, and return the index of the line behind it. Two spaces are not a blank line."""
        words: list[str] = []
        start = index
        while index < len(rows) and (rows[index].strip() or rows[index] == "  "):
            row = rows[index].strip()
            self.number = index + 1
            if row.startswith("(") and row.endswith(")"):
                self._say(name, words, start)
                words, start = [], index + 1
                self._reject("stage_direction", row, "how it is said")
            elif row.startswith("~"):
                self._reject("karaoke", row.lstrip("~ "), "the words of a song")
            elif row:
                words.append(row)
            index += 1
        self._say(name, words, start)
        return index

    def _say(self, name: str, words: list[str], start: int) -> None:
        if words:
            text = markdown.plain(markdown.unescaped(" ".join(words)))
            locator = f"scene {self.scene} · line {start + 1}"
            self.lines.append(RawLine(text=text, locator=locator, speaker=name, evidence="name_line"))

    def _not_said(self, row: str, alone: bool) -> None:
        if row[0] == "#":
            self._reject("heading", row.lstrip("# "), "a section")
        elif row[0] == "=":
            self._reject("comment", row.lstrip("= "), "a summary by the authors")
        elif (row[0] == "." and row[1:2] != ".") or _SCENE.match(row):
            self.scene += bool(self.lines)
            self._reject("heading", row.lstrip("."), "where a scene is")
        elif row[0] == "~":
            self._reject("karaoke", row.lstrip("~ "), "the words of a song")
        elif alone and (row.isupper() and row.endswith("TO:")):
            self._reject("heading", row, "a transition")
        else:
            self._reject("stage_direction", row.strip("!<> "), "what is done or seen, not said")

    def _reject(self, reason: str, text: str, detail: str) -> None:
        source = self.file.at(f"scene {self.scene} · line {self.number}", "fountain")
        self.rejected.append(Rejected(source=source, reason=reason, text=text, detail=detail))


def _character(row: str) -> str:
    """Return the name of a character's row, or an empty text. `@` forces one, `^` puts it beside the one before."""
    if row[:1] == "@":
        return row[1:].rstrip("^ ").strip()
    if not row or row[0] in "!.>~#=" or _SCENE.match(row):
        return ""
    name = row.rstrip("^ ").strip()
    bare = _MANNER.sub("", name)
    return name if bare.isupper() and not bare.endswith(("TO:", ".", "!", "?")) else ""
