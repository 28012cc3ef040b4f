import threading

import pytest

from serve.answering.waiting_line import Line, LineFull
from serve.engine import Delta, Done, Queued


def never():
    return False


def work(text="a"):
    yield Delta(text)
    yield Done("stop", 0, 1)


def test_an_empty_line_is_no_wait():
    assert list(Line().run(work, never)) == [Delta("a"), Done("stop", 0, 1)]


def test_those_who_wait_are_told_their_place_and_served_in_order():
    line, order = Line(), []
    first = line.run(lambda: work("first"), never)
    assert next(first) == Delta("first")
    told = [[], []]
    waiting = [threading.Event(), threading.Event()]

    def wait(n):
        for event in line.run(lambda: work(str(n)), never):
            if isinstance(event, Queued):
                told[n].append(event.place)
                waiting[n].set()
            elif isinstance(event, Delta):
                order.append(event.text)

    threads = [threading.Thread(target=wait, args=(n,)) for n in (0, 1)]
    for thread, event in zip(threads, waiting, strict=True):
        thread.start()
        assert event.wait(120)  # the second joins only once the first stands in line
    assert line.load == (1, 2)
    first.close()
    for thread in threads:
        thread.join(120)
    assert order == ["0", "1"]
    assert told[0] == [1]
    assert told[1][0] == 2 and set(told[1]) <= {2, 1}
    assert line.load == (0, 0)


def test_a_newcomer_does_not_overtake():
    line = Line()
    running = line.run(work, never)
    next(running)
    waiting = line.run(work, never)
    assert next(waiting) == Queued(1)
    running.close()  # the place is free, but somebody waits for it
    newcomer = line.run(work, never)
    assert next(newcomer) == Queued(2)
    assert next(waiting) == Delta("a")


def test_a_full_line_refuses_at_once_and_takes_people_again_later():
    line = Line(limit=1)
    running, waiting = line.run(work, never), line.run(work, never)
    next(running)
    next(waiting)
    with pytest.raises(LineFull):
        next(line.run(work, never))
    running.close()
    assert list(waiting)[-1] == Done("stop", 0, 1)
    assert next(line.run(work, never)) == Delta("a")


def test_a_line_without_waiting_places_still_serves():
    line = Line(limit=0)
    running = line.run(work, never)
    assert next(running) == Delta("a")
    with pytest.raises(LineFull):
        next(line.run(work, never))


def test_somebody_who_gives_up_leaves_the_line():
    line, gone = Line(), threading.Event()
    running = line.run(work, never)
    next(running)
    waiting = line.run(work, gone.is_set)
    assert next(waiting) == Queued(1)
    gone.set()
    assert list(waiting) == [Done("cancelled", 0, 0)]
    assert line.load == (1, 0)


def test_a_closed_or_crashed_answer_frees_its_place():
    def crash():
        yield Delta("a")
        raise RuntimeError("x")

    line = Line()
    crashed = line.run(crash, never)
    next(crashed)
    with pytest.raises(RuntimeError):
        next(crashed)
    closed = line.run(work, never)
    next(closed)
    queued = line.run(work, never)
    next(queued)
    queued.close()
    closed.close()
    assert line.load == (0, 0)


def test_two_slots_answer_two_at_a_time():
    line = Line(slots=2)
    a, b, c = (line.run(work, never) for _ in range(3))
    assert [next(a), next(b), next(c)] == [Delta("a"), Delta("a"), Queued(1)]
