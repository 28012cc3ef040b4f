"""What to mark in an open sample's turns, its flags in words, and the samples that they compare with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from annotations.flag_marks import marks
from annotations.flag_words import explain_detail, twin
from annotations.store.types import Item, UnknownSample
from annotations.ui.highlight import Mark, flag_marks, search_marks
from annotations.ui.markup import SHOWN_CHARS
from annotations.ui.session import Desk
from curation.codes import explain_flag, findings
from curation.record import Flag, Message

# A longer place is seen in the turn itself, and the list of words is for a glance.
_WORD_CHARS = 40
_MOST_WORDS = 8


@dataclass(frozen=True, slots=True)
class Explained:
    """A flag in the annotator's language. ``words`` caused it and are not in ``detail``; ``twin`` is an id or None."""

    title: str
    detail: str
    words: tuple[str, ...]
    twin: str | None


def twins(desk: Desk, item: Item) -> dict[str, Item]:
    """Return the samples that the flags of a sample name, by id, in order; those that are gone left out."""
    found: dict[str, Item] = {}
    for flag in findings(item.sample.flags):
        sample_id = twin(flag)
        if sample_id is not None and sample_id not in found:
            try:
                found[sample_id] = desk.store.queue.item(sample_id, desk.who)
            except UnknownSample:  # a later build no longer has it
                continue
    return found


def item_marks(desk: Desk, item: Item, named: Mapping[str, Item]) -> list[Mark]:
    """Return the marks of a sample's flags and of the search in ``desk.filters``, on its turns as they are now.

    ``named`` are its :func:`twins`.
    """
    messages = _shown(item.messages)
    others = {sample_id: _shown(other.messages) for sample_id, other in named.items()}
    found = flag_marks(messages, item.sample.flags, desk.persona, desk.language, others)
    return [*found, *search_marks(messages, desk.filters.text)]


def explained(desk: Desk, item: Item, named: Mapping[str, Item]) -> list[Explained]:
    """Return a sample's flags in words. ``named`` are its :func:`twins`."""
    return [_explained(desk, item, flag, named) for flag in findings(item.sample.flags)]


def _explained(desk: Desk, item: Item, flag: Flag, named: Mapping[str, Item]) -> Explained:
    other = named.get(twin(flag) or "")
    messages = _shown(item.messages)
    detail = explain_detail(flag, desk.language)
    there = (messages[p.turn].content[p.start : p.end] for p in marks(flag, messages, desk.persona, _turns(other)))
    words = dict.fromkeys(" ".join(text.split()) for text in there)
    new = [w for w in words if w and len(w) <= _WORD_CHARS and w.casefold() not in detail.casefold()]
    return Explained(
        explain_flag(flag.code, desk.language), detail, tuple(new[:_MOST_WORDS]), None if other is None else other.id
    )


def _turns(other: Item | None) -> Sequence[Message] | None:
    return None if other is None else _shown(other.messages)


def _shown(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the turns as far as the page shows them: the rest of a megabyte is neither read nor marked."""
    return tuple(replace(m, content=m.content[:SHOWN_CHARS]) for m in messages)
