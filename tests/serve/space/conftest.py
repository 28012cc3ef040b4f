"""Projects with a finished run, to write Spaces of."""

import shutil

import pytest

from tests.serve.conftest import PROJECT
from tests.tools.gguf_files import manifest, write_gguf


@pytest.fixture
def ready(finished):
    shutil.copy(PROJECT / "constraints.txt", finished)
    return finished


@pytest.fixture
def light(ready, tiny_model, tokenizer):
    """A project whose run has a GGUF."""
    folder = ready / "models" / "run-1" / "gguf"
    write_gguf(folder / "model-F16.gguf", tiny_model, tokenizer)
    (folder / "model-F32.gguf").write_bytes((folder / "model-F16.gguf").read_bytes())
    manifest(folder, served="model-F16.gguf")
    return ready
