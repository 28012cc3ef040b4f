"""The last step of every transcript importer: the lines of a format → an :class:`Imported`.

A format's own file only finds its lines: the text with markup, where, when, and who if the format names the speaker.
This module removes the markup, rejects signs and songs, reads names from the text, and makes each piece an utterance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from curation.errors import InosukeError
from curation.importers.lines import markup, signs
from curation.importers.lines.raw_line import RawLine
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected, Source, Utterance
from curation.transcripts.speakers import attribute, cast_of

# A spoken line of this length is a paragraph, a page or an attack.
MAX_LINE_CHARS = 4_000
# The mark of bytes that could not be decoded, and halves of characters, which no file can hold.
_NOT_TEXT = re.compile("[\ufffd\ud800-\udfff]")
# `[sighs]`, `(thở dài)`: what is heard but not said, as a whole line or at its start.
_DIRECTION = re.compile(r"^\s*(?:\[[^\]\n]*\]|\([^)\n]*\)|（[^）\n]*）|【[^】\n]*】|\*[^*\n]+\*)\s*[:：]?\s*")
_DIRECTION_OPENS = frozenset("[(（【*")


def to_imported(
    file: SourceFile,
    lines: Sequence[RawLine],
    persona: Persona,
    format: str,
    rejected: Iterable[Rejected] = (),
    *,
    script: bool = False,
) -> Imported:
    """Turn a format's lines into utterances and rejections, in the order of the lines.

    ``rejected`` is what the format has rejected already. Raises InosukeError when there is neither a line nor a
    rejection: then the file is not of this format.
    """
    importer = format.partition(" ")[0]
    left_out = list(rejected)
    utterances: list[Utterance] = []
    readings: list[Rejected] = []
    for line in lines:
        line.speaker = _NOT_TEXT.sub("", line.speaker)
        line.plain, found = markup.plain(line.text)
        readings += [
            Rejected(source=file.at(line.locator, importer), reason="ruby", text=r, detail="the reading of a word")
            for r in found
        ]
        if not line.reason:
            _check(line)
    signs.mark(lines)
    spoken = [line for line in lines if not line.reason]
    cast = cast_of((line.plain for line in spoken), (line.speaker for line in spoken), persona, script)
    for line in lines:
        source = file.at(line.locator, importer)
        if line.reason:
            text = line.plain or line.text
            left_out.append(Rejected(source=source, reason=line.reason, text=text, detail=line.detail))
            continue
        start, end = line.start_ms, line.end_ms
        for piece in attribute(line.plain, cast, line.speaker, line.evidence):
            text = piece.text
            if not text or text[0] in _DIRECTION_OPENS or text[0] == " " or text[-1] == " ":
                text = _without_directions(text, source, left_out)
            if text:
                utterances.append(
                    Utterance(
                        text=markup.flow(text),
                        speaker=piece.speaker,
                        evidence=piece.evidence,
                        source=source,
                        start_ms=start,
                        end_ms=end,
                    )
                )
    if not lines and not left_out:
        raise InosukeError(
            f"{file.path}: no line of {importer} found in it. Expected a whole file in that format; check that the "
            "file is complete and its suffix is right."
        )
    return Imported(utterances=tuple(utterances), rejected=(*left_out, *readings), format=format)


def _check(line: RawLine) -> None:
    if not line.plain:
        line.reason, line.detail = "empty", "no text is left of it"
    elif not line.plain.isascii() and _NOT_TEXT.search(line.plain):
        line.reason, line.detail = "undecodable", "some bytes of the line are not text in the file's encoding"
    elif len(line.plain) > MAX_LINE_CHARS:
        line.reason = "oversized"
        line.detail = f"{len(line.plain):,} characters; expected at most {MAX_LINE_CHARS:,}"


def _without_directions(text: str, source: Source, left_out: list[Rejected]) -> str:
    """Remove stage directions and sounds from the start of a line and keep them as rejections."""
    while text[:1] in _DIRECTION_OPENS and (match := _DIRECTION.match(text)) and match.end():
        said = match[0].strip()
        left_out.append(
            Rejected(source=source, reason="stage_direction", text=said, detail="what is done or heard, not said")
        )
        text = text[match.end() :]
    return text.strip()
