"""From an export folder to token ids: reads what ``inosuke dataset`` wrote, checks its hashes, renders every row.

In: ``datasets/export/<version>/``. Out: an :class:`Export` and, once there is a tokenizer, lists of :class:`Encoded`.
Knows nothing of tensors, models or recipes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation import chat
from curation.errors import InosukeError
from curation.files import sha256_file
from curation.persona import Persona, load_persona
from curation.record import Message, messages_from_json

REMAKE = "Run `make dataset` (or `inosuke dataset`) to write a new one."
# The rows as JSON lines and not as Parquet: pyarrow would take 60 MB of a process that is about to train.
NEEDED = ("jsonl/chat.train.jsonl", "jsonl/chat.eval.jsonl", "persona.toml")


@dataclass(frozen=True, slots=True)
class Row:
    """One approved dialogue; its last message is the character's reply."""

    id: str
    kind: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A prompt that nothing was trained on. ``reference`` is the author's own reply to it, where there is one."""

    id: str
    messages: tuple[Message, ...]
    reference: str | None
    tests: str | None


@dataclass(frozen=True, slots=True)
class Export:
    """A checked export. ``files`` maps each file's path inside the folder to its SHA-256."""

    path: Path
    version: str
    files: dict[str, str]
    persona: Persona
    train: tuple[Row, ...]
    eval: tuple[Row, ...]
    heldout: tuple[HeldOut, ...]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A rendered row: ids, a 0/1 mask of the same length for what the loss counts, and the replies' characters."""

    id: str
    input_ids: list[int]
    loss_mask: list[int]
    chars: int


def find_export(root: Path, path: Path | None = None) -> Path:
    """Return the export folder to use: ``path``, or the newest one under ``root`` (``datasets/export/latest``)."""
    if path is not None:
        return path
    pointer = root / "datasets" / "export" / "latest"
    if not pointer.is_file():
        raise InosukeError(f"{pointer}: no such file, so there is no export to train on. {REMAKE}")
    return pointer.parent / pointer.read_text(encoding="utf-8").strip()


def load_export(path: Path) -> Export:
    """Read an export folder and check it against its manifest.

    Raises InosukeError when the folder or a file is missing, a hash differs, or the train or eval split is empty.
    """
    manifest = _manifest(path)
    files: dict[str, str] = manifest["files"]
    if missing := [name for name in NEEDED if name not in files]:
        raise InosukeError(f"{path / 'manifest.json'}: does not list {', '.join(missing)}. {REMAKE}")
    for name, expected in files.items():
        file = path / name
        if not file.is_file():
            raise InosukeError(f"{file}: missing, though the manifest lists it. {REMAKE}")
        if (seen := sha256_file(file)) != expected:
            raise InosukeError(
                f"{file}: its SHA-256 is {seen}, the manifest says {expected}. The file was changed after the export, "
                f"so nobody reviewed what is in it. {REMAKE}"
            )
    train, evaluation = (_rows(path / name) for name in NEEDED[:2])
    for split, rows in (("train", train), ("eval", evaluation)):
        if not rows:
            raise InosukeError(
                f"{path}: the {split} split is empty; training needs at least one approved dialogue in each split. "
                "Approve more samples (`make review`), then run `make dataset`."
            )
    persona = load_persona(path / "persona.toml")
    return Export(path, str(manifest["version"]), dict(files), persona, train, evaluation, _heldout(path))


def encode(
    rows: Iterable[Row], tokenizer: Any, persona: Persona, max_length: int, prompt: chat.Prompt = "chat"
) -> tuple[list[Encoded], list[str]]:
    """Render rows to at most ``max_length`` tokens each.

    A longer dialogue loses whole exchanges from its front. Returns the encoded rows and the ids of those that are too
    long even then: they are left out, and the caller reports them.
    """
    encoded, left_out = [], []
    for row in rows:
        fitted = chat.fit(row.messages, tokenizer, persona, max_length, prompt)
        if fitted is None:
            left_out.append(row.id)
            continue
        kept, rendered = fitted
        chars = sum(len(m.content.strip()) for m in kept if m.role == "assistant")
        encoded.append(Encoded(row.id, rendered.input_ids, rendered.loss_mask, chars))
    return encoded, left_out


def replies(rows: Sequence[Row]) -> set[str]:
    """Return every reply of these rows, stripped: what a model that learnt by heart would give back."""
    return {m.content.strip() for row in rows for m in row.messages if m.role == "assistant"}


def prompts(export: Export) -> list[HeldOut]:
    """Return prompts to try a model with: the held-out ones, or the eval rows without their last reply."""
    if export.heldout:
        return list(export.heldout)
    return [HeldOut(r.id, r.messages[:-1], r.messages[-1].content, None) for r in export.eval]


def _manifest(path: Path) -> dict[str, Any]:
    file = path / "manifest.json"
    if not file.is_file():
        raise InosukeError(f"{path}: not an export (it has no manifest.json). {REMAKE}")
    try:
        manifest: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InosukeError(f"{file}: not valid JSON ({error}). {REMAKE}") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict) or "version" not in manifest:
        raise InosukeError(f"{file}: expected an object with `version` and `files`. {REMAKE}")
    return manifest


def _rows(file: Path) -> tuple[Row, ...]:
    return tuple(Row(r["id"], r["kind"], messages_from_json(r["messages"])) for r in _lines(file))


def _heldout(path: Path) -> tuple[HeldOut, ...]:
    file = path / "heldout.jsonl"
    if not file.is_file():
        return ()
    return tuple(
        HeldOut(r["id"], messages_from_json(r["messages"]), r.get("reference"), r.get("tests")) for r in _lines(file)
    )


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    # Not str.splitlines: it also splits at U+2028 and U+0085, which JSON may hold as they are.
    with file.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())
