"""``evaluation.json`` of a run: beside its base, and perhaps beside another run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from curation.contracts.contract import Contract, read, write
from curation.errors import InosukeError

EVALUATION = "evaluation.json"
_EVALUATE_AGAIN = "Move it away and run `inosuke evaluate` again."


class Answer(Contract):
    """A prompt, and what base and adapter said to it; ``ended`` says for each whether it ended its turn by itself.

    ``other`` is what the run said that the evaluation is against; None where it is against none.
    """

    id: str
    set: str = "held-out"
    tests: str | None = None
    turns: list[dict[str, Any]] = Field(default_factory=list)
    prompt: str = ""
    reference: str | None = None
    base: str
    adapter: str
    other: str | None = None
    ended: dict[str, bool] = Field(default_factory=dict)

    @property
    def rival(self) -> str:
        """The reply that the blind page shows beside the adapter's: the other run's, else the base's."""
        return self.base if self.other is None else self.other


class Evaluation(Contract):
    """``evaluation.json``: a run beside its base, and perhaps beside another run (``against``).

    The votes are on the run and that other run where there is one, else on the run and its base (``for`` is "base" for
    either). A table holds value, low, high, n and groups for each and for their gap. ``weights`` says what was
    measured, by side. ``passport`` holds figures of the character that no model judges.
    """

    run: str
    base_model: str = ""
    dataset: dict[str, Any] = Field(default_factory=dict)
    interval: dict[str, Any] = Field(default_factory=dict)
    weights: dict[str, str] = Field(default_factory=dict)
    eval: dict[str, Any] = Field(default_factory=dict)
    held_out: dict[str, Any] = Field(default_factory=dict)
    replies: dict[str, Any] = Field(default_factory=dict)
    eval_replies: dict[str, Any] = Field(default_factory=dict)
    answers: list[Answer] = Field(default_factory=list)
    votes: list[dict[str, str]] = Field(default_factory=list)
    preference: dict[str, Any] | None = None
    against: dict[str, Any] | None = None
    passport: dict[str, Any] | None = None
    page: str
    left_out: list[str] = Field(default_factory=list)


def read_evaluation(run: Path) -> Evaluation:
    """Read a run's evaluation. Raises InosukeError where the run was not evaluated, or the file is damaged."""
    file = run / EVALUATION
    if not file.is_file():
        raise InosukeError(f"{file}: does not exist, so the run was not evaluated. Run `inosuke evaluate` first.")
    return read(file, Evaluation, "inosuke evaluate", _EVALUATE_AGAIN)


def write_evaluation(run: Path, content: Evaluation) -> None:
    """Write a run's ``evaluation.json``."""
    write(run / EVALUATION, content)
