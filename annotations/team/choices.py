"""The queue of pairwise choices: two replies to one prompt, side by side, blind; votes lie in git beside the log.

Pairs come from the store (a rewrite and the text it replaced; an approved and a rejected reply to one prompt) and from
the samples of the newest run, if there is one (the base's reply and the adapter's).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import select

from annotations.store import queue_table
from annotations.store.database import reading
from annotations.store.events_table import new_id
from annotations.store.review_queue import read_item
from annotations.store.review_store import ReviewStore
from annotations.store.schema import samples
from annotations.team.books import books_of
from curation.contracts.run import read_metrics
from curation.newest import LATEST, newest_run
from curation.record import Message, messages_to_json
from curation.review.choices import Pair, Reply, Vote, Withdrawal, make_pair, standing_votes

# A prompt with more replies than this only invites the character to speak; its replies answer nothing in common.
_MOST_REPLIES = 20


def pairs_of(store: ReviewStore, models: Path | None = None) -> list[Pair]:
    """Return all pairs, each once: those of the store in the order of the queue, then those of the newest run.

    Raises InosukeError where the newest run is damaged.
    """
    found = {pair.id: pair for pair in (*_rewritten(store), *_same_prompt(store), *_from_run(models))}
    return list(found.values())


def _rewritten(store: ReviewStore) -> Iterator[Pair]:
    """Yield a pair for each approved rewrite of the last reply: the new text and the imported one."""
    query = select(samples.c.id).where(
        samples.c.queued.is_(True), samples.c.status == "approved", samples.c.revision > 0
    )
    with reading(store.engine) as connection:
        for row in connection.execute(query.order_by(samples.c.rank)).all():
            item = read_item(connection, row.id, "", store.clock())
            old, new = item.sample.messages, item.messages
            if new and old and new[-1].role == old[-1].role == "assistant" and new[:-1] == old[:-1]:
                pair = make_pair(new[:-1], (new[-1].content, "approved"), (old[-1].content, "imported"))
                if pair is not None:
                    yield pair


def _same_prompt(store: ReviewStore) -> Iterator[Pair]:
    """Yield a pair for each rejected reply to a prompt that also has an approved one, as imported."""
    query = select(samples.c.body, samples.c.status).where(
        samples.c.queued.is_(True), samples.c.status.in_(("approved", "rejected")), samples.c.revision == 0
    )
    replies: dict[tuple[Message, ...], list[tuple[str, str]]] = defaultdict(list)
    with reading(store.engine) as connection:
        for row in connection.execute(query.order_by(samples.c.rank)):
            messages = queue_table.from_body(row.body).sample.messages
            if len(messages) > 1 and messages[-1].role == "assistant":
                replies[messages[:-1]].append((row.status, messages[-1].content))
    for prompt, given in replies.items():
        approved = [text for status, text in given if status == "approved"]
        if not approved or len(given) > _MOST_REPLIES:
            continue
        for number, text in enumerate(text for status, text in given if status == "rejected"):
            pair = make_pair(prompt, (approved[number % len(approved)], "approved"), (text, "rejected"))
            if pair is not None:
                yield pair


def _from_run(models: Path | None) -> Iterator[Pair]:
    """Yield a pair for each sample of the newest run, if one is trained. Samples of another shape are passed over."""
    if models is None or not (models / LATEST).is_file():
        return
    for sample in read_metrics(newest_run(models)).samples:
        prompt, base, adapter = sample.get("prompt"), _text(sample.get("base")), _text(sample.get("adapter"))
        if isinstance(prompt, str) and base is not None and adapter is not None:
            pair = make_pair([Message("user", prompt)], (base, "base"), (adapter, "adapter"))
            if pair is not None:
                yield pair


def _text(reply: Any) -> str | None:
    text = reply.get("text") if isinstance(reply, Mapping) else reply
    return text if isinstance(text, str) else None


# ---------------------------------------------------------------- votes


def votes(store: ReviewStore) -> list[Vote]:
    """Return the votes that count, oldest first."""
    return standing_votes(books_of(store).read("choices"))


def waiting(pairs: Iterable[Pair], given: Iterable[Vote], annotator: str) -> list[Pair]:
    """Return the pairs that the annotator has not voted on, in an order of their own."""
    done = {vote.pair for vote in given if vote.annotator == annotator}
    left = [pair for pair in pairs if pair.id not in done]
    return sorted(left, key=lambda pair: hashlib.sha256(f"{annotator} {pair.id}".encode()).digest())


def vote(store: ReviewStore, pair: Pair, annotator: str, choice: Literal["a", "b", "none"]) -> Vote:
    """Record an annotator's choice."""
    books = books_of(store)
    given = Vote(
        id=new_id(),
        time=books.now(),
        pair=pair.id,
        prompt=messages_to_json(pair.prompt),
        a=Reply.model_validate({"text": pair.a, "from": pair.a_from}),
        b=Reply.model_validate({"text": pair.b, "from": pair.b_from}),
        choice=choice,
        first="b" if pair.swapped_for(annotator) else "a",
        annotator=annotator,
    )
    books.add("choices", [given.to_record()])
    return given


def withdraw(store: ReviewStore, annotator: str) -> Vote | None:
    """Withdraw the annotator's newest vote that counts; None where there is none."""
    mine = [given for given in votes(store) if given.annotator == annotator]
    if not mine:
        return None
    books = books_of(store)
    gone = Withdrawal(id=new_id(), time=books.now(), vote=mine[-1].id, annotator=annotator)
    books.add("choices", [gone.model_dump(mode="json")])
    return mine[-1]
