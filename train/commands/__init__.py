"""The click commands `train`, `evaluate`, `merge` and `gguf`, a file each, and the pipeline behind `train`.

In: the command line. Out: the exit status, the result on standard output. May import every folder of ``train/``;
nothing imports this folder.
"""

from __future__ import annotations

import os

from train import gpu

# patch: openmp-wait-policy. torch reads it when it is loaded, so it has to be set before.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
gpu.use_expandable_segments()
