"""What the character would not say, with llama.cpp: a scripted library that wants to say it."""

import pytest

from curation import chat
from curation.persona import load_persona
from curation.record import Message
from serve.engine import Delta, Settings
from serve.engines.llamacpp import LlamaCppEngine
from serve.engines.tokenizer import ChatTokenizer
from tests.conftest import ROOT

GREEDY = Settings(temperature=0, repetition_penalty=1.0, max_new_tokens=60)
TALK = (Message("user", "Chào ngươi!"), Message("assistant", "Hừ!"), Message("user", "Đấu với ta không?"))


def never():
    return False


def words(events):
    return "".join(e.text for e in events if isinstance(e, Delta))


@pytest.fixture(scope="module")
def persona():
    return load_persona(ROOT / "persona.toml")


@pytest.fixture(scope="module")
def light(tmp_path_factory, tokenizer):
    folder = tmp_path_factory.mktemp("tokenizer")
    tokenizer.save_pretrained(folder)
    return ChatTokenizer(folder)


class Wishing:
    """Says a wish at each place of the reply, as llama.cpp would; each wish is a list of texts in its order of liking.

    ``asked`` are the requests. After the last wish the reply ends.
    """

    def __init__(self, tokenizer, start, wishes):
        self.tokenizer, self.start, self.wishes, self.asked = tokenizer, start, wishes, []

    def ids(self, text):
        return self.tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids

    def handle_completions(self, body, on_chunk):
        self.asked.append(body)
        banned = [token for token, _ in body.get("logit_bias", ())]
        said = self.tokenizer.backend_tokenizer.decode(body["prompt"][self.start :], skip_special_tokens=False)
        at = made = 0
        while said:
            text = next(t for t in self.wishes[at] if said.startswith(t))
            said, at = said.removeprefix(text), at + 1
        for wish in self.wishes[at:]:
            text = next(t for t in wish if self.ids(t)[0] not in banned)
            made += len(self.ids(text))
            chunk = {"choices": [{"text": text, "finish_reason": None}], "__verbose": {"tokens": self.ids(text)[-1:]}}
            if on_chunk(chunk) or made >= body["max_tokens"]:
                break
        ending = "length" if made >= body["max_tokens"] else "stop"
        on_chunk({"choices": [{"text": "", "finish_reason": ending}], "usage": {"completion_tokens": made}})


@pytest.fixture
def wishing(light, persona):
    def make(*wishes):
        start = len(chat.render(TALK, light, persona).input_ids)
        server = Wishing(light, start, [[w] if isinstance(w, str) else w for w in wishes])
        return LlamaCppEngine(server, light, persona), server

    return make


def test_a_word_that_the_character_avoids_is_said_differently(wishing):
    engine, server = wishing("Ta là ", ["tôi", "kẻ"], " mạnh", " nhất!")
    *pieces, done = engine.stream(TALK, GREEDY, never)
    assert words(pieces) == "Ta là kẻ mạnh nhất!"
    assert (done.finish_reason, done.avoided, done.loops) == ("stop", 1, 0)
    first, again, rest = server.asked
    assert again["logit_bias"] == [[server.ids("tôi")[0], False]] and "logit_bias" not in rest
    assert again["prompt"] == first["prompt"] + server.ids("Ta là ")
    assert rest["prompt"] == again["prompt"] + server.ids("kẻ")


def test_the_end_of_a_reply_may_make_a_word_wrong(wishing):
    engine, _ = wishing("Đi thôi", [" ạ", "!"])
    *pieces, done = engine.stream(TALK, GREEDY, never)
    assert words(pieces) == "Đi thôi!" and (done.finish_reason, done.avoided) == ("stop", 1)


def test_a_reply_without_such_a_word_is_one_request(wishing):
    engine, server = wishing("Kẻ", " gan", " dạ", " là", " ta", "!")
    *pieces, done = engine.stream(TALK, GREEDY, never)
    assert [p.text for p in pieces] == ["Kẻ", " gan", " dạ là ta", "!"]
    assert len(server.asked) == 1 and done.avoided == 0


def test_a_loop_is_left_for_other_words_or_ends(wishing):
    engine, _ = wishing(*["Ta ", "là ", ["vua", "chúa"], "! "] * 3, "Đi")
    *pieces, done = engine.stream(TALK, Settings(temperature=0, max_new_tokens=200), never)
    assert words(pieces) == "Ta là vua! Ta là vua! Ta là chúa! Đi" and done.loops == 1


def test_another_try_draws_with_another_seed_and_the_limit_counts_what_stands(wishing):
    engine, server = wishing("Ta là ", ["tôi", "kẻ"], " mạnh", " nhất!")
    *_, done = engine.stream(TALK, GREEDY.model_copy(update={"seed": 5, "max_new_tokens": 60}), never)
    assert [body["seed"] for body in server.asked] == [5, 6, 7]
    left = [60, 60 - len(server.ids("Ta là ")), 60 - len(server.ids("Ta là kẻ"))]
    assert [body["max_tokens"] for body in server.asked] == left
    assert done.completion_tokens == len(server.ids("Ta là kẻ mạnh nhất!"))
