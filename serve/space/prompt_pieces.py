"""What a page needs to make the prompts of a run without a server: the text around the turns, as token ids.

In: a run and its tokenizer. Out: plain data for ``page/local/prompt.js``, which joins the pieces as
:func:`curation.chat.render` does and fits them as :func:`curation.chat.fit` does. A test compares the ids.
"""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

from curation.chat import REMEMBERED, Prompt, language
from curation.chat.layout import Form, Layout, Roles, layout_of
from curation.errors import InosukeError
from curation.persona import Persona
from serve.engines.prompts import BLOCKS

# How many messages of the visitor in a row have a form: more of them without an answer in between are refused.
_IN_A_ROW = 8


def prompt_pieces(tokenizer: Any, persona: Persona, prompt: Prompt) -> dict[str, Any]:
    """Return the layout of a run's prompts as JSON."""
    layout = layout_of(tokenizer, prompt)
    prompts = persona.system_prompts
    tokens = sum(len(tokenizer(text, False, True)["input_ids"]) for text in prompts.values())
    begins: tuple[Roles, ...] = (("system",),) if prompt == "chat" else ((),)
    one: Roles = ("user",)
    users = [one * count for count in range(_IN_A_ROW + 1)]
    return {
        "prompt": prompt,
        "system": prompts,
        "headings": REMEMBERED,
        "opening": _forms(layout, [(*a, *b) for a, b in product(begins, users)], layout.opening),
        "following": _forms(layout, users, layout.following),
        "closing": layout.ids(layout.closing()),
        "bytes_per_token": sum(len(text.encode()) for text in prompts.values()) / max(1, tokens),
        "blocks": BLOCKS,
        "language": language.tables(persona),
    }


def plain_tokenizer(folder: Path) -> dict[str, Any]:
    """Return a run's tokenizer.json without control tokens: what is said never contains one."""
    data: dict[str, Any] = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    return data | {"added_tokens": [token for token in data["added_tokens"] if not token["special"]]}


def _forms(layout: Layout, wanted: list[Roles], form_of: Any) -> dict[str, list[int | list[int]]]:
    """Return the forms by the first letters of their roles, without those that the chat template refuses."""
    found = {}
    for roles in wanted:
        try:
            form: Form = form_of(roles)
        except InosukeError:
            continue  # a dialogue of these turns is refused by the server too
        ids = [part if isinstance(part, int) else layout.ids(part) for part in form]
        found["".join(role[0] for role in roles)] = ids
    return found
