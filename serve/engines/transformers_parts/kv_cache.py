"""Keys and values of several conversations at once, one row each: the cache that transformers' models read and write.

A row keeps its tokens when its answer is over. A conversation that continues, and a new one with the same system
prompt, then only computes the tokens that differ. The rows of a forward pass are adjacent, so the model reads them as
a slice, without a copy for each token. Knows nothing of text or of answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count as counter
from typing import Any

import torch
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin

# Rows begin this wide, in tokens, and double when a conversation needs more: a short one should not pay for a long one.
FIRST_WIDTH = 256


@dataclass(slots=True)
class _Row:
    ids: list[int] = field(default_factory=list)
    used: int = 0


@dataclass(slots=True)
class _Window:
    """The part that a forward pass uses: rows from ``first``, written from ``starts`` on, read up to ``end``."""

    first: int
    starts: list[int]
    end: int
    rows: torch.Tensor
    cells: torch.Tensor


class KVCache(Cache):  # type: ignore[misc]
    """At most ``slots`` rows, and never more than ``pool`` tokens in all rows together. Not thread-safe."""

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
        """The current number of rows."""
        return len(self._rows)

    def length(self, row: int) -> int:
        """Return how many tokens a row holds."""
        return len(self._rows[row].ids)

    def ensure(self, rows: int, width: int) -> bool:
        """Make room for ``rows`` rows of ``width`` tokens each. Returns False where that would exceed the pool."""
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

    def assign(self, row: int, ids: Sequence[int]) -> int:
        """Prepare ``row`` for a new prompt; it and the rows after it are free. Returns how many ids it holds already.

        The last id is never among them, because the caller needs its scores.
        """
        shared = [min(_common_prefix(r.ids, ids), len(ids) - 1) for r in self._rows]
        best = max(range(len(self._rows)), key=shared.__getitem__)

        def cost(free: int) -> tuple[bool, int]:
            """Prefer the row that these ids continue, then the least recently used."""
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

    def rewind(self, row: int) -> None:
        """Forget a row's ids, so that its prompt is read from the beginning."""
        self._rows[row].ids = []

    def cut(self, row: int, length: int) -> None:
        """Forget what a row holds after its first ``length`` tokens."""
        del self._rows[row].ids[length:]

    @torch.inference_mode()
    def swap(self, a: int, b: int) -> None:
        """Exchange two rows."""
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
        """Empty a row after a failure. It is zeroed, because a mask hides any number except NaN."""
        self._rows[row] = _Row()
        for tensor in self._tensors():
            tensor[row].zero_()

    def clear_all(self) -> None:
        """Empty all rows and free their memory."""
        self._rows = [_Row() for _ in self._rows]
        for layer in self._parts:
            layer.drop()

    def prepare(self, first: int, starts: list[int], tokens: int, device: torch.device) -> None:
        """Choose the window of the next forward pass: ``tokens`` after ``starts``, one a row from ``first`` on."""
        rows = torch.arange(first, first + len(starts), device=device)
        cells = torch.tensor(starts, device=device)
        self.window = _Window(first, starts, max(starts) + tokens, rows, cells)

    def append(self, first: int, batch: Sequence[Sequence[int]]) -> None:
        """Record the ids that a forward pass has read, one sequence a row."""
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

    def __init__(self, cache: KVCache) -> None:
        super().__init__()  # type: ignore[no-untyped-call,unused-ignore]
        self._cache = cache

    def tensors(self) -> tuple[torch.Tensor, ...]:
        """Return keys and values, or nothing before the first forward pass."""
        return () if self.keys is None or self.values is None else (self.keys, self.values)

    def lazy_initialization(self, key_states: torch.Tensor, value_states: torch.Tensor) -> None:
        """Allocate memory, now that shape, type and device are known."""
        self.keys, self.values = (
            t.new_zeros(self._cache.count, t.shape[1], self._cache.width, t.shape[3])
            for t in (key_states, value_states)
        )
        self.is_initialized = True

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the keys and values of the new tokens; return all that the window reads."""
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
        """Return how many tokens the longest row of the window already holds."""
        return max(self._window().starts)

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """Return how many cells are read, and which is the first."""
        return self._window().end, 0

    def get_max_length(self) -> int:
        """Return how many tokens a row can hold."""
        return self._cache.width

    def reshape(self, rows: int, width: int, kept: int, cells: int) -> None:
        """Copy the first ``cells`` tokens of the first ``kept`` rows into tensors of another shape."""

        def reshaped(old: Any) -> Any:
            new = old.new_zeros(rows, old.shape[1], width, old.shape[3])
            new[:kept, :, :cells] = old[:kept, :, :cells]
            return new

        if self.tensors():  # one after the other: the old keys are freed before the new values are made
            self.keys = reshaped(self.keys)
            self.values = reshaped(self.values)

    def drop(self) -> None:
        """Free the memory."""
        self.keys = self.values = None
        self.is_initialized = False

    def _window(self) -> _Window:
        assert self._cache.window is not None, "prepare() comes before a forward pass"
        return self._cache.window


def _common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
