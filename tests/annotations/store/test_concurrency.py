"""Several annotators at once, each in a process, and one that is killed in the middle of a verdict."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from multiprocessing.connection import Connection

import pytest

from annotations.store.projection import status_of
from annotations.store.review_store import ReviewStore
from annotations.store.types import Leased, StaleVerdict
from curation.review.decisions import State, fold
from tests.annotations.conftest import make_item

if os.name == "nt":
    pytest.skip("needs SIGKILL and a fork server, which Windows does not have", allow_module_level=True)

# A server that has imported the store and opened nothing forks each process: no connection is ever shared, and a
# hundred starts do not each pay for the imports.
processes = multiprocessing.get_context("forkserver")
# The third is imported only when something typed is cleaned.
processes.set_forkserver_preload(
    ["annotations.store.review_store", "psycopg", "curation.importers.registry", "tests.annotations.conftest"]
)

SAMPLES = 120
KILLS = 100
AT_ONCE = 5


def agree(store: ReviewStore) -> None:
    """Check that the projection is the fold of the events, sample by sample."""
    states = fold(store.log.events())
    for sample_id in [make_item(i).sample.id for i in range(SAMPLES)]:
        item = store.queue.item(sample_id)
        assert item.state == states.get(sample_id, State())
        assert store.queue.neighbour("no annotator", _only(sample_id, status_of(item.state)), None) == sample_id


def _only(sample_id: str, status: str):
    from annotations.store.queries import Filters

    return Filters(status="open" if status == "pending" else status, text=sample_id)


def annotate(url: str, name: str, seed: int) -> None:
    """Judge the next sample until nothing is left, and try samples that others hold."""
    store = ReviewStore(url)
    chance = random.Random(seed)
    while (item := store.queue.next_item(name)) is not None:
        try:
            store.decide(item.id, name, chance.choice(["approve", "reject"]), revision=0, seen=item.seen)
        except (Leased, StaleVerdict) as error:  # never for a sample that one holds
            raise AssertionError(f"{name} lost {item.id}: {error}") from error
        intruded = make_item(chance.randrange(SAMPLES)).sample.id
        held = store.queue.item(intruded, name).holders
        if held:
            try:
                store.decide(intruded, name, "approve", revision=0, seen=0)
            except (Leased, StaleVerdict):
                continue
            raise AssertionError(f"{name} decided on {intruded}, which {held} had open")
    store.close()


def test_eight_annotators_lose_nothing_double_nothing_and_respect_leases(store, url):
    store.queue.load([make_item(i) for i in range(SAMPLES)])
    names = [f"annotator {n}" for n in range(8)]
    workers = [processes.Process(target=annotate, args=(url, name, seed)) for seed, name in enumerate(names)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=240)
    assert [worker.exitcode for worker in workers] == [0] * len(workers)
    verdicts = Counter(e.sample_id for e in store.log.events())
    assert len(verdicts) == SAMPLES
    assert set(verdicts.values()) == {1}
    agree(store)


def judge_for_ever(url: str, number: int, ready: Connection) -> None:
    """Judge and undo without end, reporting each confirmed event, until the test kills this process."""
    store = ReviewStore(url)
    ready.send("ready")
    turns = make_item(1).sample.messages
    while True:
        for mine in range(number, SAMPLES, AT_ONCE):
            sample_id = make_item(mine).sample.id
            revision = store.queue.item(sample_id).state.revision  # 1 where a kill came before the undo
            name = f"annotator {number}"
            ready.send(store.decide(sample_id, name, "rewrite", revision=revision, messages=turns).id)
            ready.send(store.undo(name).id)


@pytest.mark.slow
def test_kill_9_in_the_middle_of_a_verdict_a_hundred_times(store, url):
    """Every confirmed event is there, and the state of every sample is the fold of its events."""
    store.queue.load([make_item(i) for i in range(SAMPLES)])
    chance = random.Random(9)
    confirmed: set[str] = set()
    for _ in range(KILLS // AT_ONCE):
        killed = []
        for number in range(AT_ONCE):
            ours, theirs = processes.Pipe(duplex=False)
            worker = processes.Process(target=judge_for_ever, args=(url, number, theirs))
            worker.start()
            theirs.close()  # so that reading ends where the killed process stopped writing
            killed.append((worker, ours))
        for worker, ours in killed:
            assert ours.recv() == "ready"
            for _ in range(chance.randint(0, 2)):
                confirmed.add(ours.recv())
            time.sleep(chance.random() * 0.01)  # the next verdict has begun; any moment of it will do
            os.kill(worker.pid, signal.SIGKILL)
        for worker, ours in killed:
            worker.join(timeout=30)
            confirmed |= said(ours)
    assert confirmed
    assert confirmed <= {e.id for e in store.log.events()}
    agree(store)


def said(pipe: Connection) -> set[str]:
    """Return everything that a process sent before it died."""
    words = set()
    with pipe:
        while True:
            try:
                words.add(pipe.recv())
            except EOFError:
                return words
