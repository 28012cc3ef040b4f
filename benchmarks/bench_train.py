"""Our training beside trl's SFTTrainer, tuned, on the default CPU base: the time to equal nll.

Usage: ``python -m benchmarks.bench_train [--minutes 25] [--rows N] [--export DIR] [--base DIR] [--recipe NAME]
[--work DIR] [--quick]``. Needs trl (``pip install -c constraints.txt -e .[bench]``).

Both sides get the same rows, token ids, reply mask, LoRA, schedule and number of dialogues, which is checked. Base and
LoRA are those of the recipe `cpu`. In order:

1. trl's layout, precision and memory settings are tried for speed on a few steps, and the quickest are taken.
2. Each side's learning rate is searched on half of the dialogues with the same grid, which grows while its best rate is
   at its edge; for trl a batch of 8, too. One scorer, ours, measures all adapters on the same eval rows.
3. Three seeds of each side take turns, each training in a process of its own.
4. The side that ends lower is looked up on its way there: when did it have what the other ends with?

The dialogues are as many as fit into ``--minutes`` on this machine, or ``--rows``. Each result is a file in ``--work``
as soon as it is there; the same command continues where it was stopped. ``--quick`` checks all of this with a tiny
random model and a few rows; it prints no nll and leaves results.md as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import train_report
from benchmarks.sections import write
from benchmarks.train_sides import PRECISIONS, Place, Scoring, Training, adapter_file, say
from curation.files import whole_folder

ROOT = Path(__file__).resolve().parent.parent
SEEDS = (1, 2, 3)  # the search has 0
GRID = (1.0, 2.0, 4.0)  # times the recipe's rate, which is for a longer training
GROWS = 2  # rates that the grid may grow by at its edges
# Where the adapter of a training is kept: a side that ends below the other's nll is looked up on its way there.
SHARES = (1 / 2, 5 / 8, 3 / 4, 7 / 8, 1.0)
SEARCH_EVAL_ROWS = 48
PROBE_ROWS = 16
PASSIVE = {"OMP_WAIT_POLICY": "PASSIVE"}  # what `inosuke train` sets; the same for both
LAYOUTS = ("padded", "padding-free", "packed")
KEPT_HEAP = {
    # glibc gives large blocks back to the system and asks for them again; this tells it to keep them.
    "GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=8589934592:glibc.malloc.trim_threshold=17179869184:"
    "glibc.malloc.top_pad=1073741824"
}
CLEARED = ("GLIBC_TUNABLES", "OMP_WAIT_POLICY")  # whatever is set where this is started
MODEL_LOAD_SECONDS = 15  # of one process, roughly, before its first step


@dataclass(frozen=True)
class Bench:
    """Where this comparison's results lie, and what its trainings have in common."""

    place: Place
    results: Path
    batch_size: int
    rate: float
    eval_rows: int
    seeds: Sequence[int] = SEEDS
    grid: Sequence[float] = GRID
    grows: int = GROWS

    def trained(self, trainings: Sequence[Training]) -> list[dict[str, Any]]:
        """Return the results of trainings, run in one process where they are missing and have one environment."""
        missing = [t for t in trainings if not self._file(t.name).is_file()]
        if missing:
            assert len({json.dumps(t.environment) for t in missing}) == 1
            self._run({"trainings": [asdict(t) for t in missing]}, missing[0].environment)
        done = [self._read(t.name) for t in trainings]
        for wanted, result in zip(trainings, done, strict=True):
            if any(result[key] != value for key, value in json.loads(json.dumps(asdict(wanted))).items()):
                raise SystemExit(f"{self._file(wanted.name)} is of another plan. Give an empty folder with --work.")
        return done

    def scored(self, scorings: Sequence[Scoring]) -> list[dict[str, Any]]:
        """Return the scores of adapters, measured where they are missing."""
        if missing := [s for s in scorings if not self._file(s.name).is_file()]:
            self._run({"scorings": [asdict(s) for s in missing]}, PASSIVE)
        return [self._read(s.name) for s in scorings]

    def score_of(self, training: Training, share: float = 1.0, rows: int | None = None) -> Scoring:
        name = f"{training.name}@{share:g} nll"
        return Scoring(
            name=name,
            adapter=str(adapter_file(self.place, training.name, share)),
            rows=min(rows or self.eval_rows, self.eval_rows),
        )

    def _run(self, plan: dict[str, Any], environment: dict[str, str]) -> None:
        file = self.results / "plan.json"
        file.write_text(json.dumps({"place": asdict(self.place)} | plan), encoding="utf-8")
        env = {k: v for k, v in os.environ.items() if k not in CLEARED} | environment
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.train_sides", str(file)]
        done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        if done.returncode:
            raise SystemExit(f"a side failed, see above; what is done lies in {self.results}, and the command goes on.")

    def _file(self, name: str) -> Path:
        return self.results / f"{name}.json"

    def _read(self, name: str) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(self._file(name).read_text(encoding="utf-8"))
        return result


