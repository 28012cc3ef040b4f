"""`inosuke dedup FILE` on its own: every format, every output, and the error messages for bad input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from curation.commands.dedup import dedup
from curation.dedup.samples_file import read_samples
from curation.errors import InosukeError, UsageError

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
