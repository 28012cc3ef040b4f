"""All figures of `inosuke dataset stats` as plain objects: what `--json` prints, and what texts are made of. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from curation.contracts.manifest import Manifest
from curation.export import variety
from curation.export.exported_rows import Rows
from curation.export.views import gaps, people, questions
from curation.persona import Persona


def collect(
    about: Manifest, rows: Rows, persona: Persona, threshold: float, samples: int = 0, seed: int = 0
) -> dict[str, Any]:
    """Return the figures of an export, with ``samples`` random rows of each kind.

    ``threshold`` is the fuzz.ratio from which on two texts count as near.
    """
    chat = rows.samples
    names = (persona.name, *persona.aliases)
    unlike, asked = gaps.unlike_train(rows.chat["train"], rows.held_out, persona.page.starters)
    return {
        "version": about.version,
        "name": about.persona.name,
        "counts": {side: counts.to_json() for side, counts in about.counts.items()},
        "openings": {code: opening.to_json() for code, opening in variety.openings(chat).items()},
        "first_words": _openings(rows, 1),
        "first_two_words": _openings(rows, 2),
        "repeated_questions": questions.repeated(chat, names),
        "contradictions": [asdict(entry) for entry in questions.contradictions(chat, names)],
        "people": [
            asdict(person)
            | {"settled": round(person.settled, 3), "mixed": person.mixed, "beside_table": person.beside_table}
            for person in people.people(chat, (*names, *persona.user_labels), persona.address)
        ],
        "subjects": [asdict(subject) | {"missing": subject.missing} for subject in gaps.subjects(chat)],
        "asked": asked,
        "unlike_train": [asdict(question) for question in unlike],
        "threshold": threshold,
        "near_replies": [asdict(pair) for pair in variety.near_replies(chat, threshold)],
        "near_samples": [asdict(pair) for pair in variety.near_samples(chat, threshold)],
        "samples": variety.pick(chat, samples, seed) if samples else {},
    }


def _openings(rows: Rows, words: int) -> dict[str, list[dict[str, Any]]]:
    found = variety.frequent_openings(rows.samples, words)
    return {code: [opening.to_json() | {"over": opening.over} for opening in listed] for code, listed in found.items()}
