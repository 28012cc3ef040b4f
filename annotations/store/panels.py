"""How many annotators judge a sample: one, or a panel whose members judge it blind to each other. Pure.

Comes in: persona.toml's ``[review]`` table, a sample's id, and its events. Goes out: the size of its panel.

``[review]`` may change at any time; no verdict is lost or moved by it:

- A sample that is decided stays decided. It is not asked about again when ``overlap`` or ``annotators`` grows.
- A sample without a verdict takes the new panel at once.
- A sample that is still open and has a blind verdict keeps at least the panel under which that verdict was given, even
  when the table asks for fewer. Without this, a vote that waits for a second one could wait for ever. To judge the
  sample under the new table instead, its annotators undo their verdicts.
- A disputed sample stays disputed until an adjudicator settles it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from curation.review.decisions import Decision, State, standing

if TYPE_CHECKING:
    from curation.persona import Review


def drawn_panel(sample_id: str, review: Review | None) -> int:
    """Return how many annotators ``[review]`` asks for; 1 without a table.

    Which samples a share draws follows from the id, which is a hash: it is the same on every machine, and a larger
    share draws the same samples and more.
    """
    if review is None:
        return 1
    # 32 bits of the id as a number between 0 and 1. An id that is not a hash (another tool's) is never drawn.
    try:
        drawn = int(sample_id[:8], 16) / 2**32
    except ValueError:
        return 1
    return review.annotators if drawn < review.overlap else 1


def panel_size(sample_id: str, events: Iterable[Decision], state: State, review: Review | None) -> int:
    """Return how many annotators judge a sample with these events, whose fold is ``state``."""
    return max(drawn_panel(sample_id, review), begun_panel(events, state))


def begun_panel(events: Iterable[Decision], state: State) -> int:
    """Return the largest panel named by the blind verdicts that an open sample is waiting on, 1 where there is none.

    ``events`` are the sample's, ``state`` is their fold.
    """
    return max((vote.panel for vote in votes(events, state).values()), default=1) if state.status == "pending" else 1


def votes(events: Iterable[Decision], state: State) -> dict[str, Decision]:
    """Return the blind verdicts on the current revision, by annotator: the last one of each."""
    return {
        event.annotator: event
        for event in standing(events)
        if event.panel > 1 and event.annotator in state.voters and event.revision == state.revision
    }
