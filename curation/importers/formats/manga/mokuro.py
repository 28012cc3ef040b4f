"""Text read from manga pages by mokuro: one `.mokuro` file a volume, or the older `_ocr/…/<page>.json` a page.

It names no speaker. A curator can add one: as `"speaker": "Tanjiro"` in a block, or as a label in its first line.
"""

from __future__ import annotations

import math
import re
from typing import Any, TypeGuard

from curation.files import natural
from curation.importers.formats.manga import magi
from curation.importers.formats.manga.reading_order import Box, page_order
from curation.importers.lines.raw_line import RawLine
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source import json_file
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

# `vol-#0001.jpg`: releases number the pages outside the count, covers and colour pages, with a hash; they come first.
_COVER = re.compile(r"#\d+\.\w+$")


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read the blocks (of Magi's JSON, its texts), pages in the order of their images and boxes from right to left.

    A page without words, or another folder of images, begins a new scene. Raises InosukeError for a file that is not
    JSON or holds no pages.
    """
    value = json_file.parse(file)
    if found := magi.pages_of(value):
        return magi.read_pages(file, persona, found)
    pages = value.get("pages") if isinstance(value, dict) else None
    if pages is None and isinstance(value, dict) and "blocks" in value:
        pages = [{"img_path": file.path.name, **value}]
    pages = pages if isinstance(pages, list) else []
    lines: list[RawLine] = []
    rejected: list[Rejected] = []
    scene, folder, silent = 1, None, False
    # The list is in the order in which the images were processed.
    for number, page in enumerate(sorted(pages, key=_image), 1):
        blocks = page.get("blocks") if isinstance(page, dict) else None
        if not isinstance(blocks, list):
            rejected.append(
                Rejected(
                    source=file.at(f"page {number}", "mokuro"),
                    reason="bad_page",
                    text=str(page)[:2000],
                    detail="no blocks",
                )
            )
            continue
        here = str(page.get("img_path") or "").rpartition("/")[0]
        if lines and (silent or here != folder):
            scene += 1
        folder, silent = here, not blocks
        good = [b for b in blocks if _is_block(b)]
        for block in blocks:
            if not _is_block(block):
                source = file.at(f"page {number}", "mokuro")
                rejected.append(
                    Rejected(
                        source=source,
                        reason="bad_block",
                        text=str(block)[:2000],
                        detail="expected lines and a box of 4 numbers",
                    )
                )
        for place, index in enumerate(page_order([_box(b) for b in good], *_size(page)), 1):
            block = good[index]
            speaker = block.get("speaker")
            speaker = speaker.strip() if isinstance(speaker, str) else ""
            where = f"scene {scene} · page {number} box {place} ({','.join(f'{v:.0f}' for v in _box(block))})"
            text = "\n".join(block["lines"])
            lines.append(RawLine(text=text, locator=where, speaker=speaker, evidence="column" if speaker else ""))
    return to_imported(file, lines, persona, "mokuro", rejected)


def _image(page: Any) -> tuple[list[tuple[int, str]], bool, list[tuple[int, str]]]:
    """Return the sort key of a page: its folder, whether it is a cover, its image's name with numbers as numbers."""
    path = str(page.get("img_path") or "") if isinstance(page, dict) else ""
    folder, _, name = path.rpartition("/")
    return natural(folder), not _COVER.search(name), natural(name)


def _size(page: dict[str, Any]) -> tuple[float, float]:
    """Return the width and height of a page's image, 0 where the file does not tell."""
    width, height = page.get("img_width"), page.get("img_height")
    return (width, height) if _is_pixel(width) and _is_pixel(height) else (0, 0)


def _is_block(block: Any) -> bool:
    if not isinstance(block, dict) or not isinstance(block.get("lines"), list):
        return False
    box = block.get("box")
    numbers = isinstance(box, list) and len(box) == 4 and all(_is_pixel(v) for v in box)
    return numbers and all(isinstance(line, str) for line in block["lines"])


def _is_pixel(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value) and abs(value) < 1e9


def _box(block: Any) -> Box:
    x0, y0, x1, y1 = block["box"]
    return x0, y0, x1, y1
