"""EPUB books: the chapters in the order of the spine, each a scene. Members are read in memory, never unpacked."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from curation.importers.formats.documents import web_page
from curation.importers.formats.documents.as_script import Parts, read_document
from curation.importers.formats.scripts.rows import Row
from curation.importers.source import xml_file as xml
from curation.importers.source.source_file import SourceFile, from_bytes
from curation.persona import Persona
from curation.record import Imported, Rejected

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html", "application/html")
MAX_CHAPTERS = 5_000


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read a book. Raises InosukeError for one that is damaged, protected, or has no script lines."""
    parts = Parts(file, "EPUB book")
    book = next((e.get("full-path", "") for e in xml.children(_xml(file, parts, _CONTAINER), "rootfile")), "")
    package = _xml(file, parts, book)
    items = {e.get("id", ""): e for e in xml.children(package, "item")}
    locked = _locked(file, parts)
    rows: list[Row] = []
    rejected: list[Rejected] = []
    chapter = 0
    for reference in xml.children(package, "itemref"):
        item = items.get(reference.get("idref", ""))
        if item is None or item.get("media-type") not in _PAGES or "nav" in item.get("properties", "").split():
            continue
        name = posixpath.normpath(posixpath.join(posixpath.dirname(book), unquote(item.get("href", ""))))
        if name in locked:
            raise parts.damaged(f"{name} is encrypted (copy protection)")
        chapter += 1
        if chapter > MAX_CHAPTERS:
            raise parts.damaged(f"holds more than {MAX_CHAPTERS:,} chapters")
        page = from_bytes(file.path / name, parts.read(name), name=file.name, rights=file.rights)
        prefix = f"chapter {chapter} "
        found = web_page.rows_of(file, page.text, persona, "epub", rejected, part=chapter, prefix=prefix)
        rows += found
    if not chapter:
        raise parts.damaged("names no chapters")
    return read_document(file, rows, persona, "epub", rejected)


def _xml(file: SourceFile, parts: Parts, name: str) -> Element:
    return xml.parse(from_bytes(file.path / name, parts.read(name), name=file.name, rights=file.rights))


def _locked(file: SourceFile, parts: Parts) -> set[str]:
    """Return the members that are encrypted. Fonts often are, chapters only under copy protection."""
    if _ENCRYPTION not in parts.names:
        return set()
    return {unquote(e.get("URI", "")) for e in xml.children(_xml(file, parts, _ENCRYPTION), "CipherReference")}
