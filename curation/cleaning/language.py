"""Which language the character's lines are in: langdetect, seeded, with the file's own majority for short lines.

Of the first 1,500 lines of a Vietnamese corpus langdetect misjudges two, `Hahahaha!` and `Ai dám so?`: an interjection
holds too little to be judged by itself, so it takes the language of the file around it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from curation.persona import Persona
from curation.record import Flag, Sample

# Letters that a text needs before its own verdict counts against its file's.
MIN_LETTERS = 24


def detect(text: str) -> str | None:
    """Return the most likely language of a text (ISO 639-1; `zh-cn` as `zh`), or None where there are no letters.

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
    """Give every sample its language, and a `language` flag where it is not one of the persona's.

    ``tick`` is called once a sample, for a progress bar.
    """
    verdicts: list[str | None] = []
    majority: dict[str, Counter[str]] = {}
    for sample in samples:
        text = " ".join(sample.replies)
        long = sum(c.isalpha() for c in text) >= MIN_LETTERS
        verdict = detect(text) if long else None
        if verdict:
            majority.setdefault(sample.source.path, Counter())[verdict] += 1
        verdicts.append(verdict)
        tick()
    return [_tagged(s, v, majority.get(s.source.path), persona) for s, v in zip(samples, verdicts, strict=True)]


def _tagged(sample: Sample, verdict: str | None, file: Counter[str] | None, persona: Persona) -> Sample:
    prior = min(file, key=lambda code: (-file[code], code)) if file else persona.languages[0]
    language = verdict or prior
    if language in persona.languages:
        return replace(sample, language=language)
    flag = Flag("language", f"looks like `{language}`; expected {' or '.join(persona.languages)}")
    return replace(sample, language=language, flags=(*sample.flags, flag))
