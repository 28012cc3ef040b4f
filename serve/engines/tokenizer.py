"""A run's tokenizer folder, read with `tokenizers` alone: what :func:`curation.chat.render` needs of one.

transformers' own tokenizer costs memory and seconds at the start, and it switches control tokens on and off in a
shared object, so several threads would disturb each other. A test holds the token ids equal to those of transformers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Tokenizer

from curation.errors import InosukeError


class ChatTokenizer:
    """Text in, token ids out. Immutable, so any number of threads may share it."""

    def __init__(self, folder: Path) -> None:
        remedy = "Expected the `tokenizer` folder that `make train` writes: train again, or choose another run."
        try:
            vocabulary = (folder / "tokenizer.json").read_text(encoding="utf-8")
            settings: dict[str, Any] = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
            self.chat_template: str | None = _template(folder, settings)
            self._control, self._plain = Tokenizer.from_str(vocabulary), Tokenizer.from_str(vocabulary)
        except Exception as error:  # tokenizers raises a bare Exception for a file that it cannot read
            raise InosukeError(f"{folder}: the tokenizer cannot be read ({error}). {remedy}") from None
        # A typed <|im_end|> is text to this tokenizer and the end of a turn to the other.
        self._plain.encode_special_tokens = True
        for tokenizer in (self._control, self._plain):
            tokenizer.no_padding()
            tokenizer.no_truncation()
        self.name_or_path = str(folder)
        self.added_tokens_decoder: dict[int, AddedToken] = self._control.get_added_tokens_decoder()
        self.backend_tokenizer = self._control
        """Turns ids into text."""
        named = {k: _content(v) for k, v in settings.items() if k.endswith("_token")}
        self.special_tokens_map: dict[str, str] = {k: v for k, v in named.items() if isinstance(v, str)}
        self.eos_token: str | None = self.special_tokens_map.get("eos_token")

    def __call__(self, text: str, add_special_tokens: bool, split_special_tokens: bool) -> dict[str, list[int]]:
        """Return ``{"input_ids"}``, as transformers' tokenizers do."""
        tokenizer = self._plain if split_special_tokens else self._control
        return {"input_ids": tokenizer.encode(text, add_special_tokens=add_special_tokens).ids}


def _template(folder: Path, settings: dict[str, Any]) -> str | None:
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    template = settings.get("chat_template")
    # A base model without a template can still be trained with alpaca prompts.
    return template if isinstance(template, str) else None


def _content(token: Any) -> Any:
    """Return a token's text; older files write it as an object with flags."""
    return token.get("content") if isinstance(token, dict) else token
