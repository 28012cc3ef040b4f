"""Answers to several people at once: who joins, who leaves, whose turn it is. Knows token ids, nothing of text.

One thread owns the model. In each of its turns it reads a piece of one newcomer's prompt and then makes one token for
everybody else, so people join and leave between any two tokens. What it waits for, it is told: nothing is polled.
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

log = logging.getLogger("serve")

# Tokens of a prompt that are read in one turn: few while others wait for their next word, else as many as are
# worthwhile and still let somebody go who leaves.
SHARED_CHUNK, CHUNK = 64, 256


@dataclass(eq=False, slots=True)
class Job:
    """One answer to make. The batch's thread calls ``hear`` with each token and ``over`` once, at the end."""

    ids: list[int]
    """The prompt."""
    limit: int
    """How many tokens the reply may have."""
    sampler: Sampler
    hear: Callable[[int], FinishReason | None]
    """Takes a token; returns why the reply ends with it, or None."""
    over: Callable[[FinishReason | Exception], None]
    """Takes the end: its reason, or what went wrong."""
    cancelled: Cancelled
    exact: bool = False
    """Whether it must be the same, to the last bit of every score, whoever else is there: read and made by itself."""
    left: bool = False
    read: int = 0
    reply: list[int] = field(default_factory=list)

    @property
    def room(self) -> int:
        """Tokens that prompt and reply may have together."""
        return len(self.ids) + self.limit


class Batch:
    """Makes as many answers at a time as the decoder has rows for; others wait, first come, first served."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        # Job k has row k. Those that answer come first; the last one may still be reading its prompt.
        self._jobs: list[Job] = []
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._closed = False
        threading.Thread(target=self._work, name="transformers", daemon=True).start()

    @contextmanager
    def answering(self, job: Job) -> Iterator[None]:
        """Have an answer made within the block. Whoever leaves the block early leaves the batch at its next token."""
        with self._changed:
            if self._closed:
                raise EngineFailed("the server is being stopped.")
            self._waiting.append(job)
            self._changed.notify_all()
        try:
            yield
        finally:
            job.left = True

    def close(self) -> None:
        """Let the thread end, so that the model can go."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _work(self) -> None:
        while self._something_to_do():
            try:
                self._turn()
            except Exception as error:
                # Nobody can say which rows are still whole, so all of them start afresh.
                log.error("the model failed; %d answers end", len(self._jobs), exc_info=error)
                failed, self._jobs = self._jobs, []
                self._decoder.rows.forget()
                for job in failed:
                    job.over(error)

    def _something_to_do(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting or self._jobs)
            return not self._closed

    def _turn(self) -> None:
        self._let_go()
        self._let_in()
        self._read()
        answering = [job for job in self._jobs if job.reply]
        steps = []
        # A sum over a batch is rounded otherwise than one over a single row, which in bf16 is enough for another word.
        for _, together in groupby(enumerate(answering), lambda entry: entry[0] if entry[1].exact else None):
            rows, jobs = zip(*together, strict=True)
            steps.append((jobs, self._decoder.step(rows[0], [job.reply[-1] for job in jobs])))
        # Only now: who ends gives the row away.
        for jobs, scores in steps:
            for job, row in zip(jobs, scores, strict=True):
                self._draw(job, row[None])

    def _let_go(self) -> None:
        with self._changed:
            everybody = [*self._jobs, *self._waiting]
        for job in everybody:
            with self._alone(job):
                if job.left or job.cancelled():
                    self._end(job, "cancelled")

    def _let_in(self) -> None:
        """Give the next in line a row, unless somebody's prompt is being read or there is no room."""
        if not self._waiting or self._reader():
            return
        job = self._waiting[0]
        if self._decoder.rows.arrange(len(self._jobs) + 1, max(j.room for j in (*self._jobs, job))):
            job.read = self._decoder.rows.place(len(self._jobs), job.ids)
            if job.exact:
                self._decoder.rows.cut(len(self._jobs))
                job.read = 0
            self._jobs.append(job)
            with self._changed:
                self._waiting.popleft()

    def _reader(self) -> Job | None:
        return self._jobs[-1] if self._jobs and not self._jobs[-1].reply else None

    def _read(self) -> None:
        job = self._reader()
        if job is None:
            return
        piece = job.ids[job.read :][: CHUNK if len(self._jobs) == 1 and not job.exact else SHARED_CHUNK]
        scores = self._decoder.read(len(self._jobs) - 1, piece)
        job.read += len(piece)
        if job.read == len(job.ids):
            self._draw(job, scores)

    def _draw(self, job: Job, scores: torch.Tensor) -> None:
        """Choose a job's next token from its scores, shape (1, vocabulary), and let it be heard."""
        with self._alone(job):
            token = job.sampler.draw(scores, job.reply)
            reason = job.hear(token)
            if reason is None and len(job.reply) + 1 == job.limit:
                reason = "length"
            if reason is None:
                job.reply.append(token)
            else:
                self._end(job, reason)

    @contextmanager
    def _alone(self, job: Job) -> Iterator[None]:
        """Let what goes wrong with one answer end that one."""
        try:
            yield
        except Exception as error:
            log.error("an answer failed", exc_info=error)
            if job in self._jobs:
                self._decoder.rows.clear(self._jobs.index(job))
            self._end(job, error)

    def _end(self, job: Job, outcome: FinishReason | Exception) -> None:
        """End a job and free its row: the last one that answers, then the one that reads, move up."""
        if job in self._jobs:
            at = self._jobs.index(job)
            for last in (sum(bool(j.reply) for j in self._jobs) - 1, len(self._jobs) - 1):
                if last > at:
                    self._decoder.rows.swap(at, last)
                    self._jobs[at], self._jobs[last] = self._jobs[last], self._jobs[at]
                    at = last
            self._jobs.pop()
        else:
            with self._changed:
                self._waiting.remove(job)
        job.over(outcome)
