"""Short forms of imported records, for exact comparisons."""

from collections.abc import Iterable

from curation.record import Imported, Rejected, Sample


def said(found: Imported) -> list[tuple[str | None, str]]:
    """Return (speaker, text) of each utterance."""
    return [(u.speaker, u.text) for u in found.utterances]


def rejections(found: Imported | Iterable[Rejected]) -> list[tuple[str, str]]:
    """Return (reason, text) of each rejection."""
    return [(r.reason, r.text) for r in (found.rejected if isinstance(found, Imported) else found)]


def turns(sample: Sample) -> list[tuple[str, str]]:
    """Return (speaker, text) of each turn; `*` is the character, `?` an unnamed speaker."""
    return [("*" if m.role == "assistant" else m.name or "?", m.content) for m in sample.messages]
