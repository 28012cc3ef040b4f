"""The engine ``openai`` against a small server that speaks its protocol over real HTTP."""

import json
import signal
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from curation.errors import InosukeError, UsageError
from curation.record import Message
from serve import create_app
from serve.engine import Delta, Done, EngineFailed, Settings
from serve.engines.options import Options, load_engine
from tests.serve.wsgi.test_server import command

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
            if server.silent:
                return self.wait_until_the_client_leaves()
            if len(server.bodies[-1]["messages"]) > server.most:
                return self.reply(400, server.too_long.encode(), "application/json")
            if server.status != 200:
                return self.reply(server.status, b'{"error": "context length"}', "application/json")
            lines = [f"data: {c if isinstance(c, str) else json.dumps(c)}\n\n" for c in server.answer]
            return self.reply(200, (": comment\n\n" + "".join(lines)).encode(), "text/event-stream")

        def wait_until_the_client_leaves(self):
            if server.silent == "after a word":
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                self.wfile.write(f"data: {json.dumps(chunk('Hừ'))}\n\n".encode())
            server.asked.set()
            with suppress(ConnectionError):  # left in a hurry
                assert self.rfile.read(1) == b""
            server.left.set()

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
    server.silent, server.most, server.too_long = None, 1000, ""
    server.asked, server.left = threading.Event(), threading.Event()
    server.url = f"http://127.0.0.1:{server.server_port}/v1"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def engine(upstream, persona):
    return load_engine("openai", Options(persona=persona, url=upstream.url))


def test_the_answer_is_passed_on_piece_by_piece(engine):
    assert engine.model == "big-boar"
    events = list(engine.stream(TALK, Settings(), lambda: False))
    assert events == [Delta("Hừ"), Delta("!"), Done("stop", 9, 2)]


def test_the_persona_speaks_first_and_the_settings_come_along(engine, upstream, persona):
    settings = Settings(temperature=0.5, top_p=0.8, max_new_tokens=7, seed=3)
    list(engine.stream(TALK, settings, lambda: False))
    body = upstream.bodies[0]
    assert body["messages"] == [
        {"role": "system", "content": persona.system_prompt_in("vi")},
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
    list(load_engine("openai", Options(persona=persona, url=upstream.url)).stream(TALK, Settings(), lambda: False))
    assert upstream.keys == ["Bearer k"]


@pytest.mark.slow
def test_the_command_reads_every_setting_from_the_environment(upstream):
    words = {"URL": upstream.url, "MODEL": "boar", "RATE": "1", "PROXIES": "1", "HOSTS": "boar.example", "FEEDBACK": ""}
    process = command("--port", "0", env={f"INOSUKE_{key}": value for key, value in words.items()})
    opened = next((line for line in process.stdout if line.startswith("Open ")), None)
    assert opened, process.stderr.read()
    with httpx.Client(base_url=opened.split()[1], headers={"Host": "boar.example"}) as client:
        assert client.get("/api/info").json()["model"] == "boar"
        assert client.get("/api/info", headers={"Host": "localhost"}).status_code == 400
        talk = {"messages": [{"role": "user", "content": "a"}]}
        visitors = ["192.0.2.1"] * 6 + ["192.0.2.2"]
        statuses = [client.post("/api/chat", json=talk, headers={"X-Forwarded-For": v}).status_code for v in visitors]
        assert statuses == [200] * 5 + [429, 200]
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, "Traceback" in errors) == (0, False)


@pytest.mark.parametrize(("key", "value"), [("RATE", "abc"), ("CONTEXT", "-1")])
@pytest.mark.slow
def test_the_command_ends_with_an_error_message_about_a_wrong_variable(key, value):
    process = command("--port", "0", env={f"INOSUKE_{key}": value})
    _, errors = process.communicate(timeout=60)
    assert errors.splitlines()[-1].startswith(
        f"Error: the environment variable INOSUKE_{key}: `{key}` is '{value}': Input "
    )
    assert (process.returncode, "Traceback" in errors) == (2, False)


def test_the_length_limit_and_cancelling_are_told_apart(engine, upstream):
    upstream.answer = [chunk("a"), chunk(finish="length"), "[DONE]"]
    assert list(engine.stream(TALK, Settings(), lambda: False))[-1].finish_reason == "length"
    assert list(engine.stream(TALK, Settings(), lambda: True)) == [Done("cancelled", 0, 0)]


@pytest.mark.parametrize("silent", ["from the start", "after a word"])
def test_a_client_can_leave_although_the_server_is_silent(engine, upstream, silent):
    upstream.silent = silent
    gone, seen = threading.Event(), []
    answer = threading.Thread(target=lambda: seen.extend(engine.stream(TALK, Settings(), gone.is_set)))
    answer.start()
    assert upstream.asked.wait(60)
    gone.set()
    answer.join(60)
    assert seen[-1:] == [Done("cancelled", 0, 0)]
    assert upstream.left.wait(60)  # the connection is closed, so the server can stop, too


