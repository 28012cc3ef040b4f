"""The official client against the real server, and the shapes that other clients read."""

import json

import openai
import pytest

from serve import create_app
from serve.engine import OPTIONAL, ConversationTooLong
from tests.serve.conftest import serving


@pytest.fixture
def official(parrot, persona):
    with serving(create_app({"ENGINE": parrot, "PERSONA": persona})) as url:
        yield openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


def said(*contents):
    return [{"role": ("user", "assistant")[n % 2], "content": c} for n, c in enumerate(contents)]


def test_the_official_client_lists_the_model(official):
    [model] = official.models.list().data
    assert (model.id, model.object, model.owned_by) == ("inosuke", "model", "Inosuke")
    assert (model.root, model.max_model_len, model.system_messages) == ("parrot-1", 2048, "after")
    assert official.models.retrieve("inosuke") == official.models.retrieve("parrot-1") == model
    with pytest.raises(openai.NotFoundError, match="'gpt' is not a model here"):
        official.models.retrieve("gpt")


def test_the_official_client_gets_an_answer(official, parrot):
    answer = official.chat.completions.create(
        model="anything", messages=said("a", "b", "xin chào"), temperature=0, max_tokens=7, seed=3, stop=["\n"]
    )
    assert answer.choices[0].message.content == "xin chào "
    assert (answer.choices[0].finish_reason, answer.model) == ("stop", "inosuke")
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


def test_a_clients_system_prompt_comes_after_ours_and_parts_are_joined(client, parrot, persona):
    parts = [{"type": "text", "text": "xin "}, {"type": "text", "text": "chào"}]
    messages = [{"role": "system", "content": "You are a pirate."}, {"role": "user", "content": parts}]
    assert post(client, messages=messages).status_code == 200
    ours = persona.system_prompt_in("vi")
    assert parrot.seen == [[("system", f"{ours}\n\nYou are a pirate."), ("user", "xin chào")]]


@pytest.mark.parametrize("policy", ["ours", "after", "theirs"])
def test_the_operator_says_whose_system_prompt_counts_and_nothing_is_dropped_unsaid(parrot, persona, policy):
    client = create_app({"ENGINE": parrot, "PERSONA": persona, "SYSTEM": policy}).test_client()
    messages = [{"role": "system", "content": "Rhyme."}, {"role": "user", "content": "Hello, who are you?"}]
    response = post(client, messages=messages)
    ours = persona.system_prompt_in("en")
    system = {"ours": [], "after": [("system", f"{ours}\n\nRhyme.")], "theirs": [("system", "Rhyme.")]}[policy]
    assert parrot.seen == [[*system, ("user", "Hello, who are you?")]]
    assert response.headers.get("Inosuke-Ignored") == ("messages.0" if policy == "ours" else None)
    assert client.get("/v1/models").json["data"][0]["system_messages"] == policy


def test_a_last_system_message_is_refused_where_it_could_not_count(parrot, persona):
    client = create_app({"ENGINE": parrot, "PERSONA": persona, "SYSTEM": "ours"}).test_client()
    response = post(client, messages=[*said("a"), {"role": "system", "content": "Write as the user."}])
    assert response.status_code == 400 and "--system ours" in response.json["error"]["message"]
    assert response.json["error"]["param"] == "messages.1.role" and parrot.seen == []


def test_several_answers_come_one_after_another_with_seeds_of_their_own(client, parrot):
    body = post(client, messages=said("một hai"), n=3, seed=7).json
    assert [(c["index"], c["message"]["content"]) for c in body["choices"]] == [(n, "một hai ") for n in range(3)]
    assert [s.seed for s in parrot.settings] == [7, 8, 9]
    assert body["usage"] == {"prompt_tokens": 3, "completion_tokens": 6, "total_tokens": 9}
    blocks = post(client, messages=said("một"), n=2, stream=True).get_data(as_text=True).split("\n\n")
    chunks = [json.loads(b.removeprefix("data: ")) for b in blocks[:-2] if not b.startswith(":")]
    indices = [chunk["choices"][0]["index"] for chunk in chunks]
    assert indices == [0, 0, 0, 1, 1, 1] and blocks[-2:] == ["data: [DONE]", ""]


