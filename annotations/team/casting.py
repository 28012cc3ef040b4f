"""The voices without a name in a project's source folders, and one act that names a voice in every episode.

Comes in: the transcripts as they were imported (from the import's cache) and the approved samples, which teach how each
character talks. Goes out: voices with a ranking, and what a naming did, which can be undone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select

from annotations.store import queue_table
from annotations.store.database import reading
from annotations.store.review_store import ReviewStore
from annotations.store.schema import samples
from annotations.store.types import BadVerdict, Batch
from annotations.team import speakers
from annotations.team.speakers import Naming
from curation.folders import Folders
from curation.importers import IMPORTERS
from curation.importers.many_files import Job, read_all
from curation.importers.together import name_together, recast_all, walk
from curation.persona import Persona
from curation.record import Imported, Message, Utterance
from curation.review.decisions import Client
from curation.transcripts.casting import Voice, cast_voices

_MOST_APPROVED = 2_000  # samples that teach


@dataclass(frozen=True, slots=True)
class Named:
    """What naming a voice did. ``drafts`` are the samples that became drafts of the annotator, with their turns."""

    label: str
    name: str
    batch: Batch | None
    drafts: tuple[tuple[str, tuple[Message, ...]], ...]
    refused: int


def voices(store: ReviewStore, persona: Persona) -> list[Voice]:
    """Return the anonymous voices of persona.toml's source folders, those with most lines first."""
    lines = {source.path: list(_lines(source.path, persona)) for source in persona.sources}
    read = {line.source.path for said in lines.values() for line in said}
    for line in _queued_lines(store, persona):  # a corpus that persona.toml does not name
        if line.source.path not in read:
            lines.setdefault(line.source.path.rpartition("/")[0] or line.source.path, []).append(line)
    return cast_voices(lines, _known(store, persona), (persona.name, *persona.aliases, *persona.user_labels))


def name_voice(
    store: ReviewStore, persona: Persona, annotator: str, voice: Voice, name: str, client: Client = "streamlit"
) -> Named:
    """Name a voice in every sample of its folder. Raises BadVerdict for a name without a letter."""
    name = " ".join(name.split())
    if not any(c.isalnum() for c in name):
        raise BadVerdict("a speaker's name has at least one letter.")
    seen = speakers.preview_folder(store, persona, annotator, voice.folder, Naming(name, voice.label))
    free = [c for c in seen.waiting if store.drafts.get(c.item.id, annotator) is None]
    batch, _ = speakers.apply(store, annotator, seen, client)
    refused = len(seen.refused) + (len(batch.refused) if batch else 0)
    return Named(voice.label, name, batch, tuple((c.item.id, c.messages) for c in free), refused)


def undo_naming(store: ReviewStore, annotator: str, named: Named) -> tuple[int, int]:
    """Undo a naming: its rewrites, and its drafts that were not touched since. Returns how many of each."""
    undone = 0
    if named.batch is not None and named.batch.decisions:
        undone = len(store.take_back(annotator, named.batch.decisions[0].sample_id))
    dropped = 0
    for sample_id, messages in named.drafts:
        draft = store.drafts.get(sample_id, annotator)
        if draft is not None and tuple(draft.messages) == messages:
            store.drafts.drop(sample_id, annotator)
            dropped += 1
    return undone, dropped


def _lines(folder: str, persona: Persona) -> Iterator[Utterance]:
    base = persona.root / folder
    if not base.exists():
        return
    about = next(s for s in persona.sources if s.path == folder)
    jobs = [
        Job(path, folder if path == base else f"{folder}/{path.relative_to(base).as_posix()}", about.rights)
        for path in ([base] if base.is_file() else walk(base))
        if path.suffix.lower() in IMPORTERS and not about.holds_out(path.name)
    ]
    read = read_all(jobs, persona, Folders(persona.root).imports, quiet=True)
    for result in name_together(recast_all(read, [about.speakers] * len(jobs))):
        if isinstance(result, Imported):  # the build reports the others
            yield from result.utterances


def _queued_lines(store: ReviewStore, persona: Persona) -> Iterator[Utterance]:
    with reading(store.engine) as connection:
        query = select(samples.c.body).where(samples.c.queued.is_(True)).order_by(samples.c.rank)
        for row in connection.execute(query):
            sample = queue_table.from_body(row.body).sample
            for message in sample.messages:
                if message.name and not persona.is_user(message.name):
                    yield Utterance(text=message.content, speaker=message.name, evidence="none", source=sample.source)


def _known(store: ReviewStore, persona: Persona) -> dict[str, list[str]]:
    """Return what the character says in approved samples."""
    replies: list[str] = []
    with reading(store.engine) as connection:
        query = select(samples.c.body).where(samples.c.queued.is_(True), samples.c.status == "approved")
        for row in connection.execute(query.order_by(samples.c.rank).limit(_MOST_APPROVED)):
            replies += queue_table.from_body(row.body).sample.replies
    return {persona.name: replies} if replies else {}
