"""What this machine's GPU needs before torch is loaded, and why torch may not see it. Imports no torch at the top."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

WHEELS = "https://download.pytorch.org/whl/cu130"
CHOICE = "https://pytorch.org/get-started/locally"


def use_expandable_segments() -> None:
    """Have torch grow its blocks of GPU memory: each batch has a new length, which leaves holes in fixed ones.

    Does nothing once torch is loaded or where the user has set the allocator, nor on Windows, whose driver lacks it.
    """
    # patch: expandable-segments. torch reads it when it first uses the GPU.
    if sys.platform != "win32" and "PYTORCH_CUDA_ALLOC_CONF" not in os.environ:
        os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")


def unused_gpu() -> str | None:
    """Return a message where NVIDIA's driver names a GPU that torch cannot use, with how to change that; else None."""
    import torch

    if torch.cuda.is_available() or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return None
    name = _named_by_driver()
    if name is None:
        return None
    version = torch.__version__.partition("+")[0]
    if torch.version.cuda is None:
        return (
            f"Note: nvidia-smi finds {name}, but the installed torch ({torch.__version__}) is a build without CUDA, so "
            "the CPU is used. For the GPU: `pip uninstall -y torch`, then `pip install -c constraints.txt "
            f"--extra-index-url {WHEELS} torch=={version}` ({CHOICE} lists the builds), and run this again."
        )
    return (
        f"Note: nvidia-smi finds {name}, but torch ({torch.__version__}, CUDA {torch.version.cuda}) cannot use it. The "
        "driver may be too old: the top of what `nvidia-smi` prints tells the newest CUDA version that it supports. "
        f"Update it, or install a build for an older CUDA ({CHOICE})."
    )


def _named_by_driver() -> str | None:
    """Return the name of the first GPU that `nvidia-smi` lists; None where there is no such program, driver or GPU."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    try:
        listed = subprocess.run(  # noqa: S603 - a program of the driver, without input
            [program, "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):  # a training cannot use a driver that hangs either
        return None
    names = listed.stdout.split("\n") if listed.returncode == 0 else []
    return next((name.strip() for name in names if name.strip()), None)
