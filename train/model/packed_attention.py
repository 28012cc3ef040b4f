"""Attention for packed rows: each row attends to the shared beginning and to itself, and only those pairs are computed.

A mask over the whole pack would compute every pair and discard most of them. transformers calls this function instead
of its own ``sdpa`` where a model is loaded with :data:`NAME`; without ``rows`` it calls that ``sdpa``.
"""

from __future__ import annotations

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
    rows: tuple[int, ...] | None = None,
    **kwargs: Any,
) -> tuple[torch.Tensor, None]:
    """Attend within packed rows: query ``[1, H, T, D]``, key and value ``[1, KV, T, D]``; returns ``[1, T, H, D]``.

    ``rows`` are the lengths of the shared beginning and of the own part of each row, T in all; ``attention_mask`` is
    then :func:`train.data.batches.packed`'s, ``[1, 1, L, S + L]``.
    """
    if rows is None:
        found: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs
        )
        return found
    shared, *lengths = rows
    groups = getattr(module, "num_key_value_groups", 1)

    def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, **mask: Any) -> torch.Tensor:
        """Take and return ``[B, L, heads, D]``."""
        k, v = (repeat_kv(x.transpose(1, 2), groups) for x in (k, v))
        out = scaled_dot_product_attention(q.transpose(1, 2), k, v, dropout_p=dropout, scale=scaling, **mask)
        return out.transpose(1, 2)

    def apart(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the beginning ``[1, S, heads, D]``, and the rows padded to the longest, ``[B, L, heads, D]``."""
        beginning, *own = torch.split(x[0].transpose(0, 1), list(rows))
        return beginning[None], pad_sequence(own, batch_first=True)

    (q_first, q), (k_first, k), (v_first, v) = apart(query), apart(key), apart(value)
    # Padding comes after a row's own tokens, so the causal mask hides it.
    k, v = (torch.cat([x.expand(len(lengths), -1, -1, -1), y], dim=1) for x, y in ((k_first, k), (v_first, v)))
    own = attend(q, k, v, attn_mask=attention_mask)
    parts = [row[:length] for row, length in zip(own, lengths, strict=True)]
    if shared:
        parts.insert(0, attend(q_first, k_first, v_first, is_causal=True)[0])
    return torch.cat(parts)[None], None


AttentionInterface.register(NAME, attention)
AttentionMaskInterface.register(NAME, sdpa_mask)
