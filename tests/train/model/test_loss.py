"""The loss in chunks equals cross-entropy over all logits, and so do its gradients."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional

from train.data.batches import IGNORE, packed
from train.data.dialogues import Encoded
from train.model.loss import positions_at_once, token_losses
from train.model.packed_attention import NAME as PACKED

ROWS = [
    Encoded("a", list(range(40, 70)), [0] * 12 + [1] * 18, chars=18),
    Encoded("b", list(range(40, 50)) + list(range(90, 110)), [0] * 15 + [1] * 15, chars=15),
]


@pytest.mark.parametrize("trained_head", [False, True])
def test_chunks_give_each_token_the_same_loss_and_the_adapter_the_same_gradient(
    tiny_base: Path, trained_head: bool
) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32, attn_implementation=PACKED)
    model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear"))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:  # zero at first, so that the other half would get no gradient
            torch.nn.init.normal_(parameter, std=0.1)
    base.lm_head.weight.requires_grad_(trained_head)
    batch = packed(ROWS)
    keep = batch["labels"] != IGNORE
    inputs = {k: v for k, v in batch.items() if k not in ("labels", "row")}
    at_once = functional.cross_entropy(model(**inputs).logits[keep], batch["labels"][keep], reduction="none")
    in_chunks = token_losses(model, batch, 4 * base.config.vocab_size * 7)
    assert len(at_once) == 33
    torch.testing.assert_close(in_chunks, at_once)
    weights = torch.rand(33)  # a weight for each token, as a mean over several batches gives them
    results = []
    for losses in (at_once, in_chunks):
        model.zero_grad()
        (losses * weights).sum().backward()
        results.append([p.grad.clone() for p in model.parameters() if p.grad is not None])
    gradients, others = results
    assert len(gradients) == len(others) == 28 + trained_head
    for one, other in zip(gradients, others, strict=True):
        torch.testing.assert_close(other, one, rtol=1e-4, atol=1e-4)
    assert base.lm_head.weight.shape[0] == base.config.vocab_size  # put back


def test_a_chunk_has_no_more_logits_than_requested(tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32, attn_implementation=PACKED)
    model.requires_grad_(False)
    made: list[int] = []
    head, real = model.lm_head.weight, functional.linear

    def linear(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None) -> torch.Tensor:
        if weight is head:
            made.append(x.shape[-2])
        return real(x, weight, bias)

    monkeypatch.setattr(functional, "linear", linear)
    with torch.inference_mode():
        token_losses(model, packed(ROWS), 4 * model.config.vocab_size * 7)
    assert made == [0, 7, 7, 7, 7, 5]  # the pass through the layers needs no logits


def test_a_chunk_has_as_many_positions_as_fit() -> None:
    assert positions_at_once(151_936, 64 * 2**20) == 110
    assert positions_at_once(10**9, 1) == 1
