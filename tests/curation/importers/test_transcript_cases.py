"""Small files that are easy to read wrongly, with what should come out of each: ``transcript_cases/expected.jsonl``.

Each case is a kind of input that people really have. Its fields:

- ``file``: a path below ``transcript_cases/``; a folder means: import all of it. ``with``: files read together with it.
- ``lines``: ``[[speaker or null, text], …]`` in order. ``samples``: dialogues as ``[[role, text], …]``; single lines
  with a prompt of the persona (quotes) are free.
- ``rejected``: how many pieces the importer sets aside for which reason; ``a|b`` counts either.
- ``must_flag``: a line with other words than expected has no speaker, or every sample with it carries a flag.
- ``wants_flag``: the words may stay, but each sample of the character's with them carries a flag.
- ``unsupported_ok``: a message that names the format or the encoding is as good.
- ``also_ok``: other results that are as good.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from curation.errors import InosukeError
from curation.importers import read
from curation.importers.together import read_together
from curation.persona import Persona
from curation.record import Imported, Rejected, Sample
from curation.transcripts.scenes import to_samples

FOLDER = Path(__file__).parent / "transcript_cases"
CASES: list[dict[str, Any]] = [
    json.loads(line) for line in (FOLDER / "expected.jsonl").read_text(encoding="utf-8").splitlines()
]
NAMES_A_FORMAT = re.compile(
    r"(?i)sbv|lrc|whisper|sami|html|mediawiki|json3|ren'?py|fountain|encod|tmp ?player|subviewer|discord|pippa|"
    r"character|card|prose|dash|tab|heading|zip|srv3|youtube|preference|guanaco"
)


@dataclass(frozen=True)
class Found:
    """What an import gave."""

    lines: list[list[str | None]]
    samples: list[Sample]
    rejected: list[Rejected]


def look(case: dict[str, Any], persona: Persona) -> Found:
    """Import the file of a case as a person would: alone, with the files beside it, or as a folder."""
    path = FOLDER / case["file"]
    if path.is_dir() or case.get("with"):
        paths = [path] if path.is_dir() else sorted([path, *(FOLDER / name for name in case["with"])])
        results = [(p, r) for p, r in read_together(paths, persona, quiet=True) if isinstance(r, Imported)]
    else:
        results = [(path, read(path, persona))]
    mine = [r for p, r in results if path.is_dir() or p == path]
    names = {u.source.path for r in mine for u in r.utterances} | {s.source.path for r in mine for s in r.samples}
    made, _ = to_samples([r for _, r in results], persona)
    return Found(
        lines=[[u.speaker, u.text] for r in mine for u in r.utterances],
        samples=[*(s for r in mine for s in r.samples), *(s for s in made if s.source.path in names)],
        rejected=[x for r in mine for x in r.rejected],
    )


def plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def turns(messages: list[list[str]]) -> list[list[str]]:
    """Join neighbouring turns of one role."""
    joined: list[list[str]] = []
    for role, text in messages:
        if role == "system":
            continue
        if joined and joined[-1][0] == role:
            joined[-1][1] += " " + plain(text)
        else:
            joined.append([role, plain(text)])
    return joined


def dialogues(samples: list[Sample], persona: Persona) -> list[list[list[str]]]:
    """Return the samples that are dialogues of the source, without the persona's own prompts."""
    prompts = {plain(p) for pair in persona.scenes.quote_prompts.values() for p in pair}
    found = [turns([[m.role, m.content] for m in s.messages]) for s in samples]
    return [d for d in found if not (len(d) == 2 and d[0][1] in prompts)]


def fits(wanted: dict[str, Any], found: Found, persona: Persona) -> str:
    """Return what differs from one acceptable result, or an empty text."""
    lines = [[speaker, plain(text or "")] for speaker, text in found.lines]
    if "lines" in wanted and (expected := [[s, plain(t)] for s, t in wanted["lines"]]) != lines:
        return f"lines: expected {expected}, got {lines}"
    if "samples" in wanted:
        expected = [turns(s) for s in wanted["samples"]]
        got = [d for d in dialogues(found.samples, persona) if len(d) > 1]
        if sorted(expected) != sorted(got):
            return f"samples: expected {expected}, got {got}"
    if "rejected" in wanted:
        counts = Counter(r.reason for r in found.rejected)
        for reasons, number in wanted["rejected"].items():
            names = reasons.split("|")
            if sum(counts[n] for n in names) != number:
                return f"set aside: expected {wanted['rejected']}, got {dict(counts)}"
        known = {n for reasons in wanted["rejected"] for n in reasons.split("|")}
        if set(counts) - known:
            return f"set aside: expected {wanted['rejected']}, got {dict(counts)}"
    return ""


def unflagged(case: dict[str, Any], found: Found, persona: Persona) -> list[str]:
    """Return the replies that hold words which the character did not say, in samples without a flag."""
    right = Counter(plain(t) for s, t in case.get("lines", []) if s == persona.name)
    right_words = " ".join(right)
    said = {plain(t or "") for s, t in found.lines if s == persona.name}
    wrong = {text for text in said if text not in right and text not in right_words}
    replies = [" ".join(t for r, t in turns(s) if r == "assistant") for s in case.get("samples", [])]
    bad = []
    for sample in found.samples:
        reply = plain(" ".join(sample.replies))
        if not sample.flags and (any(w in reply for w in wrong) or ("lines" not in case and reply not in replies)):
            bad.append(reply)
    return bad


@pytest.mark.parametrize("case", CASES, ids=[case["file"] for case in CASES])
def test_a_file_that_is_easy_to_read_wrongly_gives_the_right_lines(case: dict[str, Any], persona: Persona) -> None:
    try:
        found = look(case, persona)
    except InosukeError as error:
        assert case.get("unsupported_ok"), f"{case['kind']}: {error}"
        assert NAMES_A_FORMAT.search(str(error).partition(". Known:")[0]), str(error)
        return
    differences = [fits(wanted, found, persona) for wanted in (case, *case.get("also_ok", []))]
    right = "" in differences
    if case.get("must_flag") and not right:
        assert found.lines or found.samples
        assert unflagged(case, found, persona) == [], differences[0]
        return
    assert right, differences[0]
    if case.get("wants_flag"):
        mine = [s for s in found.samples if s.replies]
        assert mine
        assert all(s.flags for s in mine)
