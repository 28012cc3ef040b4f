"""What a server counts for Prometheus, at ``/metrics``: how much and how fast, never what was said."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from flask import Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from serve.engine import Done

_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60)


class Metrics:
    """The counters of one application; each has its own, so that several in a process do not add up."""

    def __init__(self, load: Callable[[], tuple[int, int]]) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Load(load))
        self._answers = Counter("inosuke_answers", "Answers, by how they ended.", ["reason"], registry=self._registry)
        self._refused = Counter("inosuke_refused", "Requests refused, by status.", ["status"], registry=self._registry)
        self._tokens = Counter("inosuke_tokens", "Tokens read and made.", ["kind"], registry=self._registry)
        self._first = Histogram(
            "inosuke_first_token_seconds", "Until the first word, the wait included.", buckets=_SECONDS,
            registry=self._registry,
        )  # fmt: skip
        self._whole = Histogram(
            "inosuke_answer_seconds", "Until the end of the answer.", buckets=_SECONDS, registry=self._registry
        )
        self._feedback = Counter("inosuke_feedback", "Feedback, by rating.", ["rating"], registry=self._registry)

    def first_token(self, seconds: float) -> None:
        """Count the time to a first word."""
        self._first.observe(seconds)

    def answered(self, done: Done, seconds: float) -> None:
        """Count an answer."""
        self._answers.labels(done.finish_reason).inc()
        self._tokens.labels("prompt").inc(done.prompt_tokens)
        self._tokens.labels("completion").inc(done.completion_tokens)
        self._whole.observe(seconds)

    def failed(self) -> None:
        """Count an answer that broke off."""
        self._answers.labels("error").inc()

    def refused(self, status: int) -> None:
        """Count a request that was refused."""
        self._refused.labels(str(status)).inc()

    def told(self, rating: str) -> None:
        """Count feedback."""
        self._feedback.labels(rating).inc()

    def page(self) -> Response:
        """Return everything as Prometheus reads it."""
        return Response(generate_latest(self._registry), content_type=CONTENT_TYPE_LATEST)


class _Load(Collector):
    def __init__(self, load: Callable[[], tuple[int, int]]) -> None:
        self._load = load

    def collect(self) -> Iterator[GaugeMetricFamily]:
        running, waiting = self._load()
        yield GaugeMetricFamily("inosuke_running", "Answers that are being made.", running)
        yield GaugeMetricFamily("inosuke_waiting", "People who wait for their turn.", waiting)
