"""A character's own words in a room: labels that the model writes itself are removed, and no one else's line is said.

A small model that reads ``Zenitsu: …`` writes such labels too. The rule, for a label at the beginning of the reply, of
a line, or after the end of a sentence: one with the character's own name is left out; one with anyone else's name ends
the reply before it. Knows nothing of models.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from serve.engine import Cancelled, Delta, Done, Event, Settings
from serve.speaking.draft import BREAK_OFF

# How often a reply is drawn that begins with another's line, so that nothing is left of it.
TRIES = 3
# Where a label may stand: at the beginning, in a new line, after the end of a sentence.
_PLACE = re.compile(r"\A\s*|\n\s*|(?<=[.!?…~”»」)*])\s+")
_OPENS, _CLOSES = "*_[(<", "*_])>"
Ask = Callable[[Settings, Cancelled], Iterator[Event]]


class Labels:
    """The names in a room: those of the character who speaks, and those of everyone else."""

    def __init__(self, own: Iterable[str], foreign: Iterable[str]) -> None:
        mine, theirs = ([name.strip() for name in some if name.strip()] for some in (own, foreign))
        self._is_own = {_fold(name): False for name in theirs} | {_fold(name): True for name in mine}
        # A model may write a letter and its mark as one sign or as two.
        forms = {unicodedata.normalize(form, name) for name in (*mine, *theirs) for form in ("NFC", "NFD")}
        names = "|".join(re.escape(name) for name in sorted(forms, key=len, reverse=True))
        opens, closes = re.escape(_OPENS), re.escape(_CLOSES)
        self._label = re.compile(
            rf"[{opens}]{{0,3}}(?P<name>{names})[ \t]?[{closes}]{{0,3}}[ \t]?[:：][*_]{{0,3}}\s*", re.IGNORECASE
        )

    def said(self, text: str, ended: bool) -> tuple[str, bool]:
        """Return what a character says in a text, and whether another's line begins in it, so that nothing follows.

        What may still become a label is left out, unless the text has ``ended``.
        """
        parts: list[str] = []
        copied = 0
        for match in _PLACE.finditer(text):
            place = match.end()
            if place < copied:
                continue
            while label := self._label.match(text, place):
                parts.append(text[copied:place])
                if not self._is_own.get(_fold(label["name"])):
                    return "".join(parts).rstrip(), True
                copied = place = label.end()
            if not ended and self._may_become_one(text[place:]):
                return "".join([*parts, text[copied:place]]).rstrip(), False
        return "".join([*parts, text[copied:]]).rstrip(), False

    def _may_become_one(self, tail: str) -> bool:
        """Return whether a label may grow from a text that is none yet."""
        begun = _fold(tail.lstrip(_OPENS))
        rest = f"{re.escape(_CLOSES)} \t"
        return any(
            name.startswith(begun) or re.fullmatch(rf"{re.escape(name)}[{rest}]{{0,5}}", begun) for name in self._is_own
        )


class OwnWords:
    """One reply as it grows. ``over`` tells that another's line began, so that nothing more is shown."""

    def __init__(self, labels: Labels) -> None:
        self.over = False
        self.shown = ""
        self.text = ""
        self._labels = labels

    def add(self, text: str, ended: bool = False) -> str:
        """Add a piece of the model's text; return what may be shown now. With ``ended`` nothing follows."""
        if self.over:
            return ""
        self.text += text
        said, self.over = self._labels.said(self.text, ended)
        shown, self.shown = self.shown, said
        return said[len(shown) :]


def own_words(ask: Ask, settings: Settings, cancelled: Cancelled, labels: Labels) -> Iterator[Event]:
    """Yield the events of an answer with the character's own words alone.

    ``ask(settings, cancelled)`` asks the engine. Where a reply is over, it is told that no one waits any more. A reply
    of which nothing is left is drawn again, with another seed; if that does not help, it is ``…``.
    """
    made, done = 0, Done("stop", 0, 0)
    for attempt in range(TRIES if settings.temperature else 1):
        words = OwnWords(labels)
        events = ask(_another(settings, attempt), lambda words=words: words.over or cancelled())  # type: ignore[misc]
        try:
            for event in events:
                if isinstance(event, Done):
                    done = event
                elif not isinstance(event, Delta):
                    yield event
                elif shown := words.add(event.text):
                    yield Delta(shown)
        finally:
            getattr(events, "close", lambda: None)()  # frees the engine's slot where the client has left
        made += done.completion_tokens
        left = done.finish_reason == "cancelled" and not words.over
        if rest := words.add("", ended=True):
            yield Delta(rest)
        if left or words.shown or not words.text.strip():
            break
    else:
        yield Delta(BREAK_OFF)
    yield replace(done, finish_reason="stop" if words.over else done.finish_reason, completion_tokens=made)


def _another(settings: Settings, attempt: int) -> Settings:
    if not attempt or settings.seed is None:
        return settings
    return settings.model_copy(update={"seed": (settings.seed + attempt) % 2**63})


def _fold(text: str) -> str:
    """Return a text for comparing, with the letters that `re.IGNORECASE` takes for one another alike.

    Decomposed, so that a letter whose mark has not come yet begins the one with it.
    """
    return unicodedata.normalize("NFD", text).casefold().replace("ı", "i").replace("i\u0307", "i")
