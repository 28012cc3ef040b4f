"""Several answers at the same time: each is the answer that it would be alone, and a failure stays with one answer."""

import copy
import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from types import SimpleNamespace

import pytest
import torch

from curation import chat
from curation.record import Message
from serve.engine import Delta, EngineFailed, Settings
from serve.engines.tokenizer import ChatTokenizer
from serve.engines.transformers import TransformersEngine
from serve.engines.transformers_parts.batch import Batch, Job
from serve.engines.transformers_parts.decoder import Decoder
from serve.engines.transformers_parts.sampling import Sampler
from serve.speaking.draft import Rewind

GREEDY = Settings(temperature=0, repetition_penalty=1.0, max_new_tokens=24)
LIVELY = Settings(temperature=1.5, top_p=0.95, repetition_penalty=1.3, seed=7, max_new_tokens=24)


def never():
    return False


class Client:
    """Asks, and keeps the tokens. ``at`` calls something after that many tokens."""

    def __init__(self, ids, settings=GREEDY, cancelled=never, at=None):
        self.tokens, self.ended, self._at = [], SimpleQueue(), at or {}
        limit = settings.max_new_tokens
        self.job = Job(
            ids=list(ids),
            limit=limit,
            sampler=Sampler(settings),
            push=self.push,
            finish=self.ended.put,
            cancelled=cancelled,
            exact=settings.seed is not None,
        )

    def push(self, token):
        self.tokens.append(token)
        self._at.get(len(self.tokens), never)()

    def ask(self, batch):
        with batch.answering(self.job):
            return self.ended.get(timeout=60)

    def alone(self, batch):
        assert self.ask(batch) == "length"
        return self.tokens


class Hesitant(Client):
    """Removes tokens once, after the ninth, and has the rest drawn again."""

    def __init__(self, ids, kept, banned=(), settings=GREEDY):
        super().__init__(ids, settings)
        self.job.held = lambda: 9
        self._kept, self._banned, self.removed = kept, banned, []

    def push(self, token):
        super().push(token)
        if len(self.tokens) == 9 and not self.removed:
            self.removed = self.tokens[self._kept :]
            del self.tokens[self._kept :]
            return Rewind(self._kept, frozenset(self._banned))
        return None


@pytest.fixture
def batch(tiny_model):
    with_rows = Batch(Decoder(tiny_model, slots=8, pool=8192, context=2048))
    yield with_rows
    with_rows.close()


@pytest.fixture
def light(tokenizer, tmp_path):
    """The tokenizer that a run is served with: transformers' own changes its state while it works, across threads."""
    tokenizer.save_pretrained(tmp_path)
    return ChatTokenizer(tmp_path)


def prompt(n):
    """Prompts of different lengths with the same beginning."""
    return [*range(40), *(3 * n + k for k in range(5 + 7 * n))]


def all_ask(batch, clients):
    with ThreadPoolExecutor(len(clients)) as pool:
        return list(pool.map(lambda p: p.ask(batch), clients))


@pytest.mark.parametrize("settings", [GREEDY, LIVELY])
def test_every_client_gets_the_tokens_that_it_would_get_alone(batch, settings):
    alone = [Client(prompt(n), settings).alone(batch) for n in range(8)]
    clients = [Client(prompt(n), settings) for n in range(8)]
    assert all_ask(batch, clients) == ["length"] * 8
    assert [p.tokens for p in clients] == alone
    assert len({tuple(tokens) for tokens in alone}) > 4


def test_clients_join_and_leave_between_any_two_tokens(batch):
    lengths = [30, 3, 17, 1, 24, 9, 2, 40]
    settings = [GREEDY.model_copy(update={"max_new_tokens": n}) for n in lengths]
    alone = [Client(prompt(n), settings[n]).alone(batch) for n in range(8)]
    clients, started = [], []

    with ThreadPoolExecutor(8) as pool:
        # Each comes when the one before has got a token.
        for n in range(8):
            clients.append(Client(prompt(n), settings[n], at={1: lambda n=n: begin(n + 1)}))

        def begin(n):
            if n < 8:
                started.append(pool.submit(clients[n].ask, batch))

        begin(0)
        for n in range(8):
            assert started[n].result(60) == "length"
    assert [p.tokens for p in clients] == alone


def test_a_seed_repeats_to_the_last_bit_even_in_bf16_and_beside_others(tiny_model, monkeypatch):
    batch = Batch(Decoder(copy.deepcopy(tiny_model).bfloat16(), slots=8, pool=8192, context=2048))
    scores, draw = {}, Sampler.draw

    def noted(self, row, reply, *banned):
        scores.setdefault(self, []).append(row.clone())
        return draw(self, row, reply, *banned)

    monkeypatch.setattr(Sampler, "draw", noted)
    alone = Client(prompt(3), LIVELY)
    alone.alone(batch)
    clients = [Client(prompt(n), LIVELY if n in (3, 4) else GREEDY) for n in range(8)]
    assert all_ask(batch, clients) == ["length"] * 8
    assert all(map(torch.equal, scores[alone.job.sampler], scores[clients[3].job.sampler]))
    assert clients[3].tokens == alone.tokens
    batch.close()


