"""Long conversations over HTTP: memory, pinned facts, counting, and streams that are never silent."""

import json
import threading
import time

import pytest

from serve import create_app
from serve.engine import ConversationTooLong, Counted, Delta, Done, MemoryTooLong, Reading
from tests.serve.conftest import Parrot
from tests.serve.http.test_api import ask, events

TALK = [
    {"role": "user", "content": "Tớ tên là Lan. Ngươi khoẻ không?"},
    {"role": "assistant", "content": "Ta luôn khoẻ!"},
    {"role": "user", "content": "Trời mưa. Mai gặp ở suối nhé, tớ hứa!"},
    {"role": "assistant", "content": "Được!"},
]
QUOTED = "- Người đối thoại nói: “Tớ tên là Lan.”\n- Người đối thoại nói: “Mai gặp ở suối nhé, tớ hứa!”"


def says(parrot, monkeypatch, text):
    """Let the engine answer with a text; returns what it is asked."""
    asked = []

    def stream(messages, settings, cancelled):
        asked.append((messages, settings))
        yield Delta(text)
        yield Done("stop", 1, 1)

    monkeypatch.setattr(parrot, "stream", stream)
    return asked


def test_memory_and_pinned_facts_reach_the_engine_in_the_system_prompt(client, parrot, persona):
    response = ask(client, "Who are you?", memory="Lan cooks.", pinned=["Lan is allergic to fish"])
    assert response.status_code == 200
    (role, system), question = parrot.seen[0]
    assert role == "system" and question == ("user", "Who are you?")
    assert system == (
        f"{persona.system_prompt_in('en')}\n\nAbout the visitor:\n- Lan is allergic to fish"
        "\n\nEarlier in this conversation:\nLan cooks."
    )
    ask(client, "Who are you?", memory=" ", pinned=[])
    assert parrot.seen[1] == [("user", "Who are you?")]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"memory": "x" * 2001}, "at most 2000 characters"),
        ({"memory": 5}, "valid string"),
        ({"memory": "a\x00"}, "control characters"),
        ({"pinned": "a"}, "should be a valid"),
        ({"pinned": ["x" * 201]}, "at most 200 characters"),
        ({"pinned": [""]}, "at least 1 character"),
        ({"pinned": ["x"] * 21}, "at most 20 items"),
    ],
)
def test_a_wrong_memory_is_refused_with_the_key(client, parrot, more, says):
    for path, body in (("/api/chat", {"messages": TALK[:1]}), ("/api/count", {})):
        response = client.post(path, json=body | more)
        assert (response.status_code, response.json["error"]["code"]) == (400, "invalid_request")
        assert says in response.json["error"]["message"] and next(iter(more)) in response.json["error"]["message"]
    assert parrot.seen == []


# ---------------------------------------------------------------- summing up


def test_what_fell_out_is_summed_up_by_the_model_under_its_own_rules(client, parrot, monkeypatch):
    asked = says(parrot, monkeypatch, "- Lan là người đối thoại\n- Mai hai bên gặp ở suối\n")
    response = client.post("/api/memory", json={"messages": TALK, "memory": "Lan thích mưa."})
    assert response.json == {"memory": "- Lan thích mưa.\n- Lan là người đối thoại\n- Mai hai bên gặp ở suối"}
    (system, question), settings = asked[0]
    assert system.role == "system" and system.content.startswith("Ngươi tóm tắt hội thoại.")
    assert "Người đối thoại: Trời mưa. Mai gặp ở suối nhé, tớ hứa!\nInosuke: Được!" in question.content
    assert (settings.temperature, settings.seed) == (0.0, None)


@pytest.mark.parametrize(
    "invented",
    [
        "",
        "Zenitsu cưỡi rồng đến Paris mua bánh mì",
        "Ta luôn khoẻ!",
        "Lan Lan Lan Lan Lan Lan Lan",
        "Lan là ai, tên gì?",
    ],
)
def test_what_was_not_said_gives_way_to_the_visitors_own_words(client, parrot, monkeypatch, invented):
    says(parrot, monkeypatch, invented)
    assert client.post("/api/memory", json={"messages": TALK}).json == {"memory": QUOTED}
    again = client.post("/api/memory", json={"messages": TALK, "memory": QUOTED})
    assert again.json == {"memory": QUOTED}  # nothing twice


def test_a_memory_does_not_grow_without_end(client, parrot, monkeypatch):
    says(parrot, monkeypatch, "")
    memory = "\n".join(f"- điều thứ {n} {'x' * 60}" for n in range(25))
    made = client.post("/api/memory", json={"messages": TALK, "memory": memory}).json["memory"]
    assert made.endswith(QUOTED) and "điều thứ 24" in made and "điều thứ 0 " not in made
    assert len(made) <= 1200 and ask(client, "a", memory=made).status_code == 200


def test_a_visitor_never_waits_for_a_summary(app, parrot, monkeypatch):
    begun, stopped, asked = threading.Event(), threading.Event(), []

    def stream(messages, settings, cancelled):
        asked.append(messages[0].role)
        if asked == ["system"]:
            begun.set()
            while not cancelled():
                time.sleep(0.01)  # as an engine does between two tokens
            stopped.set()
            yield Done("cancelled", 1, 0)
            return
        assert messages[0].role == "system" or stopped.wait(60)
        yield Delta("Được")
        yield Done("stop", 1, 1)

    monkeypatch.setattr(parrot, "stream", stream)
    made = []
    thread = threading.Thread(
        target=lambda: made.append(app.test_client().post("/api/memory", json={"messages": TALK}).json)
    )
    thread.start()
    assert begun.wait(60)
    assert ask(app.test_client(), "a").json["reply"] == "Được"
    thread.join(60)
    assert made == [{"memory": QUOTED}]
    assert asked == ["system", "user", "system"]  # stopped for the visitor, then begun again


