"""Hostile files end in an error message, in bounded time and memory."""

from __future__ import annotations

import io
import json
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import pytest

from curation.character_cards.containers import MAX_FILE, parse, read
from curation.character_cards.png_chunks import text_chunk
from curation.errors import InosukeError
from tests.curation.character_cards.making import card, card_png, chunk, png


def charx(files: dict[str, bytes]) -> bytes:
    """Return a zip file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


BOMB = bytes(60_000_000)
CARD = json.dumps(card()).encode()
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "zip bomb": (lambda: charx({"card.json": CARD, "big": BOMB}), "times its size"),
    "path name": (lambda: charx({"card.json": CARD, "../../etc/passwd": b"x"}), "leads out"),
    "many files": (lambda: charx({"card.json": CARD} | {f"{n}": b"" for n in range(3000)}), "files"),
    "no card": (lambda: charx({"other.json": CARD}), "no card.json"),
    "cut zip": (lambda: charx({"card.json": CARD})[:40], "not a readable zip"),
    "base64": (lambda: png(text_chunk("chara", b"A" * 60_000_000)), "base64"),
    "not base64": (lambda: png(text_chunk("chara", b"%%%")), "not base64"),
    "zTXt": (lambda: png(chunk(b"zTXt", b"chara\0\0" + zlib.compress(BOMB))), "use up memory"),
    "iTXt": (lambda: png(chunk(b"iTXt", b"ccv3\0\1\0\0\0" + zlib.compress(BOMB))), "use up memory"),
    "damaged zTXt": (lambda: png(chunk(b"zTXt", b"chara\0\0nonsense")), "damaged"),
    "cut PNG": (lambda: card_png(card())[:-6], "cut off"),
    "PNG without card": (png, "holds no card"),
    "deep JSON": (lambda: b'{"data":' + b"[" * 500_000 + b"]" * 500_000 + b"}", "levels deep"),
    "less deep JSON": (lambda: b'{"name":' + b"[" * 200 + b"]" * 200 + b"}", "levels deep"),
    "long number": (lambda: b'{"name":' + b"9" * 100_000 + b"}", "not UTF-8 JSON"),
    "NaN": (lambda: b'{"name":NaN}', "not UTF-8 JSON"),
    "WebP": (lambda: b"RIFF\0\0\0\0WEBPVP8 ", "not supported"),
    "a list": (lambda: b"[]", "not an object"),
    "another object": (lambda: b'{"a":1}', "not a character card"),
    "a lorebook": (lambda: b'{"spec":"lorebook_v3","data":{}}', "without a character"),
    "nothing": (lambda: b"", "not UTF-8 JSON"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gives_an_error(name: str) -> None:
    make, words = HOSTILE[name]
    raw = make()
    tracemalloc.start()
    start = time.monotonic()
    try:
        with pytest.raises(InosukeError, match=words):
            parse(raw)
        assert tracemalloc.get_traced_memory()[1] < len(raw) * 4 + 120_000_000
        assert time.monotonic() - start < 10
    finally:
        tracemalloc.stop()


def test_a_file_of_100_mb_is_not_read(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "large.png"
    with file.open("wb") as out:
        out.truncate(100_000_000)
    with pytest.raises(InosukeError, match=f"{MAX_FILE:,}"):
        read(file)
