"""Server-sent events as bytes (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import Response

TYPE = "text/event-stream"
# A comment, which clients skip: something to send while there is nothing to say.
PING = b": ping\n\n"


def encode(event: str, data: dict[str, Any]) -> bytes:
    """Return one event. As JSON, the data is always on one line."""
    return f"event: {event}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def response(events: Iterator[bytes]) -> Response:
    """Return a response that sends events as soon as they come."""
    # Proxies such as nginx would otherwise collect a few kilobytes before they send anything.
    return Response(events, mimetype=TYPE, headers={"X-Accel-Buffering": "no"})
