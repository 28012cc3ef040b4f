"""Speakers' names that markup sets apart, given the one form that the readers of labels know: `Name: words`. Pure.

`<b>Tanjiro</b> We go.`, `{\\b1}Tanjiro{\\b0} We go.`, and `{Tanjiro} We go.` in ASS: the mark goes with the markup, so
such names have to be found before it does, and only where the file writes them so throughout (:func:`set_apart`).
`*Tanjiro*: We go.`, `_Tanjiro:_ We go.`, `"Tanjiro": We go.` are labels anywhere (:func:`unmarked`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import partial

from curation.importers.lines.raw_line import RawLine
from curation.persona import Persona
from curation.transcripts.label_forms import names_that_count
from curation.transcripts.label_words import is_name, is_sound, may_be_bracketed

_HTML = r"<(?:b|strong|i|em|u|font|span|c|mark)\b[^<>\n]{0,80}>"
_HTML_END = r"</(?:b|strong|i|em|u|font|span|c|mark)\s*>"
_ASS = r"\{(?:\\(?:[biu][1-9]\d*|r\w+|[1-4]?c&H[0-9A-Fa-f]+&?))+\}"
_ASS_END = r"\{(?:\\(?:[biu]0?|r|[1-4]?c(?:&H[0-9A-Fa-f]+&?)?))+\}"
_STARTS = r"(?:^|(?<=\n)|(?<=\\N)|(?<=<br>)|(?<=<br/>))"
_WORDS_BELOW = r"[ \t]*(?:\n|\\N|<br\s*/?>)?[ \t]*(?=[^\s:：<{\\-])"
# A name in bold, in italics or in a colour before words that are not.
_SET_APART = re.compile(
    rf"{_STARTS}(?P<lead>[ \t]*(?:[-–—]\s*)?)(?:(?:{_HTML})+\s*(?P<html>[^<>{{}}\n:：]{{1,40}}?)\s*(?:{_HTML_END})+"
    rf"|(?:{_ASS})\s*(?P<ass>[^<>{{}}\n:：\\]{{1,40}}?)\s*(?:{_ASS_END}))(?P<gap>{_WORDS_BELOW})"
)
# A comment of ASS that may be the speaker's name, written down for the team.
_COMMENTED = re.compile(
    rf"{_STARTS}(?P<lead>[ \t]*(?:[-–—]\s*)?)\{{(?P<ass>[^{{}}\\\n:：*]{{1,40}})\}}(?P<gap>{_WORDS_BELOW})"
)
# Markup before a letter: most lines have none, and those in italics throughout are sung or thought.
_HAS_MARKUP = re.compile(r"[>}][^\W\d_]|\{[^\W\d_]|\t")
# On fewer lines than one in this many, markup sets no names apart.
_SHARE = 3
# A name behind a tab, or in the tag of WebVTT that other formats do not have.
_TABBED = re.compile(rf"{_STARTS}(?P<lead>[ ]*(?:[-–—]\s*)?)(?P<ass>[^<>{{}}\n:：\t]{{1,40}})(?P<gap>[ ]*\t\s*(?=\S))")
_VOICE = re.compile(r"<v(?:\.[\w.-]*)?[ \t]+(?P<name>[^<>\n:：]{1,40})>")
_TAGGED = re.compile(
    r"(?:^|(?<=\n))(?P<lead>[ \t]*(?:[-‐‑–—―][ \t]*)?)[@#](?P<name>[^\s@#:：][^\n@#:：]{0,39})[:：](?!//|\d)"
)
_MARKS = r"(?P<mark>\*{1,3}|_{1,3}|'{2,3}|~~|`|[\"“”'‘])"
_CLOSING = r"(?:(?P=mark)|[”’])"
# A label between marks of emphasis or quotes, at the start of a line or after a sentence.
_EMPHASISED = re.compile(
    rf"(?:^|(?<=\n)|(?<=[.!?…。！？] ))(?P<lead>[ \t]*(?:(?:[-‐‑–—―]|>{{2,}})[ \t]*)?){_MARKS}"
    rf"(?P<name>[^*_\n:：\"“”`~]{{1,40}}?)(?:\s?[:：]\s?{_CLOSING}|{_CLOSING}\s?[:：])(?!//|\d)[ \t]*"
)
_HAS_MARK = re.compile(r"[*_`~\"“”'‘@#]")


def set_apart(lines: Sequence[RawLine], persona: Persona, *, ass: bool) -> set[str]:
    """Put a colon behind the names that markup sets apart, and return them; lines with a speaker stay as they are."""
    patterns = [_SET_APART, _TABBED, *([_COMMENTED] if ass else [])]
    found: set[str] = set()
    for line in lines:
        if "<v" in line.text and not line.speaker:
            found |= {match["name"].strip() for match in _VOICE.finditer(line.text)}
            line.text = _VOICE.sub(lambda m: f"\n{m['name'].strip()}: ", line.text).lstrip("\n")
    marked = [line for line in lines if not line.speaker and _HAS_MARKUP.search(line.text)]
    for pattern in patterns if _SHARE * len(marked) >= len(lines) else ():
        hits = [(line, matches) for line in marked if (matches := _names(pattern, line.text))]
        names: Counter[str] = Counter(name for _, matches in hits for name, _ in matches)
        small = sum(words.islower() for _, matches in hits for _, words in matches)
        counted = set(names_that_count(names, small, len(lines), lambda name: _is_known(persona, name)))
        for line, _ in hits if counted else ():
            line.text = pattern.sub(partial(_labelled, names=counted), line.text)
        found |= counted
    return found


def unmarked(text: str) -> str:
    """Return a cleaned line whose labels have no marks around them: `*Inosuke*: Ha!` → `Inosuke: Ha!`."""
    if not (":" in text or "：" in text) or _HAS_MARK.search(text) is None:
        return text
    if "@" in text or "#" in text:
        text = _TAGGED.sub(lambda m: f"{m['lead']}{m['name'].strip()}:" if _is_label(m["name"]) else m[0], text)
    return _EMPHASISED.sub(lambda m: f"{m['lead']}{m['name'].strip()}: " if _is_label(m["name"]) else m[0], text)


def _names(pattern: re.Pattern[str], text: str) -> list[tuple[str, str]]:
    """Return (name, first character of its words) of each name that markup sets apart in a line."""
    found = [(_name(m), text[m.end() : m.end() + 1]) for m in pattern.finditer(text)]
    return [(name, words) for name, words in found if may_be_bracketed(name)]


def _name(found: re.Match[str]) -> str:
    return (found.groupdict().get("html") or found["ass"]).strip()


def _labelled(found: re.Match[str], names: set[str]) -> str:
    return f"{found['lead']}{_name(found)}: " if _name(found) in names else found[0]


def _is_label(name: str) -> bool:
    return is_name(name.strip()) and not is_sound(name.strip())


def _is_known(persona: Persona, name: str) -> bool:
    return persona.is_character(name) or persona.is_user(name)
