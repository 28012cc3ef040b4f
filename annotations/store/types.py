"""The review store's results and errors."""

from __future__ import annotations

from dataclasses import dataclass

from curation.errors import InosukeError, UsageError
from curation.record import Message, Sample
from curation.review.decisions import Decision, State
from curation.review.queue import QueueItem


@dataclass(frozen=True, slots=True)
class Item:
    """A sample as an annotator sees it.

    ``seen`` numbers its newest event at that moment. A verdict returns it, so that the store can tell whether another
    annotator has decided in between. ``holders`` are the others who have it open. ``panel`` annotators judge it, blind
    to each other when there are two or more.
    """

    queued: QueueItem
    state: State
    status: str
    rank: int
    panel: int
    seen: int
    holders: tuple[str, ...] = ()

    @property
    def sample(self) -> Sample:
        """The sample as it was imported."""
        return self.queued.sample

    @property
    def id(self) -> str:
        """The sample's id."""
        return self.queued.sample.id

    @property
    def messages(self) -> tuple[Message, ...]:
        """The current turns: the last accepted rewrite, or the imported text."""
        return self.sample.messages if self.state.messages is None else self.state.messages


@dataclass(frozen=True, slots=True)
class Draft:
    """An unfinished rewrite, begun on ``revision``."""

    messages: tuple[Message, ...]
    revision: int
    time: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many samples of the queue wait for an adjudicator: in conflict, and in dispute between a panel's members."""

    conflicts: int = 0
    disputes: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """What an action on many samples did: its events share ``id`` and are undone as one.

    ``refused`` holds, by sample id, why a sample was left as it was.
    """

    id: str
    decisions: tuple[Decision, ...]
    refused: dict[str, InosukeError]


@dataclass(frozen=True, slots=True)
class Day:
    """How many verdicts an annotator made on a day (UTC)."""

    date: str
    annotator: str
    verdicts: int


class StaleVerdict(InosukeError):
    """``by`` decided after the annotator opened the sample. ``item`` is the sample as it is now.

    ``same`` says that ``by`` is the annotator, who has the sample open in another tab or on another computer too.
    """

    def __init__(self, item: Item, by: str, same: bool = False) -> None:
        who = "you have decided on sample {} in another tab" if same else f"{by} has decided on sample {{}}"
        super().__init__(f"{who.format(item.id)} since you opened it here. Look at it again, then decide.")
        self.item = item
        self.by = by
        self.same = same


class Leased(InosukeError):
    """Others, the ``holders``, have the sample open."""

    def __init__(self, sample_id: str, holders: tuple[str, ...]) -> None:
        super().__init__(f"{', '.join(holders)} has sample {sample_id} open. Take another one, or wait.")
        self.holders = holders


class UnknownSample(InosukeError):
    """The queue has no such sample."""

    def __init__(self, sample_id: str) -> None:
        super().__init__(f"no sample {sample_id!r} in the review queue. Run `inosuke dataset`, then reload the page.")


class NeedsAdjudicator(InosukeError):
    """The annotators of a blind panel disagree, and only an adjudicator can decide."""

    def __init__(self, sample_id: str) -> None:
        super().__init__(f"the annotators disagree on sample {sample_id}; only an adjudicator can settle it.")


class BuiltUpon(InosukeError):
    """A verdict that cannot be undone, because another annotator continued from it."""

    def __init__(self, decision: Decision, by: str) -> None:
        super().__init__(
            f"{by} continued from your {decision.verdict} of sample {decision.sample_id}; undoing it would undo their "
            "work too. Open the sample's history and restore the revision that you want."
        )


class BadVerdict(UsageError):
    """A call that contradicts itself, such as an approval with new messages."""
