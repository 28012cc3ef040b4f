"""The lines of a transcript around a sample, read again from the file that it came from.

Comes in: a sample and the project. Goes out: the lines before it, its own and those behind it, as the importer read
them, each with its raw cue where the format has one. A file that is gone or has changed since the import gives no
lines: the reason is said instead, because the numbers would lead to other cues.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from curation.errors import InosukeError
from curation.folders import Folders
from curation.importers import IMPORTERS
from curation.importers.many_files import Job, read_all
from curation.importers.source.source_file import load
from curation.importers.together import walk
from curation.persona import Persona
from curation.record import Imported, Source, Utterance
from curation.transcripts.episodes import episode_of
from curation.transcripts.twin_track import name_by_twins

# Enough to see who answers whom; a whole scene is in the file.
_AROUND = 5

Problem = Literal["", "missing", "changed", "unreadable", "not_found"]

_SCENE = re.compile(r"scene \d+ · ")
_CUE = re.compile(r"cue (?P<number>\d+) (?P<time>[\d:.]+)$")
_LINE = re.compile(r"line (?P<number>\d+)$")
_TIME = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})")


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the transcript. ``raw`` is the cue as the file has it, "" where that is not known for certain.

    ``twin`` is what another track of the episode, which gave the speaker's name, says at this moment.
    """

    speaker: str | None
    text: str
    locator: str
    raw: str = ""
    twin: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """The lines around a sample; with a ``problem`` there are none, and ``path`` is the file that it is about."""

    before: tuple[Line, ...] = ()
    own: tuple[Line, ...] = ()
    after: tuple[Line, ...] = ()
    problem: Problem = ""
    path: str = ""


def surroundings(source: Source, persona: Persona, around: int = _AROUND) -> Context | None:
    """Return the lines around a sample of a transcript, None for a sample that is not from one (a row)."""
    if not is_of_lines(source):
        return None
    path = _file(source.path, persona.root)
    if path is None:
        return Context(problem="missing", path=source.path)
    try:
        stat = path.stat()
        found = _read(path, stat.st_mtime_ns, stat.st_size, source, persona)
    except (InosukeError, OSError):
        return Context(problem="unreadable", path=source.path)
    lines = [u for u in found.utterances if u.source.path == source.path]
    if not lines and found.samples:
        return None  # rows, which have no neighbours
    if any(u.source.sha256 != source.sha256 for u in lines):
        return Context(problem="changed", path=source.path)
    span = _span(lines, source.locator)
    if span is None:
        return Context(problem="not_found", path=source.path)
    first, last = span
    raw = _raw(path, stat.st_mtime_ns) if source.path.endswith(path.name) else None  # not of a zip's member
    lines, beside = _with_twin(path, lines, source, persona)
    shown = [_line(u, raw, beside) for u in lines[max(0, first - around) : last + 1 + around]]
    start = min(first, around)
    end = start + last - first + 1
    return Context(tuple(shown[:start]), tuple(shown[start:end]), tuple(shown[end:]), path=source.path)


def is_of_lines(source: Source) -> bool:
    """Return whether a sample is cut from lines; a row of a table is one only with a scene before it. Opens no file."""
    return not re.fullmatch(r"row \d+", source.locator)


def _file(name: str, root: Path) -> Path | None:
    """Return the file of a record's path: for a member of a zip, the zip. Never one outside the project."""
    base = root.resolve()
    path = (root / name).resolve()
    while path != base and base in path.parents:
        if path.is_file():
            return path
        path = path.parent
    return None


# Parsed files, by what their content depends on: an annotator works through one file after the other.
_kept: dict[tuple[Path, int, int, str], Imported] = {}
_MOST_KEPT = 32


def _read(path: Path, changed: int, size: int, source: Source, persona: Persona) -> Imported:
    """Return a file's records, from this process's memory or the import's cache. Raises InosukeError."""
    name = path.relative_to(persona.root.resolve()).as_posix()
    key = (path, changed, size, name)
    if key not in _kept:
        job = Job(path, name, source.rights)
        (found,) = read_all([job], persona, Folders(persona.root).imports, quiet=True)
        if isinstance(found, InosukeError):
            raise found
        while len(_kept) >= _MOST_KEPT:
            _kept.pop(next(iter(_kept)), None)
        _kept[key] = found
    return _kept[key]


