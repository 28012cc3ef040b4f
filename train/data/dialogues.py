"""From an export folder to token ids: checks what ``inosuke dataset`` wrote, reads it and renders every row.

In: ``datasets/export/<version>/``. Out: an :class:`Export` and, once there is a tokenizer, lists of :class:`Encoded`.
Knows nothing of tensors, models or recipes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curation import chat
from curation.contracts.manifest import check_files
from curation.contracts.rows import ExportedRow, HeldOut, chat_rows, read_chat_rows, read_held_out
from curation.errors import InosukeError
from curation.folders import Folders
from curation.newest import newest_export
from curation.persona import Persona, load_persona

NEEDED = (chat_rows("train"), chat_rows("eval"), "persona.toml")


@dataclass(frozen=True, slots=True)
class Export:
    """A checked export. ``files`` maps the path of each file inside the folder to its SHA-256."""

    path: Path
    version: str
    files: dict[str, str]
    persona: Persona
    train: tuple[ExportedRow, ...]
    eval: tuple[ExportedRow, ...]
    held_out: tuple[HeldOut, ...]


@dataclass(frozen=True, slots=True)
class Encoded:
    """A rendered row: token ids, a 0/1 loss mask of the same length, and the characters of the replies it counts."""

    id: str
    input_ids: list[int]
    loss_mask: list[int]
    chars: int


def find_export(root: Path, path: Path | None = None) -> Path:
    """Return the export folder to use: ``path``, or the newest one of the project in ``root``."""
    return path if path is not None else newest_export(Folders(root).export)


def load_export(path: Path) -> Export:
    """Read an export folder and check it against its manifest.

    Raises InosukeError when the folder or a file is missing or changed, or the train or eval split is empty.
    """
    manifest = check_files(path)
    if missing := [name for name in NEEDED if name not in manifest.files]:
        raise InosukeError(
            f"{path}: its manifest.json does not list {', '.join(missing)}. Run `inosuke dataset` to write a new one."
        )
    train, evaluation = read_chat_rows(path, "train"), read_chat_rows(path, "eval")
    for split, rows in (("train", train), ("eval", evaluation)):
        if not rows:
            raise InosukeError(
                f"{path}: the {split} split is empty; training needs at least one approved dialogue in each split. "
                "Approve more samples (`make review`), then run `make dataset`."
            )
    persona = load_persona(path / "persona.toml")
    return Export(path, manifest.version, dict(manifest.files), persona, train, evaluation, read_held_out(path))


def encode(
    rows: Iterable[ExportedRow], tokenizer: Any, persona: Persona, max_length: int, prompt: chat.Prompt = "chat"
) -> tuple[list[Encoded], list[str]]:
    """Render rows to at most ``max_length`` tokens each.

    A longer dialogue loses whole exchanges from its front. A persona that is told facts in training has dialogues with
    them, cut as :func:`curation.chat.in_parts` does. Returns the encoded rows and the ids of those that are too
    long even then: they are left out, and the caller reports them.
    """
    encoded, left_out = [], []
    count = chat.counter(tokenizer)
    for row in rows:
        parts = chat.in_parts(row.messages, persona, count) if prompt == "chat" else [row.messages]
        for part in parts:
            fitted = chat.fit(part, tokenizer, persona, max_length, prompt)
            if fitted is None:
                left_out.append(row.id)
                continue
            rendered = fitted.rendered
            encoded.append(Encoded(row.id, rendered.input_ids, rendered.loss_mask, rendered.chars))
    return encoded, left_out


def replies(rows: Sequence[ExportedRow]) -> set[str]:
    """Return every reply of these rows, stripped."""
    return {m.content.strip() for row in rows for m in row.messages if m.role == "assistant"}


def prompts(export: Export) -> list[HeldOut]:
    """Return prompts to try a model with: the held-out ones, or the prompts of the eval rows if there are none."""
    return list(export.held_out) or eval_prompts(export)


def eval_prompts(export: Export) -> list[HeldOut]:
    """Return the eval rows as prompts; the last reply of each is the reference."""
    return [HeldOut(id=r.id, messages=r.messages[:-1], reference=r.messages[-1].content) for r in export.eval]
