"""The scenes of `datasets/sources/transcripts` in every format, rendered from one neutral table.

`scenes.lines.json` is what was written by hand; everything beside it is made by `python -m
tests.curation.importers.scenes`, with the defects that such files have in the wild. A test holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.curation.importers.scenes import captions, manga, rows, scripts, subtitles, tables
from tests.curation.importers.scenes.neutral import FOLDER, Said, load

__all__ = ["FOLDER", "RENDERED", "load", "render"]

# file name → its bytes. What a container format writes differs between library versions; these do not.
RENDERED: dict[str, Callable[[list[Said]], bytes]] = {
    "scenes.ass": subtitles.ass,
    "scenes.ssa": subtitles.ssa,
    "scenes.utf-8.srt": subtitles.srt,
    "scenes.vtt": subtitles.vtt,
    "scenes.ttml": subtitles.ttml,
    "scenes.dfxp": subtitles.dfxp,
    "scenes.sub": subtitles.microdvd,
    "scenes.sbv": captions.sbv,
    "scenes.viewer.sub": captions.subviewer,
    "scenes.lrc": captions.lrc,
    "scenes.smi": captions.sami,
    "scenes.mpl": captions.mpl2,
    "scenes.tmplayer.txt": captions.tmplayer,
    "scenes.srv3": captions.srv3,
    "scenes.json3": captions.json3,
    "scenes.mokuro": manga.mokuro,
    "scenes.xml": manga.manga109,
    "Manga109Dialog/scenes.xml": manga.manga109dialog,
    "scenes.wiki": scripts.wiki,
    "scenes.txt": scripts.plain,
    "scenes.md": scripts.markdown,
    "scenes.csv": tables.csv_bom,
    "scenes.tsv": tables.tsv_wide,
    "scenes.messages.jsonl": rows.openai,
    "scenes.sharegpt.json": rows.sharegpt,
    "scenes.label-studio.json": rows.label_studio,
}


def render(folder: Path) -> None:
    """Write every file of the scenes but the table itself."""
    lines = load()
    for name, make in RENDERED.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(make(lines))
    tables.containers(lines, folder)
