"""Free ports for servers that cannot choose one themselves."""

import socket


def free_port() -> int:
    """Return a port that is free on loopback at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
