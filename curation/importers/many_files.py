"""Many files at once: in parallel, in a stable order, from the cache where nothing changed."""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from curation.console import bar
from curation.errors import InosukeError
from curation.importers import cache
from curation.importers.registry import read_with_format
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
    work = partial(_encoded, persona=persona, cache_folder=cache_folder)
    workers = min(os.cpu_count() or 1, len(jobs))
    parallel = workers > 1 and len(jobs) >= _WORTH_FILES and _size(jobs) >= _WORTH_BYTES and _can_fork()
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("fork")) if parallel else None
    try:
        results = (
            pool.map(work, jobs, chunksize=max(1, min(8, len(jobs) // (4 * workers)))) if pool else map(work, jobs)
        )
        with bar(len(jobs), "import", "file", quiet=quiet) as progress:
            for data in results:
                yield InosukeError(data) if isinstance(data, str) else cache.decode(data)
                progress.update(1)
    except BrokenProcessPool:
        raise InosukeError(
            "a process that read files was killed from outside, most likely for lack of memory. "
            "Import fewer files at a time."
        ) from None
    finally:
        if pool:
            pool.shutdown(cancel_futures=True)


def _encoded(job: Job, persona: Persona, cache_folder: Path | None) -> bytes | str:
    """Return the records of a file as the cache stores them, or an error message. Runs in a worker process."""
    try:
        data = read_bytes(job.path)
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
