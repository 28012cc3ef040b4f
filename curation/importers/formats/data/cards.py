"""Character cards (V1, V2, V3) → example dialogues, greetings as quotes, and lorebook entries as facts.

A greeting answers no one: it gets a prompt of ``[scenes.quote_prompts]``, and is rejected as ``no_prompt`` where there
is none. A card's description is not dialogue. A locator names the card's field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from curation.character_cards.fields import clean, entries_of, name_of, text_of, texts_of
from curation.character_cards.macros import resolve, you
from curation.chat import BadRow
from curation.importers.records.dialogue import sample_of, to_read
from curation.importers.records.from_rows import placed
from curation.importers.records.turns import Turn, message_of
from curation.importers.source.source_file import SourceFile
from curation.lorebook import decorators
from curation.persona import Persona
from curation.record import Flag, Imported, Message, Rejected, Sample

_START = re.compile(r"<START>", re.IGNORECASE)
_LABEL = re.compile(
    r"^\s*(?P<who>\{\{(?:user|char)\}\}|<(?:user|bot)>|[^\s:：{}][^:：\n{}]{0,39}?)\s*[:：]\s*(?P<said>.*)$", re.I
)
# **Name:** and **Name**: with the same marks on both sides, so that *laughs* after a label stays.
_BOLD = re.compile(r"^\s*(\*{1,3}|_{1,3})([^\s*_:：][^*_:：\n]{0,39}?)\s*(?:[:：]\s*\1|\1\s*[:：])\s*")
_FACT = {"vi": "Bạn biết gì về {}?", "en": "What do you know about {}?"}
_SHORT = 80  # characters; longer quotes get the prompt for long lines
_CHARACTER = ("{{char}}", "<bot>")
_USER = ("{{user}}", "<user>", "you", "user")


def read(file: SourceFile, persona: Persona, value: Any) -> Imported | None:
    """Return the samples of a card, or None for a value that is not one."""
    card = value.get("data") if isinstance(value, Mapping) and isinstance(value.get("data"), Mapping) else value
    if not isinstance(card, Mapping) or not {"first_mes", "mes_example"} & set(card):
        return None
    name = name_of(card.get("name") or card.get("char_name"))
    called = name_of(card.get("nickname")) or name or persona.name
    under = "data." if card is not value else ""
    kind = persona.kind_of(file.path.name)
    samples: list[Sample] = []
    rejected: list[Rejected] = []
    blocks = _START.split(clean(text_of(card.get("mes_example"))))
    for number, block in enumerate((b for b in blocks if b.strip()), 1):
        source = file.at(f"{under}mes_example {number}", "character-card")
        try:
            turns = [turn._replace(words=_resolved(turn.words, called, persona)) for turn in _turns(block, name)]
            found = to_read([message_of(turn, persona) for turn in turns], kind, persona)
        except BadRow as error:
            rejected.append(Rejected(source=source, reason=error.reason, text=block.strip(), detail=str(error)))
            continue
        flags = _doubts(turns)
        samples += placed([replace(sample, flags=(*sample.flags, *flags)) for sample in found.samples], source)
        rejected += [Rejected(source=source, reason=r, text=words, detail=why) for r, words, why in found.left_out]
    theirs = [n for n in (name, called) if n]
    if theirs and not any(map(persona.is_character, theirs)):
        # Greetings and facts have no labels: they are lines of whoever the card is about.
        others = [*_greetings(card), *((place, text) for place, _, text in _facts(card))]
        why = f"the card is about {called!r}, not about {persona.name}"
        rejected += [
            Rejected(source=file.at(under + place, "character-card"), reason="other_character", text=text, detail=why)
            for place, text in others
        ]
        return Imported(samples=tuple(samples), rejected=tuple(rejected), format="character card")
    for place, text in _greetings(card):
        source = file.at(under + place, "character-card")
        if prompt := _quote_prompt(persona, text):
            messages = (Message("user", prompt), Message("assistant", _resolved(text, called, persona)))
            samples += placed([sample_of(messages, "quote", persona)], source)
        else:
            rejected.append(Rejected(source=source, reason="no_prompt", text=text, detail="a greeting answers no one"))
    for place, key, text in _facts(card):
        asked = _FACT.get(persona.languages[0], _FACT["en"]).format(_resolved(key, called, persona))
        messages = (Message("user", asked), Message("assistant", _resolved(text, called, persona)))
        samples += placed([sample_of(messages, "generic_qa", persona)], file.at(under + place, "character-card"))
    return Imported(samples=tuple(samples), rejected=tuple(rejected), format="character card")


def _resolved(text: str, name: str, persona: Persona) -> str:
    return resolve(text, name, you(persona.languages[0])).strip()


def _greetings(card: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each greeting with the field that it stands in."""
    found = [("first_mes", text_of(card.get("first_mes")))]
    for key in ("alternate_greetings", "group_only_greetings"):
        found += [(f"{key}[{n}]", text) for n, text in enumerate(_in_places(card.get(key)))]
    return [(place, said) for place, text in found if (said := clean(text)).strip()]


def _in_places(value: Any) -> list[str]:
    """Return a list's texts, each in its place."""
    return [text_of(one) for one in value] if isinstance(value, list) else texts_of(value)


def _quote_prompt(persona: Persona, text: str) -> str:
    """Return the prompt for a line that stands alone: the one for short lines or for long ones."""
    prompts = next((p for code in persona.languages if (p := persona.scenes.quote_prompts.get(code))), None)
    return prompts[len(text) > _SHORT] if prompts else ""


def _facts(card: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the lorebook's entries: the field, the first key, and the content without its decorators."""
    found = []
    for place, entry in entries_of(card.get("character_book")):
        keys = entry.get("keys", entry.get("key"))  # "key" in SillyTavern's world files; V3's prose has commas
        keys = keys.split(",") if isinstance(keys, str) else texts_of(keys)
        words = [said for key in keys if (said := clean(key).strip())]
        if words and (text := decorators.split(clean(text_of(entry.get("content"))))[0]):
            found.append((f"character_book.{place}", words[0], text))
    return found


def _doubts(turns: list[Turn]) -> tuple[Flag, ...]:
    """Flag a line that may be another speaker's: a name that the card does not know, before a colon."""
    for turn in turns:
        for line in turn.words.split("\n")[1:]:
            match = _LABEL.match(line)
            words = match["who"].split() if match else []
            if words and len(words) <= 3 and all(word[0].isupper() for word in words):
                return (Flag("possible_speaker", " ".join(words)),)
    return ()


def _turns(block: str, name: str) -> list[Turn]:
    """Return the turns of one example. A line without a label continues the turn before it."""
    turns: list[Turn] = []
    for line in block.strip().split("\n"):
        line = _BOLD.sub(r"\2: ", line)
        match = _LABEL.match(line)
        label = match["who"] if match else ""
        if match and label.casefold() in _CHARACTER:
            turns.append(Turn("assistant", match["said"], name or None))
        elif match and label.casefold() in _USER:
            turns.append(Turn("user", match["said"]))
        elif match and name and label.casefold() == name.casefold():
            turns.append(Turn(name, match["said"]))
        elif turns:
            turns[-1] = turns[-1]._replace(words=f"{turns[-1].words}\n{line}")
        elif line.strip():
            raise BadRow("unknown_role", f"an example opens with `{line.strip()[:40]}`; expected a label")
    return [turn._replace(words=turn.words.strip()) for turn in turns]
