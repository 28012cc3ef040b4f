"""The speaker of a line, the evidence for it, and how strong it is. Pure; knows no format.

A speaker is never guessed: without evidence the speaker is None. What counts as evidence differs between subtitles,
where a colon is usually punctuation (`John: an earring`), and scripts, where it is the layout.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from curation.codes import EVIDENCE
from curation.persona import Persona
from curation.record import Utterance

# An annotator is shown a sample whose character is known by evidence below this confidence.
WEAK = 0.7

# A label and what follows. Two slashes after the colon make it an address, a digit makes it a time (`10:42`).
_LABEL = re.compile(r"^(?P<label>[^\s:：][^:：\n]{0,40}?)\s?[:：](?!//|\d)\s*(?P<rest>.*)$")
_COLON = re.compile("[:：]")
_OPENERS = "[(（【-‐‑–—―"
_BRACKET = re.compile(r"^[\[(（【](?P<label>[^\])）】\n]{1,40})[\])）】]\s*[:：]?\s*(?P<rest>.*)$")
_DASH = re.compile(r"^\s*[-‐‑–—―]\s*(?=\S)")
_TOGETHER = re.compile(r"\s*(?:[,;/&+]|\bvà\b|\band\b)\s*", re.IGNORECASE)
_NAME_WORD = re.compile(r"^[^\W\d_][\w.'’-]*$")
_NUMBER = re.compile(r"^#?\d{1,3}$")
# `Inosuke (OFF)`, `TANJIRO [thinking]`: how the line is said, not who says it.
_MANNER = re.compile(r"\s*[(（\[【][^)）\]】]*[)）\]】]\s*")
_MAX_WORDS = 4
# In a subtitle file, words in ordinary case before a colon count as a label from this many lines on.
_RECURS = 3


class Spoken(NamedTuple):
    """A piece of a line with its speaker. ``evidence`` is a code of EVIDENCE and the label as it was written."""

    text: str
    speaker: str | None
    evidence: str


class Label(NamedTuple):
    """A speaker's name as it is written before or above a line, the rest of the line, and a code of EVIDENCE."""

    name: str
    rest: str
    evidence: str


@dataclass(slots=True)
class Cast:
    """The names that a file uses, and how each is spelled in a record."""

    persona: Persona
    labels: set[str] = field(default_factory=set)
    script: bool = False
    _spelled: dict[str, str] = field(default_factory=dict)
    _known: dict[str, bool] = field(default_factory=dict)

    def spell(self, label: str) -> str:
        """Return the one spelling of a label: the character's own name for an alias, `Tanjiro` for `TANJIRO`."""
        known = self._spelled.get(label)
        if known is None:
            name = _MANNER.sub(" ", unicodedata.normalize("NFC", label)).strip(" \t*_'\"’.-")
            if self.persona.is_character(name):
                known = self.persona.name
            else:
                known = name.title() if name.isupper() and len(name) > 2 else name
            self._spelled[label] = known
        return known

    def is_character(self, speaker: str | None) -> bool:
        """Return whether a speaker is the character."""
        return speaker is not None and self.spell(speaker) == self.persona.name

    def includes_character(self, speaker: str | None) -> bool:
        """Return whether a speaker is a group that includes the character."""
        parts = _TOGETHER.split(speaker) if speaker else []
        return len(parts) > 1 and any(self.is_character(part) for part in parts)

    def knows(self, label: str) -> bool:
        """Return whether every name of a label is the character's, a user's, or one that the file uses."""
        known = self._known.get(label)
        if known is None:
            parts = [p for p in _TOGETHER.split(_MANNER.sub(" ", label).strip()) if p]
            known = self._known[label] = bool(parts) and all(
                p.casefold() in self.labels or self.persona.is_character(p) or self.persona.is_user(p) for p in parts
            )
        return known


