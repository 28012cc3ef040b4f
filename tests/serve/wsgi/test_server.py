"""The real server on a free port: what a test client cannot show."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack

import httpx
import pytest
from waitress import wasyncore

from curation.errors import InosukeError
from serve import create_app
from serve.engine import MOST_SLOTS
from serve.wsgi.loading import LoadingApp
from serve.wsgi.server import bind, make_server
from serve.wsgi.slow_clients import ARRIVAL_SECONDS
from tests.serve.conftest import PROJECT, Parrot, serving


@pytest.fixture
def start(persona):
    """Serve an engine with waitress; returns the address."""
    with ExitStack() as stack:

        def make(engine, **config):
            return stack.enter_context(serving(create_app({"ENGINE": engine, "PERSONA": persona, **config})))

        yield make


def body(text, stream=True):
    return {"messages": [{"role": "user", "content": text}], "stream": stream}


def blocks(response):
    buffer = ""
    for text in response.iter_text():
        buffer += text
        *whole, buffer = buffer.split("\n\n")
        for block in whole:
            if block.startswith(":"):  # a comment is no event
                continue
            name, data = block.split("\n")
            yield name.removeprefix("event: "), json.loads(data.removeprefix("data: "))


def test_the_first_word_arrives_before_the_last_is_made(start):
    gate = threading.Event()
    url = start(Parrot(gate=gate))
    with httpx.stream("POST", f"{url}/api/chat", json=body("một hai"), timeout=120) as response:
        events = blocks(response)
        assert next(events) == ("delta", {"text": "một "})
        gate.set()  # only now may the engine say its second word
        assert [name for name, _ in events] == ["delta", "done"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_client_that_goes_away_stops_the_engine(start, stream):
    engine = Parrot(gate=threading.Event())
    url = start(engine)
    raw = json.dumps(body("một hai ba", stream)).encode()
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /api/chat HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(raw)}\r\n\r\n".encode() + raw)
        assert engine.begun.wait(120)  # a client that goes before its turn is never begun with at all
        seen = b""
        while stream and "một".encode() not in seen:
            seen += connection.recv(1000)
    assert engine.ended.wait(120)
    assert engine.endings[0] == "cancelled"
    engine.gate.set()
    assert httpx.post(f"{url}/api/chat", json=body("a", stream=False)).json()["reply"] == "a "


def test_waiting_clients_see_their_place(start):
    engine = Parrot(gate=threading.Event())
    url = start(engine, WAITING=1)
    with httpx.stream("POST", f"{url}/api/chat", json=body("a b"), timeout=120) as first:
        mine = blocks(first)
        assert next(mine)[0] == "delta"
        with httpx.stream("POST", f"{url}/api/chat", json=body("c d"), timeout=120) as second:
            theirs = blocks(second)
            assert next(theirs) == ("queued", {"place": 1})
            third = httpx.post(f"{url}/api/chat", json=body("e"))
            assert (third.status_code, third.json()["error"]["code"]) == (503, "busy")
            assert httpx.get(f"{url}/readyz").json() == {"status": "ready", "running": 1, "waiting": 1}
            engine.gate.set()
            assert [data.get("text") for _, data in mine] == ["b ", None]
            assert [data.get("text") for _, data in theirs] == ["c ", "d ", None]


def test_many_conversations_at_once_never_mix(start):
    url = start(Parrot(slots=8), WAITING=40)
    wrong = []

    def talk(n):
        words = [f"người{n}-{i}" for i in range(30)]
        with httpx.stream("POST", f"{url}/api/chat", json=body(" ".join(words)), timeout=120) as response:
            said = "".join(data["text"] for name, data in blocks(response) if name == "delta")
        if said.split() != words:
            wrong.append((n, said))

    threads = [threading.Thread(target=talk, args=(n,)) for n in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert wrong == []


def test_two_hundred_open_streams_are_served_in_order_and_never_mix(start):
    engine = Parrot(slots=8, gate=threading.Event())
    url = start(engine, WAITING=200)
    said, places = {}, {}
    # One client: making one costs more than all its requests here.
    client = httpx.Client(limits=httpx.Limits(max_connections=None), timeout=60)

    def talk(n):
        words = [f"marker{n}-{i}" for i in range(5)]
        with client.stream("POST", f"{url}/api/chat", json=body(" ".join(words))) as response:
            seen = list(blocks(response))
        said[n] = "".join(data["text"] for name, data in seen if name == "delta").split() == words
        places[n] = [data["place"] for name, data in seen if name == "queued"]

    threads = [threading.Thread(target=talk, args=(n,)) for n in range(200)]
    for thread in threads:
        thread.start()
    # All of them wait or are being answered before the first gets its second word.
    while sum(client.get(f"{url}/readyz").json()[k] for k in ("running", "waiting")) < 200:
        pass
    engine.gate.set()
    for thread in threads:
        thread.join(60)
    client.close()
    assert said == dict.fromkeys(range(200), True)
    assert all(told == sorted(told, reverse=True) for told in places.values())  # no client is overtaken
    assert sorted(told[0] for told in places.values() if told) == list(range(1, 193))


def test_a_full_server_still_has_threads_for_refusals_and_health_checks(start):
    engine = Parrot(slots=MOST_SLOTS, gate=threading.Event())
    url = start(engine, WAITING=40)
    client = httpx.Client(limits=httpx.Limits(max_connections=None), timeout=30)
    threads = [
        threading.Thread(target=client.post, args=(f"{url}/api/chat",), kwargs={"json": body("a b"), "timeout": 120})
        for _ in range(MOST_SLOTS + 40)
    ]
    for thread in threads:
        thread.start()
    try:
        while sum(client.get(f"{url}/readyz").json()[k] for k in ("running", "waiting")) < len(threads):
            pass
        assert client.get(f"{url}/healthz").status_code == 200
        assert client.post(f"{url}/api/chat", json=body("c")).status_code == 503
    finally:
        engine.gate.set()
        for thread in threads:
            thread.join(60)
        client.close()


def test_a_request_that_never_arrives_is_closed_and_others_are_answered(persona):
    app = create_app({"ENGINE": Parrot(), "PERSONA": persona})
    with serving(app) as url:
        server = app.extensions["waitress"]
        host, port = url.removeprefix("http://").split(":")
        slow = [socket.create_connection((host, int(port))) for _ in range(150)]
        for connection in slow:
            connection.sendall(b"POST /api/chat HTTP/1.1\r\nHost: localhost\r\nX-Slow:")
        assert httpx.post(f"{url}/api/chat", json=body("a", stream=False)).json()["reply"] == "a "
        for connection in slow:
            connection.sendall(b" a")  # a byte now and then, as a slow-loris client does
        assert httpx.get(f"{url}/healthz").status_code == 200
        late = time.time() + ARRIVAL_SECONDS + 1
        server.trigger.pull_trigger(lambda: server.maintenance(late))
        for connection in slow:
            connection.settimeout(20)
            assert connection.recv(100) == b""  # closed
            connection.close()
        assert httpx.post(f"{url}/api/chat", json=body("a", stream=False)).json()["reply"] == "a "


def test_requests_while_the_model_loads_get_a_503(persona):
    loading = LoadingApp()
    with bind("127.0.0.1", 0) as listener:
        server = make_server(loading, listener)
        thread = threading.Thread(target=server.run)
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert httpx.get(f"{url}/healthz").status_code == 200
        page = httpx.get(f"{url}/")
        assert (page.status_code, page.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
        assert 'http-equiv="refresh"' in page.text and "frame-ancestors" in page.headers["Content-Security-Policy"]
        ready = httpx.get(f"{url}/readyz")
        assert (ready.status_code, ready.json()["error"]["code"], ready.headers["Retry-After"]) == (503, "loading", "5")
        loading.ready(create_app({"ENGINE": Parrot(), "PERSONA": persona}))
        assert httpx.get(f"{url}/readyz").status_code == 200
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
        thread.join(10)
        server.task_dispatcher.shutdown(timeout=1)


def test_a_port_in_use_is_reported_with_a_remedy():
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InosukeError, match=f"port {port} on 127.0.0.1 is in use.*--port {port + 1}") as error:
            bind("127.0.0.1", port)
    assert error.value.exit_status == 1


def test_an_unknown_host_is_reported():
    with pytest.raises(InosukeError, match=r"the host 'no\.such\.host\.invalid' is not known"):
        bind("no.such.host.invalid", 0)


def command(*args, cwd=PROJECT, env=None):
    return subprocess.Popen(
        [sys.executable, "-m", "serve", *args],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"} | (env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        # A suite in the background of a shell would pass on that Ctrl+C is ignored.
        preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) if os.name == "posix" else None,
    )


@pytest.mark.slow
def test_the_command_serves_the_newest_run_and_stops_on_ctrl_c(finished):
    process = command("--port", "0", cwd=finished)
    said = []
    for line in process.stdout:
        said.append(line)
        if line.startswith("Open "):
            break
    assert said[0].startswith("engine transformers: "), process.stderr.read()
    assert said[1].startswith("run run-1: the newest of 1")
    url = said[-1].split()[1]
    answer = httpx.post(f"{url}/api/chat", json=body("a", stream=False) | {"settings": {"max_new_tokens": 3}})
    assert answer.json()["run"] == "run-1"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("args", "says", "status"),
    [
        ((), "Run `make train`", 1),
        (("--engine", "openai"), "needs --url", 2),
        (("--engine", "x"), "Expected one of: llamacpp, transformers, openai", 2),
        (("--url", "http://127.0.0.1:9/v1"), "did not list a model", 1),
    ],
)
def test_the_command_ends_with_an_error_message_when_there_is_nothing_to_serve(tmp_path, args, says, status):
    (tmp_path / "persona.toml").write_bytes((PROJECT / "persona.toml").read_bytes())
    process = command("--port", "0", *args, cwd=tmp_path)
    _, errors = process.communicate(timeout=60)
    assert errors.splitlines()[-1].startswith("Error: ") and says in errors
    assert "Traceback" not in errors
    assert process.returncode == status


@pytest.mark.parametrize("said", [None, "ACTIVE"])
def test_threads_sleep_while_they_wait_which_is_set_before_torch_is_loaded(finished, said):
    """OpenMP reads the variable once, when it is loaded; a value that is set already is kept."""
    code = (
        "import os, sys\n"
        "class Watch:\n"
        "    def find_spec(name, *_):\n"
        "        if name == 'torch':\n"
        "            print(os.environ.get('OMP_WAIT_POLICY'))\n"
        "            sys.exit()\n"
        "sys.meta_path.insert(0, Watch)\n"
        "from serve import create_app\n"
        "create_app({'ENGINE': 'transformers'})\n"
    )
    env = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"} | {"PYTHONPATH": str(PROJECT)}
    env |= {"OMP_WAIT_POLICY": said} if said else {}
    done = subprocess.run([sys.executable, "-c", code], cwd=finished, env=env, capture_output=True, text=True)
    assert done.stdout.strip() == (said or "PASSIVE"), done.stderr


def test_the_command_line_is_light():
    heavy = "{'flask', 'torch', 'transformers', 'waitress'}"
    code = f"import sys, serve.commands.serve; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
