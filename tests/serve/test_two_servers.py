"""Two servers behind a proxy, as docs/serving.md shows: real processes, HAProxy, Redis and a browser."""

import json
import selectors
import signal
import socket
from contextlib import ExitStack, suppress
from itertools import pairwise
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.sync_api import expect

from tests.tools import redis as redis_server
from tests.tools import two_servers
from tests.tools.chromium import CHROMIUM, answered, last_note, reply_says, turns
from tests.tools.upstream import WORDS, Upstream

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(two_servers.PROGRAM is None, reason="haproxy is missing: apt-get install haproxy"),
]
WHOLE = "".join(WORDS).strip()
ASKED = {"messages": [{"role": "user", "content": "Chào!"}]}
OWNER = "the-owners-own-key"


@pytest.fixture
def upstream():
    server = Upstream()
    server.start()
    yield server
    server.stop()


def said_by(address):
    """A client with an address of its own; Linux has all of 127.0.0.0/8 on loopback."""
    return httpx.Client(transport=httpx.HTTPTransport(local_address=address), timeout=60)


@pytest.mark.skipif(redis_server.PROGRAM is None, reason="redis-server is missing: apt-get install redis-server")
def test_rates_addresses_and_feedback_hold_across_both_servers_behind_two_proxies(upstream, tmp_path):
    folder = tmp_path / "feedback"
    settings = {"RATE": "1", "FEEDBACK": str(folder), "FEEDBACK_KEY": OWNER, "HOSTS": "127.0.0.1"}
    with (
        redis_server.serving(tmp_path) as redis,
        two_servers.serving(tmp_path, upstream.url, settings | {"RATE_STORE": redis.url}, proxies=2) as layout,
        said_by("127.0.0.2") as lan,
        said_by("127.0.0.3") as minh,
    ):
        # The client claims another address each time, which counts for nothing.
        claimed = [{"X-Forwarded-For": f"192.0.2.{n}"} for n in range(7)]
        answers = [lan.post(f"{layout.url}/api/chat", json=ASKED, headers=headers) for headers in claimed]
        assert [a.status_code for a in answers] == [200] * 5 + [429] * 2
        assert answers[0].json()["reply"].strip() == WHOLE
        # Either server has answered some of them, and neither lets this client in.
        counts = [httpx.get(f"{url}/metrics").text for _, url in layout.servers]
        made = [text.partition('inosuke_answers_total{reason="stop"} ')[2].partition("\n")[0] for text in counts]
        assert sum(map(float, made)) == 5 and all(map(float, made))

        one = {"conversation": "c", "rating": "up", "consent": True}
        one["messages"] = [{"role": "user", "content": "Chào!"}, {"role": "assistant", "content": "Hừ!"}]
        given = [minh.post(f"{layout.url}/api/feedback", json=one | {"turn": n}) for n in range(4)]
        assert [answer.status_code for answer in given] == [204] * 4
        [file] = folder.glob("*.jsonl")
        assert [json.loads(line)["turn"] for line in file.read_text(encoding="utf-8").splitlines()] == [0, 1, 2, 3]
        owner = {"Authorization": f"Bearer {OWNER}"}
        fetched = [minh.get(f"{layout.url}/api/feedback", headers=owner).content for _ in range(2)]
        assert fetched == [file.read_bytes()] * 2
        assert [minh.post(f"{layout.url}/api/chat", json=ASKED).status_code for _ in range(2)] == [200, 429]


# Notes what the last reply has said at each change of the page.
WATCH = """() => {
  window.noted = [];
  new MutationObserver(() => {
    const last = [...document.querySelectorAll(".turn.reply .text")].at(-1);
    if (last) window.noted.push(last.textContent);
  }).observe(document.getElementById("messages"), { childList: true, subtree: true, characterData: true });
}"""


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium")
@pytest.mark.parametrize("kind", ["llamacpp", "someone"])
def test_a_server_killed_in_the_middle_of_a_stream_costs_one_automatic_retry(upstream, tmp_path, browser, kind):
    upstream.kind, upstream.hold = kind, 3
    settings = {"FEEDBACK": "", "HOSTS": "127.0.0.1"}
    with two_servers.serving(tmp_path, upstream.url, settings) as layout:
        page = browser.new_page(locale="vi-VN")
        asked = []
        page.on("request", lambda one: asked.append(one.post_data_json) if one.url.endswith("api/chat") else None)
        page.goto(layout.url)
        expect(page.locator("#status")).not_to_be_empty()
        page.fill("#input", "Chào!")
        page.keyboard.press("Enter")
        begun = "".join(WORDS[:3]).strip()
        reply_says(page, begun)
        before = len(turns(page))
        page.evaluate(WATCH)
        layout.busy().send_signal(signal.SIGKILL)
        # The visitor does nothing.
        reply_says(page, WHOLE)
        answered(page)
        assert turns(page)[-2:] == ["Chào!", WHOLE] and len(turns(page)) == before
        assert last_note(page) == "" and not page.locator("#trouble").is_visible()
        assert len(upstream.bodies) == len(asked) == 2
        assert asked[1].get("continue", False) == (kind == "llamacpp")
        noted = [text for text in page.evaluate("() => window.noted") if text]
        if kind == "llamacpp":  # no word that was shown is taken back, and there is no other version
            assert all(later.startswith(sooner.strip()) for sooner, later in pairwise(noted))
            assert page.locator(".turn .count").count() == 0
        else:  # it stays until the new reply has a word
            assert "" not in [text.strip() for text in page.evaluate("() => window.noted")]
        page.close()


def test_a_first_byte_passes_the_proxy_while_the_upstream_is_silent(upstream, tmp_path):
    upstream.hold = 0
    settings = {"FEEDBACK": "", "HOSTS": "127.0.0.1"}
    with (
        two_servers.serving(tmp_path, upstream.url, settings) as layout,
        said_by("127.0.0.3") as minh,
        minh.stream("POST", f"{layout.url}/api/chat", json=ASKED | {"stream": True}) as response,
    ):
        pieces = response.iter_raw()
        assert response.status_code == 200 and next(pieces) == b": ping\n\n"
        upstream.gate.set()  # only now may it say its first word
        assert WORDS[-1].strip() in b"".join(pieces).decode()


def test_one_address_with_hundreds_of_slow_connections_keeps_no_one_out(upstream, tmp_path):
    settings = {"FEEDBACK": "", "HOSTS": "127.0.0.1"}
    with (
        two_servers.serving(tmp_path, upstream.url, settings) as layout,
        ExitStack() as slow,
        said_by("127.0.0.3") as minh,
    ):
        to = urlsplit(layout.url)
        closed = selectors.DefaultSelector()
        for _ in range(620):
            one = slow.enter_context(socket.create_connection((to.hostname, to.port), source_address=("127.0.0.2", 0)))
            with suppress(ConnectionError):  # the proxy may have closed it already
                one.send(b"POST /api/chat HTTP/1.1\r\n")
            closed.register(one, selectors.EVENT_READ)
        left = 620
        while left > 100:
            for key, _ in closed.select():
                with suppress(ConnectionError):
                    # Not a 408: that comes when a request takes too long, after it has held its place all the time.
                    assert key.fileobj.recv(100) == b"", f"{left} connections of one address are open"
                closed.unregister(key.fileobj)
                left -= 1
        assert minh.post(f"{layout.url}/api/chat", json=ASKED).json()["reply"].strip() == WHOLE
