"""The records of a lorebook: :class:`Entry`, :class:`Book`, and :class:`Fact`, what a character is told of an entry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# How secondary keys count: SillyTavern's four ways, of which the spec has the first.
Logic = Literal["any", "not_all", "not_any", "all"]
# Where a book does not say. The spec leaves both to the application.
SCAN_DEPTH = 4
TOKEN_BUDGET = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A fact and what makes it fire; ``number`` is its place in the file, from 1. ``content`` has no decorators.

    ``secondary`` is empty unless the entry is selective. ``after``, ``every``, ``keeps``, ``once``, ``also``,
    ``excluded``, ``always`` and ``never`` come from decorators.
    """

    number: int
    name: str
    content: str
    keys: tuple[str, ...] = ()
    secondary: tuple[str, ...] = ()
    logic: Logic = "any"
    enabled: bool = True
    constant: bool = False
    use_regex: bool = False
    case_sensitive: bool | None = None
    whole_words: bool = False
    order: float = 0
    priority: float | None = None
    before: bool = False
    scan_depth: int | None = None
    only_messages: bool = False
    fires_others: bool = True
    after: int = 0
    every: int = 1
    keeps: bool = False
    once: bool = False
    also: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    always: bool = False
    never: bool = False

    @property
    def speaks(self) -> bool:
        """Whether the entry can reach a prompt at all."""
        return self.enabled and bool(self.content) and not (self.never and not self.always)

    @property
    def stands(self) -> bool:
        """Whether the entry stands beside the system prompt, in every conversation from its first message on."""
        steady = not self.after and self.every == 1 and not self.once
        return self.speaks and steady and (self.always or (self.constant and not self.use_regex))

    @property
    def weight(self) -> float:
        """The lowest goes first where the budget is short."""
        return self.order if self.priority is None else self.priority


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, weakref_slot=True)
class Book:
    """A lorebook. ``notes`` say in which form the file is and what of it has no effect, a line each.

    ``sha256`` is the file's.
    """

    entries: tuple[Entry, ...]
    name: str = ""
    scan_depth: int = SCAN_DEPTH
    token_budget: int = TOKEN_BUDGET
    recursive: bool = False
    notes: tuple[str, ...] = ()
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """What a character is told: the text of an entry, and its name for people to read."""

    name: str
    text: str
