"""Fifty annotators on one PostgreSQL store of a million samples: a part of `make bench`.

    python -m benchmarks.bench_team [--quick]

Starts a private PostgreSQL server that keeps each commit on the disk, loads the samples, and lets fifty processes
judge them: first as fast as they can, then with a verdict in two seconds each. Measures the next item and the
verdict. Stops with an error when a verdict was lost or doubled, or when two annotators had one sample open at the
same time. Writes its section of benchmarks/results.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import random
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier

from sqlalchemy import create_engine, text

from annotations.store.queries import Filters
from annotations.store.review_store import ReviewStore
from benchmarks.bench_review import p95, queue
from benchmarks.sections import write
from tests.tools.postgres import programs, serving

ANNOTATORS = 50
GOAL = "100 ms"


@dataclass(frozen=True)
class Judged:
    """One sample as one process saw it; moments are of the machine's monotonic clock, in seconds."""

    sample_id: str
    asked: float
    opened: float
    sent: float
    recorded: float


def judge(url: str, name: str, verdicts: int, pause: float, start: Barrier, done: Queue[list[Judged]]) -> None:
    """Judge samples, with up to twice ``pause`` seconds before each verdict, and report when each step happened."""
    store = ReviewStore(url)
    store.queue.counts()  # the connection is there before the clock runs
    reading = random.Random(name)
    start.wait()
    made = []
    for _ in range(verdicts):
        asked = time.monotonic()
        item = store.queue.next_item(name, Filters())
        opened = time.monotonic()
        if item is None:
            break
        time.sleep(reading.uniform(0, 2 * pause))
        sent = time.monotonic()
        store.decide(item.id, name, "approve", revision=item.state.revision, seen=item.seen)
        made.append(Judged(item.id, asked, opened, sent, time.monotonic()))
    store.close()
    done.put(made)


def together(url: str, verdicts: int, pause: float, label: str) -> list[Judged]:
    """Let all annotators judge at once; return what they did."""
    # Forked before any connection exists: fifty interpreters that start at once would measure the start.
    context = multiprocessing.get_context("fork")
    start, done = context.Barrier(ANNOTATORS), context.Queue()
    workers = [
        context.Process(target=judge, args=(url, f"{label} {n}", verdicts, pause, start, done))
        for n in range(ANNOTATORS)
    ]
    for worker in workers:
        worker.start()
    made = [judged for _ in workers for judged in done.get(timeout=1_800)]
    for worker in workers:
        worker.join()
    return made


def check(url: str, made: list[Judged]) -> None:
    """Raise SystemExit when a verdict was lost or doubled, or when two had one sample open."""
    store = ReviewStore(url)
    kept = Counter(e.sample_id for e in store.log.events())
    store.close()
    if kept != Counter(j.sample_id for j in made) or set(kept.values()) != {1}:
        raise SystemExit(f"{len(made):,} verdicts were acknowledged, {sum(kept.values()):,} are in the store")
    by_sample: dict[str, list[Judged]] = {}
    for judged in made:
        by_sample.setdefault(judged.sample_id, []).append(judged)
    for sample_id, times in by_sample.items():
        for one, other in pairwise(sorted(times, key=lambda j: j.opened)):
            if other.opened < one.recorded:
                raise SystemExit(f"{sample_id}: two annotators had it open at the same time")


def measure(samples: int, fast: int, paced: int) -> list[tuple[str, str, str]]:
    found = programs()
    if found is None:
        raise SystemExit("PostgreSQL's server is not installed (Debian: apt-get install postgresql).")
    rows = []
    with serving(found, durable=True, connections=ANNOTATORS + 20) as server:
        admin = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(text("CREATE DATABASE team"))
        admin.dispose()
        url = f"{server}/team"
        store = ReviewStore(url)
        items = queue(samples)
        begin = time.perf_counter()
        store.queue.load(items)
        rows.append((f"load {samples:,} samples", f"{time.perf_counter() - begin:.0f} s", ""))
        del items
        with store.engine.connect() as connection:  # as autovacuum does some minutes after a large load
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("ANALYZE"))
        store.close()
        made: list[Judged] = []
        for label, verdicts, pause in (("without a pause", fast, 0.0), ("a verdict in two seconds each", paced, 2.0)):
            some = together(url, verdicts, pause, label)
            made += some
            check(url, made)
            spent = max(j.recorded for j in some) - min(j.asked for j in some)
            goal = GOAL if pause else ""
            rows += [
                (f"{label}: next item", f"{p95([j.opened - j.asked for j in some]):.1f} ms", goal),
                (f"{label}: verdict", f"{p95([j.recorded - j.sent for j in some]):.1f} ms", goal),
                (f"{label}: {len(some):,} verdicts", f"{len(some) / spent:,.0f} a second", ""),
            ]
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything; writes no results")
    quick = parser.parse_args().quick
    rows = measure(*((100_000, 20, 5) if quick else (1_000_000, 200, 40)))
    for name, value, goal in rows:
        print(f"{name:<55}{value:>16}  {'goal ' + goal if goal else ''}".rstrip())
    if not quick:
        table = "\n".join(f"| {name} | {value} | {goal} |" for name, value, goal in rows)
        load = os.getloadavg()[0]
        write(
            "team",
            f"## {ANNOTATORS} annotators on one PostgreSQL store\n\nPostgreSQL on the same machine, Python "
            f"{platform.python_version()}, {os.cpu_count()} cores, load average {load:.1f} (`python -m "
            f"benchmarks.bench_team`, {datetime.now(UTC).date()}). No verdict lost or doubled, none on a sample that "
            "another annotator had open.\n\n| | 95th percentile or total | goal |\n| --- | --- | --- |\n" + table,
        )


if __name__ == "__main__":
    main()
