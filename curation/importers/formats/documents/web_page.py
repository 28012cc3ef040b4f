"""Web pages (.html, .htm, .xhtml): paragraphs, lists and tables with names in bold, in a cell or in a `speaker` span.

Parsed by selectolax. Menus, forms and what frames a page are rejected as page furniture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from curation.importers.formats.documents.as_script import read_document
from curation.importers.formats.scripts import wiki_tables
from curation.importers.formats.scripts.rows import Row
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected
from curation.transcripts.speakers import is_name

_BLOCK_NAMES = (
    "address article blockquote body caption center dd details dialog div dl dt fieldset figcaption figure h1 h2 h3 h4"
    " h5 h6 header hr li main ol p pre section summary table tbody td tfoot th thead tr ul"
)
_BLOCKS = frozenset(_BLOCK_NAMES.split())
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BOLD = ("b", "strong")
_UNSEEN_NAMES = "script style noscript template svg math head iframe object canvas audio video -comment"
_UNSEEN = frozenset(_UNSEEN_NAMES.split())
_FURNITURE = ("nav", "footer", "aside", "form", "button", "select", "menu")
_SPEAKER = re.compile(
    r"(?:^|[\s_-])(?:speaker|character|charname|from_name|author|username|nick(?:name)?|sender|who|actor|person)"
    r"(?:[\s_-]?name)?(?:$|[\s_-])",
    re.IGNORECASE,
)
_SPACES = re.compile(r"[ \t\n\r\f\v]+")
# Around a name that an element gives, and where bold words begin, until the paragraph ends.
_NAMED, _OPEN = "\1", "\0"


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read a page. Raises InosukeError where too few of its paragraphs name a speaker."""
    rejected: list[Rejected] = []
    rows = rows_of(file, file.text, persona, "html", rejected)
    return read_document(file, rows, persona, "html", rejected)


def rows_of(
    file: SourceFile,
    text: str,
    persona: Persona,
    importer: str,
    rejected: list[Rejected],
    part: int = 0,
    prefix: str = "",
) -> list[Row]:
    """Return the paragraphs of a page as rows of a script, each with a blank row behind it."""
    walk = _Walk(file, importer, persona, rejected, part, prefix)
    root = LexborHTMLParser(text).body
    if root is not None:
        walk.all(root)
    walk.flush()
    return walk.rows


