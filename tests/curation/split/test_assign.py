"""What the split guarantees: no near pair across the border, the eval share in every stratum, stable sides."""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from curation.chat import from_alpaca
from curation.dedup import cluster
from curation.dedup.nearness import scene_of
from curation.dedup.wording import normal
from curation.errors import InosukeError, UsageError
from curation.persona import Persona
from curation.record import Kind, Message, Sample, Source, sample_id
from curation.split.assign import Split, split

TEMPLATE = "Nói một câu đậm chất Inosuke."


def sample(prompt: str, reply: str, kind: Kind = "conversation", language: str = "vi", scene: str = "") -> Sample:
    messages = (Message("user", prompt, "Bạn"), Message("assistant", reply))
    source = Source(
        path="f.srt", sha256="0" * 64, locator=f"{scene} · cue 1" if scene else "row 1", importer="srt", rights="own"
    )
    return Sample(
        id=sample_id(kind, messages), kind=kind, messages=messages, language=language, topic=None, source=source
    )


def word(number: int) -> str:
    """Return five letters that most other numbers do not share, so that no texts are near by accident."""
    return "".join(chr(0x4E00 + (number * 7919 + k * 104729) % 20000) for k in range(5))


def unlike(count: int, kind: Kind = "conversation", language: str = "vi", start: int = 0) -> list[Sample]:
    return [sample(word(2 * k), word(2 * k + 1), kind, language) for k in range(start, start + count)]


def crossings(
    samples: list[Sample], result: Split, threshold: float, templates: tuple[str, ...] = ()
) -> list[tuple[str, str, str]]:
    """Return every near pair across the border, by brute force. Of the code under test it uses only `normal`."""
    hidden = {normal(t) for t in templates}

    def near(xs: list[str], ys: list[str]) -> bool:
        return any(fuzz.ratio(f(x), f(y), score_cutoff=threshold) > 0 for x in xs for y in ys for f in (str, normal))

    found = []
    for a, b in combinations([s for s in samples if s.id in result.side], 2):
        if result.side[a.id] == result.side[b.id]:
            continue
        prompts = [
            [m.content for m in s.messages if m.role == "user" and normal(m.content) not in hidden] for s in (a, b)
        ]
        if near(list(a.replies), list(b.replies)):
            found.append(("reply", a.id, b.id))
        if near(*prompts):
            found.append(("prompt", a.id, b.id))
        if scene_of(a.source) and scene_of(a.source) == scene_of(b.source):
            found.append(("scene", a.id, b.id))
    return found


def leaks(result: Split) -> int:
    return sum(n for kinds in result.report["leakage"].values() for n in kinds.values())


def test_each_kind_and_language_gets_its_tenth() -> None:
    samples = [
        *unlike(200),
        *unlike(100, language="en", start=300),
        *unlike(57, "quote", start=500),
        *unlike(4, "persona", start=900),
    ]
    result = split(samples, 90)
    assert {(k, lang): row["eval"] for k, langs in result.report["counts"].items() for lang, row in langs.items()} == {
        ("conversation", "vi"): 20,
        ("conversation", "en"): 10,
        ("quote", "vi"): 6,  # 5.7
        ("persona", "vi"): 0,  # 0.4
    }
    assert Counter(result.side.values()) == {"train": 361 - 36, "eval": 36}
    assert (result.report["left_out"], result.report["cut"], result.report["short"]) == ([], [], [])
    json.dumps(result.report)


def test_the_same_samples_in_any_order_give_the_same_split() -> None:
    samples = [*unlike(80), *[sample(word(1), word(1000 + k)) for k in range(6)]]
    assert split(samples[::-1], 90).side == split(samples, 90).side


