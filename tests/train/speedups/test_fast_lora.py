"""Fast LoRA layers give peft's results and gradients, and are used only where they apply."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, Qwen2Config

from train.model.base_model import BaseModel
from train.model.load import add_adapter
from train.recipe import Recipe
from train.speedups import fast_lora
from train.speedups.fast_lora import speed_up

CONFIG = Qwen2Config(
    vocab_size=97,
    hidden_size=64,
    intermediate_size=128,
    num_hidden_layers=4,
    num_attention_heads=4,
    num_key_value_heads=2,
)
IDS = torch.arange(24)[None] % 97


def base(nf4: bool = False) -> Any:
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(CONFIG)
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):  # Qwen2's queries, keys and values have one, which is zero at first
            torch.nn.init.normal_(parameter, std=0.1)
    if nf4:
        from bitsandbytes.nn import Linear4bit

        for block in model.model.layers:
            for owner in (block.self_attn, block.mlp):
                for name, linear in list(owner.named_children()):
                    if isinstance(linear, torch.nn.Linear):
                        small = Linear4bit(
                            linear.in_features,
                            linear.out_features,
                            bias=linear.bias is not None,
                            compute_dtype=torch.float32,
                            quant_type="nf4",
                        )
                        small.load_state_dict(linear.state_dict())
                        setattr(owner, name, small.to("cpu"))
    return model


def adapted(model: Any, **options: Any) -> Any:
    torch.manual_seed(1)
    model = get_peft_model(
        model, LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8, target_modules="all-linear", **options)
    )
    fill(model)
    return model


def fill(model: Any) -> None:
    for name, parameter in model.named_parameters():
        if "lora_B" in name:  # zero at first, so that the other half would get no gradient
            torch.nn.init.normal_(parameter, std=0.1)


def step(model: Any) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    model.zero_grad()
    logits = model(input_ids=IDS, use_cache=False).logits
    logits.float().log_softmax(-1)[..., 5].sum().backward()
    return logits.detach(), {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("nf4", [False, True], ids=["whole weights", "NF4"])
def test_results_and_gradients_are_those_of_peft(nf4: bool) -> None:
    model = adapted(base(nf4))
    by_peft, wanted = step(model)
    assert speed_up(model) == 4 * 7
    found, gradients = step(model)
    torch.testing.assert_close(found, by_peft, rtol=1e-4, atol=1e-5)
    assert gradients.keys() == wanted.keys()
    assert len(wanted) == 2 * 4 * 7
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, wanted[name], rtol=1e-3, atol=1e-5, msg=name)


def test_without_its_adapter_the_model_is_the_base() -> None:
    plain = base()
    wanted = plain(input_ids=IDS, use_cache=False).logits
    model = adapted(plain)
    speed_up(model)
    with model.disable_adapter():
        torch.testing.assert_close(model(input_ids=IDS, use_cache=False).logits, wanted)
    assert not torch.allclose(model(input_ids=IDS, use_cache=False).logits, wanted, atol=1e-3)


@pytest.mark.parametrize("options", [{"lora_dropout": 0.1}, {"use_dora": True}, {"lora_bias": True}], ids=str)
def test_an_adapter_that_is_not_plain_uses_pefts_forward(options: dict[str, Any]) -> None:
    assert speed_up(adapted(base(), **options)) == 0


def test_other_precisions_use_pefts_forward() -> None:
    assert speed_up(adapted(base().to(torch.bfloat16))) == 0


def recipe(**changes: Any) -> Recipe:
    return Recipe(name="t", base="t", precision="fp32", quantization="none", lora_rank=4, lora_alpha=8, **changes)


def count(calls: list[int], number: int, *_: Any) -> None:
    calls[number] += 1


def trained_blocks(model: Any) -> set[int]:
    return {int(n.split(".layers.")[1].split(".")[0]) for n, p in model.named_parameters() if p.requires_grad}


@pytest.mark.parametrize("share", [0.5, 0.25, 1.0])
def test_the_upper_share_of_the_blocks_gets_adapters_on_all_linear_layers(share: float) -> None:
    model = add_adapter(base(), BaseModel("t", "t", None), recipe(lora_upper_layers=share))
    blocks = round(4 * share)
    assert trained_blocks(model) == set(range(4 - blocks, 4))
    assert sum(p.requires_grad for p in model.parameters()) == 2 * 7 * blocks


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_checkpointing_recomputes_only_the_blocks_with_adapters(share: float) -> None:
    results = []
    for checkpointing in (False, True):
        torch.manual_seed(2)
        plain = base()
        model = add_adapter(
            plain, BaseModel("t", "t", None), recipe(lora_upper_layers=share, checkpointing=checkpointing)
        )
        fill(model)
        model.train()
        calls = [0] * 4
        # A pre-hook: recomputing a block ends with the last tensor that the gradients need.
        for number, block in enumerate(plain.model.layers):
            block.mlp.register_forward_pre_hook(partial(count, calls, number))
        _, gradients = step(model)
        results.append((calls, gradients))
    (once, wanted), (again, found) = results
    first = 4 - round(4 * share)
    assert once == [1, 1, 1, 1]
    assert again == [1 if number < first else 2 for number in range(4)]
    assert found.keys() == wanted.keys()
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, wanted[name], msg=name)


def test_checkpointing_does_not_recompute_the_last_product_of_a_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    made = 0
    forward = fast_lora._Product.forward

    def counted(*args: Any) -> torch.Tensor:
        nonlocal made
        made += 1
        return forward(*args)

    monkeypatch.setattr(fast_lora._Product, "forward", staticmethod(counted))
    model = adapted(base().requires_grad_(False))
    speed_up(model)
    model.activation_checkpointing_enable({"use_reentrant": False})
    model.train()
    model(IDS, labels=IDS, use_cache=False).loss.backward()
    layers = CONFIG.num_hidden_layers
    assert made == 7 * layers + 6 * layers  # all once, and all except down_proj a second time
