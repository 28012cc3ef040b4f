"""Draws the next token from its scores, with transformers' own logits processors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import cast

import torch
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from curation.repeats import repeat_penalties
from serve.engine import Settings


class Sampler:
    """Draws the tokens of one answer, with random numbers of its own: other answers cannot disturb a seed."""

    def __init__(self, settings: Settings) -> None:
        self._random = torch.Generator()
        if settings.seed is None:
            self._random.seed()
        else:
            self._random.manual_seed(settings.seed)
        self._greedy = settings.temperature == 0
        self._dry_multiplier = settings.dry_multiplier
        self._frequency_penalty = settings.frequency_penalty
        self._presence_penalty = settings.presence_penalty
        self._logit_bias = settings.logit_bias
        self._processors = LogitsProcessorList()
        if settings.repetition_penalty > 1:
            self._processors.append(RepetitionPenaltyLogitsProcessor(settings.repetition_penalty))
        if not self._greedy:
            self._processors.append(TemperatureLogitsWarper(settings.temperature))
            if settings.top_k:
                self._processors.append(TopKLogitsWarper(settings.top_k))
            self._processors.append(TopPLogitsWarper(settings.top_p))
            if settings.min_p:
                self._processors.append(MinPLogitsWarper(settings.min_p))
            if settings.typical_p < 1:
                self._processors.append(TypicalLogitsWarper(settings.typical_p))

    def draw(self, scores: torch.Tensor, reply: Sequence[int], banned: Collection[int] = ()) -> int:
        """Return a token, none of ``banned``. ``scores`` has shape (1, vocabulary); ``reply`` is what was drawn so far.

        Only the reply's own tokens are penalised. ``generate`` would also penalise those of the prompt: the words that
        the system prompt asks for (such as pronouns), and the token that ends the character's earlier turns.
        """
        scores = scores.cpu().clone()
        if banned:
            scores[0, list(banned)] = float("-inf")
        for token, penalty in repeat_penalties(reply, self._dry_multiplier).items():
            scores[0, token] -= penalty
        for token, times in Counter(reply).items():
            scores[0, token] -= times * self._frequency_penalty + self._presence_penalty
        for token, bias in self._logit_bias.items():
            if token < scores.shape[1]:
                scores[0, token] += bias
        drawn = torch.tensor([list(reply)], dtype=torch.long)
        scores = self._processors(cast(torch.LongTensor, drawn), cast(torch.FloatTensor, scores))
        if self._greedy:
            return int(scores.argmax(dim=-1))
        return int(torch.multinomial(scores.softmax(dim=-1), 1, generator=self._random))