def test_samples_with_near_prompts_near_replies_or_one_scene_stay_together() -> None:
    prompts = [sample("Cậu nghĩ gì về Tanjiro?" + "!" * k, word(k)) for k in range(4)]
    replies = [sample(word(100 + k), "Ta là chúa tể núi rừng!" + "?" * k) for k in range(4)]
    scenes = [sample(word(200 + k), word(300 + k), scene="scene 4") for k in range(4)]
    elsewhere = [sample(word(400 + k), word(500 + k), scene=f"scene {10 + k}") for k in range(4)]
    for seed in range(30):  # other samples beside them, other hashes
        result = split([*prompts, *replies, *scenes, *elsewhere, *unlike(60, start=1000 + 100 * seed)], 80, 0.4)
        for group in (prompts, replies, scenes):
            assert len({result.side[s.id] for s in group}) == 1
        assert leaks(result) == 0


def test_each_sample_has_the_group_that_near_pairs_connect_it_to_whatever_the_order() -> None:
    near = [sample("Trời mưa to quá ngươi ơi", "a" * 20), sample("Trời mưa to quá ngươi ới", "b" * 20)]
    scene = [sample(word(900 + k), word(950 + k), scene="scene 1") for k in range(3)]
    samples = unlike(30) + near + scene
    result = split(samples, 90.0)
    by_group: dict[str, set[str]] = {}
    for key, group in result.group.items():
        by_group.setdefault(group, set()).add(key)
    assert {s.id for s in near} in by_group.values()
    assert {s.id for s in scene} in by_group.values()
    assert len(by_group) == 32
    assert all(group == min(members) for group, members in by_group.items())
    assert result.group.keys() == result.side.keys()
    assert split(samples[::-1], 90.0).group == result.group
    # A later build keeps the sides and finds the same groups, though nothing is left to assign.
    again = split(samples, 90.0, previous=result.side)
    assert again.group == result.group
    counted = result.report["groups"]
    assert counted["train"]["groups"] + counted["eval"]["groups"] == 32
    assert max(side["largest"] for side in counted.values()) == 3


def test_a_template_prompt_does_not_connect_samples() -> None:
    quotes = [sample(TEMPLATE, word(k), "quote") for k in range(40)]
    assert Counter(split(quotes, 90, 0.1, [TEMPLATE.upper()]).side.values()) == {"train": 36, "eval": 4}
    together = split(quotes, 90)
    assert set(together.side.values()) == {"train"}
    assert together.report["short"] == [["quote", "vi"]]


def test_one_large_group_of_similar_prompts_does_not_dominate_eval() -> None:
    knot = [sample("Cậu nghĩ gì về Tanjiro?", word(k)) for k in range(9)]
    for seed in range(20):
        result = split([*knot, *unlike(91, start=1000 + 200 * seed)], 90)
        assert {result.side[s.id] for s in knot} == {"train"}
        assert Counter(result.side.values())["eval"] == 10


def test_forms_with_and_without_label_or_capitals_count_as_near() -> None:
    a, b = sample("Cậu có dám không?", "TA CHẲNG SỢ AI HẾT!!!!!!!!!!!!"), sample("ai?", "Ta chẳng sợ ai hết!")
    assert fuzz.ratio(a.replies[0], b.replies[0]) < 90
    for seed in range(20):
        result = split([a, b, *unlike(30, start=100 * seed)], 90, 0.3)
        assert result.side[a.id] == result.side[b.id]


SAME_QUESTION = [
    ("Inosuke, Nezuko có hay giúp Tanjiro không?", "Nezuko có hay giúp Tanjiro không?"),
    ("Ngươi có sợ chết không?", "Cậu có sợ chết không?"),
    ("Ngươi thích ăn gì nhất?", "Bạn thích ăn gì nhất vậy ạ?"),
    ("Cậu có mún đi ko?", "Inosuke ơi, mày có muốn đi không?"),
    ("Trờiiiii ơi, cậu mệt khôôông?", "Trời ơi, ngươi mệt không"),
    ("Khi mưa cậu làm gì?", "Cậu làm gì khi mưa?"),
    ("Xin chào", "Xin chào Inosuke!"),
    ("Bác sỹ khoẻ không?", "Bác sĩ khỏe không?"),
    ("Hey Inosuke, are you hungry?", "are u hungry"),
]


