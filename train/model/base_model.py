"""Finds the base model that a recipe names: an embedded one, a folder, a GGUF file, or a Hub id.

In: the name, the project's folder and the persona's languages. Out: a :class:`BaseModel`. Which models are embedded,
and where they come from, stands in ``curation/bases.toml``.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock

from curation import bases
from curation.bases import Base
from curation.errors import InosukeError, UsageError
from curation.files import sha256_file, whole_folder
from train.model import embedded
from train.model.pinned_wheel import Unfetchable

Source = Literal["embedded", "folder", "hub"]
FOLDER = Path("models") / "base"  # below the project's folder

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BaseModel:
    """A base model. ``location`` is for ``from_pretrained``; ``sha256`` is the hash of local weights (None: Hub).

    ``vocabulary`` is the hash of the tokens that a cut vocabulary keeps.
    """

    name: str
    location: str
    sha256: str | None
    source: Source = "hub"
    vocabulary: str | None = None

    @property
    def is_local(self) -> bool:
        """Whether the weights are in a folder on this machine."""
        return self.sha256 is not None

    @property
    def row(self) -> Base | None:
        """The base's row in the table; a local folder may have the name of a model that it does not hold."""
        return None if self.source == "folder" else bases.find(self.name)

    @property
    def hub_id(self) -> str:
        """The name of the base in the adapter's files, which are published: never a folder of this machine."""
        return self.row.hub_id if self.row else self.name


def resolve(base: str, root: Path, languages: Sequence[str], say: Say) -> BaseModel:
    """Return the model that a recipe's ``base`` names: an embedded one, a local folder, a GGUF file, or a Hub id.

    ``root`` is the project's folder, ``languages`` are the persona's. An embedded base that cannot be fetched is
    replaced by the next one in the table, with a warning. Raises UsageError when ``base`` is none of the four.
    """
    row = bases.find(base)
    if row is not None and row.is_embedded:
        return _embedded(row, root / FOLDER, languages, say)
    folder = Path(base) if Path(base).is_absolute() else root / base
    if folder.is_dir():
        weights = sorted(folder.glob("*.safetensors"))
        if not weights or not (folder / "config.json").is_file():
            raise UsageError(
                f"{folder}: not a base model. Expected a folder that contains config.json and *.safetensors."
            )
        sha256 = "+".join(sha256_file(w) for w in weights)
        return BaseModel(folder.name, str(folder), sha256, "folder", embedded.vocabulary_hash(folder))
    if base.lower().endswith(".gguf"):
        if not folder.is_file():
            raise UsageError(f"{folder}: no such file. Expected a GGUF file; fix `base` in the recipe.")
        return _from_gguf(folder, root / FOLDER, say)
    if row is not None:
        return BaseModel(row.hub_id, row.hub_id, None)
    if re.fullmatch(r"[\w.-]+/[\w.-]+", base):
        return BaseModel(base, base, None)
    here = ", ".join(b.name for b in bases.all_bases())
    raise UsageError(
        f"base model {base!r}: neither a name that `inosuke bases` lists ({here}), nor a folder, a GGUF file or a Hub "
        "id such as `Qwen/Qwen2.5-3B-Instruct`. Fix `base` in the recipe or `[models]` in persona.toml."
    )


def _embedded(row: Base, base_folder: Path, languages: Sequence[str], say: Say) -> BaseModel:
    try:
        folder = embedded.ensure(row, languages, base_folder, say)
    except Unfetchable as error:
        following = bases.find(row.fallback) if row.fallback else None
        if following is None:
            raise
        say(f"Warning: {row.name} cannot be fetched, so {following.name} takes its place. {error}")
        return _embedded(following, base_folder, languages, say)
    sha256 = embedded.read_stamp(folder)["files"]["model.safetensors"]["sha256"]
    return BaseModel(row.name, str(folder), sha256, "embedded", embedded.vocabulary_hash(folder))


def _from_gguf(gguf: Path, base_folder: Path, say: Say) -> BaseModel:
    """Convert a GGUF file that transformers can read into a folder named after the file and its hash."""
    base_folder.mkdir(parents=True, exist_ok=True)
    sha256 = sha256_file(gguf)
    folder = base_folder / f"{gguf.stem}-{sha256[:12]}"
    with FileLock(base_folder / ".lock"):
        if (weights := _stamped_weights(folder)) is None:
            say(f"Converting {gguf.name} to safetensors, once: {folder}")
            with whole_folder(folder) as made:
                try:
                    embedded.convert_gguf(gguf, made)
                # transformers and gguf raise many types for a file that they cannot read
                except Exception as error:
                    raise InosukeError(
                        f"{gguf}: transformers cannot read it ({str(error).strip() or type(error).__name__}). Expected "
                        "a Llama or Qwen2 model with its tokenizer; a folder with safetensors always works."
                    ) from error
                embedded.write_stamp(made, {"gguf": str(gguf.resolve()), "gguf_sha256": sha256})
                shutil.rmtree(folder, ignore_errors=True)
            weights = _stamped_weights(folder)
    return BaseModel(folder.name, str(folder), weights, "folder")


def _stamped_weights(folder: Path) -> str | None:
    """Return the hash of the weights that a folder's stamp records; None for no stamp, or one that is damaged."""
    try:
        sha256: str = embedded.read_stamp(folder)["files"]["model.safetensors"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return sha256
