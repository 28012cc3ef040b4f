"""`inosuke dataset flagged`: the samples with a flag, and how often each flag was right. Parse, call, print."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curation.command import json_option, persona_option

if TYPE_CHECKING:
    from curation.persona import Persona
    from curation.record import Sample
    from curation.review.flagged import CodeFigures

_WIDTH = 100  # characters of a text that a terminal shows


@click.command()
@click.option("--code", default="", help="Only the samples with this flag.")
@click.option("--limit", default=50, show_default=True, help="Print at most this many samples; 0 prints all.")
@persona_option
@json_option
def flagged(code: str, limit: int, persona_file: Path, as_json: bool) -> None:
    """List the flagged samples of the last build, and how often each flag was right so far.

    A flag is right where a person rejected or rewrote the sample, wrong where a person approved it unchanged. --json
    prints all samples.

    \b
    Example:
      inosuke dataset flagged --code typing_error
    """
    from curation.codes import FLAGS
    from curation.errors import UsageError
    from curation.folders import Folders
    from curation.persona import load_persona
    from curation.review import flagged as review
    from curation.review.decisions import read_log
    from curation.review.queue import read_queue

    persona = load_persona(persona_file)
    folders = Folders(persona.root)
    samples = [item.sample for item in read_queue(folders.queue)]
    counts = review.figures(samples, read_log(folders.log).decisions)
    if code and code not in FLAGS and code not in {c.code for c in counts}:
        raise UsageError(f"--code {code}: no flag has this code. Expected one of {', '.join(sorted(FLAGS))}.")
    found = review.with_findings(samples, code)
    shown = [c for c in counts if not code or c.code == code]
    if as_json:
        click.echo(json.dumps(_json(found, shown), ensure_ascii=False))
    else:
        click.echo("\n".join(_text(found, shown, persona, limit)))


def _json(samples: Sequence[Sample], counts: Sequence[CodeFigures]) -> dict[str, Any]:
    from curation.review.flagged import codes_of, text_of

    return {
        "samples": [
            {"id": s.id, "codes": codes_of(s), "path": s.source.path, "locator": s.source.locator, "text": text_of(s)}
            for s in samples
        ],
        "codes": [
            {
                "code": c.code,
                "flagged": c.flagged,
                "right": c.right,
                "wrong": c.wrong,
                "precision": c.precision,
                "blocks": c.blocks,
                "offers_to_be_off": c.offers_to_be_off,
            }
            for c in counts
        ],
    }


def _text(samples: Sequence[Sample], counts: Sequence[CodeFigures], persona: Persona, limit: int) -> Iterator[str]:
    from curation.review.flagged import codes_of, text_of

    if not samples:
        yield "No sample of the last build carries such a flag."
        return
    for sample in samples[: limit or None]:
        yield f"{sample.id}  {', '.join(codes_of(sample))}  ({sample.source.path}, {sample.source.locator})"
        yield from (f"    {_line(f'{flag.code}: {flag.detail}')}" for flag in _findings(sample) if flag.detail)
        yield from (f"    {_line(line)}" for line in text_of(sample).split("\n"))
    if limit and len(samples) > limit:
        yield f"… and {len(samples) - limit:,} more: --limit 0 prints all, --json writes them"
    yield ""
    yield f"{'flag':<20}{'samples':>9}{'right':>8}{'wrong':>8}{'precision':>11}  trusted folders"
    for c in counts:
        precision = "" if c.precision is None else f"{100 * c.precision:.0f}%"
        waits = "waits for review" if c.blocks else "approved all the same"
        yield f"{c.code:<20}{c.flagged:>9,}{c.right:>8,}{c.wrong:>8,}{precision:>11}  {waits}"
    yield "right: a person rejected or rewrote the sample; wrong: a person approved it unchanged"
    yield from _offer(counts, persona)
    yield "Next: make review, and choose the flag in the sidebar"


def _offer(counts: Sequence[CodeFigures], persona: Persona) -> Iterator[str]:
    """Say which flags are not worth their cost, and what switches them off."""
    from curation.review.flagged import ENOUGH

    off = [c.code for c in counts if c.offers_to_be_off]
    if off:
        listed = ", ".join(f'"{code}"' for code in (*persona.checks.off, *off))
        yield (
            f"\nRight less than one time in five, in {ENOUGH} verdicts or more: {', '.join(off)}. "
            "To switch that off, put this into persona.toml:"
        )
        yield f"\n[checks]\noff = [{listed}]\n"


def _findings(sample: Sample) -> Any:
    from curation.codes import findings

    return findings(sample.flags)


def _line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= _WIDTH else words[: _WIDTH - 1] + "…"
