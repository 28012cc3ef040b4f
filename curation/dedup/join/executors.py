"""What runs the tiles of a join: this machine's cores, or a Ray cluster. The result is the same."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from curation.console import bar
from curation.dedup.join.packed import Packed, pack
from curation.dedup.join.pairs import Pairs
from curation.dedup.join.tiles import JoinInput, Tile, plan, run_tile
from curation.errors import UsageError

T = TypeVar("T")


class Executor(Protocol):
    """Runs joins."""

    def run(
        self, left: JoinInput, right: JoinInput, threshold: float, components_only: bool = False
    ) -> Iterator[Pairs]:
        """Yield the near pairs as numbers of texts (left, right), in pieces, in any order.

        An input against itself gives each pair once, lower number first. ``components_only``: see
        :func:`curation.dedup.join.tiles.run_tile`.
        """
        ...


class Local:
    """Threads of this process: the compiled loop and rapidfuzz both release Python's lock.

    ``progress`` shows a bar, ``tile_rows`` is the most rows of a tile (the result is the same for any).
    """

    def __init__(self, progress: bool = False, tile_rows: int | None = None) -> None:
        self._progress, self._tile_rows = progress, tile_rows

    def run(
        self, left: JoinInput, right: JoinInput, threshold: float, components_only: bool = False
    ) -> Iterator[Pairs]:
        """See :meth:`Executor.run`."""
        workers = os.cpu_count() or 1
        with ThreadPoolExecutor(workers) as pool:
            tiles = plan(left.signatures, self._tile_rows)
            tasks = (pool.submit(run_tile, left, right, threshold, tile, components_only) for tile in tiles)
            with bar(len(tiles), "compare", "tile", quiet=not self._progress) as progress:
                for done in _ahead(tasks, 2 * workers):
                    yield _lower_first(done.result(), left is right)
                    progress.update(1)


class Ray:
    """A Ray cluster: the one that ``address`` names, or one on this machine. The package ``ray`` is an extra.

    For ``progress`` and ``tile_rows`` see :class:`Local`.
    """

    def __init__(self, address: str | None = None, progress: bool = False, tile_rows: int | None = None) -> None:
        self._progress, self._tile_rows = progress, tile_rows
        try:
            import ray
        except ImportError:
            raise UsageError(
                "comparing on a Ray cluster needs the package ray: pip install 'ai-inosuke[ray]'"
            ) from None
        self._ray = ray
        if not ray.is_initialized():
            root = str(Path(__file__).parents[3])  # so that local workers find a checkout that is not installed
            # By default Ray listens on the machine's outer address, where anyone on the network could run code.
            here: dict[str, Any] = {"_node_ip_address": "127.0.0.1", "include_dashboard": False}
            local = address is None and "RAY_ADDRESS" not in os.environ
            ray.init(
                address=address,
                log_to_driver=False,
                runtime_env={"env_vars": {"PYTHONPATH": root}},
                **(here if local else {}),
            )

    def run(
        self, left: JoinInput, right: JoinInput, threshold: float, components_only: bool = False
    ) -> Iterator[Pairs]:
        """See :meth:`Executor.run`. Each machine gets the signatures once; its workers share them without a copy."""
        ray = self._ray
        same = left is right
        # Arrays are shared by the processes of a machine; a list of texts would be copied to each of them.
        shared = [ray.put(JoinInput(_packed(side), side.signatures)) for side in ([left] if same else [left, right])]
        remote = ray.remote(_remote_tile)
        tiles = plan(left.signatures, self._tile_rows)
        tasks = (remote.remote(threshold, tile, components_only, *shared) for tile in tiles)
        with bar(len(tiles), "compare", "tile", quiet=not self._progress) as progress:
            for reference in _ahead(tasks, 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))):
                yield _lower_first(ray.get(reference), same)
                progress.update(1)


def _remote_tile(
    threshold: float, tile: Tile, components_only: bool, left: JoinInput, right: JoinInput | None = None
) -> Pairs:
    return run_tile(left, right or left, threshold, tile, components_only)


def _packed(side: JoinInput) -> Packed:
    texts = side.texts
    return texts if isinstance(texts, Packed) else pack(texts[at] for at in range(len(side.signatures)))


def _lower_first(pairs: Pairs, same: bool) -> Pairs:
    return Pairs(np.minimum(pairs.i, pairs.j), np.maximum(pairs.i, pairs.j), pairs.score) if same else pairs


def _ahead(tasks: Iterable[T], most: int) -> Iterator[T]:
    """Start at most ``most`` tasks ahead of the results that were read, so that a slow reader does not fill memory."""
    waiting: deque[T] = deque()
    tasks = iter(tasks)
    waiting.extend(islice(tasks, most))
    while waiting:
        yield waiting.popleft()
        waiting.extend(islice(tasks, 1))
