"""Write docs/cli.md from the help of every command: ``make docs``, or ``python -m tests.tools.cli_reference``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from inosuke import cli

FILE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
_WIDTH = 100
_TOP = """# Commands

What each command of `inosuke` prints for `--help`. `make docs` writes this page; edit the commands, not the page.

"""


def reference() -> str:
    """Return the page: a list of links, then a heading and the help text for each command and sub-command."""
    sections = list(_sections(cli, None, "inosuke"))
    links = [f"{'  ' * name.count(' ')}- [`{name}`](#{name.replace(' ', '-')})\n" for name, _ in sections]
    texts = [f"\n{'#' * min(2 + name.count(' '), 4)} {name}\n\n```text\n{text}\n```\n" for name, text in sections]
    return _TOP + "".join(links) + "".join(texts)


def _sections(command: click.Command, parent: click.Context | None, name: str) -> Iterator[tuple[str, str]]:
    context = click.Context(
        command,
        parent=parent,
        info_name=name,
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        **command.context_settings,
    )
    full = context.command_path
    yield full, "\n".join(line.rstrip() for line in context.get_help().splitlines())
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            found = command.get_command(context, sub)
            if found is not None:
                yield from _sections(found, context, sub)


if __name__ == "__main__":
    FILE.write_text(reference(), encoding="utf-8", newline="\n")
