"""/api/chat and its neighbours: requests, streams, errors."""

import json

import pytest

from curation.record import Message
from serve.answering.default_settings import NAMES
from serve.answering.waiting_line import LineFull
from serve.engine import OPTIONAL, ConversationTooLong, Delta, Done, EngineFailed


def ask(client, *contents, **more):
    roles = ["user", "assistant"]
    messages = [{"role": roles[i % 2], "content": c} for i, c in enumerate(contents)]
    return client.post("/api/chat", json={"messages": messages, **more})


def events(response):
    blocks = response.get_data(as_text=True).strip().split("\n\n")
    lines = [block.split("\n") for block in blocks if not block.startswith(":")]  # a comment is no event
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in lines]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
def test_every_reply_can_be_sent_back(client, parrot, monkeypatch, path, stream):
    def stream_controls(*_):
        yield Delta("\x00")
        yield Delta("Hừ\x0b\x1b[1m\x85\x9b!\ud800\n\t")
        yield Done("stop", 1, 2)

    monkeypatch.setattr(parrot, "stream", stream_controls)
    said = client.post(path, json={"messages": [{"role": "user", "content": "a"}], "stream": stream}).get_data(True)
    assert r'"Hừ[1m!\n\t"' in said and r"\u0000" not in said
    assert ask(client, "a", "Hừ[1m!\n\t", "b").status_code == 200


def test_a_question_is_answered_as_one_json_object(client):
    response = ask(client, "ngươi là ai")
    assert response.json == {
        "reply": "ngươi là ai ",
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4},
        "dropped_messages": 0,
        "run": None,
        "facts": [],
    }
    assert "ngươi" in response.get_data(as_text=True)  # UTF-8, not \\u escapes


def test_the_engine_gets_the_whole_conversation_and_the_settings(client, parrot):
    ask(client, "a", "b", "c", settings={"temperature": 0, "max_new_tokens": 5, "seed": 7})
    assert parrot.seen == [[("user", "a"), ("assistant", "b"), ("user", "c")]]
    assert parrot.settings[0].model_dump(exclude=set(OPTIONAL) - set(NAMES)) == {
        "temperature": 0.0,
        "top_p": 0.9,
        "top_k": 0,
        "min_p": 0.0,
        "repetition_penalty": 1.05,
        "dry_multiplier": 0.0,
        "max_new_tokens": 5,
        "seed": 7,
        "stop": (),
    }


@pytest.mark.parametrize("how", [{"json": {"stream": True}}, {"headers": {"Accept": "text/event-stream"}}])
def test_a_stream_is_deltas_and_then_done(client, how):
    body = {"messages": [{"role": "user", "content": "xin chào"}]} | how.get("json", {})
    response = client.post("/api/chat", json=body, headers=how.get("headers"))
    assert response.mimetype == "text/event-stream"
    done = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    assert events(response) == [
        ("delta", {"text": "xin "}),
        ("delta", {"text": "chào "}),
        ("done", {"finish_reason": "stop", "usage": done, "dropped_messages": 0, "run": None, "facts": []}),
    ]


def test_a_client_that_accepts_anything_gets_json(client):
    response = client.post(
        "/api/chat", json={"messages": [{"role": "user", "content": "a"}]}, headers={"Accept": "*/*"}
    )
    assert response.mimetype == "application/json"


USER = {"role": "user", "content": "a"}


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ({}, "invalid_request", "the key `messages` is missing"),
        ({"messages": []}, "invalid_request", "at least 1 item"),
        ([], "invalid_request", "`the content` is []"),
        (
            {"messages": [USER], "history": []},
            "unknown_key",
            "unknown key `history`. Known here: continue, memory, messages, pinned, settings, stream",
        ),
        ({"messages": [USER | {"name": "x"}]}, "unknown_key", "`messages.0.name`"),
        ({"messages": [USER], "settings": {"beams": 3}}, "unknown_key", "`settings.beams`"),
        ({"messages": [{"role": "system", "content": "obey"}]}, "invalid_role", "a system prompt of its own"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "invalid_role", "'user' or 'assistant'"),
        ({"messages": [USER, {"role": "assistant", "content": "b"}]}, "invalid_request", "expected one from `user`"),
        (
            {"messages": [{"role": "user", "content": " \n"}]},
            "invalid_request",
            "`messages.0.content` is ' \\n': the message is empty",
        ),
        ({"messages": [{"role": "user", "content": "a\x00b"}]}, "invalid_request", "control characters"),
        ({"messages": [{"role": "user", "content": "a\x9b1mb"}]}, "invalid_request", "control characters"),
        ({"messages": [{"role": "user", "content": "x" * 4001}]}, "invalid_request", "at most 4000 characters"),
        ({"messages": [{"role": "user", "content": 5}]}, "invalid_request", "valid string"),
        ({"messages": [USER] * 401}, "invalid_request", "at most 400 items"),
        ({"messages": [USER], "settings": {"temperature": 3}}, "invalid_request", "`settings.temperature`"),
        ({"messages": [USER], "settings": {"top_k": 1.5}}, "invalid_request", "`settings.top_k`"),
        ({"messages": [USER], "settings": {"max_new_tokens": 0}}, "invalid_request", "greater than or equal to 1"),
        ({"messages": [USER], "settings": {"top_p": "0.5"}}, "invalid_request", "valid number"),
        ({"messages": [USER], "stream": "yes"}, "invalid_request", "`stream`"),
    ],
)
def test_a_wrong_body_is_refused_with_the_key_that_is_wrong(client, parrot, body, code, says):
    response = client.post("/api/chat", json=body)
    assert response.status_code == 400
    assert response.json["error"]["code"] == code
    assert says in response.json["error"]["message"]
    assert parrot.seen == []


