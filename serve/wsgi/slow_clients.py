"""Closes connections whose request does not arrive. waitress only closes those that send nothing at all, so a client

that sends a letter now and then (a slow loris) would hold its connection for ever, and enough of them every other's.
"""

from __future__ import annotations

import time
from typing import Any

from waitress.channel import HTTPChannel

# A whole request may take this long: two megabytes over a slow line.
ARRIVAL_SECONDS = 30


class Channel(HTTPChannel):  # type: ignore[misc]
    """A connection that remembers since when a request has been arriving."""

    since: float | None = None

    def received(self, data: bytes) -> bool:
        """Take bytes in, as waitress does."""
        taken: bool = super().received(data)
        if self.request is None:
            self.since = None
        elif self.since is None:
            self.since = time.time()
        return taken


def lose_patience(server: Any) -> None:
    """Make a waitress server close late requests whenever it looks after its connections, twice in that time."""
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
