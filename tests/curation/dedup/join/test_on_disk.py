"""Pairs by way of the disk are those of the in-memory join, for any tiles; a run that fails leaves nothing behind."""

from __future__ import annotations

import errno
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from curation.dedup import Local, similar_pairs
from curation.dedup.join import sorted_texts
from curation.dedup.join.on_disk import Written, write_similar_pairs
from curation.dedup.join.sorted_texts import sort_texts
from curation.errors import InosukeError, UsageError
from inosuke import cli
from tests.conftest import ROOT
from tests.curation.dedup.join.test_similar import families, lines, thresholds

Found = list[tuple[int, int, float]]


def read(path: Path) -> Found:
    table = pq.read_table(path)
    assert table.schema.names == ["i", "j", "score"]
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


@settings(max_examples=100)
@given(families(), thresholds, st.integers(1, 200), st.integers(1, 40))
@example([], 90, 1, 1)
@example([""], 90, 1, 1)
@example(["", "", ""], 90, 1, 1)
@example(["lợn \ud83d", "\ude00", "lợn \ud83d"], 60, 1, 2)
def test_tiles_of_any_size_give_the_pairs_of_the_join_in_memory(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str], threshold: float, rows: int, at_once: int
) -> None:
    path = tmp_path_factory.mktemp("pairs") / "pairs.parquet"
    expected = similar_pairs(texts, threshold).tolist()
    written = write_similar_pairs(iter(texts), path, threshold, Local(tile_rows=rows), at_once=at_once)
    assert read(path) == expected
    assert written == Written(len(texts), len(set(texts)), len(expected))
    assert [found.name for found in path.parent.iterdir()] == ["pairs.parquet"]


@pytest.mark.parametrize("rows", [1, 64, 100, None])
def test_many_blocks_and_parts_give_the_pairs_of_the_join_in_memory(tmp_path: Path, rows: int | None) -> None:
    texts = lines(1500, seed=5)
    written = write_similar_pairs(texts, tmp_path / "p.parquet", 80, Local(tile_rows=rows), at_once=200)
    assert read(tmp_path / "p.parquet") == similar_pairs(texts, 80).tolist()
    assert written.pairs > 900
    assert pq.ParquetFile(tmp_path / "p.parquet").num_row_groups > 3


def test_texts_that_are_read_and_counted_in_several_pieces_are_sorted_once(tmp_path: Path) -> None:
    texts = lines(700, seed=6)
    sorted_by_length = sort_texts(texts, tmp_path, at_once=64)
    side = sorted_by_length.side
    assert [side.texts[at] for at in sorted_by_length.number.tolist()] == texts
    assert side.signatures.lengths.tolist() == sorted(map(len, set(texts)))
    assert side.signatures.fine.sum(1).tolist() == side.signatures.lengths.tolist()


def test_equal_keys_of_unequal_texts_merge_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["ab", "cd", "ab", "ef", "cd", "ab", "abc", "cd"]
    monkeypatch.setattr(sorted_texts, "_key", lambda text: bytes(8))
    assert write_similar_pairs(texts, tmp_path / "p.parquet", 100).distinct == 4
    assert read(tmp_path / "p.parquet") == similar_pairs(texts, 100).tolist()


@pytest.mark.slow
def test_ray_gives_the_pairs_of_the_join_in_memory(tmp_path: Path) -> None:
    import ray

    from curation.dedup import Ray

    ray.init(
        num_cpus=2,
        _node_ip_address="127.0.0.1",
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": str(ROOT)}},
    )
    try:
        texts = [*lines(2500, seed=7), "\ud83d half", "\ud83d halb"]
        for rows, at_once in ((None, 4_000_000), (70, 900)):
            path = tmp_path / f"{rows}.parquet"
            write_similar_pairs(texts, path, 80, Ray(tile_rows=rows), at_once=at_once)
            assert read(path) == similar_pairs(texts, 80).tolist()

        @settings(max_examples=15, deadline=None)
        @given(families(), thresholds, st.integers(1, 200))
        def any_texts(texts: list[str], threshold: float, rows: int) -> None:
            path = tmp_path / "any.parquet"
            write_similar_pairs(texts, path, threshold, Ray(tile_rows=rows), at_once=7)
            assert read(path) == similar_pairs(texts, threshold).tolist()

        any_texts()
    finally:
        ray.shutdown()


# ---------------------------------------------------------------- what goes wrong


def failing(texts: list[str], error: BaseException) -> Iterator[str]:
    yield from texts
    raise error


@pytest.mark.parametrize(
    ("error", "raised"),
    [(KeyboardInterrupt(), KeyboardInterrupt), (OSError(errno.ENOSPC, "No space left on device"), InosukeError)],
)
def test_a_run_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: BaseException, raised: type[BaseException]
) -> None:
    path = tmp_path / "pairs.parquet"
    path.write_bytes(b"of an earlier run")
    with pytest.raises(raised):
        write_similar_pairs(failing(["một", "hai"], error), path)
    assert path.read_bytes() == b"of an earlier run"
    assert [found.name for found in tmp_path.iterdir()] == ["pairs.parquet"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_reported_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda _, mode="r": opened(Path("/dev/full"), mode, buffering=0))
    with pytest.raises(InosukeError, match=r"cannot be written \(No space left on device\).*Free some disk"):
        write_similar_pairs(["một"], tmp_path / "pairs.parquet")
    monkeypatch.undo()
    assert not list(tmp_path.iterdir())


