"""API keys and rate limits, by client and behind proxies."""

import base64

import httpx
import pytest

from curation.errors import UsageError
from serve import create_app
from serve.guard.keys_and_rates import Keys, Rates, read_keys
from tests.serve.conftest import serving

BODY = {"messages": [{"role": "user", "content": "a"}]}
KEY = "một-khóa-rất-dài-123"


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_a_client_may_burst_and_is_then_limited_to_its_rate():
    clock = Clock()
    rates = Rates(60, clock)  # one a second, 15 at once
    assert [rates.take("a") for _ in range(15)] == [0] * 15
    assert rates.take("a") == pytest.approx(1)
    assert rates.take("b") == 0  # another client has its own
    clock.now += 0.5
    assert rates.take("a") == pytest.approx(0.5)
    clock.now += 0.5
    assert rates.take("a") == 0
    clock.now += 1e6
    assert [rates.take("a") > 0 for _ in range(16)] == [False] * 15 + [True]  # the bucket has a limit


def test_a_limited_number_of_clients_is_remembered(monkeypatch):
    monkeypatch.setattr("serve.guard.keys_and_rates._CLIENTS", 3)
    rates = Rates(60, Clock())
    for n in range(10):
        rates.take(str(n))
    assert len(rates._buckets) == 3


@pytest.fixture
def limited(parrot, persona):
    return create_app({"ENGINE": parrot, "PERSONA": persona, "RATE": 1, "PROXIES": 1}).test_client()


def ask(client, address):
    return client.post("/api/chat", json=BODY, headers={"X-Forwarded-For": address})


def test_a_client_over_its_rate_learns_when_to_try_again(limited, parrot):
    answers = [ask(limited, "192.0.2.1") for _ in range(6)]
    assert [a.status_code for a in answers] == [200] * 5 + [429]
    assert answers[-1].json["error"]["code"] == "too_many_requests"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
    assert len(parrot.seen) == 5
    assert ask(limited, "192.0.2.2").status_code == 200
    assert limited.get("/api/info", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 200  # looking is free


@pytest.mark.parametrize(("proxies", "others"), [(1, 200), (0, 429)])
def test_over_a_socket_each_visitor_behind_a_proxy_is_a_client(parrot, persona, proxies, others):
    app = create_app({"ENGINE": parrot, "PERSONA": persona, "RATE": 1, "PROXIES": proxies})
    with serving(app) as url, httpx.Client(base_url=url) as client:
        assert [ask(client, "192.0.2.1").status_code for _ in range(6)] == [200] * 5 + [429]
        assert ask(client, "192.0.2.2").status_code == others  # without a proxy, any client could write that


def test_an_address_that_the_client_claims_is_not_trusted(limited):
    # What the one proxy in front appended is the last; everything before it came from the client.
    assert [ask(limited, f"198.51.100.{n}, 192.0.2.9").status_code for n in range(6)][-1] == 429


def test_a_network_of_ipv6_is_one_client(limited):
    assert [ask(limited, f"2001:db8::{n}").status_code for n in range(6)][-1] == 429
    assert ask(limited, "2001:db8:1::1").status_code == 200


@pytest.fixture
def locked(parrot, persona):
    return create_app({"ENGINE": parrot, "PERSONA": persona, "KEYS": f"{'x' * 20}, {KEY}"}).test_client()


def basic(key):
    return {"Authorization": "Basic " + base64.b64encode(f"visitor:{key}".encode()).decode()}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": f"Bearer {'x' * 20}"}, 200),
        ({"Authorization": f"Bearer {'x' * 19}"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": f"Digest {'x' * 20}"}, 401),
        (basic(KEY), 200),
        (basic("nothing"), 401),
        ({"Authorization": "Basic !!!"}, 401),
    ],
)
def test_with_keys_a_request_needs_one(locked, parrot, headers, status):
    response = locked.post("/api/chat", json=BODY, headers=headers)
    assert response.status_code == status
    assert bool(parrot.seen) == (status == 200)
    if status == 401:
        assert response.json["error"]["code"] == "invalid_api_key"
        assert response.headers["WWW-Authenticate"].startswith("Basic ")  # a browser asks, and the page works


def test_the_page_needs_the_key_and_the_health_checks_do_not(locked):
    assert locked.get("/").status_code == locked.get("/metrics").status_code == 401
    assert locked.get("/", headers=basic(KEY)).status_code == 200
    assert locked.get("/healthz").status_code == locked.get("/readyz").status_code == 200


def test_keys_come_from_a_file(tmp_path):
    path = tmp_path / "keys.txt"
    path.write_text(f"# for the team\n{KEY}\n\n", encoding="utf-8")
    keys = read_keys((), path)
    assert keys.knows(KEY) and not keys.knows("") and not keys.knows("# for the team")


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "contains no key"), ("# none\n", "contains no key"), ("short", r"a key of 5 characters.*at least 16")],
)
def test_a_file_that_protects_nothing_is_refused(tmp_path, text, says):
    path = tmp_path / "keys.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=says):
        read_keys((), path)
    with pytest.raises(UsageError, match="cannot be read"):
        read_keys((), tmp_path / "nowhere.txt")


