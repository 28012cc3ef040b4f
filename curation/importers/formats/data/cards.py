"""Character cards (V1, V2, V3) → the example dialogues that their authors wrote.

A card's greetings answer no one, so they are rejected as ``no_prompt``; its description is not dialogue.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from curation.chat import BadRow
from curation.importers.records.dialogue import to_read
from curation.importers.records.from_rows import placed
from curation.importers.records.turns import Turn, message_of
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected, Sample

_START = re.compile(r"<START>", re.IGNORECASE)
_LABEL = re.compile(
    r"^\s*(?P<who>\{\{(?:user|char)\}\}|<(?:user|bot)>|[^\s:：{}][^:：\n{}]{0,39}?)\s*[:：]\s*(?P<said>.*)$", re.I
)
_CHARACTER = ("{{char}}", "<bot>")
_USER = ("{{user}}", "<user>", "you", "user")


def read(file: SourceFile, persona: Persona, value: Any) -> Imported | None:
    """Return the samples of a card, or None for a value that is not one."""
    card = value.get("data") if isinstance(value, Mapping) and isinstance(value.get("data"), Mapping) else value
    if not isinstance(card, Mapping) or not {"first_mes", "mes_example"} & set(card):
        return None
    name = card.get("name") or card.get("char_name")
    name = name.strip() if isinstance(name, str) else ""
    kind = persona.kind_of(file.path.name)
    samples: list[Sample] = []
    rejected: list[Rejected] = []
    example = card.get("mes_example")
    blocks = _START.split(example) if isinstance(example, str) else []
    for number, block in enumerate((b for b in blocks if b.strip()), 1):
        source = file.at(f"example {number}", "character-card")
        try:
            turns = _turns(block, name)
            found = to_read([message_of(turn, persona) for turn in turns], kind, persona)
        except BadRow as error:
            rejected.append(Rejected(source=source, reason=error.reason, text=block.strip(), detail=str(error)))
            continue
        samples += placed(found.samples, source)
        rejected += [Rejected(source=source, reason=r, text=words, detail=why) for r, words, why in found.left_out]
    greetings = card.get("alternate_greetings")
    for number, text in enumerate([card.get("first_mes"), *(greetings if isinstance(greetings, list) else ())], 1):
        if isinstance(text, str) and text.strip():
            source = file.at(f"greeting {number}", "character-card")
            rejected.append(Rejected(source=source, reason="no_prompt", text=text, detail="a greeting answers no one"))
    return Imported(samples=tuple(samples), rejected=tuple(rejected), format="character card")


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
