"""How often a file of subtitles or a script writes each name in which way. Pure.

In: cleaned lines (:meth:`Tally.look`). Out: the names before colons and corner quotes, those in brackets, and whether
the labels stand before sentences, as :mod:`curation.transcripts.cast` needs them to tell names from other words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from curation.transcripts.label_words import (
    BRACKETED,
    CORNERED,
    DASH,
    HAS_BRACKET,
    LABEL,
    LOOSE_OPENS,
    QUOTING,
    bare,
    is_caps,
    is_id,
    is_name,
    may_be_bracketed,
    parts,
)
from curation.transcripts.trade_words import name_kind

# In a subtitle file, words in ordinary case before a colon, and names in brackets, count from this many lines on.
RECURS = 3
# Where a known name is written in the same way, or most lines have a label, this many are enough.
AGAIN = 2
# Labels before words that begin in small letters: fewer than one in this many, and such a line is prose.
_PROSE = 4
# What ends a sentence before a name in brackets.
_ENDS = '.!?…。！？"”»」』♪'
# With labels on this share of the lines, a name that comes once is a label, too.
_NEARLY_ALL = 0.9
# They open a sentence with a colon behind them and are never a name.
_CALLS = frozenset(
    {
        *("listen", "look", "remember", "warning", "question", "answer", "rule", "note", "notes", "fact", "example"),
        *("first", "second", "third", "next", "result", "reason", "problem", "idea", "plan", "step", "news", "time"),
        *("now", "wait", "and", "but", "so", "because", "yes", "no", "ok", "okay", "attention", "caution", "ps"),
        *("p.s", "p.s.", "link", "source", "title", "chapter", "episode", "scene", "date", "place", "location"),
        *("nghe này", "nghe đây", "nghe", "chú ý", "lưu ý", "nhớ", "câu hỏi", "trả lời", "ví dụ", "kết quả", "lý do"),
        *("tập", "chương", "cảnh", "nguồn", "ghi chú", "và", "nhưng", "nên", "vậy", "xem này", "này", "tức là"),
        *("注意", "質問", "答え", "例", "結果", "理由", "条件", "问题", "回答", "结果", "原因", "주의", "질문", "대답"),
    }
)


@dataclass(slots=True)
class Tally:
    """The counts. Labels are as they are written; those in brackets are case folded, by the bracket that opens."""

    lines: int = 0
    opened: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    in_small: Counter[str] = field(default_factory=Counter)
    shouted: set[str] = field(default_factory=set)
    plainly: set[str] = field(default_factory=set)
    brackets: dict[str, Counter[str]] = field(default_factory=dict)
    bracketed_lines: Counter[str] = field(default_factory=Counter)
    before_small: Counter[str] = field(default_factory=Counter)
    at_once: set[str] = field(default_factory=set)
    capitals: int = 0
    small: int = 0
    great: int = 0

    def look(self, text: str) -> None:
        """Count the labels of one line, with its line breaks."""
        self.lines += 1
        if ":" in text or "：" in text:
            self._look_at_colons(text)
        if HAS_BRACKET.search(text) is None:
            return
        self._look_at_brackets(text)
        if "「" in text or "『" in text:
            for found in CORNERED.finditer(text):
                if is_name(found["label"]):
                    self.seen[found["label"]] += 1
                    self.opened += found.start() == 0

    def prose(self) -> bool:
        """Return whether the labels stand before sentences: a name before a small letter is no label then."""
        few_small = self.great >= RECURS and _PROSE * self.small <= self.great
        return self.capitals > self.small + self.great or few_small

    def labels(self, is_own: Callable[[str], bool], script: bool) -> set[str]:
        """Return the names, case folded, that recur before a colon or corner quotes. ``is_own``: in persona.toml."""
        seen, opened = self.seen, self.opened
        if not (script or seen or self.capitals) and any(map(is_own, self.in_small)):
            seen, opened = self.in_small, self.in_small.total()  # speech recognition writes no capitals
        folded: Counter[str] = Counter()
        for label, times in seen.items():
            folded[bare(label).casefold()] += times
        if script:
            return {label for label, times in folded.items() if times >= AGAIN}
        own = any(is_own(label) and (label in self.shouted or not is_caps(label)) for label in seen)
        often = [label for label, times in folded.items() if times >= AGAIN and label not in _CALLS]
        enough = RECURS
        if own or (len(often) > 1 and 2 * opened >= self.lines):
            enough = 1 if own and self.lines > 1 and opened >= _NEARLY_ALL * self.lines else AGAIN
        calls = set() if enough == RECURS else _CALLS
        return {label for label, times in folded.items() if times >= (RECURS if label in calls else enough)}

    def _look_at_brackets(self, text: str) -> None:
        for found in BRACKETED.finditer(text):
            opening = found["open"] or found["bold"]
            label = (found["label"] or found["bold_label"]).strip()
            before = text[: found.start()].rstrip(" \t")
            opens = not before or before[-1] == "\n" or not before.strip(" \t-‐‑–—―>")
            if opening in LOOSE_OPENS or opens or before[-1] in _ENDS:
                if (found["colon"] and opens and is_name(label) and not name_kind(label)) or is_id(label):
                    self.at_once.add(label)
                elif may_be_bracketed(label):
                    self.brackets.setdefault(opening, Counter())[bare(label).casefold()] += 1
                    self.bracketed_lines[opening] += opens
                    self.before_small[opening] += text[found.end() : found.end() + 1].islower()

    def _look_at_colons(self, text: str) -> None:
        if "**" in text:
            text = text.replace("**", "")
        if ">>" in text:
            text = text.replace(">>", "\n>>")
        opened = False
        for line in text.split("\n") if "\n" in text else (text,):
            match = LABEL.match(DASH.sub("", line, count=1))
            if match is None or not is_name(match["label"]):
                continue
            label, rest = match["label"], match["rest"]
            if is_id(label):
                self.plainly.add(label)
                continue
            caps = is_caps(bare(label))
            self.capitals += caps
            self.small += not caps and rest[:1].islower()
            self.great += not caps and rest[:1].isupper()
            if name_kind(label):
                continue
            if rest[:1].islower():
                self.in_small[label] += 1
            else:
                if caps and is_caps(rest):
                    self.shouted.add(label)
                self.seen[label] += 1
                opened = True
                # `>>` opens a turn, so a name and a colon behind it are a label without coming again.
                if (caps and not is_caps(rest)) or line.lstrip().startswith(">>"):
                    self.plainly.add(label)
        self.opened += opened


def names_in_brackets(tally: Tally, knows: Callable[[str], bool]) -> set[str]:
    """Return the labels, case folded, that the file writes in brackets to say who speaks.

    Those with a colon and those known count. Beside a known name in the same brackets, every other that is no sound
    does. Beside names with a colon, one must come twice; without either, it must recur beside another that does, or
    open many of the lines: one that recurs may be a sound.
    """
    found = {name.casefold() for label in tally.at_once for name in parts(label)}
    for opening, labels in tally.brackets.items():
        own = {label for label in labels if knows(label)}
        many = 2 * tally.bracketed_lines[opening] >= tally.lines
        few = len(labels) < 2 or 3 * tally.bracketed_lines[opening] < tally.lines
        if opening in QUOTING and ((few and not many) or 2 * tally.before_small[opening] > labels.total()):
            continue  # `«Inosuke» is here`, 《鬼滅の刃》: a word that is quoted, or a title
        often = {label for label, times in labels.items() if times >= RECURS}
        again = {label for label, times in labels.items() if times >= AGAIN}
        found |= own
        if own or tally.at_once:
            found |= labels.keys() if own and labels.total() > 1 and opening not in QUOTING else again
        elif len(often) > 1:
            found |= often
        elif many and (len(again) > 1 or opening not in QUOTING):
            found |= again
    return found
