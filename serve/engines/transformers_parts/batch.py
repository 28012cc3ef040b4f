"""Continuous batching: several answers at the same time, one token each a turn. Knows token ids, nothing of text.

One thread owns the model. In each turn it reads a piece of one new prompt and then generates one token for every other
answer, so answers join and leave between any two tokens. The thread waits for notifications and polls nothing.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby

import torch

from serve.engine import Cancelled, EngineFailed, FinishReason
from serve.engines.transformers_parts.decoder import Decoder
from serve.engines.transformers_parts.sampling import Sampler
from serve.speaking.draft import Rewind

log = logging.getLogger("serve")

# Tokens of a prompt that are read in one turn: few while other answers wait for their next token, otherwise as many as
# is efficient while a client that leaves is still noticed soon.
SHARED_CHUNK, CHUNK = 64, 256


@dataclass(eq=False, kw_only=True, slots=True)
class Job:
    """One answer to generate. The batch's thread calls ``push`` with each token and ``finish`` once, at the end."""

    ids: list[int]
    """The prompt."""
    limit: int
    """How many tokens the reply may have."""
    sampler: Sampler
    push: Callable[[int], FinishReason | Rewind | None]
    """Called with a token; returns why the reply ends with it, from where on it has to be drawn again, or None."""
    held: Callable[[], int] = lambda: 0
    """Returns how many of the last tokens may have to be drawn again."""
    finish: Callable[[FinishReason | Exception], None]
    """Called with the reason of the end, or with what went wrong."""
    cancelled: Cancelled
    reading: Callable[[int], None] = lambda done: None
    """Called while the prompt is read, with how many of its tokens have been."""
    exact: bool = False
    """Whether scores must be the same to the last bit whatever else runs, so that it is generated outside the batch."""
    left: bool = False
    read: int = 0
    reply: list[int] = field(default_factory=list)
    scores: list[torch.Tensor] = field(default_factory=list)
    """Those from which the last tokens of the reply were drawn, and the next one is; each (1, vocabulary)."""

    @property
    def room(self) -> int:
        """Tokens that prompt and reply may have together."""
        return len(self.ids) + self.limit


class Batch:
    """Generates as many answers at a time as the decoder has rows for; others wait, first come, first served."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        # Job k has row k. Those that generate come first; the prompt of the last one may still be being read.
        self._jobs: list[Job] = []
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        threading.Thread(target=self._work, name="transformers", daemon=True).start()

    @contextmanager
    def answering(self, job: Job) -> Iterator[None]:
        """Generate an answer within the block. Leaving the block early removes it from the batch at its next token."""
        with self._changed:
            if self._closed:
                raise EngineFailed("the server is stopping. Try again in a moment.")
            self._waiting.append(job)
            self._changed.notify_all()
        try:
            yield
        finally:
            job.left = True

    def close(self) -> None:
        """End the thread, so that the model can be freed."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        while self._wait_for_work():
            try:
                self._turn()
            except Exception as error:
                # Which rows are still intact is unknown, so all of them are cleared.
                log.error("the model failed; %d answers end", len(self._jobs), exc_info=error)
                failed, self._jobs = self._jobs, []
                self._decoder.cache.clear_all()
                for job in failed:
                    job.finish(error)

    def _wait_for_work(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting or self._jobs)
            return not self._closed

    def _turn(self) -> None:
        self._remove_cancelled()
        self._admit()
        self._read_prompt()
        answering = [job for job in self._jobs if job.reply]
        steps = []
        # A sum over a batch is rounded differently from one over a single row: in bf16 enough for another token.
        for _, together in groupby(enumerate(answering), lambda entry: entry[0] if entry[1].exact else None):
            rows, jobs = zip(*together, strict=True)
            steps.append((jobs, self._decoder.step(rows[0], [job.reply[-1] for job in jobs])))
        # Only after all steps: a job that ends gives its row to another.
        for jobs, scores in steps:
            for job, row in zip(jobs, scores, strict=True):
                self._draw(job, row[None])

    def _remove_cancelled(self) -> None:
        with self._changed:
            all_jobs = [*self._jobs, *self._waiting]
        for job in all_jobs:
            with self._contained(job):
                if job.left or job.cancelled():
                    self._end(job, "cancelled")

    def _admit(self) -> None:
        """Give the next waiting job a row, unless a prompt is being read or the cache has no room."""
        if not self._waiting or self._reading():
            return
        job = self._waiting[0]
        if self._decoder.cache.ensure(len(self._jobs) + 1, max(j.room for j in (*self._jobs, job))):
            job.read = self._decoder.cache.assign(len(self._jobs), job.ids)
            if job.exact:
                self._decoder.cache.rewind(len(self._jobs))
                job.read = 0
            self._jobs.append(job)
            with self._changed:
                self._waiting.popleft()

    def _reading(self) -> Job | None:
        return self._jobs[-1] if self._jobs and not self._jobs[-1].reply else None

    def _read_prompt(self) -> None:
        job = self._reading()
        if job is None:
            return
        piece = job.ids[job.read :][: CHUNK if len(self._jobs) == 1 and not job.exact else SHARED_CHUNK]
        scores = self._decoder.read(len(self._jobs) - 1, piece)
        job.read += len(piece)
        if job.read == len(job.ids):
            self._draw(job, scores)
        else:
            with self._contained(job):
                job.reading(job.read)

    def _draw(self, job: Job, scores: torch.Tensor) -> None:
        """Draw a job's next token from its scores, shape (1, vocabulary), and push it.

        Where the reply has to say it differently, tokens are drawn again from the scores that they were drawn from.
        """
        with self._contained(job):
            job.scores.append(scores)
            banned: frozenset[int] = frozenset()
            while True:
                token = job.sampler.draw(job.scores[-1], job.reply, banned)
                outcome = job.push(token)
                if not isinstance(outcome, Rewind):
                    break
                removed = len(job.reply) - outcome.kept
                del job.scores[len(job.scores) - removed :], job.reply[outcome.kept :]
                self._decoder.cache.cut(self._jobs.index(job), len(job.ids) + outcome.kept)
                banned = outcome.banned
            if outcome is None and len(job.reply) + 1 == job.limit:
                outcome = "length"
            if outcome is None:
                job.reply.append(token)
                held = job.held()
                del job.scores[: max(0, len(job.scores) - held)]
                if held:  # a row of its own, so that those of the other answers are freed
                    job.scores[-1] = job.scores[-1].clone()
            else:
                self._end(job, outcome)

    @contextmanager
    def _contained(self, job: Job) -> Iterator[None]:
        """Let an error in one answer end that answer alone."""
        try:
            yield
        except Exception as error:
            log.error("an answer failed", exc_info=error)
            if job in self._jobs:
                self._decoder.cache.clear(self._jobs.index(job))
            self._end(job, error)

    def _end(self, job: Job, outcome: FinishReason | Exception) -> None:
        """End a job and free its row: the last job that generates, then the one whose prompt is read, move up."""
        if job in self._jobs:
            at = self._jobs.index(job)
            for last in (sum(bool(j.reply) for j in self._jobs) - 1, len(self._jobs) - 1):
                if last > at:
                    self._decoder.cache.swap(at, last)
                    self._jobs[at], self._jobs[last] = self._jobs[last], self._jobs[at]
                    at = last
            self._jobs.pop()
        else:
            with self._changed:
                self._waiting.remove(job)
        job.finish(outcome)
