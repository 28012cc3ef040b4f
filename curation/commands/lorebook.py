"""`inosuke lorebook`: the entries of the persona's lorebook, what of it has no effect, and what a text makes fire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from curation.command import json_option, persona_option
from curation.errors import UsageError


@click.command()
@click.option("--say", multiple=True, help="A message of the user; repeat it for more, the newest last.")
@persona_option
@json_option
def lorebook(say: tuple[str, ...], persona_file: Path, as_json: bool) -> None:
    """List the facts of the lorebook, and the decorators and settings in it that have no effect.

    With --say, print which entries those messages make fire. docs/lorebook.md describes the file.

    \b
    Example:
      inosuke lorebook --say "Who is Mount Natagumo's spider?"
    """
    from curation.lorebook.matching import fired
    from curation.persona import load_persona
    from curation.record import Message

    persona = load_persona(persona_file)
    book = persona.lore
    if book is None:
        raise UsageError(
            f'{persona_file}: no lorebook. Name one: a table [lorebook] with file = "lorebook.json" (docs/lorebook.md).'
        )
    heard = [entry.number for entry in fired(book, [Message("user", text) for text in say])] if say else []
    if as_json:
        rows: list[dict[str, Any]] = [
            {
                "number": entry.number,
                "name": entry.name,
                "keys": list(entry.keys),
                "constant": entry.stands,
                "enabled": entry.speaks,
                "content": entry.content,
                "fires": entry.number in heard,
            }
            for entry in book.entries
        ]
        about = {"scan_depth": book.scan_depth, "token_budget": book.token_budget, "recursive": book.recursive}
        click.echo(json.dumps({**about, "entries": rows, "notes": list(book.notes)}, ensure_ascii=False))
        return
    standing = sum(entry.stands for entry in book.entries)
    click.echo(
        f"{persona.lorebook.file}: {len(book.entries):,} entries, {standing:,} of them constant; keys are looked for "
        f"in the last {book.scan_depth} messages, facts take at most {book.token_budget} tokens"
    )
    for entry in book.entries:
        if say and entry.number not in heard:
            continue
        how = "constant" if entry.stands else ", ".join(entry.keys) if entry.speaks else "off"
        click.echo(f"  {entry.number}. {entry.name} [{how}] {' '.join(entry.content.split())[:80]}")
    if say and not heard:
        click.echo("  No entry fires.")
    for note in book.notes:
        click.echo(f"Note: {note}")
