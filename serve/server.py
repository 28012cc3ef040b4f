"""The production server: waitress, which is pure Python and runs on Windows.

Measured (docs/log.md): each piece of a stream reaches the client at once, and with ``channel_request_lookahead`` a
closed connection is noticed while the answer is being made.
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any

import waitress
from flask import Flask

from curation.errors import InosukeError
from serve import create_app
from serve.app import LOOPBACK

# A stream, or somebody who waits for one, holds a thread; the page and its files need some, too. Idle ones are cheap.
THREADS = 64


def run_server(host: str, port: int, config: Mapping[str, Any], say: Callable[[str], Any]) -> None:
    """Serve until interrupted. Raises InosukeError when the port is taken or nothing can be served."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%H:%M:%S")
    for noisy in ("httpx", "transformers", "waitress"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # First the port, then the model: a taken port is said at once, not after the model has loaded.
    with bind(host, port) as listener:
        local = _is_loopback(host)
        app = create_app({**config, "HOSTS": (*LOOPBACK, host) if local else None})
        server = make_server(app, listener)
        for line in app.extensions["inosuke"].chosen:
            say(line)
        if not local:
            say(
                f"Warning: listening on {host}, so everybody who reaches this machine can chat, without a password. "
                "Leave --host out to keep it to yourself."
            )
        shown = f"[{host}]" if ":" in host else host
        say(f"Open http://{shown}:{listener.getsockname()[1]} (Ctrl+C stops)")
        server.run()


def make_server(app: Flask, listener: socket.socket) -> Any:
    """Return a waitress server on a bound socket; ``run()`` serves, ``close()`` ends it."""
    return waitress.create_server(
        app,
        sockets=[listener],
        threads=max(THREADS, app.config["WAITING"] + 16),
        # Without a look ahead, waitress does not read from a socket whose request is being answered, and so does not
        # see it close.
        channel_request_lookahead=1,
        channel_timeout=60,
        max_request_body_size=2 * app.config["MAX_CONTENT_LENGTH"],
        ident="inosuke",
    )


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address. Raises InosukeError, saying what to do, when it is not free."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise InosukeError(f"the host {host!r} is not known: {error.strerror}. Give --host an address.") from None
    listener = socket.socket(family, kind, proto)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    else:
        # On Windows SO_REUSEADDR would let two servers take the same port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)  # type: ignore[attr-defined,unused-ignore]
    try:
        listener.bind(address)
        # Listening is what fails where another program listens already.
        listener.listen()
    except OSError as error:
        listener.close()
        raise InosukeError(_why_not(host, port, error)) from None
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    # Windows says EACCES for a port that somebody holds exclusively.
    if error.errno == errno.EADDRINUSE or (os.name != "posix" and error.errno == errno.EACCES):
        return (
            f"port {port} on {host} is in use, perhaps by another `inosuke serve`. "
            f"Stop that program, or choose another port: inosuke serve --port {port + 1}"
        )
    if error.errno == errno.EACCES:
        return f"port {port} is not yours to take ({error.strerror}). Choose one above 1023 with --port."
    return f"cannot listen on {host} port {port} ({error.strerror}). Choose another --host or --port."


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
