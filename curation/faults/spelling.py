"""Typing errors in Vietnamese words and phrases, and profanity. What may be right is not flagged."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from curation.cleaning.word_lists import frequency, knows, latin_languages, may_be_romaji
from curation.faults import vietnamese
from curation.faults.registry import fault
from curation.faults.syllables import TONES, beginning, is_foreign, is_syllable
from curation.faults.words import WORDS, whole
from curation.persona import Persona

# A name that is mangled with hyphens (`Íc-xì`) is no slip.
_WORD = re.compile(r"(?<![\w-])[^\W\d_]+(?![\w-])")
# A cry is written as it sounds: `hừừ`, `grừ`, `brừm`.
_SOUND = re.compile(r"(\w)\1|^[bgkp]r", re.IGNORECASE)
_BORROWED = frozenset(WORDS["spelling"]["borrowed"])
_LEAST_LETTERS = 3
_STRANGE = 5  # letters of a word that no language has, with a letter that Vietnamese does not write
_SCRAMBLED, _COMMON = 6, 5e-6  # letters of an English word, and the share of the one that was meant
# The last letter typed twice, where a cry would not: `cayy`, `khongg`.
_TAIL = re.compile(r"([bcdgklmnpstvxy])\1$")
# `dd` and `uw` are how Telex types đ and ư; Vietnamese and English words have neither (but `ddos`, `uwu`).
_TELEX = re.compile(r"(?<!\w)(?!ddos|uwu)(?:dd[a-z]{1,6}|[a-z]{0,4}uw[a-z]{1,5})(?!\w)", re.IGNORECASE)
_GLUED = re.compile(r"[^\W\d_]{2,}[.!?,;][^\W\d_]{2,}")
_LOANS = frozenset(WORDS["syllable"]["loans"])
_PHRASES = whole(*WORDS["spelling"]["phrases"])
_ENGLISH = whole(*WORDS["spelling"]["english"])
_TWICE = re.compile(rf"(?<!\w)({'|'.join(WORDS['spelling']['doubled'])}) \1(?!\w)", re.IGNORECASE)
# A consonant that is typed twice by mistake; in a cry it is a vowel, m, n, h, g or r.
_DOUBLED = re.compile(r"([bcdđklpqstvx])\1(?!\1)", re.IGNORECASE)
_FIRST_TWICE = re.compile(r"^([nhmg])\1(?=[^\W\d_]{2,}$)", re.IGNORECASE)
# At the end m, n or g typed twice; drawn out it has three. Sounds (`ầmm`, `hừmm`) are left alone.
_END_TWICE = re.compile(r"(?<!m)m$|(?<!n)n$|(?<!g)g$")
_NOISE = re.compile(r"(?:h|gr?|b|r|đ)?[aàâầuùưừứơờ](?:m|ng?)")
# A key of Telex that was typed too late, or beside the right one: `Đưngf`, `mạnhj`.
_LATE_KEY = re.compile(r"[^\W\d_]{2,}[fj]")
_MARKED_TWICE = re.compile(r"([à-ỹ])\1(?=[^\W\d_])", re.IGNORECASE)
# Marks that no other language has: a letter of another language beside them is a slip (`njư`, `tjấy`).
_OURS = re.compile("\u031b|[\u0302\u0306][\u0300\u0301\u0303\u0309\u0323]|\u0323[\u0302\u0306]|[\u0309\u0323]|đ")
# A vulgar word that is hidden: `f***`, `đ*t`, `b1tch`, `Đ.ị.t`. Bold words (`**rất**`) have no letter before the stars.
_MASKED = re.compile(
    r"(?<![\w*])[^\W\d_](?:[^\W_]|[.·_@$!-](?=[\w*])|\*)*(?:[^\W_]|\*)(?:(?: [^\W\d_]+)(?=\W|$))?(?![\w*])"
)
_STARRED = re.compile(r"^[^\W\d_]\*+[^\W\d_]*$|^[^\W\d_]{1,3}\*{2,}")
_LEET = str.maketrans("013457@$!", "oieastasi")


@fault
def typing_error(text: str, persona: Persona) -> Iterable[str]:
    """A word cannot be Vietnamese, two words do not go together, or a space is missing after a mark."""
    words = _WORD.findall(text)
    marked = [w for w in words if not w.isascii()]
    sound = [w for w in marked if is_syllable(w)]
    if "vi" in persona.languages and len(sound) >= 2 and 2 * sum(map(is_syllable, words)) >= len(words):
        wrong = set(marked) - set(sound)
        yield from (w for w in words if w in wrong and _is_slip(w))
        yield from (m.group() for m in _TELEX.finditer(text))
        yield from (m.group() for m in _PHRASES.finditer(text))
        # Several of them are speech that is mangled on purpose (`nấu lước ná`).
        names = {name.lower() for name in (persona.name, *persona.style.names, *persona.address)}
        small = {w for w in words if w.islower() or (is_syllable(w) and w.lower() not in names and _opens(w, text))}
        strange = {w for w in small - wrong if _is_no_word(w.lower(), text)}
        yield from strange if len(strange) == 1 else ()
        yield from (w for w in words if w not in strange and _is_telex(w, text))
    elif "en" in persona.languages:
        yield from (w for w in words if _is_scrambled(w.lower()) and (w.islower() or _opens(w, text)))
    for pattern in (_ENGLISH, _TWICE):
        yield from (m.group() for m in pattern.finditer(text))
    yield from (m.group() for m in _GLUED.finditer(text) if _lacks_a_space(m.group()))


@fault
def profanity(text: str, persona: Persona) -> Iterable[str]:
    """The reply has a word of the persona's list of profanity, or of the usual one."""
    listed = WORDS["spelling"]["profanity"] if persona.style.profanity is None else persona.style.profanity
    if not listed:
        return
    said = whole(*listed)
    yield from (m.group() for m in said.finditer(text))
    for match in _MASKED.finditer(text):
        word = match.group()
        bare = re.sub(r"(?<=\w)[.*·_-](?=\w)", "", word).translate(_LEET)
        if _STARRED.search(word.split()[0]) or (bare != word and said.fullmatch(bare)):
            yield word


