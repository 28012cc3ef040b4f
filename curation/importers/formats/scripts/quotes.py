"""Quotation marks around a whole turn. Pure."""

from __future__ import annotations

from curation.importers.lines.raw_line import RawLine

_PAIRS = {"「": "」", "『": "』", "“": "”", "«": "»", "„": "“", '"': '"', "‘": "’", "‹": "›", "〝": "〟"}


def take_off(turn: list[RawLine]) -> None:
    """Remove the quotation marks that enclose the lines of one turn as a whole; inner ones stay."""
    turn = [line for line in turn if line.text.strip()]
    if not turn:
        return
    first, last = turn[0].text.lstrip(), turn[-1].text.rstrip()
    closing = _PAIRS.get(first[:1])
    if closing is None or not last.endswith(closing) or (len(turn) == 1 and len(first.rstrip()) < 3):
        return
    inside = "\n".join(line.text for line in turn).strip()[1:-1]
    if not _balanced(inside, first[0], closing):
        return
    turn[0].text = first[1:]
    turn[-1].text = turn[-1].text.rstrip()[:-1].strip()
    turn[0].text = turn[0].text.strip()


def _balanced(text: str, opening: str, closing: str) -> bool:
    """Return whether no quote inside closes the outer one: 「a」「b」 is two."""
    if opening == closing:
        return opening not in text
    depth = 0
    for c in text:
        # An apostrophe closes nothing.
        if c == opening:
            depth += 1
        elif c == closing and closing != "’":
            depth -= 1
            if depth < 0:
                return False
    return depth == 0


def is_open(turn: list[RawLine]) -> bool:
    """Return whether a turn opened a quote that no line of it has closed so far."""
    if not turn:
        return False
    first = turn[0].text.lstrip()[:1]
    closing = _PAIRS.get(first)
    if closing is None or first in '"‘„':
        return False
    text = "".join(line.text for line in turn)
    return text.count(first) > text.count(closing)


def is_closed(turn: list[RawLine]) -> bool:
    """Return whether quotation marks enclose all that a turn holds so far: what follows is told, not said."""
    if not turn:
        return False
    first, last = turn[0].text.strip(), turn[-1].text.rstrip()
    closing = _PAIRS.get(first[:1])
    return closing is not None and last.endswith(closing) and not is_open(turn) and (len(turn) > 1 or len(first) > 1)
