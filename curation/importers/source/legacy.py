"""Which East Asian or Vietnamese encoding a file's bytes are in, where they themselves prove it. Pure.

Each encoding leaves its own trace: Japanese its kana, Korean the 2,350 syllables of KS X 1001 in 25 rows of the code
table, Chinese the thousands of characters that are used most, all others their letters. Without such a trace there is
no answer.
"""

from __future__ import annotations

import re

from curation.cleaning.vietnamese_fonts import decode_font

_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_KANA = re.compile("[\u3041-\u309f\u30a1-\u30ff]")
_WIDE = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
# Fewer characters prove nothing.
_ENOUGH = 4
_SAMPLE = 64 * 1024


def guess(data: bytes) -> tuple[str, str] | None:
    """Return the text and the name of its encoding, or None where the bytes prove none."""
    head = data[:_SAMPLE]
    return _east_asian(data, head) or _vietnamese(data)


def _vietnamese(data: bytes) -> tuple[str, str] | None:
    text, font = decode_font(data.decode("latin-1"))
    return (text, font) if font else None


def _east_asian(data: bytes, head: bytes) -> tuple[str, str] | None:
    for encoding, traced in (("cp932", _kana), ("euc_jp", _kana), ("cp949", _korean), ("gb18030", _chinese),
                             ("big5", _big5)):  # fmt: skip
        if traced(head, encoding):
            try:
                return data.decode(encoding), encoding
            except UnicodeDecodeError:
                bad = data.decode(encoding, "replace")
                count = bad.count("\ufffd")
                # Now and then a byte is damaged; if many are, the guess was wrong.
                if count * 50 < len(_WIDE.findall(bad)):
                    return bad, f"{encoding} ({count} bad)"
    return None


def _kana(head: bytes, encoding: str) -> bool:
    text = head.decode(encoding, "replace")
    wide = _WIDE.findall(text)
    return len(wide) >= _ENOUGH and len(_KANA.findall(text)) >= 0.2 * len(wide) and _few_bad(text, wide)


def _few_bad(text: str, wide: list[str]) -> bool:
    # The end of the head may cut a character in two.
    odd = text.count("\ufffd") + sum("\uff61" <= c <= "\uff9f" or "\ue000" <= c <= "\uf8ff" for c in text)
    return odd <= 1 + 0.02 * len(wide)


def _pairs(head: bytes) -> list[bytes]:
    """Return the bytes beyond ASCII two by two, or nothing where they mostly stand alone, as in Latin texts."""
    runs = _HIGH_RUN.findall(head)
    even = [run for run in runs if len(run) % 2 == 0]
    if not runs or len(even) < 0.95 * len(runs) - 1:
        return []
    pairs = [run[i : i + 2] for run in even for i in range(0, len(run), 2)]
    return pairs if all(pair[0] >= 0xA1 and pair[1] >= 0xA1 for pair in pairs) else []


def _letters(head: bytes) -> list[bytes]:
    """Return the pairs that are no punctuation (rows A1 to A3 of all these tables)."""
    return [pair for pair in _pairs(head) if pair[0] >= 0xB0]


def _korean(head: bytes, _: str) -> bool:
    letters = _letters(head)
    hangul = sum(pair[0] <= 0xC8 for pair in letters)
    # In Chinese four of ten characters lie beyond these rows.
    return len(letters) >= _ENOUGH and hangul >= 0.97 * len(letters)


def _chinese(head: bytes, _: str) -> bool:
    letters = _letters(head)
    common = sum(pair[0] <= 0xD7 for pair in letters)
    return len(letters) >= _ENOUGH and common >= 0.85 * len(letters)


def _big5(head: bytes, _: str) -> bool:
    """Big5's second byte may be an ASCII one, so its runs are no sign; its common characters are A440 to C67E."""
    text = head.decode("big5", "replace")
    wide = [c for c in text if "\u4e00" <= c <= "\u9fff"]
    if len(wide) < _ENOUGH or text.count("\ufffd") > 1 + 0.02 * len(wide):
        return False
    common = sum(0xA4 <= c.encode("big5", "replace")[0] <= 0xC6 for c in wide)
    return common >= 0.9 * len(wide)
