"""The sides of `bench_train`, in a process of their own: ``python -m benchmarks.train_sides PLAN.json``.

In: a plan, which is a list of :class:`Training` or a list of :class:`Scoring`. Out: a JSON file for each, written as
soon as it is done. ``ours`` trains as `inosuke train` does. ``trl`` is a stock SFTTrainer: transformers' own loading
and attention, trl's loss and layouts. Both get the same token ids and the same reply mask, and both prove it: each
result holds a fingerprint of what its own collator gives to a step, and the loss before the training by its own code.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

CHECKED_ROWS = 16  # whose loss both sides measure before the training


@dataclass(frozen=True, kw_only=True)
class Training:
    """One training. ``layout`` and ``precision`` are for trl alone; whoever starts the process sets ``environment``.

    ``rows`` dialogues are drawn by ``seed`` and seen once. ``keep`` are the shares of the training after which its
    adapter is written.
    """

    name: str
    side: str
    seed: int
    rows: int
    learning_rate: float
    batch_size: int
    layout: str = "shared"
    precision: str = "recipe"
    environment: dict[str, str] = field(default_factory=dict)
    keep: tuple[float, ...] = ()


# trl's precisions: the type of the base's weights, and whether autocast multiplies in bf16.
PRECISIONS = {"fp32": ("float32", False), "fp32, autocast": ("float32", True), "bf16": ("bfloat16", True)}


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """One measurement of an adapter file (None: the base alone) on ``rows`` of the eval rows."""

    name: str
    adapter: str | None
    rows: int


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where everything lies, the same for all sides of a comparison. ``base`` is what a recipe's `base` may be."""

    export: str
    base: str
    recipe: str
    results: str


def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    place = Place(**plan["place"])
    for training in plan.get("trainings", ()):
        write_result(place, training["name"], train(place, Training(**training)))
    if scorings := plan.get("scorings"):
        score(place, [Scoring(**one) for one in scorings])


def train(place: Place, training: Training) -> dict[str, Any]:
    run = {"ours": ours, "trl": trl}[training.side]
    result = run(place, training)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return asdict(training) | result | {"peak_mb": peak, "load": os.getloadavg()[0]}


def adapter_file(place: Place, name: str, share: float = 1.0) -> Path:
    return Path(place.results) / f"{name}@{share:g}.safetensors"


def write_result(place: Place, name: str, result: dict[str, Any]) -> None:
    from curation.files import write_atomically

    write_atomically(Path(place.results) / f"{name}.json", json.dumps(result))


# ---------------------------------------------------------------------------------------------------------- the sides


def ours(place: Place, training: Training) -> dict[str, Any]:
    """Train with the recipe, as `inosuke train` does, with the searched rate and without its limits of time."""
    import torch

    from train.data import batches
    from train.data.dialogues import load_export
    from train.loop import qlora
    from train.model import base_model
    from train.model.load import tokenizer_of
    from train.model.loss import token_losses

    export, recipe = load_export(Path(place.export)), resolved(place, training)
    base = base_model.resolve(place.base, Path.cwd(), export.persona.languages, say)
    rows = encoded(export, tokenizer_of(base, recipe), recipe).train

    def loss_before(model: Any) -> tuple[float, int]:
        groups = [batches.packed(group) for group in _groups(rows[:CHECKED_ROWS], training.batch_size)]
        losses = [token_losses(model, group) for group in groups]
        return sum(float(x.sum()) for x in losses), sum(x.numel() for x in losses)

    groups = _groups(rows, training.batch_size)
    parts = (part for group in groups for part in batches.in_parts(group, torch.get_num_threads())["parts"])
    seen = [row for part in parts for row in unpacked(part)]
    watch = watcher(place, training, loss_before)
    with tempfile.TemporaryDirectory(prefix="bench-train-") as folder:
        trained = qlora.train_adapter(export, recipe, base, Path(folder), say, watchers=[watch])
    assert trained is not None
    result, _ = trained
    assert [r.input_ids for r in result.rows.train] == [r.input_ids for r in rows], "other rows were trained"
    assert result.history.steps[-1].rows == training.rows, "rows were left out"
    return watch.figures() | {"fingerprint": fingerprint(seen), "weights": recipe.precision}


