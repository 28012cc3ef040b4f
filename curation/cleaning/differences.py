"""How one text becomes another, word by word, and which turns of two versions of a dialogue belong together."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import zip_longest
from typing import Literal

from curation.record import Message

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


def turn_pairs(old: Sequence[Message], new: Sequence[Message]) -> list[tuple[Message | None, Message | None]]:
    """Pair the turns of two versions of a dialogue; a turn without a partner stands beside None.

    Every turn occurs once, and each version's turns keep their order. Of all such pairings it is the one with the most
    equal turns, then with the most turns of one role whose texts are alike: Needleman and Wunsch (1970), the score of
    two texts being rapidfuzz's ratio. A turn that was only given another role pairs if its text is mostly the same.
    """
    if len(old) * len(new) > _MOST_PAIRS:
        return _by_position(old, new)
    gain = [[_alike(one, other, len(old) + len(new)) for other in new] for one in old]
    # best[i][j]: the score of the turns from i and j on.
    best = [[0.0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in range(len(old) - 1, -1, -1):
        for j in range(len(new) - 1, -1, -1):
            together = gain[i][j] + best[i + 1][j + 1] if gain[i][j] else 0.0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], together)
    pairs: list[tuple[Message | None, Message | None]] = []
    i = j = 0
    while i < len(old) or j < len(new):
        both = i < len(old) and j < len(new)
        if both and gain[i][j] and best[i][j] == gain[i][j] + best[i + 1][j + 1]:
            pairs.append((old[i], new[j]))
            i, j = i + 1, j + 1
        elif i < len(old) and (not both or best[i][j] == best[i + 1][j]):
            pairs.append((old[i], None))
            i += 1
        else:
            pairs.append((None, new[j]))
            j += 1
    return pairs


# More pairs of turns than this take too long to compare while an annotator waits.
_MOST_PAIRS = 40_000
_MOSTLY = 60.0


def _alike(one: Message, other: Message, turns: int) -> float:
    """Return what pairing two turns is worth; 0 where they cannot be one turn."""
    from rapidfuzz import fuzz

    if one.content == other.content and one.role == other.role:
        return 3.0 * turns + (one.name == other.name)  # more than any number of pairs that are merely alike
    score = fuzz.ratio(one.content, other.content)
    if one.role == other.role:
        return 1 + score / 100
    return score / 100 if score >= _MOSTLY else 0.0


def _by_position(old: Sequence[Message], new: Sequence[Message]) -> list[tuple[Message | None, Message | None]]:
    """Pair equal turns; of the turns between them, those that have one role and one place."""
    from rapidfuzz.distance import Indel

    pairs: list[tuple[Message | None, Message | None]] = []
    gone: list[Message] = []
    come: list[Message] = []

    def flush() -> None:
        for one, other in zip_longest(gone, come):
            if one and other and one.role != other.role:
                pairs.extend([(one, None), (None, other)])
            else:
                pairs.append((one, other))
        gone.clear()
        come.clear()

    for op in Indel.opcodes([(m.role, m.content) for m in old], [(m.role, m.content) for m in new]):
        before, after = old[op.src_start : op.src_end], new[op.dest_start : op.dest_end]
        if op.tag == "equal":
            flush()
            pairs += zip(before, after, strict=True)
        else:
            gone += before
            come += after
    flush()
    return pairs
