"""Publishing a run: an adapter or a merged model, its GGUF files, and a card adapted to the repository."""

from __future__ import annotations

import hashlib
import json
import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from curation.contracts.run import RunBase
from curation.errors import InosukeError
from curation.export import card_merge
from curation.hub.model_card import for_repository
from curation.hub.model_repository import publish_model
from curation.licences import terms_of
from tests.curation.conftest import Publish
from tests.tools.exports import PERSONA_FILE, SAMPLES, sample, write
from tests.tools.hub import FakeHub
from tests.tools.tokenizers import chatml_tokenizer

BASE = {
    "name": "SmolLM2-135M-Instruct",
    "path": "models/base/SmolLM2-135M-Instruct",
    "sha256": "ab",
    "source": "embedded",
}
METRICS = {"run": "20261122-cpu", "base_model": BASE}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "20261122-cpu"
    for name, text in {
        "adapter/adapter_config.json": '{"base_model_name_or_path": "HuggingFaceTB/SmolLM2-135M-Instruct"}',
        "adapter/adapter_model.safetensors": "weights",
        "adapter/README.md": "peft's own",
        "adapter/training_args.bin": "a pickle",
        "merged/model.safetensors": "all weights",
        "merged/config.json": "{}",
        "tokenizer/tokenizer.json": "{}",
        "checkpoints/step-1/optimizer.pt": "a pickle",
        "recipe.toml": "",
        "metrics.json": json.dumps(METRICS),
        "README.md": "---\nlibrary_name: peft\n---\n\n# Inosuke: cpu\n",
        "loss_curve.png": "png",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copy(PERSONA_FILE, folder / "persona.toml")
    return folder


def test_an_adapter_is_where_from_pretrained_looks_and_without_pickles(run: Path, hub: FakeHub, send: Publish) -> None:
    result = send(run, "writer/adapter", call=publish_model, tag="v1")
    repo = hub.repos["models/writer/adapter"]
    about = {"README.md", "recipe.toml", "persona.toml", "metrics.json", "loss_curve.png", "manifest.json"}
    about |= {"LICENSE", "NOTICE"}
    assert set(repo.head.files) - {".gitattributes"} == {
        *about, "adapter_config.json", "adapter_model.safetensors", "tokenizer.json"
    }  # fmt: skip
    assert repo.head.files["adapter_model.safetensors"] == b"weights"
    assert result.commit == repo.tags["v1"] and result.warnings == []
    hub.edit("writer/adapter", "README.md", repo.head.files["README.md"] + b"\nBy hand\n", kind="models")
    (run / "README.md").write_text("---\nlibrary_name: peft\n---\n\n# Inosuke: better\n", encoding="utf-8")
    send(run, "writer/adapter", call=publish_model)
    card = repo.head.files["README.md"].decode()
    assert "# Inosuke: better" in card and "# Inosuke: cpu" not in card and card.endswith("\nBy hand\n")
    assert send(run, "writer/adapter", call=publish_model).action == "unchanged, no commit"


def test_a_merged_model_is_published_the_same_way(run: Path) -> None:
    files = publish_model(run, "writer/model", merged=True, dry_run=True).files
    assert "model.safetensors" in files and "adapter_model.safetensors" not in files


def test_a_base_model_that_only_this_machine_has_is_a_warning(run: Path) -> None:
    config = run / "adapter/adapter_config.json"
    config.write_text('{"base_model_name_or_path": "/data/models/base"}', encoding="utf-8")
    (warning,) = publish_model(run, "writer/adapter", dry_run=True).warnings
    assert "`/data/models/base`, a folder of this machine" in warning


def test_a_model_that_learnt_private_lines_is_published_with_a_warning(run: Path) -> None:
    root = run.parent.parent
    lines = [*SAMPLES, sample("Ai đấy?", "Ta! Mở ra!", rights="private"), sample("Chào!", "Hừ!", rights="own")]
    folder = write(root / "datasets" / "export", lines)
    path = folder.relative_to(root).as_posix()
    (run / "metrics.json").write_text(json.dumps(METRICS | {"dataset": {"path": path}}), encoding="utf-8")
    (warning,) = publish_model(run, "writer/adapter", dry_run=True).warnings
    assert warning.startswith("of the samples it was trained on, 1 are private.")
    assert publish_model(run, "writer/adapter", private=True, dry_run=True).warnings == []
    shutil.rmtree(folder)
    assert publish_model(run, "writer/adapter", dry_run=True).warnings == []


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ("metrics.json", "does not hold metrics.json"),
        ("adapter/adapter_model.safetensors", "no weights .*inosuke train"),
        ("README.md", "README.md is missing"),
    ],
)
def test_an_unfinished_run_is_an_error_message(gone: str, message: str, run: Path) -> None:
    (run / gone).unlink()
    with pytest.raises(InosukeError, match=message):
        publish_model(run, "writer/adapter", dry_run=True)


