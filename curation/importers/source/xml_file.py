"""XML from outside the project: no entity expansion, no external entities, no document type, bounded depth.

Every importer parses XML here.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from curation.errors import InosukeError
from curation.importers.source.source_file import SourceFile

# Deeper than any subtitle or annotation file; ElementTree's own methods recurse.
MAX_DEPTH = 200


def parse(file: SourceFile) -> Element:
    """Return the root element. Raises InosukeError for XML that is damaged, declares entities or nests too deep."""
    try:
        # As text, not bytes: the text is decoded, but its declaration may still name the old encoding.
        root: Element = fromstring(file.text.lstrip("\ufeff \n\t"), forbid_dtd=True)
    except DefusedXmlException as error:
        raise InosukeError(
            f"{file.path}: declares a document type or entities ({type(error).__name__}), which can expand a small "
            "file to gigabytes or read other files. Expected plain XML; remove the declaration."
        ) from None
    except (ParseError, ValueError, LookupError) as error:
        raise InosukeError(
            f"{file.path}: not valid XML: {error}. Expected a whole file; fix that place and try again."
        ) from None
    level, depth = [root], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise InosukeError(
                f"{file.path}: nested more than {MAX_DEPTH} deep. Expected TTML or Manga109 annotations."
            )
        level = [child for element in level for child in element]
    return root


def local(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def attribute(element: Element, name: str) -> str | None:
    """Return an attribute by its local name, whatever its namespace."""
    for key, value in element.attrib.items():
        if key.rpartition("}")[2] == name:
            return value
    return None


def children(element: Element, name: str) -> Iterator[Element]:
    """Yield the descendants of this local name, in document order."""
    return (e for e in element.iter() if local(e) == name)
