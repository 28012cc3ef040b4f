"""The sub-commands of `inosuke label-studio`: push, pull, status, watch. Parse, call, print; nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from curation.command import json_option, persona_option
from curation.record import KINDS

if TYPE_CHECKING:
    from annotations.labelstudio.connection import Server
    from annotations.store.review_store import ReviewStore
    from curation.codes import Language
    from curation.persona import Persona

_Command = TypeVar("_Command", bound=Callable[..., Any])

project_option = click.option("--project", "title", help="The project's title on the server. [default: NAME · review]")
# What a pull from several projects adds up.
_TOTALS = ("annotations", "new", "undone", "rejected", "conflicts")

projects_option = click.option(
    "--project",
    "titles",
    multiple=True,
    help="The project's title on the server. Repeatable. [default: every project that was pushed to from here]",
)


def annotator_option(command: _Command) -> _Command:
    """Add ``--annotator EMAIL=NAME``."""
    return click.option(
        "--annotator",
        "annotators",
        multiple=True,
        envvar="LABEL_STUDIO_ANNOTATORS",
        metavar="EMAIL=NAME",
        help="The name of an e-mail address at the review desk; without it, the address is the name. Repeatable; "
        "LABEL_STUDIO_ANNOTATORS holds several, separated by spaces.",
    )(command)


@click.group("label-studio")
def label_studio() -> None:
    """Send the queue to a Label Studio server and bring verdicts back.

    LABEL_STUDIO_URL is the address of the server. The token, legacy or personal, comes from LABEL_STUDIO_API_KEY or
    from the file (mode 0600) that LABEL_STUDIO_API_KEY_FILE names.

    \b
    Example:
      export LABEL_STUDIO_URL=https://labels.example.org LABEL_STUDIO_API_KEY_FILE=~/.label-studio-token
      inosuke label-studio push
    """


@label_studio.command()
@project_option
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Send samples of this kind. Repeatable.")
@click.option(
    "--source", "sources", multiple=True, metavar="PATTERN", help="Send samples of this source file. Repeatable."
)
@click.option("--flag", "flags", multiple=True, metavar="CODE", help="Send samples with this flag. Repeatable.")
@click.option("--limit", type=click.IntRange(1), help="Send until the project has this many open tasks of those.")
@click.option("--all", "everything", is_flag=True, help="Push decided samples too, for another opinion.")
@click.option("--twice", is_flag=True, help="Push samples too that another project has.")
@click.option(
    "--language",
    type=click.Choice(("vi", "en")),
    help="The language of the page. [default: the page's, for a new project the persona's first]",
)
@persona_option
@json_option
def push(
    title: str | None,
    kinds: tuple[str, ...],
    sources: tuple[str, ...],
    flags: tuple[str, ...],
    limit: int | None,
    everything: bool,
    twice: bool,
    language: Language | None,
    persona_file: Path,
    as_json: bool,
) -> None:
    """Send each open sample that is not on the server yet.

    Creates the project, or updates its page and instructions from persona.toml. Tasks of samples that were decided
    elsewhere are closed: deleted, or marked where a user has begun to work on them. After an interruption, run it
    again: it continues where it was and sends nothing twice.

    With several projects a team splits the work: a sample that another project has is left out.

    \b
    Example:
      inosuke label-studio push --project "Inosuke · quotes" --kind quote --limit 200
    """
    _check_flags(flags)
    with _opened(persona_file) as (server, persona, store):
        from annotations.labelstudio.open_samples import Selection
        from annotations.labelstudio.push_tasks import push as send

        selection = Selection(kinds, sources, flags, limit)
        result = send(
            server,
            title,
            persona,
            store,
            selection=selection,
            language=language,
            everything=everything,
            twice=twice,
            quiet=as_json,
        )
    if as_json:
        click.echo(json.dumps(result.to_json(), ensure_ascii=False))
    else:
        made = " (created)" if result.created else ""
        click.echo(f"{result.new:,} tasks pushed, {result.already_there:,} were there · {result.project}{made}")
        for titled, count in result.elsewhere.items():
            click.echo(
                f"{count:,} samples are in the project {titled!r} too{'' if twice else ', so they were left out'}"
            )
        if said := _closed(result.closed, result.marked, result.reopened):
            click.echo(said)
        if result.doubled:
            click.echo(f"{result.doubled:,} duplicate tasks deleted")
    if result.foreign:
        click.echo(
            f"Warning: {result.foreign:,} tasks of the project were not made by a push. They stay as they are, and no "
            "verdict is read from them; move them to another project.",
            err=True,
        )
        sys.exit(1)


@label_studio.command()
@projects_option
@annotator_option
@persona_option
@json_option
def pull(titles: tuple[str, ...], annotators: tuple[str, ...], persona_file: Path, as_json: bool) -> None:
    """Write what annotators submitted as verdicts of the review store.

    Drafts and skipped tasks stay open, and so do annotations that a reviewer rejected. A verdict on a text that has
    been rewritten since then waits in the adjudication view, and so does one that contradicts another annotator's.
    Exit status 1 when an annotation cannot be read; the others are.

    \b
    Example:
      inosuke label-studio pull --annotator hoa@example.org=hoa && inosuke review sync
    """
    names, results = names_of(annotators), []
    with _opened(persona_file) as (server, persona, store):
        from annotations.labelstudio.known_projects import titles as known_titles
        from annotations.labelstudio.pull_verdicts import pull as fetch

        for title in known_titles(server, store, persona, titles, store.log.events()):
            result = fetch(server, title, persona, store, names, quiet=as_json)
            results.append(result)
            if not as_json:
                click.echo(f"{title}: {_pulled(result)}")
    if as_json:
        totals = {name: sum(getattr(r, name) for r in results) for name in _TOTALS}
        click.echo(json.dumps({**totals, "projects": [r.to_json() for r in results]}, ensure_ascii=False))
    problems = [problem for result in results for problem in result.problems]
    _warn(problems)
    sys.exit(1 if problems else 0)


@label_studio.command()
@projects_option
@annotator_option
@persona_option
@json_option
def status(titles: tuple[str, ...], annotators: tuple[str, ...], persona_file: Path, as_json: bool) -> None:
    """Compare each project on the server with the review store. Changes nothing.

    \b
    Example:
      inosuke label-studio status --json
    """
    names = names_of(annotators)
    with _opened(persona_file) as (server, persona, store):
        from annotations.labelstudio.compare import compare, side_by_side, table
        from annotations.labelstudio.known_projects import titles as known_titles
        from annotations.labelstudio.project import default_title
        from annotations.store.log_sync import known_events
        from curation.folders import Folders

        found = known_titles(server, store, persona, titles, known_events(store, Folders(persona.root)))
        results = [compare(server, title, persona, store, names, quiet=as_json) for title in found]
        shared = side_by_side(results)
    if as_json:
        both = {"projects": [r.to_json() for r in results], "shared": shared}
        click.echo(json.dumps(both, ensure_ascii=False))
    else:
        click.echo("\n\n".join(table(result, default_title(persona)) for result in results))
        for pair, count in shared.items():
            click.echo(f"{count:,} samples are in two projects: {pair}")
    problems = [problem for result in results for problem in result.problems]
    _warn(problems)
    sys.exit(1 if problems else 0)


@label_studio.command()
@project_option
@annotator_option
@click.option("--interval", type=click.FloatRange(1), default=30.0, show_default=True, help="Seconds between polls.")
@click.option("--listen", metavar="HOST:PORT", help="Receive webhooks here, to pull at once.")
@click.option("--webhook-url", metavar="URL", help="How the server reaches --listen. [default: http://HOST:PORT]")
@persona_option
def watch(
    title: str | None,
    annotators: tuple[str, ...],
    interval: float,
    listen: str | None,
    webhook_url: str | None,
    persona_file: Path,
) -> None:
    """Pull whenever something changes on the server, until Ctrl+C. Keeps trying while the server is away.

    Tasks of samples that were decided elsewhere are closed, as `push` does it.

    \b
    Example:
      inosuke label-studio watch --listen 127.0.0.1:8091
    """
    import signal
    import threading

    names = names_of(annotators)
    hint, stop = threading.Event(), threading.Event()

    def end(*_: object) -> None:
        stop.set()
        hint.set()

    with _opened(persona_file) as (server, persona, store):
        from annotations.labelstudio import poll
        from annotations.labelstudio.project import default_title
        from annotations.labelstudio.push_tasks import close_decided

        name = title or default_title(persona)

        def close() -> None:
            done = close_decided(server, name, persona, store)
            if said := _closed(done.deleted, done.marked, done.reopened):
                click.echo(said)

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        with poll.hints(server, name, listen, webhook_url, hint):
            click.echo(f"watching {name!r} at {server.url}, every {interval:g} s; Ctrl+C ends it")
            poll.watch(
                server,
                name,
                persona,
                store,
                names,
                interval=interval,
                hint=hint,
                stop=stop,
                report=_report,
                close=close,
            )


def names_of(annotators: tuple[str, ...]) -> dict[str, str]:
    """Return ``{email: name}``. Raises UsageError for anything that is not EMAIL=NAME."""
    from curation.errors import UsageError

    names = {}
    for pair in annotators:
        email, equals, name = pair.partition("=")
        if not equals or "@" not in email or not name.strip():
            raise UsageError(f"--annotator {pair!r}: expected EMAIL=NAME, as in hoa@example.org=hoa.")
        names[email.strip()] = name.strip()
    return names


def _check_flags(flags: tuple[str, ...]) -> None:
    """Raise UsageError for a flag that no sample can have."""
    from curation.codes import FLAGS
    from curation.errors import UsageError

    for flag in flags:
        if flag not in FLAGS:
            raise UsageError(f"--flag {flag!r}: no such flag. Known here: {', '.join(sorted(FLAGS))}.")


@contextmanager
def _opened(persona_file: Path) -> Iterator[tuple[Server, Persona, ReviewStore]]:
    """Open what every command needs, and close it."""
    from annotations.labelstudio.connection import from_environment
    from annotations.store.database import store_url
    from annotations.store.review_store import ReviewStore
    from curation.persona import load_persona

    server = from_environment()
    persona = load_persona(persona_file)
    store = ReviewStore(store_url(persona.root))
    try:
        yield server, persona, store
    finally:
        store.close()


def _pulled(result: Any) -> str:
    parts = [f"{result.annotations:,} annotations read", f"{result.new:,} new verdicts"]
    if result.rejected:
        parts.append(f"{result.rejected:,} rejected by a reviewer")
    if result.undone:
        parts.append(f"{result.undone:,} undone")
    if result.conflicts:
        parts.append(f"{result.conflicts:,} samples for adjudication")
    return ", ".join(parts)


def _closed(deleted: int, marked: int, reopened: int) -> str:
    """Return what became of tasks of samples that were decided elsewhere; empty when nothing did."""
    if not (deleted or marked or reopened):
        return ""
    return (
        f"{deleted:,} tasks of samples decided elsewhere deleted, {marked:,} with work on them marked, "
        f"{reopened:,} opened again"
    )


def _report(news: Any) -> None:
    if isinstance(news, Exception):
        click.echo(f"Warning: {news}", err=True)
        return
    click.echo(_pulled(news))
    _warn(news.problems)


def _warn(problems: list[str]) -> None:
    for problem in problems:
        click.echo(f"Warning: {problem}", err=True)
