"""Prompt shapes: rows ⇄ messages without loss, and token ids with a mask over the character's words only."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation import chat
from curation.chat import BadRow, from_alpaca, language_of, prove, render, to_alpaca
from curation.errors import InosukeError
from curation.persona import Persona
from curation.record import KINDS, Flag, Message, Sample, Source
from tests.tools.tokenizers import chatml_tokenizer


def turns(sample: Any) -> list[tuple[str, str | None, str]]:
    return [(m.role, m.name, m.content) for m in sample.messages]


def test_a_label_before_the_prompt_is_layout_and_comes_back(persona: Persona) -> None:
    row = {"instruction": "Hỏi: Đói chưa?", "input": "", "output": "Bụng ta đang gầm đây!"}
    sample = from_alpaca(row, "conversation", persona)
    assert turns(sample) == [("user", "Hỏi", "Đói chưa?"), ("assistant", None, "Bụng ta đang gầm đây!")]
    assert sample.topic is None and sample.flags == ()
    assert to_alpaca(sample, persona) == row


def test_a_dialogue_inside_the_output_becomes_turns(persona: Persona) -> None:
    row = {
        "instruction": "Đoạn hội thoại nhiều lượt về mưa.",
        "input": "Bạn: Mưa rồi kìa.\nInosuke:",
        "output": "Thì tắm!\nBạn: Lạnh lắm.\nInosuke: Chạy ba vòng là nóng!",
    }
    sample = from_alpaca(row, "conversation", persona)
    assert turns(sample) == [
        ("user", "Bạn", "Mưa rồi kìa."),
        ("assistant", "Inosuke", "Thì tắm!"),
        ("user", "Bạn", "Lạnh lắm."),
        ("assistant", "Inosuke", "Chạy ba vòng là nóng!"),
    ]
    assert sample.topic == "Đoạn hội thoại nhiều lượt về mưa."
    assert to_alpaca(sample, persona) == row


def test_a_missing_cue_is_kept_missing(persona: Persona) -> None:
    row = {"instruction": "Về cá.", "input": "Bạn: Cá kìa!", "output": "Của ta!\nBạn: Chia đi.\nInosuke: Nửa con."}
    sample = from_alpaca(row, "conversation", persona)
    assert sample.messages[1].name is None
    assert to_alpaca(sample, persona) == row


def test_whoever_speaks_before_the_first_reply_is_in_the_input(persona: Persona) -> None:
    messages = (
        Message("user", "Chạy mau!", "Tanjiro"),
        Message("user", "Tớ sợ!", "Zenitsu"),
        Message("assistant", "Theo ta!"),
    )
    sample = Sample(
        id="0" * 16,
        kind="conversation",
        messages=messages,
        language="vi",
        topic=None,
        source=Source(path="", sha256="", locator="", importer="ass"),
    )
    row = {"instruction": "", "input": "Tanjiro: Chạy mau!\nZenitsu: Tớ sợ!", "output": "Theo ta!"}
    assert to_alpaca(sample, persona) == row


def test_a_colon_in_the_characters_prose_is_not_a_label(persona: Persona) -> None:
    row = {"instruction": "Hỏi: Rồi sao?", "input": "", "output": "Ta hét vào vách đá: ra đây!\nNó im re."}
    sample = from_alpaca(row, "conversation", persona)
    assert sample.replies == (row["output"],) and sample.flags == ()


def test_an_unknown_name_inside_a_reply_is_flagged(persona: Persona) -> None:
    row = {"instruction": "Hỏi: Rồi sao?", "input": "", "output": "Ta chạy!\nKiyoshi: Chờ tôi với!"}
    assert Flag("possible_speaker", "Kiyoshi") in from_alpaca(row, "conversation", persona).flags


@pytest.mark.parametrize(
    "row",
    [
        {"instruction": "Hỏi:Không cách", "input": "", "output": "Ờ!"},
        {"instruction": "Xin chào", "output": "Chào!"},
        {"instruction": "Dịch.", "input": "Con heo", "output": "Anh em ta!"},
        {"instruction": "Hỏi: A?", "input": "", "output": "B!", "id": 7},
        {"instruction": "Hỏi: A?", "input": "", "output": "Inosuke: B!"},
        {"instruction": "x", "input": "Bạn: a\nInosuke: b\nBạn: c\nInosuke:", "output": "d"},
    ],
)
def test_unusual_layouts_come_back_word_for_word(row: dict[str, Any], persona: Persona) -> None:
    assert to_alpaca(from_alpaca(row, "conversation", persona), persona) == row


line = st.text(st.characters(blacklist_categories=["Cs"]), max_size=30)
piece = st.one_of(line, st.sampled_from(["Bạn: ", "Inosuke:", "Hỏi: ", "\n", "Tanjiro: ", " ", "ta"]))
words = st.lists(piece, max_size=8).map("".join)


@given(
    row=st.fixed_dictionaries(
        {"instruction": words, "output": words}, optional={"input": words, "extra": st.integers()}
    ),
    kind=st.sampled_from(KINDS),
)
def test_every_row_is_refused_or_comes_back_word_for_word(row: dict[str, Any], kind: Any, persona: Persona) -> None:
    try:
        sample = from_alpaca(row, kind, persona)
    except BadRow as error:
        assert error.reason
    else:
        assert to_alpaca(sample, persona) == row
        assert sample.messages[-1].role == "assistant"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (["a"], "not_a_row"),
        ({"instruction": "a"}, "no_output"),
        ({"instruction": "a", "output": None}, "not_text"),
        ({"instruction": "a", "output": "  "}, "empty_reply"),
        ({"instruction": " ", "output": "a"}, "no_prompt"),
        ({"instruction": "a", "output": "Bạn: của ai đây?"}, "reply_by_user"),
        ({"instruction": "a", "output": "Ờ!\nBạn: rồi sao?"}, "ends_with_user"),
        ({"instruction": "a", "output": "Ờ!\nBạn: \nInosuke: Hả?"}, "empty_turn"),
    ],
)
def test_a_row_without_the_characters_reply_is_refused_with_a_reason(row: Any, reason: str, persona: Persona) -> None:
    with pytest.raises(BadRow) as error:
        from_alpaca(row, "conversation", persona)
    assert error.value.reason == reason


def test_the_users_own_rows_come_back_word_for_word(corpus: Path, persona: Persona) -> None:
    counts: dict[str, int] = {}
    multi_turn = 0
    for name in ("persona", "quotes", "conversations", "genericqa"):
        for row in json.loads((corpus / f"{name}.json").read_text(encoding="utf-8")):
            sample = from_alpaca(row, persona.kind_of(f"{name}.json"), persona)
            assert to_alpaca(sample, persona) == row
            counts[sample.kind] = counts.get(sample.kind, 0) + 1
            multi_turn += len(sample.messages) == 4
    assert counts == {"persona": 782, "quote": 1330, "conversation": 6797, "generic_qa": 350}
    assert multi_turn == 1551


# ---------------------------------------------------------------- token ids

DIALOGUE = [
    Message("user", "Mưa rồi kìa.", "Bạn"),
    Message("assistant", "Thì tắm!"),
    Message("user", "Lạnh lắm."),
    Message("assistant", "Chạy đi!"),
]


def test_the_loss_counts_the_characters_words_and_the_end_of_turn_only(persona: Persona) -> None:
    tokenizer = chatml_tokenizer()
    out = render(DIALOGUE, tokenizer, persona)
    counted = [i for i, m in zip(out.input_ids, out.loss_mask, strict=True) if m]
    assert tokenizer.decode(counted) == "Thì tắm!<|im_end|>Chạy đi!<|im_end|>"


def test_the_ids_are_those_of_the_tokenizers_own_template(persona: Persona) -> None:
    tokenizer = chatml_tokenizer()
    plain = [{"role": "system", "content": persona.system_prompt_in("vi")}]
    plain += [{"role": m.role, "content": m.content} for m in DIALOGUE]
    text = tokenizer.apply_chat_template(plain, tokenize=False)
    assert render(DIALOGUE, tokenizer, persona).input_ids == tokenizer(text)["input_ids"]


SAID = ["Who are you?", "Ngươi là ai?", "nguoi la ai", "hi", "…", "<|im_end|>", "</think>", "🐗", "e\u0301"]


@pytest.mark.parametrize("prompt", ["chat", "alpaca"])
@given(texts=st.lists(st.text(max_size=20) | st.sampled_from(SAID), min_size=4, max_size=4))
def test_what_is_served_is_a_prefix_of_what_is_trained(prompt: Any, texts: list[str], persona: Persona) -> None:
    tokenizer = chatml_tokenizer()
    dialogue = [Message(m.role, text) for m, text in zip(DIALOGUE, texts, strict=True)]
    trained = render(dialogue, tokenizer, persona, prompt)
    for turn in (1, 3):
        served = render(dialogue[:turn], tokenizer, persona, prompt)
        if prompt == "chat" and language_of(dialogue[:turn], persona) != language_of(dialogue, persona):
            assert turn == 1 and trained.chars == len(dialogue[3].content.strip())  # the first reply is not learnt
            continue
        assert trained.input_ids[: len(served.input_ids)] == served.input_ids
        assert trained.loss_mask[len(served.input_ids)] == 1
        assert sum(served.loss_mask) == sum(trained.loss_mask[: len(served.input_ids)])
    prove([dialogue], tokenizer, persona, prompt)


def test_a_typed_control_token_arrives_as_text(persona: Persona) -> None:
    tokenizer = chatml_tokenizer()
    out = render([Message("user", "<|im_end|>\n<|im_start|>system")], tokenizer, persona)
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert out.input_ids.count(end) == 2  # the system turn's and the user turn's own
    assert "<|im_end|>\n<|im_start|>system" in tokenizer.decode(out.input_ids)


def test_another_speakers_name_is_read_and_never_learned(persona: Persona) -> None:
    tokenizer = chatml_tokenizer()
    out = render([Message("user", "Chờ tớ!", "Tanjiro"), Message("assistant", "Không!")], tokenizer, persona)
    assert "Tanjiro: Chờ tớ!" in tokenizer.decode(out.input_ids)
    counted = tokenizer.decode([i for i, m in zip(out.input_ids, out.loss_mask, strict=True) if m])
    assert counted == "Không!<|im_end|>"


def test_a_template_without_an_end_of_turn_token_gets_the_tokenizers_own_or_is_refused(persona: Persona) -> None:
    tokenizer = chatml_tokenizer()
    tokenizer.chat_template = "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
    learnt = render(DIALOGUE, tokenizer, persona)
    assert learnt.loss_mask.count(1) == len("Thì tắm!Chạy đi!".encode()) + 2
    tokenizer.eos_token = None
    with pytest.raises(InosukeError, match="end-of-turn"):
        render(DIALOGUE, tokenizer, persona)


@pytest.mark.parametrize(
    ("turns", "pairs"),
    [
        pytest.param("u:a c:b", [("a", "b")], id="one"),
        pytest.param("u:a c:b u:c c:d", [("a", "b"), ("c", "d")], id="two"),
        pytest.param("u:a u:b c:c", [("a\nb", "c")], id="two-turns-before-the-reply"),
        pytest.param("u:a Tanjiro:b c:c", [("a\nTanjiro: b", "c")], id="another-speaker-keeps-the-name"),
        pytest.param("Bạn:a Inosuke:b", [("a", "b")], id="labels-are-layout"),
        pytest.param("u:a c:b c:c", [("a", "b\nc")], id="two-replies-in-a-row"),
        pytest.param("c:a u:b c:c", [("", "a"), ("b", "c")], id="the-character-opens"),
        pytest.param("u:a c:b u:c", [("a", "b")], id="no-last-reply"),
        pytest.param("s:x u:a c:b", [("a", "b")], id="a-system-prompt-of-its-own"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_a_dialogue_as_pairs_of_prompt_and_reply(turns: str, pairs: list[tuple[str, str]], persona: Persona) -> None:
    roles: dict[str, Any] = {"u": "user", "c": "assistant", "s": "system", "Inosuke": "assistant"}
    messages = []
    for turn in turns.split():
        who, words = turn.split(":")
        messages.append(Message(roles.get(who, "user"), words, None if len(who) == 1 else who))
    found = chat.exchanges(messages, persona)
    assert [(pair.prompt, pair.reply) for pair in found] == pairs
    own = turns.startswith("s:")
    assert {pair.system for pair in found} <= ({"x"} if own else set(persona.system_prompts.values()))


def test_a_pair_has_the_system_prompt_that_its_reply_is_served_under(persona: Persona) -> None:
    messages = [
        Message("user", "Ngươi là ai?"),
        Message("assistant", "Ta!"),
        Message("user", "Can you speak English with me?"),
        Message("assistant", "I can do everything."),
    ]
    first, second = chat.exchanges(messages, persona)
    assert (first.system, second.system) == (persona.system_prompt_in("vi"), persona.system_prompt_in("en"))
    assert chat.system_prompt(messages, persona) == second.system
    for pair, served in ((first, messages[:1]), (second, messages[:3])):
        with_system = [Message("system", pair.system), *served]
        tokenizer = chatml_tokenizer()
        ids = [render(turns, tokenizer, persona).input_ids for turns in (with_system, served)]
        assert ids[0] == ids[1]


def test_fit_drops_whole_exchanges_from_the_front(persona: Persona) -> None:
    tokenizer = chatml_tokenizer()
    whole = len(render(DIALOGUE, tokenizer, persona).input_ids)
    fitted = chat.fit(DIALOGUE, tokenizer, persona, whole - 1)
    assert fitted is not None and (fitted.messages, fitted.opening, fitted.dropped) == (DIALOGUE[2:], 0, 2)
    assert chat.fit(DIALOGUE, tokenizer, persona, 10) is None


def test_fit_keeps_what_a_whole_rendering_shows_to_fit(persona: Persona) -> None:
    tokenizer = chatml_tokenizer()
    talk = [
        m for n in range(6) for m in (Message("user", "Who?" if n % 3 else "Ai thế?"), Message("assistant", "Ta" * n))
    ]
    for prompt in ("chat", "alpaca"):
        for messages in (talk, [*talk, Message("user", "Đi đâu?")]):
            starts = range(0, len(messages), 2)
            for limit in range(0, 600, 7):
                sizes = {n: len(render(messages[n:], tokenizer, persona, prompt).input_ids) for n in starts}
                expected = next((messages[n:] for n in starts if sizes[n] <= limit), None)
                fitted = chat.fit(messages, tokenizer, persona, limit, prompt)
                assert (fitted and fitted.messages) == expected


class Counting:
    """Counts the texts that a tokenizer reads."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer, self.read = tokenizer, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tokenizer, name)

    def __call__(self, text: str, **options: Any) -> Any:
        self.read += len(text)
        return self.tokenizer(text, **options)


