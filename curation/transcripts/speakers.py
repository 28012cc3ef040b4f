"""Who says a line, how that is known, and how sure it is. Pure; knows no format.

A speaker is never guessed: a line that nobody claims comes back with the speaker None. What counts as a claim differs
between subtitles, where a colon is usually punctuation (`John: an earring`), and scripts, where it is the layout.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from curation.persona import Persona
from curation.record import Utterance

# Evidence code → how often it is right, as far as we trust it; an annotator is shown lines under WEAK.
CONFIDENCE: dict[str, float] = {
    "actor": 0.95,  # the actor field of an ASS event
    "voice": 0.95,  # WebVTT <v Name>
    "agent": 0.95,  # TTML ttm:agent
    "column": 0.95,  # a table's speaker column, a block's "speaker" key
    "link": 0.9,  # Manga109Dialog
    "bold": 0.9,  # '''Name:''' of a wiki, **Name:** of Markdown
    "template": 0.9,  # a wiki's quote template
    "prefix": 0.85,  # `INOSUKE:`, `Inosuke:`
    "name_line": 0.8,  # the name alone on the line before
    "bracket": 0.8,  # `[INOSUKE] …`, for a name that is known
    "style": 0.6,  # the style's name
    "none": 0.0,
}
WEAK = 0.7

# A label and what follows. Two slashes after the colon are an address; so is a digit on both sides a time (`10:42`).
_LABEL = re.compile(r"^(?P<label>[^\s:：][^:：\n]{0,40}?)\s?[:：](?!//|\d)\s*(?P<rest>.*)$")
_COLON = re.compile("[:：]")
_OPENERS = "[(（【-‐‑–—―"
_BRACKET = re.compile(r"^[\[(（【](?P<label>[^\])）】\n]{1,40})[\])）】]\s*[:：]?\s*(?P<rest>.*)$")
_DASH = re.compile(r"^\s*[-‐‑–—―]\s*(?=\S)")
_TOGETHER = re.compile(r"\s*(?:[,;/&+]|\bvà\b|\band\b)\s*", re.IGNORECASE)
_NAME_WORD = re.compile(r"^[^\W\d_][\w.'’-]*$")
_NUMBER = re.compile(r"^#?\d{1,3}$")
# `Inosuke (OFF)`, `TANJIRO [thinking]`: how it is said, not who says it.
_MANNER = re.compile(r"\s*[(（\[【][^)）\]】]*[)）\]】]\s*")
_MAX_WORDS = 4
# A label in ordinary case has to turn up this often in a subtitle file before it is one.
_RECURS = 3


class Spoken(NamedTuple):
    """A piece of a line with its speaker; ``evidence`` is a code of CONFIDENCE and the label as it was written."""

    text: str
    speaker: str | None
    evidence: str


@dataclass(slots=True)
class Cast:
    """The names that a file is known to use, and how each is spelled in a record."""

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
        """Say whether a speaker is the character."""
        return speaker is not None and self.spell(speaker) == self.persona.name

    def includes_character(self, speaker: str | None) -> bool:
        """Say whether a speaker is several who speak at once, the character among them."""
        parts = _TOGETHER.split(speaker) if speaker else []
        return len(parts) > 1 and any(self.is_character(part) for part in parts)

    def knows(self, label: str) -> bool:
        """Say whether every name of a label is the character's, a user's, or one that the file uses."""
        known = self._known.get(label)
        if known is None:
            parts = [p for p in _TOGETHER.split(_MANNER.sub(" ", label).strip()) if p]
            known = self._known[label] = bool(parts) and all(
                p.casefold() in self.labels or self.persona.is_character(p) or self.persona.is_user(p) for p in parts
            )
        return known


def cast_of(texts: Iterable[str], given: Iterable[str], persona: Persona, script: bool = False) -> Cast:
    """Find out which labels a file uses, from its cleaned lines and the names that its format gives.

    In a script twice is enough; in subtitles a label in ordinary case must open three lines, since prose does so too.
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
    # Capitals before an ordinary line vouch for each of the names: they may stand alone elsewhere.
    cast.labels |= {p.casefold() for label in plainly for p in _TOGETHER.split(_MANNER.sub(" ", label).strip()) if p}
    return cast


