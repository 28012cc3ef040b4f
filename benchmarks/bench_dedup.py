"""Near-duplicates against brute force and MinHash: `python -m benchmarks.bench_dedup [--quick]`.

Both sides in one run: the user's rows if ../shared/corpus exists (else the starter corpus), and variants made
of its replies. Ratios are of processor time over all threads, which the other users of a machine disturb less than the
clock. Progress on standard error; prints its own section of results.md and, without --quick, writes it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
from rapidfuzz import fuzz, process

from benchmarks.minhash import MINHASH
from benchmarks.sections import write
from curation.dedup import Index, similar_pairs

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT.parent / "shared" / "corpus"
STARTER = ROOT / "datasets" / "sources" / "handwritten"


class Took(NamedTuple):
    """Seconds by the clock, and seconds of processor time over all threads."""

    wall: float
    cpu: float


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes; writes nothing")
    parser.add_argument("--child", choices=["first", "million"], help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        print(json.dumps(_first() if options.child == "first" else _million(options.size)))
        return
    text = "\n".join(_measure(options.quick))
    print(text)
    if not options.quick:
        write("dedup", f"## Near-duplicates\n\n{text}")


def _measure(quick: bool) -> Iterator[str]:
    rows, name = corpus_rows()
    rows = rows[:1500] if quick else rows
    yield f"Texts: {name}. Threshold 90. Python {platform.python_version()}, {_versions('rapidfuzz', 'numba')};"
    yield f"{os.cpu_count()} cores with a load of {psutil.getloadavg()[1]:.1f} from others. Brute force is"
    yield "`rapidfuzz.process.cdist` on one thread."
    yield ""
    yield "| texts | mean chars | pairs | brute force, CPU s | ours, CPU s | times | ours, wall s |"
    yield "|--:|--:|--:|--:|--:|--:|--:|"
    similar_pairs(made(rows, 3000))  # compiles, or loads what is compiled
    yield _against_brute_force(rows, len(rows))
    for size in (5_000,) if quick else (9_259, 100_000):
        yield _against_brute_force(made(replies(rows), size), 1000)
    yield ""

    _say("a first join in a new process, code compiled and cached")
    with tempfile.TemporaryDirectory() as folder:
        compiled, cached = (_child("first", NUMBA_CACHE_DIR=folder) for _ in range(2))
    size = 20_000 if quick else 1_000_000
    _say(f"{size:,} texts, then 1,000 more against an index of them")
    large = _child("million", size=size)
    yield "| | wall s | CPU s | peak MB |"
    yield "|---|--:|--:|--:|"
    yield f"| importing the join the first time ever: compiles | {_seconds(compiled['import'])} | |"
    yield f"| in every later process: loads what is compiled | {_seconds(cached['import'])} | |"
    yield f"| {size:,} variants, {large['pairs']:,} pairs | {_seconds(large['join'])} | {large['peak']:.0f} |"
    yield f"| putting them into an index on disk ({large['disk']:.0f} MB) | {_seconds(large['build'])} | |"
    yield f"| 1,000 new against it, opened and checked ({large['near']:,} pairs) | {_seconds(large['lookup'])} | |"
    yield f"| adding these | {_seconds(large['add'])} | |"
    yield ""
    yield from _against_minhash(rows)
    yield ""
    yield "To reach: 120 times on the user's rows, 600 times at 100,000; 1,000,000 under 40 s and 2 GB;"
    yield "1,000 new texts against 1,000,000 under 1.5 s."


# ---------------------------------------------------------------- texts


def corpus_rows() -> tuple[list[str], str]:
    """Return whole rows, lower-cased, and what they are."""
    if CORPUS.is_dir():
        files = [CORPUS / f"{name}.json" for name in ("persona", "quotes", "conversations", "genericqa")]
        found = [row for path in files for row in json.loads(path.read_text(encoding="utf-8"))]
        name = "the first user's rows, whole, in lower case"
    else:
        lines = [
            line for path in sorted(STARTER.glob("*.jsonl")) for line in path.read_text(encoding="utf-8").split("\n")
        ]
        found = [json.loads(line) for line in lines if line.strip()]
        name = "the starter corpus' rows, whole, in lower case"
    return ["\n".join((row["instruction"], row.get("input", ""), row["output"])).lower() for row in found], name


def replies(rows: Sequence[str]) -> list[str]:
    """Return the last line of each row."""
    return [row.rsplit("\n", 1)[-1] for row in rows]


def made(seeds: Sequence[str], count: int) -> list[str]:
    """Make new texts: the beginning of one seed and the end of another, one word in seven replaced.

    One in ten is an earlier text with one word replaced: the near-duplicates.
    """
    dice = random.Random(0)
    split = [seed.split(" ") for seed in seeds]
    words = [word for seed in split for word in seed]
    texts: list[str] = []
    for _ in range(count):
        if texts and dice.random() < 0.1:
            text = dice.choice(texts).split(" ")
            text[dice.randrange(len(text))] = dice.choice(words)
        else:
            a, b = dice.choice(split), dice.choice(split)
            text = a[: dice.randint(1, len(a))] + b[dice.randint(0, len(b)) :]
            text = [dice.choice(words) if dice.random() < 1 / 7 else word for word in text]
        texts.append(" ".join(text))
    return texts


# ---------------------------------------------------------------- measurements


def _against_brute_force(texts: Sequence[str], block: int) -> str:
    """Time brute force on ``block`` rows of the matrix and scale it up; ours before and after it, the better counts."""
    _say(f"{len(texts):,} texts against brute force")
    before, pairs = took(lambda: similar_pairs(texts))
    rows = random.Random(1).sample(range(len(texts)), block)
    found = set()

    def brute_force() -> None:
        for start in range(0, block, 500):
            chosen = rows[start : start + 500]
            scores = process.cdist([texts[i] for i in chosen], texts, scorer=fuzz.ratio, score_cutoff=90)
            found.update(
                (min(chosen[k], j), max(chosen[k], j)) for k, j in np.argwhere(scores).tolist() if chosen[k] != j
            )

    brute, _ = took(brute_force)
    after, _ = took(lambda: similar_pairs(texts))
    wanted = set(rows)
    if found != {(i, j) for i, j in zip(pairs.i.tolist(), pairs.j.tolist(), strict=True) if {i, j} & wanted}:
        raise SystemExit("the join and brute force differ: this is a bug, and no figure counts")
    ours, scale = min(before, after, key=lambda t: t.cpu), len(texts) / block
    length = sum(map(len, texts)) / len(texts)
    said = f"{brute.cpu * scale:,.1f}" + ("" if block == len(texts) else f" (from {block:,} rows)")
    return (
        f"| {len(texts):,} | {length:.0f} | {len(pairs):,} | {said} | {ours.cpu:.3f} | "
        f"**{brute.cpu * scale / ours.cpu:,.0f}** | {ours.wall:.3f} |"
    )


def _against_minhash(texts: Sequence[str]) -> Iterator[str]:
    cpu, pairs = took(lambda: similar_pairs(texts))
    truth = set(zip(pairs.i.tolist(), pairs.j.tolist(), strict=True))
    yield f"Beside MinHash, on the same {len(texts):,} rows ({len(truth):,} pairs; {_versions('datasketch', 'rensa')}):"
    yield ""
    yield "| | pairs | recall | precision | CPU s |"
    yield "|---|--:|--:|--:|--:|"
    yield f"| ours | {len(truth):,} | 100.0% | 100.0% | {cpu.cpu:.2f} |"
    for name, find in MINHASH.items():
        _say(name)
        try:
            seconds, found = took(lambda find=find: find(texts))  # type: ignore[misc]
        except ImportError as error:
            yield f"| {name} | not measured: {error.name} is not installed | | | |"
            continue
        right = len(found & truth)
        precision = f"{100 * right / len(found):.1f}%" if found else "–"
        yield f"| {name} | {len(found):,} | {100 * right / len(truth):.1f}% | {precision} | {seconds.cpu:.2f} |"


def took(work: Callable[[], Any]) -> tuple[Took, Any]:
    """Run work; return its times and its result."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return Took(time.perf_counter() - wall, time.process_time() - cpu), result


