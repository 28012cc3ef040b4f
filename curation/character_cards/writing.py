"""A persona and its approved lines → a card. Fields that no one edited stay as the kept card has them."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rapidfuzz import fuzz

from curation.character_cards.containers import Card
from curation.character_cards.drafting import draft
from curation.contracts.rows import ExportedRow
from curation.lorebook import decorators
from curation.persona import Persona

TOKENS = 600
_GREETINGS = 4  # the first message and three others, where the persona has none
_NEAR = 75.0  # of 100: lines of one cluster that are so alike say the same
_CHARS_A_TOKEN = 3  # Vietnamese is denser in tokens than English; a card knows no tokenizer
_TEXTS = [
    "name",
    "description",
    "personality",
    "scenario",
    "first_mes",
    "mes_example",
    "creator_notes",
    "system_prompt",
    "post_history_instructions",
    "creator",
    "character_version",
]


def card_of(
    persona: Persona, kept: Card | None, rows: Sequence[ExportedRow], about: dict[str, str], version: int, budget: int
) -> dict[str, Any]:
    """Return the card's object in V2 or V3, with examples from the approved ``rows`` within ``budget`` tokens."""
    old = copy.deepcopy(kept.value) if kept else {}
    value: dict[str, Any] = old if kept and kept.version > 1 else {"data": old}
    if kept is None or kept.version != version:
        spec = {"spec": f"chara_card_v{version}", "spec_version": f"{version}.0"}
        value = spec | value | spec  # first in the file, and this version's
        _convert_book(value["data"].get("character_book"), version)
    data: dict[str, Any] = value["data"]
    for key in _TEXTS:
        data.setdefault(key, "")
    for key in ("alternate_greetings", "tags", *(["group_only_greetings"] if version == 3 else [])):
        data.setdefault(key, [])
    data.setdefault("extensions", {})
    _edited(data, persona, kept)
    said: list[ExportedRow] = []
    if not (data["first_mes"] or data["alternate_greetings"]):
        said = greetings_of(rows, persona.languages[0], budget // 4)
        data["first_mes"], data["alternate_greetings"] = (
            said[0].messages[-1].content if said else "",
            [row.messages[-1].content for row in said[1:]],
        )
        budget -= sum(map(_tokens, said))
    if examples := choose(rows, budget, said):
        data["mes_example"] = "\n".join(map(_block, examples))
    if about and isinstance(data["extensions"], dict):
        data["extensions"]["inosuke"] = {**_mapping(data["extensions"].get("inosuke")), **about}
    return value


def _convert_book(book: Any, version: int) -> None:
    """Give a book's entries, in place, what the version wants: V3 has `use_regex`, V2 no decorators."""
    entries = book.get("entries") if isinstance(book, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict):
            continue
        if version == 3:
            entry.setdefault("use_regex", False)
        elif isinstance(content := entry.get("content"), str) and content.startswith("@@"):
            entry["content"] = decorators.split(content)[0]


def is_edited(persona: Persona, kept: Card) -> bool:
    """Return whether the persona says anything else than the draft of its card."""
    data = copy.deepcopy(kept.fields)
    _edited(data, persona, kept)
    return data != kept.fields


def _edited(data: dict[str, Any], persona: Persona, kept: Card | None) -> None:
    language = persona.languages[0]
    before = draft(kept, language) if kept else None
    if before is None or persona.name != before.name:
        data["name"] = persona.name
    if before is None or persona.system_prompt_in(language) != before.system_prompt:
        data["system_prompt"] = persona.system_prompt_in(language)
    said = [text for code in persona.languages for text in persona.greetings.get(code, ())]
    drafted = before.greetings if before else ()
    if said and said != [text for _, text in drafted]:
        as_written = {resolved: text for text, resolved in drafted}  # an unchanged greeting keeps its macros
        data["first_mes"], *data["alternate_greetings"] = [as_written.get(text, text) for text in said]


def greetings_of(rows: Iterable[ExportedRow], language: str, budget: int) -> list[ExportedRow]:
    """Return rows whose replies can open a conversation: lines that stand alone, one of each cluster.

    They are in a language, or in any where there is none in that one.
    """
    quotes = [row for row in rows if row.kind == "quote"]
    spoken = [row for row in quotes if row.language in (language, None)]
    return choose(spoken or quotes, budget)[:_GREETINGS]


def choose(rows: Iterable[ExportedRow], budget: int, taken: Sequence[ExportedRow] = ()) -> list[ExportedRow]:
    """Return dialogues within a budget: kinds and languages in turn, of each cluster one before another of the same.

    Rows that share a prompt are in one cluster, so that quotes may all be in one: a further row of a cluster counts
    where its reply is not near one that is chosen already, or ``taken``.
    """
    ranks: Counter[str] = Counter()
    shelves: dict[tuple[str, str], list[tuple[int, str, ExportedRow]]] = {}
    for row in sorted(rows, key=lambda row: (_tokens(row), row.id)):  # of each cluster the shortest is the first
        if row.messages and row.messages[-1].role == "assistant":
            # Ids are hashes: an even draw, the same each time.
            shelves.setdefault((row.kind, row.language or ""), []).append((min(ranks[row.group], 1), row.id, row))
            ranks[row.group] += 1
    turns = [
        iter([row for _, _, row in sorted(shelf, key=lambda one: one[:2])]) for _, shelf in sorted(shelves.items())
    ]
    chosen: list[ExportedRow] = []
    while turns:
        for shelf in list(turns):
            found = next((row for row in shelf if not _near(row, (*taken, *chosen))), None)
            if found is None:
                turns.remove(shelf)
            elif (cost := _tokens(found)) <= budget:
                chosen.append(found)
                budget -= cost
    return chosen


def _near(row: ExportedRow, others: Iterable[ExportedRow]) -> bool:
    """Return whether a reply is nearly one of these in the same cluster."""
    words = row.messages[-1].content.casefold()
    return any(
        other.group == row.group and fuzz.ratio(words, other.messages[-1].content.casefold()) >= _NEAR
        for other in others
    )


def _tokens(row: ExportedRow) -> int:
    return len(_block(row)) // _CHARS_A_TOKEN + 1


def _block(row: ExportedRow) -> str:
    who = {"assistant": "{{char}}", "user": "{{user}}"}
    turns = [f"{who[m.role]}: {m.content}" for m in row.messages if m.role in who]
    return "\n".join(["<START>", *turns])


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
