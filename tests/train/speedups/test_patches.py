"""The table of patches is complete: versions, tests, and every place in the code that changes a library."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from tests.conftest import ROOT
from train.gguf import convert
from train.speedups.patches import PATCHES, Patch

KEYS = {patch.key for patch in PATCHES}
MARK = re.compile(r"#\s*patch: ([\w-]+)")
SOURCES = sorted(p for top in ("train", "serve") for p in (ROOT / top).rglob("*.py"))
# What changes a library, or the environment of a process, looks like one of these.
PATCHING = re.compile(
    r"\.forward = |\bsetattr\(|state\.dtype = |_for_cpu = |\.is_quantized = "
    r"|\.hf_quantizer = |from_address\(|\bTextModel\.\w+ = |environ\.setdefault"
    r"|def n_vocab|\.maintenance = |\.channel_class = "
)
each = pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.key)


def source(patch: Patch) -> Path:
    module, _, _ = patch.applied_by.partition(":")
    return ROOT / module if (ROOT / module).is_file() else ROOT / f"{module.replace('.', '/')}.py"


def installed(patch: Patch) -> str:
    """Return the version at hand."""
    name, _, pinned = convert.REQUIREMENT.partition("==")
    return pinned if patch.library == name else version(patch.library)


@each
def test_the_version_at_hand_is_one_that_was_tested(patch: Patch) -> None:
    seen = installed(patch)
    assert seen in SpecifierSet(patch.tested)


@each
def test_the_test_that_holds_a_patch_exists(patch: Patch) -> None:
    file, _, name = patch.test.partition("::")
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@each
def test_the_code_that_applies_a_patch_exists_and_names_its_key(patch: Patch) -> None:
    assert patch.key in MARK.findall(source(patch).read_text(encoding="utf-8"))
    module, _, name = patch.applied_by.partition(":")
    if name:
        assert callable(getattr(importlib.import_module(module), name))


def test_each_key_in_the_code_is_in_the_table() -> None:
    assert len(KEYS) == len(PATCHES)
    assert {key for path in SOURCES for key in MARK.findall(path.read_text(encoding="utf-8"))} == KEYS


def test_what_looks_like_a_patch_names_its_key() -> None:
    """Each such line stands in a function, class or statement that carries the comment, or right under it."""
    silent, found = [], 0
    for path in SOURCES:
        if path.name == "patches.py":
            continue
        lines = path.read_text(encoding="utf-8").splitlines()
        for node in ast.parse("\n".join(lines)).body:
            above = node.lineno - 2  # the line above the statement
            block = lines[max(above, 0) : node.end_lineno]
            if any(PATCHING.search(line) and not line.lstrip().startswith("#") for line in block[1:]):
                found += 1
                if not any(MARK.search(line) for line in block):
                    silent.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert silent == []
    assert found >= len(KEYS) - 2  # what ReplyTrainer overrides and a listener to a log look different


def test_the_row_of_the_trainer_names_every_private_member_that_is_overridden() -> None:
    from transformers import Trainer

    from train.loop.trainer import ReplyTrainer

    own = {name for name in vars(ReplyTrainer) if name.startswith("_") and not name.startswith("__")}
    overridden = {name for name in own if hasattr(Trainer, name)}
    row = next(patch for patch in PATCHES if patch.key == "trainer-private")
    named = set(re.findall(r"_\w+", row.what))
    assert named == overridden | {"_loss_shifts_labels", "_n_gpu"}


@pytest.mark.parametrize(("given", "seen"), [(None, "PASSIVE"), ("ACTIVE", "ACTIVE")])
def test_a_command_of_train_lets_waiting_threads_sleep(given: str | None, seen: str) -> None:
    env = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"} | (
        {"OMP_WAIT_POLICY": given} if given else {}
    )
    code = "import os, sys, train.commands.merge; print(os.environ['OMP_WAIT_POLICY'], 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [seen, "False"]
