"""Near pairs by way of the disk: `python -m benchmarks.bench_dedup_large [--quick] [--size N …] [--sample N]`.

Each size runs `inosuke dedup FILE --pairs` as a user does; the first size also runs the same job in memory. Of
``--sample`` texts everything but the tiles is done in full; every k-th tile is compared and the seconds multiplied,
since the tiles of ten million texts take an hour of processor time. Writes its section of results.md without --quick.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.bench_dedup import corpus_rows, replies
from benchmarks.sections import write

ROOT = Path(__file__).resolve().parent.parent
_BATCH = 100_000


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes; writes nothing")
    parser.add_argument("--size", type=int, nargs="+", default=[1_000_000, 3_000_000])
    parser.add_argument("--sample", type=int, default=10_000_000, help="texts of which some tiles are compared")
    parser.add_argument("--child", nargs=3, metavar=("WHAT", "IN", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        what, texts, out = options.child
        print(json.dumps({"memory": _memory, "tiles": _tiles}[what](Path(texts), Path(out))))
        return
    sizes, sample = ([20_000], 50_000) if options.quick else (options.size, options.sample)
    text = "\n".join(_measure(sizes, sample))
    print(text)
    if not options.quick:
        write("dedup_large", f"## Near-duplicates by way of the disk\n\n{text}")


def _measure(sizes: list[int], sample: int) -> Iterator[str]:
    yield f"Threshold 90. Python {platform.python_version()}, {os.cpu_count()} cores with a load of"
    yield f"{psutil.getloadavg()[1]:.1f} from others. Texts are made of the corpus' replies:"
    yield "the beginning of one and the end of another, one word in seven replaced. One in ten is an"
    yield "earlier text with one word replaced."
    yield ""
    yield "| texts | way | distinct | pairs | wall s | CPU s | peak MB |"
    yield "|--:|---|--:|--:|--:|--:|--:|"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for at, size in enumerate(sizes):
            source, pairs = folder / f"{size}.parquet", folder / "pairs.parquet"
            generate(size, source)
            command = [sys.executable, "inosuke.py", "dedup", str(source), "--field", "text", "--pairs", str(pairs)]
            _say(f"{size:,} texts by way of the disk")
            disk, said = _timed(command)
            distinct = said.split(" rows, ")[1].split(" ")[0]
            yield f"| {size:,} | `inosuke dedup --pairs` | {distinct} | {_rows(pairs):,} | {_figures(disk)} |"
            if at == 0:
                _say(f"{size:,} texts in memory")
                other = folder / "memory.parquet"
                memory, _ = _timed(_child("memory", source, other))
                if not pq.read_table(pairs).equals(pq.read_table(other)):
                    raise SystemExit("the two ways differ: this is a bug, and no figure counts")
                yield f"| {size:,} | `similar_pairs`, in memory | | {_rows(other):,} | {_figures(memory)} |"
                yield (
                    f"| | disk to memory | | equal | | **{disk['cpu'] / memory['cpu']:.2f}** | "
                    f"**{disk['peak'] / memory['peak']:.2f}** |"
                )
        _say(f"{sample:,} texts, some of their tiles")
        generate(sample, folder / "sample.parquet")
        whole, said = _timed(_child("tiles", folder / "sample.parquet", folder / "work"))
    found = json.loads(said)
    yield ""
    yield f"{sample:,} texts, {found['distinct']:,} of them distinct: read, sorted and counted in {found['before']:.0f}"
    yield f"CPU s; {found['done']} of {found['tiles']:,} tiles took {found['cpu']:.1f} CPU s, which makes"
    yield f"**{found['cpu'] * found['share']:,.0f} CPU s** for all of them; peak {whole['peak']:,.0f} MB."


def generate(count: int, path: Path) -> None:
    """Write seeded texts as the column `text`: replies of the corpus cut and joined, as ``bench_dedup.made`` does."""
    dice = np.random.default_rng(0)
    seeds = [seed.split(" ") for seed in replies(corpus_rows()[0])]
    words = np.array([word for seed in seeds for word in seed], object)
    size = np.array([len(seed) for seed in seeds])
    begin = np.cumsum(size) - size
    earlier: list[str] = []  # the first of the earlier batches, which near-duplicates are made of
    with pq.ParquetWriter(path, pa.schema([("text", pa.string())])) as writer:
        for start in range(0, count, _BATCH):
            batch = _made(min(_BATCH, count - start), dice, words, begin, size, earlier)
            earlier += batch[:1000]
            writer.write_table(pa.table({"text": batch}))


def _made(
    count: int,
    dice: np.random.Generator,
    words: NDArray[np.object_],
    begin: NDArray[np.int64],
    size: NDArray[np.int64],
    earlier: list[str],
) -> list[str]:
    a, b = dice.integers(len(size), size=(2, count))
    cut, rest = dice.integers(1, size[a] + 1), dice.integers(0, size[b] + 1)
    texts: list[str] = []
    for k in range(count):
        pool = earlier if earlier and k % 2 else texts
        if pool and dice.random() < 0.1:
            text = pool[dice.integers(len(pool))].split(" ")
            text[dice.integers(len(text))] = words[dice.integers(len(words))]
        else:
            first, second = begin[a[k]], begin[b[k]]
            text = [*words[first : first + cut[k]], *words[second + rest[k] : second + size[b[k]]]]
            for at in np.flatnonzero(dice.random(len(text)) < 1 / 7).tolist():
                text[at] = words[dice.integers(len(words))]
        texts.append(" ".join(text))
    return texts


# ---------------------------------------------------------------- in processes of their own


def _memory(source: Path, out: Path) -> dict[str, Any]:
    """Do in memory what the command does."""
    from curation.dedup import similar_pairs
    from curation.dedup.samples_file import read_texts
    from curation.dedup.wording import normal

    table = similar_pairs(list(map(normal, read_texts(source, "text"))))
    pq.write_table(pa.table({name: table[name] for name in ("i", "j", "score")}), out, compression="zstd")
    return {"pairs": len(table)}


def _tiles(source: Path, work: Path) -> dict[str, Any]:
    """Prepare all texts, compare every k-th tile on one thread."""
    from curation.dedup.join.sorted_texts import sort_texts
    from curation.dedup.join.tiles import plan, run_tile
    from curation.dedup.samples_file import read_texts
    from curation.dedup.wording import normal

    work.mkdir()
    side = sort_texts(map(normal, read_texts(source, "text")), work).side
    before = time.process_time()
    tiles = plan(side.signatures)
    some = tiles[7 :: max(1, len(tiles) // 16)]
    run_tile(side, side, 90, some[0], False)
    start = time.process_time()
    for tile in some:
        run_tile(side, side, 90, tile, False)
    cpu = time.process_time() - start
    rows = sum(tile.end - tile.start for tile in some)
    distinct = len(side.signatures)
    return {
        "before": before,
        "distinct": distinct,
        "tiles": len(tiles),
        "done": len(some),
        "cpu": cpu,
        "share": distinct / rows,
    }


def _child(what: str, source: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "benchmarks.bench_dedup_large", "--child", what, str(source), str(out)]


def _timed(command: list[str]) -> tuple[dict[str, float], str]:
    """Run a command; return its seconds and peak memory, and what it printed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return _spent(time.perf_counter() - start, used), said


def _spent(wall: float, used: resource.struct_rusage) -> dict[str, float]:
    # Linux counts in kilobytes.
    return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}


def _figures(spent: dict[str, float]) -> str:
    return f"{spent['wall']:.0f} | {spent['cpu']:.1f} | {spent['peak']:,.0f}"


def _rows(path: Path) -> int:
    count: int = pq.ParquetFile(path).metadata.num_rows
    return count


def _say(what: str) -> None:
    print(f"bench_dedup_large: {what} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
