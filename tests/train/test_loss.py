"""The training loss in parts is the loss at once, and so are its gradients."""

from __future__ import annotations

from pathlib import Path

import torch

from train.batches import packed
from train.data import Encoded
from train.loss import positions_at_once, training_losses
from train.scoring import token_losses

ROWS = [
    Encoded("a", list(range(40, 70)), [0] * 12 + [1] * 18, chars=18),
    Encoded("b", list(range(40, 50)) + list(range(90, 110)), [0] * 15 + [1] * 15, chars=15),
]


def test_the_logits_in_parts_give_each_token_the_same_loss_and_the_adapter_the_same_gradient(tiny_base: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(tiny_base, dtype=torch.float32, attn_implementation="sdpa")
    model = get_peft_model(base, LoraConfig(task_type="CAUSAL_LM", r=4, target_modules="all-linear"))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:  # zero at first, which would leave no gradient to the other half
            torch.nn.init.normal_(parameter, std=0.1)
    batch = packed(ROWS)
    largest: list[int] = []
    base.lm_head.register_forward_hook(lambda module, args, out: largest.append(out.numel() // out.shape[-1]))
    results = []
    for losses in (token_losses(model, batch), training_losses(model, batch, 4 * base.config.vocab_size * 7)):
        model.zero_grad()
        losses.sum().backward()
        results.append((losses.detach(), [p.grad.clone() for p in model.parameters() if p.grad is not None]))
    (at_once, gradients), (in_parts, others) = results
    assert len(at_once) == 33
    assert largest[0] == 33
    assert max(largest[1:]) == 7
    torch.testing.assert_close(in_parts, at_once)
    assert len(gradients) == len(others) == 28
    for one, other in zip(gradients, others, strict=True):
        torch.testing.assert_close(other, one)
    assert base.lm_head.weight.shape[0] == base.config.vocab_size  # put back


def test_as_many_positions_as_fit_are_done_at_once() -> None:
    assert positions_at_once(151_936, 64 * 2**20) == 110
    assert positions_at_once(10**9, 1) == 1
