"""Our server without the guard against avoided words and loops. Usage: that of ``python -m serve``."""

from __future__ import annotations

from serve.commands.serve import serve
from serve.engines import llamacpp
from serve.speaking.guard import Guard

if __name__ == "__main__":
    llamacpp.Guard = lambda persona: Guard(None)  # type: ignore[assignment, misc]
    serve(prog_name="python -m benchmarks.unguarded_replies")
