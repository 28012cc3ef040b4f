"""A room through its door: consent in persona.toml, POST /api/room, and what each character's model is asked."""

import html
import json
import re
import threading
from dataclasses import dataclass, field

import pytest

from curation.errors import UsageError
from curation.persona import Rooms
from serve.engine import ConversationTooLong, Delta, Done
from tests.serve.conftest import Parrot
from tests.tools.personas import ANNE, anne
from tests.tools.rooms import two, with_rooms

HELLO = [{"content": "Hello, both of you!"}]
BOTH = ["inosuke", "anne"]


@dataclass
class Listener(Parrot):
    """A parrot that keeps who said what, and may say something else than what it heard."""

    heard: list = field(default_factory=list)
    says: str = ""

    def stream(self, messages, settings, cancelled):
        self.heard.append([(m.role, m.name, m.content) for m in messages])
        if not self.says:
            yield from super().stream(messages, settings, cancelled)
            return
        for word in self.says.split(" "):
            yield Delta(f"{word} ")
        yield Done("stop", 3, 4)


@pytest.fixture
def serve_two(tmp_path):
    """Serve Inosuke and Anne, each with a table [rooms]; returns the application and the two engines."""

    def make(engines=None, **more):
        engines = engines or (Listener(), Listener())
        return two(tmp_path, engines, **more), *engines

    return make


@pytest.fixture
def ask(serve_two):
    app, first, second = serve_two()
    client = app.test_client()

    def post(turns, **more):
        return client.post("/api/room", json={"speakers": BOTH, "turns": turns, **more})

    post.inosuke, post.anne, post.client = first, second, client
    return post


def test_two_characters_and_the_visitor_take_turns(ask):
    first = ask(HELLO).json
    assert (first["speaker"], first["reply"]) == ("inosuke", "Hello, both of you!")
    assert first["finish_reason"] == "stop" and first["usage"]["total_tokens"] > 0
    turns = [*HELLO, {"speaker": "inosuke", "content": "Ha!"}]
    second = ask(turns).json
    assert second["speaker"] == "anne"
    turns += [{"speaker": "anne", "content": "Oh!"}, {"content": "And you, Anne?"}]
    assert ask(turns, visitor="Lan").json["speaker"] == "anne"  # named, though Inosuke spoke longer ago
    assert ask(turns, next="inosuke").json["speaker"] == "inosuke"
    assert ask.anne.heard[-1] == [
        ("user", "Lan", "Hello, both of you!"), ("user", "Inosuke", "Ha!"), ("assistant", None, "Oh!"),
        ("user", None, "And you, Anne?"),
    ]  # fmt: skip
    assert ask.inosuke.heard[-1][-2:] == [("user", "Anne", "Oh!"), ("user", "Visitor", "And you, Anne?")]


class Narrow(Listener):
    """Reads few letters before it answers; counts as the engines in this process do."""

    window = 40

    def check(self, messages, settings):
        last = max((n for n, m in enumerate(messages) if m.role == "assistant"), default=-1)
        if sum(len(m.content) for m in messages[last + 1 :]) > self.window:
            raise ConversationTooLong("the last message does not fit. Shorten the message.")

    def check_memory(self, turns, told, settings): ...

    def count(self, messages, settings): ...


def test_who_has_listened_for_long_reads_the_newest_lines(serve_two):
    app, narrow, _ = serve_two((Narrow(), Listener()))
    talk = [{"speaker": who, "content": f"{n:02} words"} for n in range(10) for who in (None, "anne")]
    body = {"speakers": BOTH, "turns": [{"speaker": "inosuke", "content": "Ha!"}, *talk], "next": "inosuke"}
    answer = app.test_client().post("/api/room", json=body).json
    assert narrow.heard[-1][-1] == ("user", "Anne", "09 words") and answer["reply"] == "09 words"
    read = len(narrow.heard[-1])
    assert 2 <= read <= 5 and answer["dropped_messages"] == 21 - read
    refused = app.test_client().post("/api/room", json=body | {"turns": [{"content": "x" * 41}]})
    assert (refused.status_code, refused.json["error"]["code"]) == (400, "conversation_too_long")


def test_the_list_shows_greetings_and_leads_to_the_room(ask):
    page = ask.client.get("/?language=en").get_data(as_text=True)
    assert "I am the king of the mountain!" in page and '<a class="room" href="room/">' in page
    assert "Inosuke and Anne talk with each other and with you." in page
    room = ask.client.get("/room/")
    assert "script-src 'self'" in room.headers["Content-Security-Policy"] and "POST /api/room" in room.get_data(
        as_text=True
    )


