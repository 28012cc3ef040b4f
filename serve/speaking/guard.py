"""Judges a reply that goes on: how much of it may be shown, and whether it has gone wrong. Pure.

Words are compared as the checks of the dataset compare them (:func:`curation.checks.avoided`), loops as the evaluation
of a model does (:mod:`curation.repeats`). `[checks] off` in persona.toml switches either off.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from curation import checks, repeats
from curation.persona import Persona

Cause = Literal["avoided", "loop"]
CAUSES: tuple[Cause, ...] = ("avoided", "loop")


@dataclass(frozen=True, slots=True)
class Judgement:
    """``safe`` characters may be shown, whatever follows. ``cause`` tells what is wrong with the text after them."""

    safe: int
    cause: Cause | None = None


class Guard:
    """The judge of one character's replies; with None everything is fine. Any number of threads may share it."""

    def __init__(self, persona: Persona | None) -> None:
        off = persona.checks.off if persona else ()
        self._words = persona if persona and persona.style.avoid and "out_of_character" not in off else None
        self._loops = persona is not None and "loop" not in off

    def judge(self, text: str, shown: int, ended: bool = False) -> Judgement:
        """Judge a reply of which ``shown`` characters, found safe before, are on the screen.

        ``ended`` tells that nothing follows, so nothing is undecided.
        """
        safe = len(text)
        if self._words is not None and ended:
            if said := [start for start, end in checks.avoided(text, self._words) if end > shown]:
                return Judgement(max(shown, said[0]), "avoided")
        elif self._words is not None:
            safe, wrong = checks.listen(text, self._words, shown)
            if wrong is not None:
                return Judgement(wrong, "avoided")
        if self._loops and not ended:
            before, looping = repeats.listen(text)
            safe = max(shown, min(safe, before))
            if looping:
                return Judgement(safe, "loop")
        return Judgement(safe)
