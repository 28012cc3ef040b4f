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


def test_penalties_count_what_the_reply_said_and_biases_what_the_client_asked_for() -> None:
    scores = torch.tensor([[0.0, 1.0, 2.0, 1.5]])
    greedy = Settings(temperature=0, repetition_penalty=1.0)
    assert Sampler(greedy).draw(scores, [2, 2]) == 2
    assert Sampler(greedy.model_copy(update={"frequency_penalty": 0.3})).draw(scores, [2, 2]) == 3
    assert Sampler(greedy.model_copy(update={"frequency_penalty": 0.3})).draw(scores, [2]) == 2
    assert Sampler(greedy.model_copy(update={"presence_penalty": 0.6})).draw(scores, [2]) == 3
    assert Sampler(greedy.model_copy(update={"logit_bias": {0: 100.0, 9: 100.0}})).draw(scores, []) == 0
    assert scores.tolist() == [[0.0, 1.0, 2.0, 1.5]]


def test_typical_sampling_leaves_out_what_is_more_likely_than_usual() -> None:
    scores = torch.tensor([[3.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]])
    free = Settings(temperature=1, top_p=1.0, repetition_penalty=1.0, seed=1)
    typical = Sampler(free.model_copy(update={"typical_p": 0.6}))
    assert 0 not in {typical.draw(scores, []) for _ in range(200)}
    plain = Sampler(free)
    assert 0 in {plain.draw(scores, []) for _ in range(200)}
