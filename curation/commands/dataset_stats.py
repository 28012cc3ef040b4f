"""`inosuke dataset stats`: the figures of an export, the variety of its wording, random samples. Parse, call, print."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from curation.command import json_option, persona_option

_SHOWN = 5  # pairs that a terminal shows; --json has all


@click.command()
@click.argument("version", metavar="[VERSION]", default="latest")
@click.option("--samples", default=0, show_default=True, help="Also print this many random samples of each kind.")
@click.option("--seed", default=0, show_default=True, help="Another seed draws other samples.")
@click.option("--threshold", type=float, default=85.0, show_default=True, help="fuzz.ratio, 50 to 100.")
@persona_option
@json_option
def stats(version: str, samples: int, seed: int, threshold: float, persona_file: Path, as_json: bool) -> None:
    """Print the figures of an export: samples by kind, opening words, near-duplicates.

    \b
    Example:
      inosuke dataset stats --samples 10
    """
    from curation.export import exported_rows, manifest, variety, versions
    from curation.folders import Folders
    from curation.persona import load_persona

    folder = versions.find(Folders(load_persona(persona_file).root).export, version)
    about = manifest.check(folder)
    chat = [row for side in exported_rows.SIDES for row in exported_rows.read_side(folder, "chat", side)]
    found = {
        "version": about.version,
        "name": about.persona.name,
        "counts": {side: counts.to_json() for side, counts in about.counts.items()},
        "openings": {code: opening.to_json() for code, opening in variety.openings(chat).items()},
        "threshold": threshold,
        "near_replies": [asdict(pair) for pair in variety.near_replies(chat, threshold)],
        "near_samples": [asdict(pair) for pair in variety.near_samples(chat, threshold)],
        "samples": variety.pick(chat, samples, seed) if samples else {},
    }
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(_text(found, seed)))


def _text(found: Mapping[str, Any], seed: int) -> Iterator[str]:
    from curation.export.charts import KIND_NAMES

    sides = list(found["counts"].values())
    total = sum(side["samples"] for side in sides)
    replies = sum(side["replies"] for side in sides)
    chars = sum(side["replies"] * side["mean_reply_chars"] for side in sides)
    yield f"{'Dataset ' + found['version']:<22}{'train':>8}{'eval':>8}{'all':>8}"
    for kind, name in KIND_NAMES.items():
        yield _counts(name, [side["kind"].get(kind, 0) for side in sides], total)
    yield _counts("All", [side["samples"] for side in sides])
    yield _counts("of these multi-turn", [side["multi_turn"] for side in sides], total)
    for code in sorted({code for side in sides for code in side["language"]}):
        yield _counts(f"in {code}", [side["language"].get(code, 0) for side in sides], total)
    yield ""
    yield f"mean reply        {chars / (replies or 1):.0f} characters, over {replies:,} replies"
    for code, opening in found["openings"].items():
        yield (
            f"opening words     {code}: {100 * opening['share']:.1f}% of {opening['replies']:,} replies begin with "
            f"`{opening['words']}` ({opening['count']:,}), the most frequent two words"
        )
    for key, what in (("near_replies", "replies"), ("near_samples", "samples")):
        yield f"near-duplicates   {len(found[key]):,} pairs of {what} at fuzz.ratio {found['threshold']:g} or more"
        for pair in found[key][:_SHOWN]:
            yield f"  {pair['score']:5.1f}  {pair['ids'][0]}  {_line(pair['texts'][0])}"
            yield f"         {pair['ids'][1]}  {_line(pair['texts'][1])}"
    for kind, drawn in found["samples"].items():
        yield f"\n{KIND_NAMES[kind]}: {len(drawn):,} at random (seed {seed})"
        for row in drawn:
            yield f"\n  {row['id']}  {row['source']}, {row['locator']}"
            yield from (f"    {_who(m, found['name'])}: {m['content']}" for m in row["messages"])


def _counts(name: str, counts: Sequence[int], total: int = 0) -> str:
    share = f"{100 * sum(counts) / total:>7.1f}%" if total else ""
    return f"{name:<22}{''.join(f'{n:>8,}' for n in (*counts, sum(counts)))}{share}"


def _who(message: Mapping[str, Any], character: str) -> str:
    return str(message["name"] or (character if message["role"] == "assistant" else message["role"]))


def _line(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= 80 else words[:79] + "…"
