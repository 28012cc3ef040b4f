"""Proves before the first step that the trainer's loss is the model's own, token by token, or finds a way that is.

In: a model and a few encoded rows. Out: how to lay rows out, which attention and which head to use; an error when no
way is right. "The model's own" is its forward on a single row, without padding, with its eager attention and its own
logits. The families differ in what a trainer can get wrong without noticing: caps on logits or on attention scores,
windows, sinks, states that pass from token to token, masks of their own.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from weakref import WeakKeyDictionary

import torch
from accelerate.utils import send_to_device
from torch.nn import functional

from curation.errors import InosukeError
from train.data.batches import IGNORE, Batch, Layout, LossOn, packed, padded
from train.data.dialogues import Encoded
from train.model import packed_attention
from train.model.loss import AT_ONCE, causal_model, token_losses
from train.model.out_of_memory import is_out_of_memory
from train.recipe import Recipe

POSITIONS = 32  # compared in each row, spread over its counted tokens; the logits of more would take memory
EAGER_TOKENS = 1024  # eager attention holds the scores of all pairs of tokens; longer rows use the model's own SDPA


# Kinds of layers (transformers' names) in which tokens pass nothing on but keys and values.
ATTENDING = {"full_attention", "sliding_attention", "chunked_attention"}


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a loss may be off, as a share of 1 + the loss: each token's, and the mean of a row."""

    token: float
    mean: float


# Two right ways round differently, and these are several times the worst that was seen:
# docs/experiments/2026-11-28-loss-of-model-families.md.
TOLERANCE = {
    torch.float32: Tolerance(3e-4, 3e-5),
    torch.bfloat16: Tolerance(0.1, 0.01),
    torch.float16: Tolerance(0.1, 0.01),
}


@dataclass(frozen=True, slots=True)
class Way:
    """How losses are computed: the layout of a batch, the attention's name, and logits in chunks or all at once."""

    layout: Layout
    attention: str
    head: Literal["in chunks", "at once"]


@dataclass(frozen=True, slots=True)
class Proof:
    """The way that was found right, for rows of at most ``tokens`` tokens."""

    way: Way
    tokens: int


PROVED: WeakKeyDictionary[torch.nn.Module, Proof] = WeakKeyDictionary()


def prove_loss(model: Any, rows: Sequence[Encoded], recipe: Recipe, say: Callable[[str], None]) -> Recipe:
    """Compare the losses that the recipe leads to with the model's own; return the recipe with a layout that is right.

    Prints one line when another way than the recipe's has to be taken. Raises InosukeError when no way gives the
    model's own losses, or when there is no memory for the few rows.
    """
    wanted = Way(recipe.layout, _attention(model), "in chunks")
    try:
        way, why = _find(model, rows, recipe.layout, recipe.loss_on)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise InosukeError(
            "out of memory while the loss of three rows was checked, which takes less than a step. Close other "
            "programs that use the memory, lower `max_length`, or choose a smaller base model."
        ) from None
    if way != wanted:
        say(f"Loss check: {why}. This run uses {_described(way, wanted)}, which gives the model's own loss.")
    return recipe.model_copy(update={"layout": way.layout})


def proved_layout(model: Any, rows: Sequence[Encoded]) -> Layout:
    """Return the layout that is right for these rows, which are checked if no rows of their length were."""
    proof = PROVED.get(causal_model(model))
    if not rows:
        return "packed"
    if proof is None or proof.tokens < max(len(r.input_ids) for r in rows):
        return _find(model, rows, proof.way.layout if proof else "packed", "replies")[0].layout
    return proof.way.layout


def _find(model: Any, rows: Sequence[Encoded], layout: Layout, loss_on: LossOn) -> tuple[Way, str]:
    """Return the first way that gives the model's own losses, and what was wrong with the first that was tried."""
    causal = causal_model(model)
    chosen = _few(rows)
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            own = _own_losses(model, chosen, loss_on)
            failed: list[str] = []
            for way in _ways(model, layout, failed):
                _take(model, way)
                wrong = _difference(model, chosen, own, way, loss_on)
                if wrong is None:
                    longest = max(len(r.input_ids) for r in chosen)
                    PROVED[causal] = Proof(way, longest)
                    return way, failed[0] if failed else ""
                failed.append(f"with {way.layout} rows, {way.attention} attention and logits {way.head} {wrong}")
    finally:
        model.train(was_training)
    raise InosukeError(
        f"the trainer cannot compute the loss of a {causal.config.model_type} model: {'; '.join(failed)}. Expected the "
        "loss that the model computes for one row alone. Choose another base; `inosuke bases` lists those that work."
    )


