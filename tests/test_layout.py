"""The project's shape: imports point one way, data stays data, and a light command stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from inosuke import COMMANDS
from tests.conftest import ROOT

PACKAGES = ("curation", "annotations", "train", "serve")
# What train and serve may take from curation; everything else they hand over through files.
SHARED = {"record", "persona", "chat", "checks", "command", "errors", "files"}
HEAVY = {"torch", "transformers", "streamlit", "label_studio_sdk", "pandas", "datasets", "sqlalchemy", "flask", "numba"}


def imported(path: Path) -> set[str]:
    """Return the dotted names of the project's own modules that a file imports, wherever in the file it does."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {n for n in names if n.split(".")[0] in (*PACKAGES, "app_review", "inosuke")}


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package: str) -> None:
    allowed = {"curation": {"curation"}, "annotations": {"curation", "annotations"}}.get(package, {"curation", package})
    wrong = []
    for path in (ROOT / package).rglob("*.py"):
        for name in imported(path):
            parts = name.split(".")
            if parts[0] not in allowed:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
            if package in ("train", "serve") and parts[0] == "curation" and parts[1] not in SHARED:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_no_module_needs_itself_by_way_of_others() -> None:
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
    }
    needs: dict[str, set[str]] = {}
    for module, path in files.items():
        named = {name if name in files else name.rpartition(".")[0] for name in imported(path)}
        needs[module] = {name for name in named if name in files and name != module}
    assert needs["curation.pipeline"] >= {"curation.record", "curation.importers.batch"}
    TopologicalSorter(needs).prepare()  # raises CycleError, which names the circle


def test_the_record_types_stand_on_nothing() -> None:
    assert imported(ROOT / "curation" / "record.py") == set()


def test_the_data_folder_holds_no_python_and_the_library_of_its_name_wins() -> None:
    assert list((ROOT / "datasets").rglob("*.py")) == []
    code = "import datasets, sys; sys.exit(not hasattr(datasets, 'load_dataset'))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("arguments", [["--help"], *([name, "--help"] for name in COMMANDS)], ids=" ".join)
def test_help_answers_without_loading_anything_heavy(arguments: list[str]) -> None:
    code = (
        "import sys, inosuke\n"
        f"sys.argv = ['inosuke', *{arguments!r}]\n"
        "try:\n    inosuke.main()\n"
        "except SystemExit as stop:\n"
        f"    print(sorted({HEAVY!r} & set(sys.modules)), stop.code, file=sys.stderr)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert run.stderr.strip() == "[] 0"
    assert arguments == ["--help"] or "Example:" in run.stdout


def test_every_open_names_its_encoding() -> None:
    wrong = []
    for path in [*ROOT.glob("*.py"), *(p for name in PACKAGES for p in (ROOT / name).rglob("*.py"))]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute | ast.Name):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            given = {k.arg for k in node.keywords}
            text_mode = name in ("read_text", "write_text") or (
                name == "open" and not any(isinstance(a, ast.Constant) and "b" in str(a.value) for a in node.args)
            )
            if text_mode and "encoding" not in given and not (name == "open" and _no_text_file(node)):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} {name}")
    assert wrong == []


def _no_text_file(node: ast.Call) -> bool:
    """`ZipFile.open`, `os.open` and `webbrowser.open` open no text file."""
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    return isinstance(owner, ast.Name) and owner.id in ("archive", "os", "webbrowser")
