"""The names that a file uses, found in its lines: labels before a colon, in brackets or before corner quotes. Pure.

In: cleaned lines and the names that the format gives. Out: a :class:`Cast`, which tells names from other words.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from curation.persona import Persona
from curation.transcripts.label_forms import Forms, Hits, forms_of
from curation.transcripts.label_words import MANNER, TOGETHER, bare, is_caps, is_id, is_name, parts
from curation.transcripts.names import is_like
from curation.transcripts.tally import Tally, names_in_brackets
from curation.transcripts.trade_words import name_kind


@dataclass(slots=True)
class Cast:
    """The names that a file uses, and how each is spelled in a record.

    ``bracketed`` are those that it writes in brackets, ``forms`` other ways without a colon. ``prose``: the labels of
    the file stand before sentences, so a name in ordinary case before a small letter is no label (`Inosuke: the boy
    whom boars raised`).
    """

    persona: Persona
    labels: set[str] = field(default_factory=set)
    script: bool = False
    bracketed: set[str] = field(default_factory=set)
    prose: bool = False
    forms: Forms = field(default_factory=Forms)
    _spelled: dict[str, str] = field(default_factory=dict)
    _known: dict[str, bool] = field(default_factory=dict)

    def spell(self, label: str) -> str:
        """Return the one spelling of a label: the character's own name for an alias, `Tanjiro` for `TANJIRO`."""
        known = self._spelled.get(label)
        if known is None:
            name = MANNER.sub(" ", unicodedata.normalize("NFC", label)).strip(" \t*_'\"’.-")
            if self.persona.is_character(name):
                known = self.persona.name
            else:
                known = name.title() if name.isupper() and len(name) > 2 else name
            self._spelled[label] = known
        return known

    def is_character(self, speaker: str | None) -> bool:
        """Return whether a speaker is the character."""
        return speaker is not None and self.spell(speaker) == self.persona.name

    def may_be_character(self, label: str) -> bool:
        """Return whether a label names the character, or is close to one of the names: `Inosuke-kun`."""
        return self.is_character(label) or is_like(self.persona, label)

    def includes_character(self, speaker: str | None) -> bool:
        """Return whether a speaker is a group that includes the character."""
        names = TOGETHER.split(speaker) if speaker else []
        return len(names) > 1 and any(self.is_character(name) for name in names)

    def knows(self, label: str) -> bool:
        """Return whether every name of a label is the character's, a user's, or one that the file uses."""
        known = self._known.get(label)
        if known is None:
            names = parts(label)
            known = self._known[label] = bool(names) and all(
                p.casefold() in self.labels or self.persona.is_character(p) or self.persona.is_user(p) for p in names
            )
        return known

    def labels_in_brackets(self, label: str) -> bool:
        """Return whether the file writes this name in brackets to say who speaks."""
        names = parts(label)
        return bool(names) and all(p.casefold() in self.bracketed or is_id(p) for p in names)

    def is_plain(self) -> bool:
        """Return whether the file writes names with colons and in brackets only."""
        return not self.forms.names


def cast_of(
    texts: Iterable[str], given: Iterable[str], persona: Persona, script: bool = False, *, forms: bool = True
) -> Cast:
    """Find the labels that a file uses, from its cleaned lines and the names that its format gives.

    In a script a label must open two lines; in subtitles one in ordinary case, or in brackets, must open three, since
    prose has colons and captions have sounds in brackets. Two are enough beside a known name that is written alike. A
    name in brackets with a colon counts at once. ``forms``: look for names without a colon or brackets, too.
    """
    cast = Cast(persona, {name.casefold() for name in given if name}, script)
    tally, hits = Tally(), Hits()
    for text in texts:
        tally.look(text)
        if forms:
            hits.look(text)
    cast.labels |= tally.labels(lambda label: cast.is_character(label) or persona.is_user(bare(label)), script)
    # Capitals before an ordinary line make each of the names known: they may be used alone elsewhere.
    cast.labels |= {p.casefold() for label in tally.plainly for p in parts(label)}
    cast.prose = not script and tally.prose()
    cast.bracketed = names_in_brackets(tally, cast.knows)
    cast.labels |= cast.bracketed
    cast._known.clear()
    cast.forms = forms_of(hits, cast.knows)
    cast.labels |= cast.forms.names
    cast._known.clear()
    return cast


def is_label(label: str, rest: str, cast: Cast) -> bool:
    """Return whether the words before a colon are a speaker's name rather than the start of a sentence."""
    if not is_name(label):
        return False
    name = bare(label)
    if cast.knows(label):
        return not (cast.prose and rest[:1].islower() and not is_caps(name))
    # Words in capitals are a label in subtitles for the deaf, unless the whole line is in capitals (a shout).
    return is_caps(name) and not (is_caps(rest) and len(rest) > 3) and not name_kind(name)
