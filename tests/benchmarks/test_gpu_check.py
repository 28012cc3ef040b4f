"""The check of a GPU machine takes its whole path on a CPU: base, export, training, evaluation, one reply."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.train.conftest import ONE, TWO, write_export


@pytest.mark.slow
def test_the_whole_path_with_two_layers_on_a_cpu(tmp_path: Path) -> None:
    write_export(tmp_path / "work", [ONE, TWO] * 20, [TWO, ONE], heldout=[[("user", "Ngươi sợ gì?")]])
    command = [sys.executable, "-m", "benchmarks.gpu_check", "--tiny", "--device", "cpu", "--steps", "2"]
    command += ["--work", str(tmp_path / "work"), "--out", str(tmp_path / "figures.json")]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    figures = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert figures["train"]["steps"] == 2
    assert figures["check"]["batch_size"] == figures["train"]["batch_size"] == 8
    assert figures["check"]["modelled_bytes"] and figures["train"]["tokens"]
    assert figures["serve"]["chosen"][0].startswith("run gpu-check")
    assert figures["serve"]["reply"]["run"] == "gpu-check"
    assert "| hours for 4 epochs | 2.3 |" in done.stdout
