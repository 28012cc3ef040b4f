"""The sub-commands of `inosuke review`: sync, export, import, status, annotator. Parse, call, print; nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import click

from curation.command import json_option, persona_option


@click.group()
def review() -> None:
    """Synchronise the review store with the review log; show the status; manage annotators.

    \b
    Example:
      inosuke review status
    """


@review.command()
@persona_option
@json_option
def sync(persona_file: Path, as_json: bool) -> None:
    """Synchronise the store and datasets/decisions.jsonl: each gets the union of both, by event id.

    `make dataset` runs this first. It writes nothing when nothing has changed.

    \b
    Example:
      inosuke review sync && git add datasets/decisions.jsonl
    """
    from annotations.store import log_sync
    from annotations.store.database import store_url
    from curation.folders import Folders

    root = project_root(persona_file)
    folders = Folders(root)
    result = log_sync.sync(store_url(root), folders)
    if as_json:
        click.echo(json.dumps(result.to_json()))
    elif result.to_store or result.to_log:
        click.echo(f"review log: {result.to_store:,} events to the store, {result.to_log:,} to {folders.log.name}")
    if result.damaged:
        click.echo(
            f"Warning: {folders.log}: {result.damaged:,} lines are not events. They stay as they are, at the end of "
            "the file; fix or delete them by hand.",
            err=True,
        )


@review.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@persona_option
@json_option
def export(file: Path, persona_file: Path, as_json: bool) -> None:
    """Write every event of the store to FILE, in the form of the review log.

    \b
    Example:
      inosuke review export my-verdicts.jsonl
    """
    from annotations.store.database import store_url
    from annotations.store.review_store import ReviewStore
    from curation.review.decisions import Log, write_log

    store = ReviewStore(store_url(project_root(persona_file)))
    events = store.log.events()
    store.close()
    write_log(file, Log(tuple(events)))
    click.echo(
        json.dumps({"events": len(events), "path": str(file)}) if as_json else f"{len(events):,} events → {file}"
    )


@review.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@persona_option
@json_option
def import_events(file: Path, persona_file: Path, as_json: bool) -> None:
    """Add the events of another log to the store, each once. `inosuke review sync` then adds them to the log.

    Exit status 1 when the file has lines that are not events; the others are added.

    \b
    Example:
      inosuke review import their-verdicts.jsonl
    """
    from annotations.store.database import store_url
    from annotations.store.log_sync import read_events
    from annotations.store.review_store import ReviewStore

    log = read_events(file)
    store = ReviewStore(store_url(project_root(persona_file)))
    new = store.log.add(log.decisions)
    store.close()
    if as_json:
        click.echo(json.dumps({"events": len(log.decisions), "new": new, "damaged": len(log.damaged)}))
    else:
        click.echo(f"{len(log.decisions):,} events read, {new:,} of them new")
    for number, _ in log.damaged:
        click.echo(f"Warning: {file}, line {number} is not an event of a review log; skipped.", err=True)
    if log.damaged:
        raise SystemExit(1)


@review.command()
@persona_option
@json_option
def status(persona_file: Path, as_json: bool) -> None:
    """Show the progress of the review: samples by kind and status, verdicts by annotator.

    \b
    Example:
      inosuke review status --json
    """
    from annotations.commands.status import review_status, status_table

    result = review_status(persona_file)
    click.echo(json.dumps(result, ensure_ascii=False) if as_json else status_table(result))


@review.command()
@click.argument("name")
@click.option("--adjudicator/--annotator", default=None, help="An adjudicator may settle disputes.")
@click.option("--password", is_flag=True, help="Ask for a password: for a desk that is open to a network.")
@persona_option
def annotator(name: str, adjudicator: bool | None, password: bool, persona_file: Path) -> None:
    """Add an annotator, or change their role or password.

    \b
    Example:
      inosuke review annotator An --adjudicator --password
    """
    from annotations.store.database import store_url
    from annotations.store.review_store import ReviewStore

    store = ReviewStore(store_url(project_root(persona_file)))
    store.people.add(name)
    if adjudicator is not None:
        store.people.set_role(name, "adjudicator" if adjudicator else "annotator")
    if password:
        # A script gives it on standard input: every user of the machine can read a command line.
        store.people.set_password(name, click.prompt("Password", hide_input=True, confirmation_prompt=True))
    click.echo(f"{name}: {store.people.roles()[name]}{', with a password' if password else ''}")
    store.close()


def project_root(persona_file: Path) -> Path:
    """Return the folder of persona.toml. Raises UsageError where there is no such file.

    The file is not read: checking it would take a large part of a fast command's time.
    """
    if not persona_file.is_file():
        from curation.persona import no_persona

        raise no_persona(persona_file)
    return persona_file.resolve().parent
