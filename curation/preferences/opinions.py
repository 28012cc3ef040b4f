"""A pair of replies of which people preferred one, and a reply that people wanted or did not want. Pure types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

from curation.contracts.preferences import Origin
from curation.record import Message, Sample

Side = Literal["train", "eval"]
# Why something is no pair or label: nothing is left of the difference; the chosen reply has fewer than three letters;
# what was asked changed too, or how many turns there are; it gives away personal data; others preferred the other one;
# it is near what is evaluated; no one asks; it was rejected for something else than how the character talks.
Reason = Literal[
    "identical",
    "too_short",
    "prompt_changed",
    "turns_changed",
    "personal_data",
    "contradicted",
    "near_eval",
    "no_prompt",
    "other_reason",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """``chosen`` was preferred to ``rejected`` by ``annotators`` people, as the reply to ``prompt``.

    ``sample`` is where it comes from; ``side`` is None until it is known. ``other`` is the sample of ``rejected`` where
    that is another one.
    """

    sample: Sample
    prompt: tuple[Message, ...]
    chosen: str
    rejected: str
    origin: Origin
    annotators: int
    side: Side | None = None
    other: Sample | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """Both replies."""
        return self.chosen, self.rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Whether ``annotators`` people wanted ``reply`` as the answer to ``prompt``."""

    sample: Sample
    prompt: tuple[Message, ...]
    reply: str
    wanted: bool
    origin: Origin
    annotators: int
    side: Side | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The reply."""
        return (self.reply,)


One = TypeVar("One", Pair, Judged)


@dataclass(slots=True, kw_only=True)
class Opinions:
    """All pairs and labels that can be used, and how many others were set aside, by reason."""

    pairs: list[Pair] = field(default_factory=list)
    labels: list[Judged] = field(default_factory=list)
    set_aside: Counter[str] = field(default_factory=Counter)

    def keep(self, found: Iterable[One], why_not: Callable[[One], Reason | None]) -> list[One]:
        """Return those for which ``why_not`` has no reason; count the others."""
        kept = []
        for one in found:
            if reason := why_not(one):
                self.set_aside[reason] += 1
            else:
                kept.append(one)
        return kept


def on_side(found: Sequence[One], sides: Sequence[Side | None]) -> list[One]:
    """Return them with their sides; those without one are left out."""
    return [replace(one, side=side) for one, side in zip(found, sides, strict=True) if side]
