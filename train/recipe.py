"""A recipe: what to train, on which base, and how. A small TOML file, validated and then resolved for this machine.

In: ``train/recipes/<name>.toml`` or any file. Out: a :class:`Recipe` and the reasons for what :func:`resolve` changed.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from curation.errors import UsageError, explain
from curation.persona import Persona

FOLDER = Path(__file__).parent / "recipes"
PERSONA_GPU = "persona.models.gpu"
PERSONA_CPU = "persona.models.cpu"

Text = Annotated[str, Field(min_length=1)]


class PreferenceRecipe(BaseModel):
    """The table ``[preference]`` of a recipe: what `inosuke train --preferences` does in place of the fields above."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    beta: float = Field(0.1, gt=0, description="how strongly a pair is held to the model before; higher: closer")
    rpo_alpha: float = Field(1.0, ge=0, description="weight of the supervised loss on the chosen reply")
    labels: bool = Field(True, description="also learn from single replies that were wanted or not (KTO)")
    epochs: float = Field(1, gt=0, description="passes over the pairs")
    learning_rate: float = Field(1.5e-5, gt=0, description="peak")
    batch_size: int = Field(4, ge=1, description="pairs in one forward pass, which are twice as many rows")
    evals_per_epoch: int = Field(2, ge=1, description="evaluations in an epoch, of pairs and of dialogues")
    max_dialogue_loss: float = Field(0.01, ge=0, description="share by which the loss of dialogues may rise")


class Recipe(BaseModel):
    """Every field with what it does. The recipe files explain the values."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: Text = Field(description="goes into the run's name")
    base: Text = Field(description="Hub id, local folder, embedded model's name, or persona.models.gpu / .cpu")

    prompt: Literal["chat", "alpaca"] = Field("chat", description="prompt shape, see curation.chat.render")
    loss_on: Literal["replies", "text"] = Field("replies", description="replies and their end of turn, or every token")
    layout: Literal["packed", "padded"] = Field("packed", description="how a batch is laid out, see train.data.batches")
    max_length: int = Field(512, ge=16, description="tokens a row may have; the length of a padded row")

    quantization: Literal["nf4", "none"] = Field("nf4", description="4-bit NormalFloat weights (QLoRA), or as they are")
    double_quant: bool = Field(False, description="quantise the NF4 scales too: 0.4 bit a weight less")
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field("auto", description="auto: the best the device has")
    lora_rank: int = Field(16, ge=1, description="rank of the adapter matrices")
    lora_alpha: int = Field(32, ge=1, description="the adapter's output is scaled by alpha / rank")
    lora_dropout: float = Field(0.0, ge=0, lt=1, description="share of the adapter's inputs that are dropped")
    lora_targets: Literal["all-linear"] | tuple[Text, ...] = Field("all-linear", description="layers with an adapter")
    lora_upper_layers: float = Field(1.0, gt=0, le=1, description="share of the layers, from the top, with adapters")

    epochs: float = Field(3, gt=0, description="passes over the training rows: what is trained, and the schedule's end")
    max_epochs: float | None = Field(None, gt=0, description="most that `--minutes` may make of `epochs`")
    max_minutes: float | None = Field(None, gt=0, description="ceiling, from loading the base to the last evaluation")
    max_train_rows: int | None = Field(None, ge=1, description="train on at most this many rows, drawn by the seed")
    max_eval_rows: int | None = Field(None, ge=1, description="evaluate on at most this many rows, drawn by the seed")
    batch_size: int = Field(8, ge=1, description="rows in one forward pass")
    gradient_accumulation: int = Field(1, ge=1, description="forward passes in one step")
    learning_rate: float = Field(2e-4, gt=0, description="peak; then a cosine down to zero")
    warmup: float = Field(0.05, ge=0, lt=1, description="share of the steps in which the rate rises")
    weight_decay: float = Field(0.0, ge=0, description="of AdamW")
    max_grad_norm: float = Field(1.0, gt=0, description="gradients are clipped to this norm")
    optimizer: Literal["adamw_torch", "adamw_torch_fused", "adamw_8bit", "paged_adamw_32bit", "paged_adamw_8bit"] = (
        Field("adamw_torch", description="transformers' name; those of 8 bits and the paged ones need CUDA")
    )
    checkpointing: bool = Field(False, description="recompute activations in the backward pass to save memory")
    evals_per_epoch: int = Field(1, ge=1, description="evaluations in an epoch, the last one at its end")
    checkpoint_minutes: float = Field(10, gt=0, description="write a checkpoint at least this often")
    patience: int = Field(0, ge=0, description="stop after this many evaluations without a better one; 0: never")
    samples: int = Field(3, ge=0, description="number of held-out prompts answered in the model card")
    seed: int = Field(0, ge=0, description="seed for weights, order and dropout")
    preference: PreferenceRecipe = Field(PreferenceRecipe.model_validate({}), description="of `--preferences`")

    @model_validator(mode="after")
    def _limits_fit(self) -> Recipe:
        if self.max_epochs is not None and self.max_epochs < self.epochs:
            raise ValueError(f"`max_epochs` is {self.max_epochs:g}, less than `epochs` = {self.epochs:g}")
        return self

    def adapted_layers(self, layers: int) -> int:
        """Return how many of ``layers`` layers get adapters, counted from the top."""
        return max(1, round(layers * self.lora_upper_layers))


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The minutes that a training may take at most; None for no limit.

    A resumed training counts them from its first beginning, or, with ``from_now``, from this moment. With ``fill`` more
    epochs are planned than the recipe's `epochs`, as many as fit (up to its `max_epochs`).
    """

    minutes: float | None = None
    from_now: bool = False
    fill: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """The device that the recipe runs on, as torch names it (``cpu`` or ``cuda``)."""

    kind: str
    has_bf16: bool


