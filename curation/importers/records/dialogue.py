"""A dialogue's messages → samples that end with the character's reply, with what was left out and why. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from curation.chat import BadRow
from curation.cleaning.damage import damage_flags
from curation.persona import Persona
from curation.record import Flag, Kind, Message, Sample, Source, sample_id
from curation.transcripts.names import name_flags

_NOWHERE = Source(path="", sha256="", locator="", importer="rows")


class LeftOut(NamedTuple):
    """A piece of a row that is in no sample: a code of REJECTIONS, its words, and why."""

    reason: str
    text: str
    detail: str


@dataclass(slots=True)
class Read:
    """What one row gave. The samples' source is filled in by the caller."""

    samples: list[Sample] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def to_read(
    messages: Sequence[Message], kind: Kind, persona: Persona, topic: str | None = None, flags: Iterable[Flag] = ()
) -> Read:
    """Return a dialogue as one sample; what is said after the last reply is left out.

    Raises BadRow, with a reason code, where no reply by the character to another's words is left.
    """
    if any(not m.content.strip() for m in messages):
        raise BadRow("empty_turn", "a turn has no words; expected a text for each")
    last = max((i for i, m in enumerate(messages) if m.role == "assistant"), default=-1)
    if last < 0:
        raise BadRow("ends_with_user", f"no turn is {persona.name}'s; expected the character's reply last")
    kept, rest = tuple(messages[: last + 1]), messages[last + 1 :]
    if not any(m.role == "user" for m in kept):
        raise BadRow("no_prompt", "nothing is said to the character")
    found = Read([sample_of(kept, kind, persona, topic, flags)])
    if rest:
        text = "\n".join(m.content for m in rest)
        found.left_out.append(
            LeftOut(reason="ends_with_user", text=text, detail="the dialogue ends without the character's reply to it")
        )
    return found


def sample_of(
    messages: tuple[Message, ...], kind: Kind, persona: Persona, topic: str | None = None, flags: Iterable[Flag] = ()
) -> Sample:
    """Return messages as a sample with the flags that they show by themselves."""
    return Sample(
        id=sample_id(kind, messages),
        kind=kind,
        messages=messages,
        language=None,
        topic=topic,
        source=_NOWHERE,
        flags=(
            *flags,
            *_unnamed_speakers(messages, persona),
            *name_flags(persona, messages),
            *damage_flags(m.content for m in messages),
        ),
    )


def exchanges(messages: Sequence[Message], persona: Persona) -> Iterator[tuple[Message, ...]]:
    """Cut a long chat into dialogues of at most ``[scenes]`` turns and characters, each ending with a reply.

    Every reply is in exactly one of them. What is said after the last reply comes last, as a piece without a reply.
    """
    limit = persona.scenes
    dialogue: list[Message] = []
    waiting: list[Message] = []
    for message in messages:
        waiting.append(message)
        if message.role != "assistant":
            continue
        grown = [*dialogue, *waiting]
        whole = any(m.role == "user" for m in dialogue) and any(m.role == "user" for m in waiting)
        if whole and (len(grown) - 1 > limit.max_turns or sum(len(m.content) for m in grown) > limit.max_chars):
            yield tuple(dialogue)
            grown = waiting
        dialogue, waiting = grown, []
    if dialogue:
        yield tuple(dialogue)
    if waiting:
        yield tuple(waiting)


def _unnamed_speakers(messages: Sequence[Message], persona: Persona) -> tuple[Flag, ...]:
    """Flag a turn without a name in a dialogue where others have one: as in a transcript, it may be the character's."""
    said = [m for m in messages if m.role == "user"]
    nameless = [m for m in said if not m.name]
    if not nameless or not any(m.name and not persona.is_user(m.name) for m in said):
        return ()
    return (Flag("unknown_speaker", f"no speaker is named for: {nameless[0].content[:80]}"),)