class Echo:
    """A model that repeats the last three tokens of its prompt, read from the cached keys."""

    device = torch.device("cpu")

    def __init__(self, config):
        self.config = config

    def __call__(self, input_ids, position_ids, past_key_values, **_):
        states = input_ids[:, None, :, None].float()
        keys, _ = past_key_values.update(states, states, 0)
        said = keys[torch.arange(len(input_ids)), 0, position_ids[:, -1] - 2, 0].long()
        return SimpleNamespace(logits=torch.nn.functional.one_hot(said, 1000)[:, None].float())


def test_sixteen_clients_with_marks_of_their_own_never_get_another_mark(tiny_model):
    echo = Batch(Decoder(Echo(tiny_model.config), slots=8, pool=8192, context=1024))
    marks = [[100 + n, 200 + n, 300 + n] for n in range(16)]
    settings = [GREEDY.model_copy(update={"max_new_tokens": 30 + 5 * (n % 4)}) for n in range(16)]
    for _ in range(3):
        clients = [Client([1, 2, 3, *range(n), *mark], settings[n]) for n, mark in enumerate(marks)]
        assert all_ask(echo, clients) == ["length"] * 16
        for client, mark, said in zip(clients, marks, settings, strict=True):
            assert client.tokens == (mark * 20)[: said.max_new_tokens]
    echo.close()


def test_a_long_conversation_makes_others_wait_instead_of_taking_more_memory(tiny_model):
    batch = Batch(decoder := Decoder(tiny_model, slots=8, pool=1024, context=1024))
    shapes = []
    ensure = decoder.cache.ensure
    decoder.cache.ensure = lambda *a: ensure(*a) and not shapes.append((decoder.cache.count, decoder.cache.width))
    long = [n % 100 for n in range(900)]
    clients = [Client(prompt(0)), Client(long), Client(prompt(1)), Client(prompt(2))]
    assert all_ask(batch, clients) == ["length"] * 4
    assert (1, 1024) in shapes and all(rows * width <= 1024 for rows, width in shapes)
    fresh = Batch(Decoder(tiny_model, slots=1, pool=1024, context=1024))
    assert [p.tokens for p in clients] == [Client(p.job.ids).alone(fresh) for p in clients]
    batch.close()
    fresh.close()


def test_cancelling_frees_the_row_before_the_next_token(tiny_model):
    batch = Batch(Decoder(tiny_model, slots=1, pool=2048, context=2048))
    gone = threading.Event()
    long = GREEDY.model_copy(update={"max_new_tokens": 1024})
    first = Client(prompt(0), long, cancelled=gone.is_set, at={1: lambda: waiting.set(), 5: gone.set})
    waiting = threading.Event()
    second = Client(prompt(1))
    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(first.ask, batch)
        assert waiting.wait(60)
        assert second.ask(batch) == "length"
        assert one.result(60) == "cancelled"
    assert (len(first.tokens), len(second.tokens)) == (5, 24)
    batch.close()


def test_a_client_that_leaves_while_waiting_is_never_answered(tiny_model):
    batch = Batch(Decoder(tiny_model, slots=1, pool=2048, context=2048))
    asked = threading.Event()
    second = Client(prompt(1), cancelled=lambda: not asked.set())
    with ThreadPoolExecutor(2) as pool:
        later = []
        first = Client(prompt(0), at={1: lambda: later.append(pool.submit(second.ask, batch))})
        assert first.ask(batch) == "length"
        assert later[0].result(60) == "cancelled"
    assert asked.is_set() and second.tokens == []
    batch.close()


def test_leaving_the_block_frees_the_row(tiny_model):
    batch = Batch(Decoder(tiny_model, slots=1, pool=2048, context=2048))
    spoken = threading.Event()
    first = Client(prompt(0), GREEDY.model_copy(update={"max_new_tokens": 1024}), at={3: spoken.set})
    with batch.answering(first.job):
        assert spoken.wait(60)
    assert first.ended.get(timeout=60) == "cancelled"
    assert Client(prompt(1)).ask(batch) == "length"
    batch.close()


class Breaking:
    """The model, until it is told to break."""

    def __init__(self, model):
        self._model, self.broken = model, False

    def __getattr__(self, name):
        return getattr(self._model, name)

    def __call__(self, **inputs):
        if self.broken and len(inputs["input_ids"]) > 1:
            self.broken = False
            raise RuntimeError("out of memory at /root/secret")
        return self._model(**inputs)