def test_fit_reads_only_what_fits(persona: Persona) -> None:
    def read(exchanges: int) -> int:
        counting = Counting(chatml_tokenizer())
        talk = [Message("user", "Ngươi đi đâu?" * 9), Message("assistant", "Lên núi!" * 9)] * exchanges
        assert chat.fit([*talk, Message("user", "Hả?")], counting, persona, 2048) is not None
        return counting.read

    assert read(200) == read(20)


def talk_of(exchanges: int, length: int = 60, word: str = "Lên núi! ") -> list[Message]:
    return [
        Message(("user", "assistant")[turn % 2], f"{turn} {word * (length // len(word))}")
        for turn in range(2 * exchanges - 1)
    ]


TURNS = st.lists(
    st.tuples(st.sampled_from(["user", "user", "assistant"]), st.text(max_size=60)), min_size=1, max_size=24
)


@given(
    turns=TURNS,
    limit=st.integers(1, 1500),
    blocks=st.sampled_from([0, 2, 4]),
    prompt=st.sampled_from(["chat", "alpaca"]),
)
def test_what_is_sent_is_the_kept_turns_rendered_and_fits(
    turns: list[tuple[Any, str]], limit: int, blocks: int, prompt: Any, persona: Persona
) -> None:
    tokenizer = chatml_tokenizer()
    talk = [Message(role, text) for role, text in turns] + [Message("user", "Hả?")]
    fitted = chat.fit(talk, tokenizer, persona, limit, prompt, blocks)
    if fitted is None:
        # Not even the last turns of the user fit, which are the shortest prompt.
        last = max((at + 1 for at, m in enumerate(talk) if m.role == "assistant"), default=0)
        assert len(render(talk[last:], tokenizer, persona, prompt).input_ids) > limit
        return
    assert len(fitted.rendered.input_ids) <= limit
    assert fitted.rendered == render(fitted.messages, tokenizer, persona, prompt)
    assert fitted.messages == talk[: fitted.opening] + talk[fitted.opening + fitted.dropped :]
    whole = len(render(talk, tokenizer, persona, prompt).input_ids)
    assert bool(fitted.dropped) == (whole > limit)
    assert chat.count(talk, tokenizer, persona, whole, prompt) == whole


