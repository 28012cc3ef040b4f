"""Many files at once: in parallel, in a stable order, from the cache where nothing changed."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

from curation.console import bar
from curation.errors import InosukeError
from curation.importers import cache
from curation.importers.no_lines import FORMAT, kind_without_lines
from curation.importers.registry import read_with_format
from curation.importers.source import progress
from curation.importers.source.source_file import from_bytes, read_bytes
from curation.persona import Persona
from curation.record import Imported, Rights

# For fewer files or bytes, starting processes takes longer than it saves.
_WORTH_FILES = 8
_WORTH_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Job:
    """A file to read; ``name`` is the path that its records carry."""

    path: Path
    name: str
    rights: Rights = "unknown"


def read_all(
    jobs: Sequence[Job], persona: Persona, cache_folder: Path | None = None, quiet: bool = False
) -> Iterator[Imported | InosukeError]:
    """Yield the records of each file, or the error why it has none, in the order of ``jobs``.

    With ``cache_folder``, the records of unchanged files come from there and new ones are kept. A terminal shows a
    progress bar unless ``quiet``.
    """
    sizes = [1 if kind_without_lines(job.path.name) else max(1, _size([job])) for job in jobs]
    workers = min(os.cpu_count() or 1, len(jobs))
    parallel = workers > 1 and len(jobs) >= _WORTH_FILES and sum(sizes) >= _WORTH_BYTES and _can_fork()
    # How far each file is, 0 to 1: written where it is read, perhaps in a worker process.
    done = multiprocessing.get_context("fork" if parallel else None).RawArray("d", len(jobs))
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("fork"), _share, (done,)) if parallel else None
    try:
        with bar(sum(sizes), "import", "B", quiet=quiet, scale=True) as shown:

            def show() -> None:
                shown.update(sum(s * d for s, d in zip(sizes, done, strict=True)) - shown.n)

            work = partial(_encoded, persona=persona, cache_folder=cache_folder)
            results = _in_order(pool, work, jobs, sizes, show) if pool else _one_by_one(work, jobs, done, show)
            for data in results:
                yield InosukeError(data) if isinstance(data, str) else cache.decode(data)
                show()
    except BrokenProcessPool:
        raise InosukeError(
            "a process that read files was killed from outside, most likely for lack of memory. "
            "Import fewer files at a time."
        ) from None
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)


_Work: TypeAlias = Callable[[Job], bytes | str]
_done: MutableSequence[float] = []  # of a worker process: how far each file is


def _share(done: MutableSequence[float]) -> None:
    """Give a worker process the array that it writes its progress into."""
    global _done
    _done = done


def _in_worker(work: _Work, job: Job, number: int) -> bytes | str:
    def note(share: float) -> None:
        _done[number] = share

    with progress.listen(note):
        result = work(job)
    _done[number] = 1.0
    return result


def _one_by_one(
    work: _Work, jobs: Sequence[Job], done: MutableSequence[float], show: Callable[[], None]
) -> Iterator[bytes | str]:
    for number, job in enumerate(jobs):

        def note(share: float, number: int = number) -> None:
            done[number] = share
            show()

        with progress.listen(note):
            result = work(job)
        done[number] = 1.0
        yield result


def _in_order(
    pool: ProcessPoolExecutor, work: _Work, jobs: Sequence[Job], sizes: Sequence[int], show: Callable[[], None]
) -> Iterator[bytes | str]:
    """Yield the results in the order of the jobs. The pool begins with the largest file, which takes longest.

    ``show`` is called every half second while a result is awaited.
    """
    waiting: dict[int, Future[bytes | str]] = {}
    for n in sorted(range(len(jobs)), key=lambda n: -sizes[n]):
        waiting[n] = pool.submit(_in_worker, work, jobs[n], n)
    for n in range(len(jobs)):
        future = waiting.pop(n)
        while not wait([future], timeout=0.5).done:
            show()
        yield future.result()


def _encoded(job: Job, persona: Persona, cache_folder: Path | None) -> bytes | str:
    """Return the records of a file as the cache stores them, or an error message. Runs in a worker process."""
    try:
        kind = kind_without_lines(job.path.name)
        data = b"" if kind else read_bytes(job.path)  # a video has more bytes than any file that is read
        if kind := kind or kind_without_lines(job.path.name, data):
            return cache.encode(Imported(format=f"{FORMAT} ({kind})", encoding="binary"))
        key = cache.key(job.path, data, job.name, job.rights, persona) if cache_folder else ""
        kept = cache.get(cache_folder, key) if cache_folder else None
        if kept is not None:
            return kept
        file = from_bytes(job.path, data, name=job.name, rights=job.rights)
        encoded = cache.encode(read_with_format(file, persona))
        if cache_folder:
            cache.put(cache_folder, key, encoded)
        return encoded
    except InosukeError as error:
        return str(error)
    except RecursionError:
        return f"{job.path}: nested too deep. Expected subtitles, a script or rows; leave the file out."


def _size(jobs: Sequence[Job]) -> int:
    return sum(job.path.stat().st_size for job in jobs if job.path.is_file())


def _can_fork() -> bool:
    """Only Linux forks safely; a spawned process would run the caller's script again."""
    return sys.platform == "linux"
