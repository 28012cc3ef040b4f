"""Character cards (V1, V2, V3) → example dialogues, greetings as quotes, and lorebook entries as facts.

A greeting answers no one: it gets a prompt of ``[scenes.quote_prompts]``, and is rejected as ``no_prompt`` where there
is none. A card's description is not dialogue. A locator names the card's field.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from curation.character_cards.macros import resolve, you
from curation.chat import BadRow
from curation.importers.records.dialogue import sample_of, to_read
from curation.importers.records.from_rows import placed
from curation.importers.records.turns import Turn, message_of
from curation.importers.source.source_file import SourceFile
from curation.lorebook import decorators
from curation.persona import Persona
from curation.record import Imported, Message, Rejected, Sample

_START = re.compile(r"<START>", re.IGNORECASE)
_LABEL = re.compile(
    r"^\s*(?P<who>\{\{(?:user|char)\}\}|<(?:user|bot)>|[^\s:：{}][^:：\n{}]{0,39}?)\s*[:：]\s*(?P<said>.*)$", re.I
)
_FACT = {"vi": "Bạn biết gì về {}?", "en": "What do you know about {}?"}
_SHORT = 80  # characters; longer quotes get the prompt for long lines
_CHARACTER = ("{{char}}", "<bot>")
_USER = ("{{user}}", "<user>", "you", "user")


def read(file: SourceFile, persona: Persona, value: Any) -> Imported | None:
    """Return the samples of a card, or None for a value that is not one."""
    card = value.get("data") if isinstance(value, Mapping) and isinstance(value.get("data"), Mapping) else value
    if not isinstance(card, Mapping) or not {"first_mes", "mes_example"} & set(card):
        return None
    name = card.get("name") or card.get("char_name")
    name = name.strip() if isinstance(name, str) else ""
    nickname = card.get("nickname")
    called = (nickname.strip() if isinstance(nickname, str) else "") or name or persona.name
    under = "data." if card is not value else ""
    kind = persona.kind_of(file.path.name)
    samples: list[Sample] = []
    rejected: list[Rejected] = []
    example = card.get("mes_example")
    blocks = _START.split(example) if isinstance(example, str) else []
    for number, block in enumerate((b for b in blocks if b.strip()), 1):
        source = file.at(f"{under}mes_example {number}", "character-card")
        try:
            turns = [turn._replace(words=_resolved(turn.words, called, persona)) for turn in _turns(block, name)]
            found = to_read([message_of(turn, persona) for turn in turns], kind, persona)
        except BadRow as error:
            rejected.append(Rejected(source=source, reason=error.reason, text=block.strip(), detail=str(error)))
            continue
        samples += placed(found.samples, source)
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
    found = [("first_mes", card.get("first_mes"))]
    for key in ("alternate_greetings", "group_only_greetings"):
        texts = card.get(key)
        found += [(f"{key}[{n}]", text) for n, text in enumerate(texts if isinstance(texts, list) else ())]
    return [(place, text) for place, text in found if isinstance(text, str) and text.strip()]


def _quote_prompt(persona: Persona, text: str) -> str:
    """Return the prompt for a line that stands alone: the one for short lines or for long ones."""
    prompts = next((p for code in persona.languages if (p := persona.scenes.quote_prompts.get(code))), None)
    return prompts[len(text) > _SHORT] if prompts else ""


def _facts(card: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return the lorebook's entries: the field, the first key, and the content without its decorators."""
    book = card.get("character_book")
    entries = book.get("entries") if isinstance(book, Mapping) else None
    found = []
    for number, entry in enumerate(entries if isinstance(entries, list) else ()):
        keys, content = (entry.get("keys"), entry.get("content")) if isinstance(entry, Mapping) else (None, None)
        words = [k for k in keys if isinstance(k, str) and k.strip()] if isinstance(keys, list) else []
        if not isinstance(content, str) or not words:
            continue
        if text := decorators.split(content)[0]:
            found.append((f"character_book.entries[{number}]", words[0].strip(), text))
    return found


def _turns(block: str, name: str) -> list[Turn]:
    """Return the turns of one example. A line without a label continues the turn before it."""
    turns: list[Turn] = []
    for line in block.strip().split("\n"):
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
