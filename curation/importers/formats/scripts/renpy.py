r"""Ren'Py scripts (.rpy): `e "line"`, with the names of `define e = Character("Eileen")`.

Labels begin a scene. The narrator's lines have no speaker, choices of a menu are rejected, and code is not text. See
https://www.renpy.org/doc/html/dialogue.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from curation.importers.lines.raw_line import RawLine
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source import source_file
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected

# Longer strings than any line; the bounds keep a quote that is never closed from being searched to the file's end.
_STRING = (
    r"(?:\"\"\"(?:[^\\\"]|\\.|\"(?!\"\")){0,20000}\"\"\"|\"(?!\"\")(?:[^\"\\]|\\.){0,4000}\"|\"\"(?!\")"
    r"|'(?:[^'\\\n]|\\.){0,4000}'|`(?:[^`\\\n]|\\.){0,4000}`)"
)
_SAY = re.compile(
    rf"[ \t]*(?:(?P<who>[^\W\d]\w*(?:\.\w+)?|{_STRING})(?P<look>(?:[ \t]+(?:@[ \t]*)?-?\w+){{0,12}})[ \t]*)?"
    rf"(?P<what>{_STRING})[ \t]*(?P<after>[^\n]*)",
    re.DOTALL,
)
_AFTER = re.compile(r"^(?:\(.*\)\s*)?(?:(?:with|id|nointeract)\b.*)?(?:#.*)?$")
_DEFINED = re.compile(
    rf"^[ \t]*(?:define|default|\$)[ \t]+(?:-?\d+[ \t]+)?(?P<variable>[\w.]+)[ \t]*=[ \t]*"
    rf"(?:(?P<class>\w*Character)[ \t]*\(\s*(?:name\s*=\s*)?)?(?:_\(\s*)?(?P<value>{_STRING}|None\b)",
    re.MULTILINE,
)
_BLOCK = re.compile(
    r"(?:init\s+(?:-?\d+\s+)?)?(?:screen|python|style|transform|layeredimage|image\s[^=\n]*:|testcase)\b.*:\s*(?:#.*)?$"
    r"|init\s+(?:-?\d+\s+)?python\b.*:|translate\s+\w+\s+(?:strings|python|style)\b.*:"
)
_QUOTE = re.compile("[\"'`]")
_LABEL = re.compile(r"(?:label|translate\s+\w+)\s+[\w.]+.*:")
_STATEMENTS = (
    "show scene hide play stop queue voice jump call return label menu if elif else while for python init define"
    " default image transform screen style with window pause nvl translate old new pass at on text textbutton key use"
    " add import from camera sound music renpy not and or in is"
)
_KEYWORDS = frozenset(_STATEMENTS.split())
_TAG = re.compile(r"(?<!\{)\{(?!\{)[^{}\n]{0,200}\}")
_RUBY = re.compile(r"\{rt\}(?P<reading>[^{}]*)\{/rt\}")
_VALUE = re.compile(r"(?<!\[)\[(?P<name>[A-Za-z_][\w.]*)(?:![a-z]+)?\]")
_NOBODY = ("narrator", "centered", "vcentered")
# Where games define their characters, beside the script that uses them.
_BESIDE = ("script.rpy", "characters.rpy", "character.rpy", "definitions.rpy", "defines.rpy", "init.rpy")


def companions(path: Path) -> list[Path]:
    """Return the files beside a script that may define its characters."""
    return [path.parent / name for name in _BESIDE if name != path.name]


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read a script. Raises InosukeError for a file without a line or a choice."""
    names, values = dict[str, str | None](), dict[str, str]()
    for path in companions(file.path):
        if path.is_file():
            _define(source_file.load(path).text, names, values)
    _define(file.text, names, values)
    reader = _Script(file, names, values)
    reader.read(file.text)
    return to_imported(file, reader.lines, persona, "renpy", reader.rejected, script=True)


