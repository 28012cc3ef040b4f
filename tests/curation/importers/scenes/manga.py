"""Pages of boxes: mokuro's JSON, and Manga109 annotations with Manga109Dialog's links. Nothing is in reading order."""

from __future__ import annotations

import json
import random
import textwrap
from itertools import count
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from tests.curation.importers.scenes.neutral import Said, by_scene, people

_PER_PAGE = 10


def _pages(lines: list[Said]) -> list[list[Said]]:
    """Ten lines a page, and a page without words between two scenes."""
    pages: list[list[Said]] = []
    for _, part in by_scene(lines):
        pages += [[]] * bool(pages)
        pages += [part[i : i + _PER_PAGE] for i in range(0, len(part), _PER_PAGE)]
    return pages


def _box(place: int) -> tuple[int, int, int, int]:
    """Two columns read from the right; the left box hangs a little lower, as drawn ones do."""
    row, left = divmod(place, 2)
    x, y = (80, 72 + 220 * row) if left else (560, 60 + 220 * row)
    return x, y, x + 300, y + 170


def mokuro(lines: list[Said]) -> bytes:
    """Pages out of order, told apart by their image; a curator has added the speakers."""
    pages = []
    for number, part in enumerate(_pages(lines), 1):
        blocks: list[dict[str, Any]] = []
        for place, line in enumerate(part):
            block = {
                "box": list(_box(place)),
                "vertical": False,
                "font_size": 28,
                "lines_coords": [],
                "lines": textwrap.wrap(line.text, 20),
            }
            blocks.append(block | ({"speaker": line.speaker} if line.speaker else {}))
        random.Random(number).shuffle(blocks)
        page = {"version": "0.2.1", "img_width": 900, "img_height": 1200, "blocks": blocks}
        pages.append(page | {"img_path": f"Ba cảnh/{number}.jpg"})
    random.Random(3).shuffle(pages)
    volume = {"version": "0.2.1", "title": "Ba cảnh", "volume": "1", "pages": pages}
    return (json.dumps(volume, ensure_ascii=False) + "\n").encode()


def manga109(lines: list[Said]) -> bytes:
    """Frames, bodies and texts of a page, shuffled."""
    out = ['<?xml version="1.0" encoding="UTF-8"?>', '<book title="BaCanh">', "  <characters>"]
    cast = people(lines)
    out += [f"    <character id={_id(i)} name={quoteattr(name)}/>" for i, name in enumerate(cast, 1)]
    out += ["  </characters>", "  <pages>"]
    for index, part, bodies, texts in _numbered(lines):
        out.append(f'    <page index="{index}" width="900" height="1200">')
        shapes = [
            f'<body id={_id(body)} xmin="0" ymin="0" xmax="80" ymax="200" character={_id(cast.index(name) + 1)}/>'
            for name, body in bodies.items()
        ]
        for place, (line, text) in enumerate(zip(part, texts, strict=True)):
            x0, y0, x1, y1 = _box(place)
            box = f'xmin="{x0}" ymin="{y0}" xmax="{x1}" ymax="{y1}"'
            shapes.append(f"<text id={_id(text)} {box}>{escape(line.text)}</text>")
            if place % 2 == 0:
                frame = f'xmin="20" ymin="{y0 - 20}" xmax="880" ymax="{y1 + 20}"'
                shapes.append(f"<frame id={_id(0x9000 + text)} {frame}/>")
        random.Random(index).shuffle(shapes)
        out += [f"      {shape}" for shape in shapes] + ["    </page>"]
    return "\n".join([*out, "  </pages>", "</book>", ""]).encode()


def manga109dialog(lines: list[Said]) -> bytes:
    """The links of the file above: text → body of the one who says it."""
    out = ['<?xml version="1.0" ?>', '<book title="BaCanh">', "  <pages>"]
    link = count(0x20000001)
    for index, part, bodies, texts in _numbered(lines):
        out.append(f'    <page index="{index}" width="900" height="1200">')
        out += [
            f"      <speaker_to_text id={_id(next(link))} text_id={_id(text)} speaker_id={_id(bodies[line.speaker])}/>"
            for line, text in zip(part, texts, strict=True)
            if line.speaker
        ]
        out.append("    </page>")
    return "\n".join([*out, "  </pages>", "</book>", ""]).encode()


def _numbered(lines: list[Said]) -> list[tuple[int, list[Said], dict[str, int], list[int]]]:
    """Return (page, its lines, name → body's number, number of each text)."""
    number = count(0x100)
    return [
        (index, part, {name: next(number) for name in people(part)}, [next(number) for _ in part])
        for index, part in enumerate(_pages(lines), 1)
    ]


def _id(number: int) -> str:
    return f'"{number:08x}"'
