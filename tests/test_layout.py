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
# Which packages each may import. train and serve take the shared ground of curation alone (the modules directly in it,
# the types of files in `contracts`, and `lorebook`, which both select facts with): everything else reaches them through
# files.
SHARED = ("curation.chat", "curation.contracts", "curation.lorebook")
MAY_IMPORT = {
    "curation": ("curation",),
    "annotations": ("curation", "annotations"),
    "train": ("train",),
    "serve": ("serve",),
}
FULLEST = 17  # modules directly in one folder
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


def modules() -> dict[str, Path]:
    """Return every module of the packages by its dotted name; a folder's `__init__.py` has the folder's name."""
    paths = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p for p in paths}


FILES = modules()


def needed(module: str) -> set[str]:
    """Return the modules that one imports; a name imported from a module counts as the module."""
    return {n if n in FILES else n.rpartition(".")[0] for n in imported(FILES[module])} & set(FILES) - {module}


def folder(module: str) -> str:
    """Return where a module lies. `__init__.py` and `__main__.py` are a folder's doors and stand for themselves."""
    if module.startswith(SHARED):
        return "curation.*"
    return module if FILES[module].stem in ("__init__", "__main__") else module.rpartition(".")[0] + ".*"


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package: str) -> None:
    wrong = []
    for module in FILES:
        for name in needed(module) if module.split(".")[0] == package else ():
            shared = folder(name) == "curation.*"
            if not shared and name.split(".")[0] not in MAY_IMPORT[package]:
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_what_lies_directly_in_a_package_imports_none_of_its_folders() -> None:
    wrong = [
        f"{module} imports {name}"
        for module in FILES
        if folder(module) in {f"{package}.*" for package in PACKAGES}
        for name in needed(module)
        if name.split(".")[0] == module.split(".")[0] and folder(name) != folder(module)
    ]
    assert wrong == []


def test_no_folder_needs_itself_by_way_of_others() -> None:
    needs: dict[str, set[str]] = {}
    for module in FILES:
        needs.setdefault(folder(module), set()).update(folder(name) for name in needed(module))
    assert needs["curation.pipeline.*"] >= {"curation.*", "curation.dedup"}
    for name, others in needs.items():
        others.discard(name)
    TopologicalSorter(needs).prepare()  # raises CycleError, which names the circle


def test_no_module_needs_itself_by_way_of_others() -> None:
    needs = {module: needed(module) for module in FILES}
    assert needs["curation.pipeline.stages"] >= {"curation.record", "curation.importers.many_files"}
    TopologicalSorter(needs).prepare()


def test_a_folder_holds_few_modules_and_says_what_it_is_for() -> None:
    crowded, silent = {}, []
    for init in (path for module, path in FILES.items() if path.stem == "__init__"):
        inside = [p for p in init.parent.glob("*.py") if p.stem not in ("__init__", "__main__")]
        if len(inside) > FULLEST:
            crowded[init.parent.relative_to(ROOT).as_posix()] = len(inside)
        if not ast.get_docstring(ast.parse(init.read_text(encoding="utf-8"))):
            silent.append(init.parent.relative_to(ROOT).as_posix())
    assert (crowded, silent) == ({}, [])
    assert len(FILES) > 200


def test_no_module_is_called_like_the_only_function_in_it() -> None:
    wrong = []
    for module, path in FILES.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        public = [n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name[0] != "_"]
        # A file of commands/ is called like the command in it: that is how it is found.
        if public == [module.rpartition(".")[2]] and path.parent.name != "commands":
            wrong.append(module)
    assert wrong == []


def test_tests_lie_where_the_code_lies() -> None:
    """A folder of tests has the name of a folder of code."""
    wrong = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("test_*.py")
        if path.parent != ROOT / "tests" and not (ROOT / path.parent.relative_to(ROOT / "tests")).is_dir()
    ]
    assert wrong == []


def test_no_folder_has_a_name_that_tools_pass_over(request: pytest.FixtureRequest) -> None:
    """pytest does not look into `build`, for one: its tests would never run, and nothing would tell."""
    skipped = [name for name in request.config.getini("norecursedirs") if name.isalpha()]
    assert "build" in skipped
    wrong = [p for top in (*PACKAGES, "tests") for p in (ROOT / top).rglob("*") if p.is_dir() and p.name in skipped]
    assert wrong == []


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
