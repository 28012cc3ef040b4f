"""`inosuke dedup FILE`: the duplicates in one column of a table. Parses options, calls `dedup`, prints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from curation.errors import UsageError

_SHOWN = 20  # clusters that the terminal shows; --html and --json have all
_SURROGATE = re.compile("[\ud800-\udfff]")


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--field", default="output", show_default=True, help="The column whose texts are compared.")
@click.option("--threshold", type=float, default=90.0, show_default=True, help="fuzz.ratio, 50 to 100.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--html", "as_html", is_flag=True, help="Print a page with the differences highlighted.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write there instead of to standard output.")
@click.option(
    "--index",
    "index_folder",
    type=click.Path(path_type=Path),
    help="Also compare with the texts stored in this folder, then store these there.",
)
@click.option(
    "--executor",
    "--engine",  # the option's old name, which scripts may use
    "executor",
    type=click.Choice(["local", "ray"]),
    default="local",
    show_default=True,
    help="Where to compare: this process, or a Ray cluster (RAY_ADDRESS, or one started here).",
)
def dedup(
    *,
    file: Path,
    field: str,
    threshold: float,
    as_json: bool,
    as_html: bool,
    output: Path | None,
    index_folder: Path | None,
    executor: str,
) -> None:
    """Find exact and near duplicates in a CSV, JSON, JSONL, Excel, Parquet or Arrow file. Leaves the file unchanged.

    Texts are compared without regard to case, spaces and repeated marks.

    \b
    Example:
      inosuke dedup quotes.json --html -o duplicates.html
    """
    if as_json and as_html:
        raise UsageError("--json and --html exclude each other. Give one of them.")
    from curation.dedup import Index, Local, Ray, cluster, evidence, look_up
    from curation.dedup.samples_file import read_samples
    from curation.files import write_atomically

    samples = read_samples(file, field)
    duplicates = cluster(samples, threshold, executor=Ray() if executor == "ray" else Local(progress=True))
    if index_folder is not None:
        duplicates = look_up(duplicates, Index(index_folder), threshold)
    if as_html:
        text = evidence.to_html(duplicates, f"{file.name}: {field}", threshold)
    elif as_json:
        found = {"file": str(file), "field": field, "threshold": threshold, **evidence.to_json(duplicates)}
        # JSON can hold half of a surrogate pair (damaged files have some), but only escaped.
        text = _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", json.dumps(found, ensure_ascii=False))
    else:
        text = "\n".join(_lines(evidence.to_json(duplicates)))
        text = _SURROGATE.sub("\ufffd", text)
    if output is None:
        click.echo(text)
    else:
        write_atomically(output, text + "\n")
        click.echo(f"{output} written", err=True)


def _lines(found: dict[str, Any]) -> Iterator[str]:
    n = found["counts"]
    yield f"{n['samples']:,} rows: {n['exact']:,} merge into another (equal but for case, spaces, repeated marks)"
    yield f"{n['left']:,} left: {n['near']:,} near a kept one, in {n['clusters']:,} clusters"
    if n["diacritics"]:
        yield f"{n['diacritics']:,} more are near a kept one without diacritics"
    if n["known"]:
        yield f"{n['known']:,} are near a text of the index"
    for cluster in found["near"][:_SHOWN]:
        yield ""
        yield f"  kept  {_place(cluster['kept'])}"
        yield from (f"  {member['score']:<5.1f} {_place(member)}" for member in cluster["members"])
        if cluster["cut_from"]:
            yield f"  {cluster['cut_from']['score']:<5.1f} {_place(cluster['cut_from'])} (in another cluster)"
    if n["clusters"] > _SHOWN:
        yield f"\n  … and {n['clusters'] - _SHOWN:,} more clusters: --html shows all, with the differences"


def _place(sample: dict[str, Any]) -> str:
    words = " ".join(sample["text"].split())
    return f"{sample['place']}: {words if len(words) <= 100 else words[:99] + '…'}"
