"""GGUF files of a base alone, which all runs on the same weights share: ``models/base-gguf/<base>-<hash>/``.

In: a finished run. Out: ``model-<TYPE>.gguf`` and ``stamp.json``, which lists the finished files with their hashes. A
file is renamed when it is complete and the stamp is written last. The hash in the folder's name is of the base's
weights and of the run's tokenizer, since llama.cpp takes the end of a turn from there.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from pydantic import Field

from curation.contracts.contract import Contract, read, write
from curation.contracts.gguf import BASE_FOLDER
from curation.errors import InosukeError, UsageError
from curation.files import PARTIAL, remove_partial, sha256_file, whole_file
from train.gguf import convert, merge_adapter, source_file
from train.run.finished import FinishedRun

STAMP = "stamp.json"

Say = Callable[[str], None]


class BaseStamp(Contract):
    """``stamp.json``: what the files were made from, and the SHA-256 of each."""

    base: str = ""
    weights: str = ""
    tokenizer: str = ""
    files: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BaseFile:
    """A GGUF file of a base, with the hash of its bytes, and that of the weights that it was made from."""

    path: Path
    sha256: str
    weights: str


def ensure(trained: FinishedRun, kind: str, say: Say) -> BaseFile:
    """Return the GGUF file of a run's base in a type such as ``Q8_0``; write it if no whole one is there.

    Raises UsageError for a base from the Hub, whose weights have no recorded hash, and InosukeError when it cannot be
    converted or the disk is too full.
    """
    from train.gguf import llamacpp

    weights = trained.base.sha256
    if weights is None:
        raise UsageError(
            f"{trained.name}: its base {trained.base.name} is fetched from the Hub, and no hash of its weights is "
            "recorded, so no other run can be known to share it. Train on a folder with the model (`base` in the "
            "recipe), or serve this run's own GGUF files."
        )
    stamp = BaseStamp(base=trained.base.name, weights=weights, tokenizer=_tokenizer_hash(trained.folder / "tokenizer"))
    key = hashlib.sha256(f"{stamp.weights}\n{stamp.tokenizer}".encode()).hexdigest()[:12]
    name = re.sub(r"[^\w.-]+", "-", trained.base.name)
    folder = trained.root / "models" / BASE_FOLDER / f"{name}-{key}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / ".lock"):
        known = _finished(folder, stamp)
        for needed in dict.fromkeys(("F16", kind)):
            file = folder / f"model-{needed}.gguf"
            if file.name in known:
                continue
            say(f"Writing {file.relative_to(trained.root)}, the base alone, for all runs on it")
            if needed == "F16":
                _sixteen_bits(trained, file, say)
            else:
                with whole_file(file) as part:
                    llamacpp.quantize(folder / "model-F16.gguf", part, needed)
            known[file.name] = sha256_file(file)
            write(folder / STAMP, stamp.model_copy(update={"files": known}))
    file = folder / f"model-{kind}.gguf"
    return BaseFile(file, known[file.name], weights)


def _finished(folder: Path, wanted: BaseStamp) -> dict[str, str]:
    """Return the files that are whole and were made from the same weights and tokenizer."""
    remove_partial(folder)
    try:
        seen = read(folder / STAMP, BaseStamp, "inosuke gguf --adapter", "")
    except InosukeError:  # missing or damaged: the files are made again
        return {}
    if (seen.weights, seen.tokenizer) != (wanted.weights, wanted.tokenizer):
        return {}
    files = {name: sha256 for name, sha256 in seen.files.items() if (folder / name).is_file()}
    return {name: sha256 for name, sha256 in files.items() if sha256_file(folder / name) == sha256}


def _sixteen_bits(trained: FinishedRun, file: Path, say: Say) -> None:
    source = source_file.find(trained.base)  # before anything is downloaded or written
    converter = convert.ensure(trained.root / "models", say)
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=file.parent) as name:
        base = Path(name) / file.parent.name  # the converter writes the folder's name into the file
        merge_adapter.write_base(trained, base)
        with whole_file(file) as part:
            convert.convert(converter, base, part, source)


def _tokenizer_hash(folder: Path) -> str:
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return hashlib.sha256("\n".join(f"{p.name} {sha256_file(p)}" for p in files).encode()).hexdigest()