def trl(place: Place, training: Training) -> dict[str, Any]:
    """Train with trl's SFTTrainer: the recipe's LoRA, schedule and batch; its own model, attention, loss and layout."""
    import torch
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig, SFTTrainer

    import datasets
    from train.data.dialogues import load_export
    from train.model import base_model
    from train.model.load import adapter_config, tokenizer_of

    export, recipe = load_export(Path(place.export)), resolved(place, training)
    base = base_model.resolve(place.base, Path.cwd(), export.persona.languages, say)
    tokenizer = tokenizer_of(base, recipe)
    rows = encoded(export, tokenizer, recipe).train
    labels = [[i if m else -100 for i, m in zip(r.input_ids, r.loss_mask, strict=True)] for r in rows]
    weights, autocast = PRECISIONS[training.precision]
    model = AutoModelForCausalLM.from_pretrained(
        base.location, dtype=getattr(torch, weights), attn_implementation="sdpa"
    )
    packing = training.layout == "packed"
    # A pack holds `max_length` tokens. A step takes as many packs as hold about `batch_size` dialogues.
    mean = sum(len(r.input_ids) for r in rows) / len(rows)
    size = max(1, round(training.batch_size * mean / recipe.max_length)) if packing else training.batch_size
    with tempfile.TemporaryDirectory(prefix="bench-train-") as folder:
        watch = watcher(place, training, lambda model: before)
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(
                folder,
                num_train_epochs=1,
                per_device_train_batch_size=size,
                gradient_accumulation_steps=recipe.gradient_accumulation,
                learning_rate=training.learning_rate,
                lr_scheduler_type="cosine",
                warmup_steps=recipe.warmup,
                weight_decay=recipe.weight_decay,
                max_grad_norm=recipe.max_grad_norm,
                seed=training.seed,
                max_length=recipe.max_length if packing else None,  # no row is longer
                packing=packing,
                padding_free=training.layout == "padding-free",
                train_sampling_strategy="group_by_length" if training.layout == "padded" else "random",
                loss_type="nll",  # in chunks, the default
                gradient_checkpointing=False,
                bf16=autocast,
                use_cpu=True,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                dataloader_pin_memory=False,
            ),
            train_dataset=datasets.Dataset.from_dict({"input_ids": [r.input_ids for r in rows], "labels": labels}),
            processing_class=tokenizer,
            peft_config=adapter_config(model, recipe),
            callbacks=[watch],
        )
        assert not trainer.args.activation_checkpointing
        prepared = list(trainer.train_dataset)
        seen = [row for group in _groups(prepared, size) for row in unpadded(trainer.data_collator(group))]
        checked = [{"input_ids": r.input_ids, "labels": x} for r, x in zip(rows, labels, strict=True)][:CHECKED_ROWS]
        if packing:  # the collator is then one for packs
            checked = [row | {"seq_lengths": [len(row["input_ids"])]} for row in checked]
        before = _trl_loss(trainer, checked, training.batch_size)
        trainer.train()
    return watch.figures() | {"fingerprint": fingerprint(seen), "weights": training.precision}


def _trl_loss(trainer: Any, rows: Sequence[dict[str, Any]], size: int) -> tuple[float, int]:
    """Return trl's own summed loss of rows, in the layout that it trains with, and the number of counted tokens."""
    import torch

    summed, tokens = 0.0, 0
    trainer.model.eval()
    with torch.no_grad():
        for group in _groups(rows, size):
            batch = trainer.data_collator(group)
            tokens += int((batch["labels"] != -100).sum())
            with trainer.compute_loss_context_manager():
                summed += float(trainer.compute_loss(trainer.model, batch, num_items_in_batch=torch.tensor(1)))
    trainer.model.train()
    return summed, tokens


# ------------------------------------------------------------------------------------------------- what they share


def resolved(place: Place, training: Training) -> Any:
    """Return the recipe of a side for this machine, with what the plan sets."""
    from train import recipe
    from train.data.dialogues import load_export
    from train.model.load import device

    wanted = recipe.load_recipe(place.recipe).model_copy(
        update={
            "base": place.base,
            "seed": training.seed,
            "learning_rate": training.learning_rate,
            "batch_size": training.batch_size,
            "max_train_rows": training.rows,
            "max_eval_rows": 1,  # the adapters are measured later, all by the same code
            "epochs": 1,
            "max_minutes": None,
            "evals_per_epoch": 1,
            "patience": 0,
            "samples": 0,
        }
    )
    chosen, _ = recipe.resolve(wanted, load_export(Path(place.export)).persona, device())
    if (chosen.quantization, chosen.loss_on, chosen.layout) != ("none", "replies", "packed"):
        raise SystemExit(
            f"the recipe {chosen.name} has quantization {chosen.quantization}, loss on {chosen.loss_on} and the layout "
            f"{chosen.layout}; this comparison is of whole weights, a loss on replies and packed rows."
        )
    return chosen


def encoded(export: Any, tokenizer: Any, recipe: Any) -> Any:
    """Return the rows that a training with this recipe draws, rendered. Raises SystemExit when one does not fit."""
    from train.loop import preparation

    rows = preparation.encode_rows(export, tokenizer, recipe)
    if rows.left_out or len(rows.train) < recipe.max_train_rows:
        raise SystemExit(
            f"{recipe.max_train_rows} dialogues are wanted; {len(rows.train)} are there, and {len(rows.left_out)} of "
            f"those drawn have more than {recipe.max_length} tokens."
        )
    return rows


Row = tuple[list[int], list[int]]  # token ids, and the labels of the same positions: the id where it counts, or -100


def unpacked(batch: dict[str, Any]) -> list[Row]:
    """Return the rows of one of our packed batches, each with the beginning that its group shares."""
    # Ours are shifted: a position holds the token that it should predict.
    ids, labels = batch["input_ids"][0].tolist(), [-100, *batch["labels"][0].tolist()[:-1]]
    rows, at = [], 0
    for shared, *own in batch["rows"]:
        beginning = ids[at : at + shared]
        at += shared
        for length in own:
            # The last position of the row before, or of the beginning, predicts nothing of this row.
            assert labels[at] == -100
            rows.append((beginning + ids[at : at + length], [-100] * shared + labels[at : at + length]))
            at += length
    assert at == len(ids)
    return rows


