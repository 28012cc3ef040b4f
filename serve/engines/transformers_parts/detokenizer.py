"""Turns the tokens of one reply into text, which another thread reads from a queue. Knows nothing of models."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from queue import SimpleQueue
from typing import Any, NamedTuple

from tokenizers.decoders import DecodeStream

from serve.engine import FinishReason, Reading
from serve.engines.transformers_parts.stop_strings import StopStrings


class Piece(NamedTuple):
    """The next piece of a reply, and how many tokens the reply has up to its end."""

    text: str
    made: int


class Detokenizer:
    """Puts every :class:`Piece` of a reply into ``pieces``, and then how it ended or what went wrong."""

    def __init__(self, tokenizer: Any, ends: Collection[int], stop: Sequence[str]) -> None:
        self.pieces: SimpleQueue[Piece | Reading | FinishReason | Exception] = SimpleQueue()
        self._tokenizer = tokenizer
        self._ends = ends
        self._stops = StopStrings(stop)
        self._text = DecodeStream(skip_special_tokens=True)
        self._made = 0

    def push(self, token: int) -> FinishReason | None:
        """Add the next token. Returns why the reply ends with it, or None."""
        if token in self._ends:
            return "stop"
        self._made += 1
        # None while a letter of several bytes is still incomplete.
        piece = self._text.step(self._tokenizer, token)
        if piece and (shown := self._stops.feed(piece)):
            self.pieces.put(Piece(shown, self._made))
        return "stop" if self._stops.hit else None

    def finish(self, outcome: FinishReason | Exception) -> None:
        """End the reply. Text that was held back, and the count of tokens without text, come first."""
        self.pieces.put(Piece(self._stops.rest(), self._made))
        self.pieces.put(outcome)
