"""The vectors of a store's queue, in memory: what is near a sample, and what answers a search.

The first use starts the reading, in a thread of its own; a request never waits for it and asks for the state instead.
A rewrite is one text, which the next request reads. A new queue, or many new events, start the thread again, and until
it is done the former texts answer.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from annotations.meaning.texts import Text, all_texts, text_of, texts_of, touched_since
from annotations.store.review_store import ReviewStore
from annotations.store.types import Item
from curation.dedup.wording import normal
from curation.errors import InosukeError
from curation.meaning.encoder import E5, Encoder
from curation.meaning.neighbours import cosines
from curation.meaning.vectors import Vectors

Status: TypeAlias = Literal["reading", "ready", "failed"]

# This many changed samples are read during a request; more are the thread's work.
_INLINE = 20
_WORDS_KEPT = 10  # damaged files that are named


@dataclass(frozen=True, slots=True)
class State:
    """How far the reading is: ``done`` of ``total`` texts, or why it failed."""

    status: Status
    done: int = 0
    total: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """A sample, its cosine with what was asked for, and the text that was compared."""

    sample_id: str
    cosine: float
    text: str


@dataclass(slots=True)
class _Rows:
    """The texts that answer, with their vectors, in one order; made from queue ``stamp`` and events up to ``seq``."""

    texts: list[Text]
    matrix: NDArray[np.float32]
    group: NDArray[np.str_]
    stamp: str | None
    seq: int


class MeaningIndex:
    """The queue of ``store`` by meaning; ``folder`` keeps the vectors. Safe to use from several threads."""

    def __init__(self, store: ReviewStore, folder: Path, template_prompts: Sequence[str]) -> None:
        self._engine, self._queue, self._log = store.engine, store.queue, store.log
        self._folder = folder
        self._templates = {normal(prompt) for prompt in template_prompts}
        self._lock = threading.Lock()
        self._vectors: Vectors | None = None
        self._rows: _Rows | None = None
        self._state = State("reading")
        self._reader: threading.Thread | None = None
        self.damaged: list[str] = []

    def state(self) -> State:
        """Return the state, and start reading what is new. ``ready`` means that :meth:`near` and :meth:`search` answer.

        A failed reading is tried again by the next call.
        """
        with self._lock:
            failed = self._state.status == "failed"
            if self._reader is None and not self._is_current():
                self._reader = threading.Thread(target=self._read, name="meaning", daemon=True)
                if not failed:
                    self._state = State("reading")
                self._reader.start()
            if self._rows is not None and not failed:
                return State("ready", len(self._rows.texts), len(self._rows.texts))
            return self._state

    @property
    def vectors(self) -> Vectors:
        """The vectors of any texts, by the same model. Raises InosukeError before the state was ready."""
        if self._vectors is None:
            raise InosukeError("the texts are not read by the model yet. Wait a moment, then try again.")
        return self._vectors

    @property
    def encoder(self) -> Encoder:
        """The model."""
        return self.vectors.encoder

    def text(self, item: Item) -> Text:
        """Return a sample's text as the model reads it."""
        return text_of(item, self._templates)

    def near(self, item: Item, least: float, most: int) -> list[Hit]:
        """Return the samples nearest to one by meaning, from cosine ``least`` on, the nearest first; not itself.

        Quotes and persona lines are compared with each other, dialogues and questions with each other.
        """
        rows = self._ready()
        own = self.text(item)
        score = cosines(rows.matrix, self.vectors.of([own.text])[0])
        ids = np.array([text.sample_id != own.sample_id for text in rows.texts], bool)
        return _best(rows, np.where(ids & (rows.group == own.group), score, -1.0), least, most)

    def search(self, typed: str, most: int) -> list[Hit]:
        """Return the samples whose texts answer a search best, the best first."""
        rows = self._ready()
        return _best(rows, cosines(rows.matrix, self.encoder.query(typed)), 0.0, most)

    def wait(self) -> State:
        """Wait for the reading, for a command or a test; return the state after it."""
        self.state()
        with self._lock:
            reader = self._reader
        if reader is not None:
            reader.join()
        return self.state()

    # ------------------------------------------------------------ reading

    def _ready(self) -> _Rows:
        with self._lock:
            rows = self._rows
        if rows is None:
            raise InosukeError("the texts are not read by the model yet. Wait a moment, then try again.")
        return rows

    def _is_current(self) -> bool:
        """Return whether the rows have all texts; changes of a few samples are brought in here."""
        rows, seq = self._rows, self._log.last_seq()
        if rows is None or rows.stamp != self._queue.stamp():
            return False
        if rows.seq == seq:
            return True
        touched = touched_since(self._engine, rows.seq, _INLINE)
        if touched is None:
            return False
        known = {text.sample_id: at for at, text in enumerate(rows.texts)}
        now = [text for text in texts_of(self._engine, touched, self._templates) if text.sample_id in known]
        changed = [text for text in now if text != rows.texts[known[text.sample_id]]]
        if changed:
            texts, matrix = list(rows.texts), rows.matrix.copy()
            new = self.vectors.of([text.text for text in changed])
            for text, vector in zip(changed, new, strict=True):
                texts[known[text.sample_id]] = text
                matrix[known[text.sample_id]] = vector
            rows = _Rows(texts, matrix, rows.group, rows.stamp, seq)
        else:
            rows.seq = seq
        self._rows = rows
        return True

    def _read(self) -> None:
        try:
            if self._vectors is None:
                self._vectors = Vectors(E5(), self._folder, self._note)
            stamp, seq = self._queue.stamp(), self._log.last_seq()
            texts = list(all_texts(self._engine, self._templates))
            words = [text.text for text in texts]
            left = len(self._vectors.missing(words))
            total = len(set(words))
            done = total - left

            def step(n: int) -> None:
                nonlocal done
                done += n
                self._state = State("reading", done, total)

            step(0)
            matrix = self._vectors.of(words, step=step)
            rows = _Rows(texts, matrix, np.array([text.group for text in texts], np.str_), stamp, seq)
            with self._lock:
                self._rows, self._state, self._reader = rows, State("ready", total, total), None
        except Exception as error:
            with self._lock:
                self._state, self._reader = State("failed", error=str(error)), None
            if not isinstance(error, InosukeError):
                raise  # the page shows what failed, and the server's log where

    def _note(self, message: str) -> None:
        self.damaged = [*self.damaged, message][-_WORDS_KEPT:]


def _best(rows: _Rows, score: NDArray[np.float64], least: float, most: int) -> list[Hit]:
    # Stable, so equal cosines keep the order of the queue.
    order = np.argsort(-score, kind="stable")[:most]
    texts = rows.texts
    return [Hit(texts[k].sample_id, float(score[k]), texts[k].text) for k in order.tolist() if score[k] >= least]
