"""Duplicates as plain objects, and as an HTML page that shows what differs. Opens only its own template."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from curation.cleaning import differences
from curation.dedup.duplicates import IN_WORDS, Cluster, Duplicates, Member
from curation.dedup.wording import normal
from curation.record import Sample


def to_json(duplicates: Duplicates) -> dict[str, Any]:
    """Return counts and every group, each sample with its id, place and text."""
    samples = {sample.id: sample for sample in duplicates.kept}

    def sample(sample_id: str) -> dict[str, Any]:
        found = samples[sample_id]
        return {"id": sample_id, "place": found.source.locator, "text": text_of(found)}

    def member(found: Member) -> dict[str, Any]:
        return {**sample(found.sample_id), "witness": found.witness, "score": round(found.score, 2), "by": found.by}

    def near(found: Cluster) -> dict[str, Any]:
        cut = found.cut_from and {
            **sample(found.cut_from.witness),
            "score": round(found.cut_from.score, 2),
            "by": found.cut_from.by,
        }
        return {
            "id": found.id,
            "kept": sample(found.kept),
            "members": [member(m) for m in found.members],
            "cut_from": cut,
        }

    return {
        "counts": counts(duplicates),
        "exact": [
            {"kept": sample(e.kept), "dropped": [{"id": i, "place": source.locator} for i, source in e.dropped]}
            for e in duplicates.exact
        ],
        "near": [near(c) for c in duplicates.near],
        "diacritics": [member(m) for m in duplicates.diacritics],
        "known": [{**sample(k.sample_id), "known": k.text, "score": round(k.score, 2)} for k in duplicates.known],
    }


def counts(duplicates: Duplicates) -> dict[str, int]:
    """Return the counts: read, merged into another, left, near another, and near a text of the index."""
    merged = sum(len(e.dropped) for e in duplicates.exact)
    return {
        "samples": len(duplicates.kept) + merged,
        "exact": merged,
        "left": len(duplicates.kept),
        "clusters": len(duplicates.near),
        "near": sum(len(c.members) for c in duplicates.near),
        "diacritics": len(duplicates.diacritics),
        "known": len({k.sample_id for k in duplicates.known}),
    }


def to_html(duplicates: Duplicates, title: str, threshold: float) -> str:
    """Return a page without scripts or outside files, for dark and light screens, phones and print."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(Path(__file__).with_name("evidence.html").read_text(encoding="utf-8"))
    samples: Mapping[str, Sample] = {sample.id: sample for sample in duplicates.kept}

    def against(sample_id: str, witness: str) -> list[tuple[differences.Side, str]]:
        return differences.words(text_of(samples[witness]), text_of(samples[sample_id]))

    page = template.render(
        title=title,
        threshold=threshold,
        counts=counts(duplicates),
        duplicates=duplicates,
        samples=samples,
        text_of=text_of,
        by=IN_WORDS,
        against=against,
        beside=lambda known: differences.words(known.text, normal(text_of(samples[known.sample_id]))),
    )
    # Half of a surrogate pair, as damaged files have them, cannot be written as UTF-8.
    return page.encode("utf-8", "replace").decode("utf-8")


def text_of(sample: Sample) -> str:
    """Return the turns of a sample, one per line with the speaker; of a single turn only the words."""
    turns = [message for message in sample.messages if message.role != "system"]
    if len(turns) == 1:
        return turns[0].content
    return "\n".join(f"{message.name or message.role}: {message.content}" for message in turns)