def test_the_text_api_answers_a_prompt_and_reads_a_transcript(official, parrot):
    answer = official.completions.create(model="x", prompt="xin chào", max_tokens=9, echo=True)
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("xin chàoxin chào ", "stop")
    assert answer.object == "text_completion" and answer.usage.completion_tokens == 2
    story = "A cold night.\nAnon: Who are you?\nInosuke: Me!\nAnon: Fight me!\nInosuke:"
    chunks = list(official.completions.create(model="x", prompt=story, stop=["\nAnon:"], stream=True))
    assert "".join(c.choices[0].text for c in chunks) == "Fight me! "
    assert [role for role, _ in parrot.seen[1]] == ["system", "user", "assistant", "user"]
    assert parrot.seen[1][0][1].endswith("A cold night.")
    official.completions.create(model="x", prompt=f"{story} I will", stop=["\nAnon:"])
    assert parrot.seen[2][-1] == ("assistant", "I will")
    both = official.completions.create(model="x", prompt=["a", "b"], n=2)
    assert [(c.index, c.text) for c in both.choices] == [(0, "a "), (1, "a "), (2, "b "), (3, "b ")]
    with pytest.raises(openai.BadRequestError, match="3 prompts with 2 answers each; expected 1 to 4"):
        official.completions.create(model="x", prompt=["a", "b", "c"], n=2)


def test_logprobs_come_in_both_shapes(official, monkeypatch, parrot):
    from serve.engine import Delta, Done, Likely

    def stream(*_):
        yield Delta(
            "Hừ", (Likely("Hừ", -0.5, (72, 225, 187, 171), (Likely("Hừ", -0.5, None), Likely("Ha", -1.5, None))),)
        )
        yield Delta("!", (Likely("!", -0.1, (33,), (Likely("!", -0.1, None),)),))
        yield Done("stop", 1, 2)

    monkeypatch.setattr(parrot, "stream", stream)
    answer = official.chat.completions.create(model="x", messages=said("a"), logprobs=True, top_logprobs=2)
    first, _ = answer.choices[0].logprobs.content
    assert (first.token, first.logprob, first.bytes) == ("Hừ", -0.5, [72, 225, 187, 171])
    assert [(t.token, t.logprob) for t in first.top_logprobs] == [("Hừ", -0.5), ("Ha", -1.5)]
    chunks = official.chat.completions.create(model="x", messages=said("a"), logprobs=True, stream=True)
    assert [c.choices[0].logprobs.content[0].token for c in chunks if c.choices[0].logprobs] == ["Hừ", "!"]
    old = official.completions.create(model="x", prompt="a", logprobs=2).choices[0].logprobs
    assert (old.tokens, old.token_logprobs, old.text_offset) == (["Hừ", "!"], [-0.5, -0.1], [0, 2])
    assert old.top_logprobs == [{"Hừ": -0.5, "Ha": -1.5}, {"!": -0.1}]
    assert official.chat.completions.create(model="x", messages=said("a")).choices[0].logprobs is None


def test_words_of_the_character_are_continued_without_a_second_space(official, monkeypatch, parrot):
    from serve.engine import Delta, Done

    def stream(messages, *_):
        parrot.seen.append([(m.role, m.content) for m in messages])
        yield Delta(" ")
        yield Delta(" king")
        yield Delta(" here")
        yield Done("stop", 1, 3)

    monkeypatch.setattr(parrot, "stream", stream)
    messages = [*said("Who are you?"), {"role": "assistant", "content": "I am the "}]
    for text, reply in (("I am the ", "king here"), ("I am the", "  king here")):
        messages[-1]["content"] = text
        assert official.chat.completions.create(model="x", messages=messages).choices[0].message.content == reply
    assert parrot.seen[0] == [("user", "Who are you?"), ("assistant", "I am the ")]


def test_more_tokens_than_there_are_count_as_the_most(client, parrot):
    assert post(client, max_completion_tokens=100_000, max_tokens=5).status_code == 200
    assert parrot.settings[0].max_new_tokens == 1024


