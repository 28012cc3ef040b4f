"""What every transcript importer ends with: lines as a format gives them → an :class:`Imported`.

A format's own file only finds its lines (text with markup, where, when, and who if the format says so). Here markup is
taken off, signs and songs are set aside, names are read from the text, and each piece becomes an utterance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from curation.errors import InosukeError
from curation.importers.lines import markup, signs
from curation.importers.lines.raw_line import Line
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected, Source, Utterance
from curation.transcripts.speakers import attribute, cast_of

# A spoken line of this length is a paragraph, a page or an attack.
MAX_LINE_CHARS = 4_000
# The mark of bytes that could not be decoded, and halves of characters, which no file can hold.
_NO_TEXT = re.compile("[\ufffd\ud800-\udfff]")
# `[sighs]`, `(thở dài)`, ♪: what the ear hears and nobody says, in a whole line or at its start.
_ASIDE = re.compile(r"^\s*(?:\[[^\]\n]*\]|\([^)\n]*\)|（[^）\n]*）|【[^】\n]*】|\*[^*\n]+\*)\s*[:：]?\s*")

_ASIDE_OPENS = frozenset("[(（【*")


def to_imported(
    file: SourceFile,
    lines: Sequence[Line],
    persona: Persona,
    format: str,
    rejected: Iterable[Rejected] = (),
    *,
    script: bool = False,
) -> Imported:
    """Turn a format's lines into utterances and rejections, in the order of the lines.

    Raises InosukeError when there is neither a line nor anything set aside: then the file is not of this format.
    """
    importer = format.partition(" ")[0]
    set_aside = list(rejected)
    utterances: list[Utterance] = []
    readings: list[Rejected] = []
    for line in lines:
        line.speaker = _NO_TEXT.sub("", line.speaker)
        line.plain, found = markup.plain(line.text)
        readings += [Rejected(file.at(line.place, importer), "ruby", r, "the reading of a word") for r in found]
        if not line.drop:
            _check(line)
    signs.mark(lines)
    spoken = [line for line in lines if not line.drop]
    cast = cast_of((line.plain for line in spoken), (line.speaker for line in spoken), persona, script)
    for line in lines:
        source = file.at(line.place, importer)
        if line.drop:
            set_aside.append(Rejected(source, line.drop, line.plain or line.text, line.detail))
            continue
        start, end = line.start_ms, line.end_ms
        for piece in attribute(line.plain, cast, line.speaker, line.evidence):
            text = piece.text
            if not text or text[0] in _ASIDE_OPENS or text[0] == " " or text[-1] == " ":
                text = _without_asides(text, source, set_aside)
            if text:
                utterances.append(Utterance(markup.flow(text), piece.speaker, piece.evidence, source, start, end))
    if not lines and not set_aside:
        raise InosukeError(
            f"{file.path}: no line of {importer} found in it. Expected what its name promises; check that the file is "
            "whole and its suffix right."
        )
    return Imported(tuple(utterances), (), (*set_aside, *readings), format)


def _check(line: Line) -> None:
    if not line.plain:
        line.drop, line.detail = "empty", "nothing to read is left of it"
    elif not line.plain.isascii() and _NO_TEXT.search(line.plain):
        line.drop, line.detail = "undecodable", "some bytes of the line are no text in the file's encoding"
    elif len(line.plain) > MAX_LINE_CHARS:
        line.drop, line.detail = "oversized", f"{len(line.plain):,} characters; expected at most {MAX_LINE_CHARS:,}"


def _without_asides(text: str, source: Source, set_aside: list[Rejected]) -> str:
    """Take stage directions and sounds off the start of a line and keep them as rejections."""
    while text[:1] in _ASIDE_OPENS and (match := _ASIDE.match(text)) and match.end():
        set_aside.append(Rejected(source, "stage_direction", match[0].strip(), "what is done or heard, not said"))
        text = text[match.end() :]
    return text.strip()
