"""Attention row by row equals attention with a mask that separates packed rows, and so do its gradients."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from train.data.batches import packed
from train.data.dialogues import Encoded
from train.model.packed_attention import attention

HEADS, GROUPS, SIZE = 6, 3, 8


def tensors(length: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    shapes = [(1, heads, length, SIZE) for heads in (HEADS, HEADS // GROUPS, HEADS // GROUPS)]
    return [torch.randn(shape, generator=generator).requires_grad_() for shape in shapes]


def by_rows(batch: dict[str, object], q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    module = SimpleNamespace(num_key_value_groups=GROUPS, is_causal=True)
    mask = batch["attention_mask"]
    assert isinstance(mask, torch.Tensor)
    return attention(module, q, k, v, mask, scaling=SIZE**-0.5, rows=batch["rows"])[0]  # type: ignore[arg-type]


@pytest.mark.parametrize("shared", [0, 5], ids=["nothing shared", "a shared beginning"])
def test_rows_attend_as_with_one_mask_over_the_whole_pack(shared: int) -> None:
    beginning = list(range(100, 100 + shared))
    rows = [
        Encoded(str(n), beginning + [n * 10 + i for i in range(length)], [0] * (shared + 1) + [1] * (length - 1), 1)
        for n, length in enumerate((4, 9, 2), start=1)
    ]
    batch = packed(rows)
    owner = batch["row"][0]
    assert batch["rows"] == (shared, 4, 9, 2)
    q, k, v = tensors(len(owner))
    found = by_rows(batch, q, k, v)
    may_look = ((owner[None] == owner[:, None]) | (owner[None] == -1)).tril()
    whole = scaled_dot_product_attention(
        q, *(x.repeat_interleave(GROUPS, dim=1) for x in (k, v)), attn_mask=may_look[None, None], scale=SIZE**-0.5
    ).transpose(1, 2)
    torch.testing.assert_close(found, whole)
    weights = torch.randn(found.shape, generator=torch.Generator().manual_seed(1))
    for one, other in zip(
        torch.autograd.grad((found * weights).sum(), (q, k, v)),
        torch.autograd.grad((whole * weights).sum(), (q, k, v)),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_no_row_affects_another() -> None:
    rows = [Encoded("a", [1, 2, 3, 4], [0, 0, 1, 1], 1), Encoded("b", [1, 5, 6], [0, 0, 1], 1)]
    batch = packed(rows)
    q, k, v = tensors(6)
    found = by_rows(batch, q, k, v)
    of_b = batch["row"][0] == 1
    for gradient in torch.autograd.grad(found[:, of_b].sum(), (q, k, v)):
        of_a = batch["row"][0] == 0
        assert gradient[:, :, of_a].abs().max() == 0
        assert gradient[:, :, of_b].abs().max() > 0


def test_without_rows_it_is_transformers_own() -> None:
    q, k, v = tensors(7)
    module = SimpleNamespace(num_key_value_groups=GROUPS, is_causal=True)
    found, _ = attention(module, q, k, v, None, scaling=SIZE**-0.5)
    whole = scaled_dot_product_attention(
        q, *(x.repeat_interleave(GROUPS, dim=1) for x in (k, v)), is_causal=True, scale=SIZE**-0.5
    )
    torch.testing.assert_close(found, whole.transpose(1, 2))
