"""Pull whenever something changes there, by polling. A webhook only makes the next poll come sooner.

Label Studio gives a webhook one second and never repeats it, so losing one must cost nothing. A webhook is only a
hint: a pull always reads what the server has.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import monotonic

from annotations.labelstudio.connection import Server, explained
from annotations.labelstudio.project import existing
from annotations.labelstudio.pull_verdicts import Pulled, pull
from annotations.store.review_store import ReviewStore
from curation.errors import InosukeError, UsageError
from curation.persona import Persona

# How often everything is read, not only what changed: only that notices deleted tasks.
WHOLE_SECONDS = 3600.0
_LONGEST_PAUSE = 300.0

# The events that the webhook fires on; its body is not read.
_ACTIONS = ["ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED", "TASKS_DELETED"]


def watch(
    server: Server,
    title: str,
    persona: Persona,
    store: ReviewStore,
    names: Mapping[str, str] | None = None,
    *,
    interval: float,
    hint: threading.Event,
    stop: threading.Event,
    report: Callable[[Pulled | InosukeError], None],
    close: Callable[[], None] = lambda: None,
) -> None:
    """Pull now, then on every ``hint`` and every ``interval`` seconds, until ``stop`` is set; set ``hint`` with it.

    ``close`` closes tasks of samples that were decided elsewhere; it is called when the store has new events that no
    pull brought, and after each pull of everything.

    ``report`` gets each pull that did something or failed. While the server is away (or another command holds the log)
    the pauses grow up to five minutes, and the next pull that succeeds reads everything again.
    """
    newest: datetime | None = None
    whole_at = 0.0
    failures = 0
    told: set[str] = set()
    seen = -1  # the store's newest event from elsewhere when tasks were last closed
    while True:
        hint.clear()
        if stop.is_set():  # set together with the hint that was just cleared
            return
        whole = newest is None or monotonic() >= whole_at
        try:
            result = pull(server, title, persona, store, names, since=None if whole else newest, quiet=True)
            newest_elsewhere = store.log.last_seq(without="label-studio")
            if whole or newest_elsewhere != seen:
                close()
                seen = newest_elsewhere
        except InosukeError as error:
            failures += 1
            newest = None
            if str(error) not in told:
                told.add(str(error))
                report(error)
        else:
            failures = 0
            told -= {t for t in told if t not in result.problems}
            news = [p for p in result.problems if p not in told]
            told |= set(news)
            newest = max(filter(None, (newest, result.newest)), default=None)
            if whole:
                whole_at = monotonic() + WHOLE_SECONDS
            if result.new or result.undone or news:
                result.problems = news
                report(result)
        hint.wait(min(interval * 2**failures, max(interval, _LONGEST_PAUSE)))


@contextmanager
def listening(host: str, port: int, hint: threading.Event) -> Iterator[tuple[int, str]]:
    """Receive webhooks inside the block; yield the port and the secret path that a POST must name."""
    path = f"/{secrets.token_urlsafe(24)}"

    class Hints(BaseHTTPRequestHandler):
        timeout = 5  # a caller that sends nothing must not hold a thread

        def do_POST(self) -> None:
            known = hmac.compare_digest(self.path.encode(), path.encode())
            if known:
                hint.set()
            self.send_response(204 if known else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing: the path is a secret."""

    try:
        receiver = ThreadingHTTPServer((host, port), Hints)
    except OSError as error:
        raise UsageError(f"cannot listen on {host}:{port} ({error.strerror}). Choose another --listen.") from None
    receiver.daemon_threads = True
    thread = threading.Thread(target=receiver.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver.server_address[1], path
    finally:
        receiver.shutdown()
        receiver.server_close()
        thread.join()


@contextmanager
def registered(server: Server, title: str, base: str, path: str) -> Iterator[None]:
    """Register a webhook to ``base`` + ``path`` inside the block.

    First it removes the webhooks on ``base`` that a killed watch has left behind.
    """
    project = existing(server, title)
    address = base + path
    with explained(server):
        for old in project.client.webhooks.list(project=str(project.id)):
            if old.id is not None and old.url.startswith(f"{base}/") and set(old.actions or ()) == set(_ACTIONS):
                project.client.webhooks.delete(old.id)
        made = project.client.webhooks.create(
            project=project.id, url=address, send_payload=False, send_for_all_actions=False, actions=_ACTIONS
        )
    try:
        yield
    finally:
        with explained(server):
            project.client.webhooks.delete(made.id)


@contextmanager
def hints(server: Server, title: str, listen: str | None, public: str | None, hint: threading.Event) -> Iterator[None]:
    """Receive webhooks on ``listen`` (HOST:PORT) inside the block, if given. The server reaches it as ``public``."""
    if listen is None:
        if public is not None:
            raise UsageError("--webhook-url is how the server reaches --listen. Give --listen too.")
        yield
        return
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise UsageError(f"--listen {listen!r}: expected HOST:PORT, as in 127.0.0.1:8091.")
    with listening(host.strip("[]"), int(port), hint) as (bound, path):
        base = (public or f"http://{host}:{bound}").rstrip("/")
        with registered(server, title, base, path):
            yield
