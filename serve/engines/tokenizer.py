"""A run's tokenizer folder, read with `tokenizers` and jinja2 alone: what :func:`curation.chat.render` needs of one.

transformers' own tokenizer costs memory and seconds at the start, and it switches control tokens on and off in a
shared object, so several threads would disturb each other. A test holds the token ids equal to those of transformers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jinja2.exceptions import TemplateError
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment
from tokenizers import Tokenizer

from curation.errors import InosukeError


class ChatTokenizer:
    """Text in, token ids out. Immutable, so any number of threads may share it."""

    def __init__(self, folder: Path) -> None:
        remedy = "Expected the `tokenizer` folder that `make train` writes: train again, or choose another run."
        try:
            vocabulary = (folder / "tokenizer.json").read_text(encoding="utf-8")
            settings: dict[str, Any] = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
            template = _template(folder, settings)
            self._control, self._plain = Tokenizer.from_str(vocabulary), Tokenizer.from_str(vocabulary)
            self._template = _environment().from_string(template)
        except Exception as error:  # tokenizers raises a bare Exception for a file that it cannot read
            raise InosukeError(f"{folder}: the tokenizer cannot be read ({error}). {remedy}") from None
        # A typed <|im_end|> is text to this tokenizer and the end of a turn to the other.
        self._plain.encode_special_tokens = True
        for tokenizer in (self._control, self._plain):
            tokenizer.no_padding()
            tokenizer.no_truncation()
        self.eos_token: str | None = _content(settings.get("eos_token"))
        known = self._control.get_added_tokens_decoder()
        self.all_special_ids: list[int] = sorted(i for i, token in known.items() if token.special)
        self.backend_tokenizer = self._control
        """Turns ids into text."""
        self._variables = {k: _content(v) for k, v in settings.items() if k.endswith("_token")}

    def __call__(self, text: str, add_special_tokens: bool, split_special_tokens: bool) -> dict[str, list[int]]:
        """Return ``{"input_ids"}``, as transformers' tokenizers do."""
        tokenizer = self._plain if split_special_tokens else self._control
        return {"input_ids": tokenizer.encode(text, add_special_tokens=add_special_tokens).ids}

    def apply_chat_template(
        self, messages: list[dict[str, str]], *, tokenize: bool = False, add_generation_prompt: bool
    ) -> str:
        """Return the dialogue in the model's chat template. Raises InosukeError when the template refuses it."""
        try:
            return self._template.render(
                messages=messages, add_generation_prompt=add_generation_prompt, tools=None, **self._variables
            )
        except TemplateError as error:
            raise InosukeError(f"the model's chat template refuses this dialogue: {error}") from error


def _template(folder: Path, settings: dict[str, Any]) -> str:
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    template = settings.get("chat_template")
    # A base model without a template can still be trained with alpaca prompts.
    return template if isinstance(template, str) else "{{ raise_exception('this model has no chat template') }}"


def _content(token: Any) -> Any:
    """Return a token's text; older files write it as an object with flags."""
    return token.get("content") if isinstance(token, dict) else token


def _environment() -> ImmutableSandboxedEnvironment:
    """Return a sandbox like that of transformers (utils/chat_template_utils.py): templates are code from the model."""

    def refuse(message: str) -> None:
        raise TemplateError(message)

    def to_json(value: Any, indent: int | None = None) -> str:
        return json.dumps(value, ensure_ascii=False, indent=indent)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = refuse
    return environment
