"""The model card of a run, made from the content of its ``metrics.json`` alone."""

from __future__ import annotations

from typing import Any

from curation.contracts import RunDataset, RunMetrics
from train.model.base_model import HUB_ID, LICENCE


def text(metrics: RunMetrics, character: str) -> str:
    """Return ``README.md``: Hub front matter, figures, the table per epoch, samples, how to load."""
    base, data, training, recipe = metrics.base_model, metrics.dataset, metrics.training, metrics.recipe
    embedded = base.source == "embedded"
    licence = LICENCE if embedded else None
    licence_line = (
        f"The base model is {licence}. The adapter was trained on dialogues whose rights the dataset's card states; "
        "read it before you share the adapter."
        if licence
        else "The base model's licence applies, and so do the rights that the dataset's card states for the dialogues."
    )
    epochs = "\n".join(_epoch(e) for e in metrics.epochs)
    samples = "\n".join(
        f"| {_cell(s['prompt'])} | {_cell(_reply(s['base']))} | {_cell(_reply(s['adapter']))} |"
        for s in metrics.samples
    )
    hub_base = HUB_ID if embedded else base.path if base.sha256 is None else None
    # A local folder or GGUF file: the Hub may hold a different model of that name.
    where = f'"{hub_base}")' if hub_base else f'"…")  # {base.name}, whose weights have SHA-256 {base.sha256}'
    environment = metrics.environment
    return f"""---
{f"base_model: {hub_base}" + chr(10) if hub_base else ""}library_name: peft
pipeline_tag: text-generation
{f"license: {licence.lower()}" if licence else "license: other"}
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
| nll of the end of a turn | {_pair(metrics, "end_of_turn_nll", 3)} |

The base is measured with the same weights ({recipe["quantization"]}) and the same prompt as the adapter.

| Epoch | Training loss | Eval loss | Time | Rows seen |
|---|---|---|---|---|
{epochs}

The checkpoint with the lowest eval loss is kept (step {training["best_step"]} of {training["steps"]}). The training
stopped because {training["stopped_because"]}; it saw {training["share_seen"]:.0%} of the training dialogues.
{_first_letter(training.get("overfitting") or "")}
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

base = AutoModelForCausalLM.from_pretrained({where}
model = PeftModel.from_pretrained(base, "adapter")
tokenizer = AutoTokenizer.from_pretrained("tokenizer")
```

Prompts are rendered as `{metrics.prompt}` with the system prompt of `persona.toml` beside this file
(`curation.chat.render`). Without that system prompt the model answers out of character.

## Made with

{environment["device"]}, {environment["cores"]} cores, Python {environment["python"]};
{", ".join(f"{k} {v}" for k, v in environment["versions"].items())}. Everything else is in `recipe.toml` and
`metrics.json`.

## Licence

{licence_line}
"""


def _distance(data: RunDataset) -> str:
    """Describe how far the eval dialogues are from the training dialogues."""
    asked, rows = data.eval_prompts_in_train, data.eval_rows
    shared = f"; the prompts of {asked:,} of {rows:,} also occur in training (prompts of a template)" if asked else ""
    return f"No reply among them is a near-duplicate of a training reply{shared}."


def _warning(metrics: RunMetrics) -> str:
    return "**The adapter is not better than its base: do not use it.**\n" if metrics.is_worse else ""


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