@pytest.mark.parametrize(("one", "other"), SAME_QUESTION)
def test_one_question_to_whoever_and_however_spelt_is_on_one_side(one: str, other: str, persona: Persona) -> None:
    a, b = sample(one, word(1)), sample(other, word(2))
    for seed in range(12):
        result = split([a, b, *unlike(20, start=100 * (seed + 1))], 90, 0.4, names=persona.names)
        assert result.side[a.id] == result.side[b.id]
        assert leaks(result) == 0
    # An old row that evaluates stays; the training row that asks the same is left out from now on.
    later = split([a, b], 90, previous={a.id: "eval", b.id: "train"}, names=persona.names)
    assert later.side == {a.id: "eval"}
    assert [(row["id"], row["why"], row["by"]) for row in later.report["left_out"]] == [(b.id, "near eval", "prompt")]
    held = split([a], 90, held_out=[b], names=persona.names)
    assert [(row["why"], row["by"]) for row in held.report["left_out"]] == [("near held-out", "prompt")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tanjiro có hay giúp Nezuko không?", "Nezuko có hay giúp Tanjiro không?"),
        ("Cậu ấy mạnh không?", "Cậu mạnh không?"),
        ("Cậu vỡ mật?", "Cậu vỡ mặt?"),
        ("Cậu có sợ không?", "Cậu có ngủ không?"),
    ],
)
def test_other_questions_may_stand_on_both_sides(one: str, other: str, persona: Persona) -> None:
    a, b = sample(one, word(1)), sample(other, word(2))
    kept = split([a, b], 95, previous={a.id: "eval", b.id: "train"}, names=persona.names)
    assert kept.side == {a.id: "eval", b.id: "train"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Thử đụng tao!", "Đụng tao thử!"),
        ("Ta ko ngán ai hết!", "Ta không ngán ai hết"),
        (
            "Ta đói rồi! Mang hết cơm với thịt ra đây cho ta!",
            "Hừ, chậm quá. Mang hết cơm với thịt ra đây cho ta! Rồi ta sẽ kể cho nghe chuyện hang gấu.",
        ),
    ],
)
def test_replies_that_say_the_same_are_on_one_side(one: str, other: str) -> None:
    a, b = sample(word(1), one), sample(word(2), other)
    assert split([a, b], 90, previous={a.id: "eval", b.id: "train"}).side == {a.id: "eval"}


def test_a_template_prompt_is_one_in_any_spelling(persona: Persona) -> None:
    quotes = [sample("Nói một câu đậm chất Inosuke nhé!", word(k), "quote") for k in range(40)]
    sides = split(quotes, 90, 0.1, [TEMPLATE], names=persona.names).side
    assert Counter(sides.values()) == {"train": 36, "eval": 4}


