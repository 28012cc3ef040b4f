"""Damaged files of programs and archives: only our exceptions, no hang, and records that later stages can take."""

import pytest

from tests.curation.importers.formats.data.files import FILES
from tests.curation.importers.test_damage import assert_damage_is_read_or_refused, assert_read_or_refused


@pytest.mark.parametrize("name", FILES)
def test_mutated_files(name: str) -> None:
    assert_damage_is_read_or_refused(name, FILES[name])


@pytest.mark.parametrize("name", FILES)
def test_wrong_suffixes(name: str) -> None:
    for suffix in (".json", ".jsonl", ".csv", ".srt", ".txt", ".zip", ".7z", ".rar", ".xlsx"):
        assert_read_or_refused(f"x{suffix}", FILES[name])
