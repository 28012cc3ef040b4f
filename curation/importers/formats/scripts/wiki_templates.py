"""How wikis write dialogue in templates: which parameters hold the speaker and the words. A table, to be extended.

mwparserfromhell's `strip_code()` deletes templates, and a transcript's best lines with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Parameter names of one template. ``pairs``: the unnamed parameters are speaker, words, speaker, words, …"""

    words: tuple[str, ...] = ()
    speaker: tuple[str, ...] = ()
    pairs: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    """A template for words inside a line: the parameter with the words, and one with their reading, if any."""

    words: str = "1"
    reading: str | None = None


_QUOTE = Dialogue(words=("1", "text", "quote"), speaker=("2", "speaker", "author", "by", "source"))
_NAME_FIRST = Dialogue(words=("2", "text", "line"), speaker=("1", "name", "speaker", "character"))

# wiki → template → layout. A wiki is named by a folder on the file's path (`…/kimetsu-no-yaiba.fandom.com/ep1.wiki`);
# "*" counts for every wiki. Template names are in lower case.
MAP: dict[str, dict[str, Dialogue | Text]] = {
    "*": {
        "quote": _QUOTE,
        "cquote": _QUOTE,
        "quotation": _QUOTE,
        "dialogue": Dialogue(pairs=True),
        "dialog": Dialogue(pairs=True),
        "talk": _NAME_FIRST,
        "line": _NAME_FIRST,
        "say": _NAME_FIRST,
        "speech": _NAME_FIRST,
        "ruby": Text("1", "2"),
        "furigana": Text("1", "2"),
        "nihongo": Text("1", "2"),
        "lang": Text("2"),
        "color": Text("2"),
        "tt": Text("1"),
    },
    # https://starwars.fandom.com/wiki/Template:Dialogue has the words first in its short form.
    "starwars.fandom.com": {"quote": Dialogue(words=("1",), speaker=("2",))},
    "rainverse.wiki": {"talk/other": Dialogue(words=("text",), speaker=("name",))},
}


def layout(template: str, path: str) -> Dialogue | Text | None:
    """Return the layout of a template on the wiki that the file lies under, or None where MAP has none."""
    name = template.strip().replace("_", " ").lower()
    for folder in PurePosixPath(path).parts:
        if name in MAP.get(folder, {}):
            return MAP[folder][name]
    return MAP["*"].get(name)


def lines(layout: Dialogue, parameters: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield (speaker, words) of one use of a template; the speaker is empty where the template names none."""
    if layout.pairs:
        unnamed = [parameters[k] for k in sorted((k for k in parameters if _is_position(k)), key=int)]
        yield from zip(unnamed[0::2], unnamed[1::2], strict=False)
        return
    words = next((parameters[k] for k in layout.words if parameters.get(k, "").strip()), "")
    if words:
        yield next((parameters[k] for k in layout.speaker if parameters.get(k, "").strip()), ""), words


def _is_position(key: str) -> bool:
    return key.isascii() and key.isdecimal() and len(key) < 6
