"""Fast norms and gated activations give the library's results and gradients."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, LlamaConfig, Qwen2Config

from train.speedups import fast_layers

SIZES: dict[str, Any] = {
    "vocab_size": 97,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
IDS = torch.arange(24)[None] % 97


def model(config: Any, **changes: Any) -> Any:
    torch.manual_seed(0)
    made = AutoModelForCausalLM.from_config(config(**SIZES | changes))
    for name, parameter in made.named_parameters():
        if "norm" in name:  # ones at first, which would hide what they are multiplied with
            torch.nn.init.normal_(parameter, mean=1.0, std=0.2)
    return made.requires_grad_(False)


def outputs(made: Any) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the logits, and the gradient of their mean square by the embedded tokens."""
    embedded = made.get_input_embeddings()(IDS).requires_grad_(True)
    logits = made(inputs_embeds=embedded, use_cache=False).logits
    logits.square().mean().backward()
    return logits.detach(), embedded.grad


@pytest.mark.parametrize("config", [LlamaConfig, Qwen2Config])
def test_results_and_gradients_are_the_librarys(config: Any) -> None:
    expected = outputs(model(config))
    made = model(config)
    assert fast_layers.speed_up(made) == 3 * 3 + 1  # two norms and an MLP a layer, and the last norm
    for seen, wanted in zip(outputs(made), expected, strict=True):
        torch.testing.assert_close(seen, wanted, rtol=2e-5, atol=1e-6)


def test_the_gradients_are_those_of_finite_differences() -> None:
    torch.manual_seed(0)
    x, gate, up = (torch.randn(5, 8, dtype=torch.float64, requires_grad=True) for _ in range(3))
    weight = torch.rand(8, dtype=torch.float64) + 0.5
    assert torch.autograd.gradcheck(lambda x: fast_layers._RMSNorm.apply(x, weight, 1e-6), (x,))  # type: ignore[no-untyped-call]
    assert torch.autograd.gradcheck(fast_layers._SwiGLU.apply, (gate, up))


def test_another_activation_and_trained_norms_use_their_own_forward() -> None:
    made = model(LlamaConfig, hidden_act="gelu")
    assert fast_layers.speed_up(made) == 2 * 3 + 1
    norm = made.model.norm
    norm.weight.requires_grad_(True)
    norm(torch.randn(1, 4, 64)).sum().backward()
    assert norm.weight.grad is not None


def test_half_precision_uses_its_own_forward() -> None:
    made = model(LlamaConfig).to(torch.bfloat16)
    with torch.no_grad():
        expected = made(IDS).logits
        fast_layers.speed_up(made)
        assert torch.equal(made(IDS).logits, expected)