def _define(text: str, names: dict[str, str | None], values: dict[str, str]) -> None:
    """Collect the characters that a script defines, and the texts of its variables."""
    for found in _DEFINED.finditer(text):
        value = None if found["value"] == "None" else _inside(found["value"])
        if found["class"]:
            names[found["variable"]] = value
        elif value is not None:
            values[found["variable"]] = value


@dataclass(slots=True)
class _Script:
    file: SourceFile
    names: dict[str, str | None]
    values: dict[str, str]
    lines: list[RawLine] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    scene: int = 1
    speaker: str = ""

    def read(self, text: str) -> None:
        """Read the statements in order. A block of code, a screen or a style is not looked into."""
        position, number = 0, 0
        skip: int | None = None
        while position < len(text):
            end = text.find("\n", position)
            end = len(text) if end < 0 else end
            number += 1
            row = text[position:end]
            bare = row.strip()
            indent = len(row) - len(row.lstrip())
            if skip is not None and bare and indent <= skip:
                skip = None
            if skip is not None or not bare or bare[0] == "#":
                pass
            elif _BLOCK.match(bare):
                skip = indent
            elif _LABEL.match(bare):
                self.scene += bool(self.lines)
            elif _QUOTE.search(row) and (found := _SAY.match(text, position)) and self._said(found, number):
                number += text.count("\n", position, found.end())
                end = found.end()
            position = end + 1

    def _said(self, found: re.Match[str], number: int) -> bool:
        """Read a line or a choice, and return whether the statement is one."""
        who, after = found["who"] or "", found["after"].strip()
        if who in _KEYWORDS or any(word in _KEYWORDS for word in (found["look"] or "").split()):
            return False
        place = f"scene {self.scene} · line {number}"
        if not who and after.partition("#")[0].rstrip().endswith(":"):
            words = self._words(found["what"], place)
            self._reject(reason="menu_choice", text=words, place=place, detail="what the player chooses")
            return True
        if not _AFTER.match(after):
            return False
        if who != "extend":
            self.speaker = self._name(who)
        whole = found["what"].startswith('"""')
        for part in re.split(r"\n\s*\n", _inside(found["what"])) if whole else [_inside(found["what"])]:
            words = self._plain(part, place)
            evidence = "say" if self.speaker else ""
            self.lines.append(RawLine(text=words, locator=place, speaker=self.speaker, evidence=evidence))
        return True

    def _name(self, who: str) -> str:
        """Return who speaks: the name of a defined character, a name written out, or the variable itself."""
        if not who or who in _NOBODY:
            return ""
        if who[0] in "\"'`":
            return self._plain(_inside(who), "")
        name = self.names.get(who, who)
        return self._plain(name, "").strip("[] ") if name else ""

    def _words(self, string: str, place: str) -> str:
        return self._plain(_inside(string), place)

    def _plain(self, text: str, place: str) -> str:
        """Return a text without tags and with the variables that are known; readings are rejected."""
        if "{" in text:
            for ruby in _RUBY.finditer(text) if place else ():
                self._reject("ruby", ruby["reading"], place, "the reading of a word")
            text = _TAG.sub("", _RUBY.sub("", text)).replace("{{", "{")
        if "[" in text:
            text = _VALUE.sub(lambda m: self.values.get(m["name"]) or self.names.get(m["name"]) or m[0], text)
            text = text.replace("[[", "[")
        return " ".join(text.split())

    def _reject(self, reason: str, text: str, place: str, detail: str) -> None:
        source = self.file.at(place, "renpy")
        self.rejected.append(Rejected(source=source, reason=reason, text=text, detail=detail))


def _inside(string: str) -> str:
    """Return what a string of Ren'Py holds, without its quotes and backslashes."""
    quotes = 3 if string.startswith('"""') else 1
    text = string[quotes:-quotes].replace("\\n", " ").replace("%%", "%")
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL)
