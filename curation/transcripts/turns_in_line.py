"""Two people in one line: where a second turn opens inside it, and where one may. Pure.

In: a cleaned line and the file's cast. Out: the same words with a line break before each turn that surely opens
(:func:`apart`), and whether a piece may still hold another speaker's words (:func:`doubtful`).
"""

from __future__ import annotations

import re

from curation.transcripts.cast import Cast, is_label
from curation.transcripts.label_words import (
    BRACKETED,
    CORNERED,
    DASH,
    HAS_BRACKET,
    LABEL,
    LOOSE_OPENS,
    QUOTING,
    is_caps,
    is_name,
    may_be_bracketed,
)
from curation.transcripts.trade_words import name_kind

_ENDS = '.!?…。！？"”»」』)）]】♪~―—-'
_CHEVRONS = re.compile(r"[ \t]*(?<![<=])>{2,}[ \t]*(?=\S)")
# The words before a colon, back to the end of a sentence, a bracket or the start of the line.
_BEFORE_COLON = re.compile(
    r"(?P<label>[^\s:：.!?…。！？,，、;\n\"“”»「」][^:：.!?…。！？;\n\"“”»「」]{0,40}?)"
    r"(?:\s?[(（\[][^)）\]\n]{1,30}[)）\]])?\s?[:：](?!//|\d)"
)
# `**Name:** words`, `**Name**: words`, and the same with the three apostrophes of wikis.
_BOLD_LABEL = re.compile(r"(?:\*\*|''')(?P<label>[^*:：\n']{1,40})(?:[:：]\s*(?:\*\*|''')|(?:\*\*|''')\s*[:：])\s*")
_DASH_AFTER_END = re.compile(r"(?<=[.!?…。！？\"”»♪~])[ \t]+(?=[-‐‑–—―][ \t]*[^\s\d-])")
# A dash opens the line, after its label if it has one: each dash after the end of a sentence is another person.
_DASH_FIRST = re.compile(
    r"^\s*(?:[^:：\n]{1,40}[:：]\s*|[\[(（【［〔][^\])）】］〕\n]{1,40}[\])）】］〕]\s*)?[-‐‑–—―]\s*[^\s\d-]"
)
_TITLE = re.compile(r"\b(?:MR|MRS|MS|DR|PROF|ST)\.\s*$", re.IGNORECASE)
_QUESTION = re.compile(r"[?？][\"”»」)）]*\s*\n\s*(?=\S)")
_OPENS_GREAT = re.compile(r"[-‐‑–—―][ \t]*(?:[^\W\d_a-zà-ỹ])")


def apart(text: str, cast: Cast) -> str:
    """Return a line with a break before each turn that opens inside it, at known labels, dashes and chevrons."""
    if ">>" in text:
        text = _CHEVRONS.sub("\n>> ", text).lstrip("\n")
    if "「" in text or "『" in text:
        text = CORNERED.sub(lambda m: _cornered(m) if cast.knows(m["label"]) else m[0], text)
        text = text.strip("\n").replace("\n\n", "\n")
    if "**" in text or "'''" in text:
        text = _BOLD_LABEL.sub(lambda m: f"{m['label']}: ", text)
    text = "\n".join(_DASH_AFTER_END.sub("\n", line) if _DASH_FIRST.match(line) else line for line in text.split("\n"))
    lines: list[str] = []
    for line in text.split("\n"):
        if HAS_BRACKET.search(line):
            line = _apart_at_brackets(line, cast)
        for form in cast.forms.written:
            line = form.inside.sub("\n", line)
        if ":" in line or "：" in line:
            line = _apart_at_colons(line, cast)
        lines.append(line)
    return "\n".join(lines)


