"""``manifest.json`` of an export: what it holds, the SHA-256 of each file, and how its rows were reviewed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field

from curation.contracts.contract import EXPORT_AGAIN, Contract, read, write
from curation.errors import InosukeError
from curation.files import sha256_file

MANIFEST = "manifest.json"


class Side(Contract):
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


class SourceFacts(Contract):
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


class ExportPersona(Contract):
    """Whose lines an export holds.

    ``origin`` and ``license`` are of older versions' exports, whose persona.toml stated them for all lines.
    """

    name: str = ""
    sha256: str = ""
    origin: str = ""
    license: str = "other"
    owners: str = ""
    system_prompts: dict[str, str] = Field(default_factory=dict)  # by language


class TrainerFacts(Contract):
    """What a person has to know who trains on an export with another program.

    ``instruct`` counts the rows of that configuration by side. ``eval_prompts_in_train`` of its eval rows have a prompt
    (instruction and history) that stands word for word in train; ``eval_template_prompts`` of these are template
    prompts. ``not_alternating`` rows of ``chat``, by side, have two turns in a row by one speaker's side.
    """

    instruct: dict[str, int] = Field(default_factory=dict)
    eval_prompts_in_train: int = 0
    eval_template_prompts: int = 0
    not_alternating: dict[str, int] = Field(default_factory=dict)


class PreferenceFacts(Contract):
    """Rows of ``preferences`` and ``labels`` by side, pairs by origin, and what was set aside, by reason."""

    pairs: dict[str, int] = Field(default_factory=dict)
    labels: dict[str, int] = Field(default_factory=dict)
    origins: dict[str, int] = Field(default_factory=dict)
    set_aside: dict[str, int] = Field(default_factory=dict)


class Agreement(Contract):
    """How far annotators agree who judged the same samples blind; ``alpha`` is Krippendorff's, None where undefined.

    ``blind`` is False in exports of older versions, which also counted verdicts of annotators who saw each other's.
    """

    samples: int
    share: float
    alpha: float | None
    blind: bool = False


class AuditFacts(Contract):
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


class ReviewFacts(Contract):
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


class Published(Contract):
    """What a publication left out of an export, and what it included by name."""

    left_out: dict[str, int] = Field(default_factory=dict)
    included: dict[str, int] = Field(default_factory=dict)


class Manifest(Contract):
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
    preferences: PreferenceFacts = PreferenceFacts()
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
        raise InosukeError(f"{folder}: not an export, it does not hold {MANIFEST}. {EXPORT_AGAIN}")
    return read(folder / MANIFEST, Manifest, "inosuke dataset", EXPORT_AGAIN)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json``."""
    write(folder / MANIFEST, manifest)


def check_files(folder: Path) -> Manifest:
    """Return the manifest of a folder whose files are all as listed. Raises InosukeError that names the first other."""
    manifest = read_manifest(folder)
    for name, digest in manifest.files.items():
        file = folder / name
        if not file.is_file():
            raise InosukeError(f"{file}: missing, though {MANIFEST} lists it. {EXPORT_AGAIN}")
        if (seen := sha256_file(file)) != digest:
            raise InosukeError(
                f"{file}: changed after the export (SHA-256 {seen[:12]}…, not {digest[:12]}…), so what it holds was "
                f"not reviewed. {EXPORT_AGAIN} The changed folder is kept. To change a line, review it."
            )
    return manifest
