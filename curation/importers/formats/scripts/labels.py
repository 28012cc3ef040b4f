"""Who speaks each row of a script: the ways to write a name before or above a line, and which of them a file uses.

`Name: line`, `**Name:** line`, `<Name> line` (IRC), `Name<TAB>line`, `Name - line`, `[Name] line`, `伊之助「…」`,
`【伊之助】…`, `NAME. Line` (plays), a heading or a row that is only a name. Prose holds each of them by chance, so all
but the first two count only where they recur in the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from curation.importers.formats.scripts import markdown
from curation.importers.formats.scripts.rows import Row, texts
from curation.persona import Persona
from curation.transcripts.speakers import Cast, cast_of, is_label, is_name, may_be_label

HEADING = re.compile(
    r"^\s*(?:#{1,6}\s+\S.*|(?:INT|EXT|INT/EXT|I/E)[. ].*|"
    r"(?:scene|cảnh|act|hồi|màn|chapter|chương|episode|tập|part|phần|第.{1,4}[話章幕場])\b.*|"
    r"(?:(?:fade|cut|dissolve|smash cut|match cut|jump cut)\b[^a-z:.]*(?:in|out|to)\b[^:.]{0,20}[:.]?)|"
    r"[-*_=~—]{3,}|\*\s\*\s\*)\s*$",
    re.IGNORECASE,
)
DIRECTION = re.compile(r"^\s*(?:\[.*\]|\(.*\)|（.*）|\*[^*].*\*|_[^_].*_)\s*$")
# They open lines in a script like a speaker's name and are not one.
NO_NAMES = {"note", "notes", "link", "ps", "p.s", "chú ý", "lưu ý", "ghi chú", "chú thích", "nguồn"}
NO_NAMES |= {
    "todo",
    "fixme",
    "info",
    "error",
    "warn",
    "warning",
    "debug",
    "trace",
    "critical",
    "fatal",
    "http",
    "https",
}
BULLET = re.compile(r"^\s*(?:[-*+•]|>{1,3}|\d{1,3}[.)])\s+")
_BOLD = re.compile(r"^(?:\*\*|__)(?P<a>[^*_\n]{1,40}?)[:：]?\s*(?:\*\*|__)\s*(?P<colon>[:：]?)\s*(?P<rest>.*)$")
_BOLD_ALONE = re.compile(r"^(?:\*\*|__)(?P<name>[^*_\n:：]{1,40})(?:\*\*|__)$")
_PREFIX = re.compile(r"^(?P<a>[^\s:：][^:：\n]{0,40}?)\s?(?:：(?!//)|:(?!//|\d))\s*(?P<rest>.*)$")
_ZOOM = re.compile(r"^From\s+(?P<name>[^:：\n]{1,40}?)(?:\s+to\s+[^:：\n]{1,40}?)?\s*:\s*(?P<rest>.*)$", re.IGNORECASE)
_MARKDOWN_HEADING = re.compile(r"^\s*(?P<level>#{1,6})\s+(?P<name>[^\s\[(（].{0,39}?)\s*#*$")
_MANNER = re.compile(r"\s*[(（\[【][^)）\]】]*[)）\]】]\s*")
_PARTICLE = re.compile(r"[はがもをにでへと]$")
_TAGS = "b i u s p br hr a em strong span div font code pre img h1 h2 h3 td tr li"
_MEANT_AS_MARKUP = frozenset(_TAGS.split())
# The first row of a table of lines.
_COLUMN_TITLES = frozenset(
    (
        "name",
        "speaker",
        "character",
        "who",
        "role",
        "actor",
        "nhân vật",
        "người nói",
        "tên",
        "vai",
        "名前",
        "話者",
        "キャラ",
    )
)
# How many rows must have a label: `Note:` and `Link:` open lines of a README as well.
_MIN_LABELLED = 3
_MIN_SHARE = 0.3
# With a label on this share of the rows, a name that comes once is a name, too.
_NEARLY_ALL = 0.9


class Found(NamedTuple):
    """The speaker of a row, its words, and a code of EVIDENCE. ``over``: the speech runs over blank lines."""

    name: str
    rest: str
    evidence: str
    over: bool = False


class Shape(NamedTuple):
    """A way to write a name before a line. A weak one is found in prose and lists too, so it needs more rows."""

    code: str
    pattern: re.Pattern[str]
    evidence: str
    weak: bool = False


_INSIDE = r"(?:\s*[(\[（][^()\[\]（）\n]{1,40}[)\]）])?"
_NAME = rf"(?P<name>[^\s<>\[\]【】「」『』:：|\t][^<>\[\]【】「」『』:：|\t\n]{{0,39}}?{_INSIDE})"
_WORDS = r"(?P<rest>\S.*)$"
# What may stand between a name in brackets and the words.
_AFTER = r"\s*(?:[:：]|[-–—―|>→](?=\s))?\s*"


def _shape(code: str, pattern: str, *, evidence: str, weak: bool = False) -> Shape:
    return Shape(code, re.compile(pattern), evidence, weak)


SHAPES = (
    _shape("<name>", rf"^<\s?[@+%~&]?(?P<name>[^\s<>][^<>\n]{{0,39}}?)\s?>\s*{_WORDS}", evidence="bracket"),
    _shape("【name】", rf"^【\s*(?P<name>[^【】\n]{{1,30}}?)\s*】{_AFTER}(?P<rest>.*)$", evidence="bracket"),
    _shape(
        "[name]",
        rf"^[\[［〔]\s*(?P<name>[^\[\]［］〔〕\n]{{1,40}}?)\s*[\]］〕]{_AFTER}(?P<rest>.*)$",
        evidence="bracket",
        weak=True,
    ),
    _shape(
        "(name)", rf"^[(（]\s*(?P<name>[^()（）\n]{{1,40}}?)\s*[)）]{_AFTER}{_WORDS}", evidence="bracket", weak=True
    ),
    _shape(
        "{name}",
        rf"^(?:\{{\s*(?P<name>[^{{}}\n]{{1,40}}?)\s*\}}){_AFTER}{_WORDS}",
        evidence="bracket",
        weak=True,
    ),
    _shape(
        "«name»",
        rf"^[«‹〈《]\s*(?P<name>[^«»‹›〈〉《》\n]{{1,40}}?)\s*[»›〉》]{_AFTER}{_WORDS}",
        evidence="bracket",
        weak=True,
    ),
    _shape("SPEAKER_00", rf"^(?:speaker_)?(?P<name>SPEAKER[_ ]?\d{{1,3}})\s+{_WORDS}", evidence="shape"),
    _shape(
        "name「…」",
        r"^(?P<name>[^\s「『“\"、。！？!?…,.:：][^「『“\"、。！？!?…,:：\n]{0,24}?)\s*"
        r"(?P<rest>(?:「[^」\n]*(?:」[^「」\n]*「[^」\n]*)*」?|『[^』\n]*』?|“[^”\n]*”?))\s*$",
        evidence="shape",
    ),
    _shape("name, tab", rf"^(?P<name>[^\t\n]{{1,40}}?)[ :：]*\t\s*{_WORDS}", evidence="column", weak=True),
    _shape("name - words", rf"^{_NAME}(?:\s+(?:[-–—―]|--)\s*|\s*[–—―]\s*){_WORDS}", evidence="shape", weak=True),
    _shape("name | words", rf"^{_NAME}\s*(?:\||[-=]>|→|»|>{{1,2}}|=)\s*{_WORDS}", evidence="shape", weak=True),
    _shape("NAME. Words", rf"^_?(?P<name>[^\W\d_][^\n.:：_]{{1,39}}?)\._?\s+{_WORDS}", evidence="shape", weak=True),
)


@dataclass(slots=True)
class Layout:
    """How a file names its speakers. ``found`` has the label of each row that has one."""

    cast: Cast
    found: list[Found | None]
    shapes: set[str] = field(default_factory=set)

    def may_be_another(self, row: str) -> bool:
        """Return whether a row without a label may belong to another speaker, or to none."""
        text = bare(row)
        if may_be_label(text) or text.partition(":")[0].casefold() in NO_NAMES:
            return True
        if row[:1] in "-–—―" and not row.startswith("---"):
            return True  # a dash opens another speaker's line
        if any(shape.code in self.shapes and _hit(shape, text) for shape in SHAPES):
            return True
        # `Inosuke laughs.` below `Inosuke: Ha!` is told about the person, not said.
        name, _, rest = text.partition(" ")
        return rest[:1].islower() and is_name(name) and self.cast.knows(name)


def layout_of(rows: Sequence[Row], persona: Persona) -> Layout:
    """Find the ways in which a file names its speakers, and the speaker of each row that names one."""
    full = texts(rows)
    cast = script_cast(full, persona)
    plain = [bare(text) for text in full]
    talk = [text for text, row in zip(plain, full, strict=True) if text and not HEADING.match(row)]
    allowed: dict[str, set[str] | None] = {}
    taken: set[int] = set()
    for shape in SHAPES:
        hits = {
            i: name
            for i, text in enumerate(plain)
            if text and i not in taken and (name := _hit(shape, text)) and not _labelled(full[i].strip(), cast)
        }
        names = _allowed(shape, list(hits.values()), len(talk), cast)
        if names is not None:
            allowed[shape.code] = names or None
            taken |= hits.keys()
    above = _headings(full, cast) | _alone(full, cast, taken)
    found: list[Found | None] = []
    for index, (row, text) in enumerate(zip(rows, plain, strict=True)):
        if row.name:
            found.append(Found(row.name, row.text, row.evidence if row.text else "name_line"))
        elif index in above:
            found.append(above[index])
        else:
            found.append(_label(full[index].strip(), text, cast, allowed) if text else None)
    cast.labels |= {_folded(f.name) for f in found if f}
    return Layout(cast, found, set(allowed))


def looks_like_script(layout: Layout, rows: Sequence[Row]) -> bool:
    """Return whether enough rows have a label: one that recurs, is in capitals or is in persona.toml."""
    cast, labelled = layout.cast, [found.name for found in layout.found if found]
    others, in_block, over = 0, False, False
    for row, found in zip(rows, layout.found, strict=True):
        text = row.text.strip()
        # A line below a NAME belongs to it, so it does not count as unlabelled.
        others += bool(text) and not found and not in_block and not HEADING.match(text)
        over = found.over if found else over
        in_block = (in_block if not found else not found.rest) if text else (in_block and (over or not row.text))
        in_block = in_block and bool(text or over)
    share = len(labelled) >= _MIN_SHARE * (len(labelled) + others)
    people = len({cast.spell(label) for label in labelled})
    enough = len(labelled) >= _MIN_LABELLED and people >= 2
    return share and (enough or any(cast.may_be_character(label) for label in labelled))


def bare(row: str) -> str:
    """Return a row without its bullet and with a bold label as a plain one."""
    text = BULLET.sub("", row.strip())
    if zoom := _ZOOM.match(text):
        return f"{zoom['name']}: {zoom['rest']}"
    bold = _BOLD.match(text)
    return f"{bold['a']}: {bold['rest']}" if bold else text


def _label(row: str, text: str, cast: Cast, allowed: dict[str, set[str] | None]) -> Found | None:
    if found := _labelled(row, cast):
        return found
    for shape in SHAPES:
        # A known name before a tab is a row of a table, however few rows it has.
        if shape.code not in allowed and not (shape.code == "name, tab" and "\t" in text):
            continue
        match = shape.pattern.match(text)
        if match is None or not (name := _hit(shape, text)):
            continue
        names = allowed.get(shape.code, set())
        if names is None or _folded(name) in names or cast.knows(name):
            return Found(name, match["rest"], shape.evidence)
    return None


def _labelled(row: str, cast: Cast) -> Found | None:
    """Return the label of a row that opens with a speaker's name and a colon, or is a known name in capitals."""
    text = BULLET.sub("", row)
    if text.partition(":")[0].strip("*_ ").casefold() in NO_NAMES or HEADING.match(text):
        return None
    bold = _BOLD.match(text)
    if bold and (bold["colon"] or text[bold.end("a")] in ":："):
        if is_label(name := markdown.restored(bold["a"]), bold["rest"], cast):
            return Found(name, bold["rest"], "bold")
        return None
    prefix = _PREFIX.match(bare(row))
    if prefix and is_label(name := markdown.restored(prefix["a"]), prefix["rest"], cast):
        return Found(name, prefix["rest"], "prefix")
    name = text.strip("*_ ")
    if name.isupper() and is_name(name) and cast.knows(name):
        return Found(name, "", "name_line")
    return None


