"""The training benchmark's search, and its proof that both sides train on the same."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import bench_train, sections
from benchmarks.bench_train import Bench, search, unlike
from benchmarks.train_sides import (
    Place,
    Scoring,
    Training,
    adapter_file,
    fingerprint,
    score,
    train,
    unpacked,
    write_result,
)
from tests.tools.tokenizers import chatml_tokenizer
from tests.train.conftest import ONE, TWO, write_export
from train.data.batches import in_parts, packed
from train.data.dialogues import Encoded, encode, load_export
from train.recipe import Recipe, to_toml

OURS = Training(name="ours", side="ours", seed=0, rows=4, learning_rate=1e-3, batch_size=2)


class Known(Bench):
    """A comparison whose results are known instead of trained: nll by batch and learning rate."""

    table: dict[tuple[int, float], float]

    def trained(self, trainings: Any) -> list[dict[str, Any]]:
        return [asdict(t) for t in trainings]

    def scored(self, scorings: Any) -> list[dict[str, Any]]:
        # "search trl 4 0.001@1 nll"
        keys = [s.name.removesuffix("@1 nll").split()[-2:] for s in scorings]
        return [{"nll": [self.table[int(batch), float(rate)]], "chars": [1]} for batch, rate in keys]


def known(table: dict[tuple[int, float], float]) -> Known:
    place = Place(export="", base="", recipe="", results="")
    bench = Known(place, Path(), batch_size=4, rate=0.001, eval_rows=1)
    object.__setattr__(bench, "table", table)
    return bench


@pytest.mark.parametrize(
    ("nll", "best", "tries"),
    [
        ({0.001: 3, 0.002: 2, 0.004: 3}, 0.002, 3),
        ({0.001: 5, 0.002: 4, 0.004: 3, 0.008: 4}, 0.004, 4),
        ({0.001: 5, 0.002: 4, 0.004: 3, 0.008: 2, 0.016: 1, 0.032: 0}, 0.016, 5),
        ({0.0005: 4, 0.001: 3, 0.002: 4, 0.004: 5}, 0.001, 4),
    ],
    ids=["inside", "grows up", "grows at most twice", "grows down"],
)
def test_the_grid_of_rates_grows_while_the_best_is_at_its_edge(
    nll: dict[float, float], best: float, tries: int
) -> None:
    found, lines = search(known({(4, rate): value for rate, value in nll.items()}), replace(OURS, batch_size=4))
    assert (found.learning_rate, found.batch_size) == (best, 4)
    assert len([line for line in lines if line.startswith("| 4,")]) == tries
    assert [line for line in lines if "taken" in line] == [f"| 4, {best:.3g}, taken | {nll[best]:.3f} |"]


def test_another_batch_is_tried_at_the_best_rate_and_at_twice_it() -> None:
    four = {(4, 0.001): 3.0, (4, 0.002): 2.0, (4, 0.004): 3.0}
    found, _ = search(known(four | {(8, 0.002): 4.0, (8, 0.004): 1.0}), replace(OURS, batch_size=4), other_batch=8)
    assert (found.learning_rate, found.batch_size) == (0.004, 8)


@pytest.fixture
def place(tmp_path: Path, tiny_base: Path) -> Place:
    export = write_export(tmp_path, [ONE, TWO] * 4, [TWO, ONE])
    recipe = tmp_path / "tiny.toml"
    fields = Recipe(name="tiny", base=str(tiny_base), quantization="none", precision="fp32", max_length=2048)
    recipe.write_text(to_toml(fields), encoding="utf-8")
    return Place(export=str(export), base=str(tiny_base), recipe=str(recipe), results=str(tmp_path))


def test_the_fingerprint_is_that_of_the_rendered_rows(place: Place) -> None:
    export = load_export(Path(place.export))
    rows, _ = encode(export.train, chatml_tokenizer(), export.persona, 2048)
    wanted = [(r.input_ids, [i if m else -100 for i, m in zip(r.input_ids, r.loss_mask, strict=True)]) for r in rows]
    assert sorted(unpacked(packed(rows[:3]))) == sorted(wanted[:3])
    parts = in_parts(rows, 3)["parts"]
    assert len(parts) == 3 and fingerprint([row for part in parts for row in unpacked(part)]) == fingerprint(wanted)
    # Two beginnings in one batch, each held once.
    mixed = [Encoded(f"{n}", [n % 2] * 4 + [7, n, 8], [0] * 5 + [1] * 2, 2) for n in range(4)]
    batch = packed(mixed)
    assert batch["rows"] == ((4, 3, 3), (4, 3, 3))
    assert sorted(unpacked(batch)) == sorted((r.input_ids, [-100] * 5 + r.input_ids[5:]) for r in mixed)
    assert fingerprint(unpacked(packed(rows))) == fingerprint(wanted[::-1])
    end = max(n for n, label in enumerate(wanted[0][1]) if label != -100)
    without_end = [-100 if n == end else label for n, label in enumerate(wanted[0][1])]
    assert fingerprint([(wanted[0][0], without_end), *wanted[1:]]) != fingerprint(wanted)


def test_both_sides_see_the_same_rows_and_begin_at_the_same_loss(place: Place) -> None:
    pytest.importorskip("trl")
    mine = train(place, replace(OURS, keep=(1.0,)))
    assert mine["steps"] == 2
    for layout in ("padded", "padding-free", "packed"):
        other = train(place, replace(OURS, name=layout, side="trl", layout=layout, precision="fp32", keep=(1.0,)))
        assert unlike(mine, other) == ""
        assert other["loss_before"] == pytest.approx(mine["loss_before"], rel=1e-5)
    changed = json.loads(json.dumps(mine)) | {"name": "other", "loss_before": 1.1 * mine["loss_before"]}
    assert "expected the same on the same rows" in unlike(mine, changed)
    assert "different ids or labels" in unlike(mine, mine | {"fingerprint": ""})

    names = ["base", "ours", "padded"]
    score(place, [Scoring(name=f"{n} nll", adapter=_file(place, n), rows=2) for n in names])
    base, ours, theirs = (
        json.loads((Path(place.results) / f"{n} nll.json").read_text(encoding="utf-8")) for n in names
    )
    assert base["chars"] == ours["chars"] == theirs["chars"]
    assert sum(ours["nll"]) < sum(base["nll"])
    assert sum(theirs["nll"]) < sum(base["nll"])


class InThisProcess(Bench):
    """A comparison that pays for the libraries once."""

    def _run(self, plan: dict[str, Any], environment: dict[str, str]) -> None:
        for training in plan.get("trainings", ()):
            write_result(self.place, training["name"], train(self.place, Training(**training)))
        score(self.place, [Scoring(**one) for one in plan.get("scorings", ())])


def test_a_comparison_ends_with_its_section_and_is_not_run_again(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("trl")
    results = tmp_path / "results.md"
    monkeypatch.setattr(sections, "RESULTS", results)
    bench = InThisProcess(place, tmp_path, 2, 1e-3, eval_rows=2, seeds=(1, 2), grid=(1.0, 2.0), grows=0)
    options = argparse.Namespace(quick=False, rows=8, minutes=1)
    monkeypatch.setattr(bench_train, "PROBE_ROWS", 4)
    bench_train.compare(bench, "A tiny base", options, 0.0)
    section = results.read_text(encoding="utf-8")
    assert section.startswith("# Measured\n\n<!-- bench_train -->\n## Training\n\nA tiny base. 8 dialogues a training")
    for wanted in ("times as quick** (goal: 2.5) |", "| peak memory, MB |", "Ours minus trl in nll", "| ours: batch, "):
        assert wanted in section
    capsys.readouterr()

    monkeypatch.setattr(InThisProcess, "_run", None)  # everything is there: nothing may run
    bench_train.compare(bench, "A tiny base", options, 0.0)
    assert results.read_text(encoding="utf-8") == section
    file = tmp_path / "trl seed 1.json"
    changed = json.loads(file.read_text(encoding="utf-8")) | {"loss_before": 1.0}
    file.write_text(json.dumps(changed), encoding="utf-8")
    with pytest.raises(SystemExit, match="expected the same on the same rows"):
        bench_train.compare(bench, "A tiny base", options, 0.0)


def _file(place: Place, name: str) -> str | None:
    return None if name == "base" else str(adapter_file(place, name))
