"""What generated replies are measured by, reply by reply, so that every figure can be resampled. Pure.

In: replies, the prompts they answer, the persona and the training replies. Out: a table {measure: a value a reply, None
where the measure says nothing about it} and the figures that only a whole set has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from curation.checks import check_reply
from curation.persona import Persona
from train.data.dialogues import HeldOut
from train.model.generate import Reply

NEAR = 90.0  # rapidfuzz.fuzz.ratio; the threshold that the dataset's own near-duplicates have
NEAR_FROM = 20  # characters: "Đi thôi!" is everybody's, and no proof of learning by heart
LANGUAGE_FROM = 24  # letters
VIETNAMESE = re.compile(r"[ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ]", re.IGNORECASE)
# Said by a model that speaks of itself as one. The persona's `avoid` list covers what the character would not say.
# `AI` only where it cannot be the Vietnamese `ai`, who.
MACHINE = re.compile(
    r"\b(?:(?-i:[Aa]n AI|là một AI)|AI (?:model|assistant|agent)|language model|chatbot|virtual assistant|"
    r"SmolLM|Qwen|ChatGPT|OpenAI|Hugging Face|Alibaba)\b|trợ lý (?:ảo|AI)|mô hình ngôn ngữ|trí tuệ nhân tạo",
    re.IGNORECASE,
)

Values = list[float | None]
Table = dict[str, Values]


@dataclass(frozen=True, slots=True)
class Measure:
    """How a measure is called, what it says, and whether more is ``better`` (1), less (-1), or neither (0)."""

    key: str
    label: str
    better: int
    percent: bool = False


MEASURES = (
    Measure("chrf", "chrF against the references (0–100)", 1),
    Measure("rouge_l", "ROUGE-L by syllables", 1),
    Measure("similarity", "embedding similarity to the references", 1),
    Measure("end_of_turn_rate", "ends its turn", 1, True),
    Measure("length_ratio", "length over the reference's, if it ends", 0),
    Measure("speaks_as_ta", "speaks as “ta” (Vietnamese replies)", 1, True),
    Measure("never_polite", "says nothing he would not say", 1, True),
    Measure("in_character", "does not speak as a machine", 1, True),
    Measure("language_kept", "answers in the prompt's language", 1, True),
    Measure("no_flag", "raises no persona flag at all", 1, True),
    Measure("copied", "copied from training, word for word", -1, True),
    Measure("nearly_copied", f"nearly copied (ratio ≥ {NEAR:.0f}, ≥ {NEAR_FROM} characters)", -1, True),
)


def per_reply(
    answers: Sequence[Reply],
    tried: Sequence[HeldOut],
    learnt: set[str],
    persona: Persona,
    similarity: Callable[[Sequence[tuple[str, str]]], list[float]] | None = None,
) -> Table:
    """Measure each reply. ``similarity`` compares (reply, reference) pairs, where an embedding model is there."""
    from sacrebleu import sentence_chrf

    texts = [a.text for a in answers]
    references = [t.reference for t in tried]
    flags = [{f.code for f in check_reply(text, persona)} for text in texts]
    vietnamese = [bool(VIETNAMESE.search(text)) for text in texts]
    asked = [_language(t.messages[-1].content) for t in tried]
    # One pronoun is enough: the first of the list is what he calls himself, the others are for whom he talks to.
    own = persona.style.pronouns[0] if persona.style.pronouns else None
    table: Table = {
        "chrf": [sentence_chrf(x, [r]).score if r else None for x, r in zip(texts, references, strict=True)],
        "rouge_l": [rouge_l(x, r) if r else None for x, r in zip(texts, references, strict=True)],
        "end_of_turn_rate": [float(a.ended) for a in answers],
        # A reply that was cut off says nothing of how long it would have been.
        "length_ratio": [
            len(a.text) / len(r) if r and a.ended else None for a, r in zip(answers, references, strict=True)
        ],
        "speaks_as_ta": [float(_says(own, x)) if v and own else None for x, v in zip(texts, vietnamese, strict=True)],
        "never_polite": [float("out_of_character" not in f) for f in flags],
        "in_character": [float(MACHINE.search(x) is None) for x in texts],
        "language_kept": [_same(_language(x), a) for x, a in zip(texts, asked, strict=True)],
        "no_flag": [float(not f) for f in flags],
        "copied": [float(x in learnt) for x in texts],
        "nearly_copied": _nearly_copied(texts, learnt),
    }
    if similarity is not None:
        with_reference = [i for i, r in enumerate(references) if r]
        found = similarity([(texts[i], references[i] or "") for i in with_reference])
        table["similarity"] = [None] * len(texts)
        for i, value in zip(with_reference, found, strict=True):
            table["similarity"][i] = value
    return table


def whole_set(answers: Sequence[Reply], tried: Sequence[HeldOut]) -> dict[str, float | None]:
    """Return what only a set has: corpus BLEU and chrF (sacrebleu's defaults), distinct-1 and -2 (Li et al. 2016).

    Distinct-n is the share of different syllables (pairs of neighbours) among all; it falls as a set grows, so compare
    it at the same number of prompts only.
    """
    from sacrebleu import corpus_bleu, corpus_chrf

    pairs = [(a.text, t.reference) for a, t in zip(answers, tried, strict=True) if t.reference]
    said, wished = [p[0] for p in pairs], [[p[1] for p in pairs]]
    words = [syllables(a.text) for a in answers]
    ones = [w for line in words for w in line]
    twos = [pair for line in words for pair in pairwise(line)]
    return {
        "bleu": corpus_bleu(said, wished).score if pairs else None,
        "corpus_chrf": corpus_chrf(said, wished).score if pairs else None,
        "distinct_1": len(set(ones)) / len(ones) if ones else None,
        "distinct_2": len(set(twos)) / len(twos) if twos else None,
        "mean_characters": sum(len(a.text) for a in answers) / len(answers) if answers else None,
    }


def rouge_l(text: str, reference: str) -> float:
    """Return the F1 of the longest common subsequence of syllables (Lin 2004), 0 to 1.

    Vietnamese is written in syllables with spaces between them, and a word is one to four of them: syllables need no
    word splitter, which would have to guess.
    """
    from rapidfuzz.distance import LCSseq

    mine, theirs = syllables(text), syllables(reference)
    common = LCSseq.similarity(mine, theirs)
    return 2 * common / (len(mine) + len(theirs)) if common else 0.0


def syllables(text: str) -> list[str]:
    """Return the words as they are written, lower-cased, without punctuation."""
    return re.findall(r"\w+", text.lower())


def _nearly_copied(texts: Sequence[str], learnt: set[str]) -> Values:
    from rapidfuzz import fuzz, process

    known = sorted({x.lower() for x in learnt if len(x) >= NEAR_FROM})
    return [
        float(bool(known) and process.extractOne(x.lower(), known, scorer=fuzz.ratio, score_cutoff=NEAR) is not None)
        if len(x) >= NEAR_FROM
        else 0.0
        for x in texts
    ]


def _language(text: str) -> str | None:
    """Return an ISO 639-1 code; None for a text too short to tell (langdetect guesses below some 24 letters)."""
    from langdetect import DetectorFactory, LangDetectException, detect

    if sum(c.isalpha() for c in text) < LANGUAGE_FROM:
        return "vi" if VIETNAMESE.search(text) else None
    DetectorFactory.seed = 0
    try:
        return str(detect(text))
    except LangDetectException:
        return None


def _same(language: str | None, asked: str | None) -> float | None:
    return None if language is None or asked is None else float(language == asked)


def _says(word: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None
