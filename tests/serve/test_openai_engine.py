"""The engine ``openai`` against a small server that speaks its protocol over real HTTP."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from curation.errors import InosukeError, UsageError
from curation.record import Message
from serve import create_app
from serve.engines import Options, load_engine
from serve.engines.base import Delta, Done, EngineFailed, Settings

TALK = (Message("user", "Chào!"),)


def chunk(text=None, finish=None, usage=None):
    choices = [] if usage else [{"index": 0, "delta": {"content": text} if text else {}, "finish_reason": finish}]
    return {"choices": choices, "usage": usage}


USAGE = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
ANSWER = [chunk("Hừ"), chunk("!"), chunk(finish="stop"), chunk(usage=USAGE), "[DONE]"]


@pytest.fixture
def upstream():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.reply(200, json.dumps({"data": [{"id": "big-boar"}]}).encode(), "application/json")

        def do_POST(self):
            length = int(self.headers["Content-Length"])
            server.bodies.append(json.loads(self.rfile.read(length)))
            server.keys.append(self.headers.get("Authorization"))
            if server.status != 200:
                return self.reply(server.status, b'{"error": "context length"}', "application/json")
            lines = [f"data: {c if isinstance(c, str) else json.dumps(c)}\n\n" for c in server.answer]
            return self.reply(200, (": comment\n\n" + "".join(lines)).encode(), "text/event-stream")

        def reply(self, status, data, kind):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.bodies, server.keys, server.status, server.answer = [], [], 200, ANSWER
    server.url = f"http://127.0.0.1:{server.server_port}/v1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def engine(upstream, persona):
    return load_engine("openai", Options(persona, url=upstream.url))


def test_the_answer_is_passed_on_piece_by_piece(engine):
    assert engine.model == "big-boar"
    events = list(engine.stream(TALK, Settings(), lambda: False))
    assert events == [Delta("Hừ"), Delta("!"), Done("stop", 9, 2)]


def test_the_persona_speaks_first_and_the_settings_come_along(engine, upstream, persona):
    settings = Settings(temperature=0.5, top_p=0.8, max_new_tokens=7, seed=3)
    list(engine.stream(TALK, settings, lambda: False))
    body = upstream.bodies[0]
    assert body["messages"] == [
        {"role": "system", "content": persona.system_prompt},
        {"role": "user", "content": "Chào!"},
    ]
    sent = {k: body[k] for k in ("model", "temperature", "top_p", "max_tokens", "seed", "stream")}
    assert sent == {
        "model": "big-boar",
        "temperature": 0.5,
        "top_p": 0.8,
        "max_tokens": 7,
        "seed": 3,
        "stream": True,
    }
    assert upstream.keys == [None]


def test_a_key_comes_from_the_environment(upstream, persona, monkeypatch):
    monkeypatch.setenv("INOSUKE_OPENAI_KEY", "k")
    list(load_engine("openai", Options(persona, url=upstream.url)).stream(TALK, Settings(), lambda: False))
    assert upstream.keys == ["Bearer k"]


def test_the_length_limit_and_cancelling_are_told_apart(engine, upstream):
    upstream.answer = [chunk("a"), chunk(finish="length"), "[DONE]"]
    assert list(engine.stream(TALK, Settings(), lambda: False))[-1].finish_reason == "length"
    assert list(engine.stream(TALK, Settings(), lambda: True)) == [Done("cancelled", 0, 0)]


@pytest.mark.parametrize(
    ("answer", "says"), [([{"error": "out of memory"}], "out of memory"), (["{"], "sent what is not JSON")]
)
def test_a_server_that_breaks_off_is_an_engine_failure(engine, upstream, answer, says):
    upstream.answer = answer
    with pytest.raises(EngineFailed, match=says):
        list(engine.stream(TALK, Settings(), lambda: False))


def test_a_refusal_is_a_502_with_its_reason(upstream, persona):
    upstream.status = 400
    client = create_app({"URL": upstream.url, "PERSONA": persona}).test_client()
    response = client.post("/api/chat", json={"messages": [{"role": "user", "content": "a"}]})
    assert (response.status_code, response.json["error"]["code"]) == (502, "engine_failed")
    assert "context length" in response.json["error"]["message"]


def test_a_server_that_went_away_is_an_engine_failure(engine, upstream):
    upstream.shutdown()
    upstream.server_close()
    with pytest.raises(EngineFailed, match="does not answer"):
        list(engine.stream(TALK, Settings(), lambda: False))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "nonsense", "http://[bad/v1"])
def test_an_address_without_a_server_says_what_to_check(persona, url):
    with pytest.raises(InosukeError, match="is the address right"):
        load_engine("openai", Options(persona, url=url))


def test_no_address_is_wrong_usage(persona):
    with pytest.raises(UsageError, match="needs --url"):
        load_engine("openai", Options(persona))
