"""Our server, in which no reply ends before its last token. Usage: that of ``python -m serve``.

Where lengths are drawn, whoever drew shorter replies has fewer people in the model's last steps, and so makes fewer
tokens a second and needs more processor for each, which says nothing about what is compared.
"""

from __future__ import annotations

from typing import Any

from serve.commands.serve import serve
from serve.engines import llamacpp

_usual = llamacpp.request


def whole(*asked: Any) -> dict[str, Any]:
    """Return the engine's request, for a reply that goes on to its limit."""
    return _usual(*asked) | {"ignore_eos": True}


if __name__ == "__main__":
    llamacpp.request = whole
    serve(prog_name="python -m benchmarks.whole_replies")
