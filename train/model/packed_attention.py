"""Attention for packed rows: each row attends to the shared beginning and to itself, and only those pairs are computed.

A mask over the whole pack would compute every pair and discard most of them. transformers calls this function instead
of its own ``sdpa`` where a model is loaded with :data:`NAME`; without ``rows`` it calls that ``sdpa``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.nn.functional import scaled_dot_product_attention
from torch.nn.utils.rnn import pad_sequence
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "inosuke_rows"


def attention(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    rows: tuple[tuple[int, ...], ...] | None = None,
    sliding_window: int | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attend within packed rows: query ``[1, H, T, D]``, key and value ``[1, KV, T, D]``; returns ``[1, T, H, D]``.

    ``rows`` are, for each group of rows, the lengths of its beginning and of the own part of each row, T in all;
    ``attention_mask`` is then :func:`train.data.batches.packed`'s. A token sees the ``sliding_window`` newest tokens of
    its row, itself among them, where the layer has a window. Raises TypeError for what it does not do: a cap
    on scores, sinks, a bias by position.
    """
    if rows is None or attention_mask is None:
        # transformers' masks hold the window already.
        found: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
        return found
    if unknown := [name for name in ("softcap", "s_aux", "position_bias") if kwargs.get(name) is not None]:
        raise TypeError(f"the attention over packed rows does not know {', '.join(unknown)}")
    heads = getattr(module, "num_key_value_groups", 1)

    def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """Take and return ``[B, L, heads, D]``; without a mask a token sees those before it."""
        k, v = (repeat_kv(x.transpose(1, 2), heads) for x in (k, v))
        out = scaled_dot_product_attention(
            q.transpose(1, 2), k, v, mask, dropout_p=dropout, is_causal=mask is None, scale=scaling
        )
        return out.transpose(1, 2)

    longest = max(shared for shared, *_ in rows)
    lengths = [sum(group) for group in rows]
    apart = zip(*(torch.split(x[0].transpose(0, 1), lengths) for x in (query, key, value)), strict=True)
    parts: list[torch.Tensor] = []
    for (shared, *own), (q, k, v) in zip(rows, apart, strict=True):
        mask = attention_mask[..., : max(own), longest - shared : longest + max(own)]
        parts += _within_group((q, k, v), shared, own, mask, sliding_window, attend)
    return torch.cat(parts)[None], None


def _within_group(
    qkv: tuple[torch.Tensor, ...],
    shared: int,
    lengths: Sequence[int],
    mask: torch.Tensor,
    window: int | None,
    attend: Callable[..., torch.Tensor],
) -> list[torch.Tensor]:
    """Return what the tokens of a group attend to, its beginning first: ``[S, heads, D]``, and ``[L, heads, D]``s."""
    of_beginning = None
    if window is not None and window < mask.shape[-1]:
        # Query i is token S + i of its row and key j is token j, which it sees for j > S + i - window.
        mask = mask.triu(shared - window + 1)
        causal = torch.ones(shared, shared, dtype=torch.bool, device=mask.device).tril()
        of_beginning = causal.triu(1 - window)

    def apart(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the beginning ``[1, S, heads, D]``, and the rows padded to the longest, ``[B, L, heads, D]``."""
        beginning, *own = torch.split(x, [shared, *lengths])
        return beginning[None], pad_sequence(own, batch_first=True)

    (q_first, q), (k_first, k), (v_first, v) = (apart(x) for x in qkv)
    # Padding comes after a row's own tokens, so the causal mask hides it.
    k, v = (torch.cat([x.expand(len(lengths), -1, -1, -1), y], dim=1) for x, y in ((k_first, k), (v_first, v)))
    own = attend(q, k, v, mask)
    parts = [row[:length] for row, length in zip(own, lengths, strict=True)]
    return [attend(q_first, k_first, v_first, of_beginning)[0], *parts] if shared else parts


AttentionInterface.register(NAME, attention)
AttentionMaskInterface.register(NAME, sdpa_mask)


def use(model: Any, name: str) -> None:
    """Have the text layers of a transformers model attend by the implementation of this name; vision layers stay."""
    config = model.config
    text = config.get_text_config()
    key = next((k for k in config.sub_configs if getattr(config, k) is text), "")
    model.set_attn_implementation({key: name})


def use_where_right(model: Any) -> None:
    """Have a freshly loaded model attend by :data:`NAME`, where its own choice is SDPA by transformers' interface."""
    if model.config.get_text_config()._attn_implementation == "sdpa" and model.is_backend_compatible():
        use(model, NAME)
