"""The words and patterns of ``words.toml``, as the faults use them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

WORDS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


def patterns(*names: str) -> re.Pattern[str]:
    """Return the patterns of lists as one, in any case."""
    return re.compile("|".join(f"(?:{one})" for name in names for one in WORDS[name]), re.IGNORECASE)


@lru_cache(maxsize=1_000)
def whole(*words: str) -> re.Pattern[str]:
    """Return a pattern of words and phrases, in any case, that does not find them inside other words."""
    longest_first = sorted(words, key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)


def blanked(text: str, matches: Iterable[re.Match[str]]) -> str:
    """Return a text with what was matched replaced by spaces, at the same length."""
    for match in matches:
        text = text[: match.start()] + " " * (match.end() - match.start()) + text[match.end() :]
    return text
