"""Pairwise choices: which pairs there are, blind votes at the desk, and the rows for preference training."""

from __future__ import annotations

import json
from pathlib import Path

from annotations.store.queries import Filters
from annotations.store.review_store import ReviewStore
from annotations.team.choices import pairs_of, vote, votes, waiting, withdraw
from curation.record import Message
from curation.review.choices import Pair, make_pair, preferences
from tests.annotations.conftest import Clock, make_item
from tests.annotations.team.conftest import Project
from tests.annotations.ui.desk_page import open_desk, page, press, sign_in

ASK = "Ngươi sợ gì nhất?"
ITEMS = [
    make_item(1),
    make_item(2, prompt=ASK, reply="Ta không sợ gì hết!"),
    make_item(3, prompt=ASK, reply="Tôi sợ ma lắm ạ."),
    make_item(4, prompt="Ăn gì?", reply="Tôi không biết."),
]


def judged(store: ReviewStore) -> list[Pair]:
    store.queue.load(ITEMS)
    one, two, three, four = (item.sample for item in ITEMS)
    better = (*one.messages[:-1], Message("assistant", "Một ngọn thôi! Ta húc đổ nó rồi!"))
    store.decide(one.id, "An", "rewrite", revision=0, messages=better)
    store.decide(two.id, "An", "approve", revision=0)
    store.decide(three.id, "An", "reject", revision=0, reason="wrong_voice")
    store.decide(four.id, "An", "reject", revision=0, reason="wrong_voice")
    return pairs_of(store)


def test_a_rewrite_and_its_original_and_two_replies_to_one_prompt_are_pairs(store: ReviewStore) -> None:
    found = [({p.a_from: p.a, p.b_from: p.b}, p.prompt[0].content) for p in judged(store)]
    assert found == [
        (
            {"approved": "Một ngọn thôi! Ta húc đổ nó rồi!", "imported": "Ta leo 1 ngọn rồi! Ngọn nào cũng thua ta!"},
            "Ngươi đã leo mấy ngọn núi rồi, lần thứ 1?",
        ),
        ({"approved": "Ta không sợ gì hết!", "rejected": "Tôi sợ ma lắm ạ."}, ASK),
    ]


def test_the_samples_of_a_run_are_pairs_too(store: ReviewStore, tmp_path: Path) -> None:
    store.queue.load(ITEMS)
    run = tmp_path / "models" / "one"
    run.mkdir(parents=True)
    shown = {"prompt": "Chào!", "base": {"text": "Xin chào.", "ended": True}, "adapter": {"text": "Ta đây!"}}
    same = {"prompt": "Hả?", "base": {"text": "Hả?"}, "adapter": {"text": "Hả?"}}
    metrics = {"base_model": {"name": "x", "path": "x"}, "samples": [shown, same, {"other": "shape"}]}
    (run / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    (run.parent / "latest").write_text("one\n", encoding="utf-8")
    assert [{p.a_from, p.b_from} for p in pairs_of(store, run.parent)] == [{"base", "adapter"}]
    assert pairs_of(store, tmp_path / "nothing") == []


def test_votes_are_counted_once_a_person_and_can_be_withdrawn(store: ReviewStore, clock: Clock) -> None:
    first, second = judged(store)
    vote(store, first, "An", "a")
    clock.now += 1
    vote(store, first, "An", "b")
    vote(store, first, "Bình", "b")
    vote(store, second, "An", "none")
    assert len(votes(store)) == 3
    assert waiting([first, second], votes(store), "An") == []
    assert waiting([first, second], votes(store), "Bình") == [second]
    rows = preferences(votes(store))
    assert [(row["id"], row["votes"]) for row in rows] == [(first.id, {"chosen": 2, "rejected": 0, "none": 0})]
    assert rows[0]["chosen"] == [{"role": "assistant", "content": first.b}]
    withdraw(store, "Bình")
    assert waiting([first], votes(store), "Bình") == [first]


def test_the_order_on_the_screen_is_a_fair_coin_and_stays() -> None:
    made = [make_pair([Message("user", str(n))], (f"x{n}", "base"), (f"y{n}", "adapter")) for n in range(400)]
    pairs = [pair for pair in made if pair is not None]
    swapped = [pair.swapped_for("An") for pair in pairs]
    assert 150 < sum(swapped) < 250
    assert swapped == [pair.swapped_for("An") for pair in pairs]
    assert swapped != [pair.swapped_for("Bình") for pair in pairs]


def test_by_the_desk_and_the_command(project: Project) -> None:
    project.write("lines", [(ASK, "Ta không sợ gì hết!"), (ASK, "Tôi sợ ma lắm ạ.")])
    project.run("dataset")
    sign_in("An")
    store = project.store()
    for item in store.queue.listing("An", Filters(), 2):
        verdict = "approve" if item.messages[-1].content.startswith("Ta") else "reject"
        store.decide(item.id, "An", verdict, revision=0, reason="wrong_voice" if verdict == "reject" else "")
    (pair,) = pairs_of(store)
    store.close()
    app = open_desk("An", view="choices")
    shown = page(app)
    assert "Which one sounds more like Inosuke?" in [title.value for title in app.subheader]
    assert "1 pairs left" in shown
    assert "approved" not in shown and "rejected" not in shown
    good = "The first" if pair.swapped_for("An") == (pair.b_from == "approved") else "The second"
    assert "No pair waits for you." in page(press(app, good))
    file = project.root / "pairs.jsonl"
    told = project.run("review", "choices", "--pairs", str(file))
    assert told["votes"] == {"An": 1} and told["preferred"] == {"approved over rejected": 1}
    (row,) = map(json.loads, file.read_text(encoding="utf-8").splitlines())
    assert (row["prompt"][-1]["content"], row["chosen"][0]["content"]) == (ASK, "Ta không sợ gì hết!")
    kept = (project.root / "datasets" / "choices.jsonl").read_text(encoding="utf-8")
    assert json.loads(kept)["annotator"] == "An", "the votes are in git beside the log"
