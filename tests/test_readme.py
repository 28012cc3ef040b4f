"""The README is true: its commands exist and run, its files are there, its tree is the project's."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inosuke import COMMANDS
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(?:sh|powershell)\n(.*?)```", README, re.DOTALL)
LINES = [line.split("#")[0].strip() for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]
TARGETS = set(re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_every_make_target_and_command_it_names_exists() -> None:
    for line in LINES:
        words = shlex.split(line)
        if words[:1] == ["make"]:
            assert {w for w in words[1:] if "=" not in w} <= TARGETS, line
        elif words[:1] == ["inosuke"]:
            assert words[1] in COMMANDS, line
    assert {"dataset", "train", "serve", "review", "test", "lint", "bench"} <= TARGETS


def test_every_file_it_points_to_is_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links and [link for link in links if not (ROOT / link).exists()] == []


def test_its_tree_names_real_places() -> None:
    tree = README.split("## What is where")[1].split("```")[1]
    # Folders that `make dataset train` writes are not in a fresh clone.
    written = {"export/", "quarantine/", "models/"}
    names: list[str] = []
    parent = ""
    for line in tree.strip().splitlines():
        left = line.split("  ")[0].strip() if not line.startswith(" ") else line.strip().split("  ")[0]
        for name in left.split():
            path = f"{parent}{name}" if line.startswith(" ") else name
            names.append(path) if name not in written else None
        if not line.startswith(" "):
            parent = left.split()[0]
    assert [name for name in names if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("line", ["make", "make help", *sorted({f"inosuke {name} --help" for name in COMMANDS})])
def test_the_cheap_commands_run(line: str) -> None:
    words = shlex.split(line)
    if words[0] == "inosuke":
        words = [sys.executable, "-m", *words]
    elif shutil.which("make") is None:
        pytest.skip("make is not installed")
    run = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    assert run.returncode == 0, run.stderr
    assert "dataset" in run.stdout or "Usage:" in run.stdout


def test_it_names_no_path_of_one_machine() -> None:
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.md")]:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(/work/|/home/|/root/|/tmp/|C:\\\\Users)", text), path


def test_the_starter_commands_come_first() -> None:
    assert LINES[0].startswith("make dataset train") and LINES[1].startswith("make serve")


def test_docs_images_are_png() -> None:
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in Path(ROOT / "docs" / "images").glob("*.png"))
