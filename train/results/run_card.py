"""The model card of a run, made from the content of its ``metrics.json`` alone."""

from __future__ import annotations

from typing import Any

from curation import bases, licences
from curation.contracts.run import RunBase, RunDataset, RunMetrics
from curation.licences import Terms
from train.results.sentences import chosen_on, preference_lines, seen, speaking_line

_FRONT = {"library_name": "peft", "pipeline_tag": "text-generation"}


def text(metrics: RunMetrics, character: str) -> str:
    """Return ``README.md``: Hub front matter, figures, the table per epoch, samples, how to load."""
    base, data, training, recipe = metrics.base_model, metrics.dataset, metrics.training, metrics.recipe
    terms = terms_of(metrics)
    epochs = "\n".join(_epoch(e) for e in metrics.epochs)
    samples = "\n".join(
        f"| {_cell(s['prompt'])} | {_cell(_reply(s['base']))} | {_cell(_reply(s['adapter']))} |"
        for s in metrics.samples
    )
    environment = metrics.environment
    stated = terms.front_matter() if terms else {"license": "other"}
    hub_base = _hub_id(base)
    front = ({"base_model": hub_base} if hub_base else {}) | _FRONT | stated
    text = f"""---
{chr(10).join(f"{key}: {value}" for key, value in front.items())}
tags: [lora, qlora, persona, dialogue]
---

# {character}: {metrics.run}

A LoRA adapter that makes **{base.name}** answer as {character}. Dataset version `{data.version}`
({training["rows"]:,} training and {metrics.eval.rows:,} eval dialogues), recipe `{recipe["name"]}`,
seed {metrics.seed}.

## Figures

On eval dialogues, replies only, given the prompt. {_distance(data)}

| | base | adapter |
|---|---|---|
| loss per reply token | {_pair(metrics, "loss", 3)} |
| perplexity | {_pair(metrics, "perplexity", 1)} |
| nll per reply character | {_pair(metrics, "reply_nll_per_char", 3)} |
| nll per reply character, without the end of the turn | {_pair(metrics, "text_nll_per_char", 3)} |
| nll of the end of a turn | {_pair(metrics, "end_of_turn_nll", 3)} |

Base and adapter are measured on the same weights ({metrics.eval.weights or recipe["quantization"]}), with the same
prompt. {_interval(metrics)}

{_by(metrics)}

| Epoch | Training loss | Validation loss | Time | Rows seen |
|---|---|---|---|---|
{epochs}

The checkpoint with the lowest validation loss is kept (step {training["best_step"]} of {training["steps"]}).
{chosen_on(metrics)} The training
stopped because {training["stopped_because"]}; it {seen(training)}.
{_ceiling(training)}{_first_letter(training.get("overfitting") or "")}
{_speaking(metrics)}
{_preference(metrics)}
{_warning(metrics)}
![Loss curve](loss_curve.png)

## Samples

Held-out prompts, greedy decoding. A `…` at the end means that the reply was cut off before the model ended its turn.

| Prompt | Base | Adapter |
|---|---|---|
{samples}

## Use

`inosuke serve` serves the newest run. In Python:

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = AutoModelForCausalLM.from_pretrained({_where(base, terms)}
model = PeftModel.from_pretrained(base, "adapter")
tokenizer = AutoTokenizer.from_pretrained("tokenizer")
```

Prompts are rendered as `{metrics.prompt}` with the system prompt of `persona.toml` beside this file
(`curation.chat.render`). Without that system prompt the model answers out of character.

## Made with

{environment["device"]}, {environment["cores"]} cores, Python {environment["python"]};
{", ".join(f"{k} {v}" for k, v in environment["versions"].items())}. Everything else is in `recipe.toml` and
`metrics.json`.
"""
    return licences.with_section(text, terms) if terms else f"{text}\n{licences.unknown_section(base.name)}"


def terms_of(metrics: RunMetrics) -> Terms | None:
    """Return what the licence of a run's base demands; None for a base that is not in the table."""
    if bases.of_run(metrics.base_model) is None:
        return None
    return licences.terms_of(metrics.base_model, licences.run_changes(metrics.run))


def _hub_id(base: RunBase) -> str | None:
    """Return the base's id on the Hub; None for a local folder or GGUF file, whose name proves nothing."""
    row = bases.of_run(base)
    return row.hub_id if row else base.path if base.sha256 is None else None


def _where(base: RunBase, terms: Terms | None) -> str:
    """Return the argument that loads the base, with its bracket."""
    if terms and terms.base_is_cut:
        return f'"{base.path}")  # {terms.base} with its vocabulary cut'
    if hub_base := _hub_id(base):
        return f'"{hub_base}")'
    return f'"…")  # {base.name}, whose weights have SHA-256 {base.sha256}'