def main() -> None:
    started = time.monotonic()
    options = _options()
    if find_spec("trl") is None:
        raise SystemExit("trl is not installed: pip install -c constraints.txt -e .[bench]")
    with tempfile.TemporaryDirectory(prefix="bench-train-") as folder:
        bench, about = prepare(options, Path(folder))
        compare(bench, about, options, started)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_train")
    parser.add_argument("--quick", action="store_true", help="check everything with a tiny random model")
    parser.add_argument("--minutes", type=float, default=25, help="of two quiet cores, for everything")
    parser.add_argument("--rows", type=int, help="dialogues a training, instead of as many as fit into --minutes")
    parser.add_argument("--export", type=Path, help="an export's folder; otherwise one is made")
    parser.add_argument("--base", type=Path, help="the base's folder, instead of the recipe's base")
    parser.add_argument("--recipe", default="cpu", help="its base, LoRA, batch, rate and schedule are used")
    parser.add_argument("--work", type=Path, help="where results are kept, to continue from")
    return parser.parse_args()


def prepare(options: argparse.Namespace, folder: Path) -> tuple[Bench, str]:
    """Return the comparison and a sentence about it. ``folder`` is a temporary one."""
    from train import recipe
    from train.data.dialogues import load_export
    from train.model import base_model
    from train.model.load import device

    work = options.work or (folder / "work" if options.quick else ROOT / "models" / ".bench-train")
    work.mkdir(parents=True, exist_ok=True)
    kept = work / "export"
    if not kept.exists():
        with whole_folder(kept) as copy:
            shutil.copytree(options.export or make_export(folder), copy, dirs_exist_ok=True)
    export = load_export(kept)
    wanted, _ = recipe.resolve(recipe.load_recipe(options.recipe), export.persona, device())
    if options.quick:
        wanted = wanted.model_copy(update={"quantization": "none", "max_length": 2048})  # a token a byte
    settled_recipe = folder / f"{wanted.name}.toml"
    settled_recipe.write_text(recipe.to_toml(wanted), encoding="utf-8")
    location = options.base or (tiny_base(folder) if options.quick else None)
    named = str(location.resolve()) if location else wanted.base
    base = base_model.resolve(named, ROOT, export.persona.languages, say)
    # Results of another base, recipe or corpus must not be continued.
    settled = json.dumps(
        [base.sha256, wanted.model_dump(mode="json"), export.version, version("torch"), version("trl")]
    )
    mark = work / "settled"
    if not mark.exists():
        mark.write_text(settled, encoding="utf-8")
    elif mark.read_text(encoding="utf-8") != settled:
        raise SystemExit(f"{work} holds results of another base, recipe, corpus or version. Delete it or give --work.")
    place = Place(export=str(kept), base=named, recipe=str(settled_recipe), results=str(work))
    bench = Bench(place, work, wanted.batch_size, wanted.learning_rate, len(export.eval))
    if options.quick:
        bench = replace(bench, eval_rows=8, seeds=SEEDS[:1], grid=GRID[:2], grows=0)
    about = (
        f"{base.name}, whole weights, LoRA of rank {wanted.lora_rank}, {len(export.eval)} eval dialogues of "
        f"the export {export.version}"
    )
    return bench, about


