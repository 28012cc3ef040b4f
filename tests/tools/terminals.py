"""Run `inosuke` on a pseudo-terminal and answer its question."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence

from tests.conftest import ROOT
from tests.tools.hub import WRITER


def answered(
    command: Sequence[str], answer: str, environment: Mapping[str, str], still: Callable[[], bool]
) -> tuple[int, str]:
    """Run a command, type ``answer`` at its question, and return the exit status and all that the terminal showed.

    ``still`` must be true when the question is asked: nothing may have been done by then.
    """
    import pty

    main, other = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "-m", "inosuke", *command],
        stdin=other, stdout=other, stderr=other, cwd=ROOT, env={**environment, "HF_TOKEN": WRITER},
    )  # fmt: skip
    os.close(other)
    said, asked, until = b"", False, time.monotonic() + 120
    while time.monotonic() < until:
        if select.select([main], [], [], 0.2)[0]:
            try:
                said += os.read(main, 4096)
            except OSError:  # the other end is closed
                run.wait(timeout=30)
                break
        if b"[y/N]" in said and not asked:
            asked = True
            assert still(), "asked before anything is done"
            os.write(main, f"{answer}\n".encode())
        if run.poll() is not None and not select.select([main], [], [], 0)[0]:
            break
    run.kill()
    run.wait()
    os.close(main)
    assert asked, said.decode()
    return run.returncode, said.decode().replace("\r\n", "\n")