def script_cast(rows: Sequence[str], persona: Persona) -> Cast:
    """Return the names that a script uses. If the character speaks, a label may come once: scenes can be short."""
    plain = [markdown.restored(bare(row)) for row in rows]
    blocks = _capitals_alone(rows)
    talk = [row for row in rows if row.strip() and not HEADING.match(row) and not DIRECTION.match(row)]
    labels = Counter(m["a"].casefold() for row in plain if (m := _PREFIX.match(row)) and is_name(m["a"]))
    # Speech recognition writes no capitals; where labels open most rows, they may stand before a small letter.
    most = 2 * (blocks.total() + labels.total()) >= len(talk)
    given = {name for name, times in (blocks + labels if most else blocks).items() if times > 1} - NO_NAMES
    if given and labels.total() >= _NEARLY_ALL * len(talk):
        given |= labels.keys() - NO_NAMES
    cast = cast_of(plain, given, persona, script=True, forms=False)
    if not any(cast.may_be_character(found.name) for row in rows if (found := _labelled(row.strip(), cast))):
        return cast
    bold = {m["a"].casefold() for row in rows if (m := _BOLD.match(BULLET.sub("", row.strip()))) and m["a"] != m[0]}
    names = {*blocks, *((labels.keys() if most else labels.keys() & bold) - NO_NAMES)}
    return cast_of(plain, names, persona, script=True, forms=False)


