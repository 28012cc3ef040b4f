"""The waiting line in front of an engine: order, places, and clients that leave."""

import threading

import pytest

from serve.answering.waiting_line import LineFull, WaitingLine
from serve.engine import Delta, Done, Queued


def never():
    return False


def work(text="a"):
    yield Delta(text)
    yield Done("stop", 0, 1)


def test_an_empty_waiting_line_does_not_wait():
    assert list(WaitingLine().in_turn(work, never)) == [Delta("a"), Done("stop", 0, 1)]


def test_waiting_clients_get_their_place_and_are_served_in_order():
    line, order = WaitingLine(), []
    first = line.in_turn(lambda: work("first"), never)
    assert next(first) == Delta("first")
    told = [[], []]
    waiting = [threading.Event(), threading.Event()]

    def wait(n):
        for event in line.in_turn(lambda: work(str(n)), never):
            if isinstance(event, Queued):
                told[n].append(event.place)
                waiting[n].set()
            elif isinstance(event, Delta):
                order.append(event.text)

    threads = [threading.Thread(target=wait, args=(n,)) for n in (0, 1)]
    for thread, event in zip(threads, waiting, strict=True):
        thread.start()
        assert event.wait(120)  # the second joins only once the first is in the line
    assert line.load == (1, 2)
    first.close()
    for thread in threads:
        thread.join(120)
    assert order == ["0", "1"]
    assert told[0] == [1]
    assert told[1][0] == 2 and set(told[1]) <= {2, 1}
    assert line.load == (0, 0)


def test_a_newcomer_does_not_overtake():
    line = WaitingLine()
    running = line.in_turn(work, never)
    next(running)
    waiting = line.in_turn(work, never)
    assert next(waiting) == Queued(1)
    running.close()  # the slot is free, but a request waits for it
    newcomer = line.in_turn(work, never)
    assert next(newcomer) == Queued(2)
    assert next(waiting) == Delta("a")


def test_a_full_line_refuses_at_once_and_accepts_requests_again_later():
    line = WaitingLine(limit=1)
    running, waiting = line.in_turn(work, never), line.in_turn(work, never)
    next(running)
    next(waiting)
    with pytest.raises(LineFull):
        next(line.in_turn(work, never))
    running.close()
    assert list(waiting)[-1] == Done("stop", 0, 1)
    assert next(line.in_turn(work, never)) == Delta("a")


def test_a_line_without_waiting_places_still_serves():
    line = WaitingLine(limit=0)
    running = line.in_turn(work, never)
    assert next(running) == Delta("a")
    with pytest.raises(LineFull):
        next(line.in_turn(work, never))


def test_a_client_that_leaves_is_removed_from_the_line():
    line, gone = WaitingLine(), threading.Event()
    running = line.in_turn(work, never)
    next(running)
    waiting = line.in_turn(work, gone.is_set)
    assert next(waiting) == Queued(1)
    gone.set()
    assert list(waiting) == [Done("cancelled", 0, 0)]
    assert line.load == (1, 0)


def test_a_closed_or_crashed_answer_frees_its_place():
    def crash():
        yield Delta("a")
        raise RuntimeError("x")

    line = WaitingLine()
    crashed = line.in_turn(crash, never)
    next(crashed)
    with pytest.raises(RuntimeError):
        next(crashed)
    closed = line.in_turn(work, never)
    next(closed)
    queued = line.in_turn(work, never)
    next(queued)
    queued.close()
    closed.close()
    assert line.load == (0, 0)


def test_two_slots_answer_two_at_a_time():
    line = WaitingLine(slots=2)
    a, b, c = (line.in_turn(work, never) for _ in range(3))
    assert [next(a), next(b), next(c)] == [Delta("a"), Delta("a"), Queued(1)]
