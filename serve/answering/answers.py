"""One answer from asking to its last event: the line, the engine, the log and the counters. Knows no wire format."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Sequence
from contextlib import closing

from flask import request

from curation.record import Message
from serve.answering.metrics import Metrics
from serve.answering.service import service
from serve.answering.waiting_line import LineFull
from serve.engine import Cancelled, ConversationTooLong, Delta, Done, Event, Settings
from serve.schema import only_text

log = logging.getLogger("serve")


def begin(turns: Sequence[Message], settings: Settings) -> Generator[Event]:
    """Return the events of an answer.

    The first one is waited for here: what is wrong from the start (a full line, a conversation that does not fit)
    is raised and becomes a status instead of an event.
    """
    start, serving, gone = time.perf_counter(), service(), _disconnected()
    events = serving.line.run(lambda: serving.engine.stream(turns, settings, gone), gone)
    events = _counted(_readable(events), start, serving.metrics)
    return _beginning_with(next(events), events)


def whole(events: Generator[Event]) -> tuple[str, Done]:
    """Wait for the end of an answer; returns its text and how it ended."""
    done, text = None, []
    for event in events:
        if isinstance(event, Delta):
            text.append(event.text)
        elif isinstance(event, Done):
            done = event
    assert done is not None, "an engine ends with Done"
    return "".join(text), done


def _disconnected() -> Cancelled:
    """Return the server's way to tell that the client has closed the connection (waitress has one)."""
    asked: Cancelled | None = request.environ.get("waitress.client_disconnected")
    return asked or (lambda: False)


def _beginning_with(first: Event, rest: Generator[Event]) -> Generator[Event]:
    with closing(rest):
        yield first
        yield from rest


def _readable(events: Generator[Event]) -> Generator[Event]:
    """Leave out of any engine's words what is no text: the page sends them back, and they would be refused then."""
    with closing(events):
        for event in events:
            if not isinstance(event, Delta):
                yield event
            elif text := only_text(event.text):
                yield Delta(text)


def _counted(events: Generator[Event], start: float, metrics: Metrics) -> Generator[Event]:
    """Pass events on, and log one line an answer: how much and how fast, never what.

    A full line and a conversation that does not fit are refusals (serve/guard/browser.py counts those), and no
    failures.
    """
    spoken = False
    with closing(events):
        try:
            for event in events:
                seconds = time.perf_counter() - start
                if isinstance(event, Delta) and not spoken:
                    spoken = True
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
