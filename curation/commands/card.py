"""`inosuke card`: character cards in and out. Parse, call, print; nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.command import json_option, persona_option

_FILE = click.Path(path_type=Path)


@click.group()
def card() -> None:
    """Read, write and check character cards (SillyTavern, RisuAI, KoboldCpp and others).

    \b
    Example:
      inosuke card import boar.png --into ../boar
    """


@card.command("import")
@click.argument("file", type=_FILE)
@click.option("--into", "folder", type=_FILE, required=True, help="A new folder for the character.")
@click.option("--language", default="en", show_default=True, help="The language of the card's lines (ISO 639-1).")
def import_(file: Path, folder: Path, language: str) -> None:
    """Draft a character from a card: persona.toml, a portrait, rows for review, and the card as it came.

    \b
    Example:
      inosuke card import boar.png --into ../boar
    """
    from curation.character_cards.checking import about
    from curation.character_cards.drafting import import_card, kept_card

    persona = import_card(file, folder, language)
    click.echo(f"{folder}: drafted {persona.name}. The rights of its lines are unknown; say them in persona.toml.")
    for line in about(kept_card(persona.root), file, language):
        click.echo(line)
    click.echo(f"Next: inosuke dataset --persona {folder / 'persona.toml'}   (its rows then wait for review)")


@card.command()
@click.option("--out", type=_FILE, required=True, help="The file to write: .json, .png or .charx.")
@click.option("--v2", "version", flag_value=2, type=int, help="Write Character Card V2.")
@click.option("--v3", "version", flag_value=3, type=int, help="Write Character Card V3.")
@click.option("--tokens", type=click.IntRange(0), default=600, show_default=True, help="What the examples may cost.")
@persona_option
def export(out: Path, version: int | None, tokens: int, persona_file: Path) -> None:
    """Write the character as a card, with greetings and with examples from approved lines.

    An imported card that no one edited is written back byte for byte. Otherwise only edited fields change. Without
    --v2 or --v3, the version is the imported card's own, or V3.

    \b
    Example:
      inosuke card export --out inosuke.json
    """
    from curation.character_cards.export import export_card

    for line in export_card(persona_file, out, version, tokens):
        click.echo(line)


@card.command()
@click.argument("file", type=_FILE)
@json_option
def check(file: Path, as_json: bool) -> None:
    """List what a card breaks of its specification. The exit status is 1 where it breaks something.

    \b
    Example:
      inosuke card check boar.png
    """
    from curation.character_cards.checking import faults
    from curation.character_cards.containers import read
    from curation.character_cards.notes import warnings

    found = read(file)
    broken, odd = faults(found), warnings(found)
    if as_json:
        click.echo(json.dumps({"version": found.version, "faults": broken, "warnings": odd}, ensure_ascii=False))
    else:
        click.echo(f"{file}: V{found.version}, {len(broken)} faults")
        for fault in broken:
            click.echo(f"  {fault}")
        for warning in odd:
            click.echo(f"  Note: {warning}")
    if broken:
        raise SystemExit(1)
