"""Name a speaker once, for every sample of the scene (or the file) in which the same label stands.

The role follows the name: a line named as the character becomes the character's, and one that turns out to be
another's may not stay the character's. As with find and replace, nothing is approved unread: approved samples are
rewritten as one batch, samples that wait become drafts of the annotator, and what a check forbids is refused.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, or_, select

from annotations.dialogue_checks import UNFINISHED, check_messages
from annotations.store import queue_table
from annotations.store.database import reading
from annotations.store.review_queue import read_item
from annotations.store.review_store import ReviewStore
from annotations.store.schema import samples
from annotations.store.types import BadVerdict, Batch, Item
from curation.persona import Persona
from curation.record import Message, Source
from curation.review.decisions import Client
from curation.review.facts import REPLACED


@dataclass(frozen=True, slots=True)
class Naming:
    """A speaker's new name. ``label`` is what the source calls them.

    Without a label only the line itself (``line``) is meant, wherever a sample of the scene repeats it: several people
    of a scene may go unnamed.
    """

    name: str
    label: str | None = None
    line: str = ""

    def apply(self, messages: Iterable[Message], persona: Persona) -> tuple[Message, ...]:
        """Return the turns with the name, and the roles that follow from it."""
        return tuple(named(m, self.name, persona) if self._means(m) else m for m in messages)

    def _means(self, message: Message) -> bool:
        if message.role == "system":
            return False
        if self.label:
            return message.name is not None and _fold(message.name) == _fold(self.label)
        return not message.name and message.content == self.line


@dataclass(frozen=True, slots=True)
class Renamed:
    """A sample that a naming changes, its turns afterwards, and why they may not be approved ("" where they may)."""

    item: Item
    messages: tuple[Message, ...]
    forbidden: str = ""


@dataclass(frozen=True, slots=True)
class NamingPreview:
    """What a naming would do: approved samples to rewrite, open ones that become drafts, and refused ones."""

    naming: Naming
    changes: tuple[Renamed, ...] = ()
    waiting: tuple[Renamed, ...] = ()
    refused: tuple[Renamed, ...] = ()


def named(message: Message, name: str, persona: Persona) -> Message:
    """Return a turn with its speaker's name; a name of the character's gives it to them, any other takes it away."""
    if persona.is_character(name):
        return replace(message, role="assistant", name=None)
    return replace(message, role="user", name=name)


def naming_of(item: Item, turn: int, name: str) -> Naming:
    """Return what naming one turn of a sample means. Raises BadVerdict for an empty name and for no such turn."""
    name = " ".join(name.split())
    if not any(c.isalnum() for c in name):
        raise BadVerdict("a speaker's name has at least one letter.")
    if not 0 <= turn < len(item.messages):
        raise BadVerdict(f"sample {item.id} has {len(item.messages)} turns; there is no turn {turn + 1}.")
    message = item.messages[turn]
    return Naming(name, message.name or None, message.content)


def preview(
    store: ReviewStore, persona: Persona, annotator: str, item: Item, naming: Naming, whole_file: bool = False
) -> NamingPreview:
    """Return what a naming would do to the samples of the same scene, or of the whole file. Changes nothing."""
    source = item.sample.source
    return _look(
        store, persona, annotator, naming, samples.c.source_path == source.path, None if whole_file else source
    )


def preview_folder(store: ReviewStore, persona: Persona, annotator: str, folder: str, naming: Naming) -> NamingPreview:
    """Return what a naming would do to the samples of all files in a source folder. Changes nothing."""
    inside = or_(
        samples.c.source_path == folder, samples.c.source_path.startswith(f"{folder.rstrip('/')}/", autoescape=True)
    )
    return _look(store, persona, annotator, naming, inside)


def _look(
    store: ReviewStore,
    persona: Persona,
    annotator: str,
    naming: Naming,
    where: ColumnElement[bool],
    scene_of: Source | None = None,
) -> NamingPreview:
    found: dict[str, list[Renamed]] = {"approved": [], "pending": [], "refused": []}
    with reading(store.engine) as connection:
        query = select(samples.c.id, samples.c.body).where(samples.c.queued.is_(True), where)
        for row in connection.execute(query.order_by(samples.c.rank)).all():
            if scene_of is not None and _scene(queue_table.from_body(row.body).sample.source) != _scene(scene_of):
                continue
            other = read_item(connection, row.id, annotator, store.clock())
            messages = naming.apply(other.messages, persona)
            if messages == other.messages or other.status == "rejected":
                continue
            unfinished = [f.code for f in check_messages(messages, persona) if f.code in UNFINISHED]
            side = "refused" if unfinished else "approved" if other.status == "approved" else "pending"
            found[side].append(Renamed(other, messages, unfinished[0] if unfinished else ""))
    return NamingPreview(naming, tuple(found["approved"]), tuple(found["pending"]), tuple(found["refused"]))


def apply(
    store: ReviewStore, annotator: str, seen: NamingPreview, client: Client = "streamlit"
) -> tuple[Batch | None, int]:
    """Do what a preview shows. Returns the batch of rewrites (None without one) and how many drafts were kept.

    A draft that the annotator has already is not touched. ``ReviewStore.undo`` undoes the batch as one.
    """
    batch = None
    if seen.changes:
        batch = store.decide_many(
            [change.item for change in seen.changes],
            annotator,
            "rewrite",
            messages={change.item.id: change.messages for change in seen.changes},
            reason=f"{REPLACED}: {seen.naming.label or '?'} → {seen.naming.name}",
            client=client,
        )
    kept = 0
    for change in seen.waiting:
        if store.drafts.get(change.item.id, annotator) is None:
            store.drafts.save(change.item.id, annotator, change.item.state.revision, change.messages)
            kept += 1
    return batch, kept


def _fold(label: str) -> str:
    """Return a label without the difference between `SPEAKER_01` in a file and `Speaker_01` in its samples."""
    return unicodedata.normalize("NFC", label).strip().casefold()


def _scene(source: Source) -> str:
    """Return the scene of a sample, "" for one of a file without scenes."""
    part, dot, _ = source.locator.partition(" · ")
    return part if dot else ""
