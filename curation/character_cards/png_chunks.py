"""The chunks of a PNG or APNG file, and the texts in them. Chunks that are not asked for keep their bytes."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

from curation.errors import InosukeError

SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Chunk(NamedTuple):
    """A chunk: its type, its content, and its bytes as the file has them."""

    kind: bytes
    content: bytes
    raw: bytes


def split(data: bytes) -> tuple[list[Chunk], bytes]:
    """Return the chunks and whatever follows IEND. Raises InosukeError for a file that is cut off."""
    chunks, at = [], len(SIGNATURE)
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        end = at + 12 + size
        if end > len(data):
            break
        chunks.append(Chunk(data[at + 4 : at + 8], data[at + 8 : end - 4], data[at:end]))
        at = end
        if chunks[-1].kind == b"IEND":
            return chunks, data[at:]
    raise InosukeError("the PNG file is cut off: it has no IEND chunk. Expected a whole picture. Download it again.")


def text_of(chunk: Chunk, most: int) -> tuple[str, bytes] | None:
    """Return a text chunk's keyword in lower case and its text; None for another chunk or a damaged one.

    Raises InosukeError where a compressed text is longer than ``most`` bytes.
    """
    if chunk.kind not in (b"tEXt", b"zTXt", b"iTXt") or b"\0" not in chunk.content:
        return None
    word, _, rest = chunk.content.partition(b"\0")
    keyword = word.decode("latin-1").lower()
    if chunk.kind == b"tEXt":
        return keyword, rest
    if chunk.kind == b"zTXt":
        return keyword, _inflate(rest[1:], most)
    packed, parts = rest[:1] == b"\x01", rest[2:].split(b"\0", 2)
    if len(parts) < 3:
        return None
    return keyword, _inflate(parts[2], most) if packed else parts[2]


def _inflate(data: bytes, most: int) -> bytes:
    unpack = zlib.decompressobj()
    try:
        text = unpack.decompress(data, most + 1)
    except zlib.error as error:
        raise InosukeError(f"a compressed text of the PNG file is damaged ({error}). Download it again.") from None
    if len(text) > most:
        raise InosukeError(
            f"a compressed text of the PNG file has more than {most:,} bytes. No card needs that many; the file may be "
            "meant to use up memory. Do not use it."
        )
    return text


def text_chunk(keyword: str, text: bytes) -> bytes:
    """Return the bytes of a tEXt chunk."""
    body = b"tEXt" + keyword.encode("latin-1") + b"\0" + text
    return struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))


def with_texts(data: bytes, texts: dict[str, bytes]) -> bytes:
    """Return the PNG with these texts in place of those of a card. Every other chunk keeps its bytes and its place."""
    chunks, rest = split(data)
    new = b"".join(text_chunk(keyword, text) for keyword, text in texts.items())
    kept = []
    for chunk in chunks:
        if chunk.kind == b"IEND":
            kept.append(new)
        word = chunk.content.partition(b"\0")[0].lower()
        if chunk.kind in (b"tEXt", b"zTXt", b"iTXt") and word in (b"chara", b"ccv3"):
            continue
        kept.append(chunk.raw)
    return SIGNATURE + b"".join(kept) + rest
