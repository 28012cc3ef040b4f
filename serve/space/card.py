"""The card of a Space: its front matter, what it says of the character, and the licence of the base."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import TypeVar

from curation import bases, licences
from curation.licences import Terms
from curation.persona import Persona
from serve.model_files.served_run import Run
from serve.space.filling import text_file

T = TypeVar("T")
_HERE = Path(__file__).parent
_DESCRIPTION_LIMIT = 60  # characters that the Hub accepts in `short_description`


def terms_of(run: Run, gguf: bool, base_licence: str | None, licence_known: bool) -> Terms | None:
    """Return what the base's licence demands; None where it is not known and need not be.

    ``gguf`` tells that the merged weights are passed on as a GGUF.
    """
    if bases.of_run(run.trained_on) is None and not base_licence and not licence_known:
        return None
    changes = licences.run_changes(run.name, merged=gguf, gguf=gguf)
    return licences.terms_of(run.trained_on, changes, base_licence)


def write_card(part: Path, template: str, run: Run, terms: Terms | None, **more: str) -> None:
    """Write README.md from a template of this folder; ``more`` are further words for it."""
    name = run.persona.name
    stated = terms.front_matter() if terms else {"license": "other"}
    card = Template((_HERE / template).read_text(encoding="utf-8"))
    text = card.substitute(
        # JSON's texts are YAML's, whatever is in a name.
        title=_json(run.persona.page.title or name),
        short_description=_json(f"Chat with {name}"[:_DESCRIPTION_LIMIT].rstrip()),
        character=name,
        question=_json(_in_english(run.persona, run.persona.page.starters, ("Who are you?",))[0]),
        notice=_in_english(
            run.persona, run.persona.page.notice, f"{name} is played by a language model, which can be wrong."
        ),
        run=run.name,
        base=run.base_name,
        dataset=run.dataset,
        front_matter="\n".join(f"{key}: {value}" for key, value in stated.items()),
        licence="" if terms else licences.unknown_section(run.base_name),
        **more,
    )
    if terms:
        text = licences.with_section(text, terms)
    text_file(part / "README.md", text)


def _in_english(persona: Persona, texts: dict[str, T], otherwise: T) -> T:
    """Return the English text, or the one in the character's first language that has one, or a default."""
    return next((texts[code] for code in ("en", *persona.languages) if texts.get(code)), otherwise)


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
