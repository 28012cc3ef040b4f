"""Which rows of an export may be public."""

from __future__ import annotations

from typing import Any

import pytest

from curation.errors import UsageError
from curation.export.exported_rows import Rows
from curation.hub import rights


def row(id: str, of: str, source: str) -> Any:
    return {"id": id, "rights": of, "source": source}


CONTENT = [
    row("a", "own", "handwritten/a.jsonl"),
    row("b", "licensed", "handwritten/b.jsonl"),
    row("c", "private", "transcripts/ep1.srt"),
    row("d", "unknown", "transcripts/ep2.srt"),
    row("e", "private", "transcripts/ep2.srt"),
]
PROMPTS: list[Any] = [row("p", "own", "eval/p.jsonl"), row("q", "private", "eval/q.jsonl"), {"id": "old"}]
ROWS = Rows(
    chat={"train": CONTENT[:4], "eval": CONTENT[4:]},
    instruct={"train": CONTENT[:4], "eval": CONTENT[4:]},
    held_out=PROMPTS,
)


def ids(rows: Rows) -> list[list[str]]:
    return [[row["id"] for row in side] for sides in rows.configurations.values() for side in sides.values()]


def test_own_and_licensed_rows_are_public_and_the_others_are_counted() -> None:
    public, held = rights.public(ROWS)
    assert ids(public) == [["a", "b"], [], ["a", "b"], []]
    assert [prompt["id"] for prompt in public.held_out] == ["p"]
    assert held.ids == {"private": ["c", "e"], "unknown": ["d"]}
    assert dict(held.sources) == {"transcripts/ep1.srt": 1, "transcripts/ep2.srt": 2}
    assert held.counts == {"private": 2, "unknown": 1, "held_out_prompts": 2}


@pytest.mark.parametrize(
    ("name", "included"),
    [
        ("c", ["c"]),
        ("transcripts/ep2.srt", ["d", "e"]),
        ("transcripts", ["c", "d", "e"]),
        ("transcripts/", ["c", "d", "e"]),
    ],
)
def test_a_name_includes_a_sample_a_file_or_a_folder(name: str, included: list[str]) -> None:
    public, held = rights.public(ROWS, [name])
    assert sorted(row["id"] for row in public.samples) == ["a", "b", *included]
    assert dict(held.included) == {name.rstrip("/"): len(included)}


@pytest.mark.parametrize("name", ["x", "transcripts/ep", "handwritten"])
def test_a_name_that_includes_nothing_lists_the_sources_that_need_one(name: str) -> None:
    with pytest.raises(UsageError, match=rf"--include-private {name}: .* need a name: transcripts/ep1\.srt, trans"):
        rights.public(ROWS, [name])


def test_a_group_is_never_named_after_a_row_that_stays_private() -> None:
    near: list[Any] = [
        row("b", "private", "f") | {"group": "b"},
        row("d", "own", "f") | {"group": "b"},
        row("c", "own", "f") | {"group": "b"},
        row("e", "own", "f") | {"group": "e"},
    ]
    public, _ = rights.public(Rows(chat={"train": near}, instruct={"train": near}, held_out=[]))
    for side in (public.chat["train"], public.instruct["train"]):
        assert [(r["id"], r["group"]) for r in side] == [("d", "c"), ("c", "c"), ("e", "e")]
