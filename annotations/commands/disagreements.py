"""`inosuke review disagreements`. Parse, call, print; nothing else."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from annotations.commands.open_store import opened
from curation.command import json_option, persona_option

if TYPE_CHECKING:
    from annotations.store.review_store import ReviewStore

# The columns of the CSV file, a line for each verdict.
COLUMNS = (
    "sample",
    "disagreement",
    "settled_by",
    "imported",
    "now",
    "annotator",
    "verdict",
    "reason",
    "rewritten",
    "time",
    "client",
    "event",
)


@click.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write a CSV file, a line each verdict.")
@persona_option
@json_option
def disagreements(out: Path | None, persona_file: Path, as_json: bool) -> None:
    """Show where annotators came to different verdicts without sight of each other's, and who settled it.

    A conflict is between verdicts that count on their own, as in two merged logs; a dispute is between the members of
    a blind panel. Both wait for an adjudicator.

    \b
    Example:
      inosuke review disagreements --out disagreements.csv
    """
    from curation.files import write_atomically

    with opened(persona_file) as (store, _):
        found = rows(store)
    if out is not None:
        write_atomically(out, as_csv(found))
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    elif out is not None:
        click.echo(f"{len(found):,} samples → {out}")
    else:
        click.echo("\n".join(_line(row) for row in found) or "no disagreements")


def rows(store: ReviewStore) -> list[dict[str, Any]]:
    """Return each disagreement as plain objects: the sample, its texts, and the verdicts with who and why."""
    from annotations.store.types import UnknownSample
    from curation.record import messages_to_json
    from curation.review.disagreements import disagreements as find

    found = []
    imported: list[dict[str, str]] | None
    now: list[dict[str, str]] | None
    for one in find(store.log.events()):
        try:
            item = store.queue.item(one.sample_id)
            imported, now = messages_to_json(item.sample.messages), messages_to_json(item.messages)
        except UnknownSample:  # its events are in the log, and no queue has brought its text
            imported = now = None
        verdicts = [
            {
                "event": e.id,
                "annotator": e.annotator,
                "verdict": e.verdict,
                "reason": e.reason,
                "messages": None if e.messages is None else messages_to_json(e.messages),
                "time": e.time,
                "client": e.client,
            }
            for e in one.verdicts
        ]
        found.append(
            {
                "sample": one.sample_id,
                "disagreement": one.kind,
                "settled_by": one.settled_by,
                "imported": imported,
                "now": now,
                "verdicts": verdicts,
            }
        )
    return found


def as_csv(found: list[dict[str, Any]]) -> str:
    """Return disagreements as CSV, a line for each verdict; the turns of a text are on lines of their own.

    A spreadsheet takes a cell that begins with a sign for a formula, so such a cell gets an apostrophe before it
    (OWASP, "CSV injection").
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in found:
        sample = {key: row[key] for key in ("sample", "disagreement", "settled_by")}
        sample |= {key: _turns(row[key]) for key in ("imported", "now")}
        for verdict in row["verdicts"]:
            own = {key: verdict[key] for key in ("annotator", "verdict", "reason", "time", "client", "event")}
            cells = sample | own | {"rewritten": _turns(verdict["messages"])}
            writer.writerow({key: _no_formula(value) for key, value in cells.items()})
    return text.getvalue()


def _no_formula(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _turns(messages: list[dict[str, str]] | None) -> str:
    return "\n".join(f"{m.get('name') or m['role']}: {m['content']}" for m in messages or ())


def _line(row: dict[str, Any]) -> str:
    said = ", ".join(
        f"{v['annotator']} {v['verdict']}" + (f" ({v['reason']})" if v["reason"] else "") for v in row["verdicts"]
    )
    settled = f"settled by {row['settled_by'] or 'a later verdict'}" if row["disagreement"] == "settled" else ""
    return f"{row['sample']}  {settled or row['disagreement']}: {said}"
