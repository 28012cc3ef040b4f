"""Keys and typed text at the review desk in Chromium: the desk's part of `make bench`.

    python -m benchmarks.bench_desk [--quick] [keys] [text]

On a queue of 100,000 samples: 10,000 random keys at 5 to 30 a second, with and without an input method
(`desk_keys.py`), then 200 misfortunes in the middle of typing (`desk_text.py`). Ends with an error for a single verdict
that was not meant, lost, or made on a sample that was not on the screen, and for a character that is missing.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from annotations.store.log_sync import refresh
from annotations.store.review_store import ReviewStore
from benchmarks.bench_review import queue
from benchmarks.desk_keys import RECORDER, press, recorded
from benchmarks.desk_text import MISFORTUNES, Recovered, recover
from benchmarks.sections import write
from curation.folders import Folders
from curation.persona import Review
from curation.review.queue import write_queue
from tests.annotations.ui.desk_browser import Annotator, launch
from tests.annotations.ui.desk_server import ROOT, Server

RATES = (5, 10, 20, 30)
PARTS = ("keys", "text")


def main() -> None:
    """Measure both parts, or the one that is named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything; writes no results")
    parser.add_argument("parts", nargs="*", metavar="keys|text", help="one part; without it both")
    options = parser.parse_args()
    chosen = options.parts or PARTS
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"unknown part: {', '.join(sorted(unknown))}. Expected keys or text.")
    samples, keys, times = (10_000, 1_000, 21) if options.quick else (100_000, 10_000, 200)
    wrong: list[str] = []
    # A desk each: the second part must not begin with what the first one left in it.
    for part in chosen:
        with tempfile.TemporaryDirectory() as folder, desk(Path(folder), samples) as (browser, server, store):
            text, faults = (
                _keys(browser, server, store, keys) if part == "keys" else _text(browser, server, store, times)
            )
        print(text)
        wrong += faults
        if not options.quick:
            write(f"desk_{part}", text)
    if wrong:
        raise SystemExit("\n".join(wrong))


@contextmanager
def desk(root: Path, samples: int) -> Iterator[tuple[Any, Server, ReviewStore]]:
    """Start a desk with this many samples, and a browser."""
    from playwright.sync_api import sync_playwright

    (root / "persona.toml").write_bytes((ROOT / "persona.toml").read_bytes())
    folders = Folders(root)
    write_queue(queue(samples), folders.queue)
    store = ReviewStore(f"sqlite:///{folders.datasets / 'review.db'}")
    refresh(store, folders, Review())
    server = Server(root)
    server.start()
    try:
        with sync_playwright() as playwright:
            browser = launch(playwright)
            yield browser, server, store
            browser.close()
    finally:
        server.stop()
        store.close()


def _keys(browser: Any, server: Server, store: ReviewStore, keys: int) -> tuple[str, list[str]]:
    """Press random keys; return the section of results.md and what went wrong."""
    an = Annotator(browser, server, store, "An")
    an.context.add_init_script(RECORDER)
    an.page.close()
    an.page = an.open()
    tally = press(an.page, keys, seed=1, rates=RATES)
    recorded(store, an.page, an.who, tally)
    an.close()
    spent = sorted(tally.to_next)
    p95 = spent[int(0.95 * len(spent))]
    text = f"""## Keys at the desk

{_where(store)}
Keys at {", ".join(map(str, RATES))} a second, {tally.composed:,} letters composed by an input method among them.

| {tally.keys:,} random keys over all modes | | to reach |
|---|--:|--:|
| verdicts made | {tally.verdicts:,} | |
| on a sample that was not on the screen | {len(tally.not_on_screen)} | 0 |
| by a key that was meant for a text | {len(tally.meant_for_text)} | 0 |
| lost without a message | {len(tally.lost)} | 0 |
| not recorded, or recorded otherwise | {len(tally.not_recorded)} | 0 |
| did not count, with a message: the next sample was not painted yet | {tally.uncounted:,} | |
| key to next sample, median | {statistics.median(spent):.0f} ms | 100 ms |
| key to next sample, 95th percentile | {p95:.0f} ms | 250 ms |
"""
    return text, tally.wrong()


def _text(browser: Any, server: Server, store: ReviewStore, times: int) -> tuple[str, list[str]]:
    """Interrupt the typing; return the section of results.md and what went wrong."""
    found: Recovered = recover(Annotator(browser, server, store, "Bình"), times, seed=1)
    text = f"""## Typed text at the desk

{_where(store)}

| {found.times} times {", ".join(MISFORTUNES[:-1])} or {MISFORTUNES[-1]} while typing | | to reach |
|---|--:|--:|
| characters typed | {found.typed:,} | |
| times that text older than 200 ms was missing | {len(found.missing)} | 0 |
| characters of the last 200 ms missing | {found.last_moment} | |
"""
    return text, found.missing


def _where(store: ReviewStore) -> str:
    samples = sum(n for kind in store.queue.counts().values() for n in kind.values())
    return (
        f"Chromium and the server on one machine, {samples:,} samples, SQLite. "
        f"Python {platform.python_version()}, load average {os.getloadavg()[0]:.1f}."
    )


if __name__ == "__main__":
    main()
