"""The first trainer, ours and trl's SFTTrainer on the same rows: time a sample, eval loss, peak memory.

Usage: ``python -m benchmarks.bench_train [--quick] [--rows N] [--export DIR] [--base DIR]``. The sides run one after
the other, each in a separate process, so that peak memory can be measured. trl takes part if it is installed (``pip
install -c constraints.txt -e .[bench]``). The rows are the first user's corpus if it is at ../shared/corpus, else the
starter corpus.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.sections import write

AS_MAKE_TRAIN = {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}  # what the Makefile sets
ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT.parent / "shared" / "corpus"
SIDES = {
    "cpu": "ours, recipe `cpu`, as `make train` runs it",
    "kept": "the same with `checkpointing = false`",
    "first": "the seed recipe on transformers' Trainer, as the first trainer was",
    "trl": "trl's SFTTrainer with its defaults, same base and adapter as ours",
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="32 rows")
    parser.add_argument("--rows", type=int, default=192)
    parser.add_argument("--eval-rows", type=int, default=48)
    parser.add_argument("--export", type=Path)
    parser.add_argument("--base", type=Path)
    options = parser.parse_args()
    rows, eval_rows = (32, 16) if options.quick else (options.rows, options.eval_rows)
    from train.model import base_model

    base = options.base or base_model.ensure(ROOT / "models" / "base", print)
    with tempfile.TemporaryDirectory(prefix="bench-train-") as folder:
        export = options.export or make_export(Path(folder))
        here = [side for side in SIDES if side != "trl" or find_spec("trl") is not None]
        figures = {side: run(side, rows, eval_rows, export, base) for side in here}
    report(figures, rows, eval_rows)


def make_export(folder: Path) -> Path:
    """Build an export of the first user's corpus, or of the starter corpus if that does not exist."""
    shutil.copyfile(ROOT / "persona.toml", folder / "persona.toml")
    corpus = CORPUS if CORPUS.is_dir() else ROOT / "datasets" / "sources" / "handwritten"
    command = [sys.executable, str(ROOT / "inosuke.py"), "dataset", "--corpus", str(corpus), "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=True)
    return Path(json.loads(done.stdout)["path"])


def run(side: str, rows: int, eval_rows: int, export: Path, base: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.train_sides", side, str(rows), str(eval_rows), str(export), str(base)]
    env = os.environ | (AS_MAKE_TRAIN if side in ("cpu", "kept") else {})
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, encoding="utf-8", check=True, env=env)
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    result["load"] = os.getloadavg()[0]
    print(side, json.dumps(result), file=sys.stderr)
    return result


def report(figures: dict[str, dict[str, Any]], rows: int, eval_rows: int) -> None:
    """Write the section of results.md between its markers."""
    mine, kept, seed = figures["cpu"], figures["kept"], figures["first"]
    times = {side: _times(f, mine) for side, f in figures.items()}
    less = 1 - mine["adapter"] / seed["adapter"]
    lines = [
        "## Training",
        "",
        f"SmolLM2-135M-Instruct in NF4, {rows} training and {eval_rows} eval dialogues, the same for each side, one "
        f"after another; {os.cpu_count()} cores, Python {platform.python_version()}, torch {version('torch')}, "
        f"transformers {version('transformers')}, {datetime.now(UTC):%Y-%m-%d}. The "
        "load of the machine stands beside each row. Nll is per reply character, each side in its own prompt.",
        "",
        "| | s a sample | processor s a sample | steps | nll before | nll after | peak MB | load |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        *(f"| {what} | {_row(figures[side])} |" for side, what in SIDES.items() if side in figures),
        "",
        "| | reached | wanted |",
        "| --- | ---: | ---: |",
        f"| seed recipe's time a sample / ours | {times['first']} | 6, better 8 |",
        f"| the same / ours without checkpointing | {_times(seed, kept)} | |",
        f"| trl's / ours | {times.get('trl', 'not installed')} | 1.3 |",
        f"| reply nll per character, ours lower by | {less:.0%} | 3% |",
        f"| peak memory, ours of the seed recipe's | {_memory(mine, seed)} | 60% |",
        f"| the same, ours without checkpointing | {_memory(kept, seed)} | |",
    ]
    section = "\n".join(lines)
    write("train", section)
    print(section)


def _times(other: dict[str, Any], mine: dict[str, Any]) -> str:
    wall, processor = (other[k] / mine[k] for k in ("seconds", "cpu_seconds"))
    return f"{wall:.1f} (processor {processor:.1f})"


def _memory(mine: dict[str, Any], other: dict[str, Any]) -> str:
    whole, added = (f"{get(mine) / get(other):.0%}" for get in (_peak, _added))
    return f"{whole} (beyond the libraries {added})"


def _peak(f: dict[str, Any]) -> float:
    return float(f["peak_mb"])


def _added(f: dict[str, Any]) -> float:
    return float(f["peak_mb"] - f["libraries_mb"])


def _row(f: dict[str, Any]) -> str:
    before, after = (f"{f[k]:.3f}" if k in f else "" for k in ("base", "adapter"))
    return (
        f"{f['seconds'] / f['rows']:.2f} | {f['cpu_seconds'] / f['rows']:.2f} | {f['steps']} | {before} | {after} | "
        f"{f['peak_mb']:,.0f} | {f['load']:.1f}"
    )


if __name__ == "__main__":
    main()
