"""Which JSON a reply may be asked for: a small subset of JSON Schema, since a schema comes from strangers.

llama.cpp compiles a schema into a grammar inside this process. What it does not know it ignores without a word, and a
large repetition costs it all memory, so only keywords that it keeps are accepted, within limits. Pure.
"""

from __future__ import annotations

import json
from typing import Any

MOST_CHARS = 8_000
MOST_DEPTH = 8
MOST_ITEMS = 64

_TYPES = frozenset(("object", "array", "string", "number", "integer", "boolean", "null"))
_WORDS = frozenset(("title", "description", "default", "examples", "$schema"))  # change nothing
_COUNTS = frozenset(("minItems", "maxItems", "minLength", "maxLength"))


def form_problem(schema: Any) -> str | None:
    """Return what is wrong with a schema, or None."""
    if len(json.dumps(schema)) > MOST_CHARS:
        return f"the schema has more than {MOST_CHARS} characters"
    return _problem(schema, 0)


def _problem(schema: Any, depth: int) -> str | None:
    if not isinstance(schema, dict):
        return f"a schema is {str(schema)[:40]!r}; expected an object"
    if depth > MOST_DEPTH:
        return f"the schema is nested more than {MOST_DEPTH} deep"
    for key, value in schema.items():
        if key in _WORDS:
            continue
        if (check := _CHECKS.get(key)) is None:
            return f"the schema uses {key[:40]!r}, which is not supported; expected {', '.join(sorted(_CHECKS))}"
        if wrong := check(key, value, depth):
            return wrong
    return None


def _type(key: str, value: Any, depth: int) -> str | None:
    given = value if isinstance(value, list) else [value]
    return None if given and all(isinstance(t, str) and t in _TYPES for t in given) else _not(key, value, "a JSON type")


def _properties(key: str, value: Any, depth: int) -> str | None:
    if not isinstance(value, dict):
        return _not(key, value, "an object")
    return next((wrong for part in value.values() if (wrong := _problem(part, depth + 1))), None)


def _any_of(key: str, value: Any, depth: int) -> str | None:
    if not isinstance(value, list) or not value:
        return _not(key, value, "a list of schemas")
    return next((wrong for part in value if (wrong := _problem(part, depth + 1))), None)


def _items(key: str, value: Any, depth: int) -> str | None:
    return _problem(value, depth + 1)


def _names(key: str, value: Any, depth: int) -> str | None:
    fine = isinstance(value, list) and all(isinstance(name, str) for name in value)
    return None if fine else _not(key, value, "a list of names")


def _values(key: str, value: Any, depth: int) -> str | None:
    plain = isinstance(value, list) and value and all(not isinstance(v, dict | list) for v in value)
    return None if plain else _not(key, value, "a list of texts, numbers or booleans")


def _const(key: str, value: Any, depth: int) -> str | None:
    return None if not isinstance(value, dict | list) else _not(key, value, "a text, a number or a boolean")


def _flag(key: str, value: Any, depth: int) -> str | None:
    return None if isinstance(value, bool) else _not(key, value, "true or false")


def _count(key: str, value: Any, depth: int) -> str | None:
    fine = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_ITEMS
    return None if fine else _not(key, value, f"a number from 0 to {MOST_ITEMS}")


def _not(key: str, value: Any, expected: str) -> str:
    return f"the schema's {key!r} is {str(value)[:40]!r}; expected {expected}"


_CHECKS = {
    "type": _type,
    "properties": _properties,
    "required": _names,
    "additionalProperties": _flag,
    "items": _items,
    "anyOf": _any_of,
    "enum": _values,
    "const": _const,
    **dict.fromkeys(_COUNTS, _count),
}
