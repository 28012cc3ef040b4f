"""``inosuke evaluate``: a trained adapter beside its base, on the eval split and on held-out prompts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from curation.errors import InosukeError
from curation.files import write_atomically
from train.data import HeldOut, encode, find_export, load_export, prompts, replies
from train.generate import Reply
from train.trained import Trained, open_run

Say = Callable[[str], None]


def evaluate(
    persona_file: Path, run: str | None, export_path: Path | None, reply_count: int, say: Say
) -> dict[str, Any]:
    """Measure a run and write ``evaluation.json`` into its folder; returns its content.

    ``export_path`` is by default the export that the run was trained on. Raises InosukeError when the run, its export
    or its base is not there.
    """
    root = persona_file.resolve().parent
    trained = open_run(root, run, say)
    export = load_export(export_path or _own_export(trained))

    from train.generate import replies as answer
    from train.model import end_ids, load_adapter, load_base, load_tokenizer, quiet
    from train.progress import bar
    from train.scoring import score

    quiet()
    recipe = trained.recipe
    tokenizer = load_tokenizer(str(trained.folder / "tokenizer"))
    rows, left_out = encode(export.eval, tokenizer, trained.persona, recipe.max_length, recipe.prompt)
    if not rows:
        raise InosukeError(f"every eval row of {export.path} is longer than max_length = {recipe.max_length}.")
    say(f"Loading {trained.base.name} and the adapter of {trained.name}")
    model = load_adapter(load_base(trained.base, recipe), trained.folder / "adapter")
    say(f"Scoring {len(rows)} eval rows")
    with bar(2 * len(rows), "Scoring", "row") as moved:
        adapter_score = score(model, rows, end_ids(tokenizer), moved)
        with model.disable_adapter():
            base_score = score(model, rows, end_ids(tokenizer), moved)

    tried = prompts(export)
    tried = [tried[i * len(tried) // reply_count] for i in range(min(reply_count, len(tried)))]
    say(f"Answering {len(tried)} prompts with base and adapter")
    talker = load_adapter(load_base(trained.base, _whole(recipe)), trained.folder / "adapter") if tried else model
    turns = [t.messages for t in tried]
    with bar(2 * len(tried), "Answering", "prompt") as moved:
        ask = partial(answer, talker, tokenizer, trained.persona, turns, recipe.prompt, after_batch=moved)
        by_adapter = ask()
        with talker.disable_adapter():
            by_base = ask()

    learnt = replies(export.train)
    content = {
        "run": trained.name,
        "dataset": {"version": export.version, "files": export.files},
        "eval": {
            "rows": len(rows),
            "left_out": left_out,
            "base": base_score.as_json(),
            "adapter": adapter_score.as_json(),
        },
        "replies": {
            "prompts": len(tried),
            "base": measure(by_base, tried, learnt),
            "adapter": measure(by_adapter, tried, learnt),
        },
        "answers": [
            {"id": t.id, "prompt": t.messages[-1].content, "reference": t.reference, "base": b.text, "adapter": a.text}
            for t, b, a in zip(tried, by_base, by_adapter, strict=True)
        ],
    }
    write_atomically(trained.folder / "evaluation.json", json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    return content


def measure(answers: Sequence[Reply], tried: Sequence[HeldOut], learnt: set[str]) -> dict[str, float | None]:
    """Return figures over generated replies; None where there is nothing to count.

    ``chrf`` (Popović 2015, sacrebleu's default) counts prompts with a reference; ``distinct_2`` (Li et al. 2016) is the
    share of different pairs among all pairs of neighbouring syllables; ``copied`` is the share of replies that stand in
    the training split word for word.
    """
    from sacrebleu import corpus_chrf

    pairs = [(a.text, t.reference) for a, t in zip(answers, tried, strict=True) if t.reference]
    syllables = [a.text.lower().split() for a in answers]
    bigrams = [pair for words in syllables for pair in pairwise(words)]
    return {
        "chrf": corpus_chrf([p[0] for p in pairs], [[p[1] for p in pairs]]).score if pairs else None,
        "end_of_turn_rate": _share([a.ended for a in answers]),
        "distinct_2": len(set(bigrams)) / len(bigrams) if bigrams else None,
        "copied": _share([a.text in learnt for a in answers]),
    }


def table(content: dict[str, Any]) -> str:
    """Return the figures as a person reads them, base and adapter side by side."""
    lines = [
        f"Run {content['run']} on dataset {content['dataset']['version']}",
        "",
        f"  {str(content['eval']['rows']) + ' eval dialogues':<34}{'base':>10}{'adapter':>10}",
    ]
    for key, label in (
        ("reply_nll_per_char", "nll per reply character"),
        ("loss", "loss per reply token"),
        ("perplexity", "perplexity"),
        ("end_of_turn_nll", "nll of the end of a turn"),
    ):
        lines.append(_line(label, content["eval"], key, digits=3))
    lines += ["", f"  {content['replies']['prompts']} held-out prompts answered"]
    for key, label in (
        ("chrf", "chrF against the references"),
        ("end_of_turn_rate", "share that ends its turn"),
        ("distinct_2", "distinct-2"),
        ("copied", "share copied from training"),
    ):
        lines.append(_line(label, content["replies"], key, digits=2))
    return "\n".join(lines)


def _line(label: str, figures: dict[str, Any], key: str, digits: int) -> str:
    values = (figures[who][key] for who in ("base", "adapter"))
    cells = ("–" if value is None else f"{value:.{digits}f}" for value in values)
    return f"  {label:<34}" + "".join(f"{cell:>10}" for cell in cells)


def _share(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None


def _own_export(trained: Trained) -> Path:
    path: Path = trained.root / trained.metrics["dataset"]["path"]
    if path.is_dir():
        return path
    newest = find_export(trained.root)
    raise InosukeError(
        f"{path}: the export that {trained.name} was trained on is gone. Name another with --export, such as {newest}; "
        "its eval split may then hold dialogues that the run has learnt."
    )


def _whole(recipe: Any) -> Any:
    """Talk with whole weights on a CPU; see train.qlora._talker."""
    from train.model import device

    return recipe if device().kind == "cuda" else recipe.model_copy(update={"quantization": "none"})