def test_a_model_that_fails_ends_the_answers_of_that_moment_and_no_other(tiny_model):
    batch = Batch(Decoder(model := Breaking(tiny_model), slots=2, pool=4096, context=2048))
    expected = Client(prompt(2)).alone(batch)
    clients = [Client(prompt(0)), Client(prompt(1)), Client(prompt(2))]
    with ThreadPoolExecutor(3) as pool:
        begun = []
        clients[0]._at = {1: lambda: begun.append(pool.submit(clients[1].ask, batch))}
        clients[1]._at = {2: lambda: (begun.append(pool.submit(clients[2].ask, batch)), setattr(model, "broken", True))}
        ended = [clients[0].ask(batch)]
        ended += [begun[0].result(60), begun[1].result(60)]
    assert [str(e) for e in ended] == ["out of memory at /root/secret"] * 2 + ["length"]
    assert clients[2].tokens == expected
    assert Client(prompt(2)).alone(batch) == expected
    batch.close()


def test_an_error_in_one_answer_leaves_the_others_alone(batch):
    expected = Client(prompt(1)).alone(batch)

    def trip():
        raise ValueError("no letter")

    clients = [Client(prompt(0), at={4: trip}), Client(prompt(1))]
    ended = all_ask(batch, clients)
    assert str(ended[0]) == "no letter" and ended[1] == "length"
    assert clients[1].tokens == expected


def test_a_failure_reaches_a_client_as_a_message_without_secrets(tiny_model, light, persona, monkeypatch):
    engine = TransformersEngine(tiny_model, light, persona)

    def fail(*_):
        raise RuntimeError("/root/secret")

    monkeypatch.setattr(engine._decoder, "_forward", fail)
    with pytest.raises(EngineFailed, match=r"\(RuntimeError\)\. Try again") as raised:
        list(engine.stream([Message("user", "a")], GREEDY, never))
    assert "secret" not in str(raised.value)


def test_a_seed_repeats_an_answer_among_others(tiny_model, light, persona):
    engine = TransformersEngine(tiny_model, light, persona)

    def say(n):
        events = engine.stream([Message("user", "x" * n)], LIVELY.model_copy(update={"seed": n}), never)
        return "".join(e.text for e in events if isinstance(e, Delta))

    alone = [say(n) for n in range(1, 17)]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(say, range(1, 17))) == alone


def test_each_answer_stops_at_its_own_stop_strings(tiny_model, light, persona):
    engine = TransformersEngine(tiny_model, light, persona)

    def say(stop):
        events = list(engine.stream([Message("user", "a")], GREEDY.model_copy(update={"stop": stop}), never))
        return "".join(e.text for e in events if isinstance(e, Delta)), events[-1].finish_reason

    whole, _ = say(())
    stops = [(), (whole[5],), (whole[2:4],)]
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(say, stops))
    assert said[0][0] == whole
    assert said[1] == (whole[: whole.index(whole[5])], "stop")
    assert said[2] == (whole[: whole.index(whole[2:4])], "stop")


def test_an_engine_that_is_garbage_collected_ends_its_thread(tiny_model, light, persona):
    before = set(threading.enumerate())
    engine = TransformersEngine(tiny_model, light, persona)
    list(engine.stream([Message("user", "a")], GREEDY, never))
    (thread,) = set(threading.enumerate()) - before
    del engine
    gc.collect()
    thread.join(60)
    assert not thread.is_alive()


def test_the_system_prompt_is_read_once_for_all(tiny_model, light, persona, monkeypatch):
    engine = TransformersEngine(tiny_model, light, persona)
    talk = [Message("user", "8")]  # of no language, like the others: all have one system prompt
    list(engine.stream(talk, GREEDY, never))
    read, forward = [], engine._decoder.read
    monkeypatch.setattr(engine._decoder, "read", lambda row, ids: read.append(len(ids)) or forward(row, ids))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: list(engine.stream([Message("user", f"{n}")], GREEDY, never)), range(8)))
    whole = len(chat.render(talk, light, persona).input_ids)
    assert len(read) == 8 and max(read) < whole / 10


def test_after_a_rewind_the_model_has_forgotten_what_was_removed(batch):
    alone = [Client(prompt(n)).alone(batch) for n in range(8)]
    clients = [Hesitant(prompt(n), kept=n) for n in range(8)]
    assert all_ask(batch, clients) == ["length"] * 8
    assert [len(c.removed) for c in clients] == [9, 8, 7, 6, 5, 4, 3, 2]
    assert [c.tokens for c in clients] == alone


@pytest.mark.parametrize("kept", [0, 3, 8])
def test_a_token_that_is_banned_is_banned_at_its_place_alone(batch, kept):
    alone = Client(prompt(1)).alone(batch)
    banned = alone[kept]
    other = Hesitant(prompt(1), kept, [banned])
    assert other.ask(batch) == "length"
    assert other.tokens[:kept] == alone[:kept] and other.tokens[kept] != banned
    # The rest is what the model says after the other word.
    fresh = Client([*prompt(1), *other.tokens[: kept + 1]], GREEDY.model_copy(update={"max_new_tokens": 23 - kept}))
    assert other.tokens[kept + 1 :] == fresh.alone(batch)
