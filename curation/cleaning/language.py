"""The language of the character's lines, reply by reply: the script first, then the words. Pure.

Letters of another script decide at any length; which language it is, their scripts and words say. Latin letters are
judged by :mod:`curation.cleaning.latin_letters`. Cries and names are in no language: such a reply takes the one that
most of its file is in.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from curation.cleaning.chat_spelling import chat_words
from curation.cleaning.latin_letters import Judged, judge_words, words_of
from curation.cleaning.lost_marks import part_without_marks
from curation.cleaning.scripts import foreign_words, language_of_script, script_names, scripts_of
from curation.cleaning.vietnamese_fonts import is_syllable
from curation.cleaning.word_lists import UNMARKED, knows, likeliest, may_be_romaji
from curation.persona import Persona
from curation.record import Flag, Sample

# A foreign script counts as part of a line from this share of its words on, and this many words.
_PART, _PART_WORDS = 1 / 3, 2
_PHRASE_WORDS = 3  # a line with this many is neither a cry nor a catchphrase, however long it is
# A word in no list is a foreign one from this many letters on.
_STRANGE = 8
_CAPITAL = re.compile(r"(?<=[^\W\d_] )[^\W\d_a-z][^\W\d_]+")
# Replies of this many words are judged again once the file's language is known.
_SHORT = 4


def judge(text: str, persona: Persona, file: str | None = None) -> Judged:
    """Return what a text is written in. ``file`` is what the lines around it are; it settles near ties."""
    own = tuple(dict.fromkeys(code.lower().split("-")[0] for code in persona.languages))
    text = unicodedata.normalize("NFC", text)
    for name in (persona.name, *persona.aliases):
        text = text.replace(name, " ")
    scripts = foreign_words(text)
    if not scripts:
        return judge_words(text, own, file)
    known = sum(any(knows(code, word) for code in own) for word in words_of(text))
    theirs = frozenset(script for code in own for script in scripts_of(code))
    strange = Counter({script: words for script, words in scripts.items() if script not in theirs})
    if scripts.total() >= max(known, 1):
        code = likeliest(text, language_of_script(scripts, (*own, *([file] if file else []))))
        share = scripts.total() / (scripts.total() + known)
        return Judged(
            code, share, f"written in {script_names(scripts)}", scripts.total(), bool(strange) or code not in own
        )
    latin = judge_words(text, own, file)
    total = strange.total()
    part = total >= _PART_WORDS and total / (total + known) >= _PART
    if (part or total >= _PHRASE_WORDS) and not latin.foreign:
        return replace(latin, reason=f"partly written in {script_names(strange)}", foreign=True)
    return latin


def tag(samples: Sequence[Sample], persona: Persona, tick: Callable[[], object] = lambda: None) -> list[Sample]:
    """Return the samples with their language, and the flags `language`, `no_diacritics` and `chat_spelling`.

    ``tick`` is called once per sample, for a progress bar.
    """
    judged: list[list[Judged]] = []
    files: dict[str, Counter[str]] = {}
    for sample in samples:
        found = [judge(reply, persona) for reply in sample.replies]
        judged.append(found)
        words = files.setdefault(sample.source.path, Counter())
        for one in found:
            if one.language and not one.foreign:
                words[UNMARKED if one.unmarked else one.language] += one.words
        tick()
    most = {path: _most(words) for path, words in files.items()}
    names = _names(samples)
    judged = [
        [_no_word_of_ours(reply, one, names, persona) for reply, one in zip(s.replies, found, strict=True)]
        for s, found in zip(samples, judged, strict=True)
    ]
    # Han letters alone may be Chinese; beside kana in the same file they are Japanese.
    pairs = list(zip(samples, judged, strict=True))
    japanese = {s.source.path for s, found in pairs if any(one.language == "ja" for one in found)}
    return [
        _tagged(
            s, _as_japanese(s, found, persona) if s.source.path in japanese else found, most[s.source.path], persona
        )
        for s, found in pairs
    ]


def _no_word_of_ours(reply: str, one: Judged, names: frozenset[str], persona: Persona) -> Judged:
    """Return a reply whose words no list has as foreign, if none of them can be a word of the persona's languages.

    It would take its file's language otherwise (``Verschwinde!``). What may be a cry, a name of the corpus, Japanese in
    Latin letters, a syllable of Vietnamese or a compound of English words is left alone.
    """
    own = tuple(code.lower().split("-")[0] for code in persona.languages)
    if one.language is not None or one.foreign or not {*own} <= {"vi", "en"}:
        return one
    words = words_of(reply)
    if not words or names & {*words} or not all(_is_strange(word, own) for word in words):
        return one
    return Judged(None, 0.0, f"no list has {', '.join(words)[:60]}", len(words), foreign=True)


def _is_strange(word: str, own: Sequence[str]) -> bool:
    if len(word) < _STRANGE or re.search(r"(\w)\1\1|(\w\w)\2", word) or may_be_romaji(word) or is_syllable(word):
        return False
    if any(knows(code, word) for code in (*own, UNMARKED)):
        return False
    return not any(knows("en", word[:at]) and knows("en", word[at:]) for at in range(2, len(word) - 1))


def _names(samples: Sequence[Sample]) -> frozenset[str]:
    """Return the words that stand with a capital inside sentences of a corpus, in small letters."""
    texts = (m.content for s in samples for m in s.messages)
    return frozenset(word.lower() for text in texts for word in _CAPITAL.findall(text))


def language_flags(replies: Sequence[str], persona: Persona) -> tuple[Flag, ...]:
    """Return the flags that say what is unusual about the language of some replies, each code once."""
    return _flags(replies, [judge(reply, persona) for reply in replies], persona)


def _tagged(sample: Sample, judged: Sequence[Judged], file: str | None, persona: Persona) -> Sample:
    judged = [
        judge(reply, persona, file) if file is not None and one.words <= _SHORT and not one.foreign else one
        for reply, one in zip(sample.replies, judged, strict=True)
    ]
    around = "vi" if file == UNMARKED else file or persona.languages[0]
    words: Counter[str] = Counter()
    for one in judged:
        words[one.language or around] += one.words
    flags = _flags(sample.replies, judged, persona, around)
    return replace(sample, language=_most(words) or around, flags=(*sample.flags, *flags))


def _as_japanese(sample: Sample, judged: Sequence[Judged], persona: Persona) -> list[Judged]:
    return [
        judge(reply, persona, "ja") if one.language == "zh" and _has_japanese_letters(reply) else one
        for reply, one in zip(sample.replies, judged, strict=True)
    ]


def _has_japanese_letters(text: str) -> bool:
    """Return whether JIS X 0208 has all Han letters of a text: it lacks `你` and what is simplified, such as `吗`."""
    han = "".join(c for c in text if "\u4e00" <= c <= "\u9fff")
    return len(han.encode("shift_jis", "ignore")) == 2 * len(han)


def _most(words: Counter[str]) -> str | None:
    return min(words, key=lambda code: (-words[code], code)) if words else None


def _flags(
    replies: Sequence[str], judged: Sequence[Judged], persona: Persona, around: str | None = None
) -> tuple[Flag, ...]:
    found: list[Flag] = []
    if foreign := next((one for one in judged if one.foreign), None):
        expected = f"expected {' or '.join(persona.languages)}"
        if foreign.language is None or foreign.language in persona.languages:
            found.append(Flag("language", f"{foreign.reason}; {expected}"))
        else:
            reason = f"{foreign.reason}, {foreign.confidence:.0%}"
            found.append(Flag("language", f"looks like `{foreign.language}` ({reason}); {expected}"))
    vietnamese = "vi" in persona.languages
    unmarked = (
        reply if one.unmarked else part_without_marks(reply) if vietnamese else ""
        for reply, one in zip(replies, judged, strict=True)
    )
    if first := next(filter(None, unmarked), ""):
        found.append(Flag("no_diacritics", first[:80]))
    typed = [
        word
        for reply, one in zip(replies, judged, strict=True)
        if (one.language or around) == "vi"
        for word in chat_words(reply)
    ]
    if typed:
        found.append(Flag("chat_spelling", ", ".join(dict.fromkeys(typed))))
    return tuple(found)
