"""Closes connections whose request does not arrive in time.

waitress only closes those that send nothing at all. A slow-loris client, which sends a byte now and then, could
otherwise hold connections open indefinitely.
"""

from __future__ import annotations

import time
from typing import Any

from waitress.channel import HTTPChannel

# How long a whole request may take to arrive: two megabytes over a slow connection.
ARRIVAL_SECONDS = 30


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that remembers since when its request has been arriving."""

    since: float | None = None

    def received(self, data: bytes) -> bool:
        """Take bytes in, as waitress does."""
        taken: bool = super().received(data)
        if self.request is None:
            self.since = None
        elif self.since is None:
            self.since = time.time()
        return taken

    def handle_close(self) -> None:
        """Close, and tell a server that stops when this was its last connection."""
        super().handle_close()
        if not self.server.active_channels and (all_closed := getattr(self.server, "all_closed", None)):
            all_closed()


# patch: waitress-slow-clients (train/speedups/patches.py)
def close_slow_requests(server: Any) -> None:
    """Make a waitress server close late requests whenever it checks its connections, twice in that time.

    Replaces waitress' channel class and its ``maintenance``, which offer no setting for this.
    """
    usual = server.maintenance

    def maintenance(now: float) -> None:
        usual(now)
        for channel in list(server.active_channels.values()):
            # Not while an earlier request of the same connection is being answered.
            if channel.since is not None and not channel.requests and now - channel.since > ARRIVAL_SECONDS:
                channel.will_close = True

    server.channel_class = Channel
    server.maintenance = maintenance
    server.adj.cleanup_interval = ARRIVAL_SECONDS // 2
