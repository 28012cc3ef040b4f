"""Server-sent events as bytes (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from __future__ import annotations

import json
from typing import Any

TYPE = "text/event-stream"


def encode(event: str, data: dict[str, Any]) -> bytes:
    """Return one event. JSON keeps the data on one line, whatever is in it."""
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
