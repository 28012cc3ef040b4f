"""The model card of a run, from its ``metrics.json`` content alone."""

from __future__ import annotations

from typing import Any

from train.model.base_model import HUB_ID, LICENCE
from train.run.folder import is_worse


def text(m: dict[str, Any], character: str) -> str:
    """Return ``README.md``: Hub front matter, figures, the table per epoch, samples, how to load."""
    base, data, training, recipe = m["base_model"], m["dataset"], m["training"], m["recipe"]
    embedded = base["source"] == "embedded"
    licence = LICENCE if embedded else None
    licence_line = (
        f"The base model is {licence}. The adapter was trained on dialogues whose rights the dataset's card states; "
        "look there before you pass it on."
        if licence
        else "The base model's licence applies, and the rights that the dataset's card states for the dialogues."
    )
    epochs = "\n".join(_epoch(e) for e in m["epochs"])
    samples = "\n".join(
        f"| {_cell(s['prompt'])} | {_cell(_said(s['base']))} | {_cell(_said(s['adapter']))} |" for s in m["samples"]
    )
    hub_base = HUB_ID if embedded else base["path"] if base["sha256"] is None else None
    # A folder or a GGUF file of this machine: the Hub may have a model of that name, which would be another one.
    where = f'"{hub_base}"' if hub_base else f'"…"  # {base["name"]}, whose weights have SHA-256 {base["sha256"]}'
    library = m["environment"]["versions"]
    return f"""---
{f"base_model: {hub_base}" + chr(10) if hub_base else ""}library_name: peft
pipeline_tag: text-generation
{f"license: {licence.lower()}" if licence else "license: other"}
tags: [lora, qlora, persona, dialogue]
---

# {character}: {m["run"]}

A LoRA adapter that makes **{base["name"]}** answer as {character}. Dataset version `{data["version"]}`
({training["rows"]:,} training and {m["eval"]["rows"]:,} eval dialogues), recipe `{recipe["name"]}`, seed {m["seed"]}.

## Figures

On eval dialogues, replies only, given the prompt. {_apart(m)}

| | base | adapter |
|---|---|---|
| loss per reply token | {_pair(m, "loss", 3)} |
| perplexity | {_pair(m, "perplexity", 1)} |
| nll per reply character | {_pair(m, "reply_nll_per_char", 3)} |
| nll of the end of a turn | {_pair(m, "end_of_turn_nll", 3)} |

The base is measured with the same weights ({recipe["quantization"]}) and the same prompt as the adapter.

| Epoch | Training loss | Eval loss | Time | Rows seen |
|---|---|---|---|---|
{epochs}

The checkpoint with the lowest eval loss is kept (step {training["best_step"]} of {training["steps"]}). It stopped
because {training["stopped_because"]}; it saw {training["share_seen"]:.0%} of the training dialogues.
{_first_letter(training.get("overfitting") or "")}
{_worse(m)}
![Loss curve](loss_curve.png)

## Samples

Held-out prompts, greedy decoding. A `…` at the end: the reply was cut off, the model had not ended its turn.

| Prompt | Base | Adapter |
|---|---|---|
{samples}

## Use

`inosuke serve` chats with the newest run. In Python:

```python
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

base = AutoModelForCausalLM.from_pretrained({where})
model = PeftModel.from_pretrained(base, "adapter")
tokenizer = AutoTokenizer.from_pretrained("tokenizer")
```

Prompts are rendered as `{m["prompt"]}` with the system prompt of `persona.toml` beside this file
(`curation.chat.render`); without that system prompt the model answers out of character.

## Made with

{m["environment"]["device"]}, {m["environment"]["cores"]} cores, Python {m["environment"]["python"]};
{", ".join(f"{k} {v}" for k, v in library.items())}. `recipe.toml` and `metrics.json` hold the rest.

## Licence

{licence_line}
"""


def _apart(m: dict[str, Any]) -> str:
    """Say how far the eval dialogues are from the training ones."""
    asked, rows = (m["dataset"][key] for key in ("eval_prompts_in_train", "eval_rows"))
    shared = f"; {asked:,} of {rows:,} ask what a training dialogue asks, too (prompts of a template)" if asked else ""
    return f"None of these replies is near one that was trained on{shared}."


def _worse(m: dict[str, Any]) -> str:
    return "**The adapter is no better than its base: do not use it.**\n" if is_worse(m) else ""


def _first_letter(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _pair(m: dict[str, Any], key: str, digits: int) -> str:
    return f"{m['eval']['base'][key]:.{digits}f} | {m['eval']['adapter'][key]:.{digits}f}"


def _epoch(e: dict[str, Any]) -> str:
    loss = "–" if e["eval_loss"] is None else f"{e['eval_loss']:.2f}"
    time = f"{int(e['seconds']) // 3600:02d}:{int(e['seconds']) // 60 % 60:02d}:{int(e['seconds']) % 60:02d}"
    change = f"{e['training_loss_from']:.2f} → {e['training_loss_to']:.2f}"
    return f"| {e['epoch']}{' (best)' if e['best'] else ''} | {change} | {loss} | {time} | {e['share']:.0%} |"


def _said(reply: dict[str, Any]) -> str:
    return str(reply["text"]) + ("" if reply["ended"] else " …")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")
