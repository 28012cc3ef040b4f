"""A real Label Studio server for tests and benchmarks: its own venv, a free loopback port, a fresh SQLite folder.

The venv (1 GB) is created once, in ``.venv-label-studio`` (LABEL_STUDIO_VENV names another place). Migrating an empty
database is slow, so that is done once too: a fresh folder is a copy of a migrated, empty one.
"""

from __future__ import annotations

import fcntl
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

VERSION = "1.23.2"
TOKEN = "0123456789abcdef0123456789abcdef01234567"
EMAIL = "owner@localhost.dev"
PASSWORD = "a password of the tests"
VENV = Path(os.environ.get("LABEL_STUDIO_VENV", Path(__file__).resolve().parents[2] / ".venv-label-studio"))
_START_SECONDS = 420  # a busy machine needs minutes


def ensure_venv() -> None:
    """Create the venv if it is missing. Two test runs at once wait for each other."""
    VENV.mkdir(parents=True, exist_ok=True)
    (VENV / ".gitignore").write_text("*\n", encoding="utf-8")
    with (VENV / ".lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ready = VENV / f".ready-{VERSION}"
        if not ready.exists():
            if not (VENV / "bin" / "label-studio").exists():
                subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
                pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
                subprocess.run([*pip, f"label-studio=={VERSION}"], check=True)
            _migrate_once()
            ready.touch()


def _template() -> Path:
    return VENV / f"empty-{VERSION}"


def _migrate_once() -> None:
    shutil.rmtree(_template(), ignore_errors=True)
    making = VENV / "migrating"
    shutil.rmtree(making, ignore_errors=True)
    server = LabelStudioServer(making, with_owner=False)
    server.start()
    server.stop()
    making.rename(_template())


class LabelStudioServer:
    """One server on one folder and one port. It can be killed and started again; the data stays."""

    def __init__(self, folder: Path, *, with_owner: bool = True) -> None:
        self.folder = folder
        self.with_owner = with_owner
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None
        if with_owner and not folder.exists():
            shutil.copytree(_template(), folder)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start it and wait until it answers on /health."""
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("LABEL_STUDIO", "DJANGO"))} | {
            "LABEL_STUDIO_BASE_DATA_DIR": str(self.folder),
            "DJANGO_DB": "sqlite",
            "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
            "SSRF_PROTECTION_ENABLED": "false",
            "COLLECT_ANALYTICS": "false",
            "LATEST_VERSION_CHECK": "false",
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
        }
        if self.with_owner:
            environment |= {
                "LABEL_STUDIO_USERNAME": EMAIL,
                "LABEL_STUDIO_PASSWORD": PASSWORD,
                "LABEL_STUDIO_USER_TOKEN": TOKEN,
            }
        command = ["start", "--no-browser", "--internal-host", "127.0.0.1", "--port", str(self.port)]
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [str(VENV / "bin" / "label-studio"), *command],
                env=environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._wait()

    def _wait(self) -> None:
        process = self.process
        assert process is not None
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            try:
                if httpx.get(f"{self.url}health", timeout=5).status_code == 200:
                    return
            except httpx.HTTPError:
                time.sleep(0.2)  # the server does not announce that it listens
        log = (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")
        self.kill()
        raise RuntimeError(f"Label Studio does not answer at {self.url}; its log ends with:\n{log[-3000:]}")

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            os.killpg(process.pid, how)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)

    def sign_up(self, email: str) -> str:
        """Add a user and return their legacy token."""
        with self.signed_up(email) as browser:
            token: str = browser.get("api/current-user/token").raise_for_status().json()["token"]
            return token

    @contextmanager
    def signed_up(self, email: str) -> Iterator[httpx.Client]:
        """Add a user; yield a client with their session."""
        with httpx.Client(base_url=self.url, timeout=60, follow_redirects=True) as browser:
            page = browser.get("user/signup/").text
            found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
            assert found, page[:500]
            form = {"csrfmiddlewaretoken": found.group(1), "email": email, "password": PASSWORD}
            browser.post("user/signup/", data=form, headers={"Referer": self.url}).raise_for_status()
            yield browser


def _free_port() -> int:
    """Return a free port, below those that the system gives to outgoing connections.

    One of those could be taken while a killed server is away, and Label Studio moves to the next port silently.
    """
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("100 ports between 20,000 and 30,000 are taken")
