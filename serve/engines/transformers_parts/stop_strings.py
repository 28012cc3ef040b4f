"""Ends a reply at the stop strings that a client named, and shows nothing of them. Knows nothing of models."""

from __future__ import annotations

from collections.abc import Sequence


class StopStrings:
    """Searches text that comes in pieces. What may begin a stop string is held back until the next piece decides."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = tuple(texts)
        self._held = ""
        self.hit = False

    def feed(self, piece: str) -> str:
        """Return what may be shown now. Once ``hit`` is true, that is always nothing."""
        if not self._texts or self.hit:
            return "" if self.hit else piece
        text = self._held + piece
        found = [at for stop in self._texts if (at := text.find(stop)) >= 0]
        if found:
            self.hit, self._held = True, ""
            return text[: min(found)]
        keep = max(_overlap(text, stop) for stop in self._texts)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> str:
        """Return what was held back, at the end of a reply that no stop string ended."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Return how many letters at the end of ``text`` begin ``stop``."""
    return next((n for n in range(min(len(text), len(stop) - 1), 0, -1) if stop.startswith(text[-n:])), 0)
