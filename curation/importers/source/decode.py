"""Bytes → text, for the usual encodings of subtitles and scripts. Knows no format and opens no file."""

from __future__ import annotations

from curation.cleaning.mojibake import repair
from curation.cleaning.vietnamese_fonts import decode_font
from curation.errors import InosukeError
from curation.importers.source.legacy import guess

# Byte order marks, longest first: UTF-32-LE begins like UTF-16-LE.
_MARKS = ((b"\xff\xfe\x00\x00", "utf-32"), (b"\x00\x00\xfe\xff", "utf-32"), (b"\xef\xbb\xbf", "utf-8-sig"))
_MARKS_16 = ((b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# The legacy encodings of subtitles and scripts in Vietnamese, Japanese and English. Left to choose among all encodings,
# charset-normalizer takes Shift_JIS for Korean (cp949) and cp1252 for cp1250; among these four it is right.
_LEGACY = ["cp1258", "cp932", "euc_jp", "cp1252"]
_CONTROL = bytes(b for b in range(32) if b not in b"\t\n\v\f\r\x1b")
# How many bytes are read to choose among them.
_SAMPLE = 64 * 1024


class Undecodable(InosukeError):
    """The bytes are not text."""


def decode(data: bytes) -> tuple[str, str]:
    """Return the text, with ``\\n`` line ends, and the name of the encoding.

    A few bad bytes in a UTF-8 file become U+FFFD, which importers quarantine line by line, and the name includes their
    number; a legacy encoding would damage every other line. Mojibake is repaired, and letters of Vietnamese fonts are
    decoded, where the result proves it; the name says that, too. Raises Undecodable for bytes that are not text.
    """
    text, encoding = _decode(data)
    if not text.isascii():
        text, repaired = repair(text)
        if repaired:
            encoding += f" (mojibake repaired in {repaired:,} lines)"
        elif encoding.startswith("utf"):
            text, font = decode_font(text)
            encoding += f" ({font} letters decoded)" if font else ""
    return text.replace("\r\n", "\n").replace("\r", "\n"), encoding


def repaired_lines(data: bytes) -> list[tuple[str, str]]:
    """Return the lines in which mojibake was repaired, as found and as they read now; none where most of them were.

    A file that was saved wrongly as a whole is right again as a whole. A few such lines came from somewhere else.
    """
    try:
        found, _ = _decode(data)
    except Undecodable:
        return []
    pairs = list(zip(found.split("\n"), repair(found)[0].split("\n"), strict=False))
    repaired = [(before, after) for before, after in pairs if before != after]
    beyond_ascii = sum(not before.isascii() for before, _ in pairs)
    return repaired if 2 * len(repaired) < beyond_ascii else []


def _decode(data: bytes) -> tuple[str, str]:
    for mark, encoding in _MARKS + _MARKS_16:
        if data.startswith(mark):
            return _tolerant(data, encoding)
    wide = _wide(data)
    if wide:
        return _tolerant(data, wide)
    if _is_binary(data):
        raise Undecodable(
            "not a text file (it holds control bytes). Expected subtitles, a script or rows; leave it out"
        )
    if b"\x1b$" in data[:_SAMPLE]:  # ISO-2022-JP is all ASCII bytes between its escapes
        return _tolerant(data, "iso2022_jp")
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _damaged_or_legacy(data)


def _tolerant(data: bytes, encoding: str) -> tuple[str, str]:
    text = data.decode(encoding, "replace")
    name = encoding.removesuffix("-sig")
    bad = text.count("\ufffd")
    return text, f"{name} ({bad} bad)" if bad else name


def _wide(data: bytes) -> str | None:
    """Return UTF-16 with its byte order if every second byte of the start is zero, though it has no mark."""
    head = data[:512]
    half = len(head) // 2
    if half < 4:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > half * 0.4 and even < half * 0.05:
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.05:
        return "utf-16-be"
    return None


def _is_binary(data: bytes) -> bool:
    head = data[:4096]
    control = len(head) - len(head.translate(None, _CONTROL))
    return control > max(4, len(head) * 0.02)


def _damaged_or_legacy(data: bytes) -> tuple[str, str]:
    text = data.decode("utf-8", "replace")
    bad = text.count("\ufffd")
    multibyte = sum(c > "\x7f" for c in text) - bad
    # In real UTF-8 nearly every character beyond ASCII decodes; in a legacy encoding hardly any does.
    if multibyte > 4 * bad:
        return text, f"utf-8 ({bad} bad)"
    found = guess(data)
    if found is not None:
        return found
    if _mostly_high(data):
        raise Undecodable(f"in a legacy encoding{_likely(data)}. Save the file as UTF-8 and try again")
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_SAMPLE], cp_isolation=_LEGACY).best()
    if best is not None:
        try:
            return data.decode(best.encoding), best.encoding
        except UnicodeDecodeError:  # chosen from the first bytes; a later byte does not fit
            return _tolerant(data, best.encoding)
    if multibyte >= bad or bad <= 3:
        return text, f"utf-8 ({bad} bad)"
    raise Undecodable(
        "neither UTF-8, UTF-16, cp1258, Shift_JIS, EUC-JP, EUC-KR, GBK, Big5 nor cp1252. "
        "Save the file as UTF-8 and try again"
    )


def _mostly_high(data: bytes) -> bool:
    """Return whether most letters are beyond ASCII: Cyrillic, Greek, Thai, Arabic. In Latin texts few are."""
    head = data[:_SAMPLE]
    high = sum(byte >= 0xA0 for byte in head)
    words = sum(byte >= 0xA0 or chr(byte).isalpha() for byte in head)
    return high > 8 and high > 0.6 * words


def _likely(data: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(data[:_SAMPLE]).best()
    return f", likely {best.encoding}" if best is not None else ""
