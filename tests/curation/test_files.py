"""Files and folders that appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation import files


def test_a_whole_file_replaces_the_old_one_or_leaves_it(tmp_path: Path) -> None:
    final = tmp_path / "model.gguf"
    with files.whole_file(final) as part:
        part.write_bytes(b"one")
    with pytest.raises(ZeroDivisionError), files.whole_file(final) as part:
        part.write_bytes(b"two")
        raise ZeroDivisionError
    assert final.read_bytes() == b"one"
    assert list(tmp_path.iterdir()) == [final]


def test_a_whole_folder_appears_at_the_end_or_not_at_all(tmp_path: Path) -> None:
    final = tmp_path / "version"
    with files.whole_folder(final) as part:
        (part / "rows").write_bytes(b"")
        assert not final.exists()
    assert (final / "rows").is_file()
    with pytest.raises(OSError), files.whole_folder(final) as part:
        (part / "other").write_bytes(b"")
    with pytest.raises(ZeroDivisionError), files.whole_folder(tmp_path / "second"):
        raise ZeroDivisionError
    assert [p.name for p in tmp_path.rglob("*")] == ["version", "rows"]


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    (tmp_path / f"{files.PARTIAL}x").mkdir()
    (tmp_path / "kept").mkdir()
    files.remove_partial(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]
