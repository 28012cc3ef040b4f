"""A room: several characters and a visitor talk in turns. Who may meet, who speaks next, and what the next one reads.

In: the lines of a conversation, each with its speaker. Out: a dialogue of one character, for
:func:`curation.chat.render`. :func:`heard` is the one place that makes it. Knows nothing of servers and models.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from curation.chat.language import language_of
from curation.persona import Persona
from curation.record import Message

# What the visitor is called where others speak too and no name was given, by language; English for every other one.
VISITOR = {"vi": "Khách", "en": "Visitor"}


@dataclass(frozen=True, slots=True)
class Line:
    """What someone said. ``speaker`` is a character's id, or None for the visitor."""

    speaker: str | None
    text: str


def unwilling(personas: Iterable[Persona]) -> tuple[Persona, Persona] | None:
    """Return a persona that does not let its character meet another one, and that one; None where all may meet."""
    for one, other in combinations(personas, 2):
        if not one.may_meet(other):
            return one, other
        if not other.may_meet(one):
            return other, one
    return None


def next_speaker(lines: Sequence[Line], people: Mapping[str, Persona]) -> str:
    """Return the id of the character who answers the last line: never the one who said it.

    It is the one who is named first in that line, by name or alias. Where none is named, it is the one who spoke
    longest ago; those who have not spoken yet come first, in the order of ``people``. Raises ValueError without lines.
    """
    if not lines:
        raise ValueError("a room needs at least one line to answer")
    last = lines[-1]
    others = [who for who in people if who != last.speaker]
    if named := [(at, who) for who in others if (at := _mention(last.text, people[who])) is not None]:
        return min(named, key=lambda one: one[0])[1]
    spoke = {line.speaker: number for number, line in enumerate(lines)}
    return min(others, key=lambda who: spoke.get(who, -1))


def heard(lines: Sequence[Line], speaker: str, people: Mapping[str, Persona], visitor: str = "") -> list[Message]:
    """Return a room's conversation as a dialogue of ``speaker``: its own lines are replies, all others are the user's.

    A character's line has its name, which the model reads before the text (``Zenitsu: …``), as that of a third speaker
    in a row of the dataset. Where since the speaker's own last line only the visitor spoke, the visitor's lines have no
    label, as in a usual chat. Where others spoke too, they get one: ``visitor``, or else :data:`VISITOR`. A name that
    the speaker's persona.toml lists as the user's is layout and not read (:meth:`Persona.is_user`).

    The user's lines in a row stay messages of their own, as they are in training; the layout makes one turn of them for
    a template that wants roles to alternate (:mod:`curation.chat.layout`).
    """
    persona = people[speaker]
    theirs = [Message("user", line.text) for line in lines if line.speaker != speaker]
    called = visitor or VISITOR.get(language_of(theirs, persona).lower().split("-")[0], VISITOR["en"])
    messages: list[Message] = []
    between: list[Line] = []

    def listen() -> None:
        alone = all(line.speaker is None for line in between)
        for line in between:
            name = people[line.speaker].name if line.speaker is not None else None if alone else called
            messages.append(Message("user", line.text, name))
        between.clear()

    for line in lines:
        if line.speaker == speaker:
            listen()
            messages.append(Message("assistant", line.text))
        else:
            between.append(line)
    listen()
    return messages


def own_names(speaker: str, people: Mapping[str, Persona]) -> tuple[str, ...]:
    """Return the names that a speaker may have written before its own words."""
    return people[speaker].names


def foreign_names(speaker: str, people: Mapping[str, Persona], visitor: str = "") -> tuple[str, ...]:
    """Return the names of everyone else in a room, the visitor's included: their lines are not the speaker's to say."""
    others = [name for who, persona in people.items() if who != speaker for name in persona.names]
    return (*others, *([visitor] if visitor else []), *VISITOR.values(), *people[speaker].user_labels)


def _mention(text: str, persona: Persona) -> int | None:
    """Return where a text names a character first, in whole words where they are written with spaces."""
    text = unicodedata.normalize("NFC", text).casefold()
    found = []
    for name in persona.names:
        wanted = unicodedata.normalize("NFC", name).casefold()
        edge = r"\b" if any("LATIN" in unicodedata.name(c, "") for c in wanted) else ""
        if match := re.search(f"{edge}{re.escape(wanted)}{edge}", text):
            found.append(match.start())
    return min(found, default=None)
