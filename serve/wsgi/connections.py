"""How many connections one address may hold, and how they end when the server stops."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

from waitress import wasyncore

from serve.guard.keys_and_rates import network

# Connections of one address. A browser holds six; an office behind one address has room for several.
PER_ADDRESS = 100
# How long running answers may take once the server is told to stop; Docker kills it after ten seconds unless told
# otherwise, Kubernetes after thirty.
GRACE_SECONDS = 25
_FLUSH_SECONDS = 2


# patch: waitress-connections (train/speedups/patches.py)
def limit_per_address(server: Any, most: int) -> None:
    """Let a waitress server close a new connection at once where its address has ``most`` already."""
    usual = server.channel_class

    def channel(server: Any, connection: Any, address: Any, adj: Any, map: Any) -> Any:
        mine = network(address[0])
        if sum(network(c.addr[0]) == mine for c in list(server.active_channels.values())) >= most:
            connection.close()
            return None
        return usual(server, connection, address, adj, map=map)

    server.channel_class = channel


def stop_on_sigterm(server: Any, grace: float = GRACE_SECONDS, begun: Callable[[], object] = lambda: None) -> None:
    """End the server at SIGTERM once its running answers have ended, or after ``grace`` seconds; at a second one, now.

    ``begun`` is called at the first one. As process 1 of a container, Python gets the signal only if it handles it.
    Call it in the main thread.
    """
    draining = threading.Event()

    def stop(*_: object) -> None:
        if draining.is_set():
            raise SystemExit(1)
        draining.set()
        threading.Thread(target=end, name="drain", daemon=True).start()

    def end() -> None:
        begun()  # not in the handler, which may have interrupted what holds the same lock
        drain(server, grace)

    signal.signal(signal.SIGTERM, stop)


def drain(server: Any, grace: float) -> None:
    """Accept no more connections, wait for the running answers, send what is left of them, and end ``server.run()``."""
    server.trigger.pull_trigger(lambda: wasyncore.dispatcher.close(server))
    server.task_dispatcher.shutdown(timeout=grace)
    flushed = threading.Event()
    server.all_closed = flushed.set

    def finish() -> None:
        for channel in list(server.active_channels.values()):
            channel.close_when_flushed = True
        if not server.active_channels:
            flushed.set()

    server.trigger.pull_trigger(finish)
    flushed.wait(_FLUSH_SECONDS)
    server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