def attribute(text: str, cast: Cast, given: str = "", evidence: str = "") -> list[Spoken]:
    """Cut a cleaned line into what each speaker says; line breaks inside it are still there.

    ``given`` is the speaker that the format itself names; a label that says the same name again is taken off. What the
    text gives to somebody else is never left with him: a line that opens like another name, or with a dash, is
    nobody's unless its label is known, and so is a line that the format and its own label give to two people.
    """
    plain = text[:1] not in _OPENERS and "\n" not in text
    colon = _COLON.search(text) is not None
    if given:
        claim = (cast.spell(given), f"{evidence}: {given}")
        if plain and not colon:
            return [Spoken(text, *claim)]
        parts = _dashes(text)
        nobody = (None, "none")
        return [piece for part, _ in parts for piece in _labelled(part, cast, *(nobody if parts[1:] else claim))]
    if plain:
        found = _opening(text, cast) if colon else None
        if found is None:
            return [Spoken(text, None, "none")]
        return [Spoken(found[1], cast.spell(found[0]), f"{found[2]}: {found[0]}")]
    pieces = [s for part, dashed in _dashes(text) for s in _labelled(part, cast, None, "dash" if dashed else "none")]
    if len(pieces) > 1 and any(p.evidence == "dash" for p in pieces):
        # Each dash is another person, so beside his line the other cannot be his.
        his = any(cast.is_character(p.speaker) for p in pieces)
        return [p if p.evidence != "dash" or his else Spoken(p.text, None, "none") for p in pieces]
    return pieces


def confidence(utterance: Utterance) -> float:
    """Return how sure the speaker of an utterance is, 0 to 1."""
    return CONFIDENCE.get(utterance.evidence.partition(":")[0], 0.0)


def may_be_label(line: str) -> bool:
    """Say whether a line opens with a colon behind what could be a name, known or not."""
    match = _LABEL.match(line)
    return match is not None and is_name(match["label"]) and not match["rest"][:1].islower()


def is_label(label: str, rest: str, cast: Cast) -> bool:
    """Say whether the words before a colon are a speaker's name rather than the start of a sentence."""
    if not is_name(label):
        return False
    if cast.knows(label):
        return True
    bare = _MANNER.sub(" ", label).strip()
    # Capitals throughout are a label of subtitles for the deaf, unless the whole line is shouted.
    return _is_caps(bare) and not (_is_caps(rest) and len(rest) > 3)


def _dashes(text: str) -> list[tuple[str, bool]]:
    """Cut at lines that open with a dash where there are two of them; one alone is punctuation."""
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
    """Cut a text at its labels; what stands before the first is said by ``speaker``, for the reason ``evidence``."""
    given, pieces, rest = speaker, list[Spoken](), list[str]()
    for number, line in enumerate(text.split("\n")):
        found: tuple[str | None, str, str] | None = _opening(line, cast)
        if found is None and not rest and speaker is None:
            found = _alone(line, text, cast)
        if given and number == 0:
            again = _LABEL.match(line)
            if again and cast.spell(again["label"]) == given:
                line, found = again["rest"], None
            elif found and (cast.is_character(given) or cast.is_character(found[0])):
                speaker, evidence, found = None, "none", None
            else:
                found = None  # between others, what the format says goes before what the text says
        elif found is None and speaker and _may_be_another(line):
            found = None, _DASH.sub("", line, count=1), "none"
        if found is None:
            rest.append(line)
            continue
        if any(r.strip() for r in rest):
            pieces.append(Spoken("\n".join(rest), speaker, evidence))
        label, remainder, code = found
        rest = [remainder] if remainder else []
        speaker, evidence = (cast.spell(label), f"{code}: {label}") if label else (None, code)
    if rest or speaker is not None:
        pieces.append(Spoken("\n".join(rest), speaker, evidence))
    return pieces


def _may_be_another(line: str) -> bool:
    """Say whether a line opens with a dash, or with what could be the name of somebody whom the file has not named."""
    return _DASH.match(line) is not None or may_be_label(line)


def _opening(line: str, cast: Cast) -> tuple[str, str, str] | None:
    """Return (label, rest, evidence) where a line opens with a name and a colon, or a known name in brackets."""
    match = _LABEL.match(line)
    if match and is_label(match["label"], match["rest"], cast):
        return match["label"], match["rest"], "prefix"
    bracket = _BRACKET.match(line) if line[:1] in "[(（【" else None
    if bracket and bracket["rest"] and cast.knows(bracket["label"]):
        return bracket["label"], bracket["rest"], "bracket"
    return None


def _alone(line: str, text: str, cast: Cast) -> tuple[str, str, str] | None:
    """Return the label where the first of several lines is a known name and nothing else."""
    name = line.strip().strip("[]()（）【】").rstrip(":：").strip()
    if "\n" in text and is_name(name) and cast.knows(name) and (_is_caps(name) or line.strip() != name):
        return name, "", "name_line"
    return None


@lru_cache(maxsize=4096)
def is_name(label: str) -> bool:
    """Up to three people, each up to four words that begin like a name; `MAN 1` and 伊之助 are names, `10` is not."""
    parts = [p for p in _TOGETHER.split(_MANNER.sub(" ", label).strip()) if p]
    return 0 < len(parts) <= 3 and all(_is_person(p.split()) for p in parts)


def _is_person(words: list[str]) -> bool:
    if not 0 < len(words) <= _MAX_WORDS or not _NAME_WORD.match(words[0]):
        return False
    return all(_NUMBER.match(w) or (_NAME_WORD.match(w) and not w[0].islower()) for w in words)


def _is_caps(text: str) -> bool:
    return text.isupper() and sum(c.isalpha() for c in text) > 1
