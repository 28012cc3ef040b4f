"""The bodies of the stage's requests, checked by pydantic: what is not as described here is refused."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from curation.record import Message, Role

SampleId = Annotated[str, Field(min_length=1, max_length=200)]
# The client chooses it, so that a request that is sent again makes no second event.
EventId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class Body(BaseModel):
    """Every request: the language of the page, and its filters where samples come back (a search is marked in them)."""

    model_config = ConfigDict(extra="forbid")

    language: Literal["vi", "en"] = "vi"
    filters: dict[str, str] = {}


class Turn(BaseModel):
    """One turn of a rewrite."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    content: str
    name: str | None = None

    def message(self) -> Message:
        """Return it as the record's type. A name of blanks alone is left out."""
        return Message(self.role, self.content, (self.name or "").strip() or None)


class Open(Body):
    """Open a sample: this one, or the one before ``after``, or the next one behind it.

    ``resume`` asks for the sample that the annotator had open last. ``release`` are leases to end; ``want`` is how many
    more samples to lease ahead.
    """

    sample: SampleId | None = None
    back: bool = False
    resume: bool = False
    after: int | None = None
    release: list[SampleId] = Field(default=[], max_length=100)
    want: int = Field(default=0, ge=0, le=8)


class Verdict(Body):
    """A verdict on what the screen showed: ``revision`` and ``seen`` are the item's; ``seconds`` it was looked at.

    ``known`` is the time of the server's draft that a rewrite used. A draft with another time is someone's work still.
    """

    event_id: EventId
    sample: SampleId
    revision: int
    seen: int
    verdict: Literal["approve", "reject", "rewrite", "skip", "note"]
    reason: str = Field(default="", max_length=2000)
    messages: list[Turn] | None = Field(default=None, max_length=1000)
    seconds: float = Field(default=0.0, ge=0, le=86_400)
    known: str | None = None


class Member(BaseModel):
    """One sample of a near-duplicate cluster, as the screen showed it."""

    model_config = ConfigDict(extra="ignore")

    id: SampleId
    revision: int
    seen: int


class Cluster(Body):
    """One verdict on a whole cluster; with ``keep``, that sample is approved and the others are rejected."""

    batch: EventId
    verdict: Literal["approve", "reject"]
    keep: SampleId | None = None
    members: list[Member] = Field(max_length=500)


class Undo(Body):
    """Undo ``target``, an event of this page, or the annotator's newest verdict that stands."""

    target: EventId | None = None
    sample: SampleId | None = None


class SaveDraft(Body):
    """Keep an unfinished rewrite. ``known`` is the time of the draft that this one continues, None for a first one."""

    sample: SampleId
    revision: int
    messages: list[Turn] = Field(min_length=1, max_length=1000)
    known: str | None = None
    force: bool = False


class DropDraft(Body):
    """Discard an unfinished rewrite, by name."""

    sample: SampleId


class Check(Body):
    """Compare a text with the import, or with the newest revision, and check it."""

    sample: SampleId
    messages: list[Turn] = Field(max_length=1000)
    newest: bool = False


class Keep(Body):
    """Renew leases, and end others."""

    samples: list[SampleId] = Field(default=[], max_length=100)
    release: list[SampleId] = Field(default=[], max_length=100)


class Part(Body):
    """Load what the annotator opens beside ``sample``; the guidelines are those of every sample."""

    part: Literal["twins", "context", "guidelines", "meaning"]
    sample: str = Field(default="", max_length=200)


class Name(Body):
    """Name the speaker of ``turn`` (counted from 0, as saved) in the scene: look, or with ``only`` do it to those."""

    sample: SampleId
    turn: int = Field(ge=0)
    name: str = Field(max_length=200)
    only: list[SampleId] = Field(default=[], max_length=5000)


class Unname(Body):
    """Undo a naming: its batch, of which ``sample`` is one, and its drafts, by id with their times."""

    batch: str | None = Field(default=None, max_length=200)
    sample: SampleId | None = None
    drafts: dict[SampleId, str] = {}


class Same(Body):
    """Say of ``sample`` and ``other``, as the page showed them, whether they mean the same."""

    verdict_id: EventId
    sample: SampleId
    other: SampleId
    answer: Literal["same", "different"]


class Unsame(Body):
    """Withdraw the annotator's verdict ``verdict_id`` on a pair; ``sample`` is the one that is on the screen."""

    verdict_id: EventId
    sample: SampleId


class Suggest(Body):
    """Ask how the model would end these turns (``start``; ``again`` for another one), or how far the request is."""

    messages: list[Turn] = Field(max_length=1000)
    start: bool = False
    again: bool = False


class Progress(Body):
    """Count what is done and what is left in a filter."""
