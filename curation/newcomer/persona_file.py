"""The text of a new character's persona.toml. Pure: answers in, a commented file out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from curation.newcomer.examples import WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What is known about a new character. ``greetings`` are by language; an empty value is left to a default."""

    name: str
    aliases: Sequence[str] = ()
    languages: Sequence[str] = ("en",)
    own: Sequence[str] = ()  # how the character calls themselves
    other: Sequence[str] = ()  # and the one they talk to
    greetings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    avoid: Sequence[str] = ()


def text(answers: Answers) -> str:
    """Return persona.toml."""
    prompts = {
        language: WORDS[language].system_prompt.replace("{name}", answers.name)
        if language in WORDS
        else f"You are {answers.name}. Answer in the language `{language}`."
        for language in answers.languages
    }
    greetings = {
        language: answers.greetings.get(language) or [WORDS[language].greeting.replace("{name}", answers.name)]
        for language in answers.languages
        if language in WORDS or answers.greetings.get(language)
    }
    head = _HEAD.format(
        name=_quoted(answers.name),
        aliases=_list(answers.aliases),
        languages=_list(answers.languages),
        prompts="".join(f"{language} = {_quoted(prompt)}\n" for language, prompt in prompts.items()),
    )
    said = _GREETINGS.format(
        greetings="".join(f"{language} = {_list(lines)}\n" for language, lines in greetings.items())
    )
    return head + _style(answers) + said + _rest(answers)


def after_card(answers: Answers) -> str:
    """Return what follows in persona.toml after what `inosuke card import` drafts: all that a card says nothing of."""
    return "\n" + _style(answers) + _rest(answers)


def _style(answers: Answers) -> str:
    address = [f"{key} = {_list(words)}\n" for key, words in (("self", answers.own), ("user", answers.other)) if words]
    return _STYLE.format(
        pronouns=_list((*answers.own, *answers.other)),
        avoid=_list(answers.avoid),
        address="[address]\n" + "".join(address) if address else _NO_ADDRESS,
    )


def _rest(answers: Answers) -> str:
    known = [language for language in answers.languages if language in WORDS]
    starters = "".join(f"{language} = {_list(WORDS[language].starters)}\n" for language in known)
    return _REST.format(starters=starters)


def _quoted(value: str) -> str:
    """Return a TOML string. JSON's escapes are TOML's, apart from U+007F, which no answer holds."""
    return json.dumps(value, ensure_ascii=False)


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, values))}]"


_NO_ADDRESS = '# [address]\n# self = ["I"]\n# user = ["you"]\n'

_HEAD = """# The character, in one file. Change what you like; `inosuke dataset` reports a key that is wrong.

name = {name}
# What transcripts call the character as well. A line under one of these names is theirs.
aliases = {aliases}
# Languages of the character's lines (ISO 639-1). Anything else is flagged for an annotator.
languages = {languages}

# Comes before every conversation, in training and when serving, in the language that the visitor writes. One or two
# short sentences: who the character is and how they talk.
[system_prompt]
{prompts}
"""

_STYLE = """[style]
# Words that make a line sound like the character, and words that they never say (whole words, any case).
pronouns = {pronouns}
avoid = {avoid}
max_reply_chars = 400

# Whom the character calls what. Rows that say otherwise wait for review; without the table nothing is compared.
{address}
"""

_GREETINGS = """# What the character says first, by language. One of several is chosen.
[greetings]
{greetings}
# [page]
# portrait = "portrait.png"  # an SVG, PNG, WebP or JPEG, relative to this file; without one, the name's first letter
# [page.notice]
# en = "What visitors should know."

"""

_REST = """# First messages that a visitor can choose.
[page.starters]
{starters}
# Whether other characters of a server may talk with this one in a room; with = ["Anne"] names the only ones who may.
[rooms]
allowed = false

[review]
guidelines = "guidelines.md"

# Which kind a file's rows are, by the file's name; the first pattern that fits counts.
[kinds]
"persona*" = "persona"
"quote*" = "quote"
"generic*" = "generic_qa"
"*" = "conversation"

# The share of rows that are never trained on, so that they can measure the model. Lower it to 0.1 once there are
# hundreds of rows.
[split]
eval_share = 0.15

# To whom the character belongs; the dataset card tells its readers.
# [card]
# owners = "The character belongs to …"

# Your lines. `trusted`: you vouch for every row, so import approves it. They stay at home until you say that they are
# yours to publish: rights = "own", with license = "cc-by-4.0" (or another of the Hub's) and origin = "Who wrote them."
[[sources]]
path = "lines"
rights = "private"
trusted = true
author = "author"

# Prompts for evaluation, never trained on.
[[sources]]
path = "eval"
rights = "private"
held_out = ["*"]

# What visitors rate, and the better answers that they write.
[[sources]]
path = "datasets/feedback"
rights = "private"
"""