def load_recipe(name: str) -> Recipe:
    """Read a recipe by its name (``cpu``) or its path (``my/recipe.toml``).

    Raises UsageError when the recipe does not exist, is not TOML, or has a wrong or unknown key, which it names.
    """
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise UsageError(
            f"recipe {name!r}: {path} does not exist. "
            f"Expected one of {', '.join(names())}, or the path of a .toml file."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}). Expected a UTF-8 text file.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}. Fix that line and try again.") from None
    try:
        return Recipe.model_validate({"name": path.stem, **data})
    except ValidationError as error:
        raise UsageError(f"{path}: {explain(error, Recipe)}") from None


def names() -> list[str]:
    """Return the names of the recipes that ship with the project."""
    return sorted(p.stem for p in FOLDER.glob("*.toml"))


def pick(device: Device) -> tuple[str, str]:
    """Return the name of the recipe for this machine, and the reason."""
    if device.kind == "cuda":
        return "default", "a CUDA GPU is here"
    return "cpu", "no CUDA GPU is here"


def resolve(recipe: Recipe, persona: Persona, device: Device) -> tuple[Recipe, list[str]]:
    """Fill in what depends on the persona and the machine. Returns the recipe to run and a reason for each change."""
    changes: dict[str, Any] = {}
    reasons = []
    base = {PERSONA_GPU: persona.models.gpu, PERSONA_CPU: persona.models.cpu}.get(recipe.base)
    if base is not None:
        changes["base"] = base
        reasons.append(f"base = {base}, from persona.toml")
    best = "bf16" if device.has_bf16 else "fp16" if device.kind == "cuda" else "fp32"
    if recipe.precision == "auto":
        changes["precision"] = best
        reasons.append(f"precision = {best}, the best that {device.kind} supports")
    elif recipe.precision == "fp16" and device.kind == "cpu":
        changes["precision"] = "fp32"
        reasons.append("precision = fp32 instead of fp16: loss scaling needs a GPU")
    if "torch" not in recipe.optimizer and device.kind == "cpu":
        changes["optimizer"] = "adamw_torch"
        reasons.append(f"optimizer = adamw_torch instead of {recipe.optimizer}: it needs CUDA")
    return recipe.model_copy(update=changes), reasons


def continuing(recipe: Recipe, earlier: Recipe, run: str) -> tuple[Recipe, list[str]]:
    """Return a recipe that continues the adapter of ``earlier``: its shape and its prompt, and a reason for each."""
    shape = ("base", "prompt", "lora_rank", "lora_alpha", "lora_targets", "lora_upper_layers")
    changes = {k: getattr(earlier, k) for k in shape if getattr(earlier, k) != getattr(recipe, k)}
    reasons = [f"{key} = {value}, as in {run}" for key, value in changes.items() if key != "base"]
    return recipe.model_copy(update=changes), reasons


def for_preferences(recipe: Recipe) -> tuple[Recipe, list[str]]:
    """Return a recipe whose table `preference` took the place of its fields of the same names."""
    table = recipe.preference
    named = ("epochs", "learning_rate", "batch_size", "evals_per_epoch")
    changes: dict[str, Any] = {key: getattr(table, key) for key in named}
    reasons = [f"{key} = {value:g}, from [preference]" for key, value in changes.items()]
    name = f"{recipe.name.removesuffix('-preferences')}-preferences"
    # Single replies of prompts are what pairs hold, whatever the supervised training counted.
    changes |= {"gradient_accumulation": 1, "max_epochs": None, "loss_on": "replies", "name": name}
    return recipe.model_copy(update=changes), reasons


def for_processes(recipe: Recipe, count: int) -> tuple[Recipe, list[str]]:
    """Divide the steps of a recipe between ``count`` processes, with the same rows a step where that is possible."""
    if count == 1:
        return recipe, []
    changes: dict[str, Any] = {}
    reasons = []
    if recipe.gradient_accumulation % count == 0:
        changes["gradient_accumulation"] = recipe.gradient_accumulation // count
    elif recipe.batch_size % count == 0:
        changes["batch_size"] = recipe.batch_size // count
    if changes:
        [(key, value)] = changes.items()
        reasons.append(f"{key} = {value} in each of {count} processes: the same rows a step")
    else:
        rows = recipe.batch_size * recipe.gradient_accumulation
        reasons.append(f"{rows * count} rows a step instead of {rows}: {rows} cannot be divided by {count} processes")
    if recipe.max_minutes is not None:
        changes["max_minutes"] = None
        reasons.append(
            "max_minutes is ignored: the clocks of several processes would disagree; `epochs` ends the training"
        )
    return recipe.model_copy(update=changes), reasons


def to_toml(recipe: Recipe) -> str:
    """Return a recipe as TOML; limits that are not set are left out, since TOML has no null."""
    return tomli_w.dumps(recipe.model_dump(mode="json", exclude_none=True))
