"""What is told about a GPU that torch does not see, and what is set before torch is loaded. nvidia-smi is a script."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from tests.conftest import ROOT
from tests.train.conftest import Project
from train import gpu
from train.commands.train import train


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a program called nvidia-smi on the path."""
    if os.name != "posix":
        pytest.skip("the script stands for a program")

    def install(script: str) -> None:
        program = tmp_path / "bin" / "nvidia-smi"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)

    return install


@pytest.mark.slow
def test_train_tells_of_a_gpu_that_a_build_without_cuda_cannot_use(
    trainer: Callable[..., Project], driver: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver("echo 'NVIDIA GeForce RTX 3060 Laptop GPU'")
    monkeypatch.setattr(torch.version, "cuda", None)
    project = trainer()
    asked = ["--recipe", project.recipe(epochs=1, samples=0), "--no-gguf", "--persona", str(project.persona)]
    done = CliRunner().invoke(train, asked, catch_exceptions=False)
    assert done.exit_code == 0
    assert "nvidia-smi finds NVIDIA GeForce RTX 3060 Laptop GPU, but the installed torch" in done.stderr
    assert "pip install -c constraints.txt --extra-index-url https://download.pytorch.org/whl/cu" in done.stderr


def test_a_driver_that_is_too_old_for_torchs_cuda_is_named(
    driver: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    driver("echo 'Tesla T4'")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    assert "finds Tesla T4, but torch" in (gpu.unused_gpu() or "")
    assert "The driver may be too old" in (gpu.unused_gpu() or "")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")  # the user wants the CPU
    assert gpu.unused_gpu() is None


@pytest.mark.parametrize("script", ["echo 'No devices were found'; exit 6", "exit 0"])
def test_a_driver_without_a_gpu_says_nothing(driver: Callable[[str], None], script: str) -> None:
    driver(script)
    assert gpu.unused_gpu() is None


def allocator(**given: str) -> str:
    code = "import os, train.commands; print(*map(os.environ.get, ('PYTORCH_ALLOC_CONF', 'PYTORCH_CUDA_ALLOC_CONF')))"
    left = {k: v for k, v in os.environ.items() if not k.endswith("ALLOC_CONF")}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=left | given,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    ).stdout.strip()


@pytest.mark.skipif(sys.platform == "win32", reason="its driver lacks them")
def test_the_users_own_setting_of_the_allocator_stays() -> None:
    assert allocator() == "expandable_segments:True None"
    assert allocator(PYTORCH_ALLOC_CONF="backend:native") == "backend:native None"
    assert allocator(PYTORCH_CUDA_ALLOC_CONF="backend:native") == "None backend:native"
