"""Replies that loop are found, and no reply that an author wrote is taken for one."""

from __future__ import annotations

import json

import pytest

from curation.repeats import find_loop
from tests.conftest import ROOT

# The replies of a run that had seen too little, cut off at the token limit.
STUCK = [
    ("Thế nào để có thến để có thến để có thến …", "để có thến"),
    ("Thật lòng có thật lòng có thật lòng …", "có thật lòng"),
    ("Ta thì cái để đồng thì cái để đồng …", "thì cái để đồng"),
]


@pytest.mark.parametrize(("text", "what"), STUCK)
def test_a_reply_that_was_cut_off_while_it_repeated_itself_loops(text: str, what: str) -> None:
    assert sorted((find_loop(text, ended=False) or "").split()) == sorted(what.split())


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("Ta là vua núi! Ta là vua núi! Ta là vua núi!", "ta là vua núi"),
        ("đi " * 9, "đi"),
        ("Ha" * 20 + "!", "ha"),
        ("🐗" * 40, "🐗"),
        ("a" * 200, "a"),
        ("私は山の王だ!" * 6, "私は山の王だ!"),
        ("I will eat every rice ball on the table before you do! " * 3, None),
        ("".join(f"Ta là vua của {x}! " for x in ["rừng", "suối", "đồi", "đá", "mây", "gió", "cây"]), "ta là"),
    ],
)
def test_a_reply_that_ended_may_loop_too(text: str, what: str | None) -> None:
    found = find_loop(text, ended=True)
    assert found is not None
    assert what is None or found == what


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hahahaha!",
        "HÁ HÁ HÁ! Đủ to chưa, hay làm rơi thêm ngói nữa?",
        "Xông lên! Xông lên! Xông lên!",
        "Không, không, không, không!",
        "Aaaaaaa! Nó cắn ta!",
        "Một trăm! Một trăm lẻ một! Một trăm lẻ hai! Mệt chưa?",
        "Nóng thì mồ hôi chảy, mồ hôi chảy thì trơn, trơn thì né nhanh!",
        "!!!???",
    ],
)
def test_a_shout_and_a_laugh_are_not_loops(text: str) -> None:
    assert find_loop(text, ended=True) is None


def test_the_end_counts_only_where_the_reply_was_cut_off() -> None:
    text = "Đi trên gai nghe như đi trên rơm, đi trên rơm nghe như đi trên mây"
    assert find_loop(text, ended=False) is None
    twice = "Ta đã bảo rồi: tránh ra cho ta húc, tránh ra cho ta húc"
    assert find_loop(twice, ended=True) is None
    assert find_loop(twice, ended=False) == "tránh ra cho ta húc"
    assert find_loop(f"{twice} mạnh hơn nữa, nghe chưa", ended=False) is None


def test_no_line_of_the_starter_corpus_is_taken_for_a_loop() -> None:
    rows = [
        json.loads(line)
        for file in sorted((ROOT / "datasets" / "sources").glob("*/*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    texts = [row[key] for row in rows for key in ("output", "reference") if row.get(key)]
    assert len(texts) > 1400
    # A corpus line may end anywhere, so it must not look like a cut-off one either.
    assert [t for t in texts if find_loop(t, ended=True) or find_loop(t, ended=False)] == []
