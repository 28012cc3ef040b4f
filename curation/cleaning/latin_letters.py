"""The language of a text in Latin letters, by its words. Pure.

The words' probability in each language (:mod:`curation.cleaning.word_lists`) decides, beside two ways to write one:
Vietnamese typed without its marks, and Japanese in Latin letters. langdetect is asked about long texts whose words are
in no list. A cry or a name is evidence for nothing. The thresholds are measured in
docs/experiments/2026-11-29-languages-of-short-lines.md.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from curation.cleaning.chat_spelling import is_chat_word
from curation.cleaning.scripts import scripts_of
from curation.cleaning.word_lists import (
    ROMAJI,
    UNMARKED,
    has_marks,
    knows,
    latin_languages,
    may_be_romaji,
    share_known,
    word_evidence,
)

# langdetect guesses at shorter texts, with fewer words that are no names, or at a lower probability.
MIN_LETTERS = 24
_MIN_WORDS = 4
_SURE = 0.9
# Where fewer of the words than this are in a list, the lists do not decide.
_KNOWN = 0.5

# The leads are natural logarithms: by so much must another language make the words more probable than the character's
# own languages do, to be called foreign.
_LEAD = 4.0
_LEAD_OF_KNOWN = 6.5  # where one of the own languages has every word that the other has
_LEAD_OF_NAMES = 8.0  # where every word has a capital and may be a name
# With a smaller lead from here on, or where the own language is less probable than this, the text is left undecided.
_UNSURE, _DOUBTFUL = 2.0, 0.05
# Japanese in Latin letters must lead by this much, and may lie behind another foreign language by as much.
_LEAD_OF_ROMAJI = 2.0
_SHORT_CRY = 4  # letters
# Vietnamese is rarely typed without marks, and must be clearly more probable before it is flagged.
_UNMARKED_PRIOR = math.log(0.02)
_UNMARKED_LEAD = 1.0
# In a text with marks: words that are this much more frequent with marks have lost theirs, and this many show it.
_LOST, _LOST_WORDS = 6.5, 2
# Of two own languages, the file's may be so much less probable and still win.
_NEAR = 2.0

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_ONE_LETTER = ("a", "i")
_STRETCHED = re.compile(r"(.)\1{2,}")
# A part three times over, laughter, no vowel, and what people call out.
_CRY = re.compile(
    r"(.{1,4}?)\1{2,}.?|(?:h[aeiou]){2,}h?|[^aeiouyıøæœ]{2,}|[aeou]+g*h+|a+r+g*h+|h[ao]h?|oi|w?ow|w[aou]+h?"
)
# Letters that no other language here has: of marks both above and below, of a horn, of a bar.
_VIETNAMESE = re.compile("[đơư\u1ea0-\u1eb7\u1ebe-\u1ec7\u1ed0-\u1ee3\u1ee8-\u1ef1]")


@dataclass(frozen=True, slots=True)
class Judged:
    """What one text is written in.

    ``language`` (ISO 639-1) is None where nothing tells. ``confidence``, 0 to 1, is its probability, and ``words`` the
    number of words that it comes from. ``foreign``: it is none of the persona's languages, or part of it is in none of
    their scripts. ``unmarked``: Vietnamese typed without its marks.
    """

    language: str | None
    confidence: float
    reason: str
    words: int
    foreign: bool = False
    unmarked: bool = False


def judge_words(text: str, own: tuple[str, ...], file: str | None = None) -> Judged:
    """Judge a text by its Latin letters.

    ``own`` are the languages that are expected (ISO 639-1). ``file`` is the language of the lines around the text, or
    ``UNMARKED``; it settles near ties.
    """
    words = words_of(text)
    listed = [code for code in own if code in latin_languages()]
    if not words:
        return _undecided("no words")
    if len(listed) < sum("Latn" in scripts_of(code) for code in own):
        return _by_detector(words, text, own)  # there is no list for a language that the character speaks
    if "vi" in listed and _plainly_vietnamese(words):
        return Judged("vi", 1.0, "Vietnamese letters", len(words), unmarked=_lost_marks(words))
    scores = {code: word_evidence(words, code) for code in latin_languages()}
    if "vi" in listed:
        prior = 0.0 if file == UNMARKED else _UNMARKED_PRIOR
        scores[UNMARKED] = word_evidence(words, UNMARKED) + prior
    if max(share_known(words, code) for code in scores) < _KNOWN:
        return _by_detector(words, text, own)
    ours = {code: score for code, score in scores.items() if code in listed or code == UNMARKED}
    best = max(ours.values(), default=-math.inf)
    other = max(sorted(scores.keys() - ours.keys()), key=lambda code: scores[code])
    lead = scores[other] - best
    if word_evidence(words, ROMAJI) > max(best + _LEAD_OF_ROMAJI, scores[other] - _LEAD_OF_ROMAJI):
        return _undecided("Japanese in Latin letters")
    if lead > 0 and _may_be_cry([word for word in words if knows(other, word)], lead):
        return _undecided("a cry")
    if max((share_known(words, code) for code in ours), default=0.0) < _KNOWN:
        unlisted = _by_detector(words, text, own)
        if unlisted.language not in (None, *scores):
            return unlisted
    if lead > _lead_needed(words, text, listed, other):
        return Judged(other, _probability(other, scores), "by its words", len(words), foreign=True)
    if lead > _UNSURE:
        return _undecided("too few words")
    return _one_of_ours(words, ours, scores, file)


def words_of(text: str) -> list[str]:
    """Return the distinct words of a text in lower case, without cries, most single letters and most names.

    A stretched word counts once its letters are single again (``Nooooo``: ``no`` is too short, ``Đứnggg``: ``đứng``).
    """
    found: list[tuple[str, bool]] = []  # the word, and whether it may be a name
    for match in _WORD.finditer(text):
        written = match.group().replace("’", "'")
        name = written[0].isupper() and not written.isupper() and not _opens_sentence(text, match.start())
        word = written.lower()
        if _STRETCHED.search(word):
            word = _STRETCHED.sub(r"\1", word)
            if len(word) < 3:
                continue
        told = len(word) > 1 and (has_marks(word) or not _CRY.fullmatch(word))
        if told or word in _ONE_LETTER or is_chat_word(word):
            found.append((word, name))
    sure = [word for word, name in found if not name]
    return list(dict.fromkeys(sure if 2 * len(sure) > len(found) else (word for word, _ in found)))


def detect(text: str) -> tuple[str | None, float]:
    """Return langdetect's most likely language of a text (ISO 639-1; `zh-cn` as `zh`) and its probability.

    None stands for a text without letters. The seed is fixed (langdetect samples at random), so the same text always
    gets the same answer.
    """
    from langdetect import DetectorFactory, LangDetectException, detect_langs

    DetectorFactory.seed = 0
    try:
        best = detect_langs(text)[0]
    except LangDetectException:  # raised for a text without a letter that any of its profiles knows
        return None, 0.0
    return str(best.lang).split("-")[0], float(best.prob)


def _undecided(reason: str) -> Judged:
    return Judged(None, 0.0, reason, 0)


def _by_detector(words: Sequence[str], text: str, own: tuple[str, ...]) -> Judged:
    small = sum(re.search(rf"(?<![^\W\d_]){re.escape(word)}", text) is not None for word in words)
    if small < _MIN_WORDS or sum(c.isalpha() for c in text) < MIN_LETTERS:
        return _undecided("unknown words")
    code, probability = detect(text)
    if code is None or probability < _SURE:
        return _undecided("unknown words")
    return Judged(code, probability, "by langdetect", len(words), foreign=code not in own)


def _may_be_cry(told: Sequence[str], lead: float) -> bool:
    """Return whether all that speaks for a language is one short word, Japanese or a sound (``Baka!``, ``Hic``)."""
    if len(told) != 1 or len(told[0]) > _SHORT_CRY:
        return False
    weak = lead < _LEAD_OF_KNOWN and (len(told[0]) < _SHORT_CRY or may_be_romaji(told[0]))
    return weak or knows(ROMAJI, told[0])


def _lead_needed(words: Sequence[str], text: str, own: Sequence[str], other: str) -> float:
    """Return by how much another language must lead for the words to count as foreign."""
    if len(words) > 1 and all(f"{word[0].upper()}{word[1:]}" in text for word in words):
        return _LEAD_OF_NAMES
    told = [word for word in words if knows(other, word)]
    return _LEAD_OF_KNOWN if any(share_known(told, code) == 1.0 for code in own) else _LEAD


def _one_of_ours(
    words: Sequence[str], ours: Mapping[str, float], scores: Mapping[str, float], file: str | None
) -> Judged:
    """Return which of the persona's languages the words are in."""
    best = max(sorted(ours), key=lambda code: ours[code])
    if file is not None and {file, best} != {"vi", UNMARKED} and file in ours and ours[file] > ours[best] - _NEAR:
        best = file
    if best == UNMARKED and ours[UNMARKED] < ours["vi"] + _UNMARKED_LEAD:
        best = "vi"
    probability = _probability(best, scores)
    if probability < _DOUBTFUL:
        return _undecided("too few words")
    if best == UNMARKED:
        return Judged("vi", probability, "by its words, without marks", len(words), unmarked=True)
    return Judged(best, probability, "by its words", len(words), unmarked=best == "vi" and _lost_marks(words))


def _plainly_vietnamese(words: Sequence[str]) -> bool:
    """Return whether enough words have letters of Vietnamese alone that no other language needs a look."""
    marked = sum(_VIETNAMESE.search(word) is not None and knows("vi", word) for word in words)
    return marked >= 2 and 4 * marked >= len(words)


def _lost_marks(words: Sequence[str]) -> bool:
    """Return whether a text, some of whose words may have marks, has words that are none without (``nguoi``)."""
    bare = [word for word in words if word.isascii() and knows(UNMARKED, word)]
    lost = sum(word_evidence([word], UNMARKED) - word_evidence([word], "vi") > _LOST for word in bare)
    return lost >= _LOST_WORDS


def _opens_sentence(text: str, at: int) -> bool:
    before = text[:at].rstrip(" \"'“”‘’(*[-–—")
    return not before or before[-1] in ".!?…:;\n。！？"


def _probability(code: str, scores: Mapping[str, float]) -> float:
    return 1.0 / sum(math.exp(min(score - scores[code], 700.0)) for score in scores.values())
