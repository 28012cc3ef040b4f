"""One side of `bench_train`, in a separate process: `python -m benchmarks.train_sides SIDE ROWS EVAL EXPORT BASE`.

Sides: ``first`` is the seed recipe as its author ran it, on transformers' Trainer; ``cpu`` is ours, ``kept`` the same
without checkpointing; ``trl`` is trl's SFTTrainer with its defaults on the same rows, base and adapter as ``cpu``.
The last line of the output is a JSON object: the seconds of the training steps alone, the peak memory of the process,
and the nll per reply character before and after the training where it is measured.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as train.commands does


def main() -> None:
    side, rows, eval_rows, export, base = sys.argv[1:6]
    run = {"first": first, "trl": trl}.get(side, ours)
    libraries = loaded_libraries(side)
    result = run(side, int(rows), int(eval_rows), Path(export), base)
    result |= {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "libraries_mb": libraries}
    print(json.dumps(result))


def ours(side: str, rows: int, eval_rows: int, export_path: Path, base_folder: str) -> dict[str, Any]:
    from train import recipe
    from train.data.dialogues import load_export
    from train.loop import qlora
    from train.model import base_model

    export = load_export(export_path)
    wanted = recipe.load_recipe("cpu").model_copy(
        update={
            "base": base_folder,
            "max_train_rows": rows,
            "max_eval_rows": eval_rows,
            "epochs": 1,
            "max_minutes": None,
            "evals_per_epoch": 1,
            "samples": 0,
            # The same rows for every side: they are drawn by the seed.
            "seed": 0,
        }
        | ({"checkpointing": False} if side == "kept" else {})
    )
    chosen, _ = recipe.resolve(wanted, export.persona, recipe.Device("cpu", has_bf16=False))
    base = base_model.resolve(base_folder, Path.cwd(), say)
    with tempfile.TemporaryDirectory(prefix="bench-train-") as folder:
        clock = steps_clock()
        result = qlora.train_adapter(export, chosen, base, Path(folder), say, watchers=[clock])
    assert result is not None
    assert result.history.steps[-1].rows == rows, "rows were left out"
    return {
        "rows": rows,
        "steps": len(result.history.steps),
        "seconds": clock.seconds,
        "cpu_seconds": clock.cpu_seconds,
        "base": result.base.as_json()["reply_nll_per_char"],
        "adapter": result.adapter.as_json()["reply_nll_per_char"],
    }


def first(side: str, rows: int, eval_rows: int, export_path: Path, base_folder: str) -> dict[str, Any]:
    """The seed recipe on transformers' Trainer, as tutorials of its time did it: logits for all 512 positions."""
    import random

    from peft import get_peft_model, prepare_model_for_kbit_training
    from transformers import (
        AutoTokenizer,
        DataCollatorForLanguageModeling,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    import datasets
    from curation import chat
    from train import recipe
    from train.data.dialogues import encode, load_export
    from train.model import packed_attention
    from train.model.load import adapter_config, end_ids, keep_as_they_are
    from train.model.scoring import score

    export, seed = load_export(export_path), recipe.load_recipe("seed")
    set_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(base_folder)
    tokenizer.pad_token = tokenizer.eos_token
    # Without packed rows this attention is sdpa; it is used here so that it is measured as ours is.
    model = nf4_base(base_folder, double_quant=seed.double_quant, attn_implementation=packed_attention.NAME)
    keep_as_they_are(model)  # it is measured before the training
    model = get_peft_model(
        prepare_model_for_kbit_training(model, use_gradient_checkpointing=seed.checkpointing),
        adapter_config(model, seed),
    )
    chosen = random.Random(0).sample(export.eval, min(eval_rows, len(export.eval)))
    measured, _ = encode(chosen, tokenizer, export.persona, seed.max_length, "alpaca")
    ids = [
        chat.render(row.messages, tokenizer, export.persona, "alpaca").input_ids
        for row in random.Random(0).sample(export.train, rows)
    ]
    padded = tokenizer.pad(
        {"input_ids": ids}, padding="max_length", max_length=seed.max_length, return_attention_mask=True
    )
    with model.disable_adapter():
        before = score(model, measured, end_ids(tokenizer))
    clock = steps_clock()
    with tempfile.TemporaryDirectory(prefix="bench-train-") as folder:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                folder,
                num_train_epochs=1,
                per_device_train_batch_size=seed.batch_size,
                gradient_accumulation_steps=seed.gradient_accumulation,
                learning_rate=seed.learning_rate,
                lr_scheduler_type="cosine",
                warmup_steps=seed.warmup,
                weight_decay=seed.weight_decay,
                activation_checkpointing=seed.checkpointing,
                # The nearest to `paged_adamw_32bit` and fp16 that a CPU has.
                optim="adamw_torch",
                use_cpu=True,
                save_strategy="no",
                disable_tqdm=True,
                dataloader_pin_memory=False,
            ),
            train_dataset=datasets.Dataset.from_dict(dict(padded)),
            data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
            callbacks=[clock],
        )
        trainer.train()
    after = score(model, measured, end_ids(tokenizer))
    return {
        "rows": rows,
        "steps": trainer.state.global_step,
        "seconds": clock.seconds,
        "cpu_seconds": clock.cpu_seconds,
        "base": before.as_json()["reply_nll_per_char"],
        "adapter": after.as_json()["reply_nll_per_char"],
    }


