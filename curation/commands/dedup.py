"""`inosuke dedup [FILE]`: duplicates of a table's column or of the queue. Parses options, calls `dedup`, prints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from curation.command import persona_option
from curation.errors import UsageError

if TYPE_CHECKING:
    from curation.record import Sample

_SHOWN = 20  # clusters that the terminal shows; --html and --json have all
# What shows that two texts are near, where the score alone does not say it.
_BY = {
    "ratio": "",
    "spelling": "  [another spelling]",
    "order": "  [another order of the words]",
    "contains": "  [one contains the other]",
}
_SURROGATE = re.compile("[\ud800-\udfff]")


@click.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.option("--field", default="output", show_default=True, help="The column whose texts are compared.")
@click.option(
    "--threshold",
    "thresholds",
    type=float,
    multiple=True,
    help="From 50 to 100 a fuzz.ratio (default: 90, or that of persona.toml for the queue). Up to 1, with --meaning, a "
    "cosine (default: from the annotators' verdicts, else 0.96 for replies and 0.985 for dialogues). May be given "
    "twice.",
)
@click.option(
    "--meaning",
    is_flag=True,
    help="Also show the pairs that are near by meaning: suggestions, beside what the exact comparison finds.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.option("--html", "as_html", is_flag=True, help="Print a page with the differences highlighted.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write there instead of to standard output.")
@click.option(
    "--pairs",
    "pairs_file",
    type=click.Path(path_type=Path),
    help="Write the near pairs by letters to this Parquet file (i, j: rows from 0; score) and nothing else. Texts and "
    "pairs lie on the disk, so FILE may be larger than memory.",
)
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
@persona_option
def dedup(
    *,
    file: Path | None,
    field: str,
    thresholds: tuple[float, ...],
    meaning: bool,
    as_json: bool,
    as_html: bool,
    output: Path | None,
    pairs_file: Path | None,
    index_folder: Path | None,
    executor: str,
    persona_file: Path,
) -> None:
    """Find exact and near duplicates in a CSV, JSON, JSONL, Excel, Parquet or Arrow file. Leaves the file unchanged.

    Without FILE it looks through the review queue. Equal texts, but for case, spaces and repeated marks, merge. Texts
    that are near are listed with a score and with what shows it: the letters alone, or another spelling, another order
    of the words, or one text inside the other. With --meaning it also shows pairs that say nearly the same in other
    words; nothing is merged by it.

    \b
    Example:
      inosuke dedup quotes.json --html -o duplicates.html
      inosuke dedup quotes.json --meaning --threshold 0.95
      inosuke dedup millions.parquet --field text --pairs pairs.parquet
    """
    if pairs_file is not None:
        if file is None or as_json or as_html or meaning or output or index_folder:
            raise UsageError(
                "--pairs writes the pairs of a FILE and nothing else. Give FILE, and leave out --json, --html, "
                "--meaning, -o and --index."
            )
        _write_pairs(file, field, pairs_file, _sorted_out(thresholds, False)[1], executor)
        return
    if as_json and as_html:
        raise UsageError("--json and --html exclude each other. Give one of them.")
    if meaning and as_html:
        raise UsageError("--html has no pairs by meaning. Leave out one of --html and --meaning, or use --json.")
    cosine, ratio = _sorted_out(thresholds, meaning)
    from curation.dedup import Index, Local, Ray, cluster, evidence, look_up
    from curation.files import write_atomically

    samples, templates, name, default = _read(file, field, persona_file)
    threshold = default if ratio is None else ratio
    engine = Ray(progress=True) if executor == "ray" else Local(progress=True)
    duplicates = cluster(samples, threshold, templates, engine)
    near = _by_meaning(duplicates.kept, persona_file, cosine, threshold, templates) if meaning else None
    if index_folder is not None:
        duplicates = look_up(duplicates, Index(index_folder), threshold)
    if as_html:
        text = evidence.to_html(duplicates, name, threshold)
    elif as_json:
        head = {"file": None if file is None else str(file), "field": field, "threshold": threshold}
        found = {**head, **evidence.to_json(duplicates), **({} if near is None else {"meaning": near})}
        # JSON can hold half of a surrogate pair (damaged files have some), but only escaped.
        text = _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", json.dumps(found, ensure_ascii=False))
    else:
        from curation.meaning import report

        shown = [*_lines(evidence.to_json(duplicates)), *([] if near is None else ["", *report.lines(near)])]
        text = "\n".join(shown)
        text = _SURROGATE.sub("\ufffd", text)
    if output is None:
        click.echo(text)
    else:
        write_atomically(output, text + "\n")
        click.echo(f"{output} written", err=True)


def _write_pairs(file: Path, field: str, path: Path, ratio: float | None, executor: str) -> None:
    from curation.dedup import Local, Ray
    from curation.dedup.join.on_disk import write_similar_pairs
    from curation.dedup.samples_file import read_texts
    from curation.dedup.wording import normal

    engine = Ray(progress=True) if executor == "ray" else Local(progress=True)
    texts = map(normal, read_texts(file, field))
    written = write_similar_pairs(texts, path, 90.0 if ratio is None else ratio, engine, progress=True)
    click.echo(
        f"{written.texts:,} rows, {written.distinct:,} of them distinct but for case, spaces and repeated marks\n"
        f"{written.pairs:,} pairs equal or near by letters: {path}"
    )


def _sorted_out(thresholds: tuple[float, ...], meaning: bool) -> tuple[float | None, float | None]:
    """Return the cosine and the fuzz.ratio among the thresholds, None for one that was not given."""
    cosines = [t for t in thresholds if t <= 1]
    ratios = [t for t in thresholds if not t <= 1]
    if len(cosines) > 1 or len(ratios) > 1:
        raise UsageError(
            f"--threshold was given {len(thresholds)} times. Expected at most one from 50 to 100 and, with --meaning, "
            "one up to 1."
        )
    if cosines and not meaning:
        raise UsageError(
            f"--threshold {cosines[0]:g} is a cosine, which --meaning compares. Add it, or give 50 to 100."
        )
    return (cosines[0] if cosines else None), (ratios[0] if ratios else None)


def _read(file: Path | None, field: str, persona_file: Path) -> tuple[list[Sample], tuple[str, ...], str, float]:
    """Return samples, template prompts, a title and the usual threshold: of a table, or of the project's queue."""
    from curation.dedup.samples_file import read_samples
    from curation.folders import Folders
    from curation.persona import load_persona
    from curation.review.queue import read_queue

    if file is not None:
        return read_samples(file, field), (), f"{file.name}: {field}", 90.0
    persona = load_persona(persona_file)
    samples = [item.sample for item in read_queue(Folders(persona.root).queue)]
    return samples, persona.dedup.template_prompts, f"{persona.name}: queue", persona.dedup.threshold


