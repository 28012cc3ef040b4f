"""What MediaWiki gives out: Special:Export (XML) and answers of api.php (JSON, `action=parse` and `action=query`).

Each page's wikitext is read as a page of its own, and is a scene. Pages that hold no dialogue (templates, categories,
redirects) are rejected by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple
from xml.etree.ElementTree import Element

from curation.errors import InosukeError
from curation.importers.formats.documents import web_page
from curation.importers.formats.documents.as_script import read_document
from curation.importers.formats.scripts import wiki
from curation.importers.source import xml_file as xml
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

# Namespaces whose pages hold dialogue: articles, users' and the project's pages, and those that a wiki adds.
_OTHER_NAMESPACES = {"6": "a file", "8": "a message", "10": "a template", "14": "a category", "828": "a module"}
_REDIRECT = re.compile(r"\s*#(?:redirect|đổi|転送)", re.IGNORECASE)


class Page(NamedTuple):
    """A page of a wiki: its title, its namespace's number and its source."""

    title: str
    namespace: str
    text: str


def read_export(file: SourceFile, persona: Persona) -> Imported:
    """Read the latest text of each exported page. Raises InosukeError for damaged XML and an export without text."""
    return _read(file, list(_exported(xml.parse(file))), persona)


def read_answer(file: SourceFile, persona: Persona) -> Imported:
    """Read the pages of an API answer. Raises InosukeError where it is an error message or holds no page's text."""
    try:
        answer = json.loads(file.text)
    except (ValueError, RecursionError) as error:
        raise InosukeError(
            f"{file.path}: not valid JSON ({error}). Expected an answer of MediaWiki's api.php; fetch it again."
        ) from None
    if isinstance(answer, dict) and isinstance(answer.get("error"), dict):
        raise InosukeError(
            f"{file.path}: MediaWiki answered with an error: {str(answer['error'].get('info', ''))[:200]}. "
            "Correct the request and fetch it again."
        )
    pages = list(_answered(answer))
    html = _rendered(answer)
    if html and not pages:
        rejected: list[Rejected] = []
        rows = web_page.rows_of(file, html, persona, "wiki", rejected)
        return read_document(file, rows, persona, "wiki", rejected)
    return _read(file, pages, persona)


def _read(file: SourceFile, pages: list[Page], persona: Persona) -> Imported:
    rejected: list[Rejected] = []
    texts: list[str] = []
    for page in pages:
        what = _OTHER_NAMESPACES.get(page.namespace) or ("a redirect" if _REDIRECT.match(page.text) else "")
        if what:
            source = file.at(f"page {page.title}"[:200], "wiki")
            rejected.append(Rejected(source=source, reason="reference", text=page.title, detail=f"{what}, not a scene"))
        elif page.text.strip():
            texts.append(page.text)
    if not texts and not rejected:
        raise InosukeError(
            f"{file.path}: from MediaWiki, but without a page's text. Expected an export with `<text>`, or an answer "
            "with `prop=wikitext` or `rvprop=content`; fetch it so."
        )
    return wiki.read_pages(file, texts, persona, rejected)


def _exported(root: Element) -> Iterator[Page]:
    for page in xml.children(root, "page"):
        title = next((e.text or "" for e in xml.children(page, "title")), "")
        namespace = next((e.text or "" for e in xml.children(page, "ns")), "0")
        # With the whole history, the last revision is the latest.
        texts = [e.text or "" for e in xml.children(page, "text")]
        yield Page(title.strip(), namespace.strip(), texts[-1] if texts else "")


def _answered(answer: Any) -> Iterator[Page]:
    """Yield the pages of an answer, in both of the API's format versions."""
    if not isinstance(answer, dict):
        return
    parsed = answer.get("parse")
    if isinstance(parsed, dict) and (text := _content(parsed.get("wikitext"))):
        yield Page(str(parsed.get("title", "")), "0", text)
    query = answer.get("query")
    found = query.get("pages") if isinstance(query, dict) else None
    for page in found.values() if isinstance(found, dict) else found if isinstance(found, list) else ():
        if not isinstance(page, dict):
            continue
        revisions = page.get("revisions")
        newest = revisions[0] if isinstance(revisions, list) and revisions else {}
        slots = newest.get("slots") if isinstance(newest, dict) else None
        main = slots.get("main") if isinstance(slots, dict) else newest
        text = _content(main) or _content(page.get("extract"))
        yield Page(str(page.get("title", "")), str(page.get("ns", "0")), text)


def _content(value: Any) -> str:
    """Return the text of `"…"`, `{"*": "…"}` or `{"content": "…"}`."""
    if isinstance(value, dict):
        value = value.get("*", value.get("content", ""))
    return value if isinstance(value, str) else ""


def _rendered(answer: Any) -> str:
    parsed = answer.get("parse") if isinstance(answer, dict) else None
    return _content(parsed.get("text")) if isinstance(parsed, dict) else ""
