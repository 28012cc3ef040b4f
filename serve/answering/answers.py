"""One answer from the request to its last event: waiting line, engine, log and counters. Knows no wire format."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Sequence
from contextlib import closing

from curation.record import Message
from serve.answering.metrics import Metrics
from serve.answering.service import Service
from serve.answering.waiting_line import LineFull
from serve.engine import Cancelled, ConversationTooLong, Delta, Done, Event, Settings
from serve.schema import only_text

log = logging.getLogger("serve")


def begin(service: Service, turns: Sequence[Message], settings: Settings, gone: Cancelled) -> Generator[Event]:
    """Return the events of an answer to the last of ``turns``; ``gone`` tells whether the client has left.

    Waits for the first event, so that an early failure (a full line, a conversation that does not fit) is raised here
    and becomes a status instead of an event.
    """
    start = time.perf_counter()
    events = service.waiting_line.in_turn(lambda: service.engine.stream(turns, settings, gone), gone)
    events = _counted(_readable(events), start, service.metrics)
    return _beginning_with(next(events), events)


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


def _beginning_with(first: Event, rest: Generator[Event]) -> Generator[Event]:
    with closing(rest):
        yield first
        yield from rest


def _readable(events: Generator[Event]) -> Generator[Event]:
    """Remove control characters from an engine's text. The page sends it back, and it would be refused then."""
    with closing(events):
        for event in events:
            if not isinstance(event, Delta):
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
