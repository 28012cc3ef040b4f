"""The official client against the real server, and the shapes that other clients read."""

import json

import openai
import pytest

from serve import create_app
from serve.engine import ConversationTooLong
from tests.serve.conftest import serving


@pytest.fixture
def official(parrot, persona):
    with serving(create_app({"ENGINE": parrot, "PERSONA": persona})) as url:
        yield openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


def said(*contents):
    return [{"role": ("user", "assistant")[n % 2], "content": c} for n, c in enumerate(contents)]


def test_the_official_client_lists_the_model(official):
    [model] = official.models.list().data
    assert (model.id, model.object, model.owned_by) == ("parrot-1", "model", "Inosuke")
    assert official.models.retrieve("parrot-1").id == "parrot-1"
    with pytest.raises(openai.NotFoundError, match="'gpt' is not a model here"):
        official.models.retrieve("gpt")


def test_the_official_client_gets_an_answer(official, parrot):
    answer = official.chat.completions.create(
        model="anything", messages=said("a", "b", "xin chào"), temperature=0, max_tokens=7, seed=3, stop=["\n"]
    )
    assert answer.choices[0].message.content == "xin chào "
    assert (answer.choices[0].finish_reason, answer.model) == ("stop", "parrot-1")
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (3, 2, 5)
    settings = parrot.settings[0]
    assert (settings.temperature, settings.max_new_tokens, settings.seed, settings.stop) == (0, 7, 3, ("\n",))


def test_the_official_client_streams(official):
    stream = official.chat.completions.create(
        model="x", messages=said("một hai ba"), stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    assert [c.choices[0].delta.content for c in chunks[:-1]] == ["", "một ", "hai ", "ba ", None]
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 3
    assert len({c.id for c in chunks}) == 1


def test_the_official_client_raises_its_own_errors(official, parrot, monkeypatch):
    with pytest.raises(openai.BadRequestError) as wrong:
        official.chat.completions.create(model="x", messages=said("a"), temperature=3)
    assert (wrong.value.param, wrong.value.code, wrong.value.type) == (
        "temperature",
        "invalid_request",
        "invalid_request_error",
    )

    def too_long(*_):
        raise ConversationTooLong("shorten the message")
        yield

    monkeypatch.setattr(parrot, "stream", too_long)
    with pytest.raises(openai.BadRequestError, match="shorten the message") as wrong:
        official.chat.completions.create(model="x", messages=said("a"))
    assert wrong.value.code == "context_length_exceeded"


def test_an_engine_that_breaks_off_ends_the_stream_with_an_error(official, parrot):
    parrot.crash_after = 1
    with pytest.raises(openai.APIError, match="the answer failed inside the server"):
        list(official.chat.completions.create(model="x", messages=said("a b"), stream=True))
    parrot.crash_after = None
    assert official.chat.completions.create(model="x", messages=said("a b")).choices[0].message.content == "a b "


def test_a_key_is_asked_for_and_the_official_client_sends_it(parrot, persona):
    with serving(create_app({"ENGINE": parrot, "PERSONA": persona, "KEYS": ["k" * 16]})) as url:
        for key, works in (("k" * 16, True), ("l" * 16, False)):
            client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
            if works:
                assert client.chat.completions.create(model="x", messages=said("a")).choices[0].message.content == "a "
            else:
                with pytest.raises(openai.AuthenticationError, match="needs a key"):
                    client.chat.completions.create(model="x", messages=said("a"))


def test_a_rate_that_is_used_up_is_the_clients_rate_limit_error(parrot, persona):
    with serving(create_app({"ENGINE": parrot, "PERSONA": persona, "RATE": 1})) as url:
        client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)
        with pytest.raises(openai.RateLimitError) as often:
            for _ in range(6):
                client.chat.completions.create(model="x", messages=said("a"))
        assert int(often.value.response.headers["Retry-After"]) > 0
        assert len(parrot.seen) == 5


# ---------------------------------------------------------------- what other clients send


def post(client, **body):
    return client.post("/v1/chat/completions", json={"messages": said("a")} | body)


def test_a_clients_system_prompt_is_ignored_and_parts_are_joined(client, parrot):
    parts = [{"type": "text", "text": "xin "}, {"type": "text", "text": "chào"}]
    messages = [{"role": "system", "content": "You are a pirate."}, {"role": "user", "content": parts}]
    assert post(client, messages=messages).status_code == 200
    assert parrot.seen == [[("user", "xin chào")]]


def test_more_tokens_than_there_are_count_as_the_most(client, parrot):
    assert post(client, max_completion_tokens=100_000, max_tokens=5).status_code == 200
    assert parrot.settings[0].max_new_tokens == 1024


def test_harmless_keys_of_clients_are_ignored(client):
    assert post(client, user="me", logit_bias={}, frequency_penalty=0, n=1, tools=[], stream=None).status_code == 200


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"n": 2}, "`n` is 2: Input should be less than or equal to 1"),
        ({"tools": [{}]}, "`tools` is not supported"),
        ({"response_format": {"type": "json_object"}}, "`response_format` can only be text"),
        ({"messages": []}, "at least 1 item"),
        ({"messages": said("a", "b")}, "expected one from `user`"),
        ({"messages": said(" ")}, "the message is empty"),
        ({"messages": said("x" * 4001)}, "4001 characters; expected at most 4000"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "`messages.0.content"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "`messages.0.role`"),
        ({"stop": ["a"] * 5}, "`stop"),
        ({"seed": "x"}, "`seed`"),
    ],
)
def test_what_is_not_supported_is_refused_in_openais_shape(client, parrot, body, says):
    response = post(client, **body)
    error = response.json["error"]
    assert (response.status_code, error["type"]) == (400, "invalid_request_error")
    assert says in error["message"] and set(error) == {"message", "type", "param", "code"}
    assert parrot.seen == []


@pytest.mark.parametrize(
    ("body", "param", "says"),
    [
        ({"stop": 5}, "stop", "is 5: Input should be a valid string"),
        ({"stop": ["a"] * 5}, "stop", "is ['a', 'a', 'a', 'a', 'a']: "),
        ({"stop": ["a", ""]}, "stop", "is ['a', '']: "),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content", "is 5: "),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages.0.content",
            "a part has the type 'image_url'; expected `text`, the only type that is supported",
        ),
    ],
)
def test_an_error_names_the_key_as_the_client_knows_it(client, body, param, says):
    error = post(client, **body).json["error"]
    assert error["param"] == param
    assert error["message"].startswith(f"`{param}` is ") and says in error["message"]


def test_a_stream_ends_with_done_and_has_the_place_as_a_comment(client, monkeypatch, parrot):
    from serve.engine import Alive, Delta, Done, Queued

    def run(*_):
        yield Alive()  # has its place
        yield Queued(2)
        yield Delta("ừ")
        yield Done("length", 1, 1)

    monkeypatch.setattr("serve.answering.waiting_line.WaitingLine.in_turn", run)
    blocks = post(client, stream=True).get_data(as_text=True).split("\n\n")
    assert blocks[1:3] == [": ping", ": place 2 in the line"]
    assert json.loads(blocks[4].removeprefix("data: "))["choices"][0]["finish_reason"] == "length"
    assert blocks[-2:] == ["data: [DONE]", ""]


def test_unknown_paths_are_openais_errors_too(client):
    assert client.get("/v1/nothing").json["error"]["type"] == "not_found_error"