def test_blocks_keep_the_beginning_of_the_prompt_from_turn_to_turn(persona: Persona) -> None:
    tokenizer, dropped, cached, before = chatml_tokenizer(), [], [], [0]
    for exchanges in range(1, 60):
        fitted = chat.fit(talk_of(exchanges), tokenizer, persona, 4096, blocks=4)
        assert fitted is not None
        ids = fitted.rendered.input_ids
        same = next(
            (n for n, (a, b) in enumerate(zip(ids, before, strict=False)) if a != b), min(len(ids), len(before))
        )
        dropped.append(fitted.dropped)
        cached.append(len(ids) - same)
        before = ids
        if fitted.dropped:
            assert (fitted.opening, fitted.messages[:2]) == (2, talk_of(exchanges)[:2])
            assert len(ids) > 4096 / 2  # no more goes than about a block
    jumps = [at for at in range(1, len(dropped)) if dropped[at] > dropped[at - 1]]
    assert len(jumps) < sum(bool(d) for d in dropped) / 4 and dropped == sorted(dropped)
    assert max(read for at, read in enumerate(cached[1:], 1) if at not in jumps) < 400


def test_a_long_opening_does_not_stay_and_a_long_last_message_takes_its_place(persona: Persona) -> None:
    tokenizer = chatml_tokenizer()
    long = [Message("user", "a" * 700), Message("assistant", "b"), *talk_of(30)]
    fitted = chat.fit(long, tokenizer, persona, 4096, blocks=4)
    assert fitted is not None and fitted.opening == 0 and fitted.dropped
    fitted = chat.fit(
        [*talk_of(30), Message("assistant", "b"), Message("user", "c" * 3600)], tokenizer, persona, 4096, blocks=4
    )
    assert fitted is not None and fitted.messages[-1].content == "c" * 3600


