"""What the stages hand to each other through files: each file's type, and the functions that read and write it.

| file | written by | read by |
| --- | --- | --- |
| ``manifest.json``, ``jsonl/chat.*.jsonl``, ``heldout.jsonl`` | `inosuke dataset` | training, publishing, statistics |
| ``metrics.json`` | `inosuke train` | evaluation, merging, GGUF, serving, publishing |
| ``gguf/gguf.json`` | `inosuke gguf` | serving, publishing |
| ``evaluation.json`` | `inosuke evaluate` | votes, the report |

A file that is missing or damaged gives one error message, whichever command reads it. Keys that a type does not know
(another version's) are kept. The rows of an export have their types here and are written by
:mod:`curation.export.exported_rows`, which also writes them as Parquet. :mod:`curation.newest` knows which export or
run is the newest. Knows nothing of tensors, Parquet or the Hub.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError

from curation.errors import InosukeError, explain
from curation.files import sha256_file, write_atomically
from curation.record import Message, messages_from_json

MANIFEST = "manifest.json"
METRICS = "metrics.json"
GGUF_LIST = "gguf/gguf.json"
EVALUATION = "evaluation.json"
SAME_IDS = "same_ids.json"
HELD_OUT = "heldout.jsonl"

_EXPORT_AGAIN = "Run `inosuke dataset` to write a new one."
_TRAIN_AGAIN = "Train again with `make train`, or choose another run."
_GGUF_AGAIN = "Run `inosuke gguf` again."
_EVALUATE_AGAIN = "Move it away and run `inosuke evaluate` again."

# A figure that is not a number (an overflow, a loss that diverged) is null in a file, as JSON wants it, and nan here.
Figure = Annotated[
    float,
    BeforeValidator(lambda value: math.nan if value is None else value),
    PlainSerializer(lambda value: value if math.isfinite(value) else None, return_type=float | None),
]


class _Contract(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True, ser_json_inf_nan="null", protected_namespaces=())

    def to_json(self) -> dict[str, Any]:
        """Return plain objects with the keys that were given, in the order of the type."""
        return self.model_dump(mode="json", exclude_unset=True)


M = TypeVar("M", bound=_Contract)


# ------------------------------------------------------------------------------------------------------------- export


class Side(_Contract):
    """Statistics of one side (``train`` or ``eval``); the mappings count samples by value, "None" among them."""

    samples: int = 0
    multi_turn: int = 0
    rewritten: int = 0
    replies: int = 0
    mean_reply_chars: float = 0.0
    kind: dict[str, int] = Field(default_factory=dict)
    language: dict[str, int] = Field(default_factory=dict)
    rights: dict[str, int] = Field(default_factory=dict)
    importer: dict[str, int] = Field(default_factory=dict)


class SourceFacts(_Contract):
    """A source folder of an export, the number of its samples, and the terms that persona.toml states for them.

    ``license`` is an identifier of the Hub or empty; ``license_name`` and ``license_link`` say what ``other`` means.
    """

    folder: str
    samples: int
    rights: str
    license: str = ""
    license_name: str = ""
    license_link: str = ""
    origin: str = ""


class ExportPersona(_Contract):
    """Whose lines an export holds.

    ``origin`` and ``license`` are of older versions' exports, whose persona.toml stated them for all lines.
    """

    name: str = ""
    sha256: str = ""
    origin: str = ""
    license: str = "other"
    owners: str = ""
    system_prompts: dict[str, str] = Field(default_factory=dict)  # by language


class TrainerFacts(_Contract):
    """What a person has to know who trains on an export with another program.

    ``instruct`` counts the rows of that configuration by side. ``eval_prompts_in_train`` of its eval rows have a prompt
    (instruction and history) that stands word for word in train; ``eval_template_prompts`` of these are template
    prompts. ``not_alternating`` rows of ``chat``, by side, have two turns in a row by one speaker's side.
    """

    instruct: dict[str, int] = Field(default_factory=dict)
    eval_prompts_in_train: int = 0
    eval_template_prompts: int = 0
    not_alternating: dict[str, int] = Field(default_factory=dict)


class Agreement(_Contract):
    """How far annotators agree who judged the same samples blind; ``alpha`` is Krippendorff's, None where undefined.

    ``blind`` is False in exports of older versions, which also counted verdicts of annotators who saw each other's.
    """

    samples: int
    share: float
    alpha: float | None
    blind: bool = False


class AuditFacts(_Contract):
    """A random sample of what was approved by trust, and what several people who read it blind found.

    ``drawn`` rows of ``frame``; ``read`` of them were judged and ``wrong`` found wrong (``disputed`` of these because
    the readers disagree). ``changed`` rows are not what was drawn any more and do not count; ``open`` ones still wait.
    ``bound`` is the one-sided upper bound of Clopper and Pearson on the share of wrong rows, None while a row is open.
    ``later`` is the number of exported rows approved by trust that the draw could not have drawn.
    """

    drawn: int
    frame: int
    people: int
    source: str = ""
    read: int
    wrong: int
    disputed: int = 0
    changed: int = 0
    open: int = 0
    later: int = 0
    confidence: float
    bound: float | None = None


class ReviewFacts(_Contract):
    """What was reviewed, by how many annotators; no one is named."""

    approved: int = 0
    awaiting_review: int = 0
    seen_by_a_person: int = 0
    only_vouched_for_by_the_author: int = 0
    decided_unread: int = 0  # by one action on many samples, and by no one who read them
    annotators: int | None = None
    verdicts: dict[str, int] = Field(default_factory=dict)
    agreement: Agreement | None = None
    audits: list[AuditFacts] = Field(default_factory=list)


class Published(_Contract):
    """What a publication left out of an export, and what it included by name."""

    left_out: dict[str, int] = Field(default_factory=dict)
    included: dict[str, int] = Field(default_factory=dict)


class Manifest(_Contract):
    """``manifest.json`` of an export. ``files`` maps each path in the folder to its SHA-256, in hexadecimal.

    A published model has one too, with ``run`` (the run's name) and ``files``.
    """

    version: str
    run: str | None = None
    persona: ExportPersona = ExportPersona()
    configuration: dict[str, Any] = Field(default_factory=dict)
    sources: list[SourceFacts] = Field(default_factory=list)
    counts: dict[str, Side] = Field(default_factory=dict)
    openings: dict[str, dict[str, Any]] = Field(default_factory=dict)
    trainers: TrainerFacts = TrainerFacts()
    imported: dict[str, int] = Field(default_factory=dict)
    rejected: dict[str, int] = Field(default_factory=dict)
    flagged: dict[str, int] = Field(default_factory=dict)
    duplicates: dict[str, int] = Field(default_factory=dict)
    review: ReviewFacts = ReviewFacts()
    left_out: dict[str, int] = Field(default_factory=dict)
    log: dict[str, Any] = Field(default_factory=dict)
    split: dict[str, Any] = Field(default_factory=dict)
    held_out: int = 0
    published: Published | None = None
    libraries: dict[str, str] = Field(default_factory=dict)
    files: dict[str, str]
    card: dict[str, Any] | None = None


def read_manifest(folder: Path) -> Manifest:
    """Read an export's manifest. Raises InosukeError where there is none, or it is damaged."""
    if not (folder / MANIFEST).is_file():
        raise InosukeError(f"{folder}: not an export, it does not hold {MANIFEST}. {_EXPORT_AGAIN}")
    return _read(folder / MANIFEST, Manifest, "inosuke dataset", _EXPORT_AGAIN)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json``."""
    _write(folder / MANIFEST, manifest)


def check_files(folder: Path) -> Manifest:
    """Return the manifest of a folder whose files are all as listed. Raises InosukeError that names the first other."""
    manifest = read_manifest(folder)
    for name, digest in manifest.files.items():
        file = folder / name
        if not file.is_file():
            raise InosukeError(f"{file}: missing, though {MANIFEST} lists it. {_EXPORT_AGAIN}")
        if (seen := sha256_file(file)) != digest:
            raise InosukeError(
                f"{file}: changed after the export (SHA-256 {seen[:12]}…, not {digest[:12]}…), so what it holds was "
                f"not reviewed. {_EXPORT_AGAIN} The changed folder is kept. To change a line, review it."
            )
    return manifest


class RowMessage(TypedDict):
    """One turn in a row."""

    role: str
    content: str
    name: str | None


class AboutRow(TypedDict):
    """What every exported row says about its sample; ``system`` is the system prompt that it is trained under."""

    id: str
    system: str
    group: str
    kind: str
    language: str | None
    topic: str | None
    flags: list[str]
    revision: int
    reviewers: int
    source: str
    source_sha256: str
    locator: str
    importer: str
    rights: str


class ChatRow(AboutRow):
    """A row of the configuration ``chat``."""

    messages: list[RowMessage]


class InstructRow(AboutRow):
    """A row of the configuration ``instruct``: the reply number ``turn`` of a sample.

    ``history`` holds the exchanges before it, [prompt, reply] each.
    """

    turn: int
    instruction: str
    input: str
    output: str
    history: list[list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportedRow:
    """One approved dialogue as training reads it; its last message is the character's reply.

    Rows of one ``group`` resemble each other: the split moved them to their side together. It is the row's own id in
    exports of older versions, which do not have groups.
    """

    id: str
    kind: str
    messages: tuple[Message, ...]
    language: str | None = None
    group: str = ""

    def __post_init__(self) -> None:
        if not self.group:
            object.__setattr__(self, "group", self.id)


def read_chat_rows(folder: Path, side: Literal["train", "eval"]) -> tuple[ExportedRow, ...]:
    """Read one side's dialogues. From JSON lines and not from Parquet: a training process then needs no pyarrow."""

    def row(content: Mapping[str, Any]) -> ExportedRow:
        return ExportedRow(
            id=content["id"],
            kind=content["kind"],
            messages=messages_from_json(content["messages"]),
            language=content.get("language") or None,
            group=content.get("group") or "",
        )

    return tuple(_lines(folder / chat_rows(side), row))


def chat_rows(side: str) -> str:
    """Return where an export keeps one side's dialogues as JSON lines."""
    return f"jsonl/chat.{side}.jsonl"


class HeldOutRow(TypedDict):
    """A row of ``heldout.jsonl``; in the file, an empty text stands where a row has no ``tests``."""

    id: str
    messages: list[dict[str, Any]]
    reference: str
    tests: str | None
    source: str
    rights: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """A prompt that nothing is trained on. ``reference`` is the author's reply to it; ``tests`` names the skill."""

    id: str
    messages: tuple[Message, ...]
    reference: str | None = None
    tests: str | None = None


def read_held_out(folder: Path) -> tuple[HeldOut, ...]:
    """Read an export's held-out prompts; nothing where the export does not have the file."""

    def prompt(content: Mapping[str, Any]) -> HeldOut:
        return HeldOut(
            id=content["id"],
            messages=messages_from_json(content["messages"]),
            reference=content.get("reference"),
            tests=content.get("tests") or None,
        )

    file = folder / HELD_OUT
    return tuple(_lines(file, prompt)) if file.is_file() else ()


# ---------------------------------------------------------------------------------------------------------------- run


class Scores(_Contract):
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


class RunEval(_Contract):
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


class RunBase(_Contract):
    """The base model: ``path`` is a folder below the project's root or a Hub id, ``sha256`` its weights' (or None).

    ``vocabulary`` is the hash of the tokens that a cut vocabulary keeps.
    """

    name: str
    path: str
    sha256: str | None = None
    source: str | None = None
    vocabulary: str | None = None


class RunDataset(_Contract):
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


class Speaking(_Contract):
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


class RunMetrics(_Contract):
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

    @property
    def is_worse(self) -> bool:
        """Return whether the figures show that the adapter is not better than its base."""
        adapter, base = self.eval.adapter.loss, self.eval.base.loss
        return not math.isnan(base) and not adapter < base

    def faults(self) -> list[str]:
        """Return why the run must not become the newest, one reason each; empty where it may."""
        found = ["it is not better than its base"] if self.is_worse else []
        if self.speaking is not None:
            found += self.speaking.faults()
        elif self.speaking_failed is not None:
            found.append(f"its replies could not be measured ({self.speaking_failed})")
        return found


def read_metrics(run: Path) -> RunMetrics:
    """Read a run's ``metrics.json``. Raises InosukeError where it is missing or damaged."""
    if not (run / METRICS).is_file():
        raise InosukeError(f"{run}: not a finished run, it does not hold {METRICS}. {_TRAIN_AGAIN}")
    return _read(run / METRICS, RunMetrics, "make train", _TRAIN_AGAIN)


def write_metrics(run: Path, metrics: RunMetrics) -> None:
    """Write a run's ``metrics.json``."""
    _write(run / METRICS, metrics)


class RecordedDialogue(_Contract):
    """A dialogue and the token ids that it was rendered to."""

    messages: list[dict[str, str]]
    input_ids: list[int]


class SameIds(_Contract):
    """``same_ids.json`` of a run: what training rendered a few dialogues to, so that a server can compare.

    They are :data:`curation.chat.EXAMPLES` and not rows of the corpus, since a run may be published.
    """

    dialogues: list[RecordedDialogue] = Field(default_factory=list)


def read_same_ids(run: Path) -> SameIds | None:
    """Read a run's record; None for a run of an older version. Raises InosukeError for a damaged one."""
    file = run / SAME_IDS
    return _read(file, SameIds, "make train", _TRAIN_AGAIN) if file.is_file() else None


def write_same_ids(run: Path, content: SameIds) -> None:
    """Write a run's ``same_ids.json``."""
    _write(run / SAME_IDS, content)


class GgufFile(_Contract):
    """A GGUF file of a run; ``worse`` is its perplexity against the 16-bit file's, as a share."""

    file: str
    type: str = ""
    sha256: str | None = None
    bytes: int | None = None
    reply_nll_per_char: Figure = math.nan
    loss: Figure = math.nan
    perplexity: Figure = math.nan
    hints: dict[str, Any] | None = None
    worse: Figure = 0.0


class MeasuredOn(_Contract):
    """What GGUF files were measured on."""

    dataset: str = ""
    rows: int = 0


class GgufList(_Contract):
    """``gguf/gguf.json``: the files of a run, and the name of the one to serve."""

    run: str = ""
    base: str = ""
    files: list[GgufFile] = Field(default_factory=list)
    served: str | None = None
    wanted: str = ""
    measured_on: MeasuredOn = MeasuredOn()
    texts_tokenized_differently: int = 0
    texts: int = 0
    made_with: list[str] = Field(default_factory=list)

    def entry(self, file: str) -> GgufFile | None:
        """Return what is known of a file, or None where the list does not name it."""
        return next((f for f in self.files if f.file == file), None)


def read_gguf_list(run: Path) -> GgufList:
    """Read a run's list; an empty one where a GGUF was put there by hand. Raises InosukeError for a damaged one."""
    file = run / GGUF_LIST
    return _read(file, GgufList, "inosuke gguf", _GGUF_AGAIN) if file.is_file() else GgufList()


def write_gguf_list(run: Path, content: GgufList) -> None:
    """Write a run's ``gguf/gguf.json``."""
    _write(run / GGUF_LIST, content)


class Answer(_Contract):
    """A prompt, and what base and adapter said to it; ``ended`` says for each whether it ended its turn by itself."""

    id: str
    set: str = "held-out"
    tests: str | None = None
    turns: list[dict[str, Any]] = Field(default_factory=list)
    prompt: str = ""
    reference: str | None = None
    base: str
    adapter: str
    ended: dict[str, bool] = Field(default_factory=dict)


class Evaluation(_Contract):
    """``evaluation.json``: a run beside its base, and perhaps beside another run (``against``).

    A table holds value, low, high, n and groups for each and for their gap. ``weights`` says what was measured, by
    side. ``passport`` holds figures of the character that no model judges.
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
    return _read(file, Evaluation, "inosuke evaluate", _EVALUATE_AGAIN)


def write_evaluation(run: Path, content: Evaluation) -> None:
    """Write a run's ``evaluation.json``."""
    _write(run / EVALUATION, content)


# -------------------------------------------------------------------------------------------------------------- files


def _read(file: Path, model: type[M], writer: str, remedy: str) -> M:
    try:
        return model.model_validate_json(file.read_bytes())
    except ValidationError as error:
        why = explain(error, model)
    except OSError as error:
        why = error.strerror or str(error)
    raise InosukeError(f"{file}: damaged ({why}). Expected what `{writer}` writes. {remedy}")


def _write(file: Path, content: _Contract) -> None:
    text = json.dumps(content.to_json(), ensure_ascii=False, indent=2, allow_nan=False)
    write_atomically(file, text + "\n")


T = TypeVar("T")


def _lines(file: Path, make: Callable[[Mapping[str, Any]], T]) -> Iterator[T]:
    # Not str.splitlines: it also splits at U+2028 and U+0085, which JSON may hold as they are.
    number = 0
    try:
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                number += 1
                if line.strip():
                    yield make(json.loads(line))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InosukeError(
            f"{file}: damaged at line {number} ({error}). Expected what `inosuke dataset` writes. {_EXPORT_AGAIN}"
        ) from None
