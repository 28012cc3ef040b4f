"""Actions on many samples at once, each one batch that is undone as one: find and replace, and verdicts on a filter.

Replacing must not approve what no one has read. A rewrite approves, so only approved samples are rewritten: they stay
approved. The text of a sample that waits for review is at most kept as a draft of the annotator who asked, who reads it
before it counts. Rejected samples stay as they are. What a check forbids to approve is refused and listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import exists, select

from annotations.dialogue_checks import UNFINISHED, check_messages
from annotations.store import queries, queue_table
from annotations.store.database import reading
from annotations.store.queries import Filters
from annotations.store.review_queue import read_item
from annotations.store.review_store import ReviewStore
from annotations.store.schema import samples, texts
from annotations.store.types import Batch, Item
from annotations.team.search import Replacement
from curation.cleaning.typed_text import clean_typed
from curation.codes import blocks_approval, never_trained
from curation.errors import InosukeError
from curation.persona import Persona
from curation.record import Flag, Message
from curation.review.decisions import Client, Verdict
from curation.review.facts import REPLACED, WHOLE_FILTER


@dataclass(frozen=True, slots=True)
class Change:
    """A sample in which something is found: its turns afterwards, and the number of matches.

    ``forbidden`` are the codes of checks that the new text fails and the old one does not: such a change is refused.
    """

    item: Item
    messages: tuple[Message, ...]
    matches: int
    forbidden: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """What a replacement would do: approved samples to rewrite, refused ones, and open ones that only become drafts."""

    replacement: Replacement
    changes: tuple[Change, ...] = ()
    refused: tuple[Change, ...] = ()
    waiting: tuple[Change, ...] = ()
    rejected: int = 0


def preview(
    store: ReviewStore, persona: Persona, annotator: str, replacement: Replacement, filters: Filters
) -> Preview:
    """Return what a replacement would do to the samples that the filters let through. Changes nothing.

    A filter for open samples stands for all: approved ones are what is rewritten.
    """
    wanted = replace(filters, queue="all", status="all" if filters.status == "open" else filters.status)
    found: dict[str, list[Change]] = {"approved": [], "refused": [], "pending": [], "rejected": []}
    with reading(store.engine) as connection:
        conditions = queries.conditions(connection, wanted, annotator)
        query = select(samples.c.id, samples.c.body, samples.c.revision).where(*conditions)
        if replacement.text:
            holds = texts.c.marked.contains(replacement.text, autoescape=True)
            query = query.where(exists().where(texts.c.sample_id == samples.c.id, holds))
        for row in connection.execute(query.order_by(samples.c.rank)).all():
            # Reading an item folds its events: only where the text that stands can match.
            if not row.revision and not replacement.apply(queue_table.from_body(row.body).sample.messages)[1]:
                continue
            item = read_item(connection, row.id, annotator, store.clock())
            messages, matches = replacement.apply(item.messages)
            messages = clean_typed(messages)[0]
            if not matches or messages == item.messages:
                continue
            forbidden = _forbidden(messages, persona) - _forbidden(item.messages, persona)
            side = "pending" if item.status in ("pending", "disputed") else item.status
            if forbidden and side == "approved":
                side = "refused"
            found[side].append(Change(item, messages, matches, tuple(sorted(forbidden))))
    return Preview(
        replacement,
        changes=tuple(found["approved"]),
        refused=tuple(found["refused"]),
        waiting=tuple(found["pending"]),
        rejected=len(found["rejected"]),
    )


def rewrite(
    store: ReviewStore, annotator: str, seen: Preview, without: Sequence[str] = (), client: Client = "streamlit"
) -> Batch:
    """Make the changes of a preview, but for the samples of ``without``, as one batch.

    A sample that has changed since the preview, or that another annotator has open, is refused and named.
    """
    changes = [change for change in seen.changes if change.item.id not in without]
    return store.decide_many(
        [change.item for change in changes],
        annotator,
        "rewrite",
        messages={change.item.id: change.messages for change in changes},
        reason=f"{REPLACED}: {seen.replacement.find} → {seen.replacement.put}",
        client=client,
    )


def keep_drafts(store: ReviewStore, annotator: str, seen: Preview, without: Sequence[str] = ()) -> int:
    """Keep the changed text of open samples as the annotator's drafts, where there is none yet. Returns how many."""
    kept = 0
    for change in seen.waiting:
        if change.item.id in without or store.drafts.get(change.item.id, annotator) is not None:
            continue
        store.drafts.save(change.item.id, annotator, change.item.state.revision, change.messages)
        kept += 1
    return kept


# ---------------------------------------------------------------- a verdict on a whole filter


@dataclass(frozen=True, slots=True)
class Selection:
    """The samples of a filter that a verdict would change, as they are now, and why others are left out."""

    verdict: Verdict
    items: tuple[Item, ...]
    refused: Mapping[str, str]


def selection(store: ReviewStore, persona: Persona, annotator: str, filters: Filters, verdict: Verdict) -> Selection:
    """Return what a verdict on all samples of a filter would change. Changes nothing.

    Left out without a word: what has the verdict already, and with `skip` what is decided. Refused with a reason: what
    a panel judges blind, what another annotator has open, and with `approve` what a check forbids to approve.
    """
    items: list[Item] = []
    refused: dict[str, str] = {}
    with reading(store.engine) as connection:
        query = select(samples.c.id).where(*queries.conditions(connection, filters, annotator)).order_by(samples.c.rank)
        for row in connection.execute(query).all():
            item = read_item(connection, row.id, annotator, store.clock())
            if item.status == {"approve": "approved", "reject": "rejected"}.get(verdict):
                continue
            if verdict == "skip" and item.status not in ("pending", "disputed"):
                continue
            reason = _why_not(item, verdict, persona)
            if reason:
                refused[item.id] = reason
            else:
                items.append(item)
    return Selection(verdict, tuple(items), refused)


def judge(store: ReviewStore, annotator: str, chosen: Selection, reason: str = "") -> Batch:
    """Give the verdict to every sample of a selection, as one batch. A reject needs a reason.

    Raises InosukeError for a reject without one.
    """
    if chosen.verdict == "reject" and not reason:
        raise InosukeError("a rejection needs a reason. Choose one, then confirm again.")
    return store.decide_many(
        chosen.items, annotator, chosen.verdict, reason=WHOLE_FILTER if chosen.verdict == "approve" else reason
    )


def _why_not(item: Item, verdict: Verdict, persona: Persona) -> str:
    if verdict == "skip":
        return ""
    if item.panel > 1 and item.status in ("pending", "disputed"):
        return "blind"
    if item.holders:
        return "held"
    if verdict != "approve":
        return ""
    flags = item.sample.flags if item.state.revision == 0 else ()
    return next(iter(sorted(_forbidden(item.messages, persona, flags))), "")


def _forbidden(messages: Sequence[Message], persona: Persona, flags: Sequence[Flag] = ()) -> set[str]:
    """Return the codes with which a text must not be approved unread."""
    found = (*check_messages(messages, persona), *flags)
    codes = {flag.code for flag in found if blocks_approval((flag,))} | never_trained(found)
    return codes | {flag.code for flag in found if flag.code in UNFINISHED}
