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

from curation.errors import InosukeError
from curation.hub.dataset_repository import publish
from curation.hub.publication import Publication
from tests.tools.hub import WRITER, FakeHub, running
from tests.tools.hub import environment as hub_environment

Publish = Callable[..., Any]
Shell = Callable[..., tuple[int, str, str]]


def _start(environment: dict[str, str]) -> None:
    os.environ.update(environment)
    os.environ.pop("HF_HUB_OFFLINE", None)
    import huggingface_hub.utils._http as http

    http.time.sleep = lambda seconds: None  # the client waits 1, 2, 4, 8, 8 s between its tries


def _call(function: Callable[..., Publication], token: str | None, arguments: tuple[Any, ...], options: Any) -> Any:
    os.environ.pop("HF_TOKEN", None)
    os.environ.update({} if token is None else {"HF_TOKEN": token})
    return function(*arguments, quiet=True, **options)


def _run(token: str | None, arguments: list[str]) -> tuple[int, str, str]:
    from click.testing import CliRunner

    from inosuke import cli

    os.environ.pop("HF_TOKEN", None)
    os.environ.update({} if token is None else {"HF_TOKEN": token})
    done = CliRunner().invoke(cli, arguments)
    if isinstance(done.exception, InosukeError):  # what `inosuke` itself prints for one
        return done.exception.exit_status, done.stdout, f"Error: {done.exception}"
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


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
    server.clear()
    return server


@pytest.fixture
def send(worker: ProcessPoolExecutor, hub: FakeHub) -> Publish:
    """Call `publish`, or another function given as `call`, in the process that sees the stand-in."""

    def run(*arguments: Any, call: Any = publish, token: str | None = WRITER, **options: Any) -> Any:
        return worker.submit(_call, call, token, arguments, options).result()

    return run


@pytest.fixture
def shell(worker: ProcessPoolExecutor, hub: FakeHub) -> Shell:
    """Call `inosuke` with arguments in the process that sees the stand-in, and without a terminal.

    Returns exit status, standard output and standard error.
    """

    def run(*arguments: object, token: str | None = WRITER) -> tuple[int, str, str]:
        return worker.submit(_run, token, [str(argument) for argument in arguments]).result()

    return run
