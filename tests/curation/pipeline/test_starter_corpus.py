"""The figures that docs/corpus.md gives for the starter corpus, measured on its files."""

from __future__ import annotations

import json
from collections import Counter
from functools import cache
from typing import Any

import pytest
from rapidfuzz import fuzz, process

from curation.checks import check_sample
from curation.export import variety
from curation.importers import read
from curation.importers.source.source_file import load
from curation.persona import load_persona
from curation.record import Sample
from curation.split.held_out import HeldOutSample, read_held_out_file
from tests.conftest import ROOT

SOURCES = ROOT / "datasets" / "sources"
PERSONA = load_persona(ROOT / "persona.toml")


@cache
def corpus() -> dict[str, list[Sample]]:
    """Return file name → samples."""
    files = sorted((SOURCES / "handwritten").glob("*.jsonl"))
    return {file.name: list(read(file, PERSONA).samples) for file in files}


@cache
def prompts() -> list[HeldOutSample]:
    found, bad = read_held_out_file(load(SOURCES / "eval" / "prompts.jsonl"), PERSONA)
    assert bad == []
    return found


@cache
def rows() -> list[dict[str, Any]]:
    return [
        {
            "id": s.id,
            "kind": s.kind,
            "language": name.split(".")[1],
            "messages": [{"role": m.role, "content": m.content} for m in s.messages],
        }
        for name, samples in corpus().items()
        for s in samples
    ]


def test_every_row_is_one_sample_without_a_flag() -> None:
    for name, samples in corpus().items():
        lines = (SOURCES / "handwritten" / name).read_text(encoding="utf-8").splitlines()
        assert len(samples) == len(lines), name
        assert [(s.id, f) for s in samples for f in (*s.flags, *check_sample(s, PERSONA))] == []
    ids = [row["id"] for row in rows()]
    assert len(set(ids)) == len(ids)


def test_there_is_enough_of_each_kind_and_of_both_languages() -> None:
    least = {"persona.vi": 100, "quotes.vi": 175, "conversations.vi": 880, "genericqa.vi": 45}
    least |= {"conversations_everyday.vi": 330, "conversations_everyday.en": 430}
    found = {name.removesuffix(".jsonl"): len(samples) for name, samples in corpus().items()}
    assert {name: n for name, n in least.items() if found[name] < n} == {}
    assert sum(n for name, n in found.items() if name.endswith(".vi")) >= 1_570
    assert sum(n for name, n in found.items() if name.endswith(".en")) >= 660
    by_language = {end: {n.split(".")[0] for n in found if n.endswith(end)} for end in (".vi", ".en")}
    assert by_language[".vi"] == by_language[".en"]


def test_a_quarter_of_the_conversations_are_multi_turn_of_two_to_four_exchanges() -> None:
    exchanges = Counter(len(s.replies) for s in corpus()["conversations.vi.jsonl"])
    assert set(exchanges) == {1, 2, 3, 4}
    assert abs((exchanges.total() - exchanges[1]) / exchanges.total() - 0.25) < 0.02


@pytest.mark.parametrize("language", ["vi", "en"])
def test_replies_have_a_readable_length_and_varied_openings(language: str) -> None:
    of_language = [row for row in rows() if row["language"] == language]
    for words in (1, 2):
        assert [o for o in variety.frequent_openings(of_language, words)[language] if o.over] == []
    said = [m["content"] for row in of_language for m in row["messages"] if m["role"] == "assistant"]
    assert 60 <= sum(map(len, said)) / len(said) <= 140
    assert max(map(len, said)) <= PERSONA.style.max_reply_chars


def test_no_two_samples_and_no_two_replies_are_nearly_the_same() -> None:
    assert variety.near_replies(rows(), 85) == []
    assert variety.near_samples(rows(), 85) == []


def test_none_of_the_120_held_out_prompts_is_near_a_row() -> None:
    tests = Counter(json.loads(line)["tests"] for line in _prompt_lines())
    assert len(prompts()) == 120 and set(tests.values()) == {15} and len(tests) == 8
    theirs = [m.content.lower() for p in prompts() for m in p.sample.messages]
    ours = [m["content"].lower() for row in rows() for m in row["messages"]]
    nearest = process.cdist(theirs, ours, scorer=fuzz.ratio, score_cutoff=80)
    assert not nearest.any()


def _prompt_lines() -> list[str]:
    return (SOURCES / "eval" / "prompts.jsonl").read_text(encoding="utf-8").splitlines()
