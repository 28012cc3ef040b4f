"""The language of the character's lines: langdetect, seeded, and the majority of the file for short lines.

langdetect misjudges interjections (`Hahahaha!`, `Ai dám so?`): they are too short to be judged alone, so they get the
language of the file around them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from curation.persona import Persona
from curation.record import Flag, Sample

# A text with fewer letters gets the majority language of its file.
MIN_LETTERS = 24


def detect(text: str) -> str | None:
    """Return the most likely language of a text (ISO 639-1; `zh-cn` as `zh`), or None for a text without letters.

    The seed is fixed (langdetect samples at random), so the same text always gets the same answer.
    """
    from langdetect import DetectorFactory, LangDetectException, detect_langs

    DetectorFactory.seed = 0
    try:
        code: str = detect_langs(text)[0].lang
    except LangDetectException:  # raised for a text without a letter that any of its profiles knows
        return None
    return code.split("-")[0]


def tag(samples: Sequence[Sample], persona: Persona, tick: Callable[[], object] = lambda: None) -> list[Sample]:
    """Return the samples with their language, and a `language` flag where it is not one of the persona's.

    ``tick`` is called once per sample, for a progress bar.
    """
    detected: list[str | None] = []
    majority: dict[str, Counter[str]] = {}
    for sample in samples:
        text = " ".join(sample.replies)
        long = sum(c.isalpha() for c in text) >= MIN_LETTERS
        code = detect(text) if long else None
        if code:
            majority.setdefault(sample.source.path, Counter())[code] += 1
        detected.append(code)
        tick()
    return [_tagged(s, v, majority.get(s.source.path), persona) for s, v in zip(samples, detected, strict=True)]


def _tagged(sample: Sample, code: str | None, file: Counter[str] | None, persona: Persona) -> Sample:
    prior = min(file, key=lambda code: (-file[code], code)) if file else persona.languages[0]
    language = code or prior
    if language in persona.languages:
        return replace(sample, language=language)
    flag = Flag("language", f"looks like `{language}`; expected {' or '.join(persona.languages)}")
    return replace(sample, language=language, flags=(*sample.flags, flag))
