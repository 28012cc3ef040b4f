"""`inosuke dataset stats`: the figures of an export, views of its wording, random samples. Parse, call, print."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.command import json_option, persona_option
from curation.errors import UsageError


@click.command()
@click.argument("version", metavar="[VERSION]", default="latest")
@click.option("--samples", default=0, show_default=True, help="Also print this many random samples of each kind.")
@click.option("--seed", default=0, show_default=True, help="Another seed draws other samples.")
@click.option("--threshold", type=float, default=85.0, show_default=True, help="fuzz.ratio, 50 to 100.")
@click.option("--report", type=click.Path(path_type=Path), help="Also write a page; the name ends with .html or .md.")
@persona_option
@json_option
def stats(
    version: str, samples: int, seed: int, threshold: float, report: Path | None, persona_file: Path, as_json: bool
) -> None:
    """Print the figures of an export: samples by kind, openings, contradictions, people, gaps, near-duplicates.

    A terminal shows the first of each; --report and --json have more.

    \b
    Example:
      inosuke dataset stats --samples 10 --report corpus.html
    """
    from curation.export import exported_rows, manifest, versions
    from curation.export.views import figures, page, terminal
    from curation.files import write_atomically
    from curation.folders import Folders
    from curation.persona import load_persona

    if report is not None and report.suffix.lower() not in (".html", ".md"):
        raise UsageError(f"--report {report}: expected a name that ends with .html or .md.")
    persona = load_persona(persona_file)
    folder = versions.find(Folders(persona.root).export, version)
    about = manifest.check(folder)
    found = figures.collect(about, exported_rows.read(folder), persona, threshold, samples, seed)
    if report is not None:
        is_page = report.suffix.lower() == ".html"
        charts = {title: (folder / "charts" / name).read_bytes() for name, title in page.CHARTS.items()}
        write_atomically(report, page.web_page(found, charts) if is_page else page.markdown(found))
    click.echo(json.dumps(found, ensure_ascii=False) if as_json else "\n".join(terminal.lines(found, seed)))