def test_keys_are_compared_whole_and_only_their_hashes_are_kept():
    keys = Keys([KEY])
    assert KEY not in repr(vars(keys))
    assert not keys.knows(KEY[:-1]) and not keys.knows(KEY + "x") and not keys.knows("\ud800")


@pytest.mark.parametrize(
    ("config", "key", "status"),
    [
        ({}, None, 200),
        ({"METRICS_OPEN": False}, None, 403),  # a server that others reach
        ({"METRICS_OPEN": False, "METRICS_KEY": "m" * 20}, "m" * 20, 200),
        ({"METRICS_KEY": "m" * 20}, None, 401),
        ({"METRICS_KEY": "m" * 20}, "n" * 20, 401),
        ({"METRICS_KEY": "m" * 20, "KEYS": KEY}, KEY, 401),
        ({"METRICS_KEY": "m" * 20, "KEYS": KEY}, "m" * 20, 200),
    ],
)
def test_the_counters_have_a_key_of_their_own(parrot, persona, config, key, status):
    client = create_app({"ENGINE": parrot, "PERSONA": persona, **config}).test_client()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    assert client.get("/metrics", headers=headers).status_code == status


def test_behind_two_proxies_the_last_but_one_address_is_the_client(parrot, persona):
    client = create_app({"ENGINE": parrot, "PERSONA": persona, "RATE": 1, "PROXIES": 2}).test_client()
    # The client claims the first address; the outer proxy appends the client's, the inner one the outer proxy's.
    assert [ask(client, f"8.8.8.{n}, 192.0.2.1, 10.0.0.1").status_code for n in range(6)] == [200] * 5 + [429]
    assert ask(client, "8.8.8.8, 192.0.2.2, 10.0.0.1").status_code == 200


def test_the_access_log_has_no_words_and_no_key(parrot, persona, caplog):
    config = {"ENGINE": parrot, "PERSONA": persona, "KEYS": KEY}
    client = create_app({**config, "ACCESS_LOG": True}).test_client()
    with caplog.at_level("INFO", "serve.access"):
        client.post("/api/chat?secret=1", json=BODY, headers={"Authorization": f"Bearer {KEY}"})
        client.get("/x%0Ay")
        lines = [r.getMessage() for r in caplog.records if r.name == "serve.access"]
    assert lines[0].startswith("127.0.0.1 POST /api/chat 200 ") and lines[1].startswith("127.0.0.1 GET /x\\ny 401 ")
    assert not any(word in line for line in lines for word in (KEY, "secret", BODY["messages"][0]["content"] + " "))
    caplog.clear()
    create_app(config).test_client().get("/healthz")
    assert not [r for r in caplog.records if r.name == "serve.access"]
