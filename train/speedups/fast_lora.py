"""LoRA layers with fewer passes over their tensors: the same sums as peft's, for a CPU in fp32.

Peft copies the result of a 4-bit layer, then computes, scales and adds the adapter's product, each of which is a pass
through memory. Here the matrix multiplication itself adds the adapter's product (BLAS's ``y = y + s x B``), forwards
and backwards, and the frozen weight is unpacked once in each direction. Peft's layers, parameters and files are
unchanged; only ``forward`` is replaced, and only for a plain adapter.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import torch
from bitsandbytes.functional import dequantize_4bit
from peft.tuners.lora import LoraLayer
from torch.autograd.function import once_differentiable


class _Kept(torch.autograd.Function):
    """First half of an adapted layer: ``x A'`` for x of shape ``[N, in]``, and all that the backward pass needs.

    It is separate from :class:`_Product` because of checkpointing: when torch recomputes a block, it stops as soon as
    everything that was kept is there again. So the last product of each block, down_proj's, is not computed twice. The
    second result is never filled; it only carries the gradient of ``_Product`` here.
    """

    @staticmethod
    def forward(
        ctx: Any, x: torch.Tensor, weight: torch.Tensor, a: torch.Tensor, b: torch.Tensor, scale: float
    ) -> tuple[torch.Tensor, torch.Tensor]:
        inner = x @ a.t()
        ctx.save_for_backward(x, inner, a, b)
        ctx.weight, ctx.scale = weight, scale  # not saved tensors: frozen, and Params4bit is more than its bytes
        ctx.mark_non_differentiable(inner)
        return inner, x.new_empty(1).expand(len(x), len(b))

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, _: torch.Tensor, dy: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, inner, a, b = ctx.saved_tensors
        d_inner = (dy @ b).mul_(ctx.scale)
        dx = None
        if ctx.needs_input_grad[0]:
            dx = dy @ _unpacked(ctx.weight)
            dx.addmm_(d_inner, a)
        # (inner' dy)' and not dy' inner: the narrow matrix first is faster.
        db = (inner.t() @ dy).mul_(ctx.scale).t()
        return dx, None, d_inner.t() @ x, db, None


class _Product(torch.autograd.Function):
    """Second half: ``x W' + bias + s (x A') B'``. W and bias get no gradient; A and B get theirs in the first half."""

    @staticmethod
    def forward(
        ctx: Any,
        kept: torch.Tensor,
        x: torch.Tensor,
        inner: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        b: torch.Tensor,
        scale: float,
    ) -> torch.Tensor:
        whole = _unpacked(weight)
        y = x @ whole.t() if bias is None else torch.addmm(bias, x, whole.t())
        return y.addmm_(inner, b.t(), alpha=scale)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, dy: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        return dy, None, None, None, None, None, None


def speed_up(model: torch.nn.Module) -> int:
    """Replace ``forward`` of the model's plain LoRA layers and return how many there are.

    Plain means one adapter without dropout, bias or variant, on a linear layer in fp32 or NF4 on a CPU. All others use
    peft's own forward, and so do these while their adapter is disabled or merged.
    """
    # patch: fast-lora
    plain = [m for m in model.modules() if isinstance(m, LoraLayer) and _is_plain(m)]
    for layer in plain:
        module: Any = layer
        module.forward = partial(_forward, layer, module.forward)
    return len(plain)


def _forward(layer: Any, by_peft: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
    if layer.disable_adapters or layer.merged or args or kwargs or x.dtype != torch.float32:
        return cast(torch.Tensor, by_peft(x, *args, **kwargs))
    (name,) = layer.active_adapters
    base = layer.get_base_layer()
    a, b, scale = layer.lora_A[name].weight, layer.lora_B[name].weight, layer.scaling[name]
    flat = x.reshape(-1, x.shape[-1])
    keep: Any = _Kept.apply  # they have no types
    multiply: Any = _Product.apply
    inner, kept = keep(flat, base.weight, a, b, scale)
    y: torch.Tensor = multiply(kept, flat.detach(), inner, base.weight, base.bias, b.detach(), scale)
    return y.view(*x.shape[:-1], -1)


def _is_plain(layer: Any) -> bool:
    base = layer.get_base_layer()
    if not isinstance(base, torch.nn.Linear) or base.weight.device.type != "cpu" or len(layer.active_adapters) != 1:
        return False
    (name,) = layer.active_adapters
    a, b = layer.lora_A[name], layer.lora_B[name]
    computed_in = getattr(base, "compute_dtype", None) or base.weight.dtype
    return (
        isinstance(layer.lora_dropout[name], torch.nn.Identity)
        and not layer.lora_variant
        and a.bias is None
        and b.bias is None
        and {computed_in, a.weight.dtype, b.weight.dtype} == {torch.float32}
    )


def _unpacked(weight: torch.Tensor) -> torch.Tensor:
    state = getattr(weight, "quant_state", None)
    return weight if state is None else dequantize_4bit(weight, state)
