"""Lines of which some say the same in other words, and a desk's index of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from annotations.meaning.index import MeaningIndex
from annotations.store.review_store import ReviewStore
from curation.review.queue import QueueItem
from tests.annotations.conftest import make_item

PROMPT = "Ngươi chiến đấu để làm gì?"
LINES = (
    "Ta không chiến đấu để thắng, ta chiến đấu để khẳng định rằng ta mạnh nhất!",
    "Ta không chiến đấu để thắng, ta chiến đấu để chứng minh rằng chẳng ai mạnh bằng ta!",
    "Hôm nay trời mưa, cơm nắm của ta ướt hết rồi.",
    "Đói quá! Có gì ăn không?",
)
ITEMS: list[QueueItem] = [make_item(n, prompt=PROMPT, reply=reply) for n, reply in enumerate(LINES[:2])]
ITEMS += [make_item(n, prompt=f"Câu hỏi {n}?", reply=reply) for n, reply in enumerate(LINES[2:], 2)]
# A quote with the words of the first dialogue: dedup does not compare the two kinds.
ITEMS.append(make_item(9, kind="quote", prompt="Nói một câu.", reply=LINES[0]))


@pytest.fixture
def index(store: ReviewStore, tmp_path: Path) -> Callable[[], MeaningIndex]:
    store.queue.load(ITEMS, stamp="1")
    return lambda: MeaningIndex(store, tmp_path / "vectors", ())