# ---------------------------------------------------------------- GGUF files


@pytest.fixture
def gguf(run: Path) -> Path:
    """What `inosuke gguf` leaves: two whole files, their list, and one that was interrupted."""
    folder = run / "gguf"
    folder.mkdir()
    files = []
    for kind in ("F16", "Q4_K_M"):
        data = b"GGUF\3\0\0\0" + kind.encode()
        (folder / f"model-{kind}.gguf").write_bytes(data)
        files.append({"file": f"model-{kind}.gguf", "type": kind, "sha256": hashlib.sha256(data).hexdigest()})
    (folder / "model-Q8_0.gguf").write_bytes(b"GGUF, half of it")
    (folder / "gguf.json").write_text(json.dumps({"files": files, "served": "model-Q4_K_M.gguf"}), encoding="utf-8")
    return folder


@pytest.mark.parametrize("merged", [False, True])
def test_gguf_files_are_published_in_their_own_folder_and_the_card_explains_how_to_run_one(
    merged: bool, run: Path, gguf: Path, hub: FakeHub, send: Publish
) -> None:
    send(run, "writer/model", call=publish_model, merged=merged)
    files = hub.repos["models/writer/model"].head.files
    whole = {"gguf/gguf.json", "gguf/model-F16.gguf", "gguf/model-Q4_K_M.gguf"}
    assert {name for name in files if name.startswith("gguf")} == whole
    assert files["gguf/model-Q4_K_M.gguf"] == (gguf / "model-Q4_K_M.gguf").read_bytes()
    assert ("model.safetensors" in files) == merged
    card = files["README.md"].decode()
    assert "llama-server -m gguf/model-Q4_K_M.gguf\n" in card and "- gguf\n" in card
    assert set(json.loads(files["manifest.json"])["files"]) == set(files) - {".gitattributes", "manifest.json"}
    assert send(run, "writer/model", call=publish_model, merged=merged).action == "unchanged, no commit"
    result = send(run, "writer/model", call=publish_model, merged=merged, gguf=False)
    assert result.deleted == sorted(whole)
    assert "llama-server" not in hub.repos["models/writer/model"].head.files["README.md"].decode()


def test_gguf_files_without_a_list_are_published_too(run: Path, gguf: Path) -> None:
    (gguf / "gguf.json").unlink()
    files = publish_model(run, "writer/model", dry_run=True).files
    assert {"gguf/model-F16.gguf", "gguf/model-Q4_K_M.gguf", "gguf/model-Q8_0.gguf"} <= set(files)


def test_a_damaged_gguf_is_named_and_can_be_left_out(run: Path, gguf: Path) -> None:
    def expect(message: str) -> None:
        with pytest.raises(InosukeError, match=rf"{message}.*inosuke gguf {run.name}.*--no-gguf"):
            publish_model(run, "writer/model", dry_run=True)

    (gguf / "model-F16.gguf").write_bytes(b"GGUF but other bytes")
    expect("model-F16.gguf: is damaged")
    (gguf / "model-F16.gguf").unlink()
    expect("model-F16.gguf: is missing, though gguf/gguf.json lists it")
    for text in ("{", "[]", '{"files": [1]}', '{"files": [{}]}'):
        (gguf / "gguf.json").write_text(text, encoding="utf-8")
        with pytest.raises(InosukeError, match=r"gguf\.json: damaged .*inosuke gguf"):
            publish_model(run, "writer/model", dry_run=True)
    assert "gguf/gguf.json" not in publish_model(run, "writer/model", gguf=False, dry_run=True).files


