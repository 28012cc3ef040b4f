"""Made transcripts for tests: cues as SRT and ASS files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from curation.importers.lines.raw_line import clock


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue: times in milliseconds, words, and who says them ("" where no one is named)."""

    start: int
    end: int
    text: str
    actor: str = ""


def one_after_another(lines: Iterable[str], seconds: float = 2.0, actors: Sequence[str] = ()) -> list[Cue]:
    """Return cues of that length with a short pause between them; the actors take turns."""
    step = round(seconds * 1000)
    return [
        Cue(n * step, n * step + step - 200, text, actors[n % len(actors)] if actors else "")
        for n, text in enumerate(lines)
    ]


def srt(lines: Iterable[str | Cue]) -> str:
    """Return an SRT file; plain lines follow each other."""
    cues = [c if isinstance(c, Cue) else one_after_another([c])[0] for c in lines]
    if not any(c.start for c in cues):
        cues = one_after_another(c.text for c in cues)
    blocks = (
        f"{n}\n{clock(c.start).replace('.', ',')} --> {clock(c.end).replace('.', ',')}\n{c.text}\n"
        for n, c in enumerate(cues, 1)
    )
    return "\n".join(blocks)


def ass(cues: Iterable[Cue]) -> str:
    """Return an ASS file with the actor of each cue in its actor field."""
    head = "[Script Info]\nScriptType: v4.00+\n\n[Events]\n"
    head += "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n"
    return head + "".join(
        f"Dialogue: 0,{_ass_time(c.start)},{_ass_time(c.end)},Default,{c.actor},0,0,0,,{c.text}\n" for c in cues
    )


def _ass_time(ms: int) -> str:
    hours, rest = divmod(ms // 10, 360_000)
    minutes, rest = divmod(rest, 6_000)
    return f"{hours}:{minutes:02d}:{rest // 100:02d}.{rest % 100:02d}"
