"""From an export's preferences and labels to token ids. Knows nothing of models or losses.

In: :class:`curation.contracts.preferences.Preference` and ``Label``, which hold messages. They are rendered here by
``curation.chat.render``, for the template of the base that is trained, so it does not matter for which base they were
collected.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from curation import chat
from curation.contracts.preferences import Label, Preference, read_labels, read_preferences
from curation.errors import InosukeError
from curation.persona import Persona
from curation.record import Message
from train.data.dialogues import Encoded, Export
from train.recipe import Recipe

VALIDATION_SHARE = 0.1
FEWEST = 16  # pairs: fewer cannot tell one checkpoint from the next

PAIR, WANTED, UNWANTED = 0, 1, -1


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair (``rows`` are the chosen and the rejected reply) or one reply that was wanted or not, encoded.

    ``reference`` holds the nll of each row under the adapter that the training starts with.
    """

    id: str
    group: str
    kind: int
    rows: tuple[Encoded, ...]
    reference: tuple[float, ...] = ()

    def with_reference(self, reference: Sequence[float]) -> Judged:
        """Return the same with the nll of each row before the training."""
        return replace(self, reference=tuple(reference))


@dataclass(frozen=True, slots=True)
class Divided:
    """What is trained on, what the checkpoint is chosen on, and the eval pairs, which are looked at once.

    ``chosen_on`` names the second: "validation" (whole groups of the train side), "eval", or "train" where there are
    too few pairs to give any away.
    """

    train: list[Judged]
    validation: list[Judged]
    eval: list[Judged]
    chosen_on: str
    left_out: list[str]


def divide(export: Export, tokenizer: Any, recipe: Recipe) -> Divided:
    """Read, check and encode both sides of an export's preferences, and the labels of its train side.

    Raises InosukeError when there are none, when a pair of the train side belongs to the eval side, or when none fits.
    """
    train, evaluation = read_preferences(export.path, "train"), read_preferences(export.path, "eval")
    labels = _beside(train, read_labels(export.path, "train")) if recipe.preference.labels else []
    if not train and not labels:
        raise InosukeError(
            f"{export.path}: this export has no preferences to learn from. They come from rewrites, and from rejected "
            "replies with a better line for the same prompt (`make review`), from votes and from visitors' better "
            "answers (`inosuke feedback pull`). Collect some, then run `make dataset`."
        )
    _check_sides(export, train, labels, evaluation)
    left_out: list[str] = []
    trained = list(_encoded([*train, *labels], tokenizer, export.persona, recipe, left_out))
    held_out = list(_encoded(evaluation, tokenizer, export.persona, recipe, left_out))
    if not trained:
        raise InosukeError(
            f"every preference is longer than `max_length` = {recipe.max_length} tokens. Raise it in the recipe."
        )
    rest, validation = _validation_part(trained)
    if validation:
        return Divided(rest, validation, held_out, "validation", left_out)
    if held_out:
        return Divided(trained, held_out, held_out, "eval", left_out)
    return Divided(trained, trained, [], "train", left_out)


def _beside(pairs: Sequence[Preference], labels: Sequence[Label]) -> list[Label]:
    """Return the labels of replies that are in no pair: a pair says the same of both of its replies, and more."""
    said = {
        (pair.prompt, reply, wanted)
        for pair in pairs
        for reply, wanted in ((pair.chosen, True), (pair.rejected, False))
    }
    return [label for label in labels if (label.prompt, label.completion, label.label) not in said]


def _check_sides(
    export: Export, train: Sequence[Preference], labels: Sequence[Label], evaluation: Sequence[Preference]
) -> None:
    """Raise InosukeError when something to train on belongs to the eval side, as after a row was moved by hand."""
    groups = {row.group for row in export.eval} | {pair.group for pair in evaluation}
    ids = {row.id for row in export.eval} | {pair.id for pair in evaluation}
    replies = {row.messages[-1].content.strip() for row in export.eval} | {p.chosen.strip() for p in evaluation}
    items: list[Preference | Label] = [*train, *labels]
    moved = [
        item.id
        for item in items
        if item.id in ids
        or item.group in groups
        or (item.chosen if isinstance(item, Preference) else item.completion).strip() in replies
    ]
    if moved:
        raise InosukeError(
            f"{export.path}: {len(moved)} preferences of the train side belong to the eval side, such as {moved[0]}: "
            "their rows were moved since they were written. Training on them would make the eval figures too good. "
            "Run `make dataset` to write both again."
        )


def _encoded(
    items: Iterable[Preference | Label], tokenizer: Any, persona: Persona, recipe: Recipe, left_out: list[str]
) -> Iterable[Judged]:
    """Yield what fits into `max_length`; the ids of the others are added to ``left_out``."""
    for item in items:
        if isinstance(item, Preference):
            kind, replies = PAIR, [item.chosen, item.rejected]
        else:
            kind, replies = (WANTED if item.label else UNWANTED), [item.completion]
        rows = _rows(item.id, item.prompt, replies, tokenizer, persona, recipe)
        if rows is None:
            left_out.append(item.id)
        else:
            yield Judged(item.id, item.group, kind, rows)


def _rows(
    name: str, prompt: Sequence[Message], replies: Sequence[str], tokenizer: Any, persona: Persona, recipe: Recipe
) -> tuple[Encoded, ...] | None:
    """Return replies to one prompt, or None where they do not fit. Only the last reply of each row is in the loss.

    All begin with the same prompt: what the longest of them drops from its front, all drop.
    """
    turns = list(prompt)
    while turns:
        fitted = [
            chat.fit([*turns, Message("assistant", reply)], tokenizer, persona, recipe.max_length, recipe.prompt)
            for reply in replies
        ]
        if any(f is None for f in fitted):
            return None
        shortest = min((f.messages for f in fitted if f is not None), key=len)[:-1]
        if all(f is not None and len(f.messages) == len(turns) + 1 for f in fitted):
            return tuple(
                Encoded(name, f.rendered.input_ids, _last_part(f.rendered.loss_mask), len(reply))
                for f, reply in zip(fitted, replies, strict=True)
                if f is not None
            )
        turns = list(shortest)
    return None


def _last_part(mask: Sequence[int]) -> list[int]:
    """Keep the last run of ones: the last reply and its end of turn."""
    end = len(mask) - next(i for i, m in enumerate(reversed(mask)) if m)
    begin = next((i + 1 for i in range(end - 1, -1, -1) if not mask[i]), 0)
    return [int(begin <= i < end) for i in range(len(mask))]


def _validation_part(judged: Sequence[Judged]) -> tuple[list[Judged], list[Judged]]:
    """Divide into what trains and whole groups of pairs to choose the checkpoint on; none where there would be few."""
    groups = sorted({j.group for j in judged if j.kind == PAIR}, key=lambda g: hashlib.sha256(g.encode()).digest())
    chosen = set(groups[: round(len(groups) * VALIDATION_SHARE)])
    validation = [j for j in judged if j.group in chosen and j.kind == PAIR]
    if len(validation) < FEWEST:
        return list(judged), []
    return [j for j in judged if j.group not in chosen], validation
