"""The server's counters for Prometheus: how much and how fast, never what was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from serve.engine import Done

_SECONDS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60)


class Metrics:
    """The counters of one application. Each has a registry of its own, so that several in a process do not add up.

    ``load`` returns how many answers are being generated and how many requests wait.
    """

    def __init__(self, load: Callable[[], tuple[int, int]]) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Load(load))
        self._answers = Counter("inosuke_answers", "Answers, by how they ended.", ["reason"], registry=self._registry)
        self._refused = Counter("inosuke_refused", "Requests refused, by status.", ["status"], registry=self._registry)
        self._tokens = Counter("inosuke_tokens", "Tokens read and generated.", ["kind"], registry=self._registry)
        self._stopped = Counter(
            "inosuke_stopped", "Times that a model was stopped at an avoided word or in a loop.", ["cause"],
            registry=self._registry,
        )  # fmt: skip
        self._first = Histogram(
            "inosuke_first_token_seconds", "Time to the first token, waiting included.", buckets=_SECONDS,
            registry=self._registry,
        )  # fmt: skip
        self._whole = Histogram(
            "inosuke_answer_seconds", "Time to the end of the answer.", buckets=_SECONDS, registry=self._registry
        )
        self._pushes = Counter(
            "inosuke_feedback_pushes", "Pushes of feedback to the Hub, by outcome.", ["outcome"],
            registry=self._registry,
        )  # fmt: skip
        self._feedback = Counter("inosuke_feedback", "Feedback, by rating.", ["rating"], registry=self._registry)

    def first_token(self, seconds: float) -> None:
        """Count the time to a first token."""
        self._first.observe(seconds)

    def answered(self, done: Done, seconds: float) -> None:
        """Count an answer."""
        self._answers.labels(done.finish_reason).inc()
        self._tokens.labels("prompt").inc(done.prompt_tokens)
        self._tokens.labels("completion").inc(done.completion_tokens)
        self._whole.observe(seconds)
        for cause, times in (("avoided", done.avoided), ("loop", done.loops)):
            self._stopped.labels(cause).inc(times)

    def failed(self) -> None:
        """Count an answer that failed."""
        self._answers.labels("error").inc()

    def refused(self, status: int) -> None:
        """Count a refused request."""
        self._refused.labels(str(status)).inc()

    def feedback_received(self, rating: str) -> None:
        """Count feedback."""
        self._feedback.labels(rating).inc()

    def feedback_pushed(self, arrived: bool) -> None:
        """Count a push of feedback to the Hub."""
        self._pushes.labels("ok" if arrived else "failed").inc()

    def watch_feedback(self, unpushed: Callable[[], int]) -> None:
        """Show how many bytes of feedback are not on the Hub yet."""
        name, words = "inosuke_feedback_unpushed_bytes", "Feedback that is on this disk alone."
        Gauge(name, words, registry=self._registry).set_function(unpushed)

    def text(self) -> bytes:
        """Return all counters in Prometheus' text format."""
        return generate_latest(self._registry)

    def families(self) -> Iterator[Metric]:
        """Yield every counter with its values."""
        yield from self._registry.collect()


class Together(Collector):
    """The counters of a server with several characters: each with the label ``character``, the process's once."""

    def __init__(self, characters: Mapping[str, Metrics], server: Metrics) -> None:
        self._characters, self._server = characters, server

    def collect(self) -> Iterator[Metric]:
        """Yield each counter once, with the values of all characters."""
        found: dict[str, Metric] = {}
        for name, metrics in self._characters.items():
            for family in metrics.families():
                if _of_the_server(family):
                    continue
                together = found.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                together.samples += [s._replace(labels=s.labels | {"character": name}) for s in family.samples]
        yield from found.values()
        yield from (family for family in self._server.families() if _of_the_server(family))

    def text(self) -> bytes:
        """Return all counters in Prometheus' text format."""
        return generate_latest(self)


def _of_the_server(family: Metric) -> bool:
    return family.name.startswith(("process_", "inosuke_feedback_pushes", "inosuke_feedback_unpushed"))


class _Load(Collector):
    def __init__(self, load: Callable[[], tuple[int, int]]) -> None:
        self._load = load

    def collect(self) -> Iterator[GaugeMetricFamily]:
        running, waiting = self._load()
        yield GaugeMetricFamily("inosuke_running", "Answers that are being generated.", running)
        yield GaugeMetricFamily("inosuke_waiting", "Requests that wait for their turn.", waiting)