@pytest.mark.parametrize("data", [b"", b"{", b'{"messages": NaN', b"\xff\xfe", b'{"messages": "\\ud800"}'])
def test_a_body_that_is_not_json_is_refused(client, data):
    response = client.post("/api/chat", data=data, content_type="application/json")
    assert (response.status_code, response.json["error"]["code"]) == (400, "invalid_json")


def test_a_form_post_is_refused(client):
    response = client.post("/api/chat", data={"messages": "x"})
    assert (response.status_code, response.json["error"]["code"]) == (415, "unsupported_media_type")


def test_a_body_over_the_limit_is_refused_before_it_is_read(client):
    response = client.post("/api/chat", data=b" " * (2 * 1024 * 1024 + 1), content_type="application/json")
    assert response.status_code == 413
    assert response.json["error"]["code"] == "request_entity_too_large"


def test_unknown_paths_and_methods_are_json_errors(client):
    assert client.get("/api/nothing").json["error"]["code"] == "not_found"
    response = client.get("/api/chat")
    assert (response.status_code, response.json["error"]["code"]) == (405, "method_not_allowed")
    assert "POST" in response.headers["Allow"]


def test_static_files_stay_in_their_folder(client):
    assert client.get("/static/../../persona.toml").status_code == 404
    assert client.get("/static/%2e%2e/%2e%2e/service.py").status_code == 404


def test_a_crash_before_the_first_word_is_a_500_without_details(client, parrot, caplog):
    parrot.crash_after = 0
    response = ask(client, "a b")
    assert (response.status_code, response.json["error"]["code"]) == (500, "internal_error")
    assert "secret" not in response.get_data(as_text=True)
    assert "secret" in caplog.text
    parrot.crash_after = None
    assert ask(client, "a b").json["reply"] == "a b "


def test_a_crash_in_the_middle_of_a_stream_is_an_error_event(client, parrot):
    parrot.crash_after = 1
    seen = events(ask(client, "a b", stream=True))
    assert [name for name, _ in seen] == ["delta", "error"]
    assert seen[-1][1]["code"] == "internal_error"
    assert "secret" not in seen[-1][1]["message"]
    parrot.crash_after = None
    assert ask(client, "a b").json["reply"] == "a b "


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(ConversationTooLong("x"), 400, "conversation_too_long"), (EngineFailed("x"), 502, "engine_failed")],
)
def test_what_is_wrong_before_the_first_word_is_a_status_or_an_event(client, parrot, monkeypatch, error, status, code):
    def fail(*_):
        raise error
        yield

    monkeypatch.setattr(parrot, "stream", fail)
    response = ask(client, "a")
    assert (response.status_code, response.json["error"]["code"]) == (status, code)
    streamed = ask(client, "a", stream=True)  # its headers were sent before the engine was asked
    assert (streamed.status_code, events(streamed)) == (200, [("error", {"code": code, "message": "x"})])


def test_a_full_line_is_a_503_with_the_time_to_try_again(client, app, monkeypatch):
    def full(*_):
        raise LineFull("the server is busy.")
        yield

    monkeypatch.setattr("serve.answering.waiting_line.WaitingLine.in_turn", full)
    response = ask(client, "a")
    assert (response.status_code, response.json["error"]["code"]) == (503, "busy")
    assert int(response.headers["Retry-After"]) > 0


def test_messages_reach_the_engine_as_the_type_of_the_stages(client, parrot, monkeypatch):
    got = []

    def stream(messages, *_):
        got.extend(messages)
        yield Done("stop", 0, 0)

    monkeypatch.setattr(parrot, "stream", stream)
    ask(client, "<|im_end|>")
    assert got == [Message("user", "<|im_end|>")]


def test_info_tells_who_answers_and_the_limits(client):
    info = client.get("/api/info").json
    assert info["character"] == "Inosuke"
    assert (info["engine"], info["model"], info["run"]) == ("parrot", "parrot-1", None)
    assert info["limits"] == {"messages": 400, "chars": 4000, "memory": 2000, "pinned": 20, "pinned_chars": 200}
    assert (info["context"], info["window"], info["remembers"]) == (2048, None, True)  # a parrot counts no tokens


def test_health_and_readiness(client):
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json == {"status": "ready", "running": 0, "waiting": 0}


def test_nothing_of_a_conversation_is_logged(client, caplog):
    caplog.set_level("DEBUG")
    ask(client, "bimat cua ta")
    assert "answer: 1 + 3 tokens, stop" in caplog.text
    assert "bimat" not in caplog.text


@pytest.mark.parametrize("key", ["top_k", "typical_p", "logprobs"])
def test_settings_that_the_engine_does_not_honour_are_refused_by_name(client, parrot, key):
    parrot.honours = frozenset({"logprobs"})
    response = ask(client, "a", settings={key: 1 if key != "typical_p" else 0.5})
    assert response.status_code == 400 and key in response.json["error"]["message"]
    assert response.json["error"]["code"] == "unsupported_parameter" and parrot.seen == []
