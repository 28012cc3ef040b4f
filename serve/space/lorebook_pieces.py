"""What a page needs to tell the facts of a run's lorebook without a server.

In: the run's persona. Out: plain data for ``page/local/lorebook.js``, which chooses facts as
:mod:`curation.lorebook` does and tells them as :func:`serve.answering.facts.told` does. A test compares the ids.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

from curation.chat import FACTS
from curation.lorebook.book import Book, Entry
from curation.lorebook.matching import MOST_SCANNED, ROUNDS, plain
from curation.lorebook.telling import left_for_fired
from curation.persona import Persona
from serve.answering.facts import SHARE


def lorebook_pieces(persona: Persona) -> dict[str, Any] | None:
    """Return a persona's lorebook as JSON, without the entries of :func:`untold`; None without a lorebook."""
    book = persona.book
    if book is None:
        return None
    left_out = {entry.number for entry in untold(book)}
    return {
        "entries": [_entry(entry) for entry in book.entries if entry.speaks and entry.number not in left_out],
        "depth": book.scan_depth,
        "budget": left_for_fired(book),
        "recursive": book.recursive,
        "rounds": ROUNDS,
        "most_scanned": MOST_SCANNED,
        "share": SHARE,
        "character": persona.name,
        "user": persona.user_label,
        "headings": FACTS,
        "show": persona.lorebook.show,
        "folded": _folded(),
    }


def untold(book: Book) -> list[Entry]:
    """Return the entries that a page cannot tell: those that only a pattern makes fire.

    JavaScript reads patterns otherwise than Python and cannot stop a slow one, and a book may come from a stranger.
    """
    return [entry for entry in book.entries if entry.speaks and entry.use_regex and not entry.always]


def _entry(entry: Entry) -> dict[str, Any]:
    """Return an entry with its keys ready to be compared."""
    fold = not entry.case_sensitive

    def ready(keys: tuple[str, ...]) -> list[str]:
        return [plain(key, fold) for key in keys]

    return {
        "number": entry.number,
        "name": entry.name,
        "content": entry.content,
        "keys": [] if entry.use_regex else [key for key in ready(entry.keys) if key],
        "secondary": ready(entry.secondary),
        "also": ready(entry.also),
        "excluded": ready(entry.excluded),
        "logic": entry.logic,
        "cased": not fold,
        "whole": entry.whole_words,
        "order": entry.order,
        "weight": entry.weight,
        "depth": entry.scan_depth,
        "only_messages": entry.only_messages,
        "fires_others": entry.fires_others,
        "after": entry.after,
        "every": entry.every,
        "keeps": entry.keeps,
        "once": entry.once,
        "always": entry.always,
        "fires": entry.always or (entry.constant and not entry.use_regex),
        "constant": entry.constant,
        "stands": entry.stands,
    }


@cache
def _folded() -> dict[str, str]:
    """Return every letter that folding its case changes: JavaScript knows small letters, but not this."""
    letters = map(chr, range(sys.maxunicode + 1))
    return {letter: folded for letter in letters if (folded := letter.casefold()) != letter}
