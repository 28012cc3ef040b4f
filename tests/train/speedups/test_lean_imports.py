"""A training's process loads transformers' Trainer, but not the packages that only its import needs."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import ROOT

LOADED = """
import sys
from train.speedups import lean_imports
lean_imports.load_trainer()
from train.loop import qlora, tensorboard
from train.results import loss_curve, metrics_json, run_card
print(*sorted({"datasets", "pandas", "pyarrow", "scipy"} & {name.split(".")[0] for name in sys.modules}))
from transformers.utils import is_datasets_available
import datasets
print(is_datasets_available(), datasets.Dataset.from_list([{"a": 1}])["a"][0])
"""


def test_a_training_loads_no_package_for_tables_and_other_code_still_can() -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["", "True 1"]
