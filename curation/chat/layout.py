"""A prompt shape as fixed text between the turns: a model's chat template, or the alpaca layout.

A chat template is a program over a whole dialogue. Many print an earlier reply in another way than the last one, or
open a block for the model's thoughts before it, so that what a model is trained on is not what it is served. So a
template is run over stand-ins, once for each kind of exchange, and the text between them is kept.
:func:`curation.chat.render` joins these pieces, the same ones for a dialogue to learn from and for one to answer.

Knows what the tokenizers of transformers and of serve have in common; knows nothing of personas.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Literal
from weakref import WeakKeyDictionary

from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from curation.errors import InosukeError
from curation.record import Role

Prompt = Literal["chat", "alpaca"]
# The text between the turns of an exchange, and at each turn's place its number in the exchange.
Form = tuple[str | int, ...]
Roles = tuple[Role, ...]

# What a template that prints the date gets: a model that is served on another day must read what it was trained on.
_TODAY = date(2024, 7, 26)


def layout_of(tokenizer: Any, prompt: Prompt) -> Layout:
    """Return the layout of a tokenizer's prompts; made once for each tokenizer and template.

    Raises InosukeError when the tokenizer has no chat template, or one that cannot be used.
    """
    made = _LAYOUTS.setdefault(tokenizer, {})
    key = (prompt, _template_text(tokenizer), tokenizer.eos_token)
    if key not in made:
        made[key] = (ChatLayout if prompt == "chat" else AlpacaLayout)(tokenizer)
    return made[key]


def control_tokens(tokenizer: Any) -> dict[str, int]:
    """Return the id of each control token by its text. Any of them ends a reply: what is said never contains one."""
    return {str(t.content): i for i, t in tokenizer.added_tokens_decoder.items() if t.special}


class Layout(ABC):
    """Gives the text around turns. ``end`` is the control token after each reply."""

    name: str
    end: str

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._forms: dict[tuple[bool, Roles], Form] = {}
        self._ids: dict[str, list[int]] = {}

    def opening(self, roles: Roles) -> Form:
        """Return the form of a dialogue's first exchange: these turns, then the cue for the reply."""
        if (form := self._forms.get((True, roles))) is None:
            form = self._forms[True, roles] = self._opening(roles)
        return form

    def following(self, roles: Roles) -> Form:
        """Return the form of a later exchange. It begins with what ends the reply before it.

        Two replies in a row may be one to the template; then the form is a line break.
        """
        if (form := self._forms.get((False, roles))) is None:
            form = self._forms[False, roles] = self._following(roles)
        return form

    @abstractmethod
    def closing(self) -> str:
        """Return what stands after the last reply of a dialogue that does not go on."""

    def ids(self, text: str) -> list[int]:
        """Return the token ids of a piece of the layout's own text."""
        if (ids := self._ids.get(text)) is None:
            ids = self._ids[text] = self._tokenizer(text, add_special_tokens=False, split_special_tokens=False)[
                "input_ids"
            ]
        return ids

    @abstractmethod
    def _opening(self, roles: Roles) -> Form: ...

    @abstractmethod
    def _following(self, roles: Roles) -> Form: ...


_LAYOUTS: WeakKeyDictionary[Any, dict[tuple[Prompt, str | None, str | None], Layout]] = WeakKeyDictionary()
JOINED: Form = ("\n",)
"""Between two replies that a template takes for one."""


class AlpacaLayout(Layout):
    """The ``### Instruction:`` layout, with an end-of-text token after each reply. It has no system prompt."""

    name = "the alpaca layout"

    def __init__(self, tokenizer: Any) -> None:
        super().__init__(tokenizer)
        if tokenizer.eos_token is None:
            raise InosukeError(
                "the tokenizer lacks an end-of-text token, which alpaca prompts need after a reply. "
                'Use prompt = "chat".'
            )
        self.end = tokenizer.eos_token

    def _opening(self, roles: Roles) -> Form:
        form: list[str | int] = []
        asking = [number for number, role in enumerate(roles) if role == "user"]
        for number in asking:
            form += ["### Instruction:\n", number, "\n\n### Response:\n" if number == asking[-1] else "\n\n"]
        return tuple(form)

    def _following(self, roles: Roles) -> Form:
        return (self.closing(), *self._opening(roles))

    def closing(self) -> str:
        """See :meth:`Layout.closing`."""
        return f"{self.end}\n\n"