def trl(side: str, rows: int, eval_rows: int, export_path: Path, base_folder: str) -> dict[str, Any]:
    import random

    from transformers import AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    import datasets
    from curation import chat
    from train import recipe
    from train.data.dialogues import load_export
    from train.model.load import adapter_config

    export, mine = load_export(export_path), recipe.load_recipe("cpu")
    tokenizer = AutoTokenizer.from_pretrained(base_folder)
    model = nf4_base(base_folder)
    lines = []
    for row in random.Random(0).sample(export.train, rows):
        system = export.persona.system_prompt_in(chat.language_of(row.messages, export.persona))
        said = [{"role": m.role, "content": m.content} for m in row.messages]
        lines.append({"messages": [{"role": "system", "content": system}, *said]})

    clock = steps_clock()
    with tempfile.TemporaryDirectory(prefix="bench-train-") as folder:
        trainer = SFTTrainer(
            model=model,
            # Its defaults, except for what a CPU needs (bf16 is even slower there) and the end of the training.
            args=SFTConfig(
                folder,
                num_train_epochs=1,
                use_cpu=True,
                bf16=False,
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
                dataloader_pin_memory=False,
            ),
            train_dataset=datasets.Dataset.from_list(lines),
            processing_class=tokenizer,
            peft_config=adapter_config(model, mine),
            callbacks=[clock],
        )
        say(
            f"trl: batch {trainer.args.per_device_train_batch_size}, optim {trainer.args.optim}, "
            f"checkpointing {trainer.args.activation_checkpointing}, loss {trainer.args.loss_type}"
        )
        trainer.train()
    return {
        "rows": rows,
        "steps": trainer.state.global_step,
        "seconds": clock.seconds,
        "cpu_seconds": clock.cpu_seconds,
    }


def nf4_base(folder: str, double_quant: bool = False, **options: Any) -> Any:
    """Load the base as a tutorial does: 4-bit weights, computed in 32 bits."""
    import torch
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    small = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=double_quant,
        bnb_4bit_compute_dtype=torch.float32,
    )
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, quantization_config=small, **options)


def loaded_libraries(side: str) -> float:
    """Import what a side needs, before any model is loaded, and return the memory of the process in MB."""
    import psutil  # type: ignore[import-untyped]

    if side in ("first", "trl"):
        import transformers.trainer  # noqa: F401
    else:
        from train.speedups import lean_imports

        lean_imports.load_trainer()

    from train.loop import qlora  # noqa: F401

    return float(psutil.Process().memory_info().rss / 2**20)


def steps_clock() -> Any:
    """Return a callback that measures wall-clock and processor seconds from the first step to the end of the last."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        seconds = cpu_seconds = 0.0

        def on_train_begin(self, *args: Any, **kwargs: Any) -> None:
            self.began = time.monotonic(), time.process_time()

        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            self.seconds, self.cpu_seconds = time.monotonic() - self.began[0], time.process_time() - self.began[1]

    return Clock()


def say(line: str) -> None:
    print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
