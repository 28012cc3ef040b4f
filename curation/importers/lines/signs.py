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
from curation.transcripts.label_words import DIRECTION_CLOSES, DIRECTION_OPENS, is_sound
from curation.transcripts.trade_words import Kind, name_kind, style_kind

# Formats that name a speaker in a field of its own; a script's labels are read from its text.
_NAMED_BY_FIELD = ("actor", "voice", "agent", "style", "column")
_KARAOKE_TAG = re.compile(r"\\[kK][fot]?\s*\d")
_DRAWING_TAG = re.compile(r"\\p[1-9]")
_PLACED_TAG = re.compile(r"\\(?:pos|move|org|i?clip|fr[xyz]|fa[xy]|an[45678])(?![a-z])")
_EFFECT_SONG = re.compile(r"^(?:fx|karaoke|template|code|syl|furi)", re.IGNORECASE)
_EFFECT_SIGN = re.compile(r"^(?:banner|scroll)", re.IGNORECASE)
_NOTE = "♪♫♬♩🎵🎶"
MUSIC_NOTES = frozenset(_NOTE)
# A song or a sound has one of these at either end. Most lines have none, so this look spares them the rules below.
_EDGE_MARKS = f"{_NOTE}#<>{DIRECTION_OPENS}{DIRECTION_CLOSES}"
# A note by the translator is called one, or stands behind an asterisk that a word of the line refers to.
_TRANSLATORS_NOTE = re.compile(
    r"^[*\[(（]*\s*(?:t/n|tn|tl[ /]?note|translator['’]?s?[ -]note|n/t|chú thích|ghi chú|訳注|译注|譯註)\s*[:：\-–]",
    re.IGNORECASE,
)
NOTE_OPENS = frozenset("*[(（tTnNcCgG訳译譯")
# Words in brackets that a named speaker thinks: a sentence, with its end or with a pronoun, not a sound.
_SENTENCE_END = re.compile(r"[.!?…。！？~～]$")
_CLAUSE = re.compile(
    r"(?:[俺僕私我]|あたし|お前|おまえ|あいつ|こいつ|これ|それ|你|他).*[^音声息]$|(?:ない|だ|よ|ね|ぞ|な|か|です|ます|た)$"
)
_PRONOUN = re.compile(
    r"(?<!\w)(?:i|i'm|i'll|i've|me|my|mine|we|us|our|you|your|he|him|his|she|her|they|them|it|it's|this|that|"
    r"ta|tao|tôi|tớ|mình|hắn|nó|ngươi|mày|cậu|anh|em|chúng|bọn|lũ|đây|kia|này)(?!\w)",
    re.IGNORECASE,
)
_BRACKET = re.compile(rf"[{re.escape(DIRECTION_OPENS + DIRECTION_CLOSES)}]")
_CLOSED_BEFORE = re.compile(rf"[{re.escape(DIRECTION_CLOSES)}].+")
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
    styles = {name: style_kind(name) for name in {line.style for line in lines}}
    fields = {
        name: name_kind(name)
        for name in {line.speaker for line in lines if line.speaker and line.evidence in _NAMED_BY_FIELD}
    }
    bursts = _bursts(lines)
    count = len(lines)
    for index, line in enumerate(lines):
        if line.reason:
            # An event that only draws has no text either; `drawing` is the more precise reason.
            if line.reason in ("empty", "oversized") and _DRAWING_TAG.search(line.text):
                line.reason, line.detail = "drawing", "vector drawing"
            continue
        style = styles[line.style]
        if line.speaker and (kind := fields.get(line.speaker, "")):
            _set_kind(line, kind, f"the speaker's field is `{line.speaker}`")
            continue
        # Whoever sings, a song is not what the character says; a sign's style may be on dialogue by mistake.
        if style in ("note", "song"):
            _set_kind(line, style, f"style `{line.style}`")
            continue
        if _decided_alone(line, index < _EDGE or index >= count - _EDGE):
            continue
        if style or line.effect or line.text[:1] == "{" or index in bursts:
            _weigh(line, style, index in bursts)
    _merge_doubles(lines)


