"""The engine ``openai`` against a small server that speaks its protocol over real HTTP."""

import json
import signal
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from curation.chat import with_memory
from curation.errors import InosukeError, UsageError
from curation.record import Message
from serve import create_app
from serve.engine import Delta, Done, EngineFailed, Likely, Settings
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
            self.reply(
                200, json.dumps({"data": [{"id": "big-boar", "owned_by": server.kind}]}).encode(), "application/json"
            )

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
    server.kind = "someone"
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


ALL = Settings(
    top_k=5,
    min_p=0.1,
    typical_p=0.5,
    repetition_penalty=1.2,
    dry_multiplier=0.8,
    frequency_penalty=0.3,
    presence_penalty=-0.3,
    logit_bias={7: -100.0},
    logprobs=2,
    json_schema={"type": "object"},
)
STANDARD = {
    "frequency_penalty": 0.3,
    "presence_penalty": -0.3,
    "logit_bias": {"7": -100.0},
    "logprobs": True,
    "top_logprobs": 2,
    "response_format": {"type": "json_schema", "json_schema": {"name": "reply", "schema": {"type": "object"}}},
}
USUAL = {"model", "messages", "temperature", "top_p", "max_tokens", "stream", "stream_options"}


@pytest.mark.parametrize(
    ("kind", "more", "last"),
    [
        ("someone", {}, None),
        ("library", {}, {}),
        (
            "vllm",
            {"top_k": 5, "min_p": 0.1, "repetition_penalty": 1.2},
            {"continue_final_message": True, "add_generation_prompt": False},
        ),
        (
            "llamacpp",
            {"top_k": 5, "min_p": 0.1, "typical_p": 0.5, "repeat_penalty": 1.2, "dry_multiplier": 0.8},
            {},
        ),
    ],
)
def test_each_kind_of_server_gets_the_names_that_it_knows(upstream, persona, kind, more, last):
    upstream.kind = kind
    engine = load_engine("openai", Options(persona=persona, url=upstream.url))
    list(engine.stream(TALK, ALL, lambda: False))
    assert {key: value for key, value in upstream.bodies[0].items() if key not in USUAL} == STANDARD | more
    assert ("continue_final_message" in engine.honours) == (last is not None)
    assert ("top_k" in engine.honours) == ("top_k" in more)
    list(engine.stream((*TALK, Message("assistant", "Ta")), Settings(repetition_penalty=1.0), lambda: False))
    assert upstream.bodies[1]["messages"][-1] == {"role": "assistant", "content": "Ta"}
    assert {key: value for key, value in upstream.bodies[1].items() if key not in USUAL} == (last or {})


def test_a_system_prompt_of_the_conversation_is_the_only_one_and_stays(engine, upstream):
    upstream.most, upstream.too_long = 2, '{"error": {"code": "context_length_exceeded"}}'
    said = [Message("user", "a"), Message("assistant", "b"), Message("user", "c")]
    list(engine.stream([Message("system", "Rhyme."), *said], Settings(), lambda: False))
    contents = [message["content"] for message in upstream.bodies[-1]["messages"]]
    assert contents == ["Rhyme.", "c"]


def test_the_tokens_that_a_server_reports_are_passed_on(engine, upstream):
    token = {"token": "Hừ", "logprob": -0.5, "bytes": None, "top_logprobs": [{"token": "Ha", "logprob": None}]}
    first = chunk("Hừ")
    first["choices"][0]["logprobs"] = {"content": [token]}
    upstream.answer = [first, *ANSWER[2:]]
    events = list(engine.stream(TALK, Settings(logprobs=1), lambda: False))
    assert events[0] == Delta("Hừ", (Likely("Hừ", -0.5, None, (Likely("Ha", -9999.0, None),)),))


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


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
def test_headers_and_a_first_byte_come_while_the_server_is_silent(upstream, persona, live, path):
    upstream.silent = "from the start"
    app = create_app({"ENGINE": "openai", "URL": upstream.url, "PERSONA": persona})
    body = {"messages": [{"role": "user", "content": "a"}], "stream": True}
    with live(app) as url:
        start = time.perf_counter()
        with httpx.stream("POST", f"{url}{path}", json=body, timeout=60) as response:
            assert response.status_code == 200 and next(response.iter_raw())
            took = time.perf_counter() - start
            assert not upstream.left.is_set()  # it has said nothing, and is still asked
        assert upstream.left.wait(60)
    assert took < 10, f"{took:.2f} s"  # 0.02 s on an idle machine; it would be for ever if it waited for the server


def test_memory_is_told_and_stays_when_turns_are_left_out(engine, upstream, persona):
    upstream.most, upstream.too_long = 4, '{"error": {"code": "context_length_exceeded"}}'
    turns = [Message(("user", "assistant")[n % 2], f"{n}") for n in range(9)]
    told = with_memory(turns, "Lan nấu phở.", [], persona)
    done = list(engine.stream(told, Settings(), lambda: False))[-1]
    sent = upstream.bodies[-1]["messages"]
    assert sent[0] == {"role": "system", "content": told[0].content} and "Lan nấu phở." in sent[0]["content"]
    assert [m["content"] for m in sent[1:]] == [m.content for m in turns[done.dropped :]] and done.dropped >= 6


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
