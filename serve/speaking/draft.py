"""The tokens of a reply that is being made: which are shown, and from which on it has to be said differently.

A token is shown whole or not at all, so that what is shown is never removed. Knows nothing of models.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from serve.speaking.guard import Cause, Guard

# How often a reply tries other words at one place, and in all. Each try costs about as much as a token.
TRIES_AT_ONE_PLACE, TRIES = 12, 60
# Tokens that may be held back at once. An engine keeps what it needs to draw each of them again.
MOST_HELD = 48
# What ends a reply that has no way on.
BREAK_OFF = "…"
_WHOLE = (".", "!", "?", "…", "~", '"', "”", "»", "」", ")", "*", ":")


@dataclass(frozen=True, slots=True)
class Rewind:
    """Keep the first ``kept`` tokens and draw the next one again, but none of ``banned``."""

    kept: int
    banned: frozenset[int]


class Draft:
    """One reply. ``may_rewind`` is False where an engine cannot draw a token again: such a reply ends instead."""

    def __init__(self, guard: Guard, may_rewind: bool = True) -> None:
        self.stopped: Counter[Cause] = Counter()
        """How often a word or a loop was stopped, by its cause."""
        self.tokens: list[int] = []
        self._guard = guard
        self._may_rewind = may_rewind
        self._text = ""
        self._ends: list[int] = []  # how long the text is after each token
        self._shown = 0
        self._banned: dict[int, set[int]] = {}
        self._tries: Counter[int] = Counter()

    @property
    def held(self) -> int:
        """How many of the last tokens may still have to be drawn again."""
        return len(self.tokens) - self._kept(max((end for end in self._ends if end <= self._shown), default=0))

    @property
    def text(self) -> str:
        """All of the reply, shown or not."""
        return self._text

    def add(self, token: int, text: str) -> tuple[str, Rewind | bool]:
        """Add a token. Returns what may be shown now, and what follows: True to go on, False to end the reply.

        ``text`` is what the token adds to the text: nothing where it is a part of a letter.
        """
        self.tokens.append(token)
        self._text += text
        self._ends.append(len(self._text))
        if not text:
            return "", True
        judged = self._guard.judge(self._text, self._shown)
        safe = self._settled(judged.safe)
        if judged.cause:
            return self._stop(safe, judged.cause)
        if self._may_rewind and len(self.tokens) - self._kept(safe) > MOST_HELD:
            return self._stop(safe, "avoided")
        return self._show(safe), True

    def add_text(self, text: str) -> None:
        """Add to the text of the last token what was kept apart until now; :meth:`end` or :meth:`end_here` is next."""
        if text and self._ends:
            self._text += text
            self._ends[-1] = len(self._text)

    def end(self) -> tuple[str, Rewind | bool]:
        """End the reply where the model ends it. Returns the rest to show, and False, or how to go on instead."""
        judged = self._guard.judge(self._text, self._shown, ended=True)
        if judged.cause:
            return self._stop(self._settled(judged.safe), judged.cause)
        return self._show(len(self._text)), False

    def end_here(self) -> str:
        """End the reply now, where it may have no more tokens. Returns the rest to show."""
        judged = self._guard.judge(self._text, self._shown, ended=True)
        if judged.cause:
            self.stopped[judged.cause] += 1
            return self._cut(self._settled(judged.safe))
        return self._show(len(self._text))

    def _settled(self, safe: int) -> int:
        """Return how much is safe even if all after it is said differently, in whole tokens.

        What follows a word may have made it harmless (`bề tôi tớ`), so each shorter text is judged by itself.
        """
        while True:
            if self._may_rewind:
                safe = max((end for end in self._ends if end <= safe), default=0)
            elif safe < len(self._text):  # the space before a word belongs to it
                safe = len(self._text[:safe].rstrip())
            if safe <= self._shown or safe == len(self._text):
                return max(safe, self._shown)
            alone = self._guard.judge(self._text[:safe], self._shown)
            if alone.safe == safe:
                return safe
            safe = alone.safe

    def _stop(self, safe: int, cause: Cause) -> tuple[str, Rewind | bool]:
        self.stopped[cause] += 1
        if not self._may_rewind:
            return self._cut(safe), False
        kept = self._kept(safe)
        self._tries[kept] += 1
        if self._tries[kept] > TRIES_AT_ONE_PLACE or self._tries.total() > TRIES:
            return self._cut(safe), False
        rest = self._show(safe)
        banned = self._banned.setdefault(kept, set())
        banned.add(self.tokens[kept])
        for place in [p for p in self._banned if p > kept]:
            del self._banned[place]
        del self.tokens[kept:], self._ends[kept:]
        self._text = self._text[: self._ends[-1] if self._ends else 0]
        return rest, Rewind(kept, frozenset(banned))

    def _show(self, safe: int) -> str:
        shown, self._shown = self._shown, safe
        return self._text[shown:safe]

    def _cut(self, safe: int) -> str:
        """End the reply before what cannot be shown. Returns the rest of it; a reply is never empty."""
        said = self._text[:safe].rstrip()
        rest = said[self._shown :] + ("" if said.endswith(_WHOLE) else BREAK_OFF)
        self._text = self._text[: self._shown] + rest
        self._shown = len(self._text)
        return rest

    def _kept(self, safe: int) -> int:
        """Return how many tokens lie before ``safe``, without parts of a letter that is not whole there."""
        return self._ends.index(safe) + 1 if safe else 0