def _few(rows: Sequence[Encoded]) -> list[Encoded]:
    """Return the longest, the shortest and the middle row, as they would be packed together."""
    ordered = sorted(rows, key=lambda r: len(r.input_ids), reverse=True)
    return [ordered[i] for i in dict.fromkeys((0, len(ordered) - 1, len(ordered) // 2))]


def _ways(model: Any, layout: Layout, failed: list[str]) -> Iterator[Way]:
    """Yield ways to try, the cheapest first."""
    attention = _attention(model)
    layouts: list[tuple[Layout, str]] = [("padded", name) for name in dict.fromkeys((attention, "eager"))]
    if layout == "packed":
        reason = _why_not_packed(causal_model(model), attention)
        if reason is None:
            layouts.insert(0, ("packed", attention))
        else:
            failed.append(reason)
    for head in ("in chunks", "at once"):
        for name, by in layouts:
            yield Way(name, by, head)


def _why_not_packed(causal: Any, attention: str) -> str | None:
    """Return why rows must not follow each other in one sequence, or None when nothing speaks against it."""
    kind = causal.config.model_type
    types = set(getattr(causal.config.get_text_config(), "layer_types", None) or ()) - ATTENDING
    stateful = any(getattr(m, "_is_stateful", False) for m in causal.modules())
    convolving = any(isinstance(m, torch.nn.Conv1d) and m.kernel_size != (1,) for m in causal.get_decoder().modules())
    if types or stateful or convolving:
        found = f"layers of type {', '.join(sorted(types))}" if types else "layers"
        return f"{kind} has {found} that carry a state from token to token, so packed rows would see each other"
    if attention != packed_attention.NAME:
        return f"{kind} needs its own {attention} attention, which knows no packed rows"
    return None


def _take(model: Any, way: Way) -> None:
    """Set the model up for this way."""
    causal = causal_model(model)
    _attend_by(model, way.attention)
    if way.head == "at once":
        AT_ONCE.add(causal)
    else:
        AT_ONCE.discard(causal)


def _difference(
    model: Any, rows: Sequence[Encoded], own: Sequence[torch.Tensor], way: Way, loss_on: LossOn
) -> str | None:
    """Return what is wrong with the losses of this way, or None when they are the model's own."""
    batch = send_to_device(lay_out(rows, way.layout, loss_on), model.device)
    try:
        losses = token_losses(model, batch)
    except Exception as error:  # a forward that was not written for a layout may fail in any way
        if is_out_of_memory(error):
            raise
        return f"the forward fails ({_first_line(error)})"
    owner = batch["row"][batch["labels"] != IGNORE]
    tolerance = TOLERANCE[_number_type(causal_model(model))]
    for number, losses_alone in enumerate(own):
        mine = losses[owner == number]
        # Where the model's own loss overflows there is nothing to compare; measuring the base reports it.
        finite = torch.isfinite(losses_alone)
        found, expected = mine[_spread(len(mine), mine.device)].double().cpu()[finite], losses_alone[finite]
        apart = (found - expected).abs()
        if not bool((apart <= tolerance.token * (1 + expected.abs())).all()):
            worst = int(apart.nan_to_num(torch.inf).argmax())
            return f"the loss of a token is {found[worst]:.4f} instead of {expected[worst]:.4f}"
        if len(found) and (drift := float((found - expected).mean().abs())) > tolerance.mean * (
            1 + float(expected.mean())
        ):
            return f"the mean loss of a row is off by {drift:.4f}"
    return None


def _own_losses(model: Any, rows: Sequence[Encoded], loss_on: LossOn) -> list[torch.Tensor]:
    """Return for each row losses of some counted tokens as the model itself computes them, ``[n]`` in fp64."""
    causal = causal_model(model)
    try:
        own = [_own_losses_of(model, causal, row, loss_on) for row in rows]
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise InosukeError(
            f"a {causal.config.model_type} model with this adapter fails on a row of the data: {_first_line(error)}. "
            "Name layers that can have one in `lora_targets` (attention and feed-forward), or choose another base."
        ) from error
    return own


def _own_losses_of(model: Any, causal: Any, row: Encoded, loss_on: LossOn) -> torch.Tensor:
    batch = send_to_device(lay_out([row], "padded", loss_on), model.device)
    labels = batch["labels"][0]
    counted = (labels != IGNORE).nonzero()[:, 0]
    positions = counted[_spread(len(counted), counted.device)]
    few = {"logits_to_keep": positions} if "logits_to_keep" in inspect.signature(causal.forward).parameters else {}
    with _own_attention(model, len(row.input_ids)):
        logits = causal(input_ids=batch["input_ids"], use_cache=False, **few).logits[0]
    if len(logits) != len(positions):
        logits = logits[positions]
    return functional.cross_entropy(logits.float(), labels[positions], reduction="none").double().cpu()


def _number_type(causal: Any) -> torch.dtype:
    """Return the type that the model computes in: a half precision if any weight is in it or unpacked to it."""
    types = {p.quant_state.dtype if getattr(p, "quant_state", None) else p.dtype for p in causal.parameters()}
    return next((t for t in (torch.bfloat16, torch.float16) if t in types), torch.float32)


def lay_out(rows: Sequence[Encoded], layout: Layout, loss_on: LossOn = "replies") -> Batch:
    """Return a batch of rows, padded to the longest of them where they are not packed."""
    if layout == "packed":
        return packed(rows, loss_on)
    return padded(rows, max(len(r.input_ids) for r in rows), 0, loss_on)


def _spread(count: int, device: torch.device) -> torch.Tensor:
    """Return at most POSITIONS indices below ``count``, evenly spread, the last one among them."""
    return torch.linspace(0, count - 1, min(count, POSITIONS), device=device).round().long()


def _attention(model: Any) -> str:
    name: str = causal_model(model).config.get_text_config()._attn_implementation
    return name


def _attend_by(model: Any, name: str) -> None:
    """Have the text layers of the model attend by the implementation of this name."""
    causal = causal_model(model)
    packed_attention.use(causal, name)


@contextmanager
def _own_attention(model: Any, tokens: int) -> Iterator[None]:
    """Have the model attend eagerly; over a long row by its SDPA where it supports that."""
    before = _attention(model)
    eager = tokens <= EAGER_TOKENS or before == "eager"
    _attend_by(model, "eager" if eager else "sdpa")
    try:
        yield
    finally:
        _attend_by(model, before)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _described(way: Way, wanted: Way) -> str:
    parts = [f'layout = "{way.layout}"'] if way.layout != wanted.layout else []
    parts += [f"{way.attention} attention"] if way.attention != wanted.attention else []
    parts += ["all logits of a batch at once"] if way.head != wanted.head else []
    return ", ".join(parts)
