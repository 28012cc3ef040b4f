"""What `order = "teaching"` saves: how good a run is after N verdicts in that order, and in a random one.

Usage: ``python -m benchmarks.bench_teaching_order [CORPUS] [--pool N] [--verdicts N] [--seeds N] [--quick]``. CORPUS
is a folder that `inosuke dataset --corpus` takes, with more rows than ``--pool``; otherwise the starter corpus' own
lines. Needs the default base.

A reviewer is simulated who approves what comes. A first tenth of the pool is approved at random, trained on and left to
`inosuke evaluate --queue`; from then on one reviewer follows the queue and the others draw lots. The one of the queue
gives 60% and all of the verdicts, those of the lots too. Each dataset is built and trained by the project's own
commands, in a project of its own, and each run is measured on the same dialogues, which no one was shown. Writes its
section of benchmarks/results.md.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.bench_serve import ROOT, say
from benchmarks.sections import write
from curation.contracts.queue_scores import read_waiting
from curation.contracts.rows import ExportedRow
from curation.folders import Folders
from curation.persona import load_persona
from curation.record import Sample, messages_to_json
from curation.review.decisions import Decision, Log, write_log
from curation.review.queue import read_queue

HELD_OUT = 200  # dialogues that every run is measured on
RUN = "run"  # by name: a run that learnt this little may not speak well enough to be the newest
FEWER = 0.6  # of the verdicts, which is what the order is hoped to save
SOURCE = """
[[sources]]
path = "datasets/sources/pool"
rights = "own"
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_teaching_order")
    parser.add_argument("corpus", type=Path, nargs="?", default=ROOT / "datasets" / "sources" / "handwritten")
    parser.add_argument("--pool", type=int, default=1500, help="samples that wait")
    parser.add_argument("--verdicts", type=int, default=500, help="verdicts after the first tenth")
    parser.add_argument("--seeds", type=int, default=2, help="reviewers who draw lots")
    parser.add_argument("--quick", action="store_true", help="a small pool, one reviewer who draws lots")
    options = parser.parse_args()
    if options.quick:
        options.pool, options.verdicts, options.seeds = 300, 100, 1
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        recipe = recipe_file(work / "recipe.toml")
        shown, hidden = pool_of(options.corpus, work / "all", options.pool)
        held_out = read_waiting(project(work / "held-out", "teaching", written(hidden)).waiting)
        nothing = project(work / "nothing", "teaching", written(shown))
        first = copied(nothing, work / "first")
        waiting = [row.id for row in read_waiting(first.waiting)]
        chance = random.Random(0)
        begun = chance.sample(waiting, len(waiting) // 10)
        approve(first, begun)
        start = trained(first, recipe, held_out)
        inosuke(first, "evaluate", RUN, "--queue")
        inosuke(first, "dataset")
        queued = [item for item in read_queue(first.queue) if item.placed]
        by_queue = [item.sample.id for item in sorted(queued, key=lambda item: item.placed.place)]
        orders = {"teaching": [by_queue]}
        left = sorted(by_queue)
        orders["random"] = [random.Random(seed).sample(left, len(left)) for seed in range(1, options.seeds + 1)]
        figures: dict[tuple[str, int], list[float]] = {}
        for share in (FEWER, 1.0):
            count = round(options.verdicts * share)
            for name, several in orders.items():
                for number, order in enumerate(several):
                    target = copied(nothing, work / f"{name}-{number}-{count}")
                    approve(target, [*begun, *order[:count]])
                    figures.setdefault((name, count), []).append(trained(target, recipe, held_out))
                    say(f"{name}, {count} verdicts: {figures[name, count][-1]:.4f}")
    text = report(len(waiting), len(begun), len(held_out), start, figures)
    print(text)
    if not options.quick:
        write("teaching_order", text)
    return 0


def pool_of(corpus: Path, folder: Path, count: int) -> tuple[list[Sample], list[Sample]]:
    """Return samples of a corpus as `inosuke dataset` imports them: ``count`` to be shown, and those held out."""
    files = [file for file in sorted(corpus.rglob("*.json*")) if not file.name.startswith("test_set")]
    names = (f"{file.stem}-{number}{file.suffix}" for number, file in enumerate(files))
    texts = {name: file.read_text(encoding="utf-8") for name, file in zip(names, files, strict=True)}
    folders = project(folder, "flagged", texts)
    samples = sorted((item.sample for item in read_queue(folders.queue)), key=lambda sample: sample.id)
    if len(samples) < count + HELD_OUT:
        sys.exit(f"{corpus} has {len(samples)} samples, and {count + HELD_OUT} are needed. Give a smaller --pool.")
    drawn = random.Random(0).sample(samples, count + HELD_OUT)
    return drawn[HELD_OUT:], drawn[:HELD_OUT]


def written(samples: Iterable[Sample]) -> dict[str, str]:
    """Return a source file that holds these samples."""
    lines = (json.dumps({"messages": messages_to_json(s.messages)}, ensure_ascii=False) for s in samples)
    return {"pool.jsonl": "".join(f"{line}\n" for line in lines)}


def project(folder: Path, order: str, files: Mapping[str, str]) -> Folders:
    """Make a project with this order of the queue, in which everything in the files waits for a verdict."""
    folders = Folders(folder)
    source = folder / "datasets" / "sources" / "pool"
    source.mkdir(parents=True)
    shipped = (ROOT / "persona.toml").read_text(encoding="utf-8")
    own = shipped[: shipped.index("# Source folders;")].replace('order = "flagged"', f'order = "{order}"')
    (folder / "persona.toml").write_text(own + SOURCE, encoding="utf-8")
    for name, text in files.items():
        (source / name).write_text(text, encoding="utf-8")
    inosuke(folders, "dataset")
    return folders


def copied(folders: Folders, target: Path) -> Folders:
    """Return a copy of a project."""
    shutil.copytree(folders.root, target)
    return Folders(target)


def approve(folders: Folders, ids: Iterable[str]) -> None:
    """Approve samples in the log, and build the dataset."""
    decisions = tuple(
        Decision(
            id=f"{number:032x}",
            sample_id=sample,
            revision=0,
            verdict="approve",
            messages=None,
            reason="",
            annotator="simulated",
            client="cli",
            time=f"2026-01-01T{number // 3600:02d}:{number // 60 % 60:02d}:{number % 60:02d}.000+00:00",
        )
        for number, sample in enumerate(ids)
    )
    write_log(folders.log, Log(decisions))
    inosuke(folders, "dataset")


def recipe_file(file: Path) -> Path:
    """Write the recipe `cpu` with its base as this project has it, so that no other project fetches it again."""
    from train import recipe
    from train.model import base_model

    persona = load_persona(ROOT / "persona.toml")
    base = base_model.resolve(persona.models.cpu, ROOT, persona.languages, say)
    shipped = recipe.load_recipe("cpu").model_copy(update={"base": str(base.location)})
    file.write_text(recipe.to_toml(shipped), encoding="utf-8")
    return file


def trained(folders: Folders, recipe: Path, held_out: Sequence[ExportedRow]) -> float:
    """Train on what is approved. Returns the nll per character of the replies that no one was shown."""
    from train.evaluation.subject import open_subject
    from train.run.finished import open_run

    inosuke(folders, "train", "--no-gguf", "--recipe", str(recipe), "--run", RUN)
    subject = open_subject(open_run(folders.root, RUN, say), say)
    encoded, _ = subject.encode(held_out)
    scores = subject.adapter_scores(encoded)
    subject.close()
    return math.fsum(s.nll for s in scores) / sum(s.chars for s in scores)


def inosuke(folders: Folders, *arguments: str) -> None:
    say(f"{folders.root.name}: inosuke {' '.join(arguments)}")
    command = [sys.executable, "-m", "inosuke", *arguments, "--persona", str(folders.root / "persona.toml")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-4000:]}")


def report(pool: int, begun: int, held_out: int, start: float, figures: dict[tuple[str, int], list[float]]) -> str:
    counts = sorted({count for _, count in figures})
    rows = [
        f"| {order} | " + " | ".join(", ".join(f"{x:.4f}" for x in figures[order, count]) for count in counts) + " |"
        for order in ("teaching", "random")
    ]
    return "\n".join(
        [
            "## What the teaching order saves",
            "",
            f"A simulated reviewer approves what comes of {pool:,} samples of a first corpus; {begun} of them"
            f" were approved at random and trained on before (nll per reply character {start:.4f}). Nll on {held_out}"
            " dialogues that no one was shown, after further verdicts; several figures are several reviewers who"
            " draw lots. Lower is better.",
            "",
            "| order | " + " | ".join(f"{count} verdicts" for count in counts) + " |",
            "|---|" + "--:|" * len(counts),
            *rows,
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