def test_of_three_only_those_meet_who_all_allow_it(tmp_path):
    shy = anne().model_copy(
        update={"name": "Emilia", "rooms": Rooms.model_validate({"allowed": True, "with": ["Anne"]})}
    )
    app = two(tmp_path, (Listener(), Listener()), third=(Listener(), shy))
    client = app.test_client()

    def answer(*speakers):
        return client.post("/api/room", json={"speakers": speakers, "turns": HELLO})

    assert answer("anne", "emilia").status_code == answer("anne", "inosuke").status_code == 200
    refused = answer("inosuke", "anne", "emilia")
    assert refused.status_code == 403
    assert refused.json["error"]["message"].startswith("Emilia may not be in a room with Inosuke: the persona.toml of")
    people = json.loads(
        html.unescape(re.search(r'data-people="([^"]*)"', client.get("/room/").get_data(as_text=True))[1])
    )
    assert {one["id"]: one["with"] for one in people} == {
        "inosuke": ["anne"], "anne": ["inosuke", "emilia"], "emilia": ["anne"],
    }  # fmt: skip


def test_settings_reach_the_engine_of_the_one_who_speaks(ask):
    assert ask(HELLO, settings={"temperature": 0.25, "seed": 3}).status_code == 200
    assert (ask.inosuke.settings[-1].temperature, ask.inosuke.settings[-1].seed) == (0.25, 3)
    assert ask.anne.settings == []
    refused = ask(HELLO, settings={"logprobs": 2})
    assert (refused.status_code, refused.json["error"]["code"]) == (400, "unsupported_parameter")


def test_a_stream_tells_first_who_speaks(ask):
    response = ask(HELLO, next="anne", stream=True)
    assert response.mimetype == "text/event-stream"
    blocks = [block.split("\n") for block in response.get_data(as_text=True).split("\n\n") if block.startswith("event")]
    events = [(event.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for event, data in blocks]
    assert events[0] == ("speaker", {"speaker": "anne", "name": "Anne"})
    assert "".join(data["text"] for name, data in events if name == "delta") == "Hello, both of you!"
    assert events[-1][0] == "done" and events[-1][1]["speaker"] == "anne"


def test_no_character_speaks_anothers_line(ask):
    ask.anne.says = "Anne: Oh! Inosuke: Ta mạnh nhất! Anne: Oh!"
    assert ask(HELLO, next="anne").json["reply"] == "Oh!"
    ask.anne.says = "Lan: I am a visitor."
    answer = ask(HELLO, next="anne", visitor="Lan").json
    assert answer["reply"] == "…" and len(ask.anne.heard) == 4  # once above, then three tries
    ask.anne.says = '{"Inosuke": 1}'
    assert ask(HELLO, next="anne", settings={"json_schema": {"type": "object"}}).json["reply"] == '{"Inosuke": 1} '


def test_without_consent_of_both_there_is_no_room(serve_two):
    app, *engines = serve_two(annes="")
    client = app.test_client()
    refused = client.post("/api/room", json={"speakers": BOTH, "turns": HELLO})
    assert (refused.status_code, refused.json["error"]["code"]) == (403, "no_consent")
    assert refused.json["error"]["message"] == (
        "Anne may not be in a room with Inosuke: the persona.toml of Anne does not set allowed = true below [rooms]."
    )
    assert client.get("/room/").status_code == 404 and "[rooms]" in client.get("/room/").json["error"]["message"]
    assert "room/" not in client.get("/").get_data(as_text=True)
    assert [engine.heard for engine in engines] == [[], []]


def test_a_persona_may_name_those_it_meets(serve_two):
    client = serve_two(annes='[rooms]\nallowed = true\nwith = ["Gilbert"]')[0].test_client()
    refused = client.post("/api/room", json={"speakers": BOTH, "turns": HELLO})
    assert "Anne names only Gilbert in `with` below [rooms]" in refused.json["error"]["message"]


def test_named_with_an_alias_they_may_meet(serve_two):
    client = serve_two(annes='[rooms]\nallowed = true\nwith = ["伊之助"]')[0].test_client()
    assert client.post("/api/room", json={"speakers": BOTH, "turns": HELLO}).status_code == 200
    assert client.get("/room/").status_code == 200
    assert client.get("/room").headers["Location"] == "room/"


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ('with = ["Zenitsu"]', "`with` has no effect without allowed = true. Add that line, or remove `with`"),
        ('allowed = "yes"', "valid boolean"),
        ("permitted = true", "unknown key `rooms.permitted`. Known here: allowed, with"),
    ],
)
def test_a_wrong_table_is_refused_by_name(tmp_path, table, why):
    with pytest.raises(UsageError) as refused:
        with_rooms(ANNE, tmp_path / "b", f"[rooms]\n{table}")
    assert "rooms" in str(refused.value) and why in str(refused.value)


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({"speakers": ["inosuke"]}, 400, "speakers"),
        ({"speakers": ["inosuke", "inosuke"]}, 400, "named twice"),
        ({"speakers": ["inosuke", "zenitsu"]}, 404, "'zenitsu' is not here. Expected some of inosuke, anne."),
        ({"turns": []}, 400, "turns"),
        ({"turns": [{"content": " "}]}, 400, "the message is empty"),
        ({"turns": [{"content": "a\x00"}]}, 400, "control characters"),
        ({"turns": [{"content": "a" * 4001}]}, 400, "4000"),
        ({"turns": [{"speaker": "zenitsu", "content": "a"}]}, 400, "expected one of `speakers` (inosuke, anne)"),
        ({"turns": [{"speaker": "anne", "content": "a"}], "next": "anne"}, 400, "anne said the last turn"),
        ({"next": "zenitsu"}, 400, "`next` is 'zenitsu'"),
        ({"visitor": "Anne Shirley"}, 400, "`visitor` is a name of Anne"),
        ({"visitor": "a: b"}, 400, "one line without a colon"),
        ({"visitor": "a" * 61}, 400, "60"),
        ({"memory": "x"}, 400, "unknown key `memory`"),
        ({"settings": {"temperature": 9}}, 400, "temperature"),
    ],
)
def test_a_wrong_request_is_refused_with_words(ask, body, status, words):
    refused = ask.client.post("/api/room", json={"speakers": BOTH, "turns": HELLO, **body})
    assert refused.status_code == status and words in refused.json["error"]["message"]
    assert ask.inosuke.heard == ask.anne.heard == []


