"""The review store: every verdict an event, everything else a projection of the events.

In: a database URL. Out: samples to review, events, figures. Imports the shared ground and ``curation.review``.
"""

from annotations.store.review_store import ReviewStore

__all__ = ["ReviewStore"]