@dataclass(slots=True)
class _Walk:
    """Goes through a page's nodes in order, without recursion: a page may nest as deep as it likes."""

    file: SourceFile
    importer: str
    persona: Persona
    rejected: list[Rejected]
    part: int
    prefix: str
    rows: list[Row] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    number: int = 0
    bold: list[LexborNode] = field(default_factory=list)
    preformatted: int = 0
    columns: tuple[int, int] | None = None

    def all(self, root: LexborNode) -> None:
        """Read every node below a root."""
        node: LexborNode | None = root
        while node is not None:
            child = node.child if self._enter(node) else None
            if child is not None:
                node = child
                continue
            while node is not None:
                self._leave(node)
                if node.mem_id == root.mem_id:
                    return
                if node.next is not None:
                    node = node.next
                    break
                node = node.parent

    def flush(self, blank: bool = True) -> None:
        """End a paragraph; ``blank`` separates it from the next one."""
        text = "".join(self.words)
        self.words = []
        for line in text.split("\n") if self.preformatted else (text,):
            line = line.strip() if self.preformatted else _SPACES.sub(" ", line).strip()
            if not line and self.preformatted:
                self._row("")
            elif line:
                self.number += 1
                before, *named = line.split(_NAMED)
                if before.strip():
                    self._row(before.strip())
                for name, words in zip(named[::2], named[1::2], strict=True):
                    row = Row(words.strip().lstrip(":： "), self._place(), self.part, name=name, evidence="bold")
                    self.rows.append(row)
        if blank and self.rows and self.rows[-1].text:
            self._row("")

    def _enter(self, node: LexborNode) -> bool:
        """Begin a node and return whether what is inside it is read."""
        tag = node.tag or ""
        if tag == "-text":
            text = (node.text_content or "").replace(_OPEN, "").replace(_NAMED, "")
            self.words.append(text if self.preformatted else _SPACES.sub(" ", text))
            return False
        if tag in _UNSEEN:
            return False
        if tag in _FURNITURE:
            self._reject(
                reason="page_furniture",
                text=node.text(separator=" "),
                detail="a menu, a form or the frame of the page",
            )
            return False
        if tag in ("rt", "rp"):
            if tag == "rt":
                self._reject(reason="ruby", text=node.text(), detail="the reading of a word")
            return False
        if tag == "br":
            self.flush(blank=False)
            return False
        if tag == "tr" and self._table_row(node):
            return False
        if tag in _BLOCKS:
            self.flush()
        if tag == "pre":
            self.preformatted += 1
        elif tag == "table":
            self.columns = None
        elif tag in _HEADINGS:
            self.words.append("#" * int(tag[1]) + " ")
        elif self._is_bold(node, tag) and not self.bold:
            self.bold.append(node)
            self.words.append(_OPEN)
        return True

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if self.bold and self.bold[-1].mem_id == node.mem_id:
            self.bold.pop()
            self._end_bold(names=tag == "dt" or tag not in _BOLD)
        if tag in _BLOCKS and tag != "tr":
            self.flush()
        if tag == "pre":
            self.preformatted = max(0, self.preformatted - 1)

    def _is_bold(self, node: LexborNode, tag: str) -> bool:
        if tag in _BOLD or tag == "dt":
            return True
        if tag not in ("span", "div", "p", "a", "cite", "td", "em", "i", "font", "label"):
            return False
        attributes = node.attributes
        named = " ".join(filter(None, (attributes.get("class"), attributes.get("itemprop"))))
        style = (attributes.get("style") or "").replace(" ", "").lower()
        return bool(named and _SPEAKER.search(named)) or (tag == "span" and "font-weight:bold" in style)

    def _end_bold(self, names: bool) -> None:
        """Put the marks around the words since the bold began; a speaker's element is a name."""
        start = max((i for i, word in enumerate(self.words) if word == _OPEN), default=None)
        if start is None:
            return  # a paragraph ended inside the bold
        raw = "".join(self.words[start + 1 :])
        text = raw.strip()
        del self.words[start:]
        if not text or "\n" in text:
            self.words.append(raw)
            return
        name = text.rstrip(":： ")
        if names and is_name(name):
            self.words += [_NAMED, name, _NAMED]
            return
        self.words += [raw[: len(raw) - len(raw.lstrip())], f"**{text}**", " " if raw != raw.rstrip() else ""]

    def _table_row(self, node: LexborNode) -> bool:
        """Read a row of several cells; return False for one that only lays out other blocks."""
        cells = [cell for cell in node.iter() if cell.tag in ("td", "th")]
        if len(cells) < 2 or node.css_first("table") is not None:
            return False
        self.flush()
        # Words are not torn at italics, but blocks and breaks are separate words.
        texts = [
            _SPACES.sub(" ", cell.text(separator=" " if cell.css_first("br, p, div, li") else "")).strip()
            for cell in cells
        ]
        if all(cell.tag == "th" for cell in cells):
            self.columns = wiki_tables.columns(texts, self.persona.languages)
            self._reject(
                reason="heading",
                text=" | ".join(filter(None, texts)),
                detail="the titles of a table's columns",
            )
            return True
        self.number += 1
        if self.columns and max(self.columns) < len(texts):
            who, says = self.columns
            words = wiki_tables.timed(texts[says], texts)
            row = Row(words, self._place(), self.part, name=texts[who].rstrip(":： "), evidence="column")
            self.rows.append(row)
            for place, text in enumerate(texts):
                if place not in self.columns and not wiki_tables.is_time(text):
                    self._reject(reason="other_column", text=text, detail="a cell beside the words")
        else:
            # Whether the first cell is a name shows in the whole table.
            self._row("\t".join(filter(None, texts)))
        return True

    def _row(self, text: str) -> None:
        self.rows.append(Row(text.replace(_OPEN, ""), self._place(), self.part))

    def _reject(self, reason: str, text: str, detail: str) -> None:
        text = _SPACES.sub(" ", text).strip()
        if text:
            source = self.file.at(self._place(), self.importer)
            self.rejected.append(Rejected(source=source, reason=reason, text=text, detail=detail))

    def _place(self) -> str:
        return f"{self.prefix}paragraph {self.number}"
