"""Load a published dataset back from the Hub, as any user would, and compare every row with what was sent."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from curation.errors import InosukeError
from curation.export import exported_rows
from curation.hub.client import Hub


def load_back(hub: Hub, commit: str, folder: Path) -> None:
    """Load both configurations from the Hub and compare every row with those in ``folder``.

    Raises InosukeError that names the commit if rows differ or cannot be loaded.
    """
    datasets: Any = import_module("datasets")  # our folder of that name hides its types from mypy

    for config in exported_rows.CONFIGS:
        with tempfile.TemporaryDirectory(prefix="inosuke-reload-") as cache:
            try:
                with _no_bars():
                    loaded = datasets.load_dataset(hub.repo, config, revision=commit, token=hub.token, cache_dir=cache)
                seen = {side: loaded[side].to_list() for side in loaded}
                del loaded  # its files are mapped into memory, and Windows cannot remove mapped files
            except (OSError, ValueError, KeyError, datasets.exceptions.DatasetsError) as error:
                reason = str(error).replace(hub.token, "<token>").split("\n")[0]
                raise InosukeError(
                    f"{hub.repo}: commit {commit[:8]} is uploaded, but `load_dataset` fails on `{config}` ({reason}). "
                    "Publish again. If it still fails, check `configs` in the card."
                ) from None
        sides = {side: exported_rows.read_side(folder, config, side) for side in exported_rows.SIDES}
        expected = {side: content for side, content in sides.items() if content}  # the card does not list empty ones
        if seen != expected:
            raise InosukeError(
                f"{hub.repo}: `load_dataset` returns other rows of `{config}` at commit {commit[:8]} than were sent "
                f"({ {s: len(r) for s, r in seen.items()} }, expected { {s: len(r) for s, r in expected.items()} }). "
                "Do not announce it; publish again."
            )


@contextmanager
def _no_bars() -> Iterator[None]:
    """Hide the progress bars of `load_dataset`, which draws several."""
    datasets: Any = import_module("datasets")
    from huggingface_hub.utils.tqdm import disable_progress_bars

    shown = datasets.utils.are_progress_bars_disabled() is False
    datasets.disable_progress_bars()
    try:
        with disable_progress_bars():
            yield
    finally:
        if shown:
            datasets.enable_progress_bars()
