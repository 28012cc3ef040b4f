"""Keys and values of several conversations at once, one row each: the cache that transformers' models read and write.

A row keeps what it read when its answer is over, so a conversation that goes on, and every new one that opens with the
same system prompt, only computes the tokens that differ. Rows that a forward works on stand together at the top, so
that the model sees them as they lie in memory, without a copy for each token. Knows nothing of text or of answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count as counter
from typing import Any

import torch
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin

# Rows begin this wide and double when a conversation needs more: a short talk should not pay for a long one.
FIRST_WIDTH = 256


@dataclass(slots=True)
class _Row:
    ids: list[int] = field(default_factory=list)
    used: int = 0


@dataclass(slots=True)
class _Window:
    """What the running forward works on: rows from ``first``, written from ``starts`` on, read up to ``end``."""

    first: int
    starts: list[int]
    end: int
    rows: torch.Tensor
    cells: torch.Tensor


class Rows(Cache):  # type: ignore[misc]
    """At most ``slots`` rows, and never more than ``pool`` tokens in all of them together. Not thread-safe."""

    def __init__(self, layers: int, slots: int, pool: int, longest: int) -> None:
        self._slots, self._pool, self._longest = slots, pool, longest
        self.width = min(FIRST_WIDTH, longest)
        self.window: _Window | None = None
        self._rows = [_Row() for _ in range(min(slots, pool // self.width))]
        self._clock = counter(1)
        self._parts = [_Layer(self) for _ in range(layers)]
        super().__init__(layers=[*self._parts])

    @property
    def count(self) -> int:
        """How many rows there are now."""
        return len(self._rows)

    def length(self, row: int) -> int:
        """Return how many tokens a row holds."""
        return len(self._rows[row].ids)

    def arrange(self, rows: int, width: int) -> bool:
        """See that the first ``rows`` rows are there and hold ``width`` tokens each; False where memory forbids it."""
        if rows <= len(self._rows) and width <= self.width:
            return True
        wide = FIRST_WIDTH
        while wide < width:
            wide *= 2
        wide = min(wide, self._longest)
        there = min(self._slots, self._pool // wide)
        if rows > there or width > wide:
            return False
        self._reshape(there, wide)
        return True

    def place(self, row: int, ids: Sequence[int]) -> int:
        """Make ``row`` the row of a new prompt; it and those below it are free. Returns how many ids it holds already.

        The last id is never among them: its scores are what the caller wants.
        """
        shared = [min(_common_prefix(r.ids, ids), len(ids) - 1) for r in self._rows]
        best = max(range(len(self._rows)), key=shared.__getitem__)

        def cost(free: int) -> tuple[bool, int]:
            """Take the row that goes on with these ids, or else the one that nobody has wanted for longest."""
            loses = shared[free] < len(self._rows[free].ids)
            return loses, self._rows[free].used if loses else -shared[free]

        chosen = min(range(row, len(self._rows)), key=cost)
        if shared[best] > shared[chosen]:
            self._copy(best, chosen, shared[best])
        known = max(shared[best], shared[chosen])
        self._rows[chosen].ids = list(ids[:known])
        self._rows[chosen].used = next(self._clock)
        self.swap(row, chosen)
        return known

    def cut(self, row: int) -> None:
        """Let a row be read again from its beginning."""
        self._rows[row].ids = []

    @torch.inference_mode()
    def swap(self, a: int, b: int) -> None:
        """Let two rows change places."""
        if a == b:
            return
        cells = max(self.length(a), self.length(b))
        for tensor in self._tensors():
            kept = tensor[a, :, :cells].clone()
            tensor[a, :, :cells] = tensor[b, :, :cells]
            tensor[b, :, :cells] = kept
        self._rows[a], self._rows[b] = self._rows[b], self._rows[a]

    @torch.inference_mode()
    def clear(self, row: int) -> None:
        """Empty a row of which something is wrong. Zeros, since a mask hides any number but one that is none."""
        self._rows[row] = _Row()
        for tensor in self._tensors():
            tensor[row].zero_()

    def forget(self) -> None:
        """Empty all rows and give their memory back."""
        self._rows = [_Row() for _ in self._rows]
        for layer in self._parts:
            layer.drop()

    def prepare(self, first: int, starts: list[int], tokens: int, device: torch.device) -> None:
        """Say what the next forward works on: ``tokens`` behind ``starts``, one start for each row from ``first``."""
        rows = torch.arange(first, first + len(starts), device=device)
        cells = torch.tensor(starts, device=device)
        self.window = _Window(first, starts, max(starts) + tokens, rows, cells)

    def wrote(self, first: int, batch: Sequence[Sequence[int]]) -> None:
        """Take down the ids that a forward has read, one sequence a row."""
        for row, ids in zip(self._rows[first:], batch, strict=False):
            row.ids += ids
            row.used = next(self._clock)

    @torch.inference_mode()
    def _copy(self, source: int, target: int, cells: int) -> None:
        for tensor in self._tensors():
            tensor[target, :, :cells] = tensor[source, :, :cells]

    @torch.inference_mode()
    def _reshape(self, rows: int, width: int) -> None:
        kept, cells = min(rows, len(self._rows)), min(width, self.width)
        for layer in self._parts:
            layer.reshape(rows, width, kept, cells)
        self._rows = [*self._rows[:kept], *(_Row() for _ in range(rows - kept))]
        for row in self._rows:
            del row.ids[width:]
        self.width = width

    def _tensors(self) -> list[torch.Tensor]:
        return [tensor for layer in self._parts for tensor in layer.tensors()]


class _Layer(CacheLayerMixin):  # type: ignore[misc,no-untyped-call,unused-ignore]
    """One layer's keys and values, each of shape (rows, heads, width, size of a head)."""

    is_sliding = False
    supports_early_init = False

    def __init__(self, rows: Rows) -> None:
        super().__init__()  # type: ignore[no-untyped-call,unused-ignore]
        self._rows = rows

    def tensors(self) -> tuple[torch.Tensor, ...]:
        """Return keys and values, or nothing before the first forward."""
        return () if self.keys is None or self.values is None else (self.keys, self.values)

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Take memory, now that shape, type and device are known."""
        self.keys, self.values = (
            t.new_zeros(self._rows.count, t.shape[1], self._rows.width, t.shape[3]) for t in (key_states, value_states)
        )
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the new tokens' keys and values; return all that the window reads."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        window = self._window()
        seen = slice(window.first, window.first + len(window.starts))
        for kept, new in zip(self.tensors(), (key_states, value_states), strict=True):
            if len(window.starts) == 1:
                start = window.starts[0]
                kept[window.first, :, start : start + new.shape[2]] = new[0]
            else:
                kept[window.rows, :, window.cells] = new[:, :, 0]
        keys, values = (kept[seen, :, : window.end] for kept in self.tensors())
        return keys, values

    def get_seq_length(self) -> int:
        """Return how many tokens lie before those that the longest row of the window reads now."""
        return max(self._window().starts)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Return how many cells are read, and which is the first."""
        return self._window().end, 0

    def get_max_length(self) -> int:
        """Return how many tokens a row holds at most."""
        return self._rows.width

    def reshape(self, rows: int, width: int, kept: int, cells: int) -> None:
        """Move what is kept, the first ``cells`` of the first ``kept`` rows, into tensors of another shape."""
        for name, old in zip(("keys", "values"), self.tensors(), strict=False):
            new = old.new_zeros(rows, old.shape[1], width, old.shape[3])
            new[:kept, :, :cells] = old[:kept, :, :cells]
            setattr(self, name, new)

    def drop(self) -> None:
        """Give the memory back."""
        self.keys = self.values = None
        self.is_initialized = False

    def _window(self) -> _Window:
        assert self._rows.window is not None, "prepare() comes before a forward"
        return self._rows.window


def _common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