def _distance(data: RunDataset) -> str:
    """Describe how far the eval dialogues are from the training dialogues."""
    asked, rows = data.eval_prompts_in_train, data.eval_rows
    shared = f"; the prompts of {asked:,} of {rows:,} also occur in training (prompts of a template)" if asked else ""
    return f"No reply among them is a near-duplicate of a training reply{shared}."


def _interval(metrics: RunMetrics) -> str:
    """Return the interval of the adapter's gain; empty where there is none, as for a single group of rows."""
    change = metrics.eval.figures.get("reply_nll_per_char", {}).get("difference")
    if not change or change["low"] is None:
        return ""
    return (
        f"The nll per reply character changes by {_changed(change)}: a 95 % interval over {change['groups']} groups of "
        "dialogues that resemble each other."
    )


def _by(metrics: RunMetrics) -> str:
    """Return the table by kind and language; empty where all rows are of one kind and one language."""
    rows = [
        f"| {value} | {own['rows']} | {' | '.join(_figure(own, side) for side in ('base', 'adapter', 'difference'))} |"
        for values in metrics.eval.by.values()
        if len(values) > 1
        for value, own in values.items()
    ]
    if not rows:
        return ""
    head = (
        "| nll per reply character | dialogues | base | adapter | difference (95 % interval) |\n|---|---|---|---|---|\n"
    )
    return head + "\n".join(rows)


def _figure(part: dict[str, Any], side: str) -> str:
    figure = part["figures"]["reply_nll_per_char"][side]
    if figure["value"] is None:
        return "–"
    return _changed(figure) if side == "difference" else f"{figure['value']:.3f}"


def _changed(change: dict[str, Any]) -> str:
    """Return a difference with its interval, where it has one."""
    interval = "" if change["low"] is None else f" ({change['low']:+.3f} to {change['high']:+.3f})"
    return f"{change['value']:+.3f}{interval}"


def _warning(metrics: RunMetrics) -> str:
    if metrics.is_worse:
        return "**The adapter is not better than its base: do not use it.**\n"
    faults = metrics.faults()
    return f"**Do not publish this adapter as it is: {'; '.join(faults)}.**\n" if faults else ""


def _ceiling(training: dict[str, Any]) -> str:
    """Report that the ceiling of minutes cut the training short; an empty text otherwise."""
    if not training["hit_ceiling"]:
        return ""
    return (
        f"The ceiling of {training['max_minutes']:g} minutes cut it short: the last part was spent on taking the "
        "learning rate down. "
    )


def _speaking(metrics: RunMetrics) -> str:
    """Return the paragraph about replies drawn as in serving; an empty text where they were not measured."""
    speaking = metrics.speaking
    if speaking is None:
        return ""
    settings = ", ".join(f"{name} {value:g}" for name, value in speaking.sampling.items())
    return (
        f"\nAs it is served ({settings}, at most {speaking.max_new_tokens} tokens, seed {speaking.seed}), "
        f"{speaking_line(speaking)}.\n"
    )


def _preference(metrics: RunMetrics) -> str:
    """Return the section about what was learnt from preferences; a line for an adapter that was only continued."""
    found, start = metrics.preference, metrics.started_from
    if start is None:
        return ""
    if found is None:
        return f"It continues `{start}`: its first step began with that run's adapter.\n"
    return "## Preferences\n\n" + "\n".join(f"- {line}" for line in preference_lines(found, start)) + "\n"


def _first_letter(text: str) -> str:
    return text[:1].upper() + text[1:]


def _pair(metrics: RunMetrics, key: str, digits: int) -> str:
    base, adapter = (getattr(scores, key) for scores in (metrics.eval.base, metrics.eval.adapter))
    return f"{base:.{digits}f} | {adapter:.{digits}f}"


def _epoch(e: dict[str, Any]) -> str:
    loss = "–" if e["eval_loss"] is None else f"{e['eval_loss']:.2f}"
    time = f"{int(e['seconds']) // 3600:02d}:{int(e['seconds']) // 60 % 60:02d}:{int(e['seconds']) % 60:02d}"
    change = f"{e['training_loss_from']:.2f} → {e['training_loss_to']:.2f}"
    return f"| {e['epoch']}{' (best)' if e['best'] else ''} | {change} | {loss} | {time} | {e['share']:.0%} |"


def _reply(reply: dict[str, Any]) -> str:
    return str(reply["text"]) + ("" if reply["ended"] else " …")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")
