"""Faults of a text, whoever says it: what no line should be trained with, unlike the persona checks of ``checks.py``.

In: samples, or turns. Out: flags. Pure; imports the shared ground alone. A fault of one reply is a function under
``@fault`` in the module of its kind; ``dialogue.py`` compares turns, ``names.py`` and ``endings.py`` whole corpora.
"""

from __future__ import annotations

from collections.abc import Sequence

from curation.faults import endings, layout, letters, loops, machines, names, spelling
from curation.faults.dialogue import in_dialogue
from curation.faults.registry import codes, in_reply, pieces
from curation.persona import Persona
from curation.record import Flag, Message, Sample

__all__ = ["codes", "in_corpus", "in_messages", "in_reply", "pieces"]
# Each registers its faults when it is imported; the order of their flags is this one.
MODULES = (machines, layout, letters, loops, endings, spelling)


def in_messages(messages: Sequence[Message], persona: Persona) -> tuple[Flag, ...]:
    """Return the flags of a dialogue, each code once: those of each reply, and those of its turns together."""
    found: dict[str, Flag] = {}
    for message in messages:
        for flag in in_reply(message.content, persona) if message.role == "assistant" else ():
            found.setdefault(flag.code, flag)
    return (*found.values(), *in_dialogue(messages, persona))


def in_corpus(samples: Sequence[Sample], persona: Persona) -> list[tuple[Flag, ...]]:
    """Return the flags of each sample, in order: :func:`in_messages`, and what only the corpus shows."""
    wrong = names.misspelt(samples, persona)
    marks = {
        language: endings.share_of_marks([r for s in samples if s.language == language for r in s.replies])
        for language in {s.language for s in samples}
    }
    found = []
    for sample in samples:
        flags = {f.code: f for f in in_messages(sample.messages, persona)}
        texts = [m.content for m in sample.messages if m.role != "system"]
        if slips := names.in_texts(texts, wrong) if wrong else []:
            flags["name_spelling"] = Flag("name_spelling", ", ".join(f"{slip} → {wrong[slip]}" for slip in slips))
        share = marks[sample.language]
        if share is not None and share >= endings.USUAL:
            for reply in sample.replies:
                if not endings.ends_with_a_mark(reply):
                    flags.setdefault("cut_off", Flag("cut_off", endings.tail(reply)))
        careless = share is not None and share < endings.SELDOM
        if careless and not any(endings.breaks_off(reply, persona) for reply in sample.replies):
            flags.pop("cut_off", None)
        found.append(tuple(f for code, f in flags.items() if code not in persona.checks.off))
    return found
