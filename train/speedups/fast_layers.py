"""The norms and gated activations of a frozen model with fewer passes over their tensors, for a CPU in fp32.

transformers writes them as a chain of small operations, each of which allocates a tensor and keeps it for the backward
pass. Here each is one function that allocates only its result and keeps only its arguments: the same sums with less
memory traffic. Figures: docs/experiments/2026-11-26-norms-and-swiglu.md.
"""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import torch
from torch.autograd.function import once_differentiable


class _RMSNorm(torch.autograd.Function):
    """``weight * x / rms(x)`` over the last dimension, gradient for x alone (Zhang & Sennrich 2019, equation 4)."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, epsilon: float) -> torch.Tensor:
        length: torch.Tensor = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        inverse: torch.Tensor = (length.square_() / x.shape[-1]).add_(epsilon).rsqrt_()
        ctx.save_for_backward(x, weight, inverse)
        y: torch.Tensor = x * inverse
        return y.mul_(weight)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, dy: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        x, weight, inverse = ctx.saved_tensors
        g = dy * weight
        along = (g * x).mean(dim=-1, keepdim=True).mul_(inverse * inverse * inverse)
        return g.mul_(inverse).addcmul_(x, along, value=-1), None, None


class _SwiGLU(torch.autograd.Function):
    """``silu(gate) * up`` (Shazeer 2020)."""

    @staticmethod
    def forward(ctx: Any, gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(gate, up)
        return torch.nn.functional.silu(gate).mul_(up)

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, dy: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        gate, up = ctx.saved_tensors
        d_gate = dy * up
        torch.ops.aten.silu_backward.grad_input(d_gate, gate, grad_input=d_gate)
        return d_gate, torch.nn.functional.silu(gate).mul_(dy)


def speed_up(model: torch.nn.Module) -> int:
    """Replace ``forward`` of the model's frozen norms and SwiGLU blocks (as in Llama and Qwen2).

    Returns the number of changed modules. Other modules, and these in another precision or on a GPU, use the library's
    ``forward``.
    """
    # patch: fast-layers
    changed = 0
    for module in model.modules():
        fast = _norm if _is_norm(module) else _gated if _is_gated(module) else None
        if fast is not None:
            layer: Any = module
            layer.forward = partial(fast, layer, layer.forward)
            changed += 1
    return changed


def _norm(layer: Any, by_library: Any, x: torch.Tensor) -> torch.Tensor:
    if not _is_fp32_on_cpu(x, layer.weight) or layer.weight.requires_grad:
        return cast(torch.Tensor, by_library(x))
    apply: Any = _RMSNorm.apply  # it has no types
    return cast(torch.Tensor, apply(x, layer.weight, layer.variance_epsilon))


def _gated(layer: Any, by_library: Any, x: torch.Tensor) -> torch.Tensor:
    if not _is_fp32_on_cpu(x):
        return cast(torch.Tensor, by_library(x))
    apply: Any = _SwiGLU.apply  # it has no types
    return cast(torch.Tensor, layer.down_proj(apply(layer.gate_proj(x), layer.up_proj(x))))


def _is_norm(module: Any) -> bool:
    return type(module).__name__ in ("LlamaRMSNorm", "Qwen2RMSNorm")


def _is_gated(module: Any) -> bool:
    return type(module).__name__ in ("LlamaMLP", "Qwen2MLP") and module.config.hidden_act == "silu"


def _is_fp32_on_cpu(*tensors: torch.Tensor) -> bool:
    return all(t.dtype == torch.float32 and t.device.type == "cpu" for t in tensors)
