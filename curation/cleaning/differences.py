"""How one text becomes another, word by word."""

from __future__ import annotations

import re
from typing import Literal

Side = Literal["same", "old", "new"]

# A kanji or kana is a word of its own.
_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|(?:(?![\u3040-\u30ff\u3400-\u9fff])\w)+|\s+|[^\w\s]")


def words(old: str, new: str) -> list[tuple[Side, str]]:
    """Return pieces: ``same`` stands in both texts, ``old`` and ``new`` in one of them.

    Joining ``same`` and ``old`` gives ``old``, joining ``same`` and ``new`` gives ``new``. Between two ``same`` pieces
    there is at most one of each, the old one first. Uses rapidfuzz's Indel (the longest common subsequence of words).
    """
    from rapidfuzz.distance import Indel

    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    pieces: list[tuple[Side, str]] = []
    gone = come = ""
    for op in Indel.opcodes(before, after):
        left, right = "".join(before[op.src_start : op.src_end]), "".join(after[op.dest_start : op.dest_end])
        if op.tag == "equal":
            pieces += [("old", gone), ("new", come), ("same", left)]
            gone = come = ""
        else:  # Indel knows deletions and insertions alone
            gone, come = gone + left, come + right
    pieces += [("old", gone), ("new", come)]
    return [(side, text) for side, text in pieces if text]