def _capitals_alone(rows: Sequence[str]) -> Counter[str]:
    """Count, case folded, the names in capitals that are alone above a line that is not one."""
    names = [name if (name := row.strip().strip("*_ ")).isupper() and is_name(name) else "" for row in rows]
    below = zip(names, [*names, ""][1:], [*rows, ""][1:], strict=True)
    return Counter(name.casefold() for name, other, row in below if name and row.strip() and not other)


def _hit(shape: Shape, text: str) -> str:
    """Return the name that a row has in a shape, or an empty text."""
    match = shape.pattern.match(text)
    if match is None:
        return ""
    name = markdown.restored(match["name"]).strip(" *_")
    if shape.code == "<name>":
        known = name.lower() in _MEANT_AS_MARKUP or name.startswith("/") or "</" in match["rest"]
        return "" if known or "://" in name or "=" in name else name
    if shape.code == "NAME. Words" and not name.isupper():
        return ""
    return name if is_name(name) and _folded(name) not in NO_NAMES | _COLUMN_TITLES else ""


def _allowed(shape: Shape, hits: Sequence[str], talk: int, cast: Cast) -> set[str] | None:
    """Return the names that count in a shape, an empty set for all, or None where the file does not use the shape."""
    counts = Counter(map(_folded, hits))
    if not counts:
        return None
    here = any(cast.is_character(name) for name in hits)
    total, recurring = counts.total(), {name for name, times in counts.items() if times > 1}
    if shape.code == "[name]":
        # `[music]` recurs too; the character's own name in the shape shows that it is for names.
        if total < 2 or not (here or total >= 0.8 * talk) or total < _MIN_SHARE * talk:
            return None
    elif shape.weak:
        if total < _MIN_LABELLED or not recurring or len(counts) < 2 or 2 * total < talk:
            return None
    elif total < 2 or not (here or recurring or shape.code == "SPEAKER_00") or total < 0.25 * talk:
        return None
    if shape.code in ("<name>", "SPEAKER_00") or total >= _NEARLY_ALL * talk:
        return set()
    once = counts.keys() - recurring
    if shape.code == "name「…」" and 2 * total >= talk:
        # 炭治郎は「…」 is prose: the topic of a sentence, not a label.
        return recurring | {name for name in once if not _PARTICLE.search(name)}
    return recurring


