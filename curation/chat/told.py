"""What a model is told besides what was said: a dialogue's topic, the memory of a conversation, facts of a lorebook.

Dialogues in, dialogues out; :func:`curation.chat.render` reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from curation.chat.language import language_of
from curation.chat.pairs import system_prompt
from curation.lorebook.book import Fact
from curation.lorebook.telling import Count, examples, facts
from curation.persona import Persona
from curation.record import Message


def with_topic(messages: tuple[Message, ...], about: str) -> tuple[Message, ...]:
    """Return a dialogue as a model gets it: the first user turn begins with what its topic is about, in brackets.

    ``(Về Douma) Inosuke, cậu có ngán hắn không?``, as a visitor of the chat page could type it. ``about`` is ``""``
    where the dialogue needs nothing (:func:`curation.cleaning.referents.mention`). A topic reaches a model in this way
    alone: the export's ``chat`` rows hold it, and serving, which has no topics, sends what was typed.
    """
    at = next((at for at, m in enumerate(messages) if m.role == "user"), None)
    if not about or at is None:
        return messages
    told = Message("user", f"({about}) {messages[at].content}", messages[at].name)
    return (*messages[:at], told, *messages[at + 1 :])


# The headings of what is remembered, by language. English serves for every other one: models read it best.
REMEMBERED = {
    "vi": ("Về người đang nói chuyện:", "Chuyện trước đó:"),
    "en": ("About the visitor:", "Earlier in this conversation:"),
}


def with_memory(messages: Sequence[Message], memory: str, pinned: Sequence[str], persona: Persona) -> list[Message]:
    """Return a dialogue whose system prompt ends with what is remembered: pinned facts, a line each, then ``memory``.

    The one place where either reaches a model. It stands in the system prompt, since that stays when old turns are
    dropped, and before every turn, so that the same memory is read once. Without both, the dialogue comes back as it
    is. The alpaca layout has no system prompt and so no memory.
    """
    facts, memory = [" ".join(fact.split()) for fact in pinned if fact.strip()], memory.strip()
    turns = [m for m in messages if m.role != "system"]
    if not facts and not memory:
        return list(messages)
    about, before = REMEMBERED.get(language_of(turns, persona).lower().split("-")[0], REMEMBERED["en"])
    parts = [system_prompt(messages, persona)]
    if facts:
        parts.append("\n".join((about, *(f"- {fact}" for fact in facts))))
    if memory:
        parts.append(f"{before}\n{memory}")
    return [Message("system", "\n\n".join(parts)), *turns]


# The heading of the facts, by language; English for every other one.
FACTS = {"vi": "Điều cần biết:", "en": "Good to know:"}


@dataclass(frozen=True, slots=True)
class Told:
    """A dialogue with what the character is told, and the facts in it that this dialogue made fire."""

    messages: list[Message]
    facts: tuple[Fact, ...] = ()


def with_facts(messages: Sequence[Message], persona: Persona, count: Count, most: int | None = None) -> Told:
    """Return a dialogue in which the user's newest turn comes with the facts of the lorebook that fire on it.

    They stand before that turn's own words, under a heading, and in no other turn: what is before it stays as a server
    has it in its cache. Constant facts are part of the system prompt (:meth:`Persona.system_prompt_in`). ``count``
    returns the tokens of a text, ``most`` is how many the facts may have beside the book's own budget. A persona that
    is told nothing (:attr:`Persona.book`) gives the dialogue back as it is. The alpaca layout has no facts.
    """
    at = next((n for n in range(len(messages) - 1, -1, -1) if messages[n].role == "user"), None)
    if persona.book is None or at is None:
        return Told(list(messages))
    heard = [m for m in messages[: at + 1] if m.role != "system"]
    found = facts(persona.book, heard, persona.name, persona.user_label, count, most)
    if not found:
        return Told(list(messages))
    heading = FACTS.get(language_of(heard, persona).lower().split("-")[0], FACTS["en"])
    told = replace(messages[at], facts="\n".join((heading, *(fact.text for fact in found))))
    return Told([*messages[:at], told, *messages[at + 1 :]], tuple(found))


def in_parts(messages: Sequence[Message], persona: Persona, count: Count) -> list[list[Message]]:
    """Return a dialogue to learn from as dialogues in each of which facts are told at the user's newest turn alone.

    So it is when a reply is served. A dialogue is cut after each reply that is served with facts; every reply is in one
    part.
    """
    if persona.book is None:
        return [list(messages)]
    system = [m for m in messages[:1] if m.role == "system"]
    parts: list[list[Message]] = []
    begin = len(system)
    for end in range(begin + 1, len(messages) + 1):
        is_last = end == len(messages)
        if not is_last and (messages[end - 1].role != "assistant" or messages[end].role == "assistant"):
            continue
        told = with_facts(messages[:end], persona, count)
        if told.facts or is_last:
            parts.append([*system, *told.messages[begin:]])
            begin = end
    return parts


def fact_examples(persona: Persona) -> list[tuple[Message, ...]]:
    """Return dialogues that make facts of a persona's lorebook fire; none without one."""
    return examples(persona.book) if persona.book is not None else []
