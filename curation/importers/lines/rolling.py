"""Captions that repeat themselves: roll-up and paint-on cues become each line once. Pure.

Roll-up captions carry the lines of the cue before at their top (YouTube's automatic captions, broadcast recordings);
paint-on captions grow from cue to cue, word by word. Neither is a speaker who says it twice: the repeated words are
taken off, and a cue that only shows them again is rejected as `carried_over`. What people do say twice stays: a cue
that is the same as the one before, with a time of its own, in a file that does not roll.
"""

from __future__ import annotations

from collections.abc import Sequence

from curation.importers.lines.raw_line import RawLine

# The formats whose lines are cues that follow each other in time.
FORMATS = frozenset(
    {"srt", "vtt", "ass", "ssa", "ttml", "microdvd", "sbv", "lrc", "sami", "subviewer", "mpl2", "tmplayer", "timedtext"}
)
# Cues of one roll follow each other without a pause; broadcast recordings leave some frames between them.
_GAP_MS = 500
# Nothing is said in so short a time: such a cue only keeps the words on the screen.
_BLINK_MS = 120
# Carried words of fewer letters may be a person's who says `Go!` and then `Go! Now!`: the file must roll elsewhere too.
_FEW_LETTERS = 8
_ROLLS = 3
_ENDS = ".!?…。！？"


class _Cue:
    """A cue as it is shown: its lines, and how many at its top the cue before has shown already."""

    __slots__ = ("carried", "line", "shown")

    def __init__(self, line: RawLine) -> None:
        self.line = line
        self.shown = [" ".join(row.split()) for row in line.plain.split("\n") if row.strip()]
        self.carried = 0


def collapse(lines: Sequence[RawLine]) -> None:
    """Take off what a cue repeats of the one before, and reject cues that show nothing new. In order of time."""
    steps = _steps(lines)
    if not steps:
        return
    rolls = sum(sum(map(len, words)) > _FEW_LETTERS for _, _, _, words in steps)
    cues: dict[int, _Cue] = {}
    chains = _chains(steps)
    for kind, before, after, words in steps:
        one = cues.setdefault(id(before), _Cue(before))
        other = cues.setdefault(id(after), _Cue(after))
        letters = sum(c.isalnum() for word in words for c in word)
        often = rolls >= _ROLLS or chains.get(id(after), 0) >= _ROLLS
        if kind == "same":
            if often or _is_blink(before) or _is_blink(after):
                other.carried = one.carried
                _reject(after, before)
        elif kind == "rolled":
            if often or letters >= _FEW_LETTERS or _is_blink(before) or _is_blink(after):
                other.carried = len(words)
                if other.carried == len(other.shown):
                    _reject(after, before)
        elif often or words[-1][-1] not in _ENDS or letters >= 2 * _FEW_LETTERS:
            other.carried = one.carried
            if not before.reason:
                _reject(before, after)
            after.start_ms = before.start_ms
    for cue in cues.values():
        if cue.carried and not cue.line.reason:
            cue.line.carried = "\n".join(cue.shown[: cue.carried])
            cue.line.plain = "\n".join(cue.shown[cue.carried :])


Step = tuple[str, RawLine, RawLine, list[str]]


def _steps(lines: Sequence[RawLine]) -> list[Step]:
    """Return (kind, cue, next cue, shared lines) for neighbours that share words: same, rolled or grown."""
    steps: list[Step] = []
    before: RawLine | None = None
    for line in lines:
        if line.reason or line.start_ms is None or line.end_ms is None or not line.plain:
            continue
        if before is not None and before.plain[:1] and _may_share(before, line):
            step = _step(before, line)
            if step is not None:
                steps.append(step)
        before = line
    return steps


def _may_share(before: RawLine, line: RawLine) -> bool:
    """Return whether two cues may share words; a cheap look, since most cues of most files do not."""
    one, other = before.plain, line.plain
    if one[0] != other[0] and other[0] not in one:
        return False
    last = one[one.rfind("\n") + 1 :].strip()
    return other.startswith(one) or last in other or one.split(None, 1)[0] == other.split(None, 1)[0]


def _step(before: RawLine, line: RawLine) -> Step | None:
    if before.end_ms is None or line.start_ms is None or line.start_ms - before.end_ms > _GAP_MS:
        return None
    if before.speaker != line.speaker and before.speaker and line.speaker:
        return None
    one, other = _Cue(before).shown, _Cue(line).shown
    if one == other:
        return ("same", before, line, one)
    if len(other) >= len(one) and _extends(one, other):
        return ("grown", before, line, one)
    for number in range(min(len(one), len(other)), 0, -1):
        if one[-number:] == other[:number]:
            return ("rolled", before, line, other[:number])
    return None


def _extends(one: list[str], other: list[str]) -> bool:
    """Return whether a cue begins with all of the words of the one before, and goes on in its last line."""
    last = len(one) - 1
    if one[:last] != other[:last] or not other[last].startswith(one[last]):
        return False
    rest = other[last][len(one[last]) :]
    # With further lines below, it is a roll-up whose top line has not left yet, unless the last line itself grew.
    return bool(rest) or len(other) == len(one)


def _chains(steps: Sequence[Step]) -> dict[int, int]:
    """Return, for each cue that grew, how many cues its words have grown over."""
    length: dict[int, int] = {}
    for kind, before, after, _ in steps:
        if kind == "grown":
            length[id(after)] = length.get(id(before), 1) + 1
    # A chain counts from its first step on.
    for kind, before, after, _ in reversed(steps):
        if kind == "grown" and length.get(id(before)):
            length[id(before)] = max(length[id(before)], length[id(after)])
    return length


def _is_blink(line: RawLine) -> bool:
    return line.start_ms is not None and line.end_ms is not None and line.end_ms - line.start_ms <= _BLINK_MS


def _reject(line: RawLine, other: RawLine) -> None:
    line.reason, line.detail = "carried_over", f"{other.locator} shows these words too"
