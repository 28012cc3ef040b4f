"""What comes before the first step of a training: rows, proofs, schedule, model, and what an earlier process did.

In: an export, a recipe and a base. Nothing here trains or writes.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation import chat
from curation.contracts.run import RecordedDialogue, SameIds
from curation.errors import InosukeError
from curation.persona import Persona
from curation.record import messages_to_json
from train.data.dialogues import Encoded, Export, encode
from train.data.groups import validation_part
from train.loop.forecast import memory_lines
from train.loop.memory_estimate import shape_of
from train.loop.steps import Say
from train.model.base_model import BaseModel
from train.model.load import add_adapter, device, load_base, load_config
from train.model.scoring import Score
from train.recipe import Ceiling, Recipe
from train.run import checkpoint
from train.run.folder import NothingLearnt


@dataclass(frozen=True, slots=True)
class Rows:
    """What is trained on and what is measured; ``left_out`` are the ids of the rows that are too long.

    Checkpoints are chosen on ``validation``, whole groups of the train split that are not trained on. So the eval
    split, which is reported, was looked at once. A train split that is too small for that gives nothing away:
    ``validation`` is then the eval split itself, and ``chosen_on_eval`` is true.
    """

    train: list[Encoded]
    validation: list[Encoded]
    eval: list[Encoded]
    left_out: list[str]

    @property
    def chosen_on_eval(self) -> bool:
        """Whether the eval figures are of the best of several looks."""
        return self.validation is self.eval


@dataclass(frozen=True, slots=True)
class Schedule:
    """How many rows a step has (over all processes), and how many steps an epoch and the whole training have."""

    rows_a_step: int
    steps_per_epoch: int
    total_steps: int


@dataclass(frozen=True, slots=True)
class Begun:
    """What an earlier process did of a run: the step to continue from, the steps planned, the seconds gone.

    ``ended`` says that no step is left; ``recorder`` is the state to restore.
    """

    step: int
    total_steps: int
    seconds: float
    ended: bool
    recorder: dict[str, Any]


def encode_rows(export: Export, tokenizer: Any, recipe: Recipe) -> Rows:
    """Encode the rows that the recipe asks for. Raises InosukeError when none of a split fits `max_length`."""
    encoded, left_out = [], []
    train, validation = validation_part(export.train, recipe.max_eval_rows)
    for name, rows, most in (
        ("train", train, recipe.max_train_rows),
        ("eval", export.eval, recipe.max_eval_rows),
        *([("validation", validation, None)] if validation else []),
    ):
        # A sorted export begins with one kind of sample, so the first rows are taken in a random, seeded order.
        chosen = random.Random(recipe.seed).sample(rows, min(most, len(rows))) if most else rows  # noqa: S311
        fitting, too_long = encode(chosen, tokenizer, export.persona, recipe.max_length, recipe.prompt)
        if not fitting:
            raise InosukeError(
                f"every {name} row is longer than `max_length` = {recipe.max_length} tokens. Raise it in the recipe."
            )
        encoded.append(fitting)
        left_out += too_long
    return Rows(train=encoded[0], validation=encoded[-1], eval=encoded[1], left_out=left_out)


def prove_same_ids(export: Export, tokenizer: Any, recipe: Recipe, say: Say) -> None:
    """Prove on real rows that what is trained is what will be served. Raises InosukeError where it is not."""
    rows = chat.telling([row.messages for row in (*export.train, *export.eval)], export.persona)
    chat.prove([*rows, *chat.EXAMPLES], tokenizer, export.persona, recipe.prompt)
    if recipe.prompt == "chat":
        chat.prove_facts(rows, tokenizer, export.persona.as_served())
    say(f"Trained ids are served ids: proved on {len(rows)} dialogues of the export")


def recorded_ids(tokenizer: Any, persona: Persona, recipe: Recipe) -> SameIds:
    """Return what a few dialogues are rendered to, for servers to compare with."""
    return SameIds(
        dialogues=[
            RecordedDialogue(
                messages=messages_to_json(talk),
                input_ids=chat.render(talk, tokenizer, persona, recipe.prompt).input_ids,
            )
            for talk in chat.EXAMPLES
        ],
        **_with_facts(tokenizer, persona.as_served(), recipe),
    )


def _with_facts(tokenizer: Any, persona: Persona, recipe: Recipe) -> dict[str, Any]:
    """Return what dialogues with facts of the lorebook are rendered to; nothing without a book."""
    if persona.book is None or recipe.prompt != "chat":
        return {}
    count = chat.counter(tokenizer)
    return {
        "lorebook": persona.book.sha256,
        "with_facts": [
            RecordedDialogue(
                messages=messages_to_json(talk),
                input_ids=chat.render(
                    chat.with_facts(talk, persona, count).messages, tokenizer, persona, recipe.prompt
                ).input_ids,
            )
            for talk in chat.fact_examples(persona)
        ],
    }


def plan_steps(recipe: Recipe, rows: int, processes: int) -> Schedule:
    """Return how many steps a training on ``rows`` rows has."""
    rows_a_step = recipe.batch_size * recipe.gradient_accumulation * processes
    steps_per_epoch = math.ceil(rows / rows_a_step)
    return Schedule(rows_a_step, steps_per_epoch, max(1, math.ceil(steps_per_epoch * recipe.epochs)))


def load_model(base: BaseModel, recipe: Recipe, rows: Rows, say: Say) -> Any:
    """Load the base with fresh LoRA matrices, after a message about the memory that the training will take."""
    for line in memory_lines(shape_of(load_config(base)), rows.train, recipe, device().kind):
        say(line)
    say(f"Loading {base.name} ({recipe.quantization}, {recipe.precision}) on {device().kind}")
    return add_adapter(load_base(base, recipe), base, recipe)


def check_base(score: Score, base: BaseModel, recipe: Recipe) -> None:
    """Raise NothingLearnt when the base itself gives no finite loss: no learning rate would help."""
    if math.isfinite(score.nll):
        return
    whole = "" if recipe.quantization == "nf4" else '`quantization = "nf4"`, '
    raise NothingLearnt(
        f"the base {base.name} has a loss of {score.nll} in {recipe.precision} before the first step, so the learning "
        f"rate is not the reason: its own values overflow, or its weights are damaged. Try {whole}"
        '`precision = "bf16"` (a GPU from Ampere on) or `precision = "fp32"` in the recipe, or another base.'
    )


def begun_of(folder: Path, ceiling: Ceiling) -> Begun | None:
    """Return what the newest checkpoint of a run says of it; None for a new run.

    With minutes that count from now, a cool-down that had begun was for nothing: the run goes back to the checkpoint
    before it.
    """
    step = checkpoint.latest(folder)
    if step is None:
        return None
    place = checkpoint.path(folder, step)
    state = checkpoint.read(place)
    try:
        cooled_from = state["recorder"]["cooled_from"]
        if ceiling.from_now and cooled_from is not None:
            step, place = cooled_from, checkpoint.path(folder, cooled_from)
            state = checkpoint.read(place)
            checkpoint.remove_after(folder, step)
        recorder = state["recorder"]
        ended = state["ended"] and not (ceiling.from_now and recorder["hit_ceiling"])
        return Begun(step, recorder["total_steps"], recorder["seconds"], ended, recorder)
    except (KeyError, TypeError) as error:
        raise InosukeError(
            f"{place}: not a checkpoint that this version can continue from (its {error} is missing). Train again."
        ) from None
