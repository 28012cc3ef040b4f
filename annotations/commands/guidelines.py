"""`inosuke review guidelines`: which version is in force, since when, and how many verdicts each version has."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.command import json_option, persona_option


@click.command()
@persona_option
@json_option
def guidelines(persona_file: Path, as_json: bool) -> None:
    """Show which guidelines are in force, since when, and how many verdicts were made under each version.

    They are persona.toml's `[review] guidelines`, or docs/guidelines.md. A version is a hash of the text; every verdict
    records the one that its annotator had before them.

    \b
    Example:
      inosuke review guidelines
    """
    from annotations.guidelines import history, put_in_force, read_guidelines
    from annotations.store.database import store_url
    from annotations.store.review_store import ReviewStore
    from curation.persona import load_persona

    persona = load_persona(persona_file)
    current = read_guidelines(persona)
    store = ReviewStore(store_url(persona.root))
    try:
        put_in_force(store, current.version)
        versions = history(store)
        verdicts = store.statistics.by_guidelines()
    finally:
        store.close()
    since = next((one.since for one in reversed(versions) if one.version == current.version), None)
    if as_json:
        shown = {
            "path": None if current.path is None else str(current.path),
            "version": current.version,
            "since": since,
            "verdicts": verdicts,
            "history": [{"version": one.version, "since": one.since} for one in versions],
        }
        click.echo(json.dumps(shown, ensure_ascii=False))
        return
    if current.path is None:
        click.echo("no guidelines. Write docs/guidelines.md, or name a file in persona.toml: [review] guidelines = …")
    else:
        click.echo(f"{current.path}: version {current.version}, since {since} (UTC)")
    for version, n in sorted(verdicts.items(), key=lambda pair: -pair[1]):
        click.echo(f"{version or 'no version recorded':<20} {n:>8,} verdicts")
