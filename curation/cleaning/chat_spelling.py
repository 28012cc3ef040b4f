"""Vietnamese as it is typed in chats: `k`, `đc`, `bik`, `j`. Pure.

No package has a list of it, so the commonest words stand here. Spellings of an accent (`hông`, `thui`, `nha`) are words
of the language and are left alone.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Words that are nothing else in Vietnamese.
_CHAT_WORDS = (
    "ko kô khg hok hk k kg đc dc đk bik bjt bjk mik mìk mk vl vcl vkl cx ntn trc ck vk nyc bn j gj z wá qá thik "
    "thíck lun roài rùi zậy dzậy dzô zô zui zề zìa zời bth bt nhìu chs sml clgt klq ib cmt ms hnay hqua hnao mng "
    "mn sn tks nge nhg nhm nma kphai kbh dz đz lm nv nch ik iu cj nek"
)
_CHAT = frozenset(_CHAT_WORDS.split())
# Letters that stand for a word only beside another word of a chat.
_LETTERS = frozenset("ehmrstv")
_WORD = re.compile(r"(?<![\w.\-'’/&@])[^\W\d_]+(?![\w\-'’/&@])")
# A unit (`3 kg`, `10 k`, `5 m`) or the name of a letter (`chữ k`).
_NOT_A_WORD = re.compile(r"(?:\d|(?<!\w)(?:chữ|nút|phím|điểm|hạng|lớp|vitamin)\s[\"']?)\s?$", re.IGNORECASE)
# `bao h`, `mấy h`: `h` is `giờ`.
_HOUR = re.compile(r"(?<!\w)(?:bao|mấy|may|bây|bay)\s$", re.IGNORECASE)
_OPENS = re.compile(r"(?:^|[.!?…\n])\s*$")


def is_chat_word(word: str) -> bool:
    """Return whether a word in lower case is an abbreviation of chats."""
    return word in _CHAT


@lru_cache(maxsize=4096)
def chat_words(text: str) -> tuple[str, ...]:
    """Return the words of a Vietnamese text that are spelled as in chats, in their order.

    Words in capitals do not count (`KO` is a knock-out), except a letter that opens a sentence (`K sao đâu`).
    """
    found: list[tuple[bool, str]] = []  # whether the word alone is enough, and the word
    for match in _WORD.finditer(text):
        word, before = match.group(), text[: match.start()]
        if _NOT_A_WORD.search(before):
            continue
        opens = _OPENS.search(before) is not None and text[match.end() : match.end() + 2].strip().islower()
        if not word[-1].islower() and not (len(word) == 1 and opens):
            continue
        small = word.lower()
        if small in _CHAT or (small == "h" and _HOUR.search(before)):
            found.append((True, word))
        elif word in _LETTERS:
            found.append((False, word))
    if any(sure for sure, _ in found) or len({word for _, word in found}) > 1:
        return tuple(word for _, word in found)
    return ()