def _headings(rows: Sequence[str], cast: Cast) -> dict[int, Found]:
    """Return the Markdown headings of one level that are names: some recur, and most of the level's are names."""
    levels: dict[str, dict[int, str]] = {}
    others: Counter[str] = Counter()
    for index, row in enumerate(rows):
        match = _MARKDOWN_HEADING.match(row) if row.lstrip()[:1] == "#" else None
        if match is None:
            continue
        name = markdown.restored(match["name"]).strip("*_ :：")
        if is_name(name) and not HEADING.match(name):
            levels.setdefault(match["level"], {})[index] = name
        else:
            others[match["level"]] += 1
    found: dict[int, Found] = {}
    for level, names in levels.items():
        counts = Counter(map(_folded, names.values()))
        recurring = {name for name, times in counts.items() if times > 1}
        here = any(map(cast.is_character, names.values()))
        # `### Added` recurs in a list of changes.
        shown = here or all(name.isupper() for name in names.values())
        if len(names) < 2 or not shown or (not recurring and others[level]):
            continue
        many = here or sum(counts[n] for n in recurring) >= len(names) / 2
        for index, name in names.items():
            if _folded(name) in recurring or cast.knows(name) or many:
                found[index] = Found(name, "", "name_line", over=True)
    return found


def _alone(rows: Sequence[str], cast: Cast, taken: set[int]) -> dict[int, Found]:
    """Return the rows that are only a name above what that person says.

    In bold, or in ordinary case where most blocks of the file open so. In a file with a blank line after every row, as
    documents have, the words come after the blank line.
    """
    full = [i for i, row in enumerate(rows) if row.strip()]
    spaced = sum(b - a > 1 for a, b in pairwise(full)) >= 0.9 * max(1, len(full) - 1)
    bold: dict[int, str] = {}
    plain: dict[int, str] = {}
    opens = 0
    for place, index in enumerate(full):
        row, before = rows[index].strip(), full[place - 1] if place else -2
        below = full[place + 1] if place + 1 < len(full) else None
        opens += index - before > 1
        if below is None or index in taken or (below - index > 1 and not spaced and not row.startswith(("**", "__"))):
            continue
        match = _BOLD_ALONE.match(BULLET.sub("", row))
        name = markdown.restored(match["name"]).strip() if match else row.strip("*_ ")
        if not is_name(name) or HEADING.match(name) or row.endswith((".", "!", "?", "…", "。", "！", "？", ",")):
            continue
        if match:
            bold[index] = name
        elif index - before > 1:
            plain[index] = name
    found = {i: Found(name, "", "name_line") for i, name in _recurring(bold, cast).items()}
    names = _recurring(plain, cast)
    share = 0.3 if spaced else 0.6
    if len({_folded(n) for n in names.values()}) >= 2 and len(names) >= share * opens:
        found |= {i: Found(name, "", "name_line") for i, name in names.items()}
    return found


def _recurring(names: dict[int, str], cast: Cast) -> dict[int, str]:
    """Return the names that come twice or are the character's; with the character among them, the others too."""
    counts = Counter(map(_folded, names.values()))
    here = any(cast.is_character(name) for name in names.values()) and max(counts.values(), default=0) > 1
    return {i: n for i, n in names.items() if counts[_folded(n)] > 1 or here or cast.is_character(n)}


def _folded(name: str) -> str:
    return _MANNER.sub(" ", name).strip(" *_").casefold()