def test_a_summary_ends_when_its_client_leaves(app, parrot, monkeypatch):
    says(parrot, monkeypatch, "nie")
    response = app.test_client().post(
        "/api/memory",
        json={"messages": TALK, "memory": "old"},
        environ_overrides={"waitress.client_disconnected": lambda: True},
    )
    assert response.json == {"memory": "old"}


# ---------------------------------------------------------------- counting


class Counter(Parrot):
    """Counts a token for each word, and refuses more than ten."""

    def check(self, messages, settings):
        if len(messages[-1].content.split()) > 10:
            raise ConversationTooLong("at most 10 words")

    def check_memory(self, turns, told, settings):
        if len(told[0].content) - len(turns[0].content) > 500:
            raise MemoryTooLong("memory and pinned facts take more than 5 tokens")

    def count(self, messages, settings):
        return Counted(sum(len(m.content.split()) for m in messages), 10, 2, 0)


@pytest.fixture
def counting(persona):
    return create_app({"ENGINE": Counter(), "PERSONA": persona, "RATE": 1})


def test_a_conversation_is_counted_with_what_is_typed(counting):
    client = counting.test_client()
    response = client.post("/api/count", json={"messages": TALK[:2], "draft": "một hai ba"})
    assert response.json == {"tokens": 13, "window": 10, "kept_from": 2, "opening": 0}
    more = client.post("/api/count", json={"messages": TALK[:2], "pinned": ["a b"], "memory": "c"}).json["tokens"]
    assert more > 20  # the system prompt counts with what stands in it
    assert client.post("/api/count", json={}).json["tokens"] == 0
    assert client.get("/api/info").json["window"] == 10


def test_an_engine_that_cannot_count_says_so(client):
    response = client.post("/api/count", json={"messages": TALK, "draft": "a"})
    assert response.json == {"tokens": None, "window": None, "kept_from": 0, "opening": 0}


def test_counting_has_a_rate_of_its_own(counting):
    client = counting.test_client()
    statuses = [client.post("/api/count", json={}).status_code for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    assert ask(client, "a").status_code == 200


@pytest.mark.parametrize("stream", [False, True])
def test_a_body_is_refused_by_its_tokens_before_it_waits(counting, stream):
    client, engine = counting.test_client(), counting.extensions["inosuke"].engine
    response = ask(client, "a " * 11, stream=stream)
    assert (response.status_code, response.json["error"]["code"]) == (400, "conversation_too_long")
    response = ask(client, "a", memory="x" * 600, stream=stream)
    assert (response.status_code, response.json["error"]["code"]) == (400, "memory_too_long")
    assert engine.seen == []


# ---------------------------------------------------------------- streams


def test_a_prompt_that_is_read_is_an_event(client, parrot, monkeypatch):
    def stream(*_):
        yield Reading(512, 2000)
        yield Delta("ừ")
        yield Done("stop", 2000, 1)

    monkeypatch.setattr(parrot, "stream", stream)
    seen = events(ask(client, "a", stream=True))
    assert seen[:2] == [("reading", {"done": 512, "total": 2000}), ("delta", {"text": "ừ"})]
    chunks = client.post("/v1/chat/completions", json={"messages": TALK[:1], "stream": True}).get_data(as_text=True)
    assert "data: [DONE]" in chunks and "reading" not in chunks


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
def test_the_first_byte_comes_before_the_engine_says_anything_and_pings_follow(app, parrot, monkeypatch, path):
    monkeypatch.setattr("serve.answering.answers.ALIVE_SECONDS", 0.05)
    parrot.gate = threading.Event()
    response = app.test_client().post(path, json={"messages": [{"role": "user", "content": "a b"}], "stream": True})
    body = iter(response.response)
    said = next(body)
    while b": ping\n\n: ping" not in said.replace(b"\n\n\n\n", b"\n\n"):
        said += next(body)
    parrot.gate.set()
    rest = b"".join(body)
    assert b"b " in rest and (b"event: done" in rest or b"[DONE]" in rest)


def test_a_stream_that_is_closed_frees_its_slot(app, parrot):
    parrot.gate = threading.Event()
    response = app.test_client().post("/api/chat", json={"messages": TALK[:1], "stream": True})
    body = iter(response.response)
    next(body)
    assert app.test_client().get("/readyz").json["running"] == 1
    response.close()
    assert app.test_client().get("/readyz").json["running"] == 0
    assert parrot.endings[0] == "cancelled"


@pytest.mark.parametrize("path", ["/api/chat", "/v1/chat/completions"])
def test_an_error_after_the_headers_is_an_event_in_the_shape_of_its_api(client, parrot, path):
    parrot.crash_after = 0
    text = client.post(path, json={"messages": TALK[:1], "stream": True}).get_data(as_text=True)
    block = text.strip().split("\n\n")[-1]
    error = json.loads(block.rpartition("data: ")[2])
    assert (error.get("error") or error)["code"] == "internal_error" and "secret" not in text
    assert block.startswith("event: error") == (path == "/api/chat")
