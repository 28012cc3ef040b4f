"""Vectors are kept on the disk by text: what was read once is never read again, and damage costs only time."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from curation.errors import InosukeError
from curation.meaning import vector_files
from curation.meaning.encoder import DIMENSIONS, E5
from curation.meaning.vectors import Vectors
from tests.curation.meaning.conftest import OTHER, SAME


class Counting:
    """An encoder that makes a vector of a text's hash, and counts what it reads."""

    name = "counting"

    def __init__(self) -> None:
        self.read: list[str] = []

    def passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.read += texts
        rows = [np.random.default_rng(list(vector_files.key_of(t))).standard_normal(DIMENSIONS) for t in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], np.float32)

    def query(self, text: str) -> NDArray[np.float32]:
        return self.passages([text])[0]


def opened(folder: Path | None, told: list[str] | None = None) -> tuple[Vectors, Counting]:
    encoder = Counting()
    return Vectors(encoder, folder, (told if told is not None else []).append), encoder


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.safetensors"))


def test_each_text_is_read_once_and_the_next_process_reads_none(tmp_path: Path) -> None:
    texts = ["một", "hai", "một", "ba"]
    vectors, encoder = opened(tmp_path)
    first = vectors.of(texts)
    assert encoder.read == ["một", "hai", "ba"]
    assert np.array_equal(first[0], first[2])
    again, silent = opened(tmp_path)
    assert np.array_equal(again.of(texts), first)
    assert silent.read == []
    before = {path: path.stat().st_mtime_ns for path in files(tmp_path)}
    assert opened(tmp_path)[0].of(["ba"]).shape == (1, DIMENSIONS)
    assert {path: path.stat().st_mtime_ns for path in files(tmp_path)} == before


def test_one_new_text_writes_one_small_file_and_reads_one_text(tmp_path: Path) -> None:
    opened(tmp_path)[0].of([f"câu {n}" for n in range(500)])
    big = files(tmp_path)
    vectors, encoder = opened(tmp_path)
    vectors.of(["câu 1", "câu mới"])
    assert encoder.read == ["câu mới"]
    (new,) = set(files(tmp_path)) - set(big)
    assert new.stat().st_size < 2_500


def test_many_small_files_become_one_and_nothing_is_lost(tmp_path: Path) -> None:
    texts = [f"câu {n}" for n in range(40)]
    for text in texts:
        opened(tmp_path)[0].of([text])
    assert len(files(tmp_path)) <= 18
    vectors, encoder = opened(tmp_path)
    assert np.array_equal(vectors.of(texts), Counting().passages(texts))
    assert encoder.read == []


def damage(path: Path, kind: str) -> None:
    data = bytearray(path.read_bytes())
    if kind == "empty":
        data = bytearray()
    elif kind == "cut":
        data = data[: len(data) // 2]
    elif kind == "one bit":
        data[-100] ^= 4
    elif kind == "a name":
        data[data.index(b"vectors")] ^= 1
    elif kind == "a header without end":
        data[:8] = b"\xff" * 8
    elif kind == "another file":
        data = bytearray(b"PK\x03\x04 not vectors")
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("kind", ["empty", "cut", "one bit", "a name", "a header without end", "another file"])
def test_a_damaged_file_is_reported_removed_and_made_again(tmp_path: Path, kind: str) -> None:
    opened(tmp_path)[0].of(["một", "hai"])
    opened(tmp_path)[0].of(["ba"])
    hurt = files(tmp_path)[0]
    damage(hurt, kind)
    told: list[str] = []
    vectors, encoder = opened(tmp_path, told)
    (message,) = told
    assert message.startswith(f"{hurt}: damaged (")
    assert "read by the model again" in message
    assert np.array_equal(vectors.of(["một", "hai", "ba"]), Counting().passages(["một", "hai", "ba"]))
    assert encoder.read in (["một", "hai"], ["ba"])
    assert opened(tmp_path, told)[1].read == []
    assert len(told) == 1


def test_any_changed_byte_gives_the_right_vector_or_a_message(tmp_path: Path) -> None:
    opened(tmp_path)[0].of(["một"])
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    right = Counting().passages(["một"])
    places = random.Random(1).sample(range(len(whole)), 60)
    for place in places:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        told: list[str] = []
        vectors, encoder = opened(tmp_path, told)
        assert np.array_equal(vectors.of(["một"]), right)
        assert bool(told) == bool(encoder.read)


def test_another_model_has_vectors_of_its_own(tmp_path: Path) -> None:
    opened(tmp_path)[0].of(["một"])
    other = Counting()
    other.name = "other"
    Vectors(other, tmp_path, print).of(["một"])
    assert other.read == ["một"]


def test_what_was_read_before_an_interruption_is_kept(tmp_path: Path) -> None:
    texts = [f"câu {n}" for n in range(1_500)]
    vectors, _ = opened(tmp_path)

    def stop(n: int) -> None:
        stop.seen += n  # type: ignore[attr-defined]
        if stop.seen > 1_200:  # type: ignore[attr-defined]
            raise KeyboardInterrupt

    stop.seen = 0  # type: ignore[attr-defined]
    with pytest.raises(KeyboardInterrupt):
        vectors.of(texts, step=stop)
    again, encoder = opened(tmp_path)
    again.of(texts)
    assert len(encoder.read) == 1_500 - 1_024


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_to_is_an_error_message(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(InosukeError, match="cannot be written"):
        opened(tmp_path / "inside")[0].of(["một"])


def test_a_file_in_the_folders_place_is_an_error_message(tmp_path: Path) -> None:
    (tmp_path / "vectors").write_text("no folder", encoding="utf-8")
    with pytest.raises(InosukeError, match="cannot be written"):
        opened(tmp_path / "vectors")[0].of(["một"])


def test_the_model_s_vectors_come_back_from_the_disk_to_the_last_bit(tmp_path: Path, encoder: E5) -> None:
    texts = [*SAME, OTHER]
    fresh = Vectors(encoder, tmp_path, print).of(texts)
    assert np.array_equal(Vectors(encoder, tmp_path, print).of(texts), fresh)
    assert np.array_equal(fresh, encoder.passages(texts))
