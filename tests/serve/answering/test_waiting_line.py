"""The waiting line in front of an engine: order, places, and clients that leave."""

import threading
import time

import pytest

from serve.answering.waiting_line import LineFull, WaitingLine
from serve.engine import Alive, Delta, Done, Queued


def never():
    return False


def placed(line, answer=None, cancelled=None):
    """The events of an answer after it has its place in the line."""
    events = line.in_turn(answer or work, cancelled or never)
    assert next(events) == Alive()
    return events


def work(text="a"):
    yield Delta(text)
    yield Done("stop", 0, 1)


def test_an_empty_waiting_line_does_not_wait():
    assert list(WaitingLine().in_turn(work, never)) == [Alive(), Delta("a"), Done("stop", 0, 1)]


def test_waiting_clients_get_their_place_and_are_served_in_order():
    line, order = WaitingLine(), []
    first = placed(line, lambda: work("first"), never)
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
    running = placed(line, work, never)
    next(running)
    waiting = placed(line, work, never)
    assert next(waiting) == Queued(1)
    running.close()  # the slot is free, but a request waits for it
    newcomer = placed(line, work, never)
    assert next(newcomer) == Queued(2)
    assert next(waiting) == Delta("a")


def test_a_full_line_refuses_at_once_and_accepts_requests_again_later():
    line = WaitingLine(limit=1)
    running, waiting = placed(line, work, never), placed(line, work, never)
    next(running)
    next(waiting)
    with pytest.raises(LineFull):
        next(placed(line, work, never))
    running.close()
    assert list(waiting)[-1] == Done("stop", 0, 1)
    assert next(placed(line, work, never)) == Delta("a")


def test_a_line_without_waiting_places_still_serves():
    line = WaitingLine(limit=0)
    running = placed(line, work, never)
    assert next(running) == Delta("a")
    with pytest.raises(LineFull):
        next(placed(line, work, never))


def test_a_client_that_leaves_is_removed_from_the_line():
    line, gone = WaitingLine(), threading.Event()
    running = placed(line, work, never)
    next(running)
    waiting = placed(line, work, gone.is_set)
    assert next(waiting) == Queued(1)
    gone.set()
    assert list(waiting) == [Done("cancelled", 0, 0)]
    assert line.load == (1, 0)


def test_a_closed_or_crashed_answer_frees_its_place():
    def crash():
        yield Delta("a")
        raise RuntimeError("x")

    line = WaitingLine()
    crashed = placed(line, crash, never)
    next(crashed)
    with pytest.raises(RuntimeError):
        next(crashed)
    closed = placed(line, work, never)
    next(closed)
    waits = placed(line, work, never)
    next(waits)
    waits.close()
    closed.close()
    assert line.load == (0, 0)


def test_two_slots_answer_two_at_a_time():
    line = WaitingLine(slots=2)
    a, b, c = (placed(line, work, never) for _ in range(3))
    assert [next(a), next(b), next(c)] == [Delta("a"), Delta("a"), Queued(1)]


def test_work_in_the_background_waits_for_every_visitor_and_gives_way_to_one():
    line, begun, stopped, told = WaitingLine(slots=2), threading.Event(), threading.Event(), []

    def background(stop):
        told.append("begun")
        begun.set()
        if len(told) == 1:
            while not stop():
                time.sleep(0.01)  # as an engine does between two tokens
            stopped.set()
            return None
        return "summary"

    visitor = placed(line, work, never)
    thread = threading.Thread(target=lambda: told.append(line.in_background(background, never)))
    thread.start()
    assert not begun.wait(0.2)  # a slot is free, but a visitor is being answered
    visitor.close()
    assert begun.wait(60)
    assert line.load == (0, 0)  # background work takes nobody's place
    visitor = placed(line, work, never)
    assert next(visitor) == Delta("a")  # at once
    assert stopped.wait(60)
    visitor.close()
    thread.join(60)
    assert told == ["begun", "begun", "summary"]


def test_work_in_the_background_ends_with_its_client_and_frees_the_line():
    line, gone = WaitingLine(), threading.Event()

    def background(stop):
        gone.set()
        return None if stop() else "kept"

    assert line.in_background(background, gone.is_set) is None
    assert line.in_background(lambda stop: "next", never) == "next"
    with pytest.raises(RuntimeError):
        line.in_background(lambda stop: (_ for _ in ()).throw(RuntimeError("x")), never)
    assert line.in_background(lambda stop: "after", never) == "after"


def test_work_in_the_background_is_refused_where_visitors_leave_no_time(monkeypatch):
    monkeypatch.setattr("serve.answering.waiting_line._BACKGROUND_SECONDS", 0.2)
    line = WaitingLine()
    running = placed(line, work, never)
    with pytest.raises(LineFull, match="no time beside its visitors"):
        line.in_background(lambda stop: "never", never)
    running.close()
