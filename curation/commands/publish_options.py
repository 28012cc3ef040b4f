"""What `inosuke publish` and `inosuke publish-model` share: options, the text that they print, the question."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from curation.hub.publication import Publication

private_option = click.option("--private", is_flag=True, help="Create the repository as a private one.")
tag_option = click.option("--tag", help="Tag this version, for example v1.")
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Print what would be published, and change nothing on the Hub."
)
yes_option = click.option("--yes", is_flag=True, help="Publish without asking, whatever there is to ask.")


def text(publication: Publication, *, shown: bool = False) -> str:
    """Describe what was published, or would be: samples, what was left out and from where, files, the commit.

    With ``shown``, the content was printed before and is left out.
    """
    tag = f", tag {publication.tag}" if publication.tag else ""
    lines = [f"{publication.repo}: {publication.action} (version {publication.version}{tag})"]
    lines += [] if shown else publication.details()
    files = publication.files
    lines += [f"  files     {len(files)}: {', '.join(files)}"] if files else []
    lines += [f"  deleted   {', '.join(publication.deleted)}"] if publication.deleted else []
    if publication.commit:
        lines += [f"  commit    {publication.commit}", f"  page      {publication.url}"]
    lines += [f"Warning: {warning}" for warning in publication.warnings]
    return "\n".join(lines)


class Asked:
    """Show what will be published, and on a terminal ask. Remembers that it was shown."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self.has_shown = False

    def confirm(self, planned: Publication) -> None:
        """Raise InosukeError where the answer is no, or where there is no one to answer."""
        from curation.errors import InosukeError
        from curation.hub.preview import refuse_unanswered

        on_a_terminal = sys.stdin.isatty() and sys.stdout.isatty() and not self._as_json
        if not self._as_json and (on_a_terminal or planned.questions):
            click.echo(text(planned))
            self.has_shown = True
        if not on_a_terminal or planned.removes_much:
            refuse_unanswered(planned)
        elif not click.confirm(f"Publish this to {planned.repo}?"):
            raise InosukeError("not published. Nothing was uploaded.")
