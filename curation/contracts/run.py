"""``metrics.json`` and ``same_ids.json`` of a run: its figures, how it speaks, and ids that a server compares."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from curation.contracts.contract import Contract, Figure, read, write
from curation.errors import InosukeError

METRICS = "metrics.json"
SAME_IDS = "same_ids.json"
_TRAIN_AGAIN = "Train again with `make train`, or choose another run."


class Scores(Contract):
    """Negative log-likelihood (natural log) of replies, by a model; ``loss`` is per token.

    ``reply_nll_per_char`` counts the end-of-turn token after each reply, ``text_nll_per_char`` does not.
    """

    reply_nll_per_char: Figure = math.nan
    text_nll_per_char: Figure = math.nan
    loss: Figure = math.nan
    perplexity: Figure = math.nan
    end_of_turn_nll: Figure = math.nan
    reply_tokens: int = 0
    reply_chars: int = 0
    replies: int = 0


class RunEval(Contract):
    """The eval split as the base and as the adapter score it, on the weights that ``weights`` describes.

    ``figures`` holds value, low, high, n and groups of base, adapter and their difference, by the figure's name; ``by``
    holds the same for each kind and each language. Intervals draw groups of rows.
    """

    rows: int = 0
    groups: int = 0
    weights: str = ""
    base: Scores = Scores()
    adapter: Scores = Scores()
    figures: dict[str, dict[str, Any]] = Field(default_factory=dict)
    by: dict[str, dict[str, Any]] = Field(default_factory=dict)


class RunBase(Contract):
    """The base model: ``path`` is a folder below the project's root or a Hub id, ``sha256`` its weights' (or None).

    ``vocabulary`` is the hash of the tokens that a cut vocabulary keeps.
    """

    name: str
    path: str
    sha256: str | None = None
    source: str | None = None
    vocabulary: str | None = None


class RunDataset(Contract):
    """The export that a run was trained on."""

    version: str = "unknown"
    path: str = ""
    files: dict[str, str] = Field(default_factory=dict)
    eval_rows: int = 0
    eval_prompts_in_train: int = 0


# What lets a run become the newest. A good run loops in less than 2% of its replies. These bounds are wider, since
# forty replies are a noisy draw: of runs with a true rate of 2%, one in a thousand loops in more than 10% of forty.
# One reply alone decides nothing.
MOST_LOOPING, FEWEST_ENDED, FEWEST_RIGHT_LANGUAGE = 0.1, 0.8, 0.8
FEWEST_BAD = 2


class Speaking(Contract):
    """How a run answers held-out prompts with its base's sampling: the number of replies with each property.

    ``looping`` replies repeat themselves, ``ended`` ones ended their turn within ``max_new_tokens``, and of the
    ``judged`` ones, whose language can be told, ``right_language`` are in the language of their prompt. ``loops`` are
    examples of what was repeated.
    """

    prompts: int
    looping: int
    ended: int
    judged: int
    right_language: int
    loops: list[str] = Field(default_factory=list)
    sampling: dict[str, float] = Field(default_factory=dict)
    max_new_tokens: int = 0
    seed: int = 0

    def faults(self) -> list[str]:
        """Return why a character that speaks like this must not be the newest; empty where it may."""
        found = []
        if _too_many(self.looping, self.prompts, MOST_LOOPING):
            shown = f', such as "{self.loops[0]} …"' if self.loops else ""
            found.append(
                f"{self.looping} of {self.prompts} replies repeat themselves (at most {MOST_LOOPING:.0%} may){shown}"
            )
        if _too_many(self.prompts - self.ended, self.prompts, 1 - FEWEST_ENDED):
            found.append(f"only {self.ended} of {self.prompts} replies end (at least {FEWEST_ENDED:.0%} have to)")
        if _too_many(self.judged - self.right_language, self.judged, 1 - FEWEST_RIGHT_LANGUAGE):
            found.append(
                f"only {self.right_language} of {self.judged} replies are in the language of their prompt (at least "
                f"{FEWEST_RIGHT_LANGUAGE:.0%} have to be)"
            )
        return found


def _too_many(bad: int, all_replies: int, share: float) -> bool:
    return bad >= FEWEST_BAD and bad > share * all_replies + 1e-9


class RunPreference(Contract):
    """What a run learnt from preferences, measured on the pairs of the eval side (none: ``pairs`` is 0).

    A pair is won when the training made the chosen reply more likely than before by more than the rejected one; before
    the training half of them are, by definition. ``more_likely`` counts the pairs whose chosen reply is the likelier
    one per token. The changes are in nats per token. Each figure holds value, low, high, n and groups.
    """

    train: int = 0
    labels: int = 0
    validation: int = 0
    pairs: int = 0
    chosen_on: str = "validation"
    left_out: list[str] = Field(default_factory=list)
    margin_accuracy: dict[str, Any] = Field(default_factory=dict)
    more_likely_before: dict[str, Any] = Field(default_factory=dict)
    more_likely_after: dict[str, Any] = Field(default_factory=dict)
    chosen_change: dict[str, Any] = Field(default_factory=dict)
    rejected_change: dict[str, Any] = Field(default_factory=dict)
    dialogues_before: Scores = Scores()
    dialogues_change: dict[str, Any] = Field(default_factory=dict)
    evaluations: list[dict[str, Any]] = Field(default_factory=list)
    speaking_before: Speaking | None = None

    @property
    def rise(self) -> float:
        """The share by which the nll per character of eval dialogues rose against the run that it started from."""
        before = self.dialogues_before.reply_nll_per_char
        change = self.dialogues_change.get("value")
        return math.nan if change is None else change / before


# The share by which a run that learnt from preferences may lose on the eval dialogues.
MOST_RISE = 0.01


class RunMetrics(Contract):
    """``metrics.json`` of a run. Written by training alone; the keys of ``eval`` and ``epochs`` are public.

    ``speaking`` is None in runs of older versions, and where the replies could not be measured; ``speaking_failed``
    says why then.
    """

    run: str = ""
    base_model: RunBase
    prompt: Literal["chat", "alpaca"] = "chat"
    eval: RunEval = RunEval()
    epochs: list[dict[str, Any]] = Field(default_factory=list)
    training: dict[str, Any] = Field(default_factory=dict)
    history: dict[str, Any] = Field(default_factory=dict)
    samples: list[dict[str, Any]] = Field(default_factory=list)
    speaking: Speaking | None = None
    speaking_failed: str | None = None
    recipe: dict[str, Any] = Field(default_factory=dict)
    dataset: RunDataset = RunDataset()
    environment: dict[str, Any] = Field(default_factory=dict)
    seed: int = 0
    started_from: str | None = None
    preference: RunPreference | None = None

    @property
    def is_worse(self) -> bool:
        """Return whether the figures show that the adapter is not better than its base."""
        adapter, base = self.eval.adapter.loss, self.eval.base.loss
        return not math.isnan(base) and not adapter < base

    @property
    def forgets(self) -> bool:
        """Whether what it learnt from preferences cost more of the dialogues than it may."""
        return self.preference is not None and self.preference.rise > MOST_RISE

    def faults(self) -> list[str]:
        """Return why the run must not become the newest, one reason each; empty where it may."""
        found = ["it is not better than its base"] if self.is_worse else []
        if self.preference is not None and self.forgets:
            found.append(
                f"its nll per character on eval dialogues is {self.preference.rise:.1%} higher than that of "
                f"{self.started_from} (at most {MOST_RISE:.0%} may be lost)"
            )
        if self.speaking is not None:
            found += self.speaking.faults()
        elif self.speaking_failed is not None:
            found.append(f"its replies could not be measured ({self.speaking_failed})")
        return found


def read_metrics(run: Path) -> RunMetrics:
    """Read a run's ``metrics.json``. Raises InosukeError where it is missing or damaged."""
    if not (run / METRICS).is_file():
        raise InosukeError(f"{run}: not a finished run, it does not hold {METRICS}. {_TRAIN_AGAIN}")
    return read(run / METRICS, RunMetrics, "make train", _TRAIN_AGAIN)


def write_metrics(run: Path, metrics: RunMetrics) -> None:
    """Write a run's ``metrics.json``."""
    write(run / METRICS, metrics)


class RecordedDialogue(Contract):
    """A dialogue and the token ids that it was rendered to."""

    messages: list[dict[str, str]]
    input_ids: list[int]


class SameIds(Contract):
    """``same_ids.json`` of a run: what training rendered a few dialogues to, so that a server can compare.

    They are :data:`curation.chat.EXAMPLES` and not rows of the corpus, since a run may be published.
    """

    dialogues: list[RecordedDialogue] = Field(default_factory=list)
    # Dialogues that make facts of the run's lorebook fire, rendered with those facts; the book is named by its SHA-256.
    with_facts: list[RecordedDialogue] = Field(default_factory=list)
    lorebook: str = ""


def read_same_ids(run: Path) -> SameIds | None:
    """Read a run's record; None for a run of an older version. Raises InosukeError for a damaged one."""
    file = run / SAME_IDS
    return read(file, SameIds, "make train", _TRAIN_AGAIN) if file.is_file() else None


def write_same_ids(run: Path, content: SameIds) -> None:
    """Write a run's ``same_ids.json``."""
    write(run / SAME_IDS, content)
