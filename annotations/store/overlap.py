"""Which share of the queue is judged by several annotators: read from the persona's ``[review]`` table."""

from __future__ import annotations

from annotations.store.queue_table import Overlap
from curation.persona import Persona


def overlap_of(persona: Persona) -> Overlap:
    """Return the persona's overlap, none where its file says nothing about it."""
    review = getattr(persona, "review", None)
    return Overlap() if review is None else Overlap(review.overlap, review.annotators)
