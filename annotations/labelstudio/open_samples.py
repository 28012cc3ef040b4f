"""What there is to send: samples that wait for a verdict, those of them that a user selects, and what is known here.

Comes in: the queue and the events. Goes out: open samples in the desk's order. Knows no server.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from annotations.labelstudio.tasks import Key
from annotations.store.log_sync import refresh
from annotations.store.panels import panel_size
from annotations.store.projection import status_of
from annotations.store.queue_table import in_order
from annotations.store.review_store import ReviewStore
from curation.folders import Folders
from curation.persona import Persona, Review
from curation.record import Message
from curation.review.decisions import Decision, State, fold, in_sight
from curation.review.queue import QueueItem, read_queue


@dataclass(frozen=True, slots=True)
class Selection:
    """Which samples a push sends; an empty field selects all.

    ``kinds`` and ``flags``: any of them. ``sources``: patterns as in a shell, for the source's path. ``limit``: the
    project gets new tasks until that many of its tasks are open, not counting those outside the selection.
    """

    kinds: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    limit: int | None = None

    def takes(self, item: QueueItem) -> bool:
        """Return whether a sample is selected, whatever the limit."""
        sample = item.sample
        return (
            (not self.kinds or sample.kind in self.kinds)
            and (not self.sources or any(fnmatchcase(sample.source.path, pattern) for pattern in self.sources))
            and (not self.flags or any(flag.code in self.flags for flag in sample.flags))
        )


@dataclass(frozen=True, slots=True)
class OpenSample:
    """A sample to be judged, at its newest revision."""

    item: QueueItem
    revision: int
    messages: tuple[Message, ...]

    @property
    def key(self) -> Key:
        """The identity of its task."""
        return Key(self.item.sample.id, self.revision)


def open_samples(items: Sequence[QueueItem], states: dict[str, State], everything: bool = False) -> list[OpenSample]:
    """Return the samples to be judged, in the desk's order: pending ones, or with ``everything`` all of them.

    A sample that waits for the rest of its panel is pending. One that its panel disagrees on is not: an adjudicator
    settles it at the desk.
    """
    found = []
    for item in in_order(items):
        state = states.get(item.sample.id, State())
        messages = item.sample.messages if state.messages is None else state.messages
        # Label Studio's page is for correcting the character's turns; a sample without one is for the review desk.
        if (everything or status_of(state) == "pending") and any(m.role == "assistant" for m in messages):
            found.append(OpenSample(item, state.revision, messages))
    return found


@dataclass(frozen=True, slots=True)
class Here:
    """This side as a push sees it: the queue, each sample's events and state, and persona.toml's ``[review]``."""

    items: list[QueueItem]
    events: Mapping[str, list[Decision]]
    states: dict[str, State]
    review: Review

    def panel(self, sample: str) -> int:
        """Return how many annotators judge a sample."""
        return panel_size(sample, self.events.get(sample, ()), self.states.get(sample, State()), self.review)

    def after(self, sample: str) -> str:
        """Return the ``after`` of a verdict on an open sample's task: its page tells of all but the blind verdicts."""
        return in_sight(e for e in self.events.get(sample, ()) if e.panel == 1)


def read_here(store: ReviewStore, folders: Folders, persona: Persona) -> Here:
    """Return this side, after bringing log, queue and ``[review]`` into the store."""
    refresh(store, folders, persona.review)
    events: dict[str, list[Decision]] = defaultdict(list)
    for event in store.log.events():
        events[event.sample_id].append(event)
    states = fold(event for log in events.values() for event in log)
    return Here(read_queue(folders.queue), dict(events), states, persona.review)