def unpadded(batch: dict[str, Any]) -> list[Row]:
    """Return the rows of one of trl's batches: padded, or in one line with positions that begin again."""
    if "attention_mask" in batch:
        kept = batch["attention_mask"].bool()
        pairs = zip(batch["input_ids"], batch["labels"], kept, strict=True)
        return [(ids[mask].tolist(), labels[mask].tolist()) for ids, labels, mask in pairs]
    ids, labels = batch["input_ids"][0].tolist(), batch["labels"][0].tolist()
    starts = [i for i, position in enumerate(batch["position_ids"][0].tolist()) if position == 0]
    return [(ids[a:b], labels[a:b]) for a, b in zip(starts, [*starts[1:], len(ids)], strict=True)]


def fingerprint(rows: Sequence[Row]) -> str:
    """Return a hash of rows in any order."""
    return hashlib.sha256(json.dumps(sorted(rows)).encode()).hexdigest()


def _groups(rows: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def watcher(place: Place, training: Training, loss_before: Callable[[Any], tuple[float, int]]) -> Any:
    """Return a callback that times the steps, without what it does itself, and keeps adapters along the way."""
    import torch
    from safetensors.torch import save_file
    from transformers import TrainerCallback

    class Watch(TrainerCallback):
        def __init__(self) -> None:
            self.seconds = self.cpu_seconds = 0.0
            self.first = (0.0, 0.0)
            self.step = 0
            self.marks: list[dict[str, float]] = []
            self.before = (0.0, 0)

        def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
            was_training = model.training
            model.eval()
            with torch.no_grad():
                self.before = loss_before(model)
            model.train(was_training)
            self.at = time.monotonic(), time.process_time()

        def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
            self.seconds += time.monotonic() - self.at[0]
            self.cpu_seconds += time.process_time() - self.at[1]
            self.step = state.global_step
            if self.step == 1:
                self.first = self.seconds, self.cpu_seconds
            for share in training.keep:
                if self.step == max(1, round(share * state.max_steps)):
                    mark = {"share": share, "step": self.step, "seconds": self.seconds, "cpu_seconds": self.cpu_seconds}
                    self.marks.append(mark)
                    weights = {
                        n: p.detach().float().contiguous() for n, p in model.named_parameters() if p.requires_grad
                    }
                    save_file(weights, adapter_file(place, training.name, share))
            if self.step % 8 == 0 or self.step == state.max_steps:
                say(f"{training.name}: step {self.step} of {state.max_steps}, {self.seconds:.0f} s")
            self.at = time.monotonic(), time.process_time()

        def figures(self) -> dict[str, Any]:
            # The first step also pays for what is set up once, which counts in a whole training and not in a short try.
            later = (self.seconds - self.first[0], self.cpu_seconds - self.first[1])
            return {
                "steps": self.step,
                "seconds": self.seconds,
                "cpu_seconds": self.cpu_seconds,
                "seconds_a_step": later[0] / max(self.step - 1, 1),
                "marks": self.marks,
                "loss_before": self.before[0] / self.before[1],
                "tokens_before": self.before[1],
            }

    return Watch()


def score(place: Place, scorings: Sequence[Scoring]) -> None:
    """Measure adapters of both sides with the project's scorer, on whole weights."""
    from safetensors.torch import load_file

    from train.data.dialogues import load_export
    from train.loop.trainer import load_adapter_state
    from train.model import base_model
    from train.model.load import add_adapter, end_ids, load_base, tokenizer_of
    from train.model.scoring import row_scores

    export = load_export(Path(place.export))
    recipe = resolved(place, Training(name="", side="", seed=0, rows=1, learning_rate=1.0, batch_size=1))
    recipe = recipe.model_copy(update={"precision": "fp32"})  # whatever either side has trained in
    base = base_model.resolve(place.base, Path.cwd(), export.persona.languages, say)
    tokenizer = tokenizer_of(base, recipe)
    model = add_adapter(load_base(base, recipe), base, recipe)
    groups = {row.id: row.group for row in export.eval}
    for one in scorings:
        rows = encoded(export, tokenizer, recipe.model_copy(update={"max_eval_rows": one.rows})).eval
        if one.adapter is None:
            with model.disable_adapter():
                scores = row_scores(model, rows, end_ids(tokenizer))
        else:
            load_adapter_state(model, load_file(one.adapter))
            scores = row_scores(model, rows, end_ids(tokenizer))
        result = {
            "nll": [s.nll for s in scores],
            "chars": [s.chars for s in scores],
            "tokens": [s.tokens for s in scores],
            "group": [groups[row.id] for row in rows],
        }
        say(f"{one.name}: {sum(result['nll']) / sum(result['chars']):.4f} on {len(rows)} eval rows")
        write_result(place, one.name, result)


def say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
