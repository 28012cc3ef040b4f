"""The small shared pieces: whole files and folders, word differences, lengths of time, pydantic's errors in words."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from curation import differences, files
from curation.console import duration
from curation.errors import explain


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    count: int = 0


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    inner: Inner = Inner()
    name: str


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "x", "nmae": 1}, "unknown key `nmae`. Known here: inner, name"),
        ({"name": "x", "inner": {"cuont": 1}}, "unknown key `inner.cuont`. Known here: count"),
        ({}, "the key `name` is missing. Add it."),
        ({"name": "x", "inner": {"count": "many"}}, "`inner.count` is 'many': Input should be a valid integer"),
    ],
)
def test_pydantic_errors_name_the_key_and_what_is_known(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as error:
        Outer.model_validate(given)
    assert explain(error.value, Outer).startswith(said)


def test_a_long_wrong_value_is_cut() -> None:
    with pytest.raises(ValidationError) as error:
        Outer.model_validate({"name": "x", "inner": {"count": "9" * 5000 + "x"}})
    assert len(explain(error.value, Outer)) < 250


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


def test_words_differ_word_by_word_and_kanji_by_kanji() -> None:
    assert differences.words("Ta là vua!", "Ta là chúa!") == [
        ("same", "Ta là "),
        ("old", "vua"),
        ("new", "chúa"),
        ("same", "!"),
    ]
    assert differences.words("猪突猛進", "猪突妄進") == [("same", "猪突"), ("old", "猛"), ("new", "妄"), ("same", "進")]


@given(st.text(), st.text())
def test_the_pieces_of_a_difference_give_back_both_texts(old: str, new: str) -> None:
    pieces = differences.words(old, new)
    assert "".join(t for side, t in pieces if side != "new") == old
    assert "".join(t for side, t in pieces if side != "old") == new


@pytest.mark.parametrize(("seconds", "said"), [(0, "0:00"), (123, "2:03"), (3723.4, "1:02:03"), (59.6, "1:00")])
def test_a_length_of_time(seconds: float, said: str) -> None:
    assert duration(seconds) == said
