"""PDF files with a text layer, such as screenplays. Read by pypdf, line by line as they are printed.

Page numbers and running heads are rejected as headings. A scan has no text: that is an error.
"""

from __future__ import annotations

import io
import logging
import re
from collections import Counter
from collections.abc import Sequence

from curation.errors import InosukeError
from curation.importers.formats.documents.as_script import read_document
from curation.importers.formats.scripts.rows import Row
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

MAX_PAGES = 3_000
# A page's lines, and a page's characters: more than any printed page; a small file can claim millions.
MAX_CHARACTERS = 100_000
_NUMBER = re.compile(r"(?i)^\W*(?:page|trang|p\.)?\s*\d{1,4}(?:\s*(?:/|of|trên)\s*\d{1,4})?\W*$")
_DIGITS = re.compile(r"\d+")
# A head that runs over this share of the pages is printed on all but the first of a chapter.
_MOST_PAGES = 0.5
_COLUMN = re.compile(r" {4,}")


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read a PDF. Raises InosukeError for one that is damaged, encrypted, scanned, or has no script lines."""
    pages = _pages(file)
    if not any(line.strip() for page in pages for line in page):
        raise InosukeError(
            f"{file.path}: {len(pages)} pages without text, as a scan has them. Expected a PDF with a text layer; "
            "recognise its text first (OCR)."
        )
    rejected: list[Rejected] = []
    rows = _rows(file, pages, rejected)
    return read_document(file, rows, persona, "pdf", rejected, wrapped=True)


def _pages(file: SourceFile) -> list[list[str]]:
    from pypdf import PdfReader

    # It warns about each fault that it works around.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = PdfReader(io.BytesIO(file.data))
        if reader.is_encrypted and not reader.decrypt(""):
            raise InosukeError(f"{file.path}: needs a password. Expected a PDF without one; save it without.")
        count = len(reader.pages)
        if count > MAX_PAGES:
            raise InosukeError(f"{file.path}: {count:,} pages; expected at most {MAX_PAGES:,}. Split the file.")
        return [_lines(page) for page in reader.pages]
    except InosukeError:
        raise
    except Exception as error:  # pypdf lets through whatever a damaged object raises, and errors of its decoders
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise InosukeError(
            f"{file.path}: cannot be read ({why}). Expected a whole PDF without a password; save it again."
        ) from None


def _lines(page: object) -> list[str]:
    """Return the printed lines of a page, blank ones where there is space between them."""
    from pypdf import PageObject

    assert isinstance(page, PageObject)
    text = page.extract_text(extraction_mode="layout", layout_mode_strip_rotated=False)
    if not text.strip():
        text = page.extract_text()
    lines = [line.rstrip() for line in text[:MAX_CHARACTERS].split("\n")]
    margin = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    # A gap inside a line is the space between two columns: a name and its words.
    return [_COLUMN.sub("\t", line[margin:].strip()) for line in lines]


def _rows(file: SourceFile, pages: Sequence[list[str]], rejected: list[Rejected]) -> list[Row]:
    """Return the rows of all pages without page numbers and running heads."""
    edges: Counter[str] = Counter()
    for page in pages:
        edges.update({_DIGITS.sub("#", page[i]) for i in _edge(page)})
    heads = {text for text, times in edges.items() if times >= 3 and times > _MOST_PAGES * len(pages)}
    rows: list[Row] = []
    for number, page in enumerate(pages, 1):
        edge = _edge(page)
        printed = [i for i, line in enumerate(page) if line]
        for index in range(printed[0] if printed else 0, printed[-1] + 1 if printed else 0):
            line = page[index]
            place = f"page {number} line {index + 1}"
            if index in edge and (_NUMBER.match(line) or _DIGITS.sub("#", line) in heads):
                source = file.at(place, "pdf")
                detail = "a page number or a running head"
                rejected.append(Rejected(source=source, reason="heading", text=line, detail=detail))
            else:
                rows.append(Row(line, place))
    return rows


def _edge(page: Sequence[str]) -> set[int]:
    """Return the indices of a page's first and last printed line; behind a number there, also of the next one."""
    printed = [i for i, line in enumerate(page) if line]
    edge: set[int] = set()
    for order in (printed, printed[::-1]):
        edge.update(order[:1])
        if order and _NUMBER.match(page[order[0]]):
            edge.update(order[1:2])
    return edge
