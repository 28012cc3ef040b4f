"""The types that every stage passes on. They hold data and know nothing of files, formats or models.

All are frozen, slotted dataclasses: a step takes records and returns new ones (``dataclasses.replace``).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["system", "user", "assistant"]
Kind = Literal["persona", "quote", "conversation", "generic_qa"]
Rights = Literal["own", "licensed", "private", "unknown"]

ROLES: tuple[Role, ...] = get_args(Role)
KINDS: tuple[Kind, ...] = get_args(Kind)
RIGHTS: tuple[Rights, ...] = get_args(Rights)
# Kinds whose prompt only invites the character to speak: such samples are compared by their replies.
BY_REPLY: frozenset[str] = frozenset({"persona", "quote"})


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. ``name`` keeps the label that the source wrote before it (``Bạn``, ``Tanjiro``), if it wrote one.

    ``facts`` is what a model is told before the turn (:func:`curation.chat.with_facts`). No one said it, so files and
    APIs do not carry it.
    """

    role: Role
    content: str
    name: str | None = None
    facts: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a record came from.

    ``path`` is relative to the folder that was imported and has forward slashes; ``sha256`` is the whole file's;
    ``locator`` says where inside the file (``row 17``, ``cue 12 00:01:02.500``, ``page 3 box 2``).
    """

    path: str
    sha256: str
    locator: str
    importer: str
    rights: Rights = "unknown"


@dataclass(frozen=True, slots=True)
class Flag:
    """Something an annotator should look at; :mod:`curation.codes` has every code with its words."""

    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """One line of a transcript. ``evidence`` says how the speaker is known; ``speaker`` is None without evidence.

    Times are milliseconds from the start of the file, or None where the format has none.
    """

    text: str
    speaker: str | None
    evidence: str
    source: Source
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A dialogue that ends with the character's reply, ready for review.

    ``id`` hashes the kind and the messages as they were imported: importing twice changes nothing, and a cleaned or
    rewritten sample keeps the id it came with. ``topic`` is the source's line about a dialogue; it is not a turn.
    """

    id: str
    kind: Kind
    messages: tuple[Message, ...]
    language: str | None
    topic: str | None
    source: Source
    flags: tuple[Flag, ...] = ()

    @property
    def replies(self) -> tuple[str, ...]:
        """What the character says, turn by turn."""
        return tuple(m.content for m in self.messages if m.role == "assistant")

    @property
    def prompt(self) -> str:
        """The first user turn, or an empty text."""
        return next((m.content for m in self.messages if m.role == "user"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A piece of a source that did not become a sample. ``reason`` is a code, ``detail`` explains it."""

    source: Source
    reason: str
    text: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What one file gave. ``notes`` are short texts for the user about the whole file, such as ``no times``."""

    utterances: tuple[Utterance, ...] = ()
    samples: tuple[Sample, ...] = ()
    rejected: tuple[Rejected, ...] = ()
    format: str = ""
    encoding: str = "utf-8"
    notes: tuple[str, ...] = ()


def sample_id(kind: str, messages: tuple[Message, ...]) -> str:
    """Return 16 hexadecimal digits that name this kind and these messages on every machine."""
    body = json.dumps([kind, [[m.role, m.name, m.content] for m in messages]], ensure_ascii=False)
    # surrogatepass: a lone surrogate in a damaged source must still get an id, so that it can be quarantined by it.
    return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def messages_to_json(messages: tuple[Message, ...]) -> list[dict[str, str]]:
    """Return messages as the plain objects that files and APIs carry; ``name`` only where there is one."""
    return [{"role": m.role, "content": m.content} | ({} if m.name is None else {"name": m.name}) for m in messages]


def messages_from_json(rows: list[dict[str, str]]) -> tuple[Message, ...]:
    """Read what :func:`messages_to_json` wrote; an empty name is none. Raises KeyError without role or content."""
    return tuple(Message(role=r["role"], content=r["content"], name=r.get("name") or None) for r in rows)  # type: ignore[arg-type]
