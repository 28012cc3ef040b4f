"""One answer from the request to its last event: waiting line, engine, log and counters. Knows no wire format."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from queue import Empty, SimpleQueue

from curation.lorebook.book import Fact
from curation.record import Message
from serve.answering import facts
from serve.answering.metrics import Metrics
from serve.answering.service import Service
from serve.answering.waiting_line import LineFull
from serve.engine import Alive, Cancelled, ConversationTooLong, CountsTokens, Delta, Done, Event, Settings
from serve.schema import only_text
from serve.speaking.own_words import Labels, own_words

log = logging.getLogger("serve")


# While an answer has nothing to send, a stream is kept alive this often: proxies cut silent connections after a minute.
ALIVE_SECONDS = 10.0


def begin(
    service: Service,
    turns: Sequence[Message],
    settings: Settings,
    gone: Cancelled,
    stream: bool = False,
    labels: Labels | None = None,
) -> Generator[Event]:
    """Return the events of an answer to the last of ``turns``; ``gone`` tells whether the client has left.

    What can be known beforehand is raised here, so that it becomes a status: a last message that does not fit, a full
    line. Anything later is raised where the events are read. With ``stream`` the first event is there at once, and
    while there is nothing else, :class:`Alive` comes every ten seconds. ``labels`` are the names in a room: then the
    answer has the character's own words alone.
    """
    start = time.perf_counter()
    told = facts.told(service, turns, settings)
    if isinstance(service.engine, CountsTokens):
        service.engine.check(told.messages, settings)
    left = threading.Event()

    def cancelled() -> bool:
        return left.is_set() or gone()

    def ask(settings: Settings, stopped: Cancelled) -> Iterator[Event]:
        return service.engine.stream(told.messages, settings, stopped)

    def answer() -> Iterator[Event]:
        return own_words(ask, settings, cancelled, labels) if labels else ask(settings, cancelled)

    events = service.waiting_line.in_turn(answer, cancelled)
    events = _counted(_readable(events, told.facts), start, service.metrics)
    next(events)  # has its place in the line, or raises LineFull
    return _started(_kept_alive(events, left)) if stream else events


def whole(events: Generator[Event]) -> tuple[str, Done]:
    """Wait for the end of an answer. Returns its text and how it ended."""
    done, text = None, []
    for event in events:
        if isinstance(event, Delta):
            text.append(event.text)
        elif isinstance(event, Done):
            done = event
    assert done is not None, "an engine ends with Done"
    return "".join(text), done


def _started(events: Generator[Event]) -> Generator[Event]:
    first = next(events)
    return _beginning_with(first, events)


def _beginning_with(first: Event, rest: Generator[Event]) -> Generator[Event]:
    with closing(rest):
        yield first
        yield from rest


def _kept_alive(events: Generator[Event], left: threading.Event) -> Generator[Event]:
    """Pass events on, and Alive whenever none has come for a while. ``left`` is set once no one reads them any more.

    Another thread reads them, since the engine may be silent for as long as it likes.
    """
    arrived: SimpleQueue[Event | BaseException | None] = SimpleQueue()

    def read() -> None:
        try:
            with closing(events):
                for event in events:
                    arrived.put(event)
                    if left.is_set():
                        break
            arrived.put(None)
        except BaseException as error:
            arrived.put(error)

    thread = threading.Thread(target=read, name="answer", daemon=True)
    thread.start()
    try:
        yield Alive()
        while True:
            try:
                event = arrived.get(timeout=ALIVE_SECONDS)
            except Empty:
                yield Alive()
                continue
            if event is None:
                return
            if isinstance(event, BaseException):
                raise event
            yield event
    finally:
        left.set()
        thread.join()  # the engine's slot is free when this returns


def _readable(events: Generator[Event], told: tuple[Fact, ...]) -> Generator[Event]:
    """Remove control characters from an engine's text. The page sends it back, and it would be refused then.

    The last event gets the facts that the engine was told.
    """
    with closing(events):
        for event in events:
            if isinstance(event, Done):
                yield replace(event, facts=told)
            elif not isinstance(event, Delta):
                yield event
            elif text := only_text(event.text):
                yield Delta(text, event.likely)


def _counted(events: Generator[Event], start: float, metrics: Metrics) -> Generator[Event]:
    """Pass events on and log one line an answer: how much and how fast, never the words.

    A full line and a conversation that does not fit count as refusals (:mod:`serve.http.monitoring`), not as failures.
    """
    begun = False
    with closing(events):
        try:
            for event in events:
                seconds = time.perf_counter() - start
                if isinstance(event, Delta) and not begun:
                    begun = True
                    metrics.first_token(seconds)
                elif isinstance(event, Done):
                    metrics.answered(event, seconds)
                    tokens = f"{event.prompt_tokens} + {event.completion_tokens} tokens"
                    log.info("answer: %s, %s after %.1f s", tokens, event.finish_reason, seconds)
                yield event
        except (LineFull, ConversationTooLong):
            raise
        except Exception:
            metrics.failed()
            raise
