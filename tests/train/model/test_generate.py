"""Replies of a tiny model whose next token is known."""

from __future__ import annotations

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

from curation.bases import Sampling
from curation.persona import Persona
from curation.record import Message
from train.model.generate import replies
from train.model.load import load_tokenizer


def test_the_sampling_of_a_base_holds_back_a_loop(tiny_base: Path, persona: Persona) -> None:
    tokenizer, model = load_tokenizer(str(tiny_base)), AutoModelForCausalLM.from_pretrained(tiny_base)
    scores = torch.zeros(model.lm_head.weight.shape[0])
    scores[tokenizer.convert_tokens_to_ids("!")] = 30.0
    model.lm_head.weight = torch.nn.Parameter(torch.zeros_like(model.lm_head.weight))
    model.lm_head.bias = torch.nn.Parameter(scores)

    def say(sampling: Sampling) -> str:
        asked = [(Message("user", "Ai đó?"),)]
        return replies(model, tokenizer, persona, asked, max_new_tokens=40, sampling=sampling)[0].text

    assert say(Sampling(temperature=0.3)) == "!" * 40
    assert "!" * 12 not in say(Sampling(temperature=0.3, dry_multiplier=0.8))
