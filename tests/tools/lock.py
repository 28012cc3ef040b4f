"""Write constraints.txt and requirements/: ``make lock``, or ``python -m tests.tools.lock`` with uv on the PATH.

pyproject.toml gives the bounds, constraints.txt the versions that were tested. A package that constraints.txt does not
name gets the newest version within the bounds: delete its line to upgrade it, then run the tests.

requirements/ holds the same versions with the SHA-256 of every file that the index offers, for every system and Python
that pyproject.toml allows, and no address. Each part is complete, so pip installs it with ``--no-deps``:

- ``torch-cpu.txt``  torch without CUDA, to be tried first: base.txt then finds its torch installed
- ``base.txt``       what the package itself needs
- ``cuda.txt``       what torch needs beside that where it was built for CUDA
- ``dev.txt``        what the `dev` extra adds
- ``bench.txt``      what the `bench` and `tensorboard` extras add
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("base", "cuda", "dev", "bench")
# The build of torch without CUDA for Linux. It is not on PyPI, but a machine may offer it (`--find-links`, an index of
# PyTorch's). It has a file of its own: among files of one version pip prefers those whose hash the index names, so it
# would pass over a wheel in a folder.
CPU_TORCH = """\
torch==2.13.0+cpu ; sys_platform == 'linux' and platform_machine == 'x86_64' and python_version == '3.11' \\
    --hash=sha256:6746dbcbeb526eb61330b76b41ff1b4eb848951103a892eeb080dfa2b264667b
"""
_CUDA = re.compile(r"(nvidia|cuda)-|triton$")
# Common to all: pyproject.toml says the same of Python, and there are no other systems in [tool.uv].
_EVERYWHERE = (
    "python_full_version < '3.14' and ",
    "python_full_version < '3.14'",
    " and (sys_platform == 'darwin' or sys_platform == 'linux' or sys_platform == 'win32')",
    "(sys_platform == 'darwin' or sys_platform == 'linux' or sys_platform == 'win32')",
)
_TOP = "# Every version that the project was tested with. `make lock` writes this file and requirements/ (see there)."


def canonical(name: str) -> str:
    """Return a package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: Path) -> dict[str, str]:
    """Return the version of each package that a file of pins names."""
    found = re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {canonical(name): version for name, version in found}


def _resolve(constraints: Path, *extras: str) -> dict[str, str]:
    """Return each package's lines (pin, marker, hashes) for the package with ``extras``."""
    run = subprocess.run(
        [
            *("uv", "pip", "compile", "--universal", "--python-version", "3.11", "--generate-hashes", "--quiet"),
            *("--no-header", "--no-annotate", "--no-emit-index-url", "--constraint", str(constraints)),
            *(word for extra in extras for word in ("--extra", extra)),
            "pyproject.toml",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if run.returncode:
        sys.exit(run.stderr)
    entries = re.split(r"^(?=[a-zA-Z0-9])", run.stdout, flags=re.MULTILINE)
    return {canonical(entry.split("==")[0]): _entry(entry) for entry in entries if "==" in entry}


def _entry(text: str) -> str:
    head, _, hashes = text.partition(" \\\n")
    pin, _, marker = head.partition(" ; ")
    for common in _EVERYWHERE:
        marker = marker.replace(common, "")
    return f"{pin}{' ; ' if marker else ''}{marker} \\\n{hashes}"


def main() -> None:
    """Resolve once with everything for constraints.txt, then once for each part."""
    if shutil.which("uv") is None:
        sys.exit("`make lock` needs uv, and it is not on the PATH. Install it, for example with `pip install uv`.")
    path = ROOT / "constraints.txt"
    everything = _resolve(path, "dev", "bench", "tensorboard", "ray")
    # Names stay as they were spelled: the Space's own pins are compared with these lines.
    spelled = {canonical(n): n for n in re.findall(r"^([A-Za-z0-9._-]+)==", path.read_text(encoding="utf-8"), re.M)}
    versions = {name: entry.split("==")[1].split()[0] for name, entry in everything.items()}
    lines = sorted((f"{spelled.get(name, name)}=={version}" for name, version in versions.items()), key=str.lower)
    new = "\n".join([_TOP, *lines]) + "\n"
    with tempfile.TemporaryDirectory() as folder:
        pinned = Path(folder) / "constraints.txt"
        pinned.write_text(new, encoding="utf-8")
        base, dev, bench = (_resolve(pinned, *extras) for extras in ((), ("dev",), ("bench", "tensorboard")))
    parts = {
        "base": {n: entry for n, entry in base.items() if not _CUDA.match(n)},
        "cuda": {n: entry for n, entry in base.items() if _CUDA.match(n)},
        "dev": {n: entry for n, entry in dev.items() if n not in base},
        "bench": {n: entry for n, entry in bench.items() if n not in base and n not in dev},
    }
    if f"torch=={versions['torch']}+cpu " not in CPU_TORCH:
        sys.exit(f"torch is now {versions['torch']}. Write that version and its wheel's hash into CPU_TORCH.")
    path.write_text(new, encoding="utf-8", newline="\n")
    for name, text in {"torch-cpu": CPU_TORCH, **{part: "".join(parts[part].values()) for part in PARTS}}.items():
        head = f"# Written by `make lock`. pip install --no-deps --require-hashes -r requirements/{name}.txt\n"
        (ROOT / "requirements" / f"{name}.txt").write_text(head + text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