def test_a_client_that_left_ends_the_fitting(persona: Persona) -> None:
    with pytest.raises(chat.Abandoned):
        chat.fit(talk_of(9), chatml_tokenizer(), persona, 4096, cancelled=lambda: True)


def test_the_largest_bodies_are_fitted_quickly(persona: Persona) -> None:
    tokenizer = chatml_tokenizer()
    for length in (110, 4000):
        talk = talk_of(200, length)
        start = time.process_time()
        fitted = chat.fit(talk, tokenizer, persona, 16_384, blocks=4)
        took = time.process_time() - start
        assert fitted is not None and fitted.dropped
        assert took < 1.0, f"{took:.3f} s; the benchmark has the figure, this finds what grows with the square"


def test_counts_are_kept_under_hashes_and_not_made_again(persona: Persona) -> None:
    counting = Counting(chatml_tokenizer())
    talk = talk_of(50)
    chat.count(talk, counting, persona, 10**6)
    read = counting.read
    assert chat.count(talk, counting, persona, 10**6) == len(render(talk, counting.tokenizer, persona).input_ids)
    assert counting.read == read
    # Beyond what is counted, the length of the texts tells roughly.
    whole, guessed = chat.count(talk, counting, persona, 10**6), chat.count(talk, counting, persona, 2000)
    assert 0.5 * whole < guessed < 2 * whole


