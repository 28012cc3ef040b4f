"""The speaker of a line, the evidence for it, and how strong it is. Pure; knows no format.

A speaker is never guessed: without evidence the speaker is None. What counts as evidence differs between subtitles,
where a colon is usually punctuation (`John: an earring`), and scripts, where it is the layout.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from curation.codes import EVIDENCE
from curation.record import Utterance
from curation.transcripts.cast import Cast, cast_of, is_label
from curation.transcripts.label_words import (
    BRACKET_FIRST,
    COLON,
    DASH,
    LABEL,
    OPENS,
    QUOTING,
    is_caps,
    is_name,
    may_be_bracketed,
    may_be_label,
)
from curation.transcripts.turns_in_line import apart, doubtful

__all__ = [
    "WEAK",
    "Cast",
    "Label",
    "Spoken",
    "attribute",
    "cast_of",
    "confidence",
    "is_label",
    "is_name",
    "may_be_label",
]

# An annotator is shown a sample whose character is known by evidence below this confidence.
WEAK = 0.7

_OPENERS = f"{OPENS}-‐‑–—―>*_"
# What may open another turn somewhere in a line. Most lines have none of it, or one colon behind the label.
_INSIDE = re.compile(rf"[:：「『{re.escape(OPENS)}*]|>>|[.!?…。！？\"”»♪~][ \t]+[-‐‑–—―]|\n\s*[-‐‑–—―>]")
# Quotes that enclose a whole turn: `炭治郎:「準備はいいか」`.
_QUOTES = {"「": "」", "『": "』", "“": "”", '"': '"', "«": "»", "„": "“"}
# How a speaker is known from the words of the line itself.
_WRITTEN = ("prefix", "bracket", "bold", "name_line", "shape")
# Tables of lines quote whole turns, too; in subtitles with actors, quotes are quotes.
_QUOTED = ("column",)


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


def attribute(text: str, cast: Cast, given: str = "", evidence: str = "") -> list[Spoken]:
    """Cut a cleaned line, line breaks included, into what each speaker says.

    ``given`` is the speaker that the format names; a label that repeats that name is removed. What may be another
    speaker's is never left with the character: a line that opens like a name, or with a dash, has no speaker unless its
    label is known. Neither has a line for which the format and the line's own label name two people. A piece of the
    character's that may hold more than one person's words is `mixed`.
    """
    opens = text[:1] in _OPENERS or not cast.is_plain()
    first = None if opens else _INSIDE.search(text)
    if first is None and not opens:
        if given:
            words = _unquoted(text) if evidence in _QUOTED else text
            return [Spoken(text=words, speaker=cast.spell(given), evidence=f"{evidence}: {given}")]
        if "\n" not in text:
            return [Spoken(text=text, speaker=None, evidence="none")]
    elif first is not None and first[0] in ":：" and not given and "\n" not in text:
        label = LABEL.match(text)
        if label and not _INSIDE.search(label["rest"]) and is_label(label["label"], label["rest"], cast):
            name, words = label["label"], _unquoted(label["rest"])
            return [Spoken(text=words, speaker=cast.spell(name), evidence=f"prefix: {name}")]
    return [_whole(piece, cast) for piece in _pieces(apart(text, cast), cast, given, evidence)]


def confidence(utterance: Utterance) -> float:
    """Return how certain the speaker of an utterance is, 0 to 1."""
    code, _, detail = utterance.evidence.partition(":")
    if code == "twin":
        return float(detail)  # how clear the overlap in time is
    evidence = EVIDENCE.get(code)
    return 0.0 if evidence is None else evidence.confidence


def _pieces(text: str, cast: Cast, given: str, evidence: str) -> list[Spoken]:
    """Cut a line, with a break before each turn that opens inside it, at its dashes and labels."""
    parts = _dashes(text)
    if given:
        if parts[1:]:  # two people speak, and the format names one
            return [piece for part, _ in parts for piece in _labelled(part, cast, None, evidence="none")]
        return [
            piece
            for part, _ in parts
            for piece in _labelled(part, cast, cast.spell(given), evidence=f"{evidence}: {given}")
        ]
    pieces = [
        piece for part, dashed in parts for piece in _labelled(part, cast, None, evidence="dash" if dashed else "none")
    ]
    # Each dash is another person: beside a line of the character's, the other line cannot be the character's too.
    if len(pieces) > 1 and not any(cast.is_character(p.speaker) for p in pieces):
        return [p._replace(evidence="none") if p.evidence == "dash" else p for p in pieces]
    return pieces


def _whole(piece: Spoken, cast: Cast) -> Spoken:
    """Return a piece without the quotes that enclose it; the character's is `mixed` where it may be two people's."""
    if piece.speaker is None:
        return piece
    code, _, label = piece.evidence.partition(": ")
    written = code in _WRITTEN
    text = _unquoted(piece.text) if written or code in _QUOTED else piece.text
    if cast.is_character(piece.speaker) and doubtful(text, cast, labelled=written):
        evidence = "mixed"
        return Spoken(text=text, speaker=piece.speaker, evidence=f"{evidence}: {label}")
    return piece if text is piece.text else piece._replace(text=text)


def _unquoted(text: str) -> str:
    """Take off the quotes that enclose a whole turn, if no other quote of the kind is inside."""
    closing = _QUOTES.get(text[:1])
    if closing is None and not text[:1].isspace():
        return text
    bare = text.strip()
    closing = _QUOTES.get(bare[:1])
    if closing is None or len(bare) < 3 or bare[-1] != closing:
        return text
    inner = bare[1:-1]
    return text if bare[0] in inner or closing in inner else inner.strip()


def _dashes(text: str) -> list[tuple[str, bool]]:
    """Cut at lines that open with a dash if there are two or more; a single dash is punctuation."""
    lines = text.split("\n")
    opens = [bool(DASH.match(line)) for line in lines]
    if sum(opens) < 2:
        return [(DASH.sub("", text, count=1) if opens[0] else text, False)]
    parts: list[str] = []
    for line, opening in zip(lines, opens, strict=True):
        if opening or not parts:
            parts.append(DASH.sub("", line, count=1))
        else:
            parts[-1] += f"\n{line}"
    return [(part, True) for part in parts]


def _labelled(text: str, cast: Cast, speaker: str | None, evidence: str) -> list[Spoken]:
    """Cut a text at its labels. The words before the first are said by ``speaker``, as ``evidence`` shows."""
    given, pieces, rest = speaker, list[Spoken](), list[str]()
    for number, line in enumerate(text.split("\n")):
        found = _opening(line, cast)
        if found is None and not rest and (speaker is None or number):
            found = _alone(line, text, cast)
        if given and number == 0:
            again = LABEL.match(line)
            if again and cast.spell(again["label"]) == given:
                line, found = again["rest"], None
            elif found and (cast.is_character(given) or cast.is_character(found.name)):
                speaker, evidence, found = None, "none", None
            else:
                found = None  # if neither is the character, the format is trusted over the text
        elif found is None and speaker and _may_be_another(line):
            found = Label("", DASH.sub("", line, count=1), evidence="none")
        if found is None:
            rest.append(line)
            continue
        if any(r.strip() for r in rest):
            pieces.append(Spoken(text="\n".join(rest), speaker=speaker, evidence=evidence))
        rest = [DASH.sub("", found.rest, count=1)] if found.rest else []
        speaker = cast.spell(found.name) if found.name else None
        evidence = f"{found.evidence}: {found.name}" if found.name else found.evidence
    if rest or speaker is not None:
        pieces.append(Spoken(text="\n".join(rest), speaker=speaker, evidence=evidence))
    return pieces


def _may_be_another(line: str) -> bool:
    """Return whether a line opens with a dash, or with what could be a name that the file has not used so far."""
    if DASH.match(line) is not None or may_be_label(line):
        return True
    bracket = BRACKET_FIRST.match(line) if line[:1] in OPENS and line[:1] not in QUOTING else None
    return bracket is not None and bool(bracket["rest"]) and may_be_bracketed(bracket["label"])


def _opening(line: str, cast: Cast) -> Label | None:
    """Return the label of a line that opens with a name and a colon, or with a known name in brackets."""
    match = LABEL.match(line) if COLON.search(line) else None
    if match and is_label(match["label"], match["rest"], cast):
        return Label(match["label"], match["rest"], evidence="prefix")
    if line[:1] in OPENS or line[:1] in "*_":
        return _in_brackets(line, cast)
    for form in cast.forms.written:
        if found := form.opening.match(line):
            return Label(found["name"], found["rest"], evidence="shape")
    return None


def _in_brackets(line: str, cast: Cast) -> Label | None:
    """Return the label of a line that opens with a known name in brackets, of a kind that the file uses for names."""
    found = BRACKET_FIRST.match(line)
    if found is None or not found["rest"]:
        return None
    label, quoted = found["label"] or found["bold_label"], (line[:1] in QUOTING or line[:2] in QUOTING)
    if cast.labels_in_brackets(label) if quoted else cast.knows(label):
        return Label(label, found["rest"], evidence="bold" if found["bold_label"] else "bracket")
    return None


def _alone(line: str, text: str, cast: Cast) -> Label | None:
    """Return the label of a text whose first line is a known name and nothing else."""
    brackets = "[]()（）【】［］〔〕"
    name = line.strip().strip(brackets).rstrip(":：").strip(f"{brackets} ")
    shown = is_caps(name) or line.strip() != name or name.casefold() in cast.forms.alone
    if "\n" in text and is_name(name) and cast.knows(name) and shown:
        return Label(name, "", evidence="name_line")
    return None
