"""Reasons of the persona's own: named in persona.toml, shown after the fixed ones, counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from annotations.store.review_store import ReviewStore
from annotations.words import explain_reason, reasons
from curation.codes import REASONS
from curation.errors import UsageError
from curation.persona import Persona, load_persona

PERSONA = 'name = "Inosuke"\nlanguages = ["vi"]\nsystem_prompt = "Ngươi là Inosuke."\n'
MODERN = '{ vi = "Có thứ của thời nay", en = "Holds something of our time" }'


def persona(root: Path, table: str) -> Persona:
    (root / "persona.toml").write_text(f"{PERSONA}[review.reasons]\n{table}\n", encoding="utf-8")
    return load_persona(root / "persona.toml")


def test_they_come_after_the_fixed_ones_in_both_languages(tmp_path: Path) -> None:
    own = persona(tmp_path, f"too_modern = {MODERN}")
    for language, words in (("vi", "Có thứ của thời nay"), ("en", "Holds something of our time")):
        assert list(reasons(own, language)) == [*REASONS, "too_modern"]
        assert reasons(own, language)["too_modern"] == words
        assert explain_reason("too_modern; quá hiền", language, own) == f"{words}; quá hiền"


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (f"harmful = {MODERN}", "`harmful` is a fixed reason"),
        ('too_modern = { vi = "Có thứ của thời nay" }', "en"),
        ('too_modern = { vi = "", en = "x" }', "vi"),
        (f'"a; b" = {MODERN}', "pattern|match"),
        (f'"Viết hoa" = {MODERN}', "pattern|match"),
        ('too_modern = "x"', "too_modern"),
    ],
)
def test_a_table_that_cannot_be_used_is_refused(tmp_path: Path, table: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        persona(tmp_path, table)


def test_rejections_are_counted_by_reason(store: ReviewStore, item) -> None:
    queue = [item(i) for i in range(4)]
    store.queue.load(queue)
    given = ("too_modern", "too_modern", "no_sense; too_modern; quá hiền", "")
    for one, reason in zip(queue, given, strict=True):
        store.decide(one.sample.id, "an", "reject", revision=0, reason=reason)
    assert store.statistics.by_reason() == {"too_modern": 3, "no_sense": 1, "quá hiền": 1, "": 1}


def test_a_rejection_that_was_undone_is_not_counted(store: ReviewStore, item) -> None:
    store.queue.load([item(0)])
    store.decide(item(0).sample.id, "an", "reject", revision=0, reason="no_sense")
    store.undo("an")
    assert store.statistics.by_reason() == {}
