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


def test_the_budget_holds() -> None:
    rows = [row(str(n), str(n), words="x" * 300) for n in range(50)]
    assert 3 <= len(choose(rows, 600)) <= 5
    assert choose(rows, 0) == []
