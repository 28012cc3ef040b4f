"""The review queue survives the file, and a bad file is an error message."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from curation.errors import InosukeError
from curation.record import Flag
from curation.review.queue import QueueItem, read_queue, write_queue
from curation.review.teaching import Placed
from tests.tools.exports import SAMPLES


def test_items_come_back_as_they_were_written(tmp_path: Path) -> None:
    first, second = SAMPLES[0], replace(SAMPLES[1], language=None, topic="Mưa")
    items = [
        QueueItem(sample=replace(first, flags=(Flag("over_length", "500 characters"),)), cluster="c1"),
        QueueItem(sample=second, merged=(first.source, second.source), placed=Placed(3, "thin")),
    ]
    path = tmp_path / "samples.parquet"
    assert write_queue(items, path)
    assert read_queue(path) == items
    assert not write_queue(items, path), "the same items are the same bytes"


def test_an_empty_queue_can_be_read(tmp_path: Path) -> None:
    write_queue([], tmp_path / "samples.parquet")
    assert read_queue(tmp_path / "samples.parquet") == []


def test_a_missing_queue_and_a_damaged_one_are_error_messages(tmp_path: Path) -> None:
    path = tmp_path / "samples.parquet"
    with pytest.raises(InosukeError, match=r"no queue yet\. Run `inosuke dataset`"):
        read_queue(path)
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(InosukeError, match=r"not a review queue .*Run it again"):
        read_queue(path)
