"""`inosuke dataset methods`: a paragraph for a paper with the figures of an export. Parse, call, print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from curation.command import json_option, persona_option

if TYPE_CHECKING:
    from curation.codes import Language


@click.command()
@click.argument("version", metavar="[VERSION]", default="latest")
@click.option("--language", type=click.Choice(["en", "vi"]), default="en", show_default=True, help="Of the paragraph.")
@persona_option
@json_option
def methods(version: str, language: Language, persona_file: Path, as_json: bool) -> None:
    """Print how an export was made, as a paragraph for a paper and the entry to cite it with.

    Every figure is the export's own. With --json the figures come beside the text.

    \b
    Example:
      inosuke dataset methods --language vi
    """
    from curation.export import card, exported_rows, manifest, versions
    from curation.export import methods as words
    from curation.folders import Folders
    from curation.persona import load_persona

    folder = versions.find(Folders(load_persona(persona_file).root).export, version)
    about = manifest.check(folder)
    chat = [row for side in exported_rows.SIDES for row in exported_rows.read_side(folder, "chat", side)]
    found = words.figures(about, [row["source"] for row in chat])
    text, cited = words.paragraph(found, language), card.bibtex(about, card.EXAMPLE_REPO)
    if as_json:
        answer = {"version": about.version, "language": language, "text": text, "bibtex": cited, "figures": found}
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        click.echo(f"{text}\n\n{cited}")