def test_too_little_disk_is_told_before_signatures_or_pairs_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with pytest.raises(InosukeError, match=r"4,501,500 pairs need about 0\.1 GB on the disk of"):
        write_similar_pairs(["heo"] * 3001, tmp_path / "pairs.parquet")
    with pytest.raises(InosukeError, match=r"the signatures of 9,000 texts need about 0\.0 GB"):
        write_similar_pairs([str(k) for k in range(9000)], tmp_path / "pairs.parquet")
    assert not list(tmp_path.iterdir())


def test_what_is_not_a_text_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(InosukeError, match="text 1 is None"):
        write_similar_pairs(["một", None], tmp_path / "pairs.parquet")  # type: ignore[list-item]
    with pytest.raises(UsageError, match="the threshold is 5"):
        write_similar_pairs([], tmp_path / "pairs.parquet", 5)
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- the command

ROWS = ["Ta mạnh nhất!", "Ta  mạnh nhất !", "ta mạnh nhất!!", "Chém!", "Ngươi vỡ mật à?"]
SCORE = fuzz.ratio("ta mạnh nhất!", "ta mạnh nhất !")
EXPECTED = [(0, 1, SCORE), (0, 2, 100.0), (1, 2, SCORE)]


def write(path: Path, rows: list[str]) -> None:
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"text": rows, "n": range(len(rows))}), path)
    elif path.suffix == ".jsonl":
        path.write_text("\n\n".join(json.dumps({"text": row}) for row in rows), encoding="utf-8")
    else:
        path.write_text(json.dumps([{"text": row} for row in rows]), encoding="utf-8")


@pytest.mark.parametrize("name", ["rows.parquet", "rows.jsonl", "rows.json"])
def test_the_command_writes_the_pairs_of_a_file(tmp_path: Path, name: str) -> None:
    write(tmp_path / name, ROWS)
    pairs = tmp_path / "pairs.parquet"
    done = CliRunner().invoke(cli, ["dedup", str(tmp_path / name), "--field", "text", "--pairs", str(pairs)])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("5 rows, 4 of them distinct but for case, spaces and repeated marks\n3 pairs equal")
    assert read(pairs) == EXPECTED


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("rows.jsonl", b'{"text": "a"}\n{"text": 7}\n', "line 2 has no text in `text` (7 (int))"),
        ("rows.jsonl", b'{"text": "a"}\n{"other": "b"}\n', "no field `text` in line 2. It has other"),
        ("rows.jsonl", b'{"text": "a"}\n{"text": ', "line 2 cannot be read as JSONL"),
        ("rows.jsonl", b'["text"]\n', "line 1 is list; expected an object"),
        ("rows.jsonl", b'{"text": "\xff"}\n', "is not UTF-8"),
        ("rows.parquet", b"PAR1 or not", "cannot be read as Parquet"),
        ("rows.doc", b"", "cannot read `.doc` files"),
    ],
)
def test_a_file_that_cannot_be_compared_says_where_and_why(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    pairs = tmp_path / "pairs.parquet"
    done = CliRunner().invoke(cli, ["dedup", str(tmp_path / name), "--field", "text", "--pairs", str(pairs)])
    assert done.exit_code != 0
    assert message in (done.output if isinstance(done.exception, SystemExit) else str(done.exception))
    assert [found.name for found in tmp_path.iterdir()] == [name]


def test_a_parquet_file_without_the_column_or_with_an_empty_cell_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a", None]}), tmp_path / "rows.parquet")
    for field, message in (("output", "no field `output`. It has text"), ("text", "row 2 has no text in `text`")):
        arguments = ["dedup", str(tmp_path / "rows.parquet"), "--field", field, "--pairs", str(tmp_path / "p.parquet")]
        done = CliRunner().invoke(cli, arguments)
        assert message in (done.output if isinstance(done.exception, SystemExit) else str(done.exception))


def test_a_file_that_is_too_large_for_clusters_names_the_option_that_needs_less(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from types import SimpleNamespace

    import psutil

    write(tmp_path / "rows.jsonl", ["x" * 1000] * 30_000)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=100_000_000))
    done = CliRunner().invoke(cli, ["dedup", str(tmp_path / "rows.jsonl"), "--field", "text"])
    assert "--pairs PAIRS.parquet" in (done.output if isinstance(done.exception, SystemExit) else str(done.exception))


@pytest.mark.parametrize("option", ["--json", "--html", "--meaning", "--index=x", "-o=x"])
def test_pairs_exclude_other_outputs(tmp_path: Path, option: str) -> None:
    write(tmp_path / "rows.json", ROWS)
    done = CliRunner().invoke(cli, ["dedup", str(tmp_path / "rows.json"), "--pairs", str(tmp_path / "p"), option])
    said = done.output if isinstance(done.exception, SystemExit) else str(done.exception)
    assert "--pairs writes the pairs of a FILE and nothing else" in said