class ChatLayout(Layout):
    """A model's chat template, without the model's thoughts.

    ``enable_thinking`` is false. The cue for a reply is what the template prints before one, where that continues its
    cue for generating; otherwise it is the cue for generating, with the block for thoughts closed. Where a template
    refuses turns as they are, several turns of the user become one, or the system prompt joins the user's first turn.
    Before a greeting of the character it is a turn of the user.

    The end of a turn is the control token that the template prints after a reply when the dialogue goes on, else the
    one at the dialogue's end, else the tokenizer's end-of-text token.
    """

    def __init__(self, tokenizer: Any) -> None:
        super().__init__(tokenizer)
        model = getattr(tokenizer, "name_or_path", "") or type(tokenizer).__name__
        self.name = f"the chat template of {model}"
        source = _template_text(tokenizer)
        if source is None:
            raise InosukeError(
                f"{model}: this model has no chat template. Choose an instruct model as base, or prompt = "
                '"alpaca" in the recipe.'
            )
        self._variables = dict(tokenizer.special_tokens_map)
        self._controls = sorted(control_tokens(tokenizer), key=len, reverse=True)
        self._refused = ""
        try:
            self._template = _ENVIRONMENT.from_string(source)
        except TemplateError as error:
            raise InosukeError(f"{self.name} cannot be read: {error}. Choose another base model.") from error
        going_on, at_the_end = self._after_a_reply()
        # The first control token of a prompt begins it: a template that prints only that does not end its turns.
        begins = self._variables.get("bos_token")
        found = [c for c in (self._control(going_on), self._control(at_the_end)) if c and c != begins]
        end = next(iter(found), self._variables.get("eos_token"))
        if end is None:
            raise InosukeError(
                f"{self.name} puts {going_on[:20]!r} after a reply, and the tokenizer has no end-of-text token; "
                "expected an end-of-turn token. A model trained without one never stops talking: choose another base "
                "model."
            )
        self.end = end
        self._closing = self._ended(at_the_end)

    def closing(self) -> str:
        """See :meth:`Layout.closing`."""
        return self._closing

    def _opening(self, roles: Roles) -> Form:
        if (gaps := self._gaps((*roles, "assistant"))) is None:
            raise self._error(roles)
        return _form(gaps[:-1])

    def _following(self, roles: Roles) -> Form:
        # A template may move the system prompt into the user's newest turn. Then the pieces are those of a dialogue
        # without one; `_opening` has put it into the first.
        contexts: tuple[Roles, ...] = (("system", "user", "assistant"), ("user", "assistant"))
        for before in contexts:
            if (gaps := self._gaps((*before, *roles, "assistant"))) is not None:
                return _form([self._ended(gaps[len(before)]), *gaps[len(before) + 1 : -1]])
        if not roles:
            return JOINED
        raise self._error(("assistant", *roles))

    def _after_a_reply(self) -> tuple[str, str]:
        """Return the template's text after a reply that is continued, and after the last."""
        contexts: tuple[Roles, ...] = (("system", "user", "assistant"), ("user", "assistant"))
        for before in contexts:
            gaps = self._gaps((*before, "user", "assistant"))
            if gaps is not None:
                return gaps[len(before)], gaps[-1]
        raise self._error(("user", "assistant", "user"))

    def _control(self, text: str) -> str | None:
        """Return the control token that a text begins with, after spaces, or None."""
        return next((c for c in self._controls if text.lstrip().startswith(c)), None)

    def _ended(self, text: str) -> str:
        return text.lstrip() if text.lstrip().startswith(self.end) else self.end + text

    def _gaps(self, roles: Roles) -> list[str] | None:
        """Return the text before each turn, and that after the last one, which is a reply."""
        for turns in _shapes(roles):
            for in_parts in (False, True):
                whole = self._split(self._run(turns, in_parts, cue=False), len(roles))
                if whole is None:
                    continue
                cued = self._split(self._run(turns[:-1], in_parts, cue=True), len(roles) - 1)
                if cued is None or _continues(whole[:-1], cued):
                    return whole
                return [*cued[:-1], _without_thoughts(cued[-1]), whole[-1]]
        return None

    def _run(self, turns: Sequence[tuple[Role, str]], in_parts: bool, cue: bool) -> str | None:
        messages = [{"role": r, "content": [{"type": "text", "text": c}] if in_parts else c} for r, c in turns]
        try:
            return self._template.render(
                messages=messages,
                add_generation_prompt=cue,
                enable_thinking=False,
                tools=None,
                documents=None,
                **self._variables,
            )
        except Exception as error:  # a template is a foreign program, and may fail in any way
            self._refused = self._refused or str(error)
            return None

    def _split(self, text: str | None, turns: int) -> list[str] | None:
        """Split a text at the stand-ins of all ``turns``. None where one was moved, changed, left out or repeated."""
        gaps = []
        rest = text if text is not None else ""
        for number in range(turns):
            before, found, rest = rest.partition(_stand_in(number))
            if not found:
                self._refused = self._refused or (f"it moves, changes or drops turn {number + 1}" if text else "")
                return None
            gaps.append(before)
        gaps.append(rest)
        return None if any(_STAND_IN[0] in gap for gap in gaps) else gaps

    def _error(self, roles: Roles) -> InosukeError:
        return InosukeError(
            f"{self.name} refuses a dialogue of {', '.join(roles)}: {self._refused.rstrip('.') or 'it moves a turn'}. "
            'Choose another base model, or prompt = "alpaca" in the recipe.'
        )


