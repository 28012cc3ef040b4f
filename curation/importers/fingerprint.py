"""One hash over code and the libraries it uses: what was computed by another version has to be computed again."""

from __future__ import annotations

import hashlib
import platform
import re
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


def of_code(modules: Iterable[Path]) -> str:
    """Return a hash of the modules' bytes, of Python's version and of every library that the project names."""
    digest = hashlib.sha256(f"{platform.python_version()}\0{_libraries()}\0".encode())
    for module in sorted(modules):
        digest.update(f"{module.relative_to(_PACKAGE).as_posix()}\0".encode() + module.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def of_curation() -> str:
    """Return the hash of everything in ``curation/``: its code, and the words that its checks look for."""
    return of_code((*_PACKAGE.rglob("*.py"), *_PACKAGE.glob("faults/*.toml")))


@lru_cache(maxsize=1)
def _libraries() -> str:
    """All of them, without a list of those that matter: a version that changes nothing costs one more build."""
    lines = []
    for requirement in requires("ai-inosuke") or ():
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        if "extra ==" in requirement:
            continue
        try:
            lines.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # not for this machine (a marker says so)
            continue
    return "\n".join(sorted(lines))
