"""What other people's training programs need: LLaMA-Factory's ``dataset_info.json``, and a part of the card. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from curation.contracts.manifest import Manifest, TrainerFacts
from curation.contracts.rows import ChatRow, InstructRow
from curation.dedup.wording import normal
from curation.export.exported_rows import SIDES, parquet

DATASET_INFO = "dataset_info.json"
# By configuration: how LLaMA-Factory reads its columns. A column that is not named here does not exist for it.
_FORMATS: dict[str, dict[str, Any]] = {
    "chat": {
        "formatting": "sharegpt",
        "columns": {"messages": "messages", "system": "system"},
        "tags": {
            "role_tag": "role",
            "content_tag": "content",
            "user_tag": "user",
            "assistant_tag": "assistant",
            "system_tag": "system",
        },
    },
    "instruct": {
        "formatting": "alpaca",
        "columns": {
            "prompt": "instruction",
            "query": "input",
            "response": "output",
            "system": "system",
            "history": "history",
        },
    },
}


def facts(
    chat: Mapping[str, Sequence[ChatRow]],
    instruct: Mapping[str, Sequence[InstructRow]],
    template_prompts: Collection[str] = (),
) -> TrainerFacts:
    """Return the figures for the card; ``template_prompts`` are the persona's."""
    trained = {_asked(row) for row in instruct["train"]}
    known = [row for row in instruct["eval"] if _asked(row) in trained]
    templates = {normal(prompt) for prompt in template_prompts}
    return TrainerFacts(
        instruct={side: len(rows) for side, rows in instruct.items()},
        eval_prompts_in_train=len(known),
        eval_template_prompts=sum(normal(row["instruction"]) in templates for row in known),
        not_alternating={side: sum(not alternates(row) for row in rows) for side, rows in chat.items()},
    )


def _asked(row: InstructRow) -> tuple[str, ...]:
    return (row["instruction"], *(text for exchange in row.get("history") or () for text in exchange))


def alternates(row: ChatRow) -> bool:
    """Return whether user and character take turns in a row, the user first; a system message may come before."""
    roles = [m["role"] for m in row["messages"]]
    turns = roles[1:] if roles[:1] == ["system"] else roles
    return len(turns) % 2 == 0 and all(role == ("user", "assistant")[n % 2] for n, role in enumerate(turns))


def dataset_info(name: str, sides: Collection[str]) -> str:
    """Return ``dataset_info.json`` for the sides that have rows: `inosuke_chat`, `inosuke_chat_eval` and so on.

    The format is documented in data/README.md of LLaMA-Factory. It reads Parquet, whose columns have types.
    """
    entries = {
        data_set(name, config, side): {"file_name": parquet(config, side), **how}
        for config, how in _FORMATS.items()
        for side in SIDES
        if side in sides
    }
    return json.dumps(entries, ensure_ascii=False, indent=2) + "\n"


def data_set(name: str, config: str, side: str = "train") -> str:
    """Return LLaMA-Factory's name for a side of a configuration, after the character's name."""
    slug = re.sub(r"\W+", "_", name.casefold()).strip("_") or "character"
    return f"{slug}_{config}" + ("" if side == "train" else f"_{side}")


def card_section(about: Manifest, repo: str) -> str:
    """Return the part of the card for people who train with another program. Empty for an older version's export."""
    if not about.persona.system_prompts:
        return ""
    parts = [
        "## How to train on it elsewhere",
        _system(about.persona.system_prompts),
        _PYTHON.replace("REPO", repo),
        _instruct(about.trainers),
        _programs(about, repo),
    ]
    return "\n\n".join(parts)


def _system(prompts: Mapping[str, str]) -> str:
    texts = "\n".join(f"- `{language}`: {' '.join(text.split())}" for language, text in prompts.items())
    return (
        "The character is trained and served under a system prompt, in the language of what is said to them. The "
        "column `system` holds each row's. A model that is trained without it has to be prompted without it.\n\n"
        f"{texts}"
    )


_PYTHON = """```python
from datasets import load_dataset

def with_system(row):
    messages = row["messages"]
    if messages[0]["role"] != "system":
        messages = [{"role": "system", "content": row["system"], "name": None}, *messages]
    return {"messages": messages}

train = load_dataset("REPO", "chat", split="train").map(with_system)  # for trl, or any chat template
```"""


def _instruct(facts: TrainerFacts) -> str:
    known, templates = facts.eval_prompts_in_train, facts.eval_template_prompts
    text = (
        "`instruct` has a row for each reply. `output` holds the character's reply alone, `history` the exchanges "
        "before it. The replies in `history` are rows of their own, so a trainer that also learns from `history` "
        "counts them twice: mask it (`mask_history: true` in LLaMA-Factory), or train on `chat`."
    )
    if known:
        text += (
            f" Of the {facts.instruct.get('eval', 0):,} rows of its eval side, {known:,} have a prompt that stands "
            f"word for word in train ({templates:,} of these are template prompts, which ask for a line and say "
            "nothing else): their replies differ, but they do not measure how a new question is answered."
        )
    return text


def _programs(about: Manifest, repo: str) -> str:
    skipped = sum(about.trainers.not_alternating.values())
    chat = data_set(about.persona.name, "chat")
    text = f"""For LLaMA-Factory, `{DATASET_INFO}` describes the files:

```bash
hf download {repo} --repo-type dataset --local-dir lines
llamafactory-cli train YOUR.yaml dataset_dir=lines dataset={chat}
```

For Axolotl:

```yaml
datasets:
  - path: {repo}
    name: instruct
    type: alpaca_w_system.load_chat
```"""
    if skipped:
        text += (
            f"\n\nIn {skipped:,} rows of `chat` two people speak before the character answers. LLaMA-Factory skips "
            "such rows; `instruct` joins their words."
        )
    return text