_STAND_IN = "\ue000\ue001"  # from the private use area: no template knows them


def _stand_in(number: int) -> str:
    return f"{_STAND_IN[0]}{number}{_STAND_IN[1]}"


def _shapes(roles: Roles) -> Iterator[list[tuple[Role, str]]]:
    """Yield ways to say these turns to a template, the most faithful first."""
    plain = [(role, _stand_in(number)) for number, role in enumerate(roles)]
    for turns in (plain, _folded(plain)):
        yield turns
        if (merged := _merged(turns)) != turns:
            yield merged


def _folded(turns: list[tuple[Role, str]]) -> list[tuple[Role, str]]:
    """Put the system prompt into the user's first turn, as Gemma's template does; before a greeting it is one."""
    if not turns or turns[0][0] != "system":
        return turns
    (_, system), *rest = turns
    if rest and rest[0][0] == "user":
        return [("user", f"{system}\n\n{rest[0][1]}"), *rest[1:]]
    return [("user", system), *rest]


def _merged(turns: list[tuple[Role, str]]) -> list[tuple[Role, str]]:
    """Make one turn of several users' turns in a row."""
    merged: list[tuple[Role, str]] = []
    for role, content in turns:
        if merged and role == merged[-1][0] == "user":
            merged[-1] = (role, f"{merged[-1][1]}\n{content}")
        else:
            merged.append((role, content))
    return merged


def _continues(gaps: Sequence[str], cued: Sequence[str]) -> bool:
    """Return whether a dialogue with a reply begins with the prompt for that reply."""
    return list(gaps[:-1]) == list(cued[:-1]) and gaps[-1].startswith(cued[-1])


def _without_thoughts(cue: str) -> str:
    """Close the block for the model's thoughts that a cue leaves open: a character's lines have none."""
    if cue.rfind("<think>") <= cue.rfind("</think>"):
        return cue
    return cue.rstrip("\n") + "\n\n</think>\n\n"


def _form(gaps: Sequence[str]) -> Form:
    """Return ``gap, 0, gap, 1, …, gap`` without empty texts."""
    form: list[str | int] = []
    for number, gap in enumerate(gaps):
        form += [number - 1] * (number > 0) + [gap] * bool(gap)
    return tuple(form)


# ------------------------------------------------------------------------------------------------------------ templates


def _template_text(tokenizer: Any) -> str | None:
    template = tokenizer.chat_template
    # Some models have several by name, for tools and documents.
    return template.get("default") if isinstance(template, dict) else template


class _Generation(Extension):
    """``{% generation %}``, with which some templates mark what a model says. Here it prints what is in it."""

    tags = {"generation"}  # noqa: RUF012 - jinja2's own attribute

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _environment() -> ImmutableSandboxedEnvironment:
    """Return a sandbox like that of transformers (utils/chat_template_utils.py): templates are code from the model."""

    def refuse(message: str) -> None:
        raise TemplateError(message)

    def to_json(
        value: Any,
        ensure_ascii: bool = False,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        sort_keys: bool = False,
    ) -> str:
        return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, _Generation]
    )
    environment.filters["tojson"] = to_json
    environment.globals["raise_exception"] = refuse
    environment.globals["strftime_now"] = _TODAY.strftime
    return environment


_ENVIRONMENT = _environment()
