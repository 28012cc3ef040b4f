"""Where the faults of a single reply register. A fault is a function; its name is the code of its flag."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from curation.persona import Persona
from curation.record import Flag

# (reply, persona) → the pieces of the reply that are wrong, in the reply's own words; empty where nothing is.
Fault: TypeAlias = Callable[[str, Persona], Iterable[str]]

_FAULTS: dict[str, Fault] = {}
_SHOWN = 200  # characters of a detail


def fault(function: Fault) -> Fault:
    """Register a fault of one reply. The function's name is the code of its flag."""
    _FAULTS[function.__name__] = function
    return function


def pieces(code: str, text: str, persona: Persona) -> list[str]:
    """Return the pieces of a reply that have this fault, each once, in order; none for a code that is not a fault."""
    return list(dict.fromkeys(_FAULTS[code](text, persona))) if code in _FAULTS else []


def in_reply(text: str, persona: Persona) -> tuple[Flag, ...]:
    """Return a flag for each fault of one reply; its detail lists the pieces."""
    found = ((code, ", ".join(pieces(code, text, persona))) for code in _FAULTS if code not in persona.checks.off)
    return tuple(Flag(code, words[:_SHOWN]) for code, words in found if words)


def codes() -> tuple[str, ...]:
    """Return the codes of all faults of one reply."""
    return tuple(_FAULTS)
