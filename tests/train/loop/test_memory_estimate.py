"""The memory estimate, compared with what torch keeps, and its result for a 6 GB card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from curation.persona import Persona
from train.data.dialogues import Encoded
from train.loop import forecast
from train.loop.memory_estimate import (
    Shape,
    adapter_parameters,
    answering_bytes,
    estimate,
    saved_by_layer,
    shape_of,
    what_would_fit,
)
from train.model.loss import CHUNK_BYTES
from train.recipe import Device, Recipe, load_recipe, resolve

# Qwen/Qwen2.5-3B-Instruct, config.json. Its card: 3.09 B parameters, 2.77 B of them not embeddings.
QWEN_3B = Shape(
    layers=36, hidden=2048, intermediate=11008, heads=16, kv_heads=2, head_dim=128, vocabulary=151936, tied=True
)
# The longest row of the first user's corpus has 339 tokens with the system prompt (SmolLM2's, which needs more than
# Qwen's for Vietnamese), the longest reply 152.
LONGEST, REPLY = 339, 152


def test_the_shape_of_qwen_has_the_parameters_that_its_card_says() -> None:
    assert QWEN_3B.linear_parameters == pytest.approx(2.77e9, rel=0.005)
    assert QWEN_3B.linear_parameters + QWEN_3B.embedding_parameters == pytest.approx(3.09e9, rel=0.005)


def test_the_default_recipe_fits_a_6_gb_card_and_the_first_trainers_logits_would_have_been_the_most(
    persona: Persona,
) -> None:
    recipe, _ = resolve(load_recipe("default"), persona, Device("cuda", has_bf16=True))
    worst = estimate(QWEN_3B, recipe, recipe.batch_size * LONGEST, recipe.batch_size * REPLY, "cuda", CHUNK_BYTES)
    assert adapter_parameters(QWEN_3B, recipe) == pytest.approx(30e6, rel=0.01)
    assert worst.weights == pytest.approx(2.05e9, rel=0.01)
    assert worst.total < 5.2e9
    without = estimate(
        QWEN_3B, recipe.model_copy(update={"checkpointing": False}), 8 * LONGEST, 8 * REPLY, "cuda", CHUNK_BYTES
    )
    assert without.total > 6e9
    whole = estimate(QWEN_3B, recipe, 8 * LONGEST, 8 * REPLY, "cuda", 10**12)
    assert whole.logits > 4 * worst.logits


def test_a_change_that_would_make_it_fit_is_named(persona: Persona) -> None:
    recipe, _ = resolve(load_recipe("default"), persona, Device("cuda", has_bf16=True))
    greedy = recipe.model_copy(update={"checkpointing": False})
    arguments = (8 * LONGEST, 8 * REPLY, "cuda", CHUNK_BYTES)
    assert what_would_fit(QWEN_3B, greedy, *arguments, 5.5e9).startswith("`checkpointing = true` would fit (")
    said = what_would_fit(QWEN_3B, greedy, *arguments, 4.0e9)
    assert said.startswith("`batch_size = 4` with `gradient_accumulation = 4` and `checkpointing = true` would fit")
    assert what_would_fit(QWEN_3B, greedy, *arguments, 1e9).startswith("no batch is small enough")


CONFIG: dict[str, Any] = {
    "vocab_size": 512,
    "hidden_size": 256,
    "intermediate_size": 768,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
}


def kept_for_backward(config: Any, recipe: Recipe, tokens: int) -> int:
    """Build the model, run it forward, and return the bytes of all tensors that autograd keeps, each counted once."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    base = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
    targets = recipe.lora_targets if recipe.lora_targets == "all-linear" else list(recipe.lora_targets)
    model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", r=recipe.lora_rank, target_modules=targets))
    own = {t.untyped_storage().data_ptr() for t in [*model.parameters(), *model.buffers()]}
    kept: dict[int, Any] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            kept[storage.data_ptr()] = storage  # keep it, so that no other tensor gets its address
        return tensor

    ids = torch.arange(tokens)[None] % 512
    mask = torch.ones(tokens, tokens, dtype=torch.bool).tril()[None, None]
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda t: t):
        loss = model(input_ids=ids, attention_mask=mask, logits_to_keep=1, use_cache=False).logits.float().sum()
    assert loss.requires_grad
    return sum(storage.nbytes() for storage in kept.values())


