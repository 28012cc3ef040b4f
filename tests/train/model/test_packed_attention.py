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


def by_rows(
    batch: dict[str, object], q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, window: int | None = None
) -> torch.Tensor:
    module = SimpleNamespace(num_key_value_groups=GROUPS, is_causal=True)
    mask = batch["attention_mask"]
    assert isinstance(mask, torch.Tensor)
    return attention(module, q, k, v, mask, scaling=SIZE**-0.5, rows=batch["rows"], sliding_window=window)[0]  # type: ignore[arg-type]


@pytest.mark.parametrize("window", [None, 3, 7, 50])
@pytest.mark.parametrize("shared", [0, 5], ids=["nothing shared", "a shared beginning"])
def test_rows_attend_as_with_one_mask_over_the_whole_pack(shared: int, window: int | None) -> None:
    beginning = list(range(100, 100 + shared))
    rows = [
        Encoded(str(n), beginning + [n * 10 + i for i in range(length)], [0] * (shared + 1) + [1] * (length - 1), 1)
        for n, length in enumerate((4, 9, 2), start=1)
    ]
    batch = packed(rows)
    assert batch["rows"] == ((shared, 4, 9, 2),)
    equals_one_mask(batch, window)


@pytest.mark.parametrize("window", [None, 3, 7, 50])
def test_groups_with_beginnings_of_their_own_attend_as_with_one_mask(window: int | None) -> None:
    rows = [
        Encoded(f"{group} {n}", [group] * shared + [n * 10 + i for i in range(length)], [0] * shared + [1] * length, 1)
        for group, shared in ((1, 6), (2, 3))
        for n, length in enumerate((4, 9, 2), start=1)
    ]
    batch = packed([rows[n] for n in (3, 0, 5, 1, 4, 2)])
    assert [group[0] for group in batch["rows"]] == [2, 5]  # the last token of each predicts a row's own first one
    equals_one_mask(batch, window)


def equals_one_mask(batch: dict[str, object], window: int | None) -> None:
    """Compare results and gradients with one mask over the whole pack, by group and row of each token."""
    owner, rows = batch["row"][0], batch["rows"]  # type: ignore[index]
    q, k, v = tensors(len(owner))
    found = by_rows(batch, q, k, v, window)
    group = torch.cat([torch.full((sum(lengths),), n) for n, lengths in enumerate(rows)])  # type: ignore[arg-type, var-annotated]
    may_look = (group[None] == group[:, None]) & ((owner[None] == owner[:, None]) | (owner[None] == -1)).tril()
    if window is not None:
        place = batch["position_ids"][0]
        may_look &= place[None] > place[:, None] - window
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


@pytest.mark.parametrize("name", ["softcap", "s_aux", "position_bias"])
def test_what_it_cannot_do_is_refused(name: str) -> None:
    batch = packed([Encoded("a", [1, 2, 3, 4], [0, 0, 1, 1], 1), Encoded("b", [1, 5, 6], [0, 0, 1], 1)])
    q, k, v = tensors(6)
    module = SimpleNamespace(num_key_value_groups=GROUPS, is_causal=True)
    with pytest.raises(TypeError, match=f"does not know {name}"):
        attention(module, q, k, v, batch["attention_mask"], rows=batch["rows"], **{name: 1.0})
