"""Mojibake: UTF-8 that was read as another encoding and saved again (`TrÃªn` for `Trên`). Pure.

A text is repaired only where the way back proves it: written in the wrong encoding again, the repaired text gives the
text as it was found, and ftfy counts fewer odd neighbours in it. Anything else stays as it is.
"""

from __future__ import annotations

import re

# How the bytes 80 to BF of UTF-8 look in cp1252 and Latin-1; without marks that end sentences (`hê…”`), then with them.
_ODD = "\u0080-\u00bf€‚ƒ„†‡ˆ‰Š‹ŒŽ•˜™š›œžŸ"
_CONTINUED = f"{_ODD}…‘’“”–—"
# A lead byte and its continuations, as characters. Vietnamese and French hardly ever have them side by side.
_SUSPECT = re.compile(
    f"[\u00c2-\u00dfĂĐƠƯ][{_CONTINUED}]|[\u00e0-\u00efă](?:[{_ODD}][{_CONTINUED}]|[{_CONTINUED}][{_ODD}])|"
    f"[\u00f0-\u00f4][{_CONTINUED}]{{3}}"
)
# Each of these has a continuation right behind a lead byte. Few texts have, and a search for the rarer one is fast.
_NEAR = re.compile(f"[{_CONTINUED}](?<=[\u00c2-\u00f4ăĂĐƠƯ].)")
# In a file with mojibake a lead byte counts even if an editor made the no-break space after it a plain one.
_LEADS = re.compile("[\u00c2-\u00f4]")
_WRONG = ("latin-1", "sloppy-windows-1252", "sloppy-windows-1250", "sloppy-windows-1254", "sloppy-windows-1257")


def _cp1258() -> dict[int, int]:
    """Return the byte of each character of Vietnamese Windows; a byte without one is itself, as Windows reads it."""
    return {ord(bytes((byte,)).decode("cp1258", "ignore") or chr(byte)): byte for byte in range(256)}


_CP1258 = _cp1258()
_ROUNDS = 3  # a file can be saved wrongly more than once


def may_be_mojibake(text: str) -> bool:
    """Return whether a text holds characters that UTF-8 read wrongly would give. A cheap look."""
    return not text.isascii() and _NEAR.search(text) is not None and _SUSPECT.search(text) is not None


def repair(text: str) -> tuple[str, int]:
    """Return a text with its mojibake repaired line by line, and how many lines were."""
    if not may_be_mojibake(text):
        return text, 0
    lines = text.split("\n")
    whole = _undone(text)
    if whole is not None and whole.count("\n") == len(lines) - 1:
        return whole, sum(a != b for a, b in zip(lines, whole.split("\n"), strict=True))
    fixed = [_line(line) if may_be_mojibake(line) else line for line in lines]
    changed = sum(a != b for a, b in zip(lines, fixed, strict=True))
    if changed:
        fixed = [_line(b) if a == b and _LEADS.search(a) else b for a, b in zip(lines, fixed, strict=True)]
        changed = sum(a != b for a, b in zip(lines, fixed, strict=True))
    return ("\n".join(fixed), changed) if changed else (text, 0)


def _line(line: str) -> str:
    from ftfy.badness import is_bad

    if not is_bad(line):  # nearly all lines that only look suspicious, at a fraction of the cost
        return line
    found = _proved(line)
    if found is not None:
        return found
    # Right and wrong words in one line: each word has to prove itself.
    words = line.split(" ")
    return " ".join(_proved(word) or word if may_be_mojibake(word) else word for word in words)


def _proved(text: str) -> str | None:
    undone = _undone(text)
    if undone is not None:
        return undone
    from ftfy import fix_encoding
    from ftfy.badness import badness

    fixed = fix_encoding(text)
    if fixed != text and badness(fixed) < badness(text) and _leads_back(fixed, text):
        return fixed
    return None


def _undone(text: str) -> str | None:
    """Return a text that reads as UTF-8 in one of the wrong encodings, once or several times over, or None."""
    from ftfy.badness import badness

    found: str | None = None
    for _ in range(_ROUNDS):
        current = text if found is None else found
        following = next((t for e in (*_WRONG[:2], "cp1258") if (t := _decoded(current, e)) is not None), None)
        if following is None or following == current or badness(following) >= badness(current):
            break
        found = following
    return found


def _decoded(text: str, wrong: str) -> str | None:
    import ftfy.bad_codecs  # noqa: F401  (registers the sloppy encodings)

    try:
        if wrong == "cp1258":
            return text.translate(_CP1258).encode("latin-1").decode("utf-8")
        return text.encode(wrong).decode("utf-8")
    except UnicodeError:
        return None


def _leads_back(fixed: str, text: str) -> bool:
    """Return whether the repaired text gives the text that was found when it is read wrongly again."""
    wanted = text.replace("\xa0", " ")
    current = {fixed}
    for _ in range(_ROUNDS):
        following = set()
        for candidate in current:
            for wrong in _WRONG:
                try:
                    following.add(candidate.encode("utf-8").decode(wrong))
                except UnicodeError:
                    continue
        if any(candidate.replace("\xa0", " ") == wanted for candidate in following):
            return True
        current = following
    return False