@pytest.mark.parametrize("targets", ["all-linear", ("q_proj", "v_proj")], ids=["all-linear", "q and v"])
@pytest.mark.parametrize("family", ["Qwen2", "Qwen3", "Llama", "Gemma3Text"])
def test_the_activations_are_those_that_torch_keeps(family: str, targets: Any) -> None:
    import transformers

    config = getattr(transformers, f"{family}Config")(**CONFIG)
    shape = shape_of(config)
    assert shape is not None
    recipe = Recipe(name="t", base="t", precision="fp32", quantization="none", lora_rank=8, lora_targets=targets)
    tokens = 192
    measured = kept_for_backward(config, recipe, tokens)
    assert tokens * shape.layers * saved_by_layer(shape, recipe) == pytest.approx(measured, rel=0.15)


def test_a_model_of_another_shape_is_not_estimated(tmp_path: Path) -> None:
    from transformers import GPT2Config, Qwen3MoeConfig

    assert shape_of(GPT2Config()) is None
    assert shape_of(Qwen3MoeConfig()) is None


def test_the_text_part_of_a_model_for_pictures_has_a_shape() -> None:
    from transformers import Gemma3Config, Gemma3TextConfig

    text = Gemma3TextConfig(
        hidden_size=640, num_attention_heads=4, num_key_value_heads=1, head_dim=256, vocab_size=48892
    )
    shape = shape_of(Gemma3Config(text_config=text))
    assert shape == shape_of(text)
    assert shape is not None
    assert (shape.head_dim, shape.kv_heads, shape.tied, shape.norms, shape.head_norms) == (256, 1, True, 4, True)


def test_answers_after_a_training_count_the_cache(persona: Persona) -> None:
    recipe, _ = resolve(load_recipe("default"), persona, Device("cuda", has_bf16=True))
    step = estimate(QWEN_3B, recipe, 8 * LONGEST, 8 * REPLY, "cuda", CHUNK_BYTES)
    assert QWEN_3B.cache * 2 == 36_864  # bytes a token in bf16: 36 layers, keys and values of two heads of 128
    one, eight = (answering_bytes(QWEN_3B, recipe, n, LONGEST + 96, step, "cuda") for n in (1, 8))
    assert eight - one > 7 * (LONGEST + 96) * 36_864
    assert eight < step.total  # on a card where the steps fit, the answers do


def test_in_fp16_what_is_not_quantised_takes_twice_the_bytes(persona: Persona) -> None:
    bf16, fp16 = (
        estimate(
            QWEN_3B, resolve(load_recipe("default"), persona, Device("cuda", real))[0], 800, 100, "cuda", CHUNK_BYTES
        )
        for real in (True, False)
    )
    assert fp16.weights - bf16.weights == QWEN_3B.embedding_parameters * 2


def encoded(length: int, counted: int) -> Encoded:
    return Encoded("x", [0] * length, [0] * (length - counted) + [1] * counted, counted)


def test_the_largest_batch_holds_the_longest_rows_or_padded_ones() -> None:
    rows = [encoded(10, 5), encoded(40, 2), encoded(20, 9)]
    recipe = Recipe(name="t", base="t", batch_size=2, max_length=64)
    assert forecast.largest_batch(rows, recipe) == (60, 14)
    assert forecast.largest_batch(rows, recipe.model_copy(update={"layout": "padded", "loss_on": "text"})) == (128, 60)


def test_a_batch_that_does_not_fit_is_reported(persona: Persona, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, _ = resolve(load_recipe("default"), persona, Device("cuda", has_bf16=True))
    rows = [encoded(LONGEST, REPLY)] * 20
    monkeypatch.setattr(forecast, "free_bytes", lambda device: 6e9)
    [line] = forecast.memory_lines(QWEN_3B, rows, recipe, "cuda")
    assert line.startswith("Memory: about 4.")
    assert line.endswith("for a batch of 2,712 tokens; 6.0 GB free")
    monkeypatch.setattr(forecast, "free_bytes", lambda device: 3.9e9)
    _, more = forecast.memory_lines(QWEN_3B, rows, recipe, "cuda")
    assert "more than there is. `batch_size = " in more
    assert "would fit" in more
    assert "not estimated" in forecast.memory_lines(None, rows, recipe, "cpu")[0]


def test_the_time_follows_from_what_was_measured_and_names_the_budget() -> None:
    recipe = Recipe(name="t", base="t", epochs=2)
    line = forecast.time_line(10, 2.5, 1.0, recipe, 3)
    assert line == "Time: about 0:53 for 2 epochs with 3 evaluations"  # 2 x 10 rows x 2.5 s, and 3 x 1 s
    limited = recipe.model_copy(update={"max_minutes": 0.5})
    assert forecast.time_line(10, 2.5, 1.0, limited, 3).endswith(
        "the ceiling of 0.5 minutes ends it after about 57% of that"
    )