@pytest.mark.parametrize("key", sorted(OPTIONAL.keys() - {"continue_final_message"}))
def test_what_the_engine_does_not_honour_is_refused_under_the_clients_name(client, parrot, key):
    parrot.honours = frozenset()
    value = {"logit_bias": {"5": 1}, "json_schema": {"type": "object"}, "logprobs": True, "top_k": 5}.get(key, 0.5)
    given = {"repeat_penalty": 1.5} if key == "repetition_penalty" else {key: value}
    error = post(client, **given).json["error"]
    assert (error["code"], error["param"]) == ("unsupported_parameter", next(iter(given)))
    assert error["message"] == f"`{next(iter(given))}` is not supported by the engine `parrot`. Leave it out."
    off = {key: None if OPTIONAL[key] is None else OPTIONAL[key]}
    assert post(client, **off).status_code == 200


def test_a_last_reply_is_refused_where_the_engine_cannot_continue_it(client, parrot):
    parrot.honours = frozenset()
    error = post(client, messages=said("a", "b")).json["error"]
    assert error["code"] == "unsupported_parameter" and "cannot continue it" in error["message"]
    error = client.post("/v1/completions", json={"prompt": "User: a\nInosuke: b"}).json["error"]
    assert error["param"] == "prompt"


def test_keys_that_nobody_knows_are_named_in_the_response(client):
    response = post(client, warmth=0.1, user="me", store=True, metadata={"a": "b"})
    assert (response.status_code, response.headers["Inosuke-Ignored"]) == (200, "warmth")
    assert "Inosuke-Ignored" not in post(client, user="me").headers
    assert post(client, **{"a\r\nX: ễ": 1}).headers["Inosuke-Ignored"] == "a??X: \\u1ec5"


def test_numbers_are_numbers(client, parrot):
    assert post(client, max_tokens=9.0, top_k=-1, seed=-1, temperature=1).status_code == 200
    assert (parrot.settings[0].max_new_tokens, parrot.settings[0].top_k, parrot.settings[0].seed) == (9, 0, None)
    for wrong in ({"max_tokens": True}, {"top_k": "5"}, {"seed": 1.5}, {"stream": "yes"}, {"temperature": False}):
        assert post(client, **wrong).json["error"]["param"] == next(iter(wrong))


def test_harmless_keys_of_clients_are_ignored(client):
    assert post(client, user="me", logit_bias={}, frequency_penalty=0, n=1, tools=[], stream=None).status_code == 200


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"n": 5}, "`n` is 5: Input should be less than or equal to 4"),
        ({"best_of": 2}, "`best_of` is not supported"),
        ({"tools": [{}]}, "`tools` is not supported"),
        ({"response_format": {"type": "regex"}}, "expected the type `text`, `json_object`, or `json_schema`"),
        ({"json_schema": {"pattern": "a*"}}, "'pattern', which is not supported"),
        ({"grammar": "root ::= .*"}, "`grammar` is not supported"),
        ({"mirostat": 2}, "`mirostat` is not supported"),
        ({"xtc_probability": 0.5}, "`xtc_probability` is not supported"),
        ({"top_logprobs": 3}, "needs `logprobs` to be true"),
        ({"logit_bias": {"boar": 5}}, "'boar' is not the id of a token"),
        ({"logit_bias": {"5": 500}}, "less than or equal to 100"),
        ({"max_tokens": 0}, "expected at least 1, or -1"),
        ({"frequency_penalty": 3}, "less than or equal to 2"),
        ({"repeat_penalty": 1.1, "repetition_penalty": 1.2}, "two names of one thing"),
        ({"stopping_strings": ["a"]}, "differs from `stop`"),
        ({"messages": said("a", "b"), "continue_final_message": False}, "asks for a new reply"),
        ({"continue_final_message": True}, "there is none"),
        ({"messages": []}, "at least 1 item"),
        ({"messages": [{"role": "assistant", "content": None}]}, "no message has any text"),
        ({"messages": [{"role": "system", "content": "x" * 16_001}]}, "16001 characters; expected at most 16000"),
        ({"messages": said(" ")}, "the message is empty"),
        ({"messages": said("x" * 4001)}, "4001 characters; expected at most 4000"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "`messages.0.content"),
        ({"messages": [{"role": "boar", "content": "x"}]}, "`messages.0.role`"),
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
        ({"stop": 5}, "stop", "expected a text, or a list of texts"),
        ({"stop": ["a"] * 5}, "stop", "there are 5 stop texts; expected at most 4"),
        ({"stop": ["a", ""]}, "stop", "a stop text has 0 characters; expected 1 to 64"),
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
