"""Find and replace in the turns of a dialogue. Pure.

Letters are compared in NFC, and a match never ends between a letter and its marks: `a` does not match the beginning of
an `ạ` that is written with a separate dot.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from annotations.search_text import folded
from curation.errors import UsageError
from curation.record import Message

# Marks that stand behind a letter. `\w` does not count them as part of a word.
_MARKS = "\u0300-\u036f"


@dataclass(frozen=True, slots=True)
class Replacement:
    """What to find and what to put in its place. Raises UsageError for a pattern that cannot be used.

    ``regex`` takes ``find`` for a regular expression of Python and lets ``put`` name its groups (``\\1``). With
    ``whole_word`` a match is not part of a longer word. ``only_assistant`` leaves the turns of others as they are.
    """

    find: str
    put: str
    regex: bool = False
    whole_word: bool = False
    ignore_case: bool = False
    only_assistant: bool = False
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        find = unicodedata.normalize("NFC", self.find)
        if not find.strip():
            raise UsageError("there is nothing to find. Give the text that is to be replaced.")
        inner = find if self.regex else re.escape(find)
        before, behind = (rf"(?<![\w{_MARKS}])", rf"(?![\w{_MARKS}])") if self.whole_word else ("", f"(?![{_MARKS}])")
        try:
            pattern = re.compile(f"{before}(?:{inner}){behind}", re.IGNORECASE if self.ignore_case else 0)
            if self.regex:
                pattern.sub(self.put, "")
        except re.error as error:
            raise UsageError(
                f"{self.find!r} → {self.put!r} is not a regular expression of Python: {error}. Fix it, or search for "
                "the text as it stands."
            ) from None
        except IndexError as error:
            raise UsageError(f"{self.put!r} names a group that {self.find!r} does not have: {error}.") from None
        if pattern.match(""):
            raise UsageError(f"{self.find!r} matches an empty text, so it matches everywhere. Expected a letter.")
        object.__setattr__(self, "_pattern", pattern)

    def apply(self, messages: Sequence[Message]) -> tuple[tuple[Message, ...], int]:
        """Return the turns with every match replaced, and the number of matches."""
        found = 0
        put = unicodedata.normalize("NFC", self.put)

        def one(match: re.Match[str]) -> str:
            nonlocal found
            if not match.group():  # a place between letters, such as `\\b`, is not a text to replace
                return ""
            found += 1
            return match.expand(put) if self.regex else put

        turns = []
        for message in messages:
            before, text = found, unicodedata.normalize("NFC", message.content)
            new = self._pattern.sub(one, text) if message.role == "assistant" or not self.only_assistant else text
            turns.append(replace(message, content=new) if found > before else message)
        return tuple(turns), found

    @property
    def text(self) -> str:
        """The text that a sample must hold to match at all, folded as searches compare it; empty for a regex."""
        return "" if self.regex else folded(self.find, True)
