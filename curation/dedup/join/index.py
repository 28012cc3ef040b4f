"""Texts on disk with their signatures, so that new texts are compared without counting the old ones again.

A folder of segments, each a batch of texts that was added at one time, and ``index.json``, which lists them with the
checksum of every file. Files are plain ``.npy`` arrays, mapped into memory and never unpickled.
Adding writes a new segment and merges smaller ones before it into it, so each text is rewritten only a few times and a
million texts are a handful of segments. ``index.json`` is replaced last: until then the old index is valid.
"""

from __future__ import annotations

import json
import re
import shutil
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from curation.dedup.join.executors import Executor, Local
from curation.dedup.join.packed import Packed, pack
from curation.dedup.join.pairs import Pairs, PairTable
from curation.dedup.join.signature import Buckets, Signatures, fit_buckets, sign
from curation.dedup.join.similar import check_texts, check_threshold
from curation.dedup.join.tiles import JoinInput
from curation.errors import InosukeError
from curation.files import write_atomically

# Increase it when the meaning of a file changes, for example the number of buckets or lanes.
FORMAT = 1
_FILES = ("blob", "ends", "order", "lengths", "coarse", "fine", "table", "groups")


@dataclass(frozen=True, slots=True)
class _Segment:
    name: str
    texts: Packed
    signatures: Signatures
    buckets: Buckets


class Index:
    """An index in a folder; a missing folder is an empty index. Texts are numbered in the order of their addition.

    Raises InosukeError for an index that is damaged or of another format.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._segments = self._read()

    def __len__(self) -> int:
        return sum(len(segment.texts) for segment in self._segments)

    def __getitem__(self, number: int) -> str:
        """Return the text of this number."""
        at = number
        for segment in self._segments:
            if 0 <= at < len(segment.texts):
                return segment.texts[at]
            at -= len(segment.texts)
        raise IndexError(number)

    def near(self, texts: Sequence[str], threshold: float = 90.0, executor: Executor | None = None) -> PairTable:
        """Compare new texts with the index: i is the number of a text in it, j a position in ``texts``.

        The record array (i, j, score) is sorted by (i, j) and has the pairs that brute force finds, equal texts
        included. For pairs within ``texts`` see :func:`~curation.dedup.join.similar.similar_pairs`, which raises the
        same errors.
        """
        check_threshold(threshold)
        check_texts(texts)
        pieces, base = [], 0
        for segment in self._segments:
            left, right = JoinInput(texts, sign(texts, segment.buckets)), JoinInput(segment.texts, segment.signatures)
            for pairs in (executor or Local()).run(left, right, threshold):
                pieces.append(Pairs(pairs.j + base, pairs.i, pairs.score))
            base += len(segment.texts)
        return Pairs.concatenate(pieces).sorted_table()

    def add(self, texts: Sequence[str]) -> range:
        """Add texts and return their numbers. Two processes may add at once: one waits for the other.

        Raises InosukeError for an item that is not a str, and when the folder cannot be written to.
        """
        check_texts(texts)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / ".lock"):
                self._segments = self._read()
                start = len(self)
                if texts:
                    self._append(list(texts))
        except OSError as error:
            raise InosukeError(
                f"{self.folder}: the index cannot be written ({error.strerror or error}). Its texts are unchanged. "
                "Free some disk space or change the folder's permissions, then add the texts again."
            ) from error
        return range(start, start + len(texts))

    def _append(self, texts: list[str]) -> None:
        listed = self._manifest()
        for folder in self.folder.glob("segment-*"):
            if folder.name not in {segment["name"] for segment in listed}:
                # Left by an interrupted run, or by Windows, which cannot delete files that a process has mapped.
                shutil.rmtree(folder, ignore_errors=True)
        last = max((int(segment["name"].removeprefix("segment-")) for segment in listed), default=0)
        merged = []
        while self._segments and len(self._segments[-1].texts) <= len(texts):
            segment = self._segments.pop()
            texts = [segment.texts[at] for at in range(len(segment.texts))] + texts
            merged.append(self.folder / listed.pop()["name"])
        listed.append(_write(self.folder / f"segment-{last + 1:06}", texts))
        held = {"format": FORMAT, "segments": listed}
        write_atomically(self.folder / "index.json", json.dumps(held, indent=1) + "\n")
        for folder in merged:
            shutil.rmtree(folder, ignore_errors=True)
        self._segments.append(_read(self.folder / listed[-1]["name"], listed[-1]))

    def _read(self) -> list[_Segment]:
        return [_read(self.folder / listed["name"], listed) for listed in self._manifest()]

    def _manifest(self) -> list[dict[str, Any]]:
        path = self.folder / "index.json"
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
            known = held["format"] == FORMAT
            segments = [_entry(segment) for segment in held["segments"]] if known else []
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(self.folder, f"index.json cannot be read: {error}") from error
        if not known:
            raise InosukeError(
                f"{self.folder}: an index of format {held['format']!r}; this version reads format {FORMAT}. "
                "Delete the folder and add the files again: an index holds only their texts."
            )
        return segments


def _entry(listed: dict[str, Any]) -> dict[str, Any]:
    """Check one segment of index.json. Raises ValueError, KeyError or TypeError."""
    if not re.fullmatch(r"segment-\d+", listed["name"]):
        raise ValueError(f"{listed['name']!r} is not a segment")
    return {"name": listed["name"], "crc32": {name: int(listed["crc32"][name]) for name in _FILES}}


def _damaged(folder: Path, what: str) -> InosukeError:
    return InosukeError(
        f"{folder}: the index is damaged ({what}). "
        "Delete the folder and add the files again: an index holds only their texts."
    )


def _write(folder: Path, texts: list[str]) -> dict[str, Any]:
    """Write a segment and return its entry for index.json."""
    packed, buckets = pack(texts), fit_buckets(texts)
    signatures = sign(texts, buckets)
    folder.mkdir()
    arrays: dict[str, NDArray[Any]] = {
        **{name: getattr(signatures, name) for name in ("order", "lengths", "coarse", "fine")},
        "blob": packed.blob,
        "ends": packed.ends,
        "table": buckets.table,
        "groups": buckets.groups,
    }
    for name in _FILES:
        np.save(folder / f"{name}.npy", arrays[name], allow_pickle=False)
    return {"name": folder.name, "crc32": {name: _checksum(arrays[name]) for name in _FILES}}


def _read(folder: Path, listed: dict[str, Any]) -> _Segment:
    """Map a segment's files and check them: a flipped bit in the counts would silently lose pairs."""
    arrays: dict[str, NDArray[Any]] = {}
    for name in _FILES:
        try:
            mapped = np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise _damaged(folder.parent, f"{folder.name}/{name}.npy: {error}") from error
        arrays[name] = np.asarray(mapped)
        if _checksum(arrays[name]) != listed["crc32"][name]:
            raise _damaged(folder.parent, f"{folder.name}/{name}.npy does not have the checksum that index.json lists")
    signatures = Signatures(*(arrays[name] for name in ("order", "lengths", "coarse", "fine")))
    buckets = Buckets(arrays["table"], arrays["groups"])
    return _Segment(folder.name, Packed(arrays["blob"], arrays["ends"]), signatures, buckets)


def _checksum(array: NDArray[Any]) -> int:
    return zlib.crc32(np.ascontiguousarray(array).data.cast("B")) if array.size else 0
