"""The metrics of an evaluation, one row each: how it is called, how it is computed, how it is shown. Pure.

In: replies, the prompts that they answer, the persona and the training replies. Out: a value for each reply, so that
every figure can be resampled, and figures of a whole set.

To add a metric, write a function and add a row to :data:`REPLY_METRICS` or :data:`SET_METRICS`. The table on the
screen, the model card and the report follow from the row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from curation.checks import check_reply
from curation.contracts.rows import HeldOut
from curation.persona import Persona
from curation.repeats import find_loop
from train.model.generate import Reply
from train.speaking.language import VIETNAMESE, guess_language
from train.speaking.measure import keeps_language

NEAR = 90.0  # rapidfuzz.fuzz.ratio; the threshold of the dataset's own near-duplicates
NEAR_FROM = 20  # characters: a shorter reply such as "Đi thôi!" is too common to prove copying
# What a model says that speaks of itself as one. The persona's `avoid` list covers what the character would not say.
# `AI` counts only where it cannot be the Vietnamese word `ai`, who.
MACHINE = re.compile(
    r"\b(?:(?-i:[Aa]n AI|là một AI)|AI (?:model|assistant|agent)|language model|chatbot|virtual assistant|"
    r"SmolLM|Qwen|ChatGPT|OpenAI|Hugging Face|Alibaba)\b|trợ lý (?:ảo|AI)|mô hình ngôn ngữ|trí tuệ nhân tạo",
    re.IGNORECASE,
)

Values = list[float | None]
Table = dict[str, Values]
Similarity = Callable[[Sequence[tuple[str, str]]], list[float]]  # (reply, reference) pairs -> a cosine each


@dataclass(slots=True)
class Answers:
    """The replies of one model with what they are compared with; reply i answers prompt i.

    ``learnt`` are the replies of the training split. ``similarity`` is None where no embedding model is installed.
    """

    replies: Sequence[Reply]
    prompts: Sequence[HeldOut]
    learnt: set[str]
    persona: Persona
    similarity: Similarity | None = None
    texts: list[str] = field(init=False)
    references: list[str | None] = field(init=False)
    flags: list[set[str]] = field(init=False)  # codes of curation.checks.check_reply

    def __post_init__(self) -> None:
        self.texts = [r.text for r in self.replies]
        self.references = [p.reference for p in self.prompts]
        self.flags = [{f.code for f in check_reply(text, self.persona)} for text in self.texts]

    def against_references(self, compare: Callable[[str, str], float]) -> Values:
        """Return ``compare(reply, reference)`` for each reply, None where the prompt has no reference."""
        return [compare(x, r) if r else None for x, r in zip(self.texts, self.references, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """How a figure is called and shown. ``better`` is 1 if more is better, -1 if less is, 0 if neither.

    ``label`` may name the ``{character}``, its ``{pronoun}`` and its ``{language}``. A ``percent`` is a share.
    """

    key: str
    label: str
    better: int = 0
    percent: bool = False
    digits: int = 3

    def title(self, persona: Persona) -> str:
        """Return the label for this persona."""
        return self.label.format(character=persona.name, pronoun=_pronoun(persona) or "", language=persona.languages[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyMetric(Metric):
    """A metric with a value for each reply. It is left out where ``measure`` returns None instead of values.

    ``charted`` puts it into the report's charts, which draw shares from 0 to 1.
    """

    measure: Callable[[Answers], Values | None]
    charted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMetric(Metric):
    """A metric that only a whole set of replies has."""

    measure: Callable[[Answers], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelihoodMetric(Metric):
    """A ratio of two sums over rows: fields of train.model.scoring.Score."""

    over: str
    under: str


def per_reply(answers: Answers) -> Table:
    """Return a value for each reply, by the metric's key; None where the metric does not apply to the reply."""
    measured = ((metric.key, metric.measure(answers)) for metric in REPLY_METRICS)
    return {key: values for key, values in measured if values is not None}


def whole_set(answers: Answers) -> dict[str, float | None]:
    """Return the figures that only a whole set has, by the metric's key."""
    return {metric.key: metric.measure(answers) for metric in SET_METRICS}


