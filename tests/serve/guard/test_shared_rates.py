"""Rates that several servers count together, against a real Redis."""

import sys
import threading
import time

import pytest

from curation.errors import InosukeError, UsageError
from serve import create_app
from serve.guard import shared_rates
from serve.guard.shared_rates import SharedRates, open_store
from tests.tools import redis as redis_server

BODY = {"messages": [{"role": "user", "content": "a"}]}
needs_redis = pytest.mark.skipif(
    redis_server.PROGRAM is None, reason="redis-server is missing: apt-get install redis-server"
)


@pytest.fixture
def redis(tmp_path):
    with redis_server.serving(tmp_path) as server:
        yield server


@pytest.fixture
def two(redis, parrot, persona):
    """Two servers with one store."""
    config = {"ENGINE": parrot, "PERSONA": persona, "RATE": 1, "PROXIES": 1, "RATE_STORE": redis.url}
    return [create_app(config).test_client() for _ in range(2)]


def ask(client, address="192.0.2.1", path="/api/chat"):
    return client.post(path, json=BODY, headers={"X-Forwarded-For": address})


@needs_redis
def test_two_servers_count_a_client_together(two):
    answers = [ask(two[n % 2]) for n in range(7)]
    assert [a.status_code for a in answers] == [200] * 5 + [429] * 2
    assert answers[-1].json["error"]["code"] == "too_many_requests"
    assert 240 < int(answers[-1].headers["Retry-After"]) <= 300  # one a minute, five at once
    assert [ask(one, "192.0.2.2").status_code for one in two] == [200, 200]
    assert ask(two[0], path="/api/count").status_code == 200  # typing has a rate of its own


@needs_redis
def test_the_rate_holds_for_many_requests_at_the_same_time(redis, parrot):
    stores = [open_store(redis.url) for _ in range(2)]
    sides = [SharedRates(store, "messages", 60, 15, None) for store in stores]
    allowed = []
    begin = threading.Barrier(16)

    def take(side):
        begin.wait(60)
        allowed.extend(side.take("a") == 0 for _ in range(5))

    threads = [threading.Thread(target=take, args=(sides[n % 2],)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(allowed), sum(allowed)) == (80, 15)


@needs_redis
def test_a_client_may_send_again_after_the_time_that_it_was_told(redis):
    rates = SharedRates(open_store(redis.url), "messages", 120, 2, None)
    assert [rates.take("a") for _ in range(2)] == [0, 0]
    wait = rates.take("a")
    assert wait == 1  # two in a second; never less than a second
    deadline = time.monotonic() + 60
    while rates.take("a"):
        assert time.monotonic() < deadline


@needs_redis
def test_while_the_store_is_away_each_server_counts_by_itself(two, redis, monkeypatch, caplog):
    monkeypatch.setattr(shared_rates, "_AGAIN_SECONDS", 0)  # asked again by the next request
    assert [ask(two[n % 2]).status_code for n in range(6)] == [200] * 5 + [429]
    redis.stop()
    with caplog.at_level("WARNING", "serve"):
        for one in two:
            assert [ask(one).status_code for _ in range(6)] == [200] * 5 + [429]
        away = f"{redis.shown} does not answer (ConnectionError): each server counts by itself until it does."
        assert [r.getMessage() for r in caplog.records] == [f"the rate store at {away}"] * 2  # each reports it once
        caplog.clear()
        redis.start()
        assert [ask(two[n % 2]).status_code for n in range(6)] == [200] * 5 + [429]  # it remembers nothing
        assert [r.getMessage() for r in caplog.records] == [
            f"the rate store at {redis.shown} answers again: the servers count together."
        ] * 2
    assert redis_server.PASSWORD not in caplog.text


def test_a_store_that_is_away_is_asked_by_one_request_at_a_time():
    store = shared_rates.Store(None, "redis://nowhere")
    store.failed(ConnectionError())
    assert not store.is_tried()
    store._away_until = time.monotonic() - 1
    assert store.is_tried() and not store.is_tried()
    store.answered()
    assert store.is_tried() and store.is_tried()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis://:secret@127.0.0.1:9/0", r"store at redis://127.0.0.1:9/0 does not answer.*Start Redis there"),
        ("http://:secret@127.0.0.1:9/0", "cannot have the scheme 'http'. Expected redis://HOST"),
        ("redis://:secret@127.0.0.1:abc", "cannot be read. Expected redis://HOST"),
        ("secret", "cannot have the scheme ''"),
    ],
)
def test_a_wrong_store_ends_the_start_without_telling_its_password(parrot, persona, url, says):
    with pytest.raises(InosukeError, match=says) as raised:
        create_app({"ENGINE": parrot, "PERSONA": persona, "RATE": 30, "RATE_STORE": url})
    assert "secret" not in str(raised.value)


@needs_redis
def test_a_wrong_password_ends_the_start(redis, parrot, persona):
    url = redis.url.replace(redis_server.PASSWORD, "another-secret")
    with pytest.raises(InosukeError, match="does not answer") as raised:
        create_app({"ENGINE": parrot, "PERSONA": persona, "RATE": 30, "RATE_STORE": url})
    assert "another-secret" not in str(raised.value)


def test_a_store_without_a_rate_is_refused(parrot, persona):
    with pytest.raises(UsageError, match="INOSUKE_RATE_STORE is set, but there is no rate to count"):
        create_app({"ENGINE": parrot, "PERSONA": persona, "RATE_STORE": "redis://127.0.0.1:9/0"})


def test_where_the_library_is_missing_the_message_names_it(parrot, persona, monkeypatch):
    monkeypatch.setitem(sys.modules, "limits.storage", None)
    with pytest.raises(InosukeError, match=r"limits.storage is missing. Run: pip install 'limits\[redis\]'"):
        open_store("redis://127.0.0.1:9/0")


def test_the_address_of_the_store_is_not_shown_with_the_settings(parrot, persona):
    app = create_app({"ENGINE": parrot, "PERSONA": persona})
    config = app.extensions["inosuke"].config
    assert "secret" not in repr(type(config).model_validate({"RATE_STORE": "redis://:secret@127.0.0.1/0"}))