def cast_of(texts: Iterable[str], given: Iterable[str], persona: Persona, script: bool = False) -> Cast:
    """Find the labels that a file uses, from its cleaned lines and the names that its format gives.

    In a script a label must open two lines; in subtitles one in ordinary case must open three, since prose has colons.
    """
    cast = Cast(persona, {name.casefold() for name in given if name}, script)
    seen: Counter[str] = Counter()
    plainly: set[str] = set()
    for text in texts:
        if not _COLON.search(text):
            continue
        for line in text.split("\n") if "\n" in text else (text,):
            match = _LABEL.match(_DASH.sub("", line, count=1))
            if match and is_name(match["label"]) and not match["rest"][:1].islower():
                seen[match["label"]] += 1
                if _is_caps(match["label"]) and not _is_caps(match["rest"]):
                    plainly.add(match["label"])
    folded: Counter[str] = Counter()
    for label, times in seen.items():
        folded[_MANNER.sub(" ", label).strip().casefold()] += times
    cast.labels |= {label for label, n in folded.items() if n >= (2 if script else _RECURS)}
    # Capitals before an ordinary line make each of the names known: they may be used alone elsewhere.
    cast.labels |= {p.casefold() for label in plainly for p in _TOGETHER.split(_MANNER.sub(" ", label).strip()) if p}
    return cast


def attribute(text: str, cast: Cast, given: str = "", evidence: str = "") -> list[Spoken]:
    """Cut a cleaned line, line breaks included, into what each speaker says.

    ``given`` is the speaker that the format names; a label that repeats that name is removed. What may be another
    speaker's is never left with the character: a line that opens like a name, or with a dash, has no speaker unless its
    label is known. Neither has a line for which the format and the line's own label name two people.
    """
    plain = text[:1] not in _OPENERS and "\n" not in text
    colon = _COLON.search(text) is not None
    if given:
        claim = (cast.spell(given), f"{evidence}: {given}")
        if plain and not colon:
            return [Spoken(text, *claim)]
        parts = _dashes(text)
        if parts[1:]:  # two people speak, and the format names one
            return [piece for part, _ in parts for piece in _labelled(part, cast, None, evidence="none")]
        return [piece for part, _ in parts for piece in _labelled(part, cast, *claim)]
    if plain:
        found = _opening(text, cast) if colon else None
        if found is None:
            return [Spoken(text=text, speaker=None, evidence="none")]
        return [Spoken(text=found.rest, speaker=cast.spell(found.name), evidence=f"{found.evidence}: {found.name}")]
    pieces = [
        piece
        for part, dashed in _dashes(text)
        for piece in _labelled(part, cast, None, evidence="dash" if dashed else "none")
    ]
    # Each dash is another person: beside a line of the character's, the other line cannot be the character's too.
    if len(pieces) > 1 and not any(cast.is_character(p.speaker) for p in pieces):
        return [p._replace(evidence="none") if p.evidence == "dash" else p for p in pieces]
    return pieces


def confidence(utterance: Utterance) -> float:
    """Return how certain the speaker of an utterance is, 0 to 1."""
    evidence = EVIDENCE.get(utterance.evidence.partition(":")[0])
    return 0.0 if evidence is None else evidence.confidence


def may_be_label(line: str) -> bool:
    """Return whether a line opens with what could be a name, known or not, and a colon."""
    match = _LABEL.match(line)
    return match is not None and is_name(match["label"]) and not match["rest"][:1].islower()


def is_label(label: str, rest: str, cast: Cast) -> bool:
    """Return whether the words before a colon are a speaker's name rather than the start of a sentence."""
    if not is_name(label):
        return False
    if cast.knows(label):
        return True
    bare = _MANNER.sub(" ", label).strip()
    # Words in capitals are a label in subtitles for the deaf, unless the whole line is in capitals (a shout).
    return _is_caps(bare) and not (_is_caps(rest) and len(rest) > 3)


