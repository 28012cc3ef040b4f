"""The compiled inner loop of the join: which pairs of signatures could be near. Knows bytes, not texts.

Importing this file imports numba, which is slow. So :mod:`curation.dedup.join.signature` and
:mod:`curation.dedup.join.tiles` import it inside the functions that only a large join or an index calls. Compiled code
is cached beside this file or in numba's own cache folder; where neither can be written, every run compiles again and
warns once.

Why LLVM intrinsics and not plain loops: a block of 64 byte sums is exactly one or two vector registers, and the
comparison of all 64 with the bound is one 64-bit mask. In plain loops numba promotes bytes to 64-bit integers, and
collecting the hits costs more than the arithmetic. LLVM lowers these vectors to what the machine has (AVX-512, AVX2,
SSE2, NEON).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numba
import numba.extending
import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import cgutils

from curation.dedup.join.layout import COARSE, FINE, LANES

types: Any = numba.types
njit: Any = numba.njit
intrinsic: Any = numba.extending.intrinsic

# Blocks of columns that fit into the level-1 cache together: 16 * 20 buckets * 64 lanes = 20 KB.
COLUMN_BLOCKS = 16
# The most candidates that a row can have in one group of column blocks; the buffer must always have room for them.
MOST_AT_ONCE = COLUMN_BLOCKS * LANES

_I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_BLOCK = COARSE * LANES


def _array(dtype: Any, ndim: int, written: bool = False) -> Any:
    """Return the type of an array argument. An argument that is only read may be mapped from a file or shared by Ray.

    Types are given because numba would otherwise compile again for every mix of read-only and writable arrays.
    """
    return types.Array(dtype, ndim, "C", readonly=not written)


def _jit(signature: Any) -> Callable[[Callable[..., Any]], Any]:
    def compiled(function: Callable[..., Any]) -> Any:
        try:
            return njit(signature, cache=True, nogil=True)(function)
        except RuntimeError as error:
            if "no locator available" not in str(error):
                raise
            warnings.warn(
                f"compiled code cannot be cached, so each run compiles for some seconds ({error}). "
                "Set NUMBA_CACHE_DIR to a writable folder.",
                stacklevel=2,
            )
            return njit(signature, nogil=True)(function)

    return compiled


def _intrinsic(builder: Any, name: str, result: Any, arguments: list[Any]) -> Any:
    """Declare one of LLVM's own functions, once a module."""
    known = builder.module.globals.get(name)
    return known or ir.Function(builder.module, ir.FunctionType(result, arguments), name)


def _splat(builder: Any, value: Any, vector: Any) -> Any:
    """Copy one value into every lane."""
    empty = ir.Constant(vector, ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(_I32, 0))
    zeros = ir.Constant(ir.VectorType(_I32, vector.count), [0] * vector.count)
    return builder.shuffle_vector(first, empty, zeros)


def _load(builder: Any, pointer: Any, offset: int, vector: Any) -> Any:
    at = builder.gep(pointer, [ir.Constant(_I64, offset)])
    loaded = builder.load(builder.bitcast(at, vector.as_pointer()))
    loaded.align = vector.element.width // 8  # the only alignment that memory-mapped files guarantee
    return loaded


