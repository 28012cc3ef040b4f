"""What of a dialogue fits into a model's window: whole exchanges are dropped, each turn is counted once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any
from weakref import WeakKeyDictionary

from curation.chat.language import language_of
from curation.chat.layout import Form, Layout, Prompt, layout_of
from curation.chat.rendering import Rendered, exchange_ends, plain_ids, render_read, spoken_text
from curation.lorebook.telling import Count
from curation.persona import Persona
from curation.record import Message, Role


class Abandoned(Exception):
    """The client left while its dialogue was being fitted."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What fits of a dialogue: its first ``opening`` turns, then all but the ``dropped`` ones after those."""

    messages: list[Message]
    rendered: Rendered
    opening: int
    dropped: int


def fit(
    messages: Sequence[Message],
    tokenizer: Any,
    persona: Persona,
    limit: int,
    prompt: Prompt = "chat",
    blocks: int = 0,
    cancelled: Callable[[], bool] = lambda: False,
) -> Fitted | None:
    """Drop whole exchanges until a dialogue has at most ``limit`` tokens; None if even the last one is too long.

    Without ``blocks`` as few exchanges as possible go, from the front. With it (4, say) they go by about ``limit /
    blocks`` tokens at a time. Where the next block begins hangs on the turns before it alone, so the prompt keeps its
    beginning from turn to turn, and what a server has cached of it still holds. Then the turns up to the first reply to
    the user stay, as long as they take at most an eighth of the limit.

    Each turn is counted once, the last one first, and none before those that fit. Counts are kept from call to call,
    under hashes of the texts. ``cancelled`` is asked before each turn; once it is true, Abandoned is raised.
    """
    sizes = _Sizes(messages, tokenizer, persona, prompt)
    if not sizes.turns:
        return None
    tails = sizes.tails(limit, cancelled)
    opening = sizes.opening(limit // 8) if blocks else 0
    marks = sizes.marks(opening, limit / blocks) if blocks else []
    last = len(sizes.begins) - 1
    # No drop at all, then by blocks, then as few as possible: the last block may be longer than the window.
    tried = dict.fromkeys((0, *marks, *range(max(marks, default=0), last + 1)))
    for kept_opening in dict.fromkeys((opening, 0)):
        for first in tried:
            if first in tails and sizes.can_begin(first) and sizes.whole(kept_opening, first, tails) <= limit:
                stays = sizes.begins[kept_opening] if first > kept_opening else 0
                begin = sizes.begins[first] if first > kept_opening else 0
                kept = [*sizes.system, *sizes.turns[:stays], *sizes.turns[begin:]]
                rendered = render_read(kept, tokenizer, persona, prompt, sizes.read)
                return Fitted(kept, rendered, stays, max(0, begin - stays))
    return None


def count(messages: Sequence[Message], tokenizer: Any, persona: Persona, most: int, prompt: Prompt = "chat") -> int:
    """Return how many tokens a dialogue has: exactly up to ``most``; what is beyond, by the length of its texts."""
    sizes = _Sizes(messages, tokenizer, persona, prompt)
    if not sizes.turns:
        return 0
    tails = sizes.tails(most, lambda: False)
    if 0 in tails:
        return sizes.whole(0, 0, tails)
    first = min(tails, default=len(sizes.begins) - 1)
    return tails.get(first, most) + round(sum(sizes.estimates()[:first]))


class _Sizes:
    """How many tokens each exchange of a dialogue takes. A turn is counted when it is first needed."""

    def __init__(self, messages: Sequence[Message], tokenizer: Any, persona: Persona, prompt: Prompt) -> None:
        self.system = [m for m in messages if m.role == "system"]
        self.turns = [m for m in messages if m.role != "system"]
        self._tokenizer, self._persona, self._prompt = tokenizer, persona, prompt
        self._layout = layout_of(tokenizer, prompt)
        self.read: dict[str, list[int]] = {}  # the ids of what was counted here, so that it is read once
        self.ends = exchange_ends(self.turns)
        self.begins = [0, *(end + 1 for end in self.ends)][: len(self.ends)]

    def roles(self, exchange: int) -> tuple[Role, ...]:
        return tuple(m.role for m in self.turns[self.begins[exchange] : self.ends[exchange]])

    def can_begin(self, exchange: int) -> bool:
        """Return whether a dialogue may begin with an exchange: with its own first one, or where the user speaks."""
        return not exchange or self.roles(exchange)[:1] == ("user",)

    def tails(self, limit: int, cancelled: Callable[[], bool]) -> dict[int, int]:
        """Return the tokens from each exchange to the end, for those with at most ``limit``: the texts alone of the
        first one, and all else after it.
        """
        found: dict[int, int] = {}
        after = len(self._layout.ids(self._layout.closing())) if self.turns[-1].role != "user" else 0
        for exchange in range(len(self.begins) - 1, -1, -1):
            if cancelled():
                raise Abandoned
            said = self._said(self.turns[self.begins[exchange] : self.ends[exchange] + 1])
            if after + said > limit:
                break
            found[exchange] = after + said
            after += said + _length(self._layout.following(self.roles(exchange)), self._layout)
        return found

    def opening(self, most: int) -> int:
        """Return how many exchanges lead to the first reply to the user, or 0 where they take more than ``most``."""
        heard = next((n + 1 for n in range(len(self.begins) - 1) if "user" in self.roles(n)), 0)
        return heard if sum(self._said([m]) for m in self.turns[: self.begins[heard]]) <= most else 0

    def marks(self, opening: int, block: float) -> list[int]:
        """Return the exchanges at which a block of about ``block`` tokens ends, counted after the opening ones."""
        marks: list[int] = []
        passed = 0.0
        for exchange, tokens in enumerate(self.estimates()):
            if exchange > opening and passed >= block * (len(marks) + 1) and self.can_begin(exchange):
                marks += [exchange] * (int(passed // block) - len(marks))
            passed += tokens * (exchange >= opening)
        return list(dict.fromkeys(marks))

    def estimates(self) -> list[float]:
        """Return about how many tokens each exchange has, by the bytes of its texts; reads none of them."""
        prompts = list(self._persona.system_prompts.values())
        counted = sum(_count(text, self._tokenizer, self.read) for text in prompts)
        each = sum(len(text.encode()) for text in prompts) / max(1, counted)
        lengths = [len(m.content.encode("utf-8", "replace")) / each + 4 for m in self.turns]
        return [sum(lengths[begin : end + 1]) for begin, end in zip(self.begins, self.ends, strict=True)]

    def whole(self, opening: int, first: int, tails: Mapping[int, int]) -> int:
        """Return the tokens of the prompt with the opening exchanges and those from ``first``, one of ``tails``."""
        if first <= opening:
            opening = first = 0
        kept = [*self.turns[: self.begins[opening]], *self.turns[self.begins[first] :]]
        system = self.system
        if self._prompt == "chat" and not system:
            system = [Message("system", self._persona.system_prompt_in(language_of(kept, self._persona)))]
        leads = 0 if opening else first
        form = self._layout.opening((*(m.role for m in system), *self.roles(leads)))
        tokens = _length(form, self._layout) + tails[first] + (self._said(system) if self._prompt == "chat" else 0)
        if opening:
            tokens += self._said(self.turns[: self.begins[opening]])
            later = (*range(1, opening), first)
            tokens += sum(_length(self._layout.following(self.roles(n)), self._layout) for n in later)
        return tokens

    def _said(self, turns: Sequence[Message]) -> int:
        return sum(_count(spoken_text(m, self._persona), self._tokenizer, self.read) for m in turns)


# Token counts by tokenizer and hash of a text, so that no text is kept. Forgotten at once when there are too many.
_COUNTS: WeakKeyDictionary[Any, dict[bytes, int]] = WeakKeyDictionary()
_MOST_COUNTS = 50_000


def _count(text: str, tokenizer: Any, read: dict[str, list[int]]) -> int:
    """Return how many tokens a text has. Where that is not known yet, ``read`` gets their ids."""
    counts = _COUNTS.setdefault(tokenizer, {})
    key = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    if (known := counts.get(key)) is None:
        if len(counts) >= _MOST_COUNTS:
            counts.clear()
        read[text] = plain_ids(text, tokenizer)
        known = counts[key] = len(read[text])
    return known


def _length(form: Form, layout: Layout) -> int:
    return sum(len(layout.ids(part)) for part in form if isinstance(part, str))


def counter(tokenizer: Any) -> Count:
    """Return a function that counts the tokens of what is said."""
    return lambda text: _count(text, tokenizer, {})
