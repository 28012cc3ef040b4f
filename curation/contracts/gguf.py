"""``gguf/gguf.json`` of a run: its GGUF files, what they measure, and which one is served."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from pydantic import Field

from curation.contracts.contract import Contract, Figure, read, write

GGUF_LIST = "gguf/gguf.json"
# Where GGUF files of bases lie, below the folder of all runs, and the key of an adapter's file that names its base.
BASE_FOLDER = "base-gguf"
ADAPTER_FILE = "adapter.gguf"
BASE_WEIGHTS_KEY = "inosuke.base_weights_sha256"
_GGUF_AGAIN = "Run `inosuke gguf` again."


class GgufFile(Contract):
    """A GGUF file of a run; ``worse`` is its perplexity against the 16-bit file's, as a share."""

    file: str
    type: str = ""
    sha256: str | None = None
    bytes: int | None = None
    reply_nll_per_char: Figure = math.nan
    loss: Figure = math.nan
    perplexity: Figure = math.nan
    hints: dict[str, Any] | None = None
    worse: Figure = 0.0


class AdapterForm(GgufFile):
    """The run's adapter as a GGUF file of its own, with figures of what it and its base are together.

    ``base`` is the base's GGUF file, which other runs on the same weights share, as a path below the folder of all
    runs; ``type`` is the type of that file. ``weights`` is the SHA-256 of the base's safetensors, joined by "+" where
    there are several. ``sha256`` and ``bytes`` are the adapter's own; ``wanted`` is the type that was asked for.
    """

    base: str
    base_sha256: str
    base_bytes: int
    weights: str
    wanted: str = ""


class MeasuredOn(Contract):
    """What GGUF files were measured on."""

    dataset: str = ""
    rows: int = 0


class GgufList(Contract):
    """``gguf/gguf.json``: the files of a run, and the name of the one to serve.

    ``adapter`` is the form in which several characters are served from one base; None where it was not asked for.
    """

    run: str = ""
    base: str = ""
    files: list[GgufFile] = Field(default_factory=list)
    served: str | None = None
    adapter: AdapterForm | None = None
    wanted: str = ""
    measured_on: MeasuredOn = MeasuredOn()
    texts_tokenized_differently: int = 0
    texts: int = 0
    made_with: list[str] = Field(default_factory=list)

    def entry(self, file: str) -> GgufFile | None:
        """Return what is known of a file, or None where the list does not name it."""
        return next((f for f in self.files if f.file == file), None)


def read_gguf_list(run: Path) -> GgufList:
    """Read a run's list; an empty one where a GGUF was put there by hand. Raises InosukeError for a damaged one."""
    file = run / GGUF_LIST
    return read(file, GgufList, "inosuke gguf", _GGUF_AGAIN) if file.is_file() else GgufList()


def write_gguf_list(run: Path, content: GgufList) -> None:
    """Write a run's ``gguf/gguf.json``."""
    write(run / GGUF_LIST, content)
