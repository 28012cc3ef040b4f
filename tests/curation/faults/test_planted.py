"""Faults planted into rows of the starter corpus, through `inosuke dataset`: found, held back, not exported.

Every kind comes in at least ten ways, in a Vietnamese and an English row each.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.export.exported_rows import SIDES, read_side
from curation.folders import Folders
from curation.review.queue import read_queue
from inosuke import cli
from tests.conftest import ROOT
from tests.curation.faults.planted import ADDRESS, NAMES, PLANTED, SOUND

Row = dict[str, str]
Project = Callable[..., Path]

HANDWRITTEN = ROOT / "datasets" / "sources" / "handwritten"
RECALL = 0.9


@cache
def sound() -> list[Row]:
    """Return rows of one exchange from the starter corpus, Vietnamese and English in turn."""
    found: list[list[Row]] = []
    for language in ("vi", "en"):
        lines = (HANDWRITTEN / f"conversations.{language}.jsonl").read_text(encoding="utf-8").splitlines()
        rows = [json.loads(line) for line in lines]
        single = [r for r in rows if not r["input"] and "\n" not in r["output"] and '"' not in r["output"]]
        found.append(single[:30])
    return [row for pair in zip(*found, strict=False) for row in pair]


def planted() -> Iterator[tuple[str, Row]]:
    """Yield (kind, row): each form of each kind, in a row of each language."""
    rows = sound()
    at = 0
    for kind, (_, forms) in PLANTED.items():
        for form in forms:
            for language in range(2):
                at += 1
                row = rows[(2 * at + language) % len(rows)]
                yield kind, {**row, "output": _plant(form, row, rows[(2 * at + 4 + language) % len(rows)])}


def _plant(form: str, row: Row, other: Row) -> str:
    prompt = row["instruction"].split(":", 1)[-1].strip()
    reply = row["output"]
    words = reply.split()
    return form.format(
        r=reply,
        r2=other["output"],
        p=prompt,
        P=prompt.upper(),
        half=" ".join(words[: len(words) // 2]).rstrip(",.!?…"),
        word=" ".join(words[:2]),
        long=max(re.split(r"[.!?…]", reply), key=len).strip() + "!",
    )


def built(project: Project, rows: list[Row], persona: str | None = None) -> tuple[dict[int, set[str]], set[int], Path]:
    """Build a trusted folder of rows; return codes of flags and rejections by row, exported rows, the root."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    root = project({"handwritten/conversations.jsonl": lines}, persona)
    run = CliRunner().invoke(cli, ["dataset", "--json", "--persona", str(root / "persona.toml")])
    assert run.exit_code == 0, run.output
    report: dict[str, Any] = json.loads(run.stdout)
    codes: dict[int, set[str]] = defaultdict(set)
    for item in read_queue(root / "datasets" / "build" / "samples.parquet"):
        for source in (item.sample.source, *item.merged):
            codes[int(source.locator.removeprefix("row "))] |= {flag.code for flag in item.sample.flags}
    for line in Folders(root).quarantine.read_text("utf-8").splitlines():
        rejected = json.loads(line)
        codes[int(rejected["source"]["locator"].removeprefix("row "))].add(rejected["reason"])
    folder = Path(report["path"])
    exported = {int(row["locator"].removeprefix("row ")) for side in SIDES for row in read_side(folder, "chat", side)}
    return codes, exported, root


def test_each_kind_is_planted_in_ten_ways_or_more() -> None:
    assert all(len(set(forms)) >= 10 for _, forms in PLANTED.values())


def test_planted_faults_are_named_wait_for_review_and_are_not_exported(project: Project) -> None:
    faulty = list(planted())
    rows = [*(row for _, row in faulty), *sound()]
    codes, exported, _ = built(project, rows)
    found: dict[str, list[bool]] = defaultdict(list)
    for number, (kind, _) in enumerate(faulty, 1):
        named = bool(codes[number] & set(PLANTED[kind][0]))
        found[kind].append(named)
        assert not (named and number in exported), rows[number - 1]
    recall = {kind: sum(hits) / len(hits) for kind, hits in found.items()}
    assert {kind: share for kind, share in recall.items() if share < RECALL} == {}
    # The sound rows between them are exported, all of them.
    assert exported >= set(range(len(faulty) + 1, len(rows) + 1))


def test_sound_lines_that_look_like_faults_carry_no_flag(project: Project) -> None:
    rows = [{"instruction": f"Hỏi: Câu thứ {n} là gì?", "input": "", "output": text} for n, text in enumerate(SOUND, 1)]
    codes, exported, _ = built(project, rows)
    faults = {code for wanted, _ in PLANTED.values() for code in wanted}
    assert {SOUND[n - 1]: codes[n] & faults for n in codes if codes[n] & faults} == {}
    assert exported == set(range(1, len(SOUND) + 1))


@pytest.mark.parametrize("name", ["conversations", "genericqa", "persona", "quotes"])
def test_the_starter_corpus_raises_no_flag_of_a_fault(name: str, project: Project) -> None:
    rows = [
        json.loads(line)
        for language in ("vi", "en")
        for line in (HANDWRITTEN / f"{name}.{language}.jsonl").read_text(encoding="utf-8").splitlines()[:60]
    ]
    codes, _, _ = built(project, rows)
    faults = {code for wanted, _ in PLANTED.values() for code in wanted} | {"name_spelling", "wrong_address"}
    assert {n: found & faults for n, found in codes.items() if found & faults} == {}


TABLE = '\n[address]\nself = ["ta"]\nuser = ["ngươi"]\nRengoku = ["ông ấy"]\nAoi = ["con bé"]\n'


def test_words_for_people_that_the_table_does_not_have_wait_for_review(project: Project) -> None:
    rows = [{"instruction": f"Hỏi: {prompt}", "input": "", "output": reply} for prompt, reply in ADDRESS]
    table = (ROOT / "persona.toml").read_text(encoding="utf-8") + TABLE
    codes, exported, _ = built(project, [*rows, *sound()], table)
    found = {n for n in range(1, len(rows) + 1) if "wrong_address" in codes[n]}
    assert len(found) >= RECALL * len(rows), [row["output"] for n, row in enumerate(rows, 1) if n not in found]
    assert not found & exported
    codes, _, _ = built(project, [*rows, *sound()])
    assert not any("wrong_address" in found for found in codes.values())  # no table, no check


def test_names_in_another_spelling_than_the_corpus_wait_for_review(project: Project) -> None:
    lines = [json.loads(line) for line in (HANDWRITTEN / "conversations.vi.jsonl").open(encoding="utf-8")]
    rows = [
        {"instruction": f"Hỏi: Lần {n}?", "input": "", "output": f"Ta gặp {x} rồi!"} for n, x in enumerate(NAMES, 1)
    ]
    codes, exported, _ = built(project, [*rows, *lines])
    found = {n for n in range(1, len(rows) + 1) if "name_spelling" in codes[n]}
    assert len(found) >= RECALL * len(rows), [NAMES[n - 1] for n in range(1, len(rows) + 1) if n not in found]
    assert not found & exported
    assert not any("name_spelling" in codes[n] for n in codes if n > len(rows))
