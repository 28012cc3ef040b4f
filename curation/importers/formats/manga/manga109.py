"""Manga109 annotations (.xml) and the speaker links of Manga109Dialog.

Layout: http://www.manga109.org/en/annotations.html and https://github.com/manga109/public-annotations. Texts name no
character and have no order; frames give the order, `speaker_to_text` links give the speaker. The links are in a file
of the same name in a folder `Manga109Dialog` beside the annotations, or inside the annotations themselves.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from curation.importers.formats.manga.reading_order import Box, page_order, right_to_left
from curation.importers.lines.raw_line import RawLine
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source import source_file
from curation.importers.source import xml_file as xml
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

LINKS_FOLDER = "Manga109Dialog"


def companions(path: Path) -> list[Path]:
    """Return the files that may hold the links of an annotation file."""
    return [path.parent / LINKS_FOLDER / path.name, path.parent.parent / LINKS_FOLDER / path.name]


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read the texts, frame by frame from right to left. Pages without text separate scenes.

    A file of links alone has no lines. Raises InosukeError for XML that is damaged or is not a Manga109 book.
    """
    root = xml.parse(file)
    links = dict(_links(root))
    if links and next(xml.children(root, "text"), None) is None:
        return Imported(format="manga109dialog (speaker links)")
    beside = next((p for p in companions(file.path) if p.is_file() and p != file.path), None)
    if beside is not None:
        links = dict(_links(xml.parse(source_file.load(beside)))) | links
    names = {e.get("id", ""): e.get("name", "") for e in xml.children(root, "character")}
    who = {
        e.get("id", ""): names.get(e.get("character", ""), "") for k in ("body", "face") for e in xml.children(root, k)
    }
    who |= names
    lines: list[RawLine] = []
    rejected: list[Rejected] = []
    scene, silent = 1, False
    pages = sorted(xml.children(root, "page"), key=lambda p: _int(p.get("index")))
    for page in pages:
        texts = [e for e in page if xml.local(e) == "text"]
        index = _int(page.get("index"))
        for text in (t for t in texts if _box(t) is None):
            source = file.at(f"page {index}", "manga109")
            rejected.append(
                Rejected(
                    source=source, reason="bad_block", text=text.text or "", detail="its box has no four whole numbers"
                )
            )
        if silent and texts and lines:
            scene += 1
        silent = not texts
        for number, text in enumerate(_in_order(page, texts), 1):
            # A label like 女1 is not a name, but it is what Manga109's annotators agreed on.
            speaker = who.get(links.get(text.get("id", ""), ""), "")
            where = f"scene {scene} · page {index} text {number} (id {text.get('id')})"
            lines.append(
                RawLine(
                    text="".join(text.itertext()), locator=where, speaker=speaker, evidence="link" if speaker else ""
                )
            )
    return to_imported(file, lines, persona, "manga109", rejected)


def _links(root: Element) -> list[tuple[str, str]]:
    """Return (text id, speaker id): the speaker is a body, a face or a character."""
    return [(e.get("text_id", ""), e.get("speaker_id", "")) for e in xml.children(root, "speaker_to_text")]


def _in_order(page: Element, texts: list[Element]) -> list[Element]:
    """Order texts by the frame that their centre lies in, then inside the frame; frames come first on a page."""
    frames = [box for e in page if xml.local(e) == "frame" and (box := _box(e)) is not None]
    # A scan of Manga109 is usually a spread: two pages in one image.
    width, height = _int(page.get("width")), _int(page.get("height"))
    frames = [frames[i] for i in page_order(frames, width, height)]
    groups: dict[int, list[tuple[Element, Box]]] = {}
    for text in texts:
        box = _box(text)
        if box is not None:
            x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
            inside = (n for n, f in enumerate(frames) if f[0] <= x <= f[2] and f[1] <= y <= f[3])
            groups.setdefault(next(inside, len(frames)), []).append((text, box))
    ordered: list[Element] = []
    for n in sorted(groups):
        boxes = [box for _, box in groups[n]]
        # Outside every frame the fold counts as it does for frames.
        order = page_order(boxes, width, height) if n == len(frames) else right_to_left(boxes)
        ordered += [groups[n][i][0] for i in order]
    return ordered


def _box(element: Element) -> Box | None:
    values = [element.get(k, "") for k in ("xmin", "ymin", "xmax", "ymax")]
    if not all(v.strip().lstrip("-").isdecimal() and len(v) < 10 for v in values):
        return None
    x0, y0, x1, y1 = (int(v) for v in values)
    return x0, y0, x1, y1


def _int(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0
