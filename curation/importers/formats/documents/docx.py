"""Word documents (.docx): paragraphs and tables, names in bold. Read by python-docx.

Comments, footnotes, headers and deleted words are not part of the text.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

from curation.errors import InosukeError
from curation.importers.formats.documents.as_script import Parts, read_document
from curation.importers.formats.scripts import wiki_tables
from curation.importers.formats.scripts.rows import Row
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

# An old Office file, and a new one with a password.
OLE = b"\xd0\xcf\x11\xe0"
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_HEADING = re.compile(r"(?i)(?:heading|title|tiêu đề|見出し)\s*(?P<level>\d)?")


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read a document. Raises InosukeError for one that is damaged, protected, or has no script lines."""
    if file.data.startswith(OLE):
        raise InosukeError(
            f"{file.path}: an old Office file (.doc, .xls), or a new one with a password. Expected .docx or .xlsx "
            "without a password; save it as one."
        )
    import docx

    parts = Parts(file, "Word document (.docx)")
    if "word/document.xml" not in parts.names:
        raise parts.damaged("holds no word/document.xml")
    for name in sorted(n for n in parts.names if n.endswith((".xml", ".rels"))):
        parts.read(name)  # python-docx reads members whole, so their sizes are checked before
    try:
        document = docx.Document(io.BytesIO(file.data))
        # Without its own styles, python-docx would take those of its template.
        named = document.styles if "word/styles.xml" in parts.names else ()
        styles = {style.style_id: style.name or "" for style in named if hasattr(style, "style_id")}
        reader = _Body(file, persona, styles)
        reader.read(document.element.body)
    except Exception as error:  # python-docx and lxml let through whatever a damaged part raises
        raise parts.damaged(f"cannot be read ({type(error).__name__}: {error})") from None
    return read_document(file, reader.rows, persona, "docx", reader.rejected)


class _Body:
    """The paragraphs and tables of a document, in order."""

    def __init__(self, file: SourceFile, persona: Persona, styles: dict[str, str]) -> None:
        self.file, self.persona, self.styles = file, persona, styles
        self.rows: list[Row] = []
        self.rejected: list[Rejected] = []
        self.number = 0

    def read(self, body: Any) -> None:
        for element in body.iterchildren(f"{_W}p", f"{_W}tbl", f"{_W}sdt"):
            if element.tag == f"{_W}p":
                self._paragraph(element)
            elif element.tag == f"{_W}tbl":
                self._table(element)
            else:
                for content in element.iterchildren(f"{_W}sdtContent"):
                    self.read(content)

    def _paragraph(self, element: Any) -> None:
        style = self.styles.get(_style(element), "")
        text = _text(element)
        self.number += 1
        if text.strip():
            if heading := _HEADING.match(style):
                text = "#" * int(heading["level"] or 1) + " " + text.replace("**", "").replace("\n", " ").strip()
            elif style.casefold() == "character":  # the template of a screenplay
                text = f"**{text.replace('**', '').strip().rstrip(':')}:**"
        for line in text.split("\n"):
            self._row(line)
        if text.strip():
            self._row("")

    def _row(self, text: str) -> None:
        self.rows.append(Row(text, f"paragraph {self.number}"))

    def _table(self, element: Any) -> None:
        """Read a table: its first row may name the columns; a row of one cell holds ordinary paragraphs."""
        columns: tuple[int, int] | None = None
        for index, row in enumerate(element.iterchildren(f"{_W}tr")):
            cells = list(row.iterchildren(f"{_W}tc"))
            if len(cells) < 2:
                for cell in cells:
                    self.read(cell)
                continue
            texts = [
                " ".join(_text(p).replace("**", "").replace("\n", " ").strip() for p in cell.iter(f"{_W}p")).strip()
                for cell in cells
            ]
            self.number += 1
            place = f"paragraph {self.number}"
            if index == 0 and (columns := wiki_tables.columns(texts, self.persona.languages)):
                self._reject(
                    reason="heading",
                    text=" | ".join(filter(None, texts)),
                    detail="the titles of a table's columns",
                )
            elif columns and max(columns) < len(texts):
                who, says = columns
                words = wiki_tables.timed(texts[says], texts)
                self.rows.append(Row(words, place, name=texts[who].rstrip(":： "), evidence="column"))
                for column, text in enumerate(texts):
                    if column not in columns and text and not wiki_tables.is_time(text):
                        self._reject(reason="other_column", text=text, detail="a cell beside the words")
            else:
                self._row("\t".join(filter(None, texts)))

    def _reject(self, reason: str, text: str, detail: str) -> None:
        source = self.file.at(f"paragraph {self.number}", "docx")
        self.rejected.append(Rejected(source=source, reason=reason, text=text, detail=detail))


def _style(paragraph: Any) -> str:
    element = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return "" if element is None else str(element.get(f"{_W}val", ""))


def _text(paragraph: Any) -> str:
    """Return a paragraph's words with bold ones between `**`."""
    pieces: list[tuple[bool, str]] = []
    for run in paragraph.iter(f"{_W}r"):
        words = "".join(_words(run))
        if not words:
            continue
        bold = _is_bold(run) if words.strip() else bool(pieces) and pieces[-1][0]
        if pieces and pieces[-1][0] == bold:
            pieces[-1] = (bold, pieces[-1][1] + words)
        else:
            pieces.append((bold, words))
    return "".join(_marked(words) if bold else words for bold, words in pieces)


def _words(run: Any) -> Iterator[str]:
    for element in run:
        if element.tag == f"{_W}t":
            yield element.text or ""
        elif element.tag == f"{_W}tab":
            yield "\t"
        elif element.tag in (f"{_W}br", f"{_W}cr"):
            yield "\n"


def _is_bold(run: Any) -> bool:
    element = run.find(f"{_W}rPr/{_W}b")
    return element is not None and element.get(f"{_W}val", "1") not in ("0", "false", "off")


def _marked(words: str) -> str:
    """Return bold words between marks, with the spaces around them outside."""
    inside = words.strip()
    if not inside or "\n" in inside:
        return words
    start = words.index(inside)
    return f"{words[:start]}**{inside}**{words[start + len(inside) :]}"