# ---------------------------------------------------------------- the card

CARD = """---
base_model: HuggingFaceTB/SmolLM2-135M-Instruct
library_name: peft
license: apache-2.0
tags: [lora, persona]
---

# Inosuke: cpu

## Use

`inosuke serve` chats with it.

```python
model = PeftModel.from_pretrained(base, "adapter")
```

Prompts need the system prompt.

## Licence

The base's.
"""


TERMS = terms_of(RunBase(**BASE), ("it was trained",))


def test_the_card_of_an_adapter_loads_it_from_its_repository() -> None:
    text = for_repository(CARD, "hoa/boar", TERMS, merged=False)
    data = card_merge.parse(text, "").data
    assert (data["library_name"], data["base_model_relation"], data["tags"]) == ("peft", "adapter", ["lora", "persona"])
    assert 'base = AutoModelForCausalLM.from_pretrained("HuggingFaceTB/SmolLM2-135M-Instruct")' in text
    assert 'PeftModel.from_pretrained(base, "hoa/boar")' in text and '"adapter")' not in text
    for kept in (
        "# Inosuke: cpu",
        "`inosuke serve` chats",
        "Prompts need the system prompt.",
        "## Licence\n\nThe base model SmolLM2-135M-Instruct is under the [Apache License 2.0]",
    ):
        assert kept in text


def test_the_card_of_a_merged_model_does_not_call_it_an_adapter() -> None:
    text = for_repository(CARD, "hoa/boar", TERMS, merged=True)
    data = card_merge.parse(text, "").data
    assert (data["library_name"], data["base_model_relation"]) == ("transformers", "finetune")
    assert 'model = AutoModelForCausalLM.from_pretrained("hoa/boar")' in text and "PeftModel" not in text


@pytest.mark.parametrize(
    "text", ["# Only words\n", "---\nlibrary_name: peft\n---\n# X\n\n## Use\n\nAsk me.\n\n## End\n"]
)
def test_a_card_without_an_example_gets_one(text: str) -> None:
    made = for_repository(text, "hoa/boar", TERMS, merged=True)
    assert made.count("## Use") == 1 and made.count('from_pretrained("hoa/boar")') == 2


# ---------------------------------------------------------------- a real model


def _greedy(repo: str, base: str | None) -> list[int]:
    """Load a published model as its card explains, and return the tokens that it generates."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(repo)
    model: Any = AutoModelForCausalLM.from_pretrained(base or repo)
    if base:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, repo)
    ids = torch.tensor([tokenizer("Ta!")["input_ids"]])
    said: list[int] = model.eval().generate(ids, do_sample=False, max_new_tokens=8)[0].tolist()
    return said


@pytest.mark.slow
def test_published_models_load_with_from_pretrained_and_give_the_same_reply(
    run: Path, hub: FakeHub, send: Publish, worker: ProcessPoolExecutor, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    from peft import LoraConfig, get_peft_model
    from transformers import Qwen2Config, Qwen2ForCausalLM

    tokenizer = chatml_tokenizer()
    torch.manual_seed(0)
    size = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Qwen2Config(vocab_size=len(tokenizer), num_key_value_heads=2, eos_token_id=None, pad_token_id=0, **size)
    base = tmp_path / "base"
    Qwen2ForCausalLM(config).save_pretrained(base)
    adapted = get_peft_model(Qwen2ForCausalLM.from_pretrained(base), LoraConfig(init_lora_weights=False))
    for folder in ("adapter", "merged", "tokenizer"):
        shutil.rmtree(run / folder)
    adapted.save_pretrained(run / "adapter")
    tokenizer.save_pretrained(run / "tokenizer")
    adapted.merge_and_unload().save_pretrained(run / "merged")
    send(run, "writer/adapter", call=publish_model)
    send(run, "writer/merged", call=publish_model, merged=True)
    adapter = worker.submit(_greedy, "writer/adapter", str(base)).result()
    assert adapter == worker.submit(_greedy, "writer/merged", None).result() and len(adapter) > 8
    tokenizer.save_pretrained(base)
    assert adapter != worker.submit(_greedy, str(base), None).result(), "the adapter did nothing"
