"""Languages through `inosuke dataset`: files as a user has them, and what the queue and the export then say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from curation.chat import from_alpaca
from curation.folders import Folders
from curation.persona import load_persona
from curation.review.decisions import read_log
from curation.review.queue import read_queue
from inosuke import cli

Project = Callable[..., Path]
CASES = Path(__file__).parent / "language_cases"

CODES = ("language", "no_diacritics", "chat_spelling")


def built(project: Project, *files: Path, corpus: Path | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Build a corpus; return the report, and by the character's words its language and its flags of this kind."""
    root = project({})
    folder = corpus or root / "mine"
    folder.mkdir(exist_ok=True)
    for file in files:
        (folder / file.name).write_bytes(file.read_bytes())
    run = CliRunner().invoke(
        cli, ["dataset", "--json", "--corpus", str(folder), "--persona", str(root / "persona.toml")]
    )
    assert run.exit_code == 0, run.output
    samples = [item.sample for item in read_queue(Folders(root).queue)]
    seen = {
        " / ".join(s.replies): (s.language, [f"{f.code}: {f.detail}" for f in s.flags if f.code in CODES])
        for s in samples
    }
    return json.loads(run.stdout), seen


def codes(found: tuple[str, list[str]]) -> tuple[str, list[str]]:
    return found[0], [detail.partition(":")[0] for detail in found[1]]


def test_short_lines_in_other_scripts_wait_and_the_english_ones_are_exported(project: Project) -> None:
    report, seen = built(project, *sorted((CASES / "other_scripts").iterdir()))
    assert report["languages"] == {"en": 6, "ja": 6, "ko": 1, "zh": 1}
    assert report["flagged"] == {"language": 8}
    assert (report["approved"], report["awaiting_review"]) == (6, 8)
    assert sum(report["exported"].values()) == 6
    rows = [
        json.loads(line)
        for p in Path(report["path"]).glob("jsonl/chat.*")
        for line in p.read_text("utf-8").split("\n")
        if line
    ]
    assert {row["language"] for row in rows} == {"en"}
    assert seen["너 누구야!"] == ("ko", ["language: looks like `ko` (written in Hangul, 100%); expected vi or en"])
    assert "language:\n- en\n" in (Path(report["path"]) / "README.md").read_text("utf-8")


def test_more_short_lines_in_other_scripts(project: Project) -> None:
    _, seen = built(project, CASES / "more_short_lines_in_other_scripts.json")
    first, *others = seen.values()
    assert first == ("vi", [])
    assert [codes(one) for one in others] == [(code, ["language"]) for code in ("ru", "ar", "th", "he", "de")]
    assert "by its words" in seen["Ich bin der Stärkste!"][1][0]


def test_vietnamese_without_diacritics_waits_as_vietnamese(project: Project) -> None:
    report, seen = built(project, CASES / "vietnamese_without_diacritics.json")
    first, *others = seen.values()
    assert first == ("vi", [])
    assert len(others) == 8 and {language for language, _ in others} == {"vi"}
    assert all(codes(one)[1] == ["no_diacritics"] for one in others)
    assert (report["approved"], report["awaiting_review"], report["languages"]) == (1, 8, {"vi": 9})


def test_cries_and_names_take_the_files_language(project: Project) -> None:
    report, seen = built(project, CASES / "cries_and_names.json")
    assert {language for language, _ in seen.values()} == {"vi"}
    *others, last = seen.values()
    assert all(flags == [] for _, flags in others)
    assert last[1] == ["chat_spelling: Ko, t, vl, m, j, đc"]
    # `vl` in the last one is vulgar, so that one waits.
    assert report["flagged"].get("language", 0) == 0 and report["approved"] == 6


def test_words_are_spelled_in_one_way_and_neither_ids_nor_sources_change(project: Project) -> None:
    """A verdict that was made on the text before it was respelled stays with its sample."""
    root = project({})
    folder = root / "mine"
    folder.mkdir()
    said = {
        "Ngươi khoẻ không? ‘Hoà’ đi...": "Ngươi khỏe không? 'Hòa' đi…",
        "Tа là vuа, ＡＢＣ！": "Ta là vua, ABC!",
        "Quý hoá quá, già rồi mà quỳ gì!": "Quý hóa quá, già rồi mà quỳ gì!",
        "Ta ăn hết cả núi cơm này!": "Ta ăn hết cả núi cơm này!",
    }
    rows = [{"instruction": f"Hỏi: Sao {n} thế?", "input": "", "output": text} for n, text in enumerate(said)]
    source = folder / "conversations.json"
    source.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    before = source.read_bytes()
    report, seen = built(project, corpus=folder)
    assert sorted(seen) == sorted(said.values())
    assert report["approved"] == 4 and report["flagged"] == {}
    assert source.read_bytes() == before
    exported = "".join(p.read_text("utf-8") for p in Path(report["path"]).glob("jsonl/*"))
    assert "khỏe không? 'Hòa' đi…" in exported and "khoẻ" not in exported
    log = {decision.sample_id for decision in read_log(Folders(root).log).decisions}
    persona = load_persona(root / "persona.toml")
    assert log == {from_alpaca(row, "conversation", persona).id for row in rows}
    kept = {s.replies[0]: [f.detail for f in s.flags] for s in (i.sample for i in read_queue(Folders(root).queue))}
    assert kept["Ta ăn hết cả núi cơm này!"] == []
    assert kept["Quý hóa quá, già rồi mà quỳ gì!"] == ["hoá → hóa ×1"]


def test_import_shows_the_flags_before_a_build(project: Project) -> None:
    root = project({"mine/a.srt": "1\n00:00:01,000 --> 00:00:02,000\nInosuke: 誰だお前？\n"})
    file = CASES / "vietnamese_without_diacritics.json"
    arguments = ["import", "--json", "--persona", str(root / "persona.toml"), "--show"]
    shown = json.loads(CliRunner().invoke(cli, [*arguments, "samples", str(file)]).stdout)["files"][0]["shown_samples"]
    assert [sample["flags"] for sample in shown] == [[], *[["no_diacritics"]] * 8]
    subtitles = root / "datasets" / "sources" / "mine" / "a.srt"
    lines = json.loads(CliRunner().invoke(cli, [*arguments, "lines", str(subtitles)]).stdout)["files"][0]["lines"]
    assert [(line["speaker"], line["flags"]) for line in lines] == [("Inosuke", ["language"])]
