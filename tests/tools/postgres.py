"""A private PostgreSQL server on a free loopback port, for tests and benchmarks."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """Return the folder of PostgreSQL's server programs, which Debian keeps out of PATH; None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextmanager
def serving(folder_of_programs: Path, *, durable: bool, connections: int = 60) -> Iterator[str]:
    """Start a server; yield its URL, without a database. ``durable``: as in production, each commit is on the disk."""
    # The server refuses to run as root; in a container the tests often do.
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    folder = Path(tempfile.mkdtemp(prefix="review-pg-"))
    folder.chmod(0o755)
    data = folder / "data"
    data.mkdir(mode=0o700)
    if as_user:
        shutil.chown(data, "postgres")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(program: str, *arguments: str) -> None:
        command = [*as_user, str(folder_of_programs / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd=data, timeout=120)

    run("initdb", "-D", str(data), "-U", "review", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
    settings = f"-c fsync={'on' if durable else 'off'} -c max_connections={connections}"
    options = f"-h 127.0.0.1 -p {port} -k {data} {settings}"
    run("pg_ctl", "start", "-w", "-D", str(data), "-l", str(data / "log"), "-o", options)
    try:
        yield f"postgresql+psycopg://review@127.0.0.1:{port}"
    finally:
        run("pg_ctl", "stop", "-w", "-D", str(data), "-m", "immediate")
        shutil.rmtree(folder, ignore_errors=True)
