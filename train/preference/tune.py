"""Preference training from an export and a finished run's adapter to a new adapter and its figures.

The reference of the losses is the adapter that the training starts with. Its log-probabilities are computed once,
before the first step, so there is never a second model, nor a second copy of the adapter. A restart starts from the
same adapter and computes the same ones again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, set_seed

from curation.contracts.run import RunPreference, Scores
from curation.errors import UsageError
from train.data.dialogues import Encoded, Export
from train.data.groups import drawn_together
from train.distributed import Processes
from train.evaluation import bootstrap
from train.loop.callbacks import Budget, History, evaluation_steps
from train.loop.memory_use import peak_bytes, reset_peak
from train.loop.preparation import Rows, begun_of, encode_rows, load_model, plan_steps, prove_same_ids
from train.loop.qlora import Result, run_to_end, save_best
from train.loop.speaker import Speaker
from train.loop.steps import Say, Trainers, collator
from train.loop.trainer import ADVICE, measure
from train.model.base_model import BaseModel
from train.model.load import end_ids, put_adapter, tokenizer_of
from train.model.loss_check import prove_loss
from train.model.scoring import Score, measure_rows, total
from train.model.whole_weights import describe
from train.preference.pairs import PAIR, Divided, Judged, divide
from train.preference.trainer import Judging, PreferenceRecorder, PreferenceTrainer, collate, flat, watched
from train.progress import quiet_libraries
from train.recipe import Ceiling, Recipe
from train.run.folder import NothingLearnt

DIALOGUES = 48  # held-out dialogues that each evaluation measures, to see what the pairs cost


def tune_adapter(
    export: Export,
    recipe: Recipe,
    base: BaseModel,
    start: Path,
    folder: Path,
    say: Say,
    *,
    processes: Processes,
    watchers: Sequence[TrainerCallback] = (),
    draw: Callable[[History], object] = lambda history: None,
    ceiling: Ceiling | None = None,
) -> tuple[Result, Speaker, RunPreference]:
    """Continue the adapter in ``start`` with an export's preferences, into ``folder``, and measure it.

    The parameters are those of :func:`train.loop.qlora.train_adapter`. Raises InosukeError as it does, and when there
    are no preferences or every evaluation forgot too much to be kept.
    """
    if processes.count > 1:
        raise UsageError("--preferences trains in one process. Start it without `accelerate launch`.")
    quiet_libraries()
    reset_peak()
    ceiling = ceiling or Ceiling(recipe.max_minutes)
    budget = Budget(recipe.warmup, ceiling.minutes)
    set_seed(recipe.seed)
    tokenizer = tokenizer_of(base, recipe)
    divided = divide(export, tokenizer, recipe)
    if divided.left_out:
        say(f"Left out, longer than {recipe.max_length} tokens: {len(divided.left_out)} preferences")
    encoded = encode_rows(export, tokenizer, recipe.model_copy(update={"max_train_rows": None}))
    dialogues = random.Random(0).sample(encoded.validation, min(DIALOGUES, len(encoded.validation)))  # noqa: S311
    prove_same_ids(export, tokenizer, recipe, say)
    everything = [*divided.train, *divided.validation]
    rows = Rows(flat(divided.train), dialogues, encoded.eval, divided.left_out)
    model = load_model(base, recipe.model_copy(update={"batch_size": 2 * recipe.batch_size}), rows, say)
    put_adapter(model, start)
    recipe = prove_loss(model, [*flat(everything), *encoded.eval, *dialogues], recipe, say)
    say(f"Measuring the starting adapter, which is the reference: {len(everything)} preferences")
    ends = end_ids(tokenizer)
    train = _with_reference(model, divided.train, ends)
    validation = train if divided.chosen_on == "train" else _with_reference(model, divided.validation, ends)
    divided = replace(divided, train=train, validation=validation)
    dialogues_before = measure(model, dialogues, tokenizer, "Dialogues")

    schedule = plan_steps(recipe, len(train), 1)
    begun = begun_of(folder, ceiling)
    if begun is not None:
        schedule = replace(schedule, total_steps=begun.total_steps)
    settings = recipe.preference
    judging = Judging(settings.beta, settings.rpo_alpha, validation, dialogues)
    before = watched(validation, _reference_scores(validation), dialogues_before, judging)

    def history() -> History:
        return History(recorder.rows, before.loss, recorder.steps, recorder.evaluations, recorder.best_step)

    recorder = PreferenceRecorder(
        budget,
        len(train),
        schedule.rows_a_step,
        evaluation_steps(schedule.steps_per_epoch, schedule.total_steps, recipe.evals_per_epoch),
        total_steps=schedule.total_steps,
        patience=recipe.patience,
        checkpoint_minutes=recipe.checkpoint_minutes,
        on_evaluation=lambda: draw(history()),
        judging=judging,
        most_dialogue_loss=before.dialogue_loss * (1 + settings.max_dialogue_loss),
    )
    say(
        f"Training on {sum(j.kind == PAIR for j in train)} pairs and {sum(j.kind != PAIR for j in train)} single "
        f"replies, {recipe.epochs:g} epochs, learning rate {recipe.learning_rate:g}, beta {settings.beta:g}, weight of "
        f"the chosen reply {settings.rpo_alpha:g}; the checkpoint is chosen on {len(validation)} pairs"
    )
    trainers = Trainers(
        model=model,
        tokenizer=tokenizer,
        recipe=recipe,
        train_rows=train,
        eval_rows=dialogues,
        folder=folder,
        total_steps=schedule.total_steps,
        budget=budget,
        recorder=recorder,
        watchers=watchers,
        kind=partial(PreferenceTrainer, judging=judging),
        collate=partial(collate, collator(recipe, tokenizer)),
    )
    ending = run_to_end(trainers, begun, ceiling, 0.0, say)
    if recorder.best_step is None:
        raise NothingLearnt(
            _why_nothing(recorder, before.dialogue_loss, settings.max_dialogue_loss, ending.stopped_because)
        )
    save_best(model, tokenizer, base, recipe, export.persona, folder, recorder.best_step)
    trainable = sum(p.numel() for p in model.parameters() if p.requires_grad)
    tokens, peak = recorder.tokens, peak_bytes()
    speaker = Speaker(base, recipe, tokenizer, model)
    del model, trainers  # there must never be two models in memory
    say(f"Measuring base, starting adapter and new adapter on {len(encoded.eval)} eval dialogues")
    by_base, by_adapter = speaker.scores(folder / "adapter", encoded.eval)
    figures = _figures(speaker, start, folder / "adapter", export, divided, encoded.eval, by_adapter, ends)
    figures = figures.model_copy(
        update={"evaluations": [{"step": step, **asdict(w)} for step, w in sorted(judging.record.items())]}
    )
    result = Result(
        base_model=base,
        recipe=recipe,
        rows=Rows([j.rows[0] for j in train], [j.rows[0] for j in validation], encoded.eval, divided.left_out),
        schedule=schedule,
        trainable_parameters=trainable,
        base=by_base,
        adapter=by_adapter,
        weights=describe(speaker.recipe),
        history=history(),
        ending=ending,
        tokens=tokens,
        peak_bytes=peak,
    )
    return result, speaker, figures


def _with_reference(model: Any, judged: Sequence[Judged], ends: Sequence[int]) -> list[Judged]:
    """Return preferences with the nll of each row under the model as it is now."""
    scores = iter(measure_rows(model, flat(judged), ends, "Reference"))
    return [item.with_reference([next(scores).nll for _ in item.rows]) for item in judged]


def _reference_scores(judged: Sequence[Judged]) -> list[Score]:
    """Return the scores that the reference gave, of which only sums and counts of tokens are needed."""
    return [
        Score(nll=nll, end_nll=0.0, tokens=sum(row.loss_mask), chars=row.chars, turns=1)
        for item in judged
        for row, nll in zip(item.rows, item.reference, strict=True)
    ]


def _why_nothing(recorder: PreferenceRecorder, before: float, most: float, stopped: str) -> str:
    """Return the error for a training none of whose evaluations may be kept."""
    record = list(recorder.judging.record.values())
    if record and all(w.has_fallen for w in record):
        why = stopped or "the chosen replies became less likely than before the training"
    elif record:
        loss = min(w.dialogue_loss for w in record)
        why = f"the loss of held-out dialogues rose from {before:.3f} to {loss:.3f}, more than {most:.0%}"
    else:
        why = f"no evaluation gave a finite loss. {ADVICE}"
    return (
        f"{why}, at every evaluation, so nothing was kept. In the recipe's [preference], lower `learning_rate` or "
        "raise `beta` or `rpo_alpha`, and train again."
    )


def _figures(
    speaker: Speaker,
    start: Path,
    adapter: Path,
    export: Export,
    divided: Divided,
    dialogues: Sequence[Encoded],
    after: Sequence[Score],
    ends: Sequence[int],
) -> RunPreference:
    """Compare the starting adapter and the new one on the eval side, on the weights that are served."""
    model = speaker.model(adapter)
    pairs = divided.eval
    rows = flat(pairs)
    new = measure_rows(model, rows, ends, "Eval pairs") if rows else []
    try:
        put_adapter(model, start)
        old = measure_rows(model, rows, ends, "Before") if rows else []
        before = measure_rows(model, dialogues, ends, "Before")
    finally:
        put_adapter(model, adapter)
    eval_rows = {row.id: row for row in export.eval}
    groups = drawn_together([eval_rows[row.id] for row in dialogues])
    change = bootstrap.ratio_difference(
        [s.nll for s in after], [s.nll for s in before], [float(s.chars) for s in before], groups
    )
    found = RunPreference(
        train=sum(j.kind == PAIR for j in divided.train),
        labels=sum(j.kind != PAIR for j in divided.train),
        validation=len(divided.validation),
        pairs=len(pairs),
        chosen_on=divided.chosen_on,
        left_out=divided.left_out,
        dialogues_before=Scores.model_validate(total(before).as_json()),
        dialogues_change=change,
    )
    return found.model_copy(update=pair_figures(new, old, [p.group for p in pairs])) if pairs else found


def pair_figures(new: Sequence[Score], old: Sequence[Score], groups: Sequence[str]) -> dict[str, Any]:
    """Return the figures of pairs from scores of their rows, chosen and rejected in turn; intervals draw groups."""
    (c_new, r_new), (c_old, r_old) = (new[::2], new[1::2]), (old[::2], old[1::2])

    def share(first: Sequence[float], second: Sequence[float]) -> bootstrap.Figure:
        won = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in zip(first, second, strict=True)]
        return bootstrap.mean(won, groups)

    def gains(after: Sequence[Score], before: Sequence[Score]) -> list[float]:
        return [b.nll - a.nll for a, b in zip(after, before, strict=True)]

    def a_token(scores: Sequence[Score]) -> list[float]:
        return [-s.nll / s.tokens for s in scores]

    chosen, rejected = gains(c_new, c_old), gains(r_new, r_old)
    return {
        "margin_accuracy": share(chosen, rejected),
        "more_likely_before": share(a_token(c_old), a_token(r_old)),
        "more_likely_after": share(a_token(c_new), a_token(r_new)),
        "chosen_change": bootstrap.ratio(chosen, [float(s.tokens) for s in c_old], groups),
        "rejected_change": bootstrap.ratio(rejected, [float(s.tokens) for s in r_old], groups),
    }