def rouge_l(text: str, reference: str) -> float:
    """Return the F1 of the longest common subsequence of syllables (Lin 2004), 0 to 1.

    Vietnamese puts a space between syllables, and a word has one to four of them. Syllables need no word splitter,
    which would have to guess.
    """
    from rapidfuzz.distance import LCSseq

    ours, theirs = syllables(text), syllables(reference)
    common = LCSseq.similarity(ours, theirs)
    return 2 * common / (len(ours) + len(theirs)) if common else 0.0


def syllables(text: str) -> list[str]:
    """Return the space-separated words, lower-cased, without punctuation."""
    return re.findall(r"\w+", text.lower())


# --------------------------------------------------------------------------------------------------- a value a reply


def _chrf(answers: Answers) -> Values:
    from sacrebleu import sentence_chrf

    return answers.against_references(lambda text, reference: float(sentence_chrf(text, [reference]).score))


def _rouge_l(answers: Answers) -> Values:
    return answers.against_references(rouge_l)


def _similarity(answers: Answers) -> Values | None:
    if answers.similarity is None:
        return None
    with_reference = [i for i, r in enumerate(answers.references) if r]
    found = answers.similarity([(answers.texts[i], answers.references[i] or "") for i in with_reference])
    values: Values = [None] * len(answers.texts)
    for i, value in zip(with_reference, found, strict=True):
        values[i] = value
    return values


def _ends_its_turn(answers: Answers) -> Values:
    return [float(r.ended) for r in answers.replies]


def _length_ratio(answers: Answers) -> Values:
    # A truncated reply does not show how long it would have been.
    return [
        len(a.text) / len(r) if r and a.ended else None
        for a, r in zip(answers.replies, answers.references, strict=True)
    ]


def _own_pronoun(answers: Answers) -> Values | None:
    # One pronoun is enough: the first of the list is the character's own, the others are for whom they talk to.
    if (pronoun := _pronoun(answers.persona)) is None:
        return None
    persona = answers.persona
    return [float(_contains(pronoun, x)) if _is_in(persona.languages[0], x, persona) else None for x in answers.texts]


def _no_avoided_words(answers: Answers) -> Values:
    return [float("out_of_character" not in codes) for codes in answers.flags]


def _no_machine(answers: Answers) -> Values:
    return [float(MACHINE.search(x) is None) for x in answers.texts]


def _language_kept(answers: Answers) -> Values:
    kept = [keeps_language(p.messages, x, answers.persona) for p, x in zip(answers.prompts, answers.texts, strict=True)]
    return [None if k is None else float(k) for k in kept]


def _loops(answers: Answers) -> Values:
    return [float(find_loop(r.text, ended=r.ended) is not None) for r in answers.replies]


def _no_flag(answers: Answers) -> Values:
    return [float(not codes) for codes in answers.flags]


def _copied(answers: Answers) -> Values:
    return [float(x in answers.learnt) for x in answers.texts]


def _nearly_copied(answers: Answers) -> Values:
    from rapidfuzz import fuzz, process

    known = sorted({x.lower() for x in answers.learnt if len(x) >= NEAR_FROM})
    return [
        float(bool(known) and process.extractOne(x.lower(), known, scorer=fuzz.ratio, score_cutoff=NEAR) is not None)
        if len(x) >= NEAR_FROM
        else 0.0
        for x in answers.texts
    ]


# ------------------------------------------------------------------------------------------------------- a value a set


def _bleu(answers: Answers) -> float | None:
    from sacrebleu import corpus_bleu

    said, wished = _pairs(answers)
    return float(corpus_bleu(said, [wished]).score) if said else None


def _corpus_chrf(answers: Answers) -> float | None:
    from sacrebleu import corpus_chrf

    said, wished = _pairs(answers)
    return float(corpus_chrf(said, [wished]).score) if said else None


def _distinct_1(answers: Answers) -> float | None:
    ones = [word for text in answers.texts for word in syllables(text)]
    return len(set(ones)) / len(ones) if ones else None


def _distinct_2(answers: Answers) -> float | None:
    twos = [pair for text in answers.texts for pair in pairwise(syllables(text))]
    return len(set(twos)) / len(twos) if twos else None


def _mean_characters(answers: Answers) -> float | None:
    return sum(map(len, answers.texts)) / len(answers.texts) if answers.texts else None


