"""The words around a task: the language they are in, the reasons to choose from, and the instructions. Pure.

Label Studio shows instructions as HTML and takes tags out that it does not trust. So they are written with a handful of
plain tags, and every text in them is escaped.
"""

from __future__ import annotations

import re
from html import unescape

from markupsafe import escape

from annotations.guidelines import Guidelines
from annotations.words import reasons, say
from curation.codes import Language
from curation.persona import Persona

LANGUAGES: tuple[Language, ...] = ("vi", "en")

# Reasons whose code has changed. The server refuses an interface without a choice that its annotations use, so the
# first name stays.
_REASON_ALIASES = {"wrong_voice": "not_his_voice"}


def page_language(persona: Persona) -> Language:
    """Return the language of the page where no option names one: the first of the persona's that has words here."""
    return next((known for spoken in persona.languages for known in LANGUAGES if spoken == known), "en")


def reasons_of(persona: Persona, language: Language) -> dict[str, str]:
    """Return the reasons to reject, in the order of their keys: the choice's name on the server, and its words."""
    return {reason_alias(code): words for code, words in reasons(persona, language).items()}


def reason_alias(code: str) -> str:
    """Return the name of a reason on the server, which every version keeps; ``current_reason`` is the way back."""
    return _REASON_ALIASES.get(code, code)


def instruction(persona: Persona, language: Language, guidelines: Guidelines | None = None) -> str:
    """Return what annotators read before they begin, as HTML."""
    style = persona.style
    prompts = dict.fromkeys(persona.system_prompts.values())
    blocks = [f"<p>{_lines(text)}</p>" for text in prompts]
    facts = []
    if style.pronouns:
        facts.append(say("ls_says", language, name=persona.name, words=", ".join(style.pronouns)))
    if style.avoid:
        facts.append(say("ls_avoids", language, name=persona.name, words=", ".join(style.avoid)))
    facts.append(say("ls_length", language, n=style.max_reply_chars))
    blocks.append(f"<ul>{''.join(f'<li>{escape(fact)}</li>' for fact in facts)}</ul>")
    blocks.append(f"<p>{escape(say('ls_how', language, name=persona.name))}</p>")
    if guidelines is not None and guidelines.version:
        blocks.append(guidelines.html(language))
        blocks.append(f"<p><small>{escape(say('ls_version', language, version=guidelines.version))}</small></p>")
    return "".join(blocks)


def same_html(one: str | None, other: str) -> bool:
    """Return whether two HTML texts say the same.

    A server may write a space or an entity of them in another way, and take attributes away.
    """
    return _words_of(one or "") == _words_of(other)


def guidelines_in(html: str) -> str:
    """Return the version of the guidelines that instructions show, "" where they show none."""
    shown = re.findall(r"<small>[^<]*?([^\s<]+)</small>", html)
    return shown[-1] if shown else ""


def _words_of(html: str) -> list[str]:
    return unescape(re.sub(r"<(\w+)[^>]*>", r" <\1> ", html)).split()


def _lines(text: str) -> str:
    return "<br>".join(str(escape(line)) for line in text.strip().splitlines())