def test_the_same_guards_as_for_a_chat(serve_two):
    key = "a-key-of-the-owner"
    app, inosuke, _ = serve_two(KEYS=key, RATE=6)
    client, body = app.test_client(), {"speakers": BOTH, "turns": HELLO}
    owner = {"Authorization": f"Bearer {key}"}
    assert client.post("/api/room", json=body).status_code == client.get("/room/").status_code == 401
    assert client.post("/api/room", json=body, headers=owner | {"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert client.post("/api/room", json=body, headers=owner | {"Host": "evil.example"}).status_code == 400
    assert client.post("/api/room", data="x", headers=owner).status_code == 415
    large = client.post("/api/room", data=" " * (2**21 + 1), headers=owner, content_type="application/json")
    assert large.status_code == 413
    statuses = [client.post("/api/room", json=body, headers=owner).status_code for _ in range(6)]
    chat = client.post("/anne/api/chat", json={"messages": [{"role": "user", "content": "x"}]}, headers=owner)
    assert statuses[0] == 200 and statuses[-1] == chat.status_code == 429  # one rate for rooms and chats
    assert inosuke.heard


def test_a_failure_and_a_full_line_are_told_as_in_a_chat(serve_two):
    gate = threading.Event()
    broken, busy = Listener(crash_after=1), Listener(gate=gate)
    app, *_ = serve_two(engines=(broken, busy), WAITING=0)
    client, body = app.test_client(), {"speakers": BOTH, "turns": HELLO}
    failed = client.post("/api/room", json=body)
    assert (failed.status_code, failed.json["error"]["code"]) == (500, "internal_error")
    assert "secret" not in failed.get_data(as_text=True)
    begun = client.post("/api/room", json=body | {"next": "anne", "stream": True}, buffered=False)
    assert busy.begun.wait(10)
    assert client.post("/api/room", json=body | {"next": "anne"}).json["error"]["code"] == "busy"
    begun.close()  # the client leaves: the character's slot is free again
    assert busy.ended.wait(10) and busy.endings[-1] in ("cancelled", "closed")
    gate.set()
    assert client.post("/api/room", json=body | {"next": "anne"}).status_code == 200


def test_an_answer_in_a_room_counts_for_the_one_who_gave_it(ask):
    ask(HELLO, next="anne")
    assert 'inosuke_answers_total{character="anne",reason="stop"} 1.0' in ask.client.get("/metrics").get_data(
        as_text=True
    )
