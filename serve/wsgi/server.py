"""The production server: waitress, which is pure Python and runs on Windows.

Each piece of a stream reaches the client at once, and with ``channel_request_lookahead`` a closed connection is noticed
while the answer is being made (docs/experiments/2026-11-22-waitress-streams.md).
"""

from __future__ import annotations

import errno
import ipaddress
import logging
import os
import select
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import waitress
from flask import Flask
from waitress import wasyncore

from curation.errors import InosukeError
from serve import config as settings
from serve import create_app
from serve.config import LOOPBACK
from serve.engine import MOST_SLOTS
from serve.schema import MAX_BODY
from serve.wsgi.loading import Door
from serve.wsgi.slow_clients import lose_patience

# A stream, or somebody who waits for one, holds a thread; the page, its files and refusals need some, too, however many
# stream and wait. Idle ones are cheap.
SPARE_THREADS = 32
# Messages a minute for each client, where the server is not for this machine alone.
PUBLIC_RATE = 30


def run_server(host: str, port: int, config: Mapping[str, Any], say: Callable[[str], Any]) -> None:
    """Serve until interrupted. Raises InosukeError when the port is taken or nothing can be served.

    What ``config`` leaves out may be said in the environment; a wrong value there is a UsageError.
    """
    config = settings.given(config)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%H:%M:%S")
    for noisy in ("httpx", "transformers", "waitress"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # First the port, then the model: a taken port is said at once, and whoever asks meanwhile hears that it loads.
    with bind(host, port) as listener:
        door, loaded = Door(), _Loading()
        known = settings.whole(config)
        server = make_server(door, listener, known["WAITING"], known["PROXIES"])

        def load() -> None:
            try:
                door.let_in(_load(host, listener, config, say))
            except BaseException as error:
                loaded.failed = error
                server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))

        threading.Thread(target=load, name="load", daemon=True).start()
        server.run()
        if loaded.failed is not None:
            raise loaded.failed


@dataclass
class _Loading:
    failed: BaseException | None = None


def _load(host: str, listener: socket.socket, config: Mapping[str, Any], say: Callable[[str], Any]) -> Flask:
    local = _is_loopback(host)
    # Where strangers reach it, one of them must not take all of it; --rate or INOSUKE_RATE says otherwise.
    usual = {"HOSTS": (*LOOPBACK, host)} if local else {"HOSTS": None, "RATE": PUBLIC_RATE}
    app = create_app({**usual, **config})
    for line in app.extensions["inosuke"].chosen:
        say(line)
    if not local and not (app.config["KEYS"] or app.config["KEYS_FILE"]):
        say(
            f"Warning: listening on {host}, so everybody who reaches this machine can chat, without a password. "
            "Leave --host out to keep it to yourself, or name a file with --keys."
        )
    shown = f"[{host}]" if ":" in host else host
    say(f"Open http://{shown}:{listener.getsockname()[1]} (Ctrl+C stops)")
    return app


def make_server(app: Any, listener: socket.socket, waiting: int = 0, proxies: int = 0) -> Any:
    """Return a waitress server on a bound socket; ``run()`` serves, ``close()`` ends it.

    ``waiting`` is how many people may wait for their turn: each holds a thread. ``proxies`` is how many proxies in
    front write X-Forwarded-For.
    """
    threads = MOST_SLOTS + waiting + SPARE_THREADS
    server = waitress.create_server(
        app,
        sockets=[listener],
        threads=threads,
        # More than can be served at once, so that slow clients do not keep others out.
        connection_limit=threads + 500,
        # select() knows no file beyond the 1,024th.
        asyncore_use_poll=hasattr(select, "poll"),
        # Without a look ahead, waitress does not read from a socket whose request is being answered, and so does not
        # see it close.
        channel_request_lookahead=1,
        channel_timeout=60,
        max_request_body_size=2 * MAX_BODY,
        # waitress would take X-Forwarded-For away, and everybody behind a proxy would be one client. Which part of it
        # is believed is ProxyFix's to say (serve/http/app.py).
        clear_untrusted_proxy_headers=not proxies,
        ident="inosuke",
    )
    lose_patience(server)
    return server


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