def test_a_split_that_would_break_the_promise_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps keep the promise, so only a fault in one of them (here: it finds no links) can show the check."""
    monkeypatch.setattr("curation.dedup.nearness.Nearness.links", lambda *_: [])
    a, b = sample("Ngươi có sợ chết không?", word(1)), sample("Cậu có sợ chết không?", word(2))
    with pytest.raises(InosukeError, match=r"which have one prompt .* Nothing is exported"):
        split([a, b], 90, previous={a.id: "eval", b.id: "train"})


# ---------------------------------------------------------------- with an earlier split


def test_old_samples_keep_their_side_when_new_ones_come() -> None:
    samples = unlike(300)
    before = split(samples[:150], 90)
    after = split(samples, 90, previous=before.side)
    assert before.side.items() <= after.side.items()
    assert Counter(after.side.values()) == {"train": 270, "eval": 30}


def test_a_new_sample_goes_where_the_old_ones_near_it_are() -> None:
    old = unlike(40)
    before = split(old, 90)
    new = [sample(s.prompt, word(5000 + k)) for k, s in enumerate(old)]
    after = split([*old, *new], 90, previous=before.side)
    assert [after.side[n.id] for n in new] == [before.side[o.id] for o in old]


def test_a_new_sample_near_both_sides_is_left_out_and_its_group_trains() -> None:
    old = unlike(40)
    before = split(old, 90)
    train = next(s for s in old if before.side[s.id] == "train")
    evaluated = next(s for s in old if before.side[s.id] == "eval")
    bridge = sample(train.prompt, evaluated.replies[0])
    beside = sample(train.prompt, word(9000))
    after = split([bridge, beside, *old], 90, previous=before.side)
    assert before.side.items() <= after.side.items()
    assert bridge.id not in after.side
    assert after.side[beside.id] == "train"
    assert after.report["left_out"] == [
        {"id": bridge.id, "why": "near train and eval", "near": evaluated.id, "by": "reply", "score": 100.0}
    ]
    assert after.report["counts"]["conversation"]["vi"]["left_out"] == 1
    assert leaks(after) == 0


def test_an_old_training_sample_that_is_now_near_eval_is_left_out() -> None:
    a, b = sample("một", "Ta là chúa tể núi rừng!"), sample("hai ba bốn", "Ta là chúa tể núi rừng!!")
    result = split([a, b], 90, previous={a.id: "eval", b.id: "train"})
    assert result.side == {a.id: "eval"}
    assert [(row["id"], row["why"]) for row in result.report["left_out"]] == [(b.id, "near eval")]


def test_an_old_training_sample_that_is_now_in_a_scene_of_eval_is_left_out() -> None:
    a, b = sample("một", word(1), scene="s1"), sample("hai", word(2))
    moved = sample("hai", word(2), scene="s1")
    assert moved.id == b.id
    result = split([a, moved], 90, previous={a.id: "eval", b.id: "train"})
    assert result.side == {a.id: "eval"}
    assert result.report["left_out"] == [{"id": b.id, "why": "near eval", "near": a.id, "by": "scene", "score": 100.0}]


def test_an_earlier_split_may_name_missing_samples_but_not_unknown_sides() -> None:
    samples = unlike(10)
    assert "gone" not in split(samples, 90, previous={"gone": "eval"}).side
    with pytest.raises(InosukeError, match="'validation'; expected 'train' or 'eval'"):
        split(samples, 90, previous={samples[0].id: "validation"})


# ---------------------------------------------------------------- held-out prompts


def test_a_sample_near_a_held_out_prompt_or_its_reference_is_left_out() -> None:
    held_out = [sample("Ngươi thích ăn gì nhất?", "Thịt nướng cháy cạnh mới ngon!")]
    asks, answers = sample("Ngươi thích ăn gì nhất??", word(1)), sample(word(2), "Thịt nướng cháy cạnh mới ngon")
    samples = [asks, answers, *unlike(40, start=50)]
    result = split(samples, 90, held_out=held_out)
    assert samples[2].id in result.side
    assert {asks.id, answers.id}.isdisjoint(result.side)
    assert [(row["why"], row["near"], row["by"]) for row in result.report["left_out"]] == [
        ("near held-out", held_out[0].id, "prompt"),
        ("near held-out", held_out[0].id, "reply"),
    ]
    kept = split(samples, 90, held_out=held_out, previous={asks.id: "eval", answers.id: "train"})
    assert kept.side[asks.id] == "eval"
    assert answers.id not in kept.side


# ---------------------------------------------------------------- groups too large for eval


def chain(length: int) -> list[Sample]:
    """Return prompts of 20 letters, two of them new each time, so that each is near the next one only."""
    letters = [chr(0x5000 + k) for k in range(2 * length + 20)]
    return [sample("".join(letters[2 * k : 2 * k + 20]), word(3 * k + 1)) for k in range(length)]


def test_a_chain_too_large_for_eval_is_cut_and_reported() -> None:
    samples = chain(60)
    result = split(samples, 90)
    eval_side = Counter(result.side.values())["eval"]
    assert result.report["cut"] == [{"samples": 60, "eval": eval_side, "left_out": len(result.report["left_out"])}]
    assert 5 <= eval_side <= 6
    assert 1 <= len(result.report["left_out"]) <= 2
    assert {row["why"] for row in result.report["left_out"]} == {"at the cut of a large group"}
    assert (leaks(result), crossings(samples, result, 90)) == (0, [])


def test_samples_that_are_all_near_each_other_leave_eval_empty_and_the_report_shows_it() -> None:
    samples = [sample("Cậu nghĩ gì về Tanjiro?", word(k)) for k in range(50)]
    result = split(samples, 90)
    assert set(result.side.values()) == {"train"}
    assert len(result.side) == 50
    assert (result.report["cut"], result.report["short"]) == ([], [["conversation", "vi"]])


# ---------------------------------------------------------------- the guarantees, as properties

texts = st.text("abcd", min_size=3, max_size=7)
rows = st.lists(
    st.tuples(
        texts | st.just(TEMPLATE),
        texts,
        st.sampled_from(["conversation", "quote"]),
        st.sampled_from(["", "", "s1", "s2"]),
    ),
    max_size=30,
    unique_by=lambda row: row[:3],
)


@settings(max_examples=80)
@given(rows, rows, st.sampled_from([60, 75, 90]), st.sampled_from([0.1, 0.3]))
def test_no_near_pair_crosses_and_no_sample_moves_for_any_input(
    old: list[tuple[str, str, Kind, str]], new: list[tuple[str, str, Kind, str]], threshold: float, share: float
) -> None:
    first = [sample(p, r, k, scene=s) for p, r, k, s in old]
    # Old samples keep their words and their scene; new samples have other words.
    everything = list({s.id: s for s in [*(sample(p, r, k, scene=s) for p, r, k, s in new), *first]}.values())
    before = split(first, threshold, share, [TEMPLATE])
    after = split(everything, threshold, share, [TEMPLATE], previous=before.side)
    for samples, result in ((first, before), (everything, after)):
        assert crossings(samples, result, threshold, (TEMPLATE,)) == []
        assert leaks(result) == 0
        listed = [row["id"] for row in result.report["left_out"]]
        assert sorted([*result.side, *listed]) == sorted(s.id for s in samples)
        assert result == split(samples, threshold, share, [TEMPLATE], previous=before.side if result is after else None)
    assert before.side.items() <= after.side.items()


@pytest.mark.slow
def test_the_users_rows_split_ninety_to_ten_in_every_kind_without_a_leak(corpus: Path, persona: Persona) -> None:
    kinds: dict[str, Kind] = {
        "persona": "persona",
        "quotes": "quote",
        "conversations": "conversation",
        "genericqa": "generic_qa",
    }
    samples = [
        from_alpaca(row, kind, persona)
        for name, kind in kinds.items()
        for row in json.loads((corpus / f"{name}.json").read_text(encoding="utf-8"))
    ]
    templates = persona.dedup.template_prompts
    kept = list(cluster(samples, 90, templates).kept)
    result = split(kept, 90, 0.1, templates)
    for kind, languages in result.report["counts"].items():
        (row,) = languages.values()
        assert row["left_out"] == 0
        assert abs(row["eval"] - 0.1 * sum(row.values())) <= 1, kind
    assert leaks(result) == 0
    some = [kept[k] for k in np.random.default_rng(0).choice(len(kept), 300, replace=False)]
    assert {result.side[s.id] for s in some} == {"train", "eval"}
    assert crossings(some, result, 90, templates) == []


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5, float("nan")])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="expected a share between 0 and 1"):
        split(unlike(5), 90, share)


def test_a_threshold_out_of_range_is_refused() -> None:
    with pytest.raises(UsageError, match="from 50 to 100"):
        split(unlike(5), 20)


def test_two_samples_with_one_id_are_refused() -> None:
    (one,) = unlike(1)
    with pytest.raises(InosukeError, match=f"1 sample ids stand for several samples .{one.id}"):
        split([one, one], 90)


def test_no_samples_give_an_empty_split() -> None:
    result = split([], 90)
    assert (result.side, result.report["counts"], leaks(result)) == ({}, {}, 0)
