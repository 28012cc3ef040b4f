"""Our server, in which every reply has the maximum length. Usage: that of ``python -m serve``.

With random lengths, a server that happens to give shorter replies has fewer visitors in its last steps. It then makes
fewer tokens a second with more processor time for each, which is not a property of the server.
"""

from __future__ import annotations

from typing import Any

from serve.commands.serve import serve
from serve.engines import llamacpp

_usual = llamacpp.request


def whole(*asked: Any) -> dict[str, Any]:
    """Return the engine's request, for a reply that continues to its limit."""
    return _usual(*asked) | {"ignore_eos": True}


if __name__ == "__main__":
    llamacpp.request = whole
    serve(prog_name="python -m benchmarks.whole_replies")