def _with_twin(
    path: Path, lines: list[Utterance], source: Source, persona: Persona
) -> tuple[list[Utterance], Mapping[str, str]]:
    """Return the lines with the names that another track of the episode gives them, and its words by locator."""
    if all(u.speaker is not None for u in lines) or all(u.start_ms is None for u in lines):
        return lines, {}
    wanted = episode_of(source.path)
    root = persona.root.resolve()
    base = next((b for s in persona.sources if path.is_relative_to(b := (root / s.path).resolve())), path.parent)
    files = [Imported(utterances=tuple(lines))]
    for other in walk(base) if base.is_dir() else ():
        name = other.relative_to(root).as_posix()
        if other != path and other.suffix.lower() in IMPORTERS and episode_of(name) == wanted:
            stat = other.stat()
            try:
                files.append(_read(other, stat.st_mtime_ns, stat.st_size, source, persona))
            except InosukeError:
                continue  # the build reports it; here there are only fewer names
    (own, *_), twins = name_by_twins(files)
    return list(own.utterances), next((t.beside for t in twins if t.path == source.path), {})


def _span(lines: list[Utterance], locator: str) -> tuple[int, int] | None:
    """Return the numbers of the first and the last line that a sample's locator names, None where it names none.

    A locator is one line's, or ``first to last``; the scene is named before it unless the importer named one.
    """
    places: dict[str, int] = {}
    last_of: dict[str, int] = {}
    for at, line in enumerate(lines):  # a cue in which two people speak is two lines
        places.setdefault(line.source.locator, at)
        last_of[line.source.locator] = at
    for text in (locator, _SCENE.sub("", locator, count=1)):
        if text in places:
            return places[text], last_of[text]
        for match in re.finditer(" to ", text):
            first, last = text[: match.start()], text[match.end() :]
            if first in places and last in places and places[first] <= last_of[last]:
                return places[first], last_of[last]
    return None


# ---------------------------------------------------------------- raw cues


@dataclass(frozen=True, slots=True)
class _Raw:
    """A text file's lines, and its cues: what each holds and when it starts (ms)."""

    lines: tuple[str, ...]
    cues: tuple[tuple[str, int | None], ...]


@lru_cache(maxsize=8)
def _raw(path: Path, changed: int) -> _Raw | None:
    try:
        text = load(path, name=path.name, rights="unknown").text
    except InosukeError:
        return None  # a binary format
    if path.suffix.lower() in (".ass", ".ssa"):
        pieces = re.findall(r"^(?:Dialogue|Comment):.*$", text, re.MULTILINE)
    else:
        pieces = [block.strip("\n") for block in re.split(r"\n[ \t]*\n", text) if "-->" in block]
    return _Raw(tuple(text.split("\n")), tuple((piece, _start(piece)) for piece in pieces))


def _line(line: Utterance, raw: _Raw | None, beside: Mapping[str, str]) -> Line:
    locator = line.source.locator
    return Line(line.speaker, line.text, locator, "" if raw is None else _raw_of(line, raw), beside.get(locator, ""))


def _raw_of(line: Utterance, raw: _Raw) -> str:
    """Return the cue or line that a locator numbers, if what is there agrees with it."""
    cue, numbered = _CUE.search(line.source.locator), _LINE.search(line.source.locator)
    if cue is not None and int(cue["number"]) <= len(raw.cues):
        piece, start = raw.cues[int(cue["number"]) - 1]
        return piece if start is not None and start == _start(cue["time"]) else ""
    if numbered is not None and int(numbered["number"]) <= len(raw.lines):
        piece = raw.lines[int(numbered["number"]) - 1]
        words = line.text.split()
        return piece if words and words[0] in piece else ""
    return ""


def _start(text: str) -> int | None:
    """Return the first time in a text, in milliseconds."""
    match = _TIME.search(text)
    if match is None:
        return None
    hours, minutes, seconds, part = match.groups()
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(part.ljust(3, "0"))