def _dashes(text: str) -> list[tuple[str, bool]]:
    """Cut at lines that open with a dash if there are two or more; a single dash is punctuation."""
    lines = text.split("\n")
    opens = [bool(_DASH.match(line)) for line in lines]
    if sum(opens) < 2:
        return [(_DASH.sub("", text, count=1) if opens[0] else text, False)]
    parts: list[str] = []
    for line, opening in zip(lines, opens, strict=True):
        if opening or not parts:
            parts.append(_DASH.sub("", line, count=1))
        else:
            parts[-1] += f"\n{line}"
    return [(part, True) for part in parts]


def _labelled(text: str, cast: Cast, speaker: str | None, evidence: str) -> list[Spoken]:
    """Cut a text at its labels. The words before the first are said by ``speaker``, as ``evidence`` shows."""
    given, pieces, rest = speaker, list[Spoken](), list[str]()
    for number, line in enumerate(text.split("\n")):
        found = _opening(line, cast)
        if found is None and not rest and speaker is None:
            found = _alone(line, text, cast)
        if given and number == 0:
            again = _LABEL.match(line)
            if again and cast.spell(again["label"]) == given:
                line, found = again["rest"], None
            elif found and (cast.is_character(given) or cast.is_character(found.name)):
                speaker, evidence, found = None, "none", None
            else:
                found = None  # if neither is the character, the format is trusted over the text
        elif found is None and speaker and _may_be_another(line):
            found = Label("", _DASH.sub("", line, count=1), evidence="none")
        if found is None:
            rest.append(line)
            continue
        if any(r.strip() for r in rest):
            pieces.append(Spoken(text="\n".join(rest), speaker=speaker, evidence=evidence))
        rest = [found.rest] if found.rest else []
        speaker = cast.spell(found.name) if found.name else None
        evidence = f"{found.evidence}: {found.name}" if found.name else found.evidence
    if rest or speaker is not None:
        pieces.append(Spoken(text="\n".join(rest), speaker=speaker, evidence=evidence))
    return pieces


def _may_be_another(line: str) -> bool:
    """Return whether a line opens with a dash, or with what could be a name that the file has not used so far."""
    return _DASH.match(line) is not None or may_be_label(line)


def _opening(line: str, cast: Cast) -> Label | None:
    """Return the label of a line that opens with a name and a colon, or with a known name in brackets."""
    match = _LABEL.match(line)
    if match and is_label(match["label"], match["rest"], cast):
        return Label(match["label"], match["rest"], evidence="prefix")
    bracket = _BRACKET.match(line) if line[:1] in "[(（【" else None
    if bracket and bracket["rest"] and cast.knows(bracket["label"]):
        return Label(bracket["label"], bracket["rest"], evidence="bracket")
    return None


def _alone(line: str, text: str, cast: Cast) -> Label | None:
    """Return the label of a text whose first line is a known name and nothing else."""
    name = line.strip().strip("[]()（）【】").rstrip(":：").strip()
    if "\n" in text and is_name(name) and cast.knows(name) and (_is_caps(name) or line.strip() != name):
        return Label(name, "", evidence="name_line")
    return None


@lru_cache(maxsize=4096)
def is_name(label: str) -> bool:
    """Return whether a label is one to three names of at most four words. `MAN 1` and 伊之助 are names, `10` is not."""
    parts = [p for p in _TOGETHER.split(_MANNER.sub(" ", label).strip()) if p]
    return 0 < len(parts) <= 3 and all(_is_person(p.split()) for p in parts)


def _is_person(words: list[str]) -> bool:
    if not 0 < len(words) <= _MAX_WORDS or not _NAME_WORD.match(words[0]):
        return False
    return all(_NUMBER.match(w) or (_NAME_WORD.match(w) and not w[0].islower()) for w in words)


def _is_caps(text: str) -> bool:
    return text.isupper() and sum(c.isalpha() for c in text) > 1
