import threading

from serve.engines.token_budget import Room


def never():
    return False


def test_room_is_given_back():
    room = Room(10)
    for _ in range(3):
        with room.take(10, never) as got:
            assert got


def test_somebody_waits_until_there_is_room_and_a_small_one_does_not_overtake():
    room, order = Room(10), []

    def enter(name, tokens, waiting):
        def asked():
            waiting.set()  # is only asked while it waits
            return False

        with room.take(tokens, asked):
            order.append(name)

    with room.take(6, never):
        large, small = threading.Event(), threading.Event()
        threads = [threading.Thread(target=enter, args=("large", 10, large))]
        threads[0].start()
        assert large.wait(10)
        threads.append(threading.Thread(target=enter, args=("small", 1, small)))  # there would be room for it
        threads[1].start()
        assert small.wait(10)
        assert order == []
    for thread in threads:
        thread.join(10)
    assert order == ["large", "small"]


def test_somebody_who_gives_up_holds_nothing():
    room = Room(10)
    with room.take(6, never):
        with room.take(6, lambda: True) as got:
            assert not got
        with room.take(4, never) as got:
            assert got