def _is_telex(word: str, text: str) -> bool:
    """Return whether a word is what Telex keys leave behind: ``nguowif``, ``Khoong``, ``luaatj``."""
    small = word.lower()
    if not word.isascii() or word[1:] != small[1:] or (word[0].isupper() and not _opens(word, text)):
        return False
    if any(knows(code, small) for code in ("en", "ja")) or may_be_romaji(small):
        return False
    made = vietnamese.typed(small)
    return made != small and len(small) > _LEAST_LETTERS and vietnamese.in_use(made)


def _opens(word: str, text: str) -> bool:
    """Return whether a word stands at the beginning of a sentence, and nowhere else with a capital."""
    return re.findall(rf"(?:(?<=[.!?…] )|^){re.escape(word)}(?!\w)", text) == re.findall(
        rf"(?<!\w){re.escape(word)}(?!\w)", text
    )


def _is_no_word(word: str, text: str) -> bool:
    """Return whether a word in small letters is in no list: a syllable that no one uses, or letters in a wrong order.

    A cry is spelt as it sounds, a word that is also written with a capital may be a name, and a word of another
    language is in its list.
    """
    if is_foreign(word) and len(word) >= _STRANGE and not _SOUND.search(_bare(word)) and not may_be_romaji(word):
        return word.isascii() and word not in _LOANS and not any(knows(code, word) for code in latin_languages())
    if len(word) < _LEAST_LETTERS or _SOUND.search(_bare(word)) or is_foreign(word) or f" {word.title()}" in text:
        return bool(len(word) > _LEAST_LETTERS and _TAIL.search(word) and is_syllable(word[:-1]))
    if vietnamese.typed(word) != word and vietnamese.in_use(vietnamese.typed(word)) and not knows("en", word):
        return True
    if is_syllable(word):
        return not vietnamese.in_use(word) and not knows("en", word) and not _is_echo(word, text)
    known = word in _LOANS or any(knows(code, word) for code in latin_languages())
    return word.isascii() and not known and not may_be_romaji(word)


def _is_scrambled(word: str) -> bool:
    """Return whether an English word has two letters in the wrong order, or one twice: ``moutnain``, ``bigg``."""
    if len(word) < _SCRAMBLED or not word.isascii() or any(knows(code, word) for code in latin_languages()):
        return False
    swapped = (word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(1, len(word) - 1))
    single = (word[:i] + word[i + 1 :] for i in range(len(word) - 1) if word[i] == word[i + 1])
    return any(frequency("en", meant) >= _COMMON for meant in (*swapped, *single) if meant != word)


def _is_echo(word: str, text: str) -> bool:
    """Return whether a word is the second half of a sound: the same beginning or the same rime as its neighbour."""
    begin = re.escape(beginning(word) or word[0])
    return bool(re.search(rf"(?<!\w)({begin}(?!h)\w+ {word}|{word} {begin}(?!h)\w+)(?!\w)", text))


def _lacks_a_space(words: str) -> bool:
    """Return whether a mark stands between a sentence and the next one: `rồi.Ngươi`, not `www.rung.vn` or `Ph.D`."""
    end, begin = re.split(r"[.!?,;]", words)
    return end[-1].islower() and begin[0].isupper() and begin[1:].islower()


def _is_slip(word: str) -> bool:
    """Return whether a word that is not Vietnamese was meant to be: not a name, a cry or a word of another language."""
    small = word.lower()
    if _LATE_KEY.fullmatch(small) and is_syllable(small[:-1]) and vietnamese.in_use(small[:-1]):
        return True
    if small[-1:] == small[-2:-1] and _END_TWICE.search(small[:-1]) and not _NOISE.fullmatch(small[:-1]):
        return is_syllable(small[:-1]) and vietnamese.in_use(small[:-1])
    if word.casefold() in _BORROWED or (is_foreign(word) and not _is_ours(word)):
        return False
    # A consonant is typed twice at the beginning by mistake; at the end it is held, as a vowel is.
    # A drawn-out vowel has its mark once (`vàoo`), a vowel that is typed twice has it twice (`vàào`).
    single = _MARKED_TWICE.sub(r"\1", _DOUBLED.sub(r"\1", _FIRST_TWICE.sub(r"\1", word)))
    return not _SOUND.search(_bare(word)) or (single != word and is_syllable(single))


def _is_ours(word: str) -> bool:
    """Return whether a word has a mark of Vietnamese alone; one with a capital may be a mangled name (`Zenmếu`)."""
    return word.islower() and _OURS.search(unicodedata.normalize("NFD", word)) is not None


def _bare(word: str) -> str:
    """Return a word without its tones, so that `Áá` shows the same letter twice and `lờo` (ơ, o) does not."""
    spread = unicodedata.normalize("NFD", word.lower())
    return unicodedata.normalize("NFC", "".join(c for c in spread if c not in TONES))
