"""Examples of a card: one of each cluster, kinds in turn, within a budget."""

from __future__ import annotations

from curation.character_cards.writing import choose
from curation.contracts.rows import ExportedRow
from curation.record import Message


def row(name: str, group: str, kind: str = "quote", words: str = "Ha!") -> ExportedRow:
    """Return an approved row."""
    return ExportedRow(id=name, kind=kind, messages=(Message("user", "Hm?"), Message("assistant", words)), group=group)


def test_one_of_each_cluster_and_kinds_in_turn() -> None:
    rows = [row("a", "1"), row("b", "1"), row("c", "2"), row("d", "3", "conversation"), row("e", "4", words="x" * 9999)]
    assert [r.id for r in choose(rows, 1000)] == ["d", "a", "c"]


def test_quotes_that_share_a_prompt_are_one_cluster_and_still_varied() -> None:
    words = ["I am the king of the hill!", "I am the king of the hill!!", "Where is my breakfast?", "Run, all of you."]
    rows = [row(str(n), "same", words=said) for n, said in enumerate(words)]
    assert sorted(r.messages[-1].content for r in choose(rows, 1000)) == [words[0], words[3], words[2]]
    assert [r.id for r in choose(rows, 1000, taken=rows[:1])] == ["3", "2"], "shortest of a cluster first"


def test_the_budget_holds() -> None:
    rows = [row(str(n), str(n), words="x" * 300) for n in range(50)]
    assert 3 <= len(choose(rows, 600)) <= 5
    assert choose(rows, 0) == []
