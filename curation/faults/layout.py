"""What does not belong into speech: markup, links, stage directions, speakers' labels in the middle of a line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from curation.faults.dialogue import NOT_NAMES
from curation.faults.registry import fault
from curation.faults.words import patterns
from curation.persona import Persona

_MARKUP = re.compile(
    r"""
    </?[^\W\d_][\w-]*(?:\s[^<>\n]{0,200})?\s?/?> | <!--.*?-->
  | &(?:[a-z]{2,8}\d?|\#\d{1,7}|\#x[\da-f]{1,6});
  | ```[a-z]* | `[^`\n]{1,80}` | ^\#{1,6}\ (?=\S)
  | \*\*[^*\n]{1,200}\*\* | (?<!\w)__[^_\n]{1,200}__(?!\w) | ~~[^~\n]{1,200}~~
  | !?\[[^\]\n]{1,200}\]\([^)\s]{1,300}\)
  | \[/?(?:b|i|u|s|url|img|color|size|quote|code)(?:=[^\]\n]{1,80})?\]
  | \[\[[^\]\n]{1,100}\]\] | '''[^'\n]{1,100}''' | ^==+[^=\n]{1,100}==+$ | \{\\[a-z0-9][^}\n]{0,80}\}
  | \{\{[^{}|\n]{1,60}\|[^{}\n]{0,200}\}\}
  | ^\|.{0,200}\|$ | ^>\ (?=\S) | ^-{3,}$
  | \{\s*"[^"\n]{1,40}"\s*: | "(?:role|content|output|input|instruction|reply|response|text)"\s*:
  | (?<![\w:]):[a-z]+(?:_[a-z]+)*:(?![\w:])
  | \\(?:begin|end|textbf|textit|frac)\{ | \\[a-z]
    """,
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
# One line that begins so is a way to write; two are a list.
_ITEM = re.compile(r"^(?:[-*+•]|\d{1,2}[.)])\ +(?=\S)", re.MULTILINE)

_ENDINGS = "com|net|org|vn|io|gg|me|xyz|info|co|dev|app|tv|ly|ai|jp|ru|edu|gov|wiki|site|online|shop|be|us|uk"
_LINK = re.compile(
    rf"""
    \b(?:h(?:tt|xx)ps?|ftp|file)(?:\[:\]|:)//[^\s<>"'“”]+
  | \b[a-z0-9-]+\s?[\[(]\.[\])]\s?[a-z]{{2,6}}\b | \bhttps?:/?\s?/?\b[\w.-]+ | \bwww\.[^\s<>"'“”]+ | \bmailto:\S+
  | (?<![\w@.-])[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.(?:com|net|org|io|xyz|info|vn|gg|dev)(?![\w-])(?:/[^\s<>"']*)?
  | (?<![\w@.-])[a-z0-9][a-z0-9-]*(?:\.[a-z0-9-]+)*\.(?:{_ENDINGS})/[^\s<>"']+
  | (?<![\w@])[@\#][^\W\d_][\w.]{{2,}}
  | \b(?:discord\.gg|youtu\.be|t\.me|bit\.ly)\b\S*
    """,
    re.IGNORECASE | re.VERBOSE,
)

_ACTION = patterns("action")
_BRACKETS = re.compile(
    r"\(([^()\n]{1,200})\)|\[([^\[\]\n]{1,200})\](?!\()|（([^（）\n]{1,200})）|【([^【】\n]{1,200})】"
)
# What is said in brackets is said: it ends as a sentence, or speaks of `ta`, `ngươi`, `I`.
_SAID = re.compile(r"[.!?…]$|\b(?:ta|ngươi|I|you|me|my)\b")
_STARS = re.compile(r"(?<![*\w])\*(?![*\s])([^*\n]{1,200}?)(?<!\s)\*(?!\*)")
_WAVES = re.compile(r"(?<![~\w])~(?![~\s])([^~\n]{1,200}?)(?<!\s)~(?!~)")
_LINES = re.compile(r"(?<![_\w])_(?![_\s])([^_\n]{1,200}?)(?<!\s)_(?![_\w])")
# What stands between angle brackets or two asterisks is markup; with an action inside it is a direction as well.
_FRAMED = re.compile(
    r"(?<!<)<([^\W\d_][^<>|/\n=]{1,60})>(?!>)|\*\*([^*\n]{1,80})\*\*|"
    r"(?<!\S)(?:--|–|—) ([^\n–—]{3,60}?) (?:--|–|—)(?!\S)"
)
_BEFORE = re.compile(r"(?:^|[.!?…,:;\n\"”’')\]*])\s*$")

_ROLES = (
    r"User|Assistant|Human|System|Chatbot|AI|Bot|GPT|ChatGPT|Model|Character|Người\ dùng|Trợ\ lý|Hệ\ thống|"
    r"Nhân\ vật|Người\ hỏi|Người\ chơi|Prompt|Response|Instruction|Output|Câu\ hỏi|Câu\ trả\ lời|Trả\ lời|Đáp|"
    r"Question|Answer|Narrator|Narration|Người\ dẫn(?:\ chuyện)?|Người\ kể(?:\ chuyện)?|Dẫn\ chuyện"
)
# In speech nothing else stands before a colon with a capital: `User: hi Assistant: hello` in the middle of a line.
_ANYWHERE = r"User|Assistant|Human|System|Chatbot|ChatGPT|Người\ dùng|Trợ\ lý|Hệ\ thống"


@fault
def markup(text: str, persona: Persona) -> Iterable[str]:
    """The reply holds HTML, Markdown, BBCode or wiki markup."""
    yield from (m.group() for m in _MARKUP.finditer(text))
    items = [m.group() for m in _ITEM.finditer(text)]
    if len(items) > 1:
        yield from items
    yield from (m.group() for m, inside in _between(text) if not _is_action(text, m, inside, persona))


@fault
def link(text: str, persona: Persona) -> Iterable[str]:
    """The reply holds an address of the web, a handle or a hashtag."""
    return (m.group() for m in _LINK.finditer(text))


@fault
def stage_direction(text: str, persona: Persona) -> Iterable[str]:
    """The reply tells in brackets or between asterisks what someone does."""
    for match in _BRACKETS.finditer(text):
        inside = next(group for group in match.groups() if group)
        if _is_action(text, match, inside, persona) and any(c.isalpha() for c in inside):
            yield match.group()
    yield from (m.group() for m, inside in _between(text) if _is_action(text, m, inside, persona))
    for match in _FRAMED.finditer(text):
        inside = next(group for group in match.groups() if group)
        if _ACTION.match(inside) and not _SAID.search(inside):
            yield match.group()
    for match in _narrated(persona.name).finditer(text):
        if action := _ACTION.match(text, match.end()):
            yield text[match.start() : action.end()]


@fault
def role_label(text: str, persona: Persona) -> Iterable[str]:
    """A role's label stands in the reply, or a known speaker's in the middle of a line."""
    names = (*persona.user_labels, persona.name, *persona.aliases, *persona.style.names)
    names += tuple(name for name in persona.address if name not in NOT_NAMES)
    for match in _labels(names).finditer(text):
        yield next(group for group in match.groups() if group)
    # The reply is another character's from its first word on.
    own = {persona.name, *persona.aliases}
    others = {*persona.style.names, *persona.address} - {*own, *NOT_NAMES}
    if others and (begun := re.match(rf"\s*(?:{'|'.join(map(re.escape, sorted(others)))})\s?[:：](?=\s)", text)):
        yield begun.group().strip()


def _between(text: str) -> Iterable[tuple[re.Match[str], str]]:
    """Yield what stands between asterisks, underscores or tildes."""
    for pattern in (_STARS, _LINES):
        yield from ((m, m.group(1)) for m in pattern.finditer(text))
    # A song may stand between tildes, too.
    yield from ((m, m.group(1)) for m in _WAVES.finditer(text) if _ACTION.search(m.group(1)))


def _is_action(text: str, match: re.Match[str], inside: str, persona: Persona) -> bool:
    """Return whether a piece tells an action: by its words, or because it stands for a sentence of its own."""
    if _ACTION.search(inside) or persona.name.casefold() in inside.casefold():
        return True
    if _SAID.search(inside):
        return False
    after = text[match.end() :].lstrip()
    alone = _BEFORE.search(text[: match.start()]) and (not after or not after[0].islower())
    return bool(alone)


@lru_cache(maxsize=8)
def _narrated(name: str) -> re.Pattern[str]:
    """Return a pattern of a sentence that tells what the character does; an action follows (`Inosuke gầm lên.`)."""
    return re.compile(rf"(?:(?<=[.!?…] )|^){re.escape(name)} (?:(?:liền|bèn|bỗng|lại|then|just) )?", re.MULTILINE)


@lru_cache(maxsize=8)
def _labels(names: tuple[str, ...]) -> re.Pattern[str]:
    known = "|".join(re.escape(name) for name in names)
    # Bold, brackets and hashes may stand around a label: `**Bạn:**`, `[User]:`. Beside a colon it can be a dash, or
    # what the speaker does: `Bot - …`, `Tanjiro (cười): …`.
    return re.compile(
        rf"""
          ^(Q\s?[:：])
        | ^[^\w\n]{{0,4}}((?:{_ROLES}|(?i:user|assistant|human|chatbot|system|bot|ai))\b[*_\])>]{{0,3}}\s?[:：])
        | ^[*_\[(<\#]{{1,4}}\s?((?:{known}|{_ROLES})[*_\])>]{{0,3}}\s?[:：][*_]{{0,2}})
        | (?<!\w)((?:{_ANYWHERE}|USER|ASSISTANT|HUMAN|SYSTEM)\s?[:：](?=\s|$))
        | (?<=[.!?…”’"'*)\]])\ +[*_\[(]{{0,3}}((?:{known}|{_ROLES})[*_\])]{{0,3}}\s?[:：][*_]{{0,2}}(?=\s))
        | ^((?:{_ROLES})\ (?:[-–—]|said:|says:|nói:|trả\ lời:|đáp:)(?=\s))
        | (?<![\w,])((?:{known}|{_ROLES})\ ?\([^()\n]{{1,40}}\)\s?[:：])
        | ^((?:{known})\s?[:：])(?=[^\n]*\n(?:{known}|{_ROLES})\s?[:：])
        | ([\[<(](?i:user|assistant|human|system|bot|người\ dùng|trợ\ lý)[\])>])
        """,
        re.MULTILINE | re.VERBOSE,
    )
