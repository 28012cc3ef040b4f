"""Turns the tokens of one reply into text, which another thread reads from a queue. Knows nothing of models."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from queue import SimpleQueue
from typing import Any, NamedTuple

from tokenizers.decoders import DecodeStream

from serve.engine import FinishReason, Reading
from serve.engines.transformers_parts.stop_strings import StopStrings
from serve.speaking.draft import Draft, Rewind
from serve.speaking.guard import Guard


class Piece(NamedTuple):
    """The next piece of a reply, and how many tokens the reply has up to its end."""

    text: str
    made: int


class Detokenizer:
    """Puts every :class:`Piece` of a reply into ``pieces``, and then how it ended or what went wrong."""

    def __init__(self, tokenizer: Any, ends: Collection[int], stop: Sequence[str], guard: Guard) -> None:
        self.pieces: SimpleQueue[Piece | Reading | FinishReason | Exception] = SimpleQueue()
        self.draft = Draft(guard)
        self._tokenizer = tokenizer
        self._ends = ends
        self._stop = stop
        self._restart()

    def push(self, token: int) -> FinishReason | Rewind | None:
        """Add the next token. Returns why the reply ends with it, from where on it has to be drawn again, or None."""
        if token in self._ends:
            self.draft.add_text(self._stops.rest())
            return self._over(*self.draft.end())
        shown, then = self.draft.add(token, self._text(token))
        if then is True and self._stops.hit:
            self._put(shown)
            shown, then = self.draft.end()
        if then is True:
            self._put(shown)
            return None
        return self._over(shown, then)

    def held(self) -> int:
        """Return how many of the last tokens may have to be drawn again."""
        return self.draft.held

    def finish(self, outcome: FinishReason | Exception) -> None:
        """End the reply. Text that was held back, and the count of tokens without text, come first."""
        if outcome == "length":
            self.draft.add_text(self._stops.rest())
            self._put(self.draft.end_here())
        self.pieces.put(Piece("", len(self.draft.tokens)))
        self.pieces.put(outcome)

    def _text(self, token: int) -> str:
        # None while a letter of several bytes is still incomplete.
        return self._stops.feed(self._decoded.step(self._tokenizer, token) or "")

    def _over(self, shown: str, then: Rewind | bool) -> FinishReason | Rewind:
        self._put(shown)
        if not isinstance(then, Rewind):
            return "stop"
        self._restart()
        for token in self.draft.tokens:
            self._text(token)
        return then

    def _put(self, text: str) -> None:
        if text:
            self.pieces.put(Piece(text, len(self.draft.tokens)))

    def _restart(self) -> None:
        self._stops = StopStrings(self._stop)
        self._decoded = DecodeStream(skip_special_tokens=True)
