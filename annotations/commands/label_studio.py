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

if TYPE_CHECKING:
    from annotations.labelstudio.connection import Server
    from annotations.store.review_store import ReviewStore
    from curation.persona import Persona

_Command = TypeVar("_Command", bound=Callable[..., Any])

project_option = click.option("--project", "title", help="The project's title on the server. [default: NAME · review]")


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
@click.option("--all", "everything", is_flag=True, help="Push decided samples too, for another opinion.")
@persona_option
@json_option
def push(title: str | None, everything: bool, persona_file: Path, as_json: bool) -> None:
    """Send each open sample that is not on the server yet.

    Creates the project, or updates its labeling interface from persona.toml. After an interruption, run it again: it
    continues where it was and sends nothing twice.

    \b
    Example:
      inosuke label-studio push
    """
    with _opened(persona_file, title) as (server, name, persona, store):
        from annotations.labelstudio import push_tasks

        result = push_tasks.push(server, name, persona, store, everything=everything, quiet=as_json)
    if as_json:
        click.echo(json.dumps(result.to_json(), ensure_ascii=False))
    else:
        made = " (created)" if result.created else ""
        click.echo(f"{result.new:,} tasks pushed, {result.already_there:,} were there · {result.project}{made}")
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
@project_option
@annotator_option
@persona_option
@json_option
def pull(title: str | None, annotators: tuple[str, ...], persona_file: Path, as_json: bool) -> None:
    """Write what annotators submitted as verdicts of the review store.

    Drafts and skipped tasks stay open. A verdict on a text that has been rewritten since then waits in the adjudication
    view. Exit status 1 when an annotation cannot be read; the others are.

    \b
    Example:
      inosuke label-studio pull --annotator hoa@example.org=hoa && inosuke review sync
    """
    with _opened(persona_file, title) as (server, name, persona, store):
        from annotations.labelstudio import pull_verdicts

        result = pull_verdicts.pull(server, name, persona, store, names_of(annotators), quiet=as_json)
    if as_json:
        click.echo(json.dumps(result.to_json(), ensure_ascii=False))
    else:
        click.echo(_pulled(result))
    _warn(result.problems)
    sys.exit(1 if result.problems else 0)


@label_studio.command()
@project_option
@annotator_option
@persona_option
@json_option
def status(title: str | None, annotators: tuple[str, ...], persona_file: Path, as_json: bool) -> None:
    """Compare the project on the server with the review store. Changes nothing.

    \b
    Example:
      inosuke label-studio status --json
    """
    with _opened(persona_file, title) as (server, name, persona, store):
        from annotations.labelstudio.compare import compare, table

        result = compare(server, name, persona, store, names_of(annotators), quiet=as_json)
    click.echo(json.dumps(result.to_json(), ensure_ascii=False) if as_json else table(result))
    _warn(result.problems)
    sys.exit(1 if result.problems else 0)


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

    with _opened(persona_file, title) as (server, name, persona, store):
        from annotations.labelstudio import poll

        signal.signal(signal.SIGTERM, end)
        signal.signal(signal.SIGINT, end)
        with poll.hints(server, name, listen, webhook_url, hint):
            click.echo(f"watching {name!r} at {server.url}, every {interval:g} s; Ctrl+C ends it")
            poll.watch(server, name, persona, store, names, interval=interval, hint=hint, stop=stop, report=_report)


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


@contextmanager
def _opened(persona_file: Path, title: str | None) -> Iterator[tuple[Server, str, Persona, ReviewStore]]:
    """Open what every command needs, and close it."""
    from annotations.labelstudio.connection import from_environment
    from annotations.labelstudio.project import default_title
    from annotations.store.database import store_url
    from annotations.store.review_store import ReviewStore
    from curation.persona import load_persona

    server = from_environment()
    persona = load_persona(persona_file)
    store = ReviewStore(store_url(persona.root))
    try:
        yield server, title or default_title(persona), persona, store
    finally:
        store.close()


def _pulled(result: Any) -> str:
    parts = [f"{result.annotations:,} annotations read", f"{result.new:,} new verdicts"]
    if result.undone:
        parts.append(f"{result.undone:,} undone")
    if result.conflicts:
        parts.append(f"{result.conflicts:,} samples for adjudication")
    return ", ".join(parts)


def _report(news: Any) -> None:
    if isinstance(news, Exception):
        click.echo(f"Warning: {news}", err=True)
        return
    click.echo(_pulled(news))
    _warn(news.problems)


def _warn(problems: list[str]) -> None:
    for problem in problems:
        click.echo(f"Warning: {problem}", err=True)