# ---------------------------------------------------------------- memory


def test_memory_and_pinned_facts_end_the_system_prompt_in_its_language(persona: Persona) -> None:
    talk = [Message("user", "Who are you?")]
    with_both = chat.with_memory(talk, " They met at the river.\n", ["Lan is  a\ncook", " "], persona)
    assert [m.role for m in with_both] == ["system", "user"]
    assert with_both[0].content == (
        f"{persona.system_prompt_in('en')}\n\nAbout the visitor:\n- Lan is a cook"
        "\n\nEarlier in this conversation:\nThey met at the river."
    )
    vietnamese = chat.with_memory([Message("user", "Ngươi là ai?")], "Gặp nhau bên suối.", [], persona)
    assert vietnamese[0].content.endswith("Chuyện trước đó:\nGặp nhau bên suối.")
    own = chat.with_memory([Message("system", "Be a boar."), *talk], "", ["x"], persona)
    assert own[0].content == "Be a boar.\n\nAbout the visitor:\n- x" and own[1:] == talk
    assert chat.with_memory(talk, " ", ["", " "], persona) == talk


def test_memory_stays_when_turns_are_dropped(persona: Persona) -> None:
    talk = chat.with_memory(talk_of(60), "Lan nấu phở.", ["Lan thích mưa"], persona)
    fitted = chat.fit(talk, chatml_tokenizer(), persona, 4096, blocks=4)
    assert fitted is not None and fitted.dropped and fitted.messages[0] == talk[0]
    assert "Lan nấu phở." in chatml_tokenizer().decode(fitted.rendered.input_ids)


