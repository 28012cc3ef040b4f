"""Neighbours by meaning: what reading costs, and the search beside a graph index: a part of `make bench`.

    python -m benchmarks.bench_meaning [--quick]

Reads the first user's corpus (../shared/corpus) where it is there, and the starter lines, as one queue of 10,000
samples. Measures the processor time of reading all texts once, one new text, the desk's search and its neighbours of a
sample (95th percentile). hnswlib (`pip install hnswlib`, which needs a C++ compiler) is measured beside the matrix
product where it is installed: build, recall of the ten nearest, time of a query. Writes its section of
benchmarks/results.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from annotations.meaning.index import MeaningIndex
from annotations.store.review_store import ReviewStore
from benchmarks.bench_review import p95, timed
from benchmarks.sections import write
from curation import importers
from curation.dedup.wording import normal
from curation.meaning.calibration import DEFAULT_COSINE
from curation.meaning.encoder import E5
from curation.meaning.neighbours import cosines, meaning_text, near_pairs
from curation.meaning.vectors import Vectors
from curation.persona import load_persona
from curation.record import Sample
from curation.review.queue import QueueItem

ROOT = Path(__file__).resolve().parents[1]
CORPUS = ROOT.parent / "shared" / "corpus"
ROWS, QUICK_ROWS = 10_000, 600
READ_ROWS = 9_259  # what the goal for reading is about: the first user's corpus
QUERIES = 200
NEAREST = 10
# hnswlib's own advice for M is 12 to 48; a larger `ef` finds more and takes longer.
LINKS, BUILD_EFFORT, EFFORTS = 16, 200, (10, 20, 50, 100, 200)


def samples_to_read(most: int) -> tuple[list[Sample], str]:
    """Return distinct samples, and what they are in words."""
    persona = load_persona(ROOT / "persona.toml")
    folders = [CORPUS] if CORPUS.is_dir() else []
    folders += [ROOT / "datasets" / "sources" / "handwritten"]
    files = [file for folder in folders for file in sorted(folder.glob("*.json*"))]
    found = {s.id: s for file in files for s in importers.read(file, persona).samples}
    what = "the first user's rows and the starter lines" if CORPUS.is_dir() else "the starter lines"
    return list(found.values())[:most], what


def cpu(action: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what an action returns, its processor time over all threads, and its wall time, in seconds."""
    before, begin = time.process_time(), time.perf_counter()
    result = action()
    return result, time.process_time() - before, time.perf_counter() - begin


def reading(samples: list[Sample], folder: Path) -> list[tuple[str, str, str]]:
    """Measure reading all texts once, again, and one new text."""
    encoder = E5()
    texts = [meaning_text(sample, templates()) for sample in samples]
    vectors = Vectors(encoder, folder, print)
    _, spent, wall = cpu(lambda: vectors.of(texts, quiet=False))
    distinct = len(set(texts))
    rows = [
        (
            f"reading {len(texts):,} texts once ({distinct:,} distinct)",
            f"{spent:.0f} s of CPU, {wall:.0f} s",
            "300 s of CPU",
        ),
        ("  a text", f"{spent / distinct * 1000:.1f} ms of CPU", ""),
    ]
    again, spent, wall = cpu(lambda: Vectors(encoder, folder, print))
    rows.append(("opening what is on the disk", f"{wall * 1000:.0f} ms", ""))
    _, spent, wall = cpu(lambda: again.of(texts))
    rows.append(("the same texts again", f"{wall * 1000:.0f} ms, 0 of them read", ""))
    one = iter(f"{text} Lần nữa!" for text in texts)
    each, spent, _ = cpu(lambda: timed(50, lambda: again.of([next(one)])))
    rows.append(("one new text, read and kept, p95 of 50", f"{p95(each):.0f} ms", "60 ms"))
    rows.append(("  a text", f"{spent / 50 * 1000:.0f} ms of CPU", ""))
    pairs, spent, wall = cpu(lambda: near_pairs(samples, again, DEFAULT_COSINE, templates()))
    only = sum(pair.ratio < 90 for pair in pairs)
    rows.append(
        (f"all pairs from the default on: {len(pairs):,}, {only:,} of them by meaning only", f"{wall:.1f} s", "")
    )
    return rows


def templates() -> set[str]:
    return {normal(prompt) for prompt in load_persona(ROOT / "persona.toml").dedup.template_prompts}


