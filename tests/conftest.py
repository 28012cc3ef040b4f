"""Fixtures that every part shares."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from curation.persona import Persona, load_persona

# A busy machine makes any example slow, so none has a deadline. The same examples each time: a run of the suite says
# something about the change. HYPOTHESIS_PROFILE=explore looks for new ones.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))

ROOT = Path(__file__).resolve().parent.parent
CORPUS = ROOT.parent / "shared" / "corpus"


@pytest.fixture
def desk_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose persona.toml the review desk uses; nothing is left in Streamlit's caches before or after."""
    import streamlit as st

    st.cache_resource.clear()
    st.cache_data.clear()
    monkeypatch.setenv("REVIEW_PERSONA", str(tmp_path / "persona.toml"))
    monkeypatch.delenv("REVIEW_DB", raising=False)
    yield tmp_path
    st.cache_resource.clear()


@pytest.fixture(scope="session")
def persona() -> Persona:
    return load_persona(ROOT / "persona.toml")


@pytest.fixture
def corpus() -> Path:
    """The user's own corpus, which is not part of the project."""
    if not CORPUS.is_dir():
        pytest.skip(f"the user's corpus is not at {CORPUS}")
    return CORPUS


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Make a small project of its own: persona.toml and a trusted source folder with the given files."""

    def make(files: dict[str, str | bytes], persona: str | None = None) -> Path:
        if persona is None:
            shutil.copy(ROOT / "persona.toml", tmp_path / "persona.toml")
        else:
            (tmp_path / "persona.toml").write_text(persona, encoding="utf-8")
        for name, content in files.items():
            path = tmp_path / "datasets" / "sources" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path

    return make