# ---------------------------------------------------------------- in processes of their own


def _first() -> dict[str, Took]:
    return {"import": took(lambda: importlib.import_module("curation.dedup.join.kernels"))[0]}


def _million(size: int) -> dict[str, Any]:
    import resource

    texts = made(replies(corpus_rows()[0]), size + 1000)
    old, new = texts[:size], texts[size:]
    similar_pairs(old[:3000])
    join, pairs = took(lambda: similar_pairs(old))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # Linux counts in kilobytes
    with tempfile.TemporaryDirectory() as folder:
        build, _ = took(lambda: Index(folder).add(old))
        disk = sum(path.stat().st_size for path in Path(folder).rglob("*.npy")) / 1e6
        lookup, near = min((took(lambda: Index(folder).near(new)) for _ in range(2)), key=lambda t: t[0].wall)
        add, _ = took(lambda: Index(folder).add(new))
    return {
        "join": join,
        "pairs": len(pairs),
        "peak": peak,
        "build": build,
        "disk": disk,
        "lookup": lookup,
        "near": len(near),
        "add": add,
    }


def _child(step: str, size: int = 0, **environment: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.bench_dedup", "--child", step, "--size", str(size)]
    out = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env={**os.environ, **environment}
    )
    found: dict[str, Any] = json.loads(out.stdout)
    return found


def _seconds(took: Sequence[float]) -> str:
    wall, cpu = took
    return f"{wall:.1f} | {cpu:.1f}" if wall > 5 else f"{wall:.2f} | {cpu:.2f}"


def _versions(*packages: str) -> str:
    said = []
    for package in packages:
        try:
            said.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            said.append(f"{package} not installed")
    return ", ".join(said)


def _say(what: str) -> None:
    print(f"bench_dedup: {what} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