def at_the_desk(samples: list[Sample], folder: Path) -> list[tuple[str, str, str]]:
    """Measure what an annotator waits for: a search with its twenty samples, and the neighbours of a sample."""
    store = ReviewStore(f"sqlite:///{folder / 'review.db'}")
    store.queue.load([QueueItem(sample) for sample in samples], stamp="1")
    prompts = load_persona(ROOT / "persona.toml").dedup.template_prompts
    index = MeaningIndex(store, folder / "vectors", prompts)
    index.wait()
    ids = [sample.id for sample in samples]
    step = max(1, len(samples) // QUERIES)
    # Words that no sample has in this form: the beginning of one, the end of another.
    words = iter([f"{a.replies[-1][:40]} {b.replies[-1][-40:]}" for a, b in zip(samples, samples[step:], strict=False)])
    some = iter(ids[::step])

    def search() -> None:
        index.state()
        for hit in index.search(next(words), 20):
            store.queue.item(hit.sample_id, "An")

    def near() -> None:
        index.state()
        for hit in index.near(store.queue.item(next(some), "An"), 0.94, 6):
            store.queue.item(hit.sample_id, "An")

    n = min(QUERIES, len(ids[::step]))
    rows = [
        (f"a search by meaning over {len(ids):,} samples, p95 of {n}", f"{p95(timed(n, search)):.0f} ms", "300 ms"),
        ("the neighbours of an open sample, p95", f"{p95(timed(n, near)):.0f} ms", ""),
    ]
    store.close()
    return rows


def beside_hnswlib(matrix: NDArray[np.float32], queries: NDArray[np.float32]) -> list[tuple[str, str, str, str]]:
    """Measure the ten nearest of each query: by the matrix product, and by hnswlib with several efforts."""
    right: list[set[int]] = []

    def nearest(query: NDArray[np.float32]) -> set[int]:
        return set(np.argsort(-cosines(matrix, query), kind="stable")[:NEAREST].tolist())

    rows = [("matrix product", "0", "100.0%", f"{p95(answered(nearest, queries, right)):.2f} ms")]
    try:
        import hnswlib
    except ImportError:
        return [*rows, ("hnswlib", "not installed", "", "")]
    graph = hnswlib.Index(space="ip", dim=matrix.shape[1])

    def build() -> None:
        graph.init_index(len(matrix), ef_construction=BUILD_EFFORT, M=LINKS, random_seed=1)
        graph.set_num_threads(1)
        graph.add_items(matrix)

    _, spent, _ = cpu(build)
    for effort in EFFORTS:
        graph.set_ef(effort)
        found: list[set[int]] = []
        each = answered(lambda query: set(graph.knn_query(query, NEAREST)[0][0].tolist()), queries, found)
        recall = sum(len(a & b) for a, b in zip(found, right, strict=True)) / (NEAREST * len(queries))
        rows.append((f"hnswlib, ef {effort}", f"{spent:.1f} s of CPU", f"{recall:.1%}", f"{p95(each):.2f} ms"))
    return rows


def answered(
    ask: Callable[[NDArray[np.float32]], set[int]], queries: NDArray[np.float32], found: list[set[int]]
) -> list[float]:
    """Ask each query, add what it finds to ``found``, and return the seconds that each took."""
    asked = iter(queries)
    return timed(len(queries), lambda: found.append(ask(next(asked))))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="600 samples; results.md stays as it is")
    quick = parser.parse_args().quick
    samples, what = samples_to_read(QUICK_ROWS if quick else ROWS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = reading(samples[:READ_ROWS], folder / "vectors") + at_the_desk(samples, folder)
        encoder = E5()
        vectors = Vectors(encoder, folder / "vectors", print)
        matrix = vectors.of([meaning_text(sample, templates()) for sample in samples])
        some = samples[:: max(1, len(samples) // QUERIES)]
        queries = np.stack([encoder.query(sample.replies[-1][:60]) for sample in some])
        graph = beside_hnswlib(matrix, queries)
    text = f"""## Neighbours by meaning

{len(samples):,} samples: {what}. {encoder.name}. Python {platform.python_version()}, numpy {np.__version__}, \
{os.cpu_count()} cores with a load of {os.getloadavg()[0]:.1f} from others.

| | measured | to keep |
|---|--:|--:|
{chr(10).join(f"| {a} | {b} | {c} |" for a, b, c in rows)}

The ten nearest of {len(queries)} queries (hnswlib: M {LINKS}, ef_construction {BUILD_EFFORT}, inner product):

| | build | recall | a query, p95 |
|---|--:|--:|--:|
{chr(10).join(f"| {a} | {b} | {c} | {d} |" for a, b, c, d in graph)}
"""
    print(text)
    if not quick:
        write("meaning", text)


if __name__ == "__main__":
    main()
