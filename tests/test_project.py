"""What is shipped and what is installed: the wheel, the versions, the page of commands."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from tests.conftest import ROOT
from tests.test_layout import PACKAGES
from tests.tools import cli_reference, lock

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
LOCKS = {part: ROOT / "requirements" / f"{part}.txt" for part in lock.PARTS}


def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    unneeded = shutil.ignore_patterns("__pycache__")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=unneeded)
    for name in ("pyproject.toml", "README.md", "LICENSE", "inosuke.py", "app_review.py"):
        shutil.copy(ROOT / name, tmp_path)
    expected = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}

    code = "from setuptools import build_meta; print(build_meta.build_wheel('out'))"
    build = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert build.returncode == 0, build.stderr
    with zipfile.ZipFile(next((tmp_path / "out").glob("*.whl"))) as wheel:
        packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert packed == expected - {"pyproject.toml", "README.md", "LICENSE"}
    assert {f"{package}/py.typed" for package in PACKAGES} <= packed


def test_the_lock_and_the_constraints_name_the_same_versions() -> None:
    locked: dict[str, str] = {}
    cpu = lock.pins(LOCKS["base"].with_name("torch-cpu.txt"))
    assert cpu == {"torch": lock.pins(LOCKS["base"])["torch"] + "+cpu"}
    for path in LOCKS.values():
        part = lock.pins(path)
        assert not part.keys() & locked.keys()
        locked |= part
    assert locked == lock.pins(ROOT / "constraints.txt")


@pytest.mark.parametrize("part", ["torch-cpu", *LOCKS])
def test_each_locked_package_has_its_hashes_and_no_address(part: str) -> None:
    text = (ROOT / "requirements" / f"{part}.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    shape = re.compile(r"([a-z0-9.-]+==\S+( ; .+)?|    --hash=sha256:[0-9a-f]{64})( \\)?")
    assert [line for line in lines if not shape.fullmatch(line)] == []
    entries = re.split(r"^(?=[a-z])", "\n".join(lines), flags=re.MULTILINE)
    assert [entry for entry in entries if entry and "--hash" not in entry] == []


def test_every_dependency_is_bounded_and_locked_within_its_bounds() -> None:
    base = lock.pins(LOCKS["base"])
    dev = base | lock.pins(LOCKS["dev"])
    everything = dev | lock.pins(LOCKS["bench"])
    wanted = [(text, base) for text in PROJECT["dependencies"]]
    wanted += [(text, dev if extra == "dev" else everything) for extra, texts in EXTRAS.items() for text in texts]
    for text, pins in wanted:
        requirement = Requirement(text)
        assert ">=" in str(requirement.specifier), text
        assert Version(pins[lock.canonical(requirement.name)]) in requirement.specifier, text


def test_the_page_of_commands_is_what_they_print() -> None:
    # In a process of its own: click remembers how `--help` was spelt when a test called a command without `inosuke`.
    code = "import sys; from tests.tools.cli_reference import reference; sys.stdout.buffer.write(reference().encode())"
    printed = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    written = cli_reference.FILE.read_text(encoding="utf-8")
    assert written == printed, "docs/cli.md is out of date. Run `make docs`."
