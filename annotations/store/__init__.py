"""The review store: every verdict is an event, and the state of each sample is a projection of its events.

Comes in: a database URL, the queue, verdicts. Goes out: samples to review, events, figures. May import the shared
ground of ``curation`` and ``curation.review``. Opening a store runs ``annotations/migrations``.
"""

from annotations.store.review_store import ReviewStore

__all__ = ["ReviewStore"]
