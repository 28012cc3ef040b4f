"""The speed of the review store with many samples and events: the review part of `make bench`.

    python -m benchmarks.bench_review [--quick]

Creates a store of 100,000 samples and 300,000 events in a temporary folder. Measures the next item and a verdict (95th
percentile of 1,000), and eight processes that together judge 10,000 samples. Writes its section of
benchmarks/results.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from annotations.store.log_sync import sync_store
from annotations.store.queries import Filters
from annotations.store.review_store import ReviewStore
from benchmarks.sections import write
from curation.folders import Folders
from curation.record import KINDS, Flag, Message, Sample, Source, sample_id
from curation.review.decisions import Decision
from curation.review.queue import QueueItem

START = datetime(2026, 1, 1, tzinfo=UTC)


def queue(n: int) -> list[QueueItem]:
    """Return samples of every kind; one in seven is flagged, one in nine has a near-duplicate."""
    items = []
    for i in range(n):
        messages = (Message("user", f"Câu hỏi thứ {i} là gì?"), Message("assistant", f"Ta trả lời câu {i}! " * 4))
        flags = (Flag("out_of_character", "…"),) if i % 7 == 0 else ()
        source = Source(path=f"tep-{i % 20}.jsonl", sha256="0" * 64, locator=f"row {i}", importer="rows", rights="own")
        kind = KINDS[i % len(KINDS)]
        sample = Sample(
            id=sample_id(kind, messages),
            kind=kind,
            messages=messages,
            language="vi" if i % 10 else "en",
            topic=None,
            source=source,
            flags=flags,
        )
        items.append(QueueItem(sample, f"c{i // 18}" if i % 9 == 0 else None))
    return items


def log(items: list[QueueItem], n: int) -> list[Decision]:
    """Return events over the first half of the samples, by twelve annotators."""
    half = items[: len(items) // 2]
    events = []
    for i in range(n):
        sample = half[i % len(half)].sample
        verdict = ("skip", "note", "approve")[min(i // len(half), 2)]
        moment = (START + timedelta(seconds=i)).isoformat(timespec="milliseconds")
        events.append(
            Decision(
                id=f"{i:032x}",
                sample_id=sample.id,
                revision=0,
                verdict=verdict,
                messages=None,
                reason="",
                annotator=f"người {i % 12}",
                client="streamlit",
                time=moment,
            )
        )
    return events


def p95(seconds: list[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.95)] * 1000


def timed(times: int, action) -> list[float]:
    spent = []
    for _ in range(times):
        begin = time.perf_counter()
        action()
        spent.append(time.perf_counter() - begin)
    return spent


def judge(url: str, name: str) -> None:
    store = ReviewStore(url)
    while (item := store.queue.next_item(name, Filters(kind="quote"))) is not None:
        store.decide(item.id, name, "approve", revision=0, seen=item.seen)


def measure(folder: Path, samples: int, events: int, verdicts: int, rounds: int) -> list[tuple[str, str, str]]:
    url = f"sqlite:///{folder / 'review.db'}"
    store = ReviewStore(url)
    items = queue(samples)
    rows: list[tuple[str, str, str]] = []
    [loading] = timed(1, lambda: store.queue.load(items))
    rows.append((f"load {samples:,} samples", f"{loading:.1f} s", ""))
    decisions = log(items, events)
    [adding] = timed(1, lambda: store.log.add(decisions))
    rows.append((f"add {events:,} events", f"{adding:.1f} s", ""))
    for name, filters in (
        ("next item", Filters()),
        ("next item, kind and language", Filters(kind="persona", language="en")),
        ("next item, a word in the text", Filters(text="câu 77777")),
    ):
        ranks: list[int | None] = [None]

        def take(filters: Filters = filters, ranks: list[int | None] = ranks) -> None:
            item = store.queue.next_item("đo", filters, after=ranks[-1])
            ranks.append(item.rank if item else None)

        rows.append((name, f"{p95(timed(rounds, take)):.1f} ms", "50 ms" if not filters.text else ""))
    pending = [i.sample.id for i in items[samples // 2 :]]
    rows.append(
        (
            "verdict",
            f"{p95(timed(rounds, lambda: store.decide(pending.pop(), 'đo', 'approve', revision=0))):.1f} ms",
            "50 ms",
        )
    )
    rows.append(("undo", f"{p95(timed(rounds // 4, lambda: store.undo('đo'))):.1f} ms", ""))
    rows.append(("counts of the header", f"{p95(timed(rounds // 10, store.queue.counts)):.1f} ms", ""))
    store.close()
    rows += sync(folder)
    rows.append(eight(folder, verdicts))
    return rows


def sync(folder: Path) -> list[tuple[str, str, str]]:
    """Measure how long the large store takes to be synchronised with a log."""
    store = ReviewStore(f"sqlite:///{folder / 'review.db'}")
    folders = Folders(folder)
    [syncing] = timed(1, lambda: sync_store(store, folders))
    [again] = timed(1, lambda: sync_store(store, folders))
    store.close()
    return [
        ("sync, every event new to the log", f"{syncing:.1f} s", ""),
        ("sync, nothing new", f"{again * 1000:.0f} ms", ""),
    ]


def eight(folder: Path, verdicts: int) -> tuple[str, str, str]:
    """Judge a queue with eight processes; every sample must end up with exactly one verdict."""
    url = f"sqlite:///{folder / 'eight.db'}"
    store = ReviewStore(url)
    store.queue.load(queue(verdicts * len(KINDS)))
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=judge, args=(url, f"người {n}")) for n in range(8)]
    begin = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    spent = time.perf_counter() - begin
    made = Counter(e.sample_id for e in store.log.events())
    store.close()
    if len(made) != verdicts or set(made.values()) != {1} or any(w.exitcode for w in workers):
        raise SystemExit(
            f"eight annotators: {len(made):,} samples judged, {sum(made.values()):,} verdicts: lost or doubled"
        )
    return (f"8 processes, {verdicts:,} verdicts, none lost or doubled", f"{verdicts / spent:,.0f} a second", "")


def report(rows: list[tuple[str, str, str]], note: str) -> None:
    table = "\n".join(f"| {name} | {value} | {goal} |" for name, value, goal in rows)
    head = "| | 95th percentile or total | goal |\n| --- | --- | --- |"
    write("review", f"## Review store\n\n{note}\n\n{head}\n{table}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything; writes no results")
    quick = parser.parse_args().quick
    scale = 10 if quick else 1
    with tempfile.TemporaryDirectory() as folder:
        rows = measure(Path(folder), 100_000 // scale, 300_000 // scale, 10_000 // scale, 1_000 // scale)
    for name, value, goal in rows:
        print(f"{name:<55}{value:>16}  {'goal ' + goal if goal else ''}".rstrip())
    if not quick:
        load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
        report(
            rows,
            f"SQLite, Python {platform.python_version()}, {os.cpu_count()} cores, load average {load:.1f} "
            f"(`python -m benchmarks.bench_review`, {datetime.now(UTC).date()}).",
        )


if __name__ == "__main__":
    main()
