"""Adapt the card of a run to a repository: where its files are there, and what sort of model they form.

Pure: text in, text out. The run's own card names the folders of a run (`adapter`, `tokenizer`). In a repository all
files are at the top level, where ``from_pretrained`` looks for them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from curation.export import card_merge
from curation.licences import Terms, checked_front_matter, with_section

_USE = re.compile(r"^## Use\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_PYTHON = re.compile(r"```python\n.*?```\n?", re.DOTALL)


def for_repository(text: str, repo: str, terms: Terms, *, merged: bool, gguf: Sequence[str] = ()) -> str:
    """Return the card to publish as ``repo``. ``gguf`` are the paths of its GGUF files, the one to serve first.

    Raises InosukeError if the run's card has a broken YAML block, or states a licence that the base forbids.
    """
    import yaml

    card = card_merge.parse(text, "the run's README.md")
    data = checked_front_matter(_metadata(card.data, merged, bool(gguf)), terms, "the run's README.md")
    block = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1_000).rstrip("\n")
    base = f'"{data.get("base_model", "the base model")}")'
    if terms.base_is_cut:
        base = f'"…")  # {terms.base} with its vocabulary cut, as `inosuke train` makes it'
    code = _code(repo, base, merged, gguf)
    return f"---\n{block}\n---\n{with_section(_with_use(card.body, code), terms)}"


def _with_use(body: str, code: str) -> str:
    match = _USE.search(body)
    if match is None:
        return f"{body.rstrip()}\n\n## Use\n\n{code}"
    section = match.group()
    if _PYTHON.search(section):
        section = _PYTHON.sub(lambda _: code, section, count=1)
    else:
        section = f"{section.rstrip()}\n\n{code}\n"
    return f"{body[: match.start()]}{section}{body[match.end() :]}"


def _metadata(data: dict[str, Any], merged: bool, gguf: bool) -> dict[str, Any]:
    """Return the YAML data. The Hub shows the page of a merged model wrongly if the card calls it an adapter."""
    data = dict(data)
    data["library_name"] = "transformers" if merged else "peft"
    if "base_model" in data:
        data["base_model_relation"] = "finetune" if merged else "adapter"
    tags = data.get("tags") or []
    tags = [tags] if isinstance(tags, str) else list(tags)
    return data | {"tags": [*tags, "gguf"] if gguf and "gguf" not in tags else tags}


def _code(repo: str, base: str, merged: bool, gguf: Sequence[str]) -> str:
    lines = ["```python"]
    if merged:
        lines = ["These weights are the base and the adapter merged into one model.", "", *lines]
        lines += ["from transformers import AutoModelForCausalLM, AutoTokenizer", ""]
        lines += [f'model = AutoModelForCausalLM.from_pretrained("{repo}")']
    else:
        lines += ["from peft import PeftModel", "from transformers import AutoModelForCausalLM, AutoTokenizer", ""]
        lines += [f"base = AutoModelForCausalLM.from_pretrained({base}"]
        lines += [f'model = PeftModel.from_pretrained(base, "{repo}")']
    lines += [f'tokenizer = AutoTokenizer.from_pretrained("{repo}")', "```"]
    if gguf:
        lines += ["", "With llama.cpp, without Python:", "", "```sh"]
        lines += [f"hf download {repo} {gguf[0]} --local-dir .", f"llama-server -m {gguf[0]}", "```"]
    return "\n".join(lines) + "\n"