def test_an_answer_that_is_not_read_to_its_end_closes_the_connection(engine, upstream):
    upstream.silent = "after a word"
    events = engine.stream(TALK, Settings(), lambda: False)
    assert next(events) == Delta("Hừ")
    events.close()
    assert upstream.left.wait(60)


@pytest.mark.parametrize("end", [[chunk(finish="stop")], ["[DONE]"]])
def test_either_sign_of_the_end_is_enough(engine, upstream, end):
    upstream.answer = [chunk("a"), *end]
    assert list(engine.stream(TALK, Settings(), lambda: False)) == [Delta("a"), Done("stop", 0, 0)]


def test_a_line_separator_inside_a_text_does_not_end_the_line(engine, upstream):
    upstream.answer = [json.dumps(chunk("a\u2028b\x85c"), ensure_ascii=False), "[DONE]"]
    assert next(engine.stream(TALK, Settings(), lambda: False)) == Delta("a\u2028b\x85c")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ([{"error": "out of memory"}], "out of memory"),
        (["{"], "which is not JSON"),
        (["5"], "sent '5'; expected a JSON object"),
        ([chunk("a")], "closed the connection in the middle"),
        ([], "closed the connection in the middle"),
    ],
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


TOO_LONG = [
    '{"error": {"code": "context_length_exceeded", "message": "too long"}}',
    '{"error": {"code": 400, "type": "exceed_context_size_error", "message": "exceeds"}}',
    '{"message": "This model\'s maximum context length is 512 tokens.", "type": "BadRequestError"}',
]


@pytest.mark.parametrize("words", TOO_LONG)
def test_a_message_that_never_fits_asks_the_visitor_to_shorten_it(upstream, persona, words):
    upstream.most, upstream.too_long = 1, words
    client = create_app({"URL": upstream.url, "PERSONA": persona}).test_client()
    response = client.post("/v1/chat/completions", json={"messages": [{"role": "user", "content": "a"}]})
    assert (response.status_code, response.json["error"]["code"]) == (400, "context_length_exceeded")
    assert "Shorten the message" in response.json["error"]["message"]


@pytest.mark.parametrize("most", [2, 5, 20, 40])
def test_the_oldest_exchanges_are_left_out_until_the_rest_fits(engine, upstream, most):
    upstream.most, upstream.too_long = most, TOO_LONG[0]
    talk = [Message(("user", "assistant")[n % 2], str(n)) for n in range(41)]
    done = list(engine.stream(talk, Settings(), lambda: False))[-1]
    sent = [m["content"] for m in upstream.bodies[-1]["messages"][1:]]
    assert sent == [str(n) for n in range(done.dropped, 41)]
    assert done.dropped % 2 == 0 and len(sent) < most <= len(sent) + 12
    assert len(upstream.bodies) < 15


def test_a_server_that_went_away_is_an_engine_failure(engine, upstream):
    upstream.shutdown()
    upstream.server_close()
    with pytest.raises(EngineFailed, match="does not answer"):
        list(engine.stream(TALK, Settings(), lambda: False))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/v1", "nonsense", "http://[bad/v1"])
def test_an_address_without_a_server_tells_what_to_check(persona, url):
    with pytest.raises(InosukeError, match="Check that the address ends in /v1"):
        load_engine("openai", Options(persona=persona, url=url))


def test_no_address_is_wrong_usage(persona):
    with pytest.raises(UsageError, match="needs --url"):
        load_engine("openai", Options(persona=persona))


@pytest.mark.parametrize(
    ("pieces", "said", "avoided", "loops"),
    [
        (["Hừ", " tôi", " đây"], "Hừ…", 1, 0),
        (["Kẻ gan", " dạ", "!"], "Kẻ gan dạ!", 0, 0),
        (["Đi! D", "ạ, ", "thưa ngài"], "Đi!", 1, 0),
        (["Thôi", " ạ"], "Thôi…", 1, 0),
        ([" Ta là vua!"] * 5, " Ta là vua! Ta là vua! Ta là…", 0, 1),
    ],
)
def test_a_reply_ends_before_what_the_character_would_not_say(engine, upstream, pieces, said, avoided, loops):
    upstream.answer = [*map(chunk, pieces), chunk(finish="stop"), chunk(usage=USAGE), "[DONE]"]
    *deltas, done = engine.stream(TALK, Settings(), lambda: False)
    assert "".join(d.text for d in deltas) == said
    assert (done.finish_reason, done.avoided, done.loops) == ("stop", avoided, loops)
