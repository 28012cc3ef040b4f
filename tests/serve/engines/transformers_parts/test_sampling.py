"""Which token the sampler draws from given scores."""

from __future__ import annotations

import torch

from serve.engine import Settings
from serve.engines.transformers_parts.sampling import Sampler


def test_a_sequence_that_comes_again_gives_way_to_the_next_likeliest_token() -> None:
    scores = torch.tensor([[0.0, 0.0, 2.0, 1.5]])
    reply = [0, 1, 2, 0, 1]
    without = Settings(temperature=0, repetition_penalty=1.0)
    assert Sampler(without).draw(scores, reply) == 2
    assert Sampler(without.model_copy(update={"dry_multiplier": 0.8})).draw(scores, reply) == 3
    assert scores.tolist() == [[0.0, 0.0, 2.0, 1.5]]
