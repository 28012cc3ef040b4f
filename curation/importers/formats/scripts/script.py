"""Plain scripts and Markdown (.txt, .md): `Name: line`, `**Name:** line`, or a NAME with its lines below.

A README is Markdown too: a file with few labelled lines is skipped, which the report shows and is not an error.
"""

from __future__ import annotations

import re
from collections import Counter

from curation.importers.lines.raw_line import RawLine
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected
from curation.transcripts.speakers import Cast, Label, cast_of, is_label, is_name, may_be_label

SKIPPED = "skipped (no script lines)"

_BOLD = re.compile(r"^(?:\*\*|__)(?P<a>[^*_\n]{1,40}?)[:：]?\s*(?:\*\*|__)\s*(?P<colon>[:：]?)\s*(?P<rest>.*)$")
_PREFIX = re.compile(r"^(?P<a>[^\s:：][^:：\n]{0,40}?)\s?[:：](?!//|\d)\s*(?P<rest>.*)$")
_BULLET = re.compile(r"^\s*(?:[-*+•>]|\d{1,3}[.)])\s+")
_HEADING = re.compile(
    r"^\s*(?:#{1,6}\s+\S.*|(?:INT|EXT|INT/EXT|I/E)[. ].*|"
    r"(?:scene|cảnh|act|hồi|màn|chapter|chương|第.{1,4}[話章幕])\b.*|"
    r"[-*_=~—]{3,}|\*\s\*\s\*)\s*$",
    re.IGNORECASE,
)
_DIRECTION = re.compile(r"^\s*(?:\[.*\]|\(.*\)|（.*）|\*[^*].*\*|_[^_].*_)\s*$")
_EMPHASIS = re.compile(r"(?<!\w)(\*\*|__|\*|_)(?=\S)(.+?)(?<=\S)\1(?!\w)")
# How many lines must have a label: `Note:` and `Link:` open lines of a README as well.
_MIN_LABELLED = 3
_MIN_SHARE = 0.3
# They open lines in a script like a speaker's name and are not one.
_NO_NAMES = {"note", "notes", "link", "ps", "p.s", "chú ý", "lưu ý", "ghi chú", "chú thích", "nguồn"}


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read a script; headings and rules begin a scene, directions are rejected, a blank line ends a NAME's block."""
    rows = file.text.split("\n")
    if not looks_like_script(rows, persona):
        return Imported(format=SKIPPED)
    cast = _cast(rows, persona)
    lines: list[RawLine] = []
    rejected: list[Rejected] = []
    scene, speaker, evidence, open_block = 1, "", "", False
    for number, row in enumerate(rows, 1):
        source = file.at(f"scene {scene} · line {number}", "script")
        stripped = row.strip()
        if not stripped:
            open_block = False
        elif _HEADING.match(row):
            rejected += [Rejected(source=source, reason="heading", text=stripped, detail="the title of a part")] * any(
                c.isalpha() for c in stripped
            )
            scene, open_block = scene + bool(lines), False
        elif _DIRECTION.match(row):
            rejected.append(
                Rejected(
                    source=source, reason="stage_direction", text=stripped, detail="what is done or heard, not said"
                )
            )
        elif found := _labelled(stripped, cast):
            speaker, evidence = found.name, found.evidence
            open_block = True
            if found.rest:
                lines.append(
                    RawLine(text=_emphasis(found.rest), locator=source.locator, speaker=speaker, evidence=evidence)
                )
        elif open_block and not _may_be_another(stripped):
            lines.append(
                RawLine(
                    text=_emphasis(_BULLET.sub("", row)), locator=source.locator, speaker=speaker, evidence=evidence
                )
            )
        else:
            open_block = False  # it may be another speaker's, and so may the lines after it
            lines.append(RawLine(text=_emphasis(_BULLET.sub("", row)), locator=source.locator))
    return to_imported(file, lines, persona, "script", rejected, script=True)


def looks_like_script(rows: list[str], persona: Persona) -> bool:
    """Return whether enough lines have a label: one that recurs, is in capitals or is in persona.toml."""
    cast = _cast(rows, persona)
    labelled: list[str] = []
    others, in_block = 0, False
    for row in map(str.strip, rows):
        found = _labelled(row, cast) if row else None
        if found:
            labelled.append(found.name)
        # A line below a NAME belongs to it, so it does not count as unlabelled.
        others += bool(row) and not found and not in_block
        in_block = bool(row) and (in_block if not found else not found.rest)
    share = len(labelled) >= _MIN_SHARE * (len(labelled) + others)
    people = len({cast.spell(label) for label in labelled})
    enough = len(labelled) >= _MIN_LABELLED and people >= 2
    return share and (enough or any(cast.is_character(label) for label in labelled))


def _cast(rows: list[str], persona: Persona) -> Cast:
    """Return the names that a script uses. If the character speaks, a label may come once: scenes can be short."""
    bare = [_bare(row) for row in rows]
    blocks = _names_alone(rows)
    cast = cast_of(bare, (name for name, times in blocks.items() if times > 1), persona, script=True)
    if not any(cast.is_character(found.name) for row in rows if (found := _labelled(row.strip(), cast))):
        return cast
    singles = Counter(m["a"].casefold() for row in bare if (m := _PREFIX.match(row)) and is_name(m["a"]))
    talk = [row for row in rows if row.strip() and not _HEADING.match(row) and not _DIRECTION.match(row)]
    most = 2 * (blocks.total() + singles.total()) >= len(talk)
    names = {*blocks, *(singles.keys() - _NO_NAMES if most else ())}
    return cast_of(bare, names, persona, script=True)


def _names_alone(rows: list[str]) -> Counter[str]:
    """Count, case folded, the names in capitals that are alone above a line that is not one."""
    names = [name if (name := row.strip().strip("*_ ")).isupper() and is_name(name) else "" for row in rows]
    below = zip(names, [*names[1:], ""], [*rows[1:], ""], strict=True)
    return Counter(name.casefold() for name, other, row in below if name and row.strip() and not other)


def _labelled(row: str, cast: Cast) -> Label | None:
    """Return the label of a row that opens with a speaker's name, or is one."""
    bare = _BULLET.sub("", row)
    bold = _BOLD.match(bare)
    if bold and (bold["colon"] or bare[bold.end("a")] in ":："):
        if is_label(bold["a"], bold["rest"], cast):
            return Label(bold["a"], bold["rest"], evidence="bold")
        return None
    prefix = _PREFIX.match(bare)
    if prefix and is_label(prefix["a"], prefix["rest"], cast):
        return Label(prefix["a"], prefix["rest"], evidence="prefix")
    name = bare.strip("*_ ")
    if name.isupper() and cast.knows(name):
        return Label(name, "", evidence="name_line")
    return None


def _may_be_another(row: str) -> bool:
    """Return whether a row may belong to another speaker, or to none, though it opens with no known name."""
    bare = _bare(row)
    return may_be_label(bare) or bare.partition(":")[0].casefold() in _NO_NAMES


def _bare(row: str) -> str:
    """Return a row with bold labels as plain ones, for counting."""
    text = _BULLET.sub("", row.strip())
    bold = _BOLD.match(text)
    return f"{bold['a']}: {bold['rest']}" if bold else text


def _emphasis(text: str) -> str:
    return _EMPHASIS.sub(r"\2", text)
