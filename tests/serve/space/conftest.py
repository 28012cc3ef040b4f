"""Projects with a finished run, to write Spaces of."""

import functools
import http.server
import shutil
import threading

import pytest

from serve.space.static_folder import write_static_space
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


@pytest.fixture
def folder(light, tmp_path):
    """A static Space of the tiny run, with its weights in several parts."""
    out = tmp_path / "space"
    write_static_space(out, root=light, part_bytes=50_000)
    return out


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def site(folder):
    """The folder on a static server, as a Space is."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_address[1]}/"
        server.shutdown()
        thread.join()
