"""The passport: what each figure measures, and that it is shown only where it orders known voices right."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from curation.contracts.rows import ExportedRow
from curation.persona import Persona
from curation.record import Message
from tests.conftest import ROOT
from train.evaluation import authorship, forced_choice, novelty, pronouns, scripted, voices
from train.evaluation.voices import Voice, Voices
from train.model.generate import replies
from train.model.load import end_ids, load_tokenizer

OWN = ("ta", "ngươi")


def voice(texts: list[str]) -> Voice:
    return Voice(texts, [str(i) for i in range(len(texts))])


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("Ta ĐẤM ngươi!", "_ đấm _"),
        ("Con tay to lắm.", "_ tay to lắm"),  # `ta` inside `tay` is not a pronoun
        ("You and I, mình đi.", "_ and _ _ đi"),
    ],
)
def test_pronouns_are_masked_whole(text: str, masked: str) -> None:
    assert pronouns.mask(text, OWN) == masked


@pytest.mark.parametrize(
    ("text", "share"),
    [("Ta húc ngươi!", 1.0), ("Tôi chào bạn.", 0.0), ("Ta chào bạn.", 0.5), ("Mưa rồi!", None)],
)
def test_the_share_of_pronouns_that_are_the_characters_own(text: str, share: float | None) -> None:
    assert pronouns.own_share(text, OWN, "vi") == share


def test_the_verifier_knows_an_author_by_more_than_pronouns() -> None:
    author = [f"{n} hừ, húc đổ núi số {n} cho coi" for n in range(120)]
    other = [f"vâng, việc số {n} xin được làm sau" for n in range(120)]
    base = [f"số {n} " * 6 for n in range(120)]
    judge = authorship.Verifier(author[:80], [other[:80], base[:80]])
    right = [judge.odds(author[80:]), judge.odds(other[80:]), judge.odds(base[80:])]
    assert min(right[0]) > 0 > max(right[1] + right[2])


def test_a_figure_is_shown_only_where_it_orders_known_voices_right() -> None:
    count = 80
    spoken = Voices(*(voice([str(i) for i in range(count)]) for _ in range(4)))
    high, low = [1.0 + i % 5 for i in range(count)], [-1.0 - i % 5 for i in range(count)]
    assert voices.prove(high, low, low, spoken).fault == ""
    assert "author over another speaker in 50% of pairs" in voices.prove(high, high, low, spoken).fault
    assert "author over the base in 0% of pairs" in voices.prove(high, low, [9.0] * count, spoken).fault
    few = Voices(*(voice(["x"] * 5) for _ in range(4)))
    assert "fewer than 20 texts" in voices.prove([1.0] * 5, [0.0] * 5, [0.0] * 5, few).fault


def test_a_figure_that_tells_halves_of_one_author_apart_is_not_shown() -> None:
    spoken = Voices(*(voice([str(i) for i in range(60)]) for _ in range(4)))
    first = [hashlib.sha256(g.encode()).digest()[0] % 2 == 0 for g in spoken.author.groups]
    values = [5.0 if half else 3.0 for half in first]
    assert "tells two halves" in voices.prove(values, [0.0] * 60, [0.0] * 60, spoken).fault


def test_lines_that_answer_the_character_are_taken_where_there_are_enough() -> None:
    asked, answered = Message("user", "Đói chưa?"), Message("user", "Ừ, đi ăn!")
    reply = Message("assistant", "Ta đói!")
    rows = [ExportedRow(id=str(i), kind="conversation", messages=(asked, reply, answered, reply)) for i in range(20)]
    ids = [row.id for row in rows]
    assert set(voices.lines_of_others(rows, ids, ()).texts) == {"Ừ, đi ăn!"}
    assert set(voices.lines_of_others(rows[:19], ids[:19], ()).texts) == {"Đói chưa?", "Ừ, đi ăn!"}
    assert set(voices.lines_of_others(rows[:19], ids[:19], ("Đói chưa?",)).texts) == {"Ừ, đi ăn!"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Ta là chúa tể rừng xanh này!", 6),
        ("hôm nay TA LÀ chúa!", 3),
        ("xanh rừng tể chúa là ta", 1),
        ("", 0),
        ("mưa gió", 0),
    ],
)
def test_the_longest_run_of_words_that_was_said_in_training(text: str, words: int) -> None:
    training = novelty.Training(["Ta là chúa tể rừng xanh!", "Ngươi đi đâu?"])
    assert training.longest_span(text) == words


def test_questions_have_ten_lines_of_like_length_and_none_twice() -> None:
    asked = [((Message("user", f"câu {i}"),), f"ta đáp câu số {i}", str(i)) for i in range(30)]
    others = [f"người hỏi câu {i}" for i in range(30)]
    found = forced_choice.questions(asked, others, 10)
    assert len(found) == 10
    for question in found:
        assert len(set(question.lines)) == forced_choice.LINES
        assert sum(line in others for line in question.lines) == forced_choice.BY_OTHERS
        assert question.lines[0].replace("ta đáp câu số", "câu") == question.prompt[0].content
    assert forced_choice.questions(asked[:4], others, 10) == []


@pytest.fixture(scope="module")
def tiny(tiny_base: Path) -> tuple[Any, Any]:
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny_base).eval(), load_tokenizer(str(tiny_base))


def test_a_dialogue_with_a_kept_cache_is_the_dialogue_that_is_rendered_anew(
    tiny: tuple[Any, Any], persona: Persona, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, tokenizer = tiny
    monkeypatch.setattr(scripted, "REPLY_TOKENS", 6)
    # A random model writes broken characters, which do not come back as the same tokens: it may write letters only.
    letters = set(tokenizer("abcdefghijklmnopqrstuvwxyz").input_ids)
    others = [i for i in range(len(tokenizer)) if i not in letters | {tokenizer.eos_token_id}]
    monkeypatch.setattr(model.generation_config, "suppress_tokens", others)
    said = [["Ngươi là ai?", "Đói chưa?", "Ngủ đi."], ["Mưa to quá, vào nhà đi thôi!", "Ừ.", "Hả?"]]
    talks = scripted.talk(model, tokenizer, persona, "chat", said)
    for turns, talk in zip(said, talks, strict=True):
        history: list[Message] = []
        for text, reply in zip(turns, talk, strict=True):
            history.append(Message("user", text))
            assert replies(model, tokenizer, persona, [history], max_new_tokens=6) == [reply]
            history.append(Message("assistant", reply.text))
    assert len({reply.text for talk in talks for reply in talk}) > 1


@pytest.mark.slow
def test_a_dialogue_stops_where_the_context_is_full(tiny: tuple[Any, Any], persona: Persona) -> None:
    model, tokenizer = tiny
    turns = scripted.scripts("vi", 1)
    talks = scripted.talk(model, tokenizer, persona, "chat", turns)
    assert 1 <= len(talks[0]) < len(turns[0])  # 2,048 tokens of a byte each


def test_scripts_are_forty_different_turns_in_another_order_each() -> None:
    for language in ("vi", "en"):
        first, second = scripted.scripts(language, 2)
        assert len(set(first)) == 40 and sorted(first) == sorted(second) and first != second
    assert scripted.scripts("ja", 2) == []
    assert (ROOT / "train/evaluation/scripts/vi.txt").is_file()


def test_forced_choice_scores_the_last_reply_alone(tiny: tuple[Any, Any], persona: Persona) -> None:
    model, tokenizer = tiny
    prompt = (Message("user", "Đói chưa?"), Message("assistant", "Ta no."), Message("user", "Mưa à?"))
    question = forced_choice.Question(prompt, tuple(f"Ta đáp {i}!" for i in range(forced_choice.LINES)), "g")
    (scores,) = forced_choice.score(model, tokenizer, persona, "chat", [question])
    import torch

    from curation import chat

    rendered = chat.render([*prompt, Message("assistant", "Ta đáp 0!")], tokenizer, persona)
    before = len(chat.render(prompt, tokenizer, persona).input_ids)
    with torch.no_grad():
        logits = model(torch.tensor([rendered.input_ids])).logits[0].log_softmax(-1)
    ends = set(end_ids(tokenizer))
    at = [i for i in range(before, len(rendered.input_ids)) if rendered.loss_mask[i]]
    nll = -sum(float(logits[i - 1, rendered.input_ids[i]]) for i in at if rendered.input_ids[i] not in ends)
    assert scores[0] == pytest.approx(nll / len("Ta đáp 0!"), rel=1e-4)
