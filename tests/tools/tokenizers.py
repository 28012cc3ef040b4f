"""A byte-level tokenizer for any text with the ChatML template of Qwen2.5 and SmolLM2, made in memory."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

# Qwen2.5's template without its tools branch. It keeps its default system prompt, so that tests see if it appears.
TEMPLATE = (
    "{%- if messages[0]['role'] != 'system' %}{{- '<|im_start|>system\n"
    "You are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n' }}{%- endif %}"
    "{%- for message in messages %}{{- '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|im_start|>assistant\n' }}{%- endif %}"
)


@cache
def _backend() -> str:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    vocab = {symbol: i for i, symbol in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
    backend = Tokenizer(models.BPE(vocab=vocab, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    text: str = backend.to_str()
    return text


def chatml_tokenizer() -> Any:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_backend()),
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>"],
        chat_template=TEMPLATE,
    )


def tokenizer_for(template: str) -> Any:
    """Return a tokenizer with another chat template, and a control token for each thing in it that looks like one."""
    tokenizer = chatml_tokenizer()
    tokenizer.chat_template = template
    tags = set(re.findall(r"</?[|｜a-zA-Z_][^<>\s'\"{}]{0,40}>", template)) - {"<think>", "</think>"}
    tokenizer.add_special_tokens({"bos_token": "<BOS>", "additional_special_tokens": sorted(tags)})
    return tokenizer