def _by_meaning(
    samples: Sequence[Sample], persona_file: Path, cosine: float | None, ratio: float, templates: tuple[str, ...]
) -> dict[str, Any]:
    """Return the pairs by meaning. Verdicts and vectors are the project's; outside of one there are none."""
    from curation.folders import Folders
    from curation.meaning import report
    from curation.meaning.encoder import E5
    from curation.meaning.vectors import Vectors

    folders = Folders(persona_file.resolve().parent)
    inside = persona_file.is_file()
    vectors = Vectors(E5(), folders.vectors if inside else None, lambda message: click.echo(message, err=True))
    verdicts = report.read_verdicts(folders.same_meaning) if inside else []
    return report.to_json(samples, vectors, verdicts, cosine=cosine, ratio=ratio, templates=templates)


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
        yield from (f"  {member['score']:<5.1f} {_place(member)}{_BY[member['by']]}" for member in cluster["members"])
        if cut := cluster["cut_from"]:
            yield f"  {cut['score']:<5.1f} {_place(cut)} (in another cluster){_BY[cut['by']]}"
    if n["clusters"] > _SHOWN:
        yield f"\n  … and {n['clusters'] - _SHOWN:,} more clusters: --html shows all, with the differences"


def _place(sample: dict[str, Any]) -> str:
    words = " ".join(sample["text"].split())
    return f"{sample['place']}: {words if len(words) <= 100 else words[:99] + '…'}"
