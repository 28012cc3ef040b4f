"""Advanced SubStation (.ass) and SubStation Alpha (.ssa), read by pysubs2. One bad line never costs the others."""

from __future__ import annotations

import re
import warnings

import pysubs2
from pysubs2.exceptions import Pysubs2Error

from curation.importers.lines.raw_line import RawLine, clock
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected
from curation.transcripts.speakers import Label
from curation.transcripts.trade_words import person_in_style, style_kind

_FIELDS = {
    "ass": ["layer", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text"],
    "ssa": ["marked", "start", "end", "style", "name", "marginl", "marginr", "marginv", "effect", "text"],
}
_OLD_STYLES = re.compile(r"^\[V4 Styles\]", re.MULTILINE | re.IGNORECASE)
_EVENT_FORMAT = re.compile(r"^\[Events\]\s*\n(?:[;!].*\n)*Format:(?P<fields>.*)$", re.MULTILINE | re.IGNORECASE)
_EVENT = re.compile(r"^\s*(?P<kind>Dialogue|Comment):(?P<rest>.*)$")
# pysubs2 stops at the first value that it cannot convert.
_BAD_VALUE = (ValueError, TypeError, IndexError, KeyError, ArithmeticError, Pysubs2Error)


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read the events in the order of their times. Comments are rejected, and so is what pysubs2 cannot read."""
    version = "ssa" if _OLD_STYLES.search(file.text) else "ass"
    text = _usual_order(file.text, version)
    rejected: list[Rejected] = []
    with warnings.catch_warnings():
        # pysubs2 warns when it replaces a bad margin or alignment, which does not affect the words.
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            events = pysubs2.SSAFile.from_string(text, format_=version).events
        except _BAD_VALUE:
            text = _without_bad_lines(text, version, file, rejected)
            events = pysubs2.SSAFile.from_string(text, format_=version).events
    names = {e.name.strip().casefold() for e in events if e.name}
    # A style that is all name makes the same name beside words of layout that person's, too: `Tsubame - Thoughts`.
    names |= {style.casefold() for style in {e.style for e in events} if _is_all_name(style)}
    lines = []
    labels: dict[tuple[str, str], Label] = {}
    for number, event in enumerate(events, 1):
        key = (event.name, event.style)
        label = labels.get(key) or labels.setdefault(key, _label(*key, names, persona))
        start = event.start if event.start > 0 else 0
        end = event.end if event.end > start else start
        place = f"cue {number} {clock(start)}"
        line = RawLine(
            text=event.text,
            locator=place,
            start_ms=start,
            end_ms=end,
            speaker=label.name,
            evidence=label.evidence,
            style=event.style,
            effect=event.effect,
        )
        if event.type == "Comment":
            line.reason, line.detail = "comment", "a comment of the subtitles' author"
        lines.append(line)
    lines.sort(key=lambda line: line.start_ms or 0)
    return to_imported(file, lines, persona, version, rejected)


def _label(actor: str, style: str, names: set[str], persona: Persona) -> Label:
    """Return the speaker and the evidence: the actor field, else a style that is named after a person."""
    if actor.strip():
        return Label(actor.strip(), rest="", evidence="actor")
    nameless = Label("", rest="", evidence="")
    if not style or style == "Default" or style_kind(style):
        return nameless
    person, laid_out = person_in_style(style)
    if person and (person.casefold() in names or persona.is_character(person)):
        return Label(person, rest="", evidence="style")
    if laid_out or not style[:1].isupper():
        return nameless
    whole = len(person.replace(" ", "")) == sum(map(str.isalnum, style))  # `McDonald` is `Mc Donald` in pieces
    return Label(style if whole else person, rest="", evidence="style")


def _is_all_name(style: str) -> bool:
    return style[:1].isupper() and not style_kind(style) and not person_in_style(style)[1]


def _usual_order(text: str, version: str) -> str:
    """Put the events' fields into the order that pysubs2 takes for granted, where the file declares another."""
    declared = _EVENT_FORMAT.search(text)
    fields = [f.strip().lower() for f in declared["fields"].split(",")] if declared else []
    usual = _FIELDS[version]
    if fields in ([], usual) or "text" not in fields or fields[-1] != "text" or len(set(fields)) != len(fields):
        return text
    out = []
    for line in text.split("\n"):
        event = _EVENT.match(line)
        values = event["rest"].strip().split(",", len(fields) - 1) if event else []
        if event and len(values) == len(fields):
            value = dict(zip(fields, values, strict=True))
            ordered = ",".join(value.get(f, "" if f in ("style", "name", "effect") else "0") for f in usual)
            line = f"{event['kind']}: {ordered}"
        out.append(line)
    return "\n".join(out)


def _without_bad_lines(text: str, version: str, file: SourceFile, rejected: list[Rejected]) -> str:
    """Try each style and event by itself, and quarantine the events that cannot be read. Styles carry no words."""
    head = "[Events]\n" if version == "ass" else "[V4 Styles]\n[Events]\n"
    good = []
    for number, line in enumerate(text.split("\n"), 1):
        kind = line.strip().partition(":")[0]
        if kind in ("Dialogue", "Comment", "Style"):
            try:
                pysubs2.SSAFile.from_string(head + line, format_=version)
            except _BAD_VALUE as error:
                if kind != "Style":
                    rejected.append(
                        Rejected(
                            source=file.at(f"line {number}", version), reason="bad_cue", text=line, detail=str(error)
                        )
                    )
                continue
        good.append(line)
    return "\n".join(good)
