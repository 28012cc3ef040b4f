"""An audit in words: one sentence for the terminal and the card, and what the card adds to it."""

from __future__ import annotations

from collections.abc import Iterator

from curation.contracts.manifest import AuditFacts

_NUMBERS = {1: "one person", 2: "two people", 3: "three people", 4: "four people"}


def sentence(facts: AuditFacts) -> str:
    """Return what a complete audit found. Raises ValueError for an incomplete one: it has no bound."""
    if facts.bound is None:
        raise ValueError("an audit with open rows has no bound")
    people = _NUMBERS.get(facts.people, f"{facts.people:,} people")
    return (
        f"{facts.read:,} of {facts.frame:,} rows read by {people}, {facts.wrong:,} wrong: "
        f"at most {100 * facts.bound:.1f}% with {100 * facts.confidence:g}% confidence"
    )


def paragraph(facts: AuditFacts) -> str:
    """Return the sentence, and how the figure is to be read."""
    return " ".join([f"{sentence(facts)}.", *_notes(facts)])


def _notes(facts: AuditFacts) -> Iterator[str]:
    where = f" from `{facts.source}`" if facts.source else ""
    yield f"The rows were drawn at random from those approved on their author's word alone{where}."
    if facts.people > 1:
        yield "The readers saw neither that approval nor each other's answers."
    if facts.disputed:
        yield f"They disagree on {facts.disputed:,}, which count as wrong until an adjudicator settles them."
    if facts.wrong:
        yield "A row found wrong counts as wrong even where it has been corrected since."
    if facts.changed:
        yield f"{facts.changed:,} of the drawn rows have changed since or are not in this version: they do not count."
    if facts.later:
        yield f"It does not cover {facts.later:,} rows that could not be drawn: vouched for later, or from elsewhere."
    yield "The bound is Clopper and Pearson's, one-sided; it ignores that the corpus is finite, so it is a little high."