@intrinsic  # type: ignore[untyped-decorator]
def _compare(_typing: Any, row: Any, blocks: Any, bounds: Any, masks: Any, count: Any) -> Any:
    """For each of ``count`` blocks set bit k of its mask if ``sum_b max(0, row[b] - block[b, k]) <= bound``.

    The row's counts are copied into all lanes once and stay in registers for all blocks.

    Sums are bytes and wrap. A sum within a bound of at most 255 never wraps, so no pair is lost; one above 255 may look
    small and fails the exact test that follows. Saturating additions would avoid that for very long texts, but they are
    slower for all others: a Xeon has one port for them.
    """
    pointers = (types.CPointer(t) for t in (types.uint8, types.uint8, types.uint8, types.uint64))
    signature = types.void(*pointers, types.intp)
    vector = ir.VectorType(_I8, LANES)

    def build(context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        row, blocks, bounds, masks, count = args
        subtract = _intrinsic(builder, f"llvm.usub.sat.v{LANES}i8", vector, [vector, vector])
        own = [builder.load(builder.gep(row, [ir.Constant(_I64, bucket)])) for bucket in range(COARSE)]
        own = [_splat(builder, value, vector) for value in own]
        with cgutils.for_range(builder, count) as loop:
            block = builder.gep(blocks, [builder.mul(loop.index, ir.Constant(_I64, _BLOCK))])
            sums = [ir.Constant(vector, [0] * LANES)] * 2  # two chains: in one, each addition waits for the last
            for bucket in range(COARSE):
                excess = builder.call(subtract, [own[bucket], _load(builder, block, bucket * LANES, vector)])
                sums[bucket % 2] = builder.add(sums[bucket % 2], excess)
            bound = _splat(builder, builder.load(builder.gep(bounds, [loop.index])), vector)
            within = builder.icmp_unsigned("<=", builder.add(*sums), bound)
            builder.store(builder.bitcast(within, _I64), builder.gep(masks, [loop.index]))
        return context.get_dummy_value()

    return signature, build


@intrinsic  # type: ignore[untyped-decorator]
def _excess(_typing: Any, left: Any, right: Any) -> Any:
    """``sum_b max(0, left[b] - right[b])`` over the fine buckets, exact."""
    signature = types.int32(types.CPointer(types.uint16), types.CPointer(types.uint16))
    vector, wide = ir.VectorType(_I16, FINE), ir.VectorType(_I32, FINE)

    def build(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        left, right = (_load(builder, pointer, 0, vector) for pointer in args)
        subtract = _intrinsic(builder, f"llvm.usub.sat.v{FINE}i16", vector, [vector, vector])
        total = _intrinsic(builder, f"llvm.vector.reduce.add.v{FINE}i32", _I32, [wide])
        return builder.call(total, [builder.zext(builder.call(subtract, [left, right]), wide)])

    return signature, build


@intrinsic  # type: ignore[untyped-decorator]
def _lowest_bit(_typing: Any, mask: Any) -> Any:
    """Return the index of the lowest set bit; the mask must not be 0."""

    def build(_context: Any, builder: Any, _signature: Any, args: Any) -> Any:
        return builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), build


@intrinsic  # type: ignore[untyped-decorator]
def _at(_typing: Any, array: Any, offset: Any) -> Any:
    """Return a pointer to the element ``offset`` of a contiguous array, counted flat."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, args[0]).data
        return builder.gep(data, [args[1]])

    return types.CPointer(array.dtype)(array, types.intp), build


@_jit(
    types.void(
        *(_array(types.uint32, 1), _array(types.int64, 1), _array(types.uint8, 1), _array(types.int64, 1)),
        _array(types.uint16, 2, written=True),
    )
)
def count_buckets(codes: Any, starts: Any, table: Any, places: Any, fine: Any) -> None:
    """Count the buckets of each text into ``fine[places[text]]``; counts stop at 65535.

    codes: uint32 (characters,), the texts one after the other; starts: int64 (texts + 1,); table: uint8 (1114112,),
    code point → bucket; fine: uint16 (texts of all chunks, FINE), zeroed.
    """
    for text in range(len(starts) - 1):
        row = places[text]
        for at in range(starts[text], starts[text + 1]):
            bucket = table[codes[at]]
            if fine[row, bucket] < 65535:
                fine[row, bucket] += 1


@_jit(types.void(_array(types.uint16, 2), _array(types.uint8, 1), _array(types.uint8, 3, written=True)))
def pack_coarse(fine: Any, groups: Any, coarse: Any) -> None:
    """Add fine buckets up into coarse ones, capped at 255 and transposed: ``coarse[block, bucket, lane]``, zeroed.

    A capped count can only make a difference smaller, so no near pair is lost.
    """
    sums = np.empty(COARSE, np.int64)
    for row in range(fine.shape[0]):
        sums[:] = 0
        for bucket in range(FINE):
            sums[groups[bucket]] += fine[row, bucket]
        for bucket in range(COARSE):
            coarse[row // LANES, bucket, row % LANES] = min(sums[bucket], 255)


_INPUT = types.Tuple((_array(types.int64, 1), _array(types.uint8, 3), _array(types.uint16, 2)))
_TILE = types.Tuple((_array(types.int64, 1), _array(types.int64, 1), types.int64))


@_jit(
    types.UniTuple(types.int64, 2)(
        *(_INPUT, _INPUT, _TILE, types.float64, types.boolean, types.int64),
        _array(types.int32, 2, written=True),
    )
)
def candidates(left: Any, right: Any, tile: Any, differ: float, same: bool, resume: int, found: Any) -> tuple[int, int]:
    """Write the pairs (row of left, row of right) that the counts do not rule out; return (n, resume).

    A pair may differ by at most ``D = differ * (Li + Lj)`` insertions and deletions, of which ``(D + Li - Lj) / 2`` are
    characters of i without a partner; each is missing from some bucket of j, so a larger excess rules the pair out.
    Rows are sorted by length in both inputs; row ``start + k`` meets the blocks ``first[k] .. last[k]`` (excluded).

    ``left`` and ``right`` are (lengths, coarse, fine), ``tile`` is (first, last, start). ``same``: left and right are
    one input, so only j > i counts. When ``found`` (int32, (capacity, 2)) is full, the second value is where to
    continue (pass it as ``resume``, 0 at first); at the end it is -1.
    """
    left_lengths, left_coarse, left_fine = left
    right_lengths, right_coarse, right_fine = right
    first, last, start = tile
    n = 0
    count, rows = len(right_lengths), len(first)
    lowest, highest = first.min(), last.max()
    groups = (highest - lowest + COLUMN_BLOCKS - 1) // COLUMN_BLOCKS
    own = np.empty(COARSE, np.uint8)
    bounds = np.empty(COLUMN_BLOCKS, np.uint8)
    masks = np.empty(COLUMN_BLOCKS, np.uint64)
    for step in range(resume, groups * rows):
        group, k = step // rows, step % rows
        begin = max(lowest + group * COLUMN_BLOCKS, first[k])
        end = min(lowest + (group + 1) * COLUMN_BLOCKS, last[k])
        if begin >= end:
            continue
        if n + MOST_AT_ONCE > len(found):
            return n, step
        row = start + k
        length = left_lengths[row]
        for bucket in range(COARSE):
            own[bucket] = left_coarse[row // LANES, bucket, row % LANES]
        for block in range(begin, end):
            # The bound falls with the length of the other text: the first, shortest text of a block has the loosest.
            shortest = right_lengths[block * LANES]
            bound = int((differ * (length + shortest) + 1e-6 + length - shortest) * 0.5)
            bounds[block - begin] = min(max(bound, 0), 255)
        _compare(_at(own, 0), _at(right_coarse, begin * _BLOCK), _at(bounds, 0), _at(masks, 0), end - begin)
        for block in range(begin, end):
            mask = masks[block - begin]
            while mask != 0:
                column = block * LANES + np.int64(_lowest_bit(mask))
                mask &= mask - np.uint64(1)
                if column >= count or (same and column <= row):
                    continue
                other = right_lengths[column]
                allowed = int(differ * (length + other) + 1e-6) + length - other
                # Counts stop at 65535, which can only make the excess smaller: no near pair is lost.
                if allowed >= 0 and 2 * _excess(_at(left_fine, row * FINE), _at(right_fine, column * FINE)) <= allowed:
                    found[n, 0], found[n, 1] = row, column
                    n += 1
    return n, -1
