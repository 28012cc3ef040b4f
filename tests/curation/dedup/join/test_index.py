"""The index on disk: finds what a join finds, in any number of batches, and refuses what is damaged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz import fuzz

from curation.dedup import Index
from curation.dedup.join.packed import pack
from curation.errors import InosukeError

TEXTS = ["Ta là chúa tể núi rừng!", "Ngươi vỡ mật!", "", "lợn \ud83d rừng", "Ngươi vỡ mật!", "😀" * 300]


def near(old: list[str], new: list[str], threshold: float) -> list[tuple[int, int, float]]:
    scores = ((i, j, fuzz.ratio(a, b, score_cutoff=threshold)) for i, a in enumerate(old) for j, b in enumerate(new))
    return [(i, j, score) for i, j, score in scores if score > 0]


@given(st.lists(st.text(st.characters())))
def test_packed_texts_come_back(texts: list[str]) -> None:
    packed = pack(texts)
    assert [packed[k] for k in range(len(packed))] == texts


batches = st.lists(st.lists(st.text("abc\ud83d\ude00ờ", max_size=12), max_size=9), max_size=6)


@settings(max_examples=40)
@given(batches, st.lists(st.text("abc\ud83d\ude00ờ", max_size=12), min_size=1, max_size=9))
def test_any_batches_find_what_brute_force_finds(
    tmp_path_factory: pytest.TempPathFactory, added: list[list[str]], new: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("index") / "new"
    kept: list[str] = []
    for batch in added:
        numbers = Index(folder).add(batch)
        assert list(numbers) == list(range(len(kept), len(kept) + len(batch)))
        kept += batch
    index = Index(folder)
    assert [index[k] for k in range(len(index))] == kept
    assert index.near(new, 70).tolist() == near(kept, new, 70)


def test_small_segments_are_merged_so_that_many_additions_stay_few_files(tmp_path: Path) -> None:
    index = Index(tmp_path / "index")
    for k in range(40):
        index.add([f"câu {k}", f"dòng {k}"])
    assert len(index) == 80
    assert len(list((tmp_path / "index").glob("segment-*"))) <= 6
    assert index[41] == Index(tmp_path / "index")[41] == "dòng 20"


def test_adding_to_a_large_segment_does_not_write_it_again(tmp_path: Path) -> None:
    Index(tmp_path).add([f"câu {k}" for k in range(50)])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}
    Index(tmp_path).add(TEXTS)
    assert before.items() <= {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npy")}.items()


def test_an_index_opened_before_another_process_added_numbers_after_it(tmp_path: Path) -> None:
    first, second = Index(tmp_path), Index(tmp_path)
    first.add(["một", "hai"])
    assert second.add(["ba"]) == range(2, 3)
    assert [second[k] for k in range(3)] == ["một", "hai", "ba"]


def test_what_an_interrupted_run_left_is_removed_and_the_index_is_intact(tmp_path: Path) -> None:
    Index(tmp_path).add(["một"] * 9)
    (tmp_path / "segment-000007").mkdir()
    (tmp_path / "segment-000007" / "blob.npy").write_bytes(b"half")
    Index(tmp_path).add(["hai"])
    assert sorted(path.name for path in tmp_path.glob("segment-*")) == ["segment-000001", "segment-000002"]
    assert len(Index(tmp_path)) == 10


@pytest.mark.parametrize("name", ["blob", "ends", "order", "lengths", "coarse", "fine", "table", "groups"])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "pickle"])
def test_a_damaged_file_is_noticed_when_the_index_is_opened(tmp_path: Path, name: str, damage: str) -> None:
    Index(tmp_path).add(TEXTS)
    path = tmp_path / "segment-000001" / f"{name}.npy"
    data = path.read_bytes()
    if damage == "flip":
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif damage == "cut":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "remove":
        path.unlink()
    else:
        np.save(path, np.array([{"not": "an array"}], object), allow_pickle=True)
    with pytest.raises(InosukeError, match=rf"the index is damaged \(segment-000001/{name}.npy.*Delete the folder"):
        Index(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"format": 1}', '{"segments": []}', '{"format": 1, "segments": [7]}']
)
def test_a_damaged_list_of_segments_is_noticed(tmp_path: Path, content: str) -> None:
    (tmp_path / "index.json").write_text(content, encoding="utf-8")
    with pytest.raises(InosukeError, match="the index is damaged"):
        Index(tmp_path)


def test_an_index_of_another_version_is_refused(tmp_path: Path) -> None:
    Index(tmp_path).add(TEXTS)
    path = tmp_path / "index.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}), encoding="utf-8")
    with pytest.raises(InosukeError, match="format 99; this version reads format 1"):
        Index(tmp_path)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index").write_text("not a folder")
    with pytest.raises(InosukeError, match=r"cannot be (written|read)"):
        Index(tmp_path / "index").add(["một"])


def test_what_is_not_a_text_is_refused_and_nothing_is_added(tmp_path: Path) -> None:
    with pytest.raises(InosukeError, match="text 1 is None"):
        Index(tmp_path).add(["một", None])  # type: ignore[list-item]
    assert len(Index(tmp_path)) == 0
