"""The production server: waitress, which is pure Python and runs on Windows.

Each piece of a stream reaches the client at once, and with ``channel_request_lookahead`` a closed connection is noticed
while the answer is being generated (docs/experiments/2026-11-22-waitress-streams.md).
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
from serve.config import LOOPBACK, ServerConfig, read_config
from serve.engine import MOST_SLOTS
from serve.feedback.pushing import Pusher
from serve.http.several import build
from serve.schema import MAX_BODY
from serve.wsgi.connections import PER_ADDRESS, limit_per_address, stop_on_sigterm
from serve.wsgi.loading import LoadingApp
from serve.wsgi.slow_clients import close_slow_requests

# Each stream and each waiting request holds a thread. The page, its files and refusals need some beside those. Idle
# threads are cheap.
SPARE_THREADS = 32
# Messages a minute for each client, where other machines can reach the server.
PUBLIC_RATE = 30


def run_server(host: str, port: int, given: Mapping[str, Any], say: Callable[[str], Any]) -> None:
    """Serve until interrupted. Raises InosukeError when the port is taken or there is nothing to serve.

    Settings that ``given`` leaves out are read from the environment. A wrong value is a UsageError.
    """
    config = read_config(given)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s", datefmt="%H:%M:%S")
    for noisy in ("httpx", "httpx2", "huggingface_hub", "transformers", "waitress"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # First the port, then the model: a taken port is reported at once, and early requests learn that the model loads.
    with bind(host, port) as listener:
        app, loading = LoadingApp(config.frame_ancestors), _Loading()
        others = len(config.each_run()) - 1  # each character has a waiting line of its own
        waiting = config.waiting + others * (config.waiting + MOST_SLOTS)
        server = make_server(app, listener, waiting, config.proxies)
        # Behind a proxy all connections are its own, and it has to limit its clients.
        if not config.proxies and not _is_loopback(host):
            limit_per_address(server, PER_ADDRESS)
        stop_on_sigterm(server, begun=loading.hurry)

        def load() -> None:
            try:
                loading.app = _load(host, config, say)
                app.ready(loading.app)
                # Whoever opens the address at this word finds the chat.
                shown = f"[{host}]" if ":" in host else host
                say(f"Open http://{shown}:{listener.getsockname()[1]} (Ctrl+C stops)")
            except BaseException as error:
                loading.failed = error
                server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))

        threading.Thread(target=load, name="load", daemon=True).start()
        server.run()
        loading.end()
        if loading.failed is not None:
            raise loading.failed


@dataclass
class _Loading:
    failed: BaseException | None = None
    app: Flask | None = None

    @property
    def pusher(self) -> Pusher | None:
        return self.app.extensions["inosuke"].pusher if self.app else None

    def hurry(self) -> None:
        """Push feedback at once: the server ends soon, and may be killed before it has."""
        if self.pusher:
            self.pusher.hurry()

    def end(self) -> None:
        """Push the feedback that is left."""
        if self.pusher:
            self.pusher.close()


def _load(host: str, config: ServerConfig, say: Callable[[str], Any]) -> Flask:
    local = _is_loopback(host)
    # Where strangers reach the server, one client must not use all of it. --rate and INOSUKE_RATE set another rate.
    public = {"hosts": None, "rate": PUBLIC_RATE, "metrics_open": False}
    usual = {"hosts": (*LOOPBACK, host)} if local else public
    config = config.with_defaults(**usual)
    app = build(config)
    for line in app.extensions["inosuke"].chosen:
        say(line)
    if not local and not (config.keys or config.keys_file):
        say(
            f"Warning: listening on {host}, so anyone who can reach this machine can chat, without a password. "
            "Leave --host out to keep it to yourself, or name a file with --keys."
        )
    return app


def make_server(app: Any, listener: socket.socket, waiting: int = 0, proxies: int = 0) -> Any:
    """Return a waitress server on a bound socket; ``run()`` serves, ``close()`` ends it.

    ``waiting`` is how many requests may wait for their turn: each holds a thread. ``proxies`` is how many proxies in
    front of the server write X-Forwarded-For.
    """
    threads = MOST_SLOTS + waiting + SPARE_THREADS
    server = waitress.create_server(
        app,
        sockets=[listener],
        threads=threads,
        # More than can be served at once, so that slow clients do not keep others out.
        connection_limit=threads + 500,
        # select() cannot watch more than 1,024 files.
        asyncore_use_poll=hasattr(select, "poll"),
        # Without it, waitress does not read from a socket whose request is being answered, and so does not notice that
        # it closes.
        channel_request_lookahead=1,
        channel_timeout=60,
        max_request_body_size=2 * MAX_BODY,
        # waitress would remove X-Forwarded-For, and all clients behind a proxy would count as one. ProxyFix decides
        # which part of it is trusted (serve/http/app.py).
        clear_untrusted_proxy_headers=not proxies,
        ident="inosuke",
    )
    close_slow_requests(server)
    return server


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address. Raises InosukeError when the address is not free."""
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise InosukeError(
            f"the host {host!r} is not known: {error.strerror}. Give --host an address of this machine."
        ) from None
    listener = socket.socket(family, kind, proto)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    else:
        # On Windows SO_REUSEADDR would let two servers take the same port.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)  # type: ignore[attr-defined,unused-ignore]
    try:
        listener.bind(address)
        # It is listening that fails where another program listens already.
        listener.listen()
    except OSError as error:
        listener.close()
        raise InosukeError(_why_not(host, port, error)) from None
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    # Windows reports EACCES for a port that another program holds exclusively.
    if error.errno == errno.EADDRINUSE or (os.name != "posix" and error.errno == errno.EACCES):
        return (
            f"port {port} on {host} is in use, perhaps by another `inosuke serve`. "
            f"Stop that program, or choose another port: inosuke serve --port {port + 1}"
        )
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than you have ({error.strerror}). Choose one above 1023 with --port."
    return f"cannot listen on {host} port {port} ({error.strerror}). Choose another --host or --port."


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
