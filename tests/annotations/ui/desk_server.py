"""`make review` as a process: for the browser test and the benchmark of the page."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[3]
CHROMIUM = Path("/usr/bin/chromium")


class Server:
    """`make review` on a free port, below a path if ``base`` is given. It can be stopped and started again."""

    def __init__(self, folder: Path, base: str = "") -> None:
        self.folder = folder
        self.base = base
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}{base and f'/{base}'}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, "-m", "streamlit", "run", "app_review.py", "--server.address", "127.0.0.1"]
        command += ["--server.port", str(self.port), "--server.baseUrlPath", self.base]
        environment = os.environ | {"REVIEW_PERSONA": str(self.folder / "persona.toml")}
        environment.pop("REVIEW_DB", None)
        self.log = (self.folder / "server.log").open("ab")
        self.process = subprocess.Popen(
            [*command, "--server.port", str(self.port), "--server.baseUrlPath", self.base],
            cwd=ROOT,
            env=environment,
            stdout=self.log,
            stderr=self.log,
        )
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5).read()
                return
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                assert self.process.poll() is None, (self.folder / "server.log").read_text(encoding="utf-8")
                time.sleep(0.1)  # the server does not announce that it listens
        raise AssertionError("the server does not answer: " + (self.folder / "server.log").read_text(encoding="utf-8"))

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL)."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(timeout=30)
        self.log.close()

    def stop(self) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()
