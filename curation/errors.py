"""Errors that reach a user as a message instead of a traceback, and pydantic's errors in the same words.

A message says three things: what happened, what was expected, and what to do next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError


class InosukeError(Exception):
    """Something that the user can fix.

    ``exit_status`` is 1 when the command ran and something is wrong with the data, 2 when the command or a
    configuration file was written wrongly.
    """

    exit_status = 1


class UsageError(InosukeError):
    """The command line or a configuration file is wrong."""

    exit_status = 2


def explain(error: ValidationError, model: type[BaseModel]) -> str:
    """Return a pydantic error in one clause a key: what was seen, what was expected, the keys that exist.

    ``model`` is the type that was validated. Without it, an unknown key could not be answered with the known ones.
    """
    clauses = []
    for e in error.errors():
        where = ".".join(str(part) for part in e["loc"]) or "the content"
        if e["type"] == "extra_forbidden":
            clauses.append(f"unknown key `{where}`. Known here: {', '.join(sorted(_keys(model, e['loc'])))}")
        elif e["type"] == "missing":
            clauses.append(f"the key `{where}` is missing. Add it.")
        elif e["type"] == "json_invalid":
            clauses.append(e["msg"])
        else:
            clauses.append(f"`{where}` is {_short(e['input'])}: {e['msg'].removeprefix('Value error, ')}")
    return "; ".join(clauses)


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 100 else text[:100] + "…"


def _keys(model: type[BaseModel], loc: tuple[int | str, ...]) -> set[str]:
    """Return the keys that the innermost table on the way to ``loc`` knows."""
    from pydantic import BaseModel

    for part in loc[:-1]:
        field = model.model_fields.get(part) if isinstance(part, str) else None
        if field is None:
            continue
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), model)
    return set(model.model_fields) - {"root"}
