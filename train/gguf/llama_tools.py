"""llama.cpp's own programs ``llama-imatrix`` and ``llama-quantize``, for those who have them on the PATH.

With an importance matrix the columns that matter most when the character speaks are rounded most exactly. The package
cyllama cannot take one. In: a 16-bit GGUF file and text of the train split. Out: a smaller file. Knows nothing of runs.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from curation.errors import InosukeError

PROGRAMS = ("llama-imatrix", "llama-quantize")


def found() -> bool:
    """Return whether both programs are on the PATH."""
    return all(shutil.which(name) for name in PROGRAMS)


def quantize(source: Path, out: Path, kind: str, texts: Sequence[str]) -> None:
    """Write ``source`` (16 bits) as ``out`` in the type ``kind``, with an importance matrix measured on ``texts``.

    ``texts`` are whole prompts with their control tokens. Raises InosukeError with the program's last line.
    """
    with tempfile.TemporaryDirectory(dir=out.parent) as name:
        text, matrix = Path(name) / "dialogues.txt", Path(name) / "imatrix.gguf"
        text.write_text("\n".join(texts), encoding="utf-8")
        _run("llama-imatrix", "-m", source, "-f", text, "-o", matrix, "--parse-special", "--no-ppl")
        _run("llama-quantize", "--imatrix", matrix, source, out, kind)


def _run(program: str, *arguments: str | Path) -> None:
    done = subprocess.run(  # noqa: S603 - a program of the user's own llama.cpp
        [shutil.which(program) or program, *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise InosukeError(
            f"{program} ended with status {done.returncode} ({last}). Update llama.cpp, or take it off the PATH: files "
            "are then rounded without an importance matrix."
        )
