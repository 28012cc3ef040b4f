"""Which lines are dialogue and which are signs, songs, drawings, comments, credits or doubles. Pure.

No single mark tells a sign from a line: typesetters position dialogue too, and style names are free text. So each
signal counts, and two together decide; what decides alone is listed in ALONE. A rejected line keeps its text and gets a
reason code; nothing is deleted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from curation.importers.lines.raw_line import RawLine

_SIGN_STYLE = re.compile(
    r"(?<![a-z])(?:signs?|titles?|typeset(?:ting)?|ts|captions?|on.?screen|notes?|next.?ep\w*|eyecatch|"
    r"letter|chapter|biển|chữ)(?![a-z])",
    re.IGNORECASE,
)
_SONG_STYLE = re.compile(
    r"(?<![a-z])(?:op\d*|ed\d*|opening|ending|songs?|lyrics?|kara\w*|romaji|insert|nhạc)(?![a-z])", re.I
)
_CREDIT_STYLE = re.compile(r"(?<![a-z])(?:credits?|staff|fansub|watermark)(?![a-z])", re.IGNORECASE)
_KARAOKE_TAG = re.compile(r"\\[kK][fot]?\s*\d")
_DRAWING_TAG = re.compile(r"\\p[1-9]")
_PLACED_TAG = re.compile(r"\\(?:pos|move|org|i?clip|fr[xyz]|fa[xy]|an[45678])(?![a-z])")
_EFFECT_SONG = re.compile(r"^(?:fx|karaoke|template|code|syl|furi)", re.IGNORECASE)
_EFFECT_SIGN = re.compile(r"^(?:banner|scroll)", re.IGNORECASE)
_NOTE = "♪♫♬♩🎵🎶"
# A song or a sound has one of these at either end. Most lines have none, so this look spares them the rules below.
_EDGE_MARKS = f"{_NOTE}#[](（）)【】"
_CREDIT = re.compile(
    r"https?://|www\.\w|\b[\w-]+\.(?:com|net|org|tv)\b|"
    r"\b(?:sub(?:title|bed|s|titles)?|translat\w+|timed|timing|synced|sync|encod\w+|typeset\w*|edited|qc|dịch|phụ đề|"
    r"biên dịch|hiệu đính|biên tập)\b[^.!?]{0,20}(?:\bby\b|\bbởi\b|:)|字幕[:：]|opensubtitles|addic7ed|fansub",
    re.IGNORECASE,
)
# Subtitlers sign at the ends of a file.
_EDGE = 5
# Frame-by-frame typesetting: the same text again within a tenth of a second, each shown for less than half a second.
_ADJACENT_MS = 100
_FLASH_MS = 500
_BURST = 3


def mark(lines: Sequence[RawLine]) -> None:
    """Set ``reason`` and ``detail`` of every line that is not dialogue. Expects ``plain`` to be filled in."""
    styles = {name: _style(name) for name in {line.style for line in lines}}
    bursts = _bursts(lines)
    count = len(lines)
    for index, line in enumerate(lines):
        if line.reason:
            # An event that only draws has no text either; `drawing` is the more precise reason.
            if line.reason in ("empty", "oversized") and _DRAWING_TAG.search(line.text):
                line.reason, line.detail = "drawing", "vector drawing"
            continue
        if _decided_alone(line, index < _EDGE or index >= count - _EDGE):
            continue
        style = styles[line.style]
        if style or line.effect or line.text[:1] == "{" or index in bursts:
            _weigh(line, style, index in bursts)
    _merge_doubles(lines)


def _decided_alone(line: RawLine, at_edge: bool) -> bool:
    """Reject a line that one signal decides, and return whether it was. ``at_edge``: near an end of the file."""
    if "\\" in line.text or line.plain[0] in _EDGE_MARKS or line.plain[-1] in _EDGE_MARKS:
        found = next((signal for signal in ALONE if signal.fits(line)), None)
        if found is not None:
            line.reason, line.detail = found.reason, found.detail
            return True
    if (at_edge or "/" in line.plain or "." in line.plain[1:-1]) and _CREDIT.search(line.plain):
        line.reason, line.detail = "credits", "names those who made the subtitles"
        return True
    return False


def _weigh(line: RawLine, style: str, burst: bool) -> None:
    """Add up the signals that are not enough by themselves."""
    placed = bool(_PLACED_TAG.search(line.text)) if "\\" in line.text else False
    signals = {
        f"style `{line.style}`": bool(style),
        "placed by hand": placed,
        f"effect `{line.effect}`": bool(_EFFECT_SIGN.match(line.effect) or _EFFECT_SONG.match(line.effect)),
        "flashes frame by frame": burst,
        # Typesetters leave the actor empty; an actor shows that dialogue got the style of a sign by mistake.
        "no speaker named": bool(style) and not line.speaker,
    }
    found = [why for why, there in signals.items() if there]
    if len(found) >= 2:
        is_song = style == "song" or _EFFECT_SONG.match(line.effect)
        line.reason = "karaoke" if is_song else "credits" if style == "credits" else "sign"
        line.detail = ", ".join(found)


def _style(name: str) -> str:
    for kind, pattern in (("song", _SONG_STYLE), ("sign", _SIGN_STYLE), ("credits", _CREDIT_STYLE)):
        if pattern.search(name):
            return kind
    return ""


def _bursts(lines: Sequence[RawLine]) -> set[int]:
    """Return the indices of lines that are one text shown frame by frame."""
    found: set[int] = set()
    latest: dict[str, list[int]] = {}
    for index, line in enumerate(lines):
        if line.start_ms is None or line.end_ms is None or line.end_ms - line.start_ms >= _FLASH_MS or not line.plain:
            continue
        run = latest.get(line.plain, [])
        before = lines[run[-1]].end_ms if run else None
        run = [*run, index] if before is not None and abs(line.start_ms - before) <= _ADJACENT_MS else [index]
        latest[line.plain] = run[-_BURST:]
        if len(run) >= _BURST:
            found.update(run)
    return found


def _merge_doubles(lines: Sequence[RawLine]) -> None:
    """Keep one of the lines that say the same at the same time, as layered styles do; prefer one with a speaker."""
    kept: dict[tuple[str, int, int], RawLine] = {}
    for line in lines:
        if line.reason or line.start_ms is None or line.end_ms is None:
            continue
        key = (line.plain, line.start_ms // _ADJACENT_MS, line.end_ms // _ADJACENT_MS)
        other = kept.get(key)
        if other is None:
            kept[key] = line
            continue
        keep, double = (line, other) if line.speaker and not other.speaker else (other, line)
        if keep.speaker and double.speaker and keep.speaker != double.speaker:
            continue  # two people say it together
        kept[key] = keep
        double.reason, double.detail = "layered_double", f"the same words at the same time as {keep.locator}"


def _music(line: RawLine) -> bool:
    text = line.plain
    # Legacy encodings have no ♪: there, songs are between number signs.
    return text[:1] in _NOTE or text[-1:] in _NOTE or (len(text) > 2 and text[0] == "#" == text[-1])


def _sound(line: RawLine) -> bool:
    text = line.plain
    return text[:1] in "[(（【" and text[-1:] in "])）】" and not re.search(r"[\])）】].+", text[:-1])


class Signal(NamedTuple):
    """What rejects a line by itself: the code, the words beside it, and whether a line has it."""

    reason: str
    detail: str
    fits: Callable[[RawLine], bool]


ALONE = (
    Signal(
        reason="drawing",
        detail="vector drawing",
        fits=lambda line: "\\p" in line.text and bool(_DRAWING_TAG.search(line.text)),
    ),
    Signal(
        reason="karaoke",
        detail="timed syllables",
        fits=lambda line: "\\" in line.text and bool(_KARAOKE_TAG.search(line.text)),
    ),
    Signal(reason="karaoke", detail="between notes", fits=_music),
    Signal(reason="stage_direction", detail="what is done or heard, not said", fits=_sound),
)
