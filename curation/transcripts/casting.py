"""Who an anonymous voice is: `SPEAKER_01`, a short actor code, an id. Opens no file.

A classifier of character n-grams learns how the known characters talk from lines with names and ranks them for each
voice: habits of spelling, particles and punctuation tell authors apart even where the words differ (Stamatatos 2013,
"On the robustness of authorship attribution based on character n-gram features").
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from curation.record import Imported, Utterance

MIN_KNOWN = 5  # lines that a character needs to be told from others
_MOST_KNOWN = 2_000  # more lines of a character make it slower, not better
TELLING = 5

_ANONYMOUS = re.compile(
    r"(?:speaker|spk|spkr|voice|person|unknown|unk|character|char|actor|male|female|man|woman|boy|girl|guest|"
    r"nguoi|nguoi noi|giong|nam|nu|nhan vat|話者|人物|男|女|男性|女性|声)"
    r"[\s_.#-]*(?:\d{1,4}|[a-z])?|[a-z]?\d{1,4}|[0-9a-f]{8}|[a-z]{1,2}|\?+",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A known character for a voice, and how likely it is (0 to 1, all candidates together 1)."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class Voice:
    """An anonymous label of a source folder: its lines by episode, the most telling ones, and who it may be."""

    folder: str
    label: str
    lines: int
    episodes: Mapping[str, int]
    telling: tuple[str, ...]
    ranking: tuple[Candidate, ...] = ()


def is_anonymous(label: str) -> bool:
    """Return whether a label only tells voices apart (`SPEAKER_01`, `Ka`, `女1`), without being a name."""
    split = unicodedata.normalize("NFKD", label.strip().replace("đ", "d").replace("Đ", "D"))
    plain = unicodedata.normalize("NFC", "".join(c for c in split if not "\u0300" <= c <= "\u036f"))
    return _ANONYMOUS.fullmatch(plain) is not None


def recast(file: Imported, names: Mapping[str, str]) -> Imported:
    """Return a file with the names that a map gives to its labels, in any case of letters."""
    wanted = {_fold(label): name for label, name in names.items()}
    changed = tuple(
        replace(line, speaker=wanted[_fold(line.speaker)]) if line.speaker and _fold(line.speaker) in wanted else line
        for line in file.utterances
    )
    return file if changed == file.utterances else replace(file, utterances=changed)


def cast_voices(
    lines: Mapping[str, Sequence[Utterance]], known: Mapping[str, Sequence[str]], is_known: Iterable[str] = ()
) -> list[Voice]:
    """Return the anonymous voices of each folder, the one with most lines first, with a ranking of known characters.

    ``lines`` are a folder's utterances; those with a name teach how that character talks, and so do ``known`` texts by
    name (approved replies). ``is_known`` are labels that are names although they look like codes, such as aliases.
    """
    names = {_fold(name) for name in (*known, *is_known)}
    texts: dict[str, list[str]] = {name: list(said) for name, said in known.items()}
    voices: dict[tuple[str, str], list[Utterance]] = {}
    for folder, utterances in lines.items():
        for line in utterances:
            if line.speaker is None:
                continue
            if is_anonymous(line.speaker) and _fold(line.speaker) not in names:
                voices.setdefault((folder, _fold(line.speaker)), []).append(line)
            else:
                texts.setdefault(line.speaker, []).append(line.text)
    ranked = _Ranking(texts)
    found = []
    for (folder, _), said in voices.items():
        episodes: dict[str, int] = {}
        for line in said:
            episodes[line.source.path] = episodes.get(line.source.path, 0) + 1
        own, label = [line.text for line in said], str(said[0].speaker)
        ranking = ranked.of(own)
        found.append(Voice(folder, label, len(own), episodes, ranked.telling(own, ranking), ranking))
    return sorted(found, key=lambda voice: -voice.lines)


class _Ranking:
    """How the known characters talk. Ranks no one where fewer than two have enough lines."""

    def __init__(self, texts: Mapping[str, Sequence[str]]) -> None:
        enough = {name: list(dict.fromkeys(said))[:_MOST_KNOWN] for name, said in texts.items()}
        self._texts = {name: said for name, said in enough.items() if len(said) >= MIN_KNOWN}
        self._model = _fit(self._texts) if len(self._texts) > 1 else None

    def of(self, said: Sequence[str]) -> tuple[Candidate, ...]:
        """Return the characters for these lines, most likely first: the mean of the lines' log-probabilities."""
        if self._model is None:
            return ()
        # A long line says more than `Hả?`, up to a point.
        weights = [min(len(text), 80) for text in said]
        rows = self._model.predict_log_proba(list(said))
        total = sum(weights) or 1
        means = [sum(w * row[n] for w, row in zip(weights, rows, strict=True)) / total for n in range(len(rows[0]))]
        most = max(means)
        # Lines of one voice are not independent: the mean over them, sharpened by their number's root.
        odds = [math.exp((mean - most) * len(said) ** 0.5) for mean in means]
        chances = [Candidate(str(name), odd / sum(odds)) for name, odd in zip(self._model.classes_, odds, strict=True)]
        return tuple(sorted(chances, key=lambda candidate: -candidate.probability))

    def telling(self, said: Sequence[str], ranking: Sequence[Candidate]) -> tuple[str, ...]:
        """Return the lines that speak most clearly for the first candidate; without one, the longest lines."""
        lines = list(dict.fromkeys(said))
        if self._model is None or not ranking:
            return tuple(sorted(lines, key=lambda text: -len(text))[:TELLING])
        first = list(self._model.classes_).index(ranking[0].name)
        sure = self._model.predict_log_proba(lines)[:, first]
        return tuple(text for _, text in sorted(zip(-sure, lines, strict=True), key=lambda pair: pair[0])[:TELLING])


def _fit(texts: Mapping[str, Sequence[str]]) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    said = [text for own in texts.values() for text in own]
    names = [name for name, own in texts.items() for _ in own]
    model = make_pipeline(
        TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, lowercase=False),
        LogisticRegression(C=20, max_iter=1_000, class_weight="balanced"),
    )
    return model.fit(said, names)


def _fold(label: str) -> str:
    return unicodedata.normalize("NFC", label).strip().casefold()
