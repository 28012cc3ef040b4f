"""Rows that are lines of a transcript → RawLines: one column holds the words, others the speaker, the times, the scene.

What a column means is decided for the whole table: whether its numbers are milliseconds, whether a title names a scene,
whether its speakers are people or the two roles of a chat.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from typing import Any

from curation.importers.lines.raw_line import RawLine
from curation.importers.records.times import Times, clock_ms, read_times
from curation.importers.records.turns import ROLES
from curation.importers.source.columns import END, LOOSE_SCENE, SCENE, SPEAKER, START, TEXT, folded, without_unit
from curation.importers.source.tables import SheetRow
from curation.persona import Columns, Persona
from curation.record import Role

_SCENE_CHARS = 60
# `Tanjiro: …` at the start of several lines of one cell: the row is a dialogue of its own.
_LABELLED_LINE = re.compile(r"^[^\s:：][^:：\n]{0,40}[:：]", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Cells:
    """What one row holds, before the whole table is seen."""

    number: int
    words: str
    speaker: str
    start: Any
    end: Any
    scene: str
    loose: str
    sheet: str


@dataclass(slots=True)
class TableLines:
    """The lines of a table, row by row; :meth:`lines` returns them once all are seen."""

    persona: Persona
    unit: str
    columns: Columns | None = None
    _rows: list[_Cells] = field(default_factory=list)
    _units: tuple[str, str] = ("", "")

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, number: int, row: Mapping[str, Any]) -> bool:
        """Take a row as a line, and return whether it is one: whether it has a column for the words."""
        cells = self._mapped(number, row) if self.columns else _named(number, row, self)
        if cells is None:
            return False
        self._rows.append(cells)
        return True

    def _mapped(self, number: int, row: Mapping[str, Any]) -> _Cells | None:
        map_ = self.columns
        assert map_ is not None
        words = _scalar(at(row, map_.text))
        if words is None:
            return None
        self._units = (self._units[0] or without_unit(folded(map_.start))[1], without_unit(folded(map_.end))[1])
        start, end = (at(row, name) if name else None for name in (map_.start, map_.end))
        scene = _scalar(at(row, map_.scene)) if map_.scene else ""
        speaker = _scalar(at(row, map_.speaker)) if map_.speaker else ""
        sheet = row.sheet if isinstance(row, SheetRow) else ""
        return _Cells(number, words, speaker or "", start, end, scene or "", "", sheet)

    def lines(self) -> list[RawLine]:
        """Return the lines in the order of the rows."""
        rows = self._rows
        times: Times = read_times([(row.start, row.end) for row in rows], self._units)
        roles = self._roles()
        people: dict[Role, str] = {"user": self.persona.user_label, "assistant": self.persona.name, "system": ""}
        loose = len({row.loose for row in rows}) < max(2, len(rows))
        sheets = len({row.sheet for row in rows}) > 1
        found = []
        for row, (start, end) in zip(rows, times, strict=True):
            role = roles.get(row.speaker.casefold())
            speaker = row.speaker if role is None else people[role]
            found.append(
                RawLine(
                    text=row.words,
                    locator=f"scene {self._scene(row, sheets, loose)} · {self.unit} {row.number}",
                    start_ms=start,
                    end_ms=end,
                    speaker=speaker,
                    evidence="column" if speaker else "",
                    reason="not_said" if role == "system" else "",
                    detail="the row of a `system`" if role == "system" else "",
                )
            )
        return found

    def _scene(self, row: _Cells, sheets: bool, loose: bool) -> str:
        parts = (row.sheet if sheets else "", row.scene, row.loose if loose else "")
        name = "/".join(part for part in parts if part)[:_SCENE_CHARS].replace(" · ", " ") or "1"
        if "\n" in row.words.strip() and len(_LABELLED_LINE.findall(row.words)) > 1:
            return f"{name} {self.unit} {row.number}"
        return name

    def _roles(self) -> dict[str, Role]:
        """Return the role that each speaker of the table is, if its speakers are the roles of a chat."""
        said = {row.speaker.casefold() for row in self._rows if row.speaker}
        if not said <= set(ROLES) or not any(ROLES[who] == "assistant" for who in said):
            return {}
        return {who: ROLES[who] for who in said}


def columns_for(persona: Persona, name: str) -> list[Columns]:
    """Return the maps of persona.toml that are for a file of this name."""
    return [c for c in persona.columns if fnmatch(name, c.files) or fnmatch(name.rpartition("/")[2], c.files)]


def at(row: Any, name: str) -> Any:
    """Return what a row holds under a column's name; `author.name` looks into an object."""
    if not isinstance(row, Mapping):
        return None
    if name in row:
        return row[name]
    head, dot, rest = name.partition(".")
    return at(row.get(head), rest) if dot else None


def has_text_column(row: Any) -> bool:
    """Return whether a row has a column for the words of a line."""
    return isinstance(row, Mapping) and bool({folded(str(key)) for key in row} & set(TEXT))


def _named(number: int, row: Mapping[str, Any], table: TableLines) -> _Cells | None:
    """Find a row's cells by the usual names of columns."""
    columns = {folded(str(key)): value for key, value in row.items()}
    found = [w for c in TEXT if c in columns and (w := _scalar(columns[c])) is not None]
    # `Line` counts the rows where another column holds the words.
    words = next((w for w in found if not w.isdigit()), found[0]) if found else None
    if words is None:
        return None
    bare = {without_unit(name)[0]: (value, without_unit(name)[1]) for name, value in columns.items()}
    start, start_unit = _time(columns, bare, START)
    end, end_unit = _time(columns, bare, END)
    if start is None and end is None:
        start, end = _clocks(columns)
    table._units = (table._units[0] or start_unit, table._units[1] or end_unit)
    scenes = [_scalar(columns[c]) for c in SCENE if columns.get(c) not in (None, "")]
    loose = [_scalar(columns[c]) for c in LOOSE_SCENE if columns.get(c) not in (None, "")]
    return _Cells(
        number=number,
        words=words,
        speaker=_speaker(columns),
        start=start,
        end=end,
        scene="/".join(part for part in scenes if part),
        loose="/".join(part for part in loose if part),
        sheet=row.sheet if isinstance(row, SheetRow) else "",
    )


def _speaker(columns: Mapping[str, Any]) -> str:
    for column in SPEAKER:
        value = columns.get(column)
        if isinstance(value, Mapping):
            value = value.get("nickname") or value.get("name") or value.get("username")
        said = _scalar(value)
        if said and said.strip():
            return said.strip()
    return ""


def _time(columns: Mapping[str, Any], bare: Mapping[str, tuple[Any, str]], names: tuple[str, ...]) -> tuple[Any, str]:
    """Return the cell of the first column for a time that a row has, and the unit that its heading names."""
    for name in names:
        for value, unit in ((columns.get(name), without_unit(name)[1]), bare.get(name, (None, ""))):
            if value not in (None, ""):
                return value, unit
    return None, ""


def _clocks(columns: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the first two cells that are clock times, whatever their columns are called."""
    found = [value for value in columns.values() if isinstance(value, str) and clock_ms(value) is not None]
    return (*found, None, None)[0], (*found, None, None)[1]


def _scalar(value: Any) -> str | None:
    """Return a cell as a text: numbers are words too (`100`), lists and objects are not."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return None if value != value else str(value)
