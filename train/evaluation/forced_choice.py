"""Which of ten lines answers the prompt? The author's reply, against lines of others and the author's to other prompts.

A model that has learnt the character finds the real reply likelier than lines of another speaker; one that listens
finds it likelier than the author's replies to other prompts. Ten lines: chance is 10%.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from curation import chat
from curation.persona import Persona
from curation.record import Message
from train.data.dialogues import Encoded
from train.model.load import end_ids
from train.model.scoring import row_scores

BY_OTHERS, BY_THE_AUTHOR = 4, 5
LINES = 1 + BY_OTHERS + BY_THE_AUTHOR
NEAREST = 4  # distractors are drawn from this many times as many lines, those nearest in length


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt and ten lines, the real reply first, then those of others. ``group`` is the row's."""

    prompt: tuple[Message, ...]
    lines: tuple[str, ...]
    group: str


def questions(
    asked: Sequence[tuple[tuple[Message, ...], str, str]], others: Sequence[str], count: int
) -> list[Question]:
    """Make questions of (prompt, reply, group). Fewer where there are too few lines of either sort.

    Distractors are about as long as the reply: a short line is likelier whatever it says.
    """
    found = []
    for at in random.Random(0).sample(range(len(asked)), min(count, len(asked))):  # noqa: S311 - the same each time
        prompt, reply, group = asked[at]
        own = {r for i, (p, r, g) in enumerate(asked) if i != at and g != group and p != prompt and r != reply}
        lines = [
            _like(reply, {line for line in others if line != reply}, BY_OTHERS, at),
            _like(reply, own, BY_THE_AUTHOR, at),
        ]
        if sum(map(len, lines)) == LINES - 1:
            found.append(Question(prompt, (reply, *lines[0], *lines[1]), group))
    return found


def score(
    model: Any,
    tokenizer: Any,
    persona: Persona,
    prompt: chat.Prompt,
    asked: Sequence[Question],
    after_question: Callable[[int], object] = lambda done: None,
) -> list[list[float]]:
    """Return the nll per character of each line of each question, without the end of the turn."""
    found = []
    for question in asked:
        rows = []
        for number, line in enumerate(question.lines):
            messages = [*question.prompt, Message("assistant", line)]
            rendered = chat.render(messages, tokenizer, persona, prompt)
            # The loss counts the last reply alone: earlier ones are the same for all lines.
            before = len(chat.render(question.prompt, tokenizer, persona, prompt).input_ids)
            mask = [0] * before + rendered.loss_mask[before:]
            rows.append(Encoded(str(number), rendered.input_ids, mask, max(1, len(line.strip()))))
        scores = row_scores(model, rows, end_ids(tokenizer), rows_at_once=LINES)
        found.append([s.text_nll / s.chars for s in scores])
        after_question(1)
    return found


def shifted(asked: Sequence[Question]) -> list[Question]:
    """Return the same lines after another question's prompt: what is left of the figure without the prompt."""
    return [Question(other.prompt, q.lines, q.group) for q, other in zip(asked, [*asked[1:], *asked[:1]], strict=True)]


def _like(reply: str, lines: set[str], count: int, seed: int) -> list[str]:
    near = sorted(lines, key=lambda line: (abs(len(line) - len(reply)), line))[: NEAREST * count]
    return random.Random(seed).sample(near, count) if len(near) >= count else []  # noqa: S311
