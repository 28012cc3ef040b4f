"""The options that select samples as the desk's filters do, for every command that works on a selection."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from annotations.store.queries import Filters

F = TypeVar("F", bound=Callable[..., Any])

_FIELDS = ("kind", "source", "language", "flag", "speaker", "text")


def filter_options(status: str, statuses: tuple[str, ...]) -> Callable[[F], F]:
    """Add --kind, --source, --language, --flag, --speaker, --text and --status with this default."""

    def add(function: F) -> F:
        options = [
            click.option("--kind", default="", help="Samples of this kind only, such as quote."),
            click.option("--source", default="", help="Samples of this source file only."),
            click.option("--language", default="", help="Samples in this language only, such as vi."),
            click.option("--flag", default="", help="Samples with this flag only, such as near_duplicate."),
            click.option("--speaker", default="", help="Samples in which this speaker talks only."),
            click.option("--text", default="", help="Samples with this text only, as the desk's search finds it."),
            click.option(
                "--status",
                default=status,
                show_default=True,
                type=click.Choice(statuses),
                help="The samples' state.",
            ),
        ]
        for option in reversed(options):
            function = option(function)
        return function

    return add


def as_filters(options: dict[str, Any]) -> Filters:
    """Return the filters that the options ask for."""
    from annotations.store.queries import Filters

    return Filters(status=options["status"], **{name: options[name] for name in _FIELDS})


def check_filters(filters: Filters, offered: dict[str, list[str]]) -> None:
    """Raise UsageError for a value that no sample of the queue has: a slip of the pen must not select nothing."""
    from curation.errors import UsageError

    for name in ("kind", "source", "language", "flag", "speaker"):
        value = getattr(filters, name)
        if value and value not in offered[name]:
            there = ", ".join(offered[name][:20]) or "none"
            raise UsageError(f"no sample of the queue has the {name} {value!r}. Expected one of: {there}.")
