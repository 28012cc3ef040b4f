"""Load a dataset as any user would, and compare every row with what was sent: a folder before, the Hub afterwards."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from curation.errors import InosukeError
from curation.export import exported_rows
from curation.hub.client import Hub


class NotLoaded(Exception):
    """`load_dataset` failed; the text is the first line of what it said."""


def load(where: str, config: str, **options: Any) -> dict[str, list[Any]]:
    """Return a configuration's rows by split, from a folder or from the Hub. Raises NotLoaded.

    The library's bars and its own report of an error are hidden: the caller reports it.
    """
    datasets: Any = import_module("datasets")  # our folder of that name hides its types from mypy

    with tempfile.TemporaryDirectory(prefix="inosuke-load-") as cache, _silent():
        try:
            loaded = datasets.load_dataset(where, config, cache_dir=cache, **options)
            rows = {side: loaded[side].to_list() for side in loaded}
            del loaded  # its files are mapped into memory, and Windows cannot remove mapped files
        except (
            OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError, datasets.exceptions.DatasetsError
        ) as error:  # fmt: skip
            raise NotLoaded(_reason(error)) from None
    return rows


def expected(folder: Path, config: str) -> dict[str, list[Any]]:
    """Return the rows that a configuration must have: those of the folder. The card does not list empty sides."""
    sides = {side: exported_rows.read_side(folder, config, side) for side in exported_rows.SIDES}
    return {side: content for side, content in sides.items() if content}


def load_back(hub: Hub, commit: str, folder: Path) -> None:
    """Load each configuration from the Hub and compare every row with those in ``folder``.

    Raises InosukeError that names the commit if rows differ or cannot be loaded.
    """
    for config in exported_rows.present(folder):
        try:
            seen = load(hub.repo, config, revision=commit, token=hub.token)
        except NotLoaded as error:
            reason = str(error).replace(hub.token, "<token>")
            raise InosukeError(
                f"{hub.repo}: commit {commit[:8]} is uploaded, but `load_dataset` fails on `{config}` ({reason}), "
                "although the same files were loaded here before they were sent. Publish again."
            ) from None
        if seen != (wanted := expected(folder, config)):
            raise InosukeError(
                f"{hub.repo}: `load_dataset` returns other rows of `{config}` at commit {commit[:8]} than were sent "
                f"({counted(seen)}, expected {counted(wanted)}). Do not announce it; publish again."
            )


def counted(rows: dict[str, list[Any]]) -> str:
    """Return ``train 1,200, eval 130``."""
    return ", ".join(f"{side} {len(content):,}" for side, content in rows.items()) or "nothing"


def _reason(error: BaseException) -> str:
    """Return the first line of the error that a chain began with: what is raised last may only say that it failed."""
    while error.__cause__ is not None:
        error = error.__cause__
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__


@contextmanager
def _silent() -> Iterator[None]:
    """Hide the progress bars of `load_dataset`, which draws several, and what it logs before it raises."""
    datasets: Any = import_module("datasets")
    from huggingface_hub.utils.tqdm import disable_progress_bars

    shown = datasets.utils.are_progress_bars_disabled() is False
    log = logging.getLogger("datasets")
    level = log.level
    datasets.disable_progress_bars()
    log.setLevel(logging.CRITICAL)
    try:
        with disable_progress_bars():
            yield
    finally:
        log.setLevel(level)
        if shown:
            datasets.enable_progress_bars()
