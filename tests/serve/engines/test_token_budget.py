"""How many tokens the slots share, and who waits when they are used up."""

import threading

from serve.engines.token_budget import TokenBudget


def never():
    return False


def test_reserved_tokens_are_released():
    budget = TokenBudget(10)
    for _ in range(3):
        with budget.reserve(10, never) as got:
            assert got


def test_a_large_request_waits_and_a_small_one_does_not_overtake_it():
    budget, order = TokenBudget(10), []

    def enter(name, tokens, waiting):
        def asked():
            waiting.set()  # is only asked while it waits
            return False

        with budget.reserve(tokens, asked):
            order.append(name)

    with budget.reserve(6, never):
        large, small = threading.Event(), threading.Event()
        threads = [threading.Thread(target=enter, args=("large", 10, large))]
        threads[0].start()
        assert large.wait(10)
        threads.append(threading.Thread(target=enter, args=("small", 1, small)))  # its tokens would be free
        threads[1].start()
        assert small.wait(10)
        assert order == []
    for thread in threads:
        thread.join(10)
    assert order == ["large", "small"]


def test_a_client_that_leaves_holds_nothing():
    budget = TokenBudget(10)
    with budget.reserve(6, never):
        with budget.reserve(6, lambda: True) as got:
            assert not got
        with budget.reserve(4, never) as got:
            assert got