def _decided_alone(line: RawLine, at_edge: bool) -> bool:
    """Reject a line that one signal decides, and return whether it was. ``at_edge``: near an end of the file.

    What looks like credits is only marked as such: a line of a named speaker is none, and labels are read later.
    """
    if line.plain[0] in NOTE_OPENS and line.start_ms is not None and is_note(line.plain):
        line.reason, line.detail = "note", "a note by the translator"
        return True
    if "\\" in line.text or line.plain[0] in _EDGE_MARKS or line.plain[-1] in _EDGE_MARKS:
        found = next((signal for signal in ALONE if signal.fits(line)), None)
        if found is not None:
            line.reason, line.detail = found.reason, found.detail
            return True
    looks = not line.speaker and (at_edge or "/" in line.plain or "." in line.plain[1:-1])
    line.credits = looks and _CREDIT.search(line.plain) is not None
    return False


def _weigh(line: RawLine, style: Kind, burst: bool) -> None:
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
        _set_kind(line, "song" if is_song else style, ", ".join(found))


def _set_kind(line: RawLine, kind: Kind, detail: str) -> None:
    line.reason = (
        "karaoke" if kind == "song" else "note" if kind == "note" else "credits" if kind == "credits" else "sign"
    )
    line.detail = detail


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
    kept: dict[str, list[RawLine]] = {}
    for line in lines:
        if line.reason or line.start_ms is None or line.end_ms is None:
            continue
        same = kept.get(line.plain)
        if same is None:
            kept[line.plain] = [line]
            continue
        # The lines come in the order of their times, so only the latest ones can be as near as this.
        place = next((i for i in range(len(same) - 1, max(len(same) - 5, -1), -1) if _together(same[i], line)), None)
        if place is None:
            same.append(line)
            continue
        other = same[place]
        keep, double = (line, other) if line.speaker and not other.speaker else (other, line)
        if keep.speaker and double.speaker and keep.speaker != double.speaker:
            continue  # two people say it together
        same[place] = keep
        double.reason, double.detail = "layered_double", f"the same words at the same time as {keep.locator}"


def _together(one: RawLine, other: RawLine) -> bool:
    """Return whether two lines with times are shown at the same time, give or take the time of a few frames."""
    if one.start_ms is None or other.start_ms is None or one.end_ms is None or other.end_ms is None:
        return False
    return abs(one.start_ms - other.start_ms) <= _ADJACENT_MS and abs(one.end_ms - other.end_ms) <= _ADJACENT_MS


def is_note(text: str) -> bool:
    """Return whether a line says that it is a note by the translator: `T/N: a pun`, `[Chú thích: mái nhà]`."""
    return text[:1] in NOTE_OPENS and _TRANSLATORS_NOTE.match(text) is not None


def is_thought(text: str) -> bool:
    """Return whether the words in brackets of a named speaker are a sentence, which is thought, and not a sound.

    `(He cannot see me here...)` is one; `(sighs)`, `(Thở dài.)` and `[wind blowing]` are not.
    """
    inner = text[1:-1].strip()
    words = inner.split()
    if not inner or text[:1] not in "[(（【" or text[-1:] not in "])）】" or re.search(r"[\[\](（）)【】]", inner):
        return False
    if inner[0].islower() or is_sound(inner):
        return False
    if not inner[0].isascii() and not inner[0].isupper() and not inner[0].islower():  # a script without capitals
        return bool(_SENTENCE_END.search(inner)) or len(inner) > 12 or bool(len(inner) > 3 and _CLAUSE.search(inner))
    return len(words) > 1 and bool(_SENTENCE_END.search(inner) or (len(words) > 2 and _PRONOUN.search(inner)))


def _music(line: RawLine) -> bool:
    text = line.plain
    # Legacy encodings have no ♪: there, songs are between number signs.
    return text[:1] in _NOTE or text[-1:] in _NOTE or (len(text) > 2 and text[0] == "#" == text[-1])


def _sound(line: RawLine) -> bool:
    text = line.plain
    if line.speaker and is_thought(text):
        return False
    if text[:1] == "<":
        return text[-1:] == ">" and text[1:2].isalpha() and not re.search(r"[<>]", text[1:-1])
    return text[:1] in DIRECTION_OPENS and text[-1:] in DIRECTION_CLOSES and not _CLOSED_BEFORE.search(text[:-1])


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