def compare(bench: Bench, about: str, options: argparse.Namespace, started: float) -> None:
    """Run everything that is missing, print the report and, unless this is a check, write it to results.md."""
    ours = Training(
        name="", side="ours", seed=0, rows=PROBE_ROWS, learning_rate=bench.rate, batch_size=bench.batch_size,
        environment=PASSIVE, keep=(),
    )  # fmt: skip
    speed, theirs, tried = probe(bench, ours)
    rows = options.rows or (PROBE_ROWS if options.quick else _dialogues(bench, speed, options.minutes, started))
    say(f"{rows} dialogues a training; half of that to search the learning rates")
    ours, note = search(bench, replace(ours, rows=rows // 2))
    tried += note
    theirs, note = search(bench, replace(theirs, rows=rows // 2), other_batch=8 if bench.batch_size != 8 else 4)
    tried += note

    seeds: dict[str, list[Training]] = {"ours": [], "trl": []}
    for number, seed in enumerate(bench.seeds):
        pair = [
            replace(side, name=f"{side.side} seed {seed}", seed=seed, rows=rows, keep=SHARES) for side in (ours, theirs)
        ]
        for training in pair if number % 2 == 0 else pair[::-1]:
            say(f"{training.name}: {rows} dialogues at {training.learning_rate:g}")
            bench.trained([training])
            seeds[training.side].append(training)
        check(*(bench.trained([training])[0] for training in pair))
    base = bench.scored([Scoring(name="base nll", adapter=None, rows=bench.eval_rows)])[0]
    sides = []
    for key, label in (("ours", "ours"), ("trl", "trl")):
        results = [bench.trained([training])[0] for training in seeds[key]]
        scores = bench.scored([bench.score_of(training) for training in seeds[key]])
        sides.append(
            train_report.Side(
                label, _settings(seeds[key][0], results[0]["weights"]), results, scores, [_point(results, scores, 1.0)]
            )
        )
    better = min(sides, key=lambda side: side.nll)
    target = max(side.nll for side in sides)
    curve = list(better.curve)
    for share in SHARES[-2::-1]:
        say(f"where {better.label} was after {share:.0%}")
        scores = bench.scored([bench.score_of(training, share) for training in seeds[better.label]])
        curve.insert(0, _point(better.trainings, scores, share))
        if curve[0][2] > target:
            break
    sides = [replace(side, curve=curve) if side is better else side for side in sides]

    if options.quick:
        print(
            "Both sides train on the same ids and mask, and begin at the same loss. This was a random model of a few "
            "rows: speeds and nll are not shown."
        )
        return
    loads = [result["load"] for side in sides for result in side.trainings]
    heading = (
        f"{about}. {rows} dialogues a training, seen once, {sides[0].trainings[0]['steps']} and "
        f"{sides[1].trainings[0]['steps']} steps, {len(bench.seeds)} seeds of each side that take turns; "
        f"{os.cpu_count()} cores with a load of {min(loads):.1f} to {max(loads):.1f}, Python "
        f"{platform.python_version()}, torch {version('torch')}, transformers {version('transformers')}, trl "
        f"{version('trl')}, {datetime.now(UTC):%Y-%m-%d}. Both sides get the same token ids and reply mask; one "
        "scorer measures all adapters. The time is that of the steps alone. It says nothing about a GPU, where trl has "
        "faster ways."
    )
    section = train_report.table(sides[0], sides[1], base, tried, heading)
    write("train", section)
    print(section)


def probe(bench: Bench, ours: Training) -> tuple[dict[str, float], Training, list[str]]:
    """Return the seconds a dialogue of both sides, trl's quickest settings, and a line about each try."""
    trl = replace(ours, side="trl", layout="padded", precision="fp32", environment=PASSIVE | KEPT_HEAP)
    layouts = [replace(trl, name=f"probe trl {layout}", layout=layout) for layout in LAYOUTS]
    say("trying ours and trl's layouts for speed")
    mine = bench.trained([replace(ours, name="probe ours")])[0]
    results = bench.trained(layouts)
    check(mine, results[0])
    # A layout in which rows see each other, or in which a label is lost, begins at another loss.
    wrong = [n for n, result in enumerate(results) if unlike(results[0], result)]
    quick = layouts[_quickest(results, wrong)]
    layouts += [
        replace(quick, name=f"{quick.name}, {precision}", precision=precision)
        for precision in PRECISIONS
        if precision != quick.precision
    ]
    say("trying other precisions of trl's quickest layout")
    results += bench.trained(layouts[len(results) :])
    quick = layouts[_quickest(results, wrong)]
    usual = replace(quick, name=f"{quick.name}, usual", environment=PASSIVE)
    say("trying the quickest with the usual heap")
    results += bench.trained([usual])
    chosen = [*layouts, usual][_quickest(results, wrong)]
    tried = ["| s a dialogue, over a few steps | |", "| --- | ---: |"]
    for number, (training, result) in enumerate(zip([*layouts, usual], results, strict=True)):
        mark = (
            ", taken" if training is chosen else ", not usable: other rows or another loss" if number in wrong else ""
        )
        what = f"trl {training.layout}, {training.precision}, {_memory(training)}{mark}"
        tried.append(f"| {what} | {_seconds(result):.2f} |")
    tried += [f"| ours | {_seconds(mine):.2f} |", ""]
    return {"ours": _seconds(mine), "trl": _seconds(results[_quickest(results, wrong)])}, chosen, tried


def _memory(training: Training) -> str:
    return "heap kept" if "GLIBC_TUNABLES" in training.environment else "usual heap"


def _quickest(results: Sequence[dict[str, Any]], wrong: Sequence[int]) -> int:
    return min((n for n in range(len(results)) if n not in wrong), key=lambda n: _seconds(results[n]))


def _seconds(result: dict[str, Any]) -> float:
    """Return seconds a dialogue of a short try, without its first step."""
    return float(result["seconds_a_step"] * result["steps"] / result["rows"])


def search(bench: Bench, side: Training, other_batch: int | None = None) -> tuple[Training, list[str]]:
    """Return a side with its best learning rate (and batch), and a table of what was tried."""
    found: dict[tuple[int, float], float] = {}

    def measure(batch: int, factors: Sequence[float]) -> None:
        tries = [
            replace(
                side, name=f"search {side.side} {batch} {bench.rate * f:.3g}", learning_rate=bench.rate * f,
                batch_size=batch, keep=(1.0,),
            )
            for f in factors
        ]  # fmt: skip
        bench.trained(tries)
        scores = bench.scored([bench.score_of(one, rows=SEARCH_EVAL_ROWS) for one in tries])
        found.update({(batch, f): train_report.nll(s) for f, s in zip(factors, scores, strict=True)})

    def best() -> tuple[int, float]:
        return min(found, key=lambda key: found[key])

    measure(side.batch_size, bench.grid)
    for _ in range(bench.grows):
        factors = sorted(f for _, f in found)
        if best()[1] == factors[-1]:
            measure(side.batch_size, [2 * factors[-1]])
        elif best()[1] == factors[0]:
            measure(side.batch_size, [factors[0] / 2])
        else:
            break
    if other_batch is not None:
        # A larger batch has fewer steps, which wants a higher rate.
        factor = best()[1] * other_batch / side.batch_size
        measure(other_batch, [factor, factor / 2] if other_batch > side.batch_size else [factor, factor * 2])
    batch, factor = best()
    lines = [f"| {side.side}: batch, learning rate | nll per reply character |", "| --- | ---: |"]
    lines += [
        f"| {b}, {bench.rate * f:.3g}{', taken' if (b, f) == best() else ''} | {value:.3f} |"
        for (b, f), value in sorted(found.items())
    ]
    return replace(side, learning_rate=bench.rate * factor, batch_size=batch), [*lines, ""]


def unlike(mine: dict[str, Any], other: dict[str, Any]) -> str:
    """Return what is different where two sides should be alike: ids, labels or the loss before the training."""
    if (mine["fingerprint"], mine["tokens_before"]) != (other["fingerprint"], other["tokens_before"]):
        return f"{mine['name']} and {other['name']} trained on different ids or labels."
    # Rounding to bf16 moves a loss by some thousandths.
    same = mine["weights"] == other["weights"] == "fp32"
    tolerance = 1e-3 if same else 1e-2
    if abs(mine["loss_before"] - other["loss_before"]) > tolerance * mine["loss_before"]:
        return (
            f"before the training the loss of {mine['name']} is {mine['loss_before']:.4f}, that of {other['name']} "
            f"{other['loss_before']:.4f}; expected the same on the same rows."
        )
    return ""


def check(mine: dict[str, Any], other: dict[str, Any]) -> None:
    """Raise SystemExit when two sides are not alike."""
    if different := unlike(mine, other):
        raise SystemExit(different)


def _dialogues(bench: Bench, speed: dict[str, float], minutes: float, started: float) -> int:
    """Return how many dialogues a training may have: an even number that fits into the minutes that are left."""
    file = bench.results / "dialogues"
    if not file.exists():
        searches = len(GRID) + 1  # the grid seldom grows by more
        a_dialogue = speed["ours"] * (searches / 2 + len(SEEDS)) + speed["trl"] * ((searches + 2) / 2 + len(SEEDS))
        # A measured row costs about a third of a trained one, and the better side is measured on its way, too.
        measured = (2 * searches + 2) * SEARCH_EVAL_ROWS + (1 + 4 * len(SEEDS)) * bench.eval_rows
        others = measured * speed["ours"] / 3 + (2 + 2 * len(SEEDS) + 8) * MODEL_LOAD_SECONDS
        left = 60 * minutes - (time.monotonic() - started) - others
        count = max(4 * bench.batch_size, int(left / a_dialogue) // (2 * bench.batch_size) * 2 * bench.batch_size)
        file.write_text(str(count), encoding="utf-8")
    return int(file.read_text(encoding="utf-8"))


def _point(
    results: Sequence[dict[str, Any]], scores: Sequence[dict[str, Any]], share: float
) -> tuple[float, float, float]:
    marks = [next(mark for mark in result["marks"] if mark["share"] == share) for result in results]
    return (
        statistics.mean(mark["seconds"] for mark in marks),
        statistics.mean(mark["cpu_seconds"] for mark in marks),
        statistics.mean(map(train_report.nll, scores)),
    )


def _settings(training: Training, weights: str) -> str:
    words = [f"learning rate {training.learning_rate:.3g}", f"batches of {training.batch_size}"]
    if training.side == "trl":
        words += [f"layout {training.layout}", training.precision]
        words.append("no checkpointing, sdpa, chunked nll loss on replies")
    else:
        words.append(f"{weights}, otherwise the recipe")
    words.append(", ".join(f"`{k}={v}`" for k, v in sorted(training.environment.items())) or "no variables set")
    return "; ".join(words)


def make_export(folder: Path) -> Path:
    """Build an export of the starter corpus, as in a fresh clone."""
    shutil.copyfile(ROOT / "persona.toml", folder / "persona.toml")
    corpus = ROOT / "datasets" / "sources" / "handwritten"
    command = [sys.executable, str(ROOT / "inosuke.py"), "dataset", "--corpus", str(corpus), "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, encoding="utf-8", check=True)
    return Path(json.loads(done.stdout)["path"])


def tiny_base(folder: Path) -> Path:
    """Write a random two-layer Gemma 3 with a tokenizer of one token a byte."""
    import torch
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    from tests.tools.tokenizers import chatml_tokenizer

    tokenizer = chatml_tokenizer()
    torch.manual_seed(0)
    config = Gemma3TextConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, sliding_window=512, max_position_embeddings=2048,
        pad_token_id=tokenizer.pad_token_id, eos_token_id=tokenizer.eos_token_id, bos_token_id=None,
    )  # fmt: skip
    Gemma3ForCausalLM(config).save_pretrained(folder / "tiny")
    tokenizer.save_pretrained(folder / "tiny")
    return folder / "tiny"


if __name__ == "__main__":
    main()
