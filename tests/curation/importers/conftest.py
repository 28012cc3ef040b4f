"""Fixtures of the importers' tests: read a file that is given as text or bytes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from curation.importers import read
from curation.persona import Persona
from curation.record import Imported


@pytest.fixture
def imported(tmp_path: Path, persona: Persona) -> Callable[..., Imported]:
    """Write a file of this name and content, and read it."""

    def run(name: str, content: str | bytes, encoding: str = "utf-8") -> Imported:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode(encoding) if isinstance(content, str) else content)
        return read(path, persona)

    return run