def _pairs(answers: Answers) -> tuple[list[str], list[str]]:
    """Return the replies to prompts with a reference, and the references."""
    found = [(x, r) for x, r in zip(answers.texts, answers.references, strict=True) if r]
    return [x for x, _ in found], [r for _, r in found]


# ------------------------------------------------------------------------------------------------------ words, language


def _pronoun(persona: Persona) -> str | None:
    return persona.style.pronouns[0] if persona.style.pronouns else None


def _contains(word: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


def _is_in(wanted: str, text: str, persona: Persona) -> bool:
    """Return whether a reply is written in a language; Vietnamese is recognised by its letters, however short."""
    return bool(VIETNAMESE.search(text.lower())) if wanted == "vi" else guess_language(text, persona) == wanted


# ------------------------------------------------------------------------------------------------------------- the rows

REPLY_METRICS = (
    ReplyMetric(key="chrf", label="chrF against the references (0–100)", measure=_chrf, better=1, digits=1),
    ReplyMetric(key="rouge_l", label="ROUGE-L by syllables", measure=_rouge_l, better=1, charted=True),
    ReplyMetric(key="similarity", label="embedding similarity to the references", measure=_similarity, better=1),
    ReplyMetric(
        key="end_of_turn_rate", label="ends its turn", measure=_ends_its_turn, better=1, percent=True, charted=True
    ),
    ReplyMetric(key="looping", label="repeats itself", measure=_loops, better=-1, percent=True, charted=True),
    ReplyMetric(key="length_ratio", label="length over the reference's, if it ends", measure=_length_ratio),
    ReplyMetric(
        key="own_pronoun",
        label="speaks as “{pronoun}” (replies in {language})",
        measure=_own_pronoun,
        better=1,
        percent=True,
        charted=True,
    ),
    ReplyMetric(
        key="no_avoided_words",
        label="says nothing that {character} avoids",
        measure=_no_avoided_words,
        better=1,
        percent=True,
        charted=True,
    ),
    ReplyMetric(
        key="in_character",
        label="does not speak as a machine",
        measure=_no_machine,
        better=1,
        percent=True,
        charted=True,
    ),
    ReplyMetric(
        key="language_kept",
        label="answers in the prompt's language",
        measure=_language_kept,
        better=1,
        percent=True,
        charted=True,
    ),
    ReplyMetric(
        key="no_flag", label="raises no persona flag at all", measure=_no_flag, better=1, percent=True, charted=True
    ),
    ReplyMetric(
        key="copied",
        label="copied from training, word for word",
        measure=_copied,
        better=-1,
        percent=True,
        charted=True,
    ),
    ReplyMetric(
        key="nearly_copied",
        label=f"nearly copied (ratio ≥ {NEAR:.0f}, ≥ {NEAR_FROM} characters)",
        measure=_nearly_copied,
        better=-1,
        percent=True,
        charted=True,
    ),
)

# sacrebleu's defaults for BLEU and chrF. Distinct-n (Li et al. 2016) is the share of different syllables, or pairs of
# neighbours. It falls as a set grows, so compare it at the same number of prompts only.
SET_METRICS = (
    SetMetric(key="bleu", label="BLEU", measure=_bleu, digits=2),
    SetMetric(key="corpus_chrf", label="chrF of the whole set", measure=_corpus_chrf, digits=1),
    SetMetric(key="distinct_1", label="distinct-1", measure=_distinct_1, digits=2),
    SetMetric(key="distinct_2", label="distinct-2", measure=_distinct_2, digits=2),
    SetMetric(key="mean_characters", label="characters a reply", measure=_mean_characters, digits=0),
)

LIKELIHOOD_METRICS = (
    LikelihoodMetric(key="reply_nll_per_char", label="nll per reply character", over="nll", under="chars", better=-1),
    LikelihoodMetric(
        key="text_nll_per_char",
        label="the same without the end of the turn",
        over="text_nll",
        under="chars",
        better=-1,
    ),
    LikelihoodMetric(key="loss", label="loss per reply token", over="nll", under="tokens", better=-1),
    LikelihoodMetric(key="end_of_turn_nll", label="nll of the end of a turn", over="end_nll", under="turns", better=-1),
)
