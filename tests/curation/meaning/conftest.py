"""The real model, and texts that it reads."""

from __future__ import annotations

import pytest

from curation.meaning.encoder import E5

# Two lines that say the same in other words, and one that does not.
SAME = (
    "Ta không chiến đấu để thắng, ta chiến đấu để khẳng định rằng ta mạnh nhất!",
    "Ta không chiến đấu để thắng, ta chiến đấu để chứng minh rằng chẳng ai mạnh bằng ta!",
)
OTHER = "Hôm nay trời mưa, cơm nắm của ta ướt hết rồi."


@pytest.fixture(scope="session")
def encoder() -> E5:
    return E5()
