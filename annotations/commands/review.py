"""The sub-commands of `inosuke review`: sync, export, import, status, annotator. Parse, call, print; nothing else.

Those of a team are in files of their own: audit, assign, replace, gold, choices.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from annotations.commands.assign import assign, assigned
from annotations.commands.audit import audit
from annotations.commands.choices import choices
from annotations.commands.disagreements import disagreements
from annotations.commands.gold import gold
from annotations.commands.guidelines import guidelines
from annotations.commands.name_speaker import name_speaker
from annotations.commands.replace import replace
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
    from annotations.store.review_store import ReviewStore
    from annotations.team.books import BooksSynced, files_of, sync_books
    from curation.folders import Folders
    from curation.review.disagreements import waiting_line

    root = project_root(persona_file)
    folders = Folders(root)
    url = store_url(root)
    result = log_sync.sync(url, folders)
    if log_sync.store_exists(url) or any(path.is_file() for path in files_of(folders).values()):
        store = ReviewStore(url)
        records = sync_books(store, folders)
        store.close()
    else:
        records = BooksSynced()
    if as_json:
        click.echo(json.dumps(result.to_json()))
    elif result.to_store or result.to_log:
        click.echo(f"review log: {result.to_store:,} events to the store, {result.to_log:,} to {folders.log.name}")
    if result.markers:
        click.echo(
            f"{folders.log.name}: removed {result.markers:,} conflict markers of git; both sides' events count. "
            f"Tell git: git add {folders.log.relative_to(root).as_posix()}",
            err=as_json,
        )
    if not as_json and (result.conflicts or result.disputes):
        click.echo(waiting_line(result.conflicts, result.disputes))
    if not as_json and (records.to_store or records.to_files):
        click.echo(f"team records: {records.to_store:,} to the store, {records.to_files:,} to their files")
    if records.damaged:
        click.echo(
            f"Warning: {' or '.join(path.name for path in files_of(folders).values())}: {records.damaged:,} lines hold "
            "no record. They stay as they are, at the end of the file; fix or delete them by hand.",
            err=True,
        )
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
    from annotations.store.review_store import ReviewStore
    from curation.review.decisions import read_log

    log = read_log(file)
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
@click.option("--role", type=click.Choice(("annotator", "adjudicator")), help="An adjudicator may settle disputes.")
@click.option("--adjudicator/--annotator", default=None, hidden=True)
@click.option("--password", is_flag=True, help="Ask for a password: for a desk that is open to a network.")
@persona_option
@json_option
def annotator(
    name: str, role: str | None, adjudicator: bool | None, password: bool, persona_file: Path, as_json: bool
) -> None:
    """Add an annotator, or change their role or password.

    \b
    Example:
      inosuke review annotator An --role adjudicator --password
    """
    from annotations.store.database import store_url
    from annotations.store.review_store import ReviewStore

    if adjudicator is not None:  # how --role was spelt before
        role = "adjudicator" if adjudicator else "annotator"
    store = ReviewStore(store_url(project_root(persona_file)))
    name = store.people.join(name)
    if role is not None:
        store.people.set_role(name, role)
    if password:
        # A script gives it on standard input: every user of the machine can read a command line.
        store.people.set_password(name, click.prompt("Password", hide_input=True, confirmation_prompt=True))
    has = store.people.roles()[name]
    store.close()
    if as_json:
        click.echo(json.dumps({"name": name, "role": has, "password": password}, ensure_ascii=False))
    else:
        click.echo(f"{name}: {has}{', with a password' if password else ''}")


for command in (assign, assigned, audit, choices, disagreements, gold, guidelines, name_speaker, replace):
    review.add_command(command)


def project_root(persona_file: Path) -> Path:
    """Return the folder of persona.toml. Raises UsageError where there is no such file.

    The file is not read: checking it would take a large part of a fast command's time.
    """
    if not persona_file.is_file():
        from curation.persona import no_persona

        raise no_persona(persona_file)
    return persona_file.resolve().parent
