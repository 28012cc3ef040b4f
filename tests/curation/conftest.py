"""Publishing against the real client libraries and a stand-in for the Hub.

`huggingface_hub` and `datasets` read HF_ENDPOINT when they are imported. So publishing runs in one separate process for
all tests of a file, started with the environment that a user would set. The only patch in the libraries removes the
waits between their retries.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from curation.hub.dataset_repository import publish
from curation.hub.publication import Publication
from tests.tools.hub import WRITER, FakeHub, running
from tests.tools.hub import environment as hub_environment

Publish = Callable[..., Any]


def _start(environment: dict[str, str]) -> None:
    os.environ.update(environment)
    os.environ.pop("HF_HUB_OFFLINE", None)
    import huggingface_hub.utils._http as http

    http.time.sleep = lambda seconds: None  # the client waits 1, 2, 4, 8, 8 s between its tries


def _call(function: Callable[..., Publication], token: str | None, arguments: tuple[Any, ...], options: Any) -> Any:
    os.environ.pop("HF_TOKEN", None)
    os.environ.update({} if token is None else {"HF_TOKEN": token})
    return function(*arguments, quiet=True, **options)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"HF_HOME": str(tmp_path_factory.mktemp("hf"))}


@pytest.fixture(scope="module")
def server(environment: dict[str, str]) -> Iterator[FakeHub]:
    with running() as hub:
        environment.update(hub_environment(hub.url, environment["HF_HOME"]))
        yield hub


@pytest.fixture(scope="module")
def worker(server: FakeHub, environment: dict[str, str]) -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=_start, initargs=(environment,)) as pool:
        yield pool


@pytest.fixture
def hub(server: FakeHub) -> FakeHub:
    server.repos.clear()
    server.blobs.clear()
    server.requests.clear()
    server.cut_uploads = server.cut_commits = 0
    server.echo = server.race = False
    return server


@pytest.fixture
def send(worker: ProcessPoolExecutor, hub: FakeHub) -> Publish:
    """Call `publish`, or another function given as `call`, in the process that sees the stand-in."""

    def run(*arguments: Any, call: Any = publish, token: str | None = WRITER, **options: Any) -> Any:
        return worker.submit(_call, call, token, arguments, options).result()

    return run
