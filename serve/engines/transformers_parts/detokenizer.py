"""From the tokens of one reply to its text, handed to whoever listens in another thread. Knows nothing of models."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from queue import SimpleQueue
from typing import Any, NamedTuple

from tokenizers.decoders import DecodeStream

from serve.engine import FinishReason
from serve.engines.transformers_parts.stop_strings import Stops


class Piece(NamedTuple):
    """The next piece of a reply, and how many tokens have been made up to its end."""

    text: str
    made: int


class Voice:
    """Says in ``said`` every :class:`Piece` of a reply, and then how it ended or what went wrong."""

    def __init__(self, tokenizer: Any, ends: Collection[int], stop: Sequence[str]) -> None:
        self.said: SimpleQueue[Piece | FinishReason | Exception] = SimpleQueue()
        self._tokenizer = tokenizer
        self._ends = ends
        self._stops = Stops(stop)
        self._text = DecodeStream(skip_special_tokens=True)
        self._made = 0

    def hear(self, token: int) -> FinishReason | None:
        """Take the next token; return why the reply ends with it, or None."""
        if token in self._ends:
            return "stop"
        self._made += 1
        # None while a letter of several bytes is still incomplete.
        piece = self._text.step(self._tokenizer, token)
        if piece and (shown := self._stops.feed(piece)):
            self.said.put(Piece(shown, self._made))
        return "stop" if self._stops.hit else None

    def over(self, outcome: FinishReason | Exception) -> None:
        """Take the end; what was held back, and the tokens that gave no text, go before it."""
        self.said.put(Piece(self._stops.rest(), self._made))
        self.said.put(outcome)
