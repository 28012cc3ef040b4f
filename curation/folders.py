"""Where data lies below the project's root, and the lock that stops two commands from writing at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from curation.errors import InosukeError


@dataclass(frozen=True, slots=True)
class Folders:
    """The data folders of a project whose persona.toml lies in ``root``."""

    root: Path

    @property
    def datasets(self) -> Path:
        """All data."""
        return self.root / "datasets"

    @property
    def log(self) -> Path:
        """The review log, in git."""
        return self.datasets / "decisions.jsonl"

    @property
    def audits(self) -> Path:
        """The random samples that were drawn for a second reading, and the answers, in git."""
        return self.datasets / "audits.jsonl"

    @property
    def choices(self) -> Path:
        """The choices between two replies, in git."""
        return self.datasets / "choices.jsonl"

    @property
    def same_meaning(self) -> Path:
        """What annotators said of two texts that are near by meaning, in git."""
        return self.datasets / "same_meaning.jsonl"

    @property
    def split(self) -> Path:
        """The side (train or eval) that each sample was first given, in git."""
        return self.datasets / "split.jsonl"

    @property
    def imports(self) -> Path:
        """Parsed source files, cached by hash."""
        return self.datasets / "build" / "imports"

    @property
    def vectors(self) -> Path:
        """The vectors of texts, by the model that made them."""
        return self.datasets / "build" / "vectors"

    @property
    def queue(self) -> Path:
        """The queue: every sample with its flags."""
        return self.datasets / "build" / "samples.parquet"

    @property
    def waiting(self) -> Path:
        """The samples that wait for a verdict, for `inosuke evaluate --queue` to read."""
        return self.datasets / "build" / "waiting.jsonl"

    @property
    def queue_scores(self) -> Path:
        """How unlikely a run finds the replies that wait, by `inosuke evaluate --queue`."""
        return self.datasets / "build" / "queue_scores.json"

    @property
    def stamp(self) -> Path:
        """What the last build was made from."""
        return self.datasets / "build" / "stamp.json"

    @property
    def corpus(self) -> Path:
        """The corpus that the last build was made from; not in git, and not removed by `make clean`."""
        return self.datasets / "corpus.json"

    @property
    def quarantine(self) -> Path:
        """Every piece of a source that did not become a sample, with the reason."""
        return self.datasets / "quarantine" / "rejected.jsonl"

    @property
    def export(self) -> Path:
        """The exports: one folder a version."""
        return self.datasets / "export"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the project's write lock. Raises InosukeError if another command holds it for a minute."""
        from filelock import FileLock, Timeout

        try:
            self.datasets.mkdir(parents=True, exist_ok=True)
            with FileLock(self.datasets / ".lock", timeout=60):
                yield
        except Timeout:
            raise InosukeError(
                f"another `inosuke` command has been writing in {self.datasets} for a minute. "
                "Wait for it to end, then try again."
            ) from None