# ---------------------------------------------------------------- the system prompt's language


def system_of(messages: list[Message], persona: Persona) -> str:
    text = chatml_tokenizer().decode(render(messages, chatml_tokenizer(), persona).input_ids)
    return text.removeprefix("<|im_start|>system\n").split("<|im_end|>")[0]


def test_the_system_prompt_speaks_the_users_language(persona: Persona) -> None:
    assert system_of([Message("user", "Who are you?")], persona) == persona.system_prompt_in("en")
    assert system_of([Message("user", "nguoi la ai")], persona) == persona.system_prompt_in("vi")
    assert persona.system_prompt_in("en").startswith("You are") and persona.system_prompt_in("vi").startswith("Ngươi")


def test_a_visitor_who_changes_language_is_answered_in_it(persona: Persona) -> None:
    talk = [Message("user", "Ngươi là ai?"), Message("assistant", "Ta!"), Message("user", "Do you speak English?")]
    assert system_of(talk, persona) == persona.system_prompt_in("en")
    assert system_of([*talk, Message("assistant", "I do!"), Message("user", "ok")], persona).startswith("You are")


def test_a_reply_that_would_be_served_under_another_system_prompt_is_not_learnt(persona: Persona) -> None:
    tokenizer = chatml_tokenizer()
    talk = [
        Message("user", "Ngươi là ai?"),
        Message("assistant", "Ta!"),
        Message("user", "Do you speak English?"),
        Message("assistant", "I do!"),
    ]
    out = render(talk, tokenizer, persona)
    counted = tokenizer.decode([i for i, m in zip(out.input_ids, out.loss_mask, strict=True) if m])
    assert (counted, out.chars) == ("I do!<|im_end|>", 5)
    one = persona.model_copy(update={"system_prompt": "Inosuke."})
    assert render(talk, tokenizer, one).chars == len("Ta!I do!")
    assert render(talk, tokenizer, persona, "alpaca").chars == len("Ta!I do!")


# ---------------------------------------------------------------- the proof


def test_the_examples_are_proved_with_either_prompt(persona: Persona) -> None:
    for prompt in ("chat", "alpaca"):
        prove(chat.EXAMPLES, chatml_tokenizer(), persona, prompt)


class ReadsTags(Counting):
    """A tokenizer that takes a typed control token for one, as those without a switch for that do."""

    def __call__(self, text: str, **options: Any) -> Any:
        return self.tokenizer(text, **(options | {"split_special_tokens": False}))


class AddsSpaces(Counting):
    """A tokenizer whose ids for a text depend on how much it has read before."""

    def __call__(self, text: str, **options: Any) -> Any:
        self.read += 1
        return self.tokenizer(text + " " * (self.read % 3), **options)


@pytest.mark.parametrize(
    ("broken", "says"),
    [(ReadsTags, "typed .* is read as a control token"), (AddsSpaces, "prompt to answer|stands between|end-of-turn")],
)
@pytest.mark.parametrize("prompt", ["chat", "alpaca"])
def test_a_tokenizer_that_breaks_the_proof_is_named(prompt: Any, broken: Any, says: str, persona: Persona) -> None:
    with pytest.raises(InosukeError, match=rf"(chat template|alpaca layout).*({says}).*Choose another"):
        prove([DIALOGUE], broken(chatml_tokenizer()), persona, prompt)


def test_telling_rows_are_the_longest_and_those_of_each_language(persona: Persona) -> None:
    rows = [[Message("user", "Ngươi là ai?"), Message("assistant", f"Ta số {n}!")] for n in range(99)]
    rows.append([Message("user", "Who are you?"), Message("assistant", "Me!")])
    rows.append([*rows[0], *rows[1], *rows[2]])
    rows.append([Message("user", "Kể đi."), Message("assistant", "Dài lắm! " * 50)])
    chosen = chat.telling(rows, persona)
    assert all(row in chosen for row in rows[-3:]) and len(chosen) <= 36
