"""Timed Text (.ttml, .dfxp, .xml): https://www.w3.org/TR/ttml1/. Times nest, agents name the speakers.

pysubs2's reader knows neither agents nor frames and parses with the standard library, which expands entities.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from curation.importers.lines.raw_line import RawLine, clock
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source import xml_file as xml
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

_CLOCK = re.compile(r"^(\d{1,10}):(\d{1,2}):(\d{1,2})(?:([.,])(\d{1,9})|:(\d{1,6}))?$")
_OFFSET = re.compile(r"^(\d{1,12}(?:\.\d{1,9})?)(h|ms|m|s|f|t)$")


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read every `<p>` with its times, nested offsets added up. Raises InosukeError for XML that is damaged."""
    root = xml.parse(file)
    rates = _rates(root)
    agents = _agents(root)
    lines: list[RawLine] = []
    rejected: list[Rejected] = []
    for number, (element, offset) in enumerate(_paragraphs(root, 0, rates), 1):
        begin, end = _ms(element.get("begin"), rates), _ms(element.get("end"), rates)
        duration = _ms(element.get("dur"), rates)
        text = "".join(_text(element))
        if begin is None:
            source = file.at(f"p {number}", "ttml")
            rejected.append(
                Rejected(
                    source=source, reason="bad_cue", text=text, detail=f"begin={element.get('begin')!r} is not a time"
                )
            )
            continue
        start = begin + offset
        stop = end + offset if end is not None else start + (duration or 0)
        agent = agents.get(xml.attribute(element, "agent") or "", "")
        place = f"cue {number} {clock(start)}"
        lines.append(
            RawLine(
                text=text,
                locator=place,
                start_ms=start,
                end_ms=max(start, stop),
                speaker=agent,
                evidence="agent" if agent else "",
            )
        )
    lines.sort(key=lambda line: line.start_ms or 0)
    return to_imported(file, lines, persona, "ttml", rejected)


def _paragraphs(element: Element, offset: int, rates: dict[str, float]) -> Iterator[tuple[Element, int]]:
    """Yield each `<p>` with the begin of all that surrounds it, in milliseconds."""
    for child in element:
        if xml.local(child) == "p":
            yield child, offset
        elif xml.local(child) != "head":
            yield from _paragraphs(child, offset + (_ms(child.get("begin"), rates) or 0), rates)


def _text(element: Element) -> Iterator[str]:
    """Yield the words of a paragraph: line breaks in the file are layout, `<br/>` is not, ruby becomes ruby tags."""
    yield re.sub(r"\s+", " ", element.text or "")
    for child in element:
        ruby = xml.attribute(child, "ruby")
        if xml.local(child) == "br":
            yield "\n"
        elif ruby in ("container", "text"):
            tag = "ruby" if ruby == "container" else "rt"
            yield f"<{tag}>"
            yield from _text(child)
            yield f"</{tag}>"
        elif xml.local(child) == "span" and child.attrib:
            yield "<span>"  # it may set a speaker's name apart
            yield from _text(child)
            yield "</span>"
        elif xml.local(child) != "metadata":
            yield from _text(child)
        yield re.sub(r"\s+", " ", child.tail or "")


def _agents(root: Element) -> dict[str, str]:
    """Return agent id → name, from `<ttm:agent xml:id="a1"><ttm:name>…`."""
    found = {}
    for agent in xml.children(root, "agent"):
        name = next((n.text for n in xml.children(agent, "name") if n.text), None)
        key = xml.attribute(agent, "id")
        if key and name:
            found[key] = name.strip()
    return found


def _rates(root: Element) -> dict[str, float]:
    """Return units per second: frames (30 by default) and ticks."""
    frames = _number(xml.attribute(root, "frameRate"), 30.0)
    multiplier = (xml.attribute(root, "frameRateMultiplier") or "1 1").replace(":", " ").split()
    if len(multiplier) == 2:
        frames *= _number(multiplier[0], 1.0) / _number(multiplier[1], 1.0)
    return {"f": frames, "t": _number(xml.attribute(root, "tickRate"), 1.0)}


def _number(text: str | None, default: float) -> float:
    return float(text) if text and re.fullmatch(r"\d{1,9}(?:\.\d{1,6})?", text) and float(text) > 0 else default


def _ms(expression: str | None, rates: dict[str, float]) -> int | None:
    """Return a time expression in milliseconds, or None where it is missing or not valid."""
    expression = (expression or "").strip()
    if match := _CLOCK.match(expression):
        hours, minutes, seconds, _, fraction, frames = match.groups()
        whole = (int(hours) * 60 + int(minutes)) * 60 + int(seconds)
        part = float(f"0.{fraction}") if fraction else int(frames) / rates["f"] if frames else 0.0
        return whole * 1000 + round(part * 1000)
    if match := _OFFSET.match(expression):
        unit = {"h": 1 / 3600, "m": 1 / 60, "s": 1.0, "ms": 1000.0, **rates}[match[2]]
        return round(float(match[1]) / unit * 1000)
    return None
