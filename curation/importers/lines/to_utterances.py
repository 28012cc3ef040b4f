"""The last step of every transcript importer: the lines of a format → an :class:`Imported`.

A format's own file only finds its lines: the text with markup, where, when, and who if the format names the speaker.
This module removes the markup, rejects signs and songs, reads names from the text, and makes each piece an utterance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from curation.errors import InosukeError
from curation.importers.lines import marked_labels, markup, rolling, signs
from curation.importers.lines.raw_line import RawLine
from curation.importers.source.progress import told
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected, Source, Utterance
from curation.transcripts.label_words import DIRECTION_OPENS
from curation.transcripts.speakers import attribute, cast_of

# A spoken line of this length is a paragraph, a page or an attack.
MAX_LINE_CHARS = 4_000
# The mark of bytes that could not be decoded, and halves of characters, which no file can hold.
_NOT_TEXT = re.compile("[\ufffd\ud800-\udfff]")
# `[sighs]`, `(thở dài)`: what is heard but not said, as a whole line or at its start.
_DIRECTION = re.compile(
    r"^\s*(?:\[[^\]\n]*\]|\([^)\n]*\)|（[^）\n]*）|【[^】\n]*】|［[^］\n]*］|〔[^〕\n]*〕|<[^\W\d_][^<>\n]*>)\s*[:：]?\s*"
)
_DIRECTION_OPENS = frozenset(f"{DIRECTION_OPENS}<")
# `*jumps*` between sentences is what is done; `*I* am the king` is a word that is stressed.
_STARRED = re.compile(r"(?<!\*)\*(?!\*)(?P<words>[^*\n]+)\*(?!\*)\s*")
_SENTENCE_ENDS = '.!?…。！？~"”»」)）]】:：*'
_AFTER_STRESS = tuple(".,!?…;:。、！？")


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
    ass = importer in ("ass", "ssa")
    left_out = list(rejected)
    utterances: list[Utterance] = []
    readings: list[Rejected] = []
    # A script's own reader has found its names; where it found none, the lines are read as subtitles are.
    named = script and any(line.speaker for line in lines)
    marked = set() if named else marked_labels.set_apart(lines, persona, ass=ass)
    for line in told(lines, 0.2, 0.5):  # the format has read the file; that is about a fifth of the work
        if line.speaker and not line.speaker.isascii():
            line.speaker = _NOT_TEXT.sub("", line.speaker)
        text, found = markup.plain(line.text, ass=ass)
        line.plain = marked_labels.unmarked(text)
        if found:
            source = file.at(line.locator, importer)
            readings += [Rejected(source=source, reason="ruby", text=r, detail="the reading of a word") for r in found]
        if not line.reason:
            _check(line)
    signs.mark(lines)
    if importer in rolling.FORMATS:
        rolling.collapse(lines)
    spoken = [line for line in lines if not line.reason]
    given = marked | {line.speaker for line in spoken}
    cast = cast_of((line.plain for line in spoken), given, persona, script, forms=not named)
    for line in told(lines, 0.5, 1.0):
        source = file.at(line.locator, importer)
        if line.reason:
            text = line.plain or line.text
            left_out.append(Rejected(source=source, reason=line.reason, text=text, detail=line.detail))
            continue
        if line.carried:
            left_out.append(
                Rejected(
                    source=source, reason="carried_over", text=line.carried, detail="the cue before shows these words"
                )
            )
        start, end = line.start_ms, line.end_ms
        pieces = attribute(line.plain, cast, line.speaker, line.evidence)
        if line.credits and all(piece.speaker is None for piece in pieces):
            left_out.append(
                Rejected(source=source, reason="credits", text=line.plain, detail="names those who made the subtitles")
            )
            continue
        for piece in pieces:
            text = piece.text
            if text[:1] in signs.NOTE_OPENS and signs.is_note(text):
                left_out.append(Rejected(source=source, reason="note", text=text, detail="a note by the translator"))
                continue
            if text[:1] in signs.MUSIC_NOTES:
                left_out.append(Rejected(source=source, reason="karaoke", text=text, detail="sung, not said"))
                continue
            if piece.speaker and text[:1] in _DIRECTION_OPENS and signs.is_thought(text.strip()):
                text = text.strip()[1:-1].strip()
            if "*" in text:
                text = _without_stars(text, source, left_out)
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


def _without_stars(text: str, source: Source, left_out: list[Rejected]) -> str:
    """Remove what is done, `*jumps*`, and keep it as a rejection; take the asterisks off a word that is stressed."""

    def replace(found: re.Match[str]) -> str:
        before, after = text[: found.start()].rstrip(), text[found.end() :]
        alone = not before or before[-1] in _SENTENCE_ENDS
        if not alone or (after[:1].islower() and _is_word(found["words"])) or after.startswith(_AFTER_STRESS):
            return found["words"] + found[0][len(found[0].rstrip()) :]
        said = found[0].strip()
        left_out.append(
            Rejected(source=source, reason="stage_direction", text=said, detail="what is done or heard, not said")
        )
        return ""

    return _STARRED.sub(replace, text).strip()


def _is_word(words: str) -> bool:
    """Return whether words that open a sentence between asterisks belong to it: `*I* am`, not `*Grins* yeah`."""
    return " " not in words and words[:1].isupper() and (words.isupper() or len(words) < 5 or words[-1] != "s")