def doubtful(text: str, cast: Cast, *, labelled: bool) -> bool:
    """Return whether a piece of the character's may hold another speaker's words.

    ``labelled``: its label stands in the text. Then a question and the line below it may be a question and its answer.
    """
    if "\n" in text and labelled and _QUESTION.search(text):
        return True
    if (dash := _DASH_AFTER_END.search(text)) and _OPENS_GREAT.match(text, dash.end()):
        return True
    if any(_may_open_turn(found, cast) for found in _brackets_inside(text)):
        return True
    if not (":" in text or "：" in text):
        return False
    for found in _BEFORE_COLON.finditer(text):
        label, rest = _last_sentence(found), text[found.end() :].lstrip()
        if not rest:
            continue
        tail = label.split()
        if _opens(text, found.start()) and is_name(label) and not name_kind(label) and not rest[:1].islower():
            return found.start() > 0 or cast.knows(label)
        # `tell you, Tanjiro: run!` and `Inosuke laughs: …`: a name before or at the start of the words before a colon.
        if len(tail) > 1 and (cast.knows(tail[-1]) or (found.start() == 0 and cast.is_character(tail[0]))):
            return True
    return False


def _apart_at_brackets(line: str, cast: Cast) -> str:
    """Break before each name in brackets that the file uses as a label, after the end of a sentence or in （）."""
    cuts = [
        found.start()
        for found in _brackets_inside(line)
        if cast.labels_in_brackets(found["label"] or found["bold_label"])
    ]
    return _cut(line, cuts)


def _may_open_turn(found: re.Match[str], cast: Cast) -> bool:
    """Return whether a name in brackets inside a line may open another person's turn."""
    label = found["label"] or found["bold_label"]
    quoted = (found["open"] or found["bold"]) in QUOTING
    return may_be_bracketed(label) and (not quoted or cast.labels_in_brackets(label))


def _cornered(found: re.Match[str]) -> str:
    """Return a turn in corner quotes as one with a colon, on a line of its own."""
    return f"\n{found['label']}：{found['said'] or found['told'] or ''}\n"


def _apart_at_colons(line: str, cast: Cast) -> str:
    """Break before each known name, or name in capitals, that has a colon behind it."""
    first = LABEL.match(line)
    begin = first.start("rest") if first and is_label(first["label"], first["rest"], cast) else 0
    if begin and line.find(":", begin) < 0 and line.find("：", begin) < 0:
        return line  # most lines have one colon, behind the label that opens them
    cuts = []
    for found in _BEFORE_COLON.finditer(line, begin):
        rest = line[found.end() :].lstrip()
        label = _last_sentence(found)
        start = found.end("label") - len(label)
        if title := _TITLE.search(line, 0, start):
            start, label = title.start(), line[title.start() : found.end("label")]
        if start and rest and _opens(line, start) and _is_turn(label, rest, cast):
            cuts.append(start)
            continue
        # No end of a sentence before it: only capitals tell a label from a name that is called.
        words = label.split(" ")
        for number in range(1, min(3, len(words) - 1) + 1):
            name = " ".join(words[-number:])
            if rest and is_caps(name) and cast.knows(name) and not is_caps(label):
                cuts.append(found.end("label") - len(name))
                break
    return _cut(line, cuts)


def _is_turn(label: str, rest: str, cast: Cast) -> bool:
    """Return whether a name and a colon inside a line open another person's turn for sure."""
    if not is_name(label) or name_kind(label):
        return False
    if cast.knows(label):
        return is_caps(label) or not rest[:1].islower()
    return is_caps(label) and not is_caps(rest.split("\n")[0])


def _last_sentence(found: re.Match[str]) -> str:
    """Return the words before a colon, without a dash or a bold mark at their start."""
    return DASH.sub("", found["label"], count=1).lstrip("*_ ")


def _opens(line: str, at: int) -> bool:
    """Return whether a sentence ends right before this place, or the line begins there."""
    before = line[:at].rstrip(" \t*_")
    return not before or before[-1] in _ENDS or before[-1] == "\n"


def _brackets_inside(text: str) -> list[re.Match[str]]:
    """Return the names in brackets before words, those at the very start left out."""
    if not HAS_BRACKET.search(text):
        return []
    return [found for found in BRACKETED.finditer(text) if found.start() and _opens_loosely(text, found)]


def _opens_loosely(text: str, found: re.Match[str]) -> bool:
    return (found["open"] or "?") in LOOSE_OPENS or _opens(text, found.start())


def _cut(line: str, places: list[int]) -> str:
    """Put line breaks at these places; the white space before each goes."""
    for at in sorted(set(places), reverse=True):
        if line[:at].strip(" \t-‐‑–—―>*_"):
            line = f"{line[:at].rstrip()}\n{line[at:]}"
    return line
