"""``published.json`` of a run: where on the Hub it was published last."""

from __future__ import annotations

from pathlib import Path

from curation.contracts.contract import Contract, read, write

PUBLISHED = "published.json"
_PUBLISH_AGAIN = "Run `inosuke publish-model` again, or remove the file."


class PublishedAs(Contract):
    """A publication: ``commit`` is the repository's commit that holds the run's files."""

    repository: str
    commit: str
    private: bool = False


class Published(Contract):
    """The last publication of a run's adapter and of its merged model; None for one that was never published."""

    adapter: PublishedAs | None = None
    merged: PublishedAs | None = None


def read_published(run: Path) -> Published:
    """Read a run's record; empty where the run was never published. Raises InosukeError for a damaged one."""
    file = run / PUBLISHED
    return read(file, Published, "inosuke publish-model", _PUBLISH_AGAIN) if file.is_file() else Published()


def write_published(run: Path, content: Published) -> None:
    """Write a run's ``published.json``."""
    write(run / PUBLISHED, content)
