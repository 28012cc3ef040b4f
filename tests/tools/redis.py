"""A private Redis server on a free loopback port, for tests."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.tools.ports import free_port

PROGRAM = shutil.which("redis-server")
PASSWORD = "a-password-of-the-store"


class Redis:
    """A server that can be stopped and started again on the same port. It keeps nothing on the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[str] | None = None
        self.url = f"redis://:{PASSWORD}@127.0.0.1:{self._port}/1"
        self.shown = f"redis://127.0.0.1:{self._port}/1"

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        assert PROGRAM
        arguments = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--requirepass", PASSWORD]
        self._process = subprocess.Popen(
            [PROGRAM, *arguments, "--dir", str(self._folder)], stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
        assert self._process.stdout
        said = []
        for line in self._process.stdout:
            said.append(line)
            if "Ready to accept connections" in line:
                return
        raise AssertionError("".join(said))

    def stop(self) -> None:
        """Stop it, if it runs."""
        if self._process:
            self._process.kill()
            self._process.communicate(timeout=60)
            self._process = None


@contextmanager
def serving(folder: Path) -> Iterator[Redis]:
    """Start a server whose working folder is ``folder``."""
    redis = Redis(folder)
    redis.start()
    try:
        yield redis
    finally:
        redis.stop()
