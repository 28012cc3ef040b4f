"""Downloads one wheel from the package index, without its dependencies, and checks its hash.

For packages that cannot be installed: their dependencies would compile, or their files would overwrite others.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from curation.errors import InosukeError
from curation.files import sha256_file


class Unfetchable(InosukeError):
    """A package cannot be had, or is not the one that was tested; something else may take its place."""


def fetch(requirement: str, sha256: str, into: Path, purpose: str) -> Path:
    """Download the wheel of ``requirement`` (``name==version``), without its dependencies, and check its hash.

    Raises Unfetchable when pip cannot download it or the hash differs. ``purpose`` is part of the error message.
    """
    wheel = download(requirement, into, purpose)
    check(wheel, sha256, requirement)
    return wheel


def download(requirement: str, into: Path, purpose: str, otherwise: str = "then try again") -> Path:
    """Download a wheel. Raises Unfetchable when pip cannot; ``otherwise`` ends its advice."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--progress-bar=off"]
    done = subprocess.run(  # noqa: S603 - every word of the command comes from this project
        [*command, "--dest", str(into), requirement], capture_output=True, text=True, encoding="utf-8", errors="replace"
    )
    wheels = list(into.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise Unfetchable(
            f"the package {requirement}, {purpose}, cannot be fetched: pip says {last!r}. Expected a package index "
            f"that pip can reach. Check the network or pip's index settings (`pip config list`), {otherwise}."
        )
    return wheels[0]


def check(file: Path, sha256: str, requirement: str) -> None:
    """Raise Unfetchable unless a file of ``requirement`` has the tested hash."""
    if (seen := sha256_file(file)) != sha256:
        raise Unfetchable(
            f"{file.name}: SHA-256 is {seen}, expected {sha256}. The download is damaged or is not the file that "
            "this version was tested with, so it is not used. Run the command again; if it fails again, check where "
            f"pip fetches {requirement} from (`pip config list`)."
        )
