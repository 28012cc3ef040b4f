"""What the types of this folder have in common: how one is written, and one error for a file that is damaged."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, ValidationError

from curation.errors import InosukeError, explain
from curation.files import write_atomically

EXPORT_AGAIN = "Run `inosuke dataset` to write a new one."

# A figure that is not a number (an overflow, a loss that diverged) is null in a file, as JSON wants it, and nan here.
Figure = Annotated[
    float,
    BeforeValidator(lambda value: math.nan if value is None else value),
    PlainSerializer(lambda value: value if math.isfinite(value) else None, return_type=float | None),
]


class Contract(BaseModel):
    """A file's type. Keys that it does not know are kept."""

    model_config = ConfigDict(extra="allow", frozen=True, ser_json_inf_nan="null", protected_namespaces=())

    def to_json(self) -> dict[str, Any]:
        """Return plain objects with the keys that were given, in the order of the type."""
        return self.model_dump(mode="json", exclude_unset=True)


M = TypeVar("M", bound=Contract)


def read(file: Path, model: type[M], writer: str, remedy: str) -> M:
    """Read a file. Raises InosukeError for one that is missing or damaged: it names the writer and the remedy."""
    try:
        return model.model_validate_json(file.read_bytes())
    except ValidationError as error:
        why = explain(error, model)
    except OSError as error:
        why = error.strerror or str(error)
    raise InosukeError(f"{file}: damaged ({why}). Expected what `{writer}` writes. {remedy}")


def write(file: Path, content: Contract) -> None:
    """Write a file whole or not at all."""
    text = json.dumps(content.to_json(), ensure_ascii=False, indent=2, allow_nan=False)
    write_atomically(file, text + "\n")


T = TypeVar("T")


def lines(file: Path, make: Callable[[Mapping[str, Any]], T]) -> Iterator[T]:
    """Yield what ``make`` makes of each line of an export's file. Raises InosukeError that names a damaged line."""
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
            f"{file}: damaged at line {number} ({error}). Expected what `inosuke dataset` writes. {EXPORT_AGAIN}"
        ) from None
