"""A dialogue as pairs of a prompt and a reply, each with its system prompt: what other trainers read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from curation.chat.language import language_of, languages_at
from curation.chat.rendering import spoken_text
from curation.persona import Persona
from curation.record import Message


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is said to the character and the reply to it, as a model reads them; ``system`` comes before both."""

    prompt: str
    reply: str
    system: str


def system_prompt(messages: Sequence[Message], persona: Persona) -> str:
    """Return the system prompt of a dialogue: its own, or the persona's in the language of its user turns."""
    if messages and messages[0].role == "system":
        return messages[0].content.strip()
    return persona.system_prompt_in(language_of(messages, persona))


def exchanges(messages: Sequence[Message], persona: Persona) -> list[Exchange]:
    """Return a dialogue as pairs of a prompt and a reply; a reply's system prompt is the one it is served under.

    Turns in a row by one side are one text. A dialogue that opens with a reply has an empty first prompt. What is said
    after the last reply is left out.
    """
    own = messages[0].content.strip() if messages and messages[0].role == "system" else None
    found: list[Exchange] = []
    said: list[str] = []
    for message, language in zip(messages, languages_at(messages, persona), strict=True):
        if message.role == "user":
            said.append(spoken_text(message, persona))
        elif message.role == "assistant" and found and not said:
            last = found[-1]
            found[-1] = Exchange(last.prompt, f"{last.reply}\n{spoken_text(message, persona)}", last.system)
        elif message.role == "assistant":
            system = persona.system_prompt_in(language) if own is None else own
            found.append(Exchange("\n".join(said), spoken_text(message, persona), system))
            said = []
    return found
