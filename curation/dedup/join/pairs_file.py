"""Pairs in a Parquet file, sorted, in bounded memory: (i, j, score), by i, then j.

Near pairs of distinct texts come in, in any order, and are kept in a file. Equal texts multiply them, so the pairs of
positions are made piece by piece: sorted roughly into files by i, then each file is sorted by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.console import bar
from curation.dedup.join.free_disk import check_disk
from curation.dedup.join.pairs import Pairs, positions_of

AT_ONCE = 4_000_000  # pairs in memory at a time, 24 bytes each and a few times that for sorting
_ON_DISK = np.dtype([("i", np.int32), ("j", np.int32), ("score", np.float64)])


def write_pairs(
    near: Iterable[Pairs],
    number: NDArray[np.int32],
    path: Path,
    folder: Path,
    *,
    progress: bool = False,
    at_once: int = AT_ONCE,
) -> int:
    """Write the pairs of positions and return how many. ``folder`` takes temporary files, 16 bytes a pair.

    near: pairs of distinct texts, each once, without those of equal texts; number: for each position, its distinct
    text. Raises InosukeError for too little disk space, OSError when the disk is full all the same.
    """
    size = np.bincount(number)
    partners = np.maximum(size - 1, 0)  # an upper bound of the pairs that a position is in
    count = int((size * (size - 1) // 2).sum())
    kept = folder / "near"
    with kept.open("wb") as file:
        for piece in near:
            file.write(_rows(piece).data)
            np.add.at(partners, piece.i, size[piece.j])
            np.add.at(partners, piece.j, size[piece.i])
            count += int((size[piece.i] * size[piece.j]).sum())
    check_disk(count * _ON_DISK.itemsize * 3 // 2, folder, f"{count:,} pairs")
    part = (np.cumsum(partners[number]) - 1) // at_once
    parts: set[int] = set()
    with bar(2 * count, "sort", "pair", quiet=not progress, scale=True) as shown:
        for pairs in _positions(kept, size, number, at_once):
            parts.update(_distribute(pairs, part, folder))
            shown.update(len(pairs.i))
        kept.unlink()
        _write_sorted(path, [folder / f"part-{name}" for name in sorted(parts)], shown)
    return count


def _positions(kept: Path, size: NDArray[np.int64], number: NDArray[np.int32], at_once: int) -> Iterator[Pairs]:
    again = np.flatnonzero(size > 1)
    yield from positions_of(Pairs(again, again, np.full(len(again), 100.0)), number, at_once)
    rows = kept.stat().st_size // _ON_DISK.itemsize
    for start in range(0, rows, at_once):
        table = _read(kept, start, at_once)
        near = Pairs(table["i"].astype(np.int64), table["j"].astype(np.int64), table["score"])
        yield from positions_of(near, number, at_once)


def _distribute(pairs: Pairs, part: NDArray[np.int64], folder: Path) -> list[int]:
    """Append pairs to the files of their parts; return the parts."""
    if not len(pairs.i):
        return []
    of = part[pairs.i]
    order = np.argsort(of, kind="stable")
    names, begin = np.unique(of[order], return_index=True)
    for name, rows in zip(names.tolist(), np.split(_rows(pairs)[order], begin[1:]), strict=True):
        # Opened each time: there can be more parts than a process may have open files.
        with (folder / f"part-{name}").open("ab") as file:
            file.write(rows.data)
    found: list[int] = names.tolist()
    return found


def _write_sorted(path: Path, parts: list[Path], shown: Any) -> None:
    """Sort each part, write one after the other and remove it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("i", pa.int64()), ("j", pa.int64()), ("score", pa.float64())])
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for part in parts:
            table = _read(part, 0, -1)
            table = table[np.lexsort((table["j"], table["i"]))]
            columns = [pa.array(table[field.name].astype(field.type.to_pandas_dtype())) for field in schema]
            writer.write_table(pa.table(columns, schema=schema))
            part.unlink()
            shown.update(len(table))


def _rows(pairs: Pairs) -> NDArray[np.void]:
    rows = np.empty(len(pairs.i), _ON_DISK)
    rows["i"], rows["j"], rows["score"] = pairs.i, pairs.j, pairs.score
    return rows


def _read(path: Path, start: int, count: int) -> NDArray[np.void]:
    return np.fromfile(path, _ON_DISK, count, offset=start * _ON_DISK.itemsize)
