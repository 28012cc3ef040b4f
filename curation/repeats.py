"""Which next tokens would continue a sequence that a reply already holds, and how much that costs them. Pure.

This is the DRY penalty ("Don't Repeat Yourself", p-e-w, text-generation-webui pull request 5677), with the constants
that llama.cpp uses too. Unlike a repetition penalty it leaves single words alone, so a reply may use the words of the
question as often as it likes; only a sequence that comes again is held back, the more the longer it is.
"""

from __future__ import annotations

from collections.abc import Sequence

BASE = 1.75
ALLOWED = 2  # a sequence of fewer tokens may come again freely
RANGE = 256  # tokens looked back


def repeat_penalties(reply: Sequence[int], multiplier: float) -> dict[int, float]:
    """Return what to subtract from the scores of next tokens: ``multiplier * BASE ** (n - ALLOWED)``.

    ``n`` is the length of the longest sequence at the end of ``reply`` that stands earlier in it, followed by that
    token. Tokens for which it is shorter than ``ALLOWED`` are left out.
    """
    if not multiplier:
        return {}
    tail = list(reply[-RANGE:])
    longest: dict[int, int] = {}
    for place in range(ALLOWED, len(tail)):
        length = 0
        while length < place and tail[place - 1 - length] == tail[-1 - length]:
            length += 1
        if length >= ALLOWED:
            longest[tail[place]] = max(length, longest.get(tail[place], 0))
    return {token: multiplier * BASE ** min(length - ALLOWED, 50) for token, length in longest.items()}
