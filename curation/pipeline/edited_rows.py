"""Rows that were edited in their source: which sample each was, what people decided about that, and its side.

Reads what earlier builds left: ``split.jsonl``, the queue, and the newest export for the lines of ``split.jsonl`` that
an older version wrote. Writes ``split.jsonl``; the log and the queue are the caller's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from curation.errors import InosukeError
from curation.folders import Folders
from curation.newest import newest_export
from curation.record import Flag, Sample
from curation.review.carried import by_people, carry
from curation.review.decisions import Decision, Log
from curation.split.history import Memory, read_memory, remember
from curation.split.lineage import Ancestor, Gone, fingerprint, likeness, place, trace


@dataclass(slots=True)
class Edits:
    """What is known of the samples of a build from earlier ones.

    ``events`` are to be added to the log, ``flags`` to the samples by id. ``problem`` tells of an unreadable file.
    """

    memory: Memory = field(default_factory=Memory)
    ancestors: Mapping[str, Ancestor] = field(default_factory=dict)
    events: list[Decision] = field(default_factory=list)
    flags: dict[str, Flag] = field(default_factory=dict)
    problem: str = ""

    def sides(self) -> dict[str, str]:
        """Return the sides of earlier builds, those of edited samples included."""
        sides = dict(self.memory.sides)
        for child, ancestor in self.ancestors.items():
            if ancestor.id in self.memory.sides:
                sides.setdefault(child, self.memory.sides[ancestor.id])
        for child in self.memory.origins:
            old = next((old for old in self.memory.lineage(child) if old in self.memory.sides), None)
            if old is not None:
                sides.setdefault(child, self.memory.sides[old])
        return sides

    def save(
        self, folders: Folders, samples: Sequence[Sample], sides: Mapping[str, str], judged: Collection[str]
    ) -> None:
        """Remember the sides and, of each sample that has one, is judged or is an edit, its words."""
        words = dict(self.memory.words)
        for sample in samples:
            if sample.id in sides or sample.id in judged or sample.id in self.memory.origins:
                words[sample.id] = fingerprint(sample)
        remember(folders.split, replace(self.memory, sides={**self.memory.sides, **sides}, words=words))


def find_edits(samples: Sequence[Sample], folders: Folders, log: Log, now: str) -> Edits:
    """Return what earlier builds know of the samples, and what to do about verdicts on their earlier texts.

    Raises InosukeError for a damaged ``split.jsonl``.
    """
    edits = Edits(memory=read_memory(folders.split))
    memory = edits.memory
    past = _past(edits, folders)
    here = {sample.id for sample in samples}
    known = memory.sides.keys() | memory.origins.keys() | past.keys()
    texts = {old: Gone(words) for old, words in memory.words.items()} | past
    gone = {old: text for old, text in texts.items() if old not in here}
    edits.ancestors = trace((sample for sample in samples if sample.id not in known), gone)
    origins = {child: ancestor.id for child, ancestor in edits.ancestors.items() if ancestor.edited}
    edits.memory = replace(
        memory,
        origins={**memory.origins, **origins},
        # What an edit came from must be recognised in later builds too, when the queue has forgotten it.
        words={**{old: texts[old].words for old in origins.values()}, **memory.words},
    )
    _carry(edits, samples, log, now)
    return edits


def _carry(edits: Edits, samples: Sequence[Sample], log: Log, now: str) -> None:
    """Fill in ``events`` and ``flags``."""
    by_sample: dict[str, list[Decision]] = defaultdict(list)
    for event in log.decisions:
        by_sample[event.sample_id].append(event)
    for sample in samples:
        if sample.id not in edits.memory.origins or by_people(by_sample[sample.id]):
            continue
        old = next((old for old in edits.memory.lineage(sample.id) if by_people(by_sample[old])), None)
        if old is None:
            continue
        score, same = likeness(fingerprint(sample), edits.memory.words.get(old, ""))
        carried = carry(sample, old, by_sample[old], score, same, now)
        known = {event.id for event in by_sample[sample.id]}
        edits.events += [event for event in carried.events if event.id not in known]
        if carried.flag:
            edits.flags[sample.id] = carried.flag


def _past(edits: Edits, folders: Folders) -> dict[str, Gone]:
    """Return the samples of the last queue, and those of the newest export that nothing else describes."""
    from curation.export.exported_rows import SIDES, read_side, sample_of
    from curation.review.queue import read_queue

    past: dict[str, Gone] = {}
    try:
        if folders.queue.exists():
            past = {i.sample.id: Gone(fingerprint(i.sample), place(i.sample)) for i in read_queue(folders.queue)}
        undescribed = edits.memory.sides.keys() - edits.memory.words.keys() - past.keys()
        if undescribed and (folders.export / "latest").exists():
            export = newest_export(folders.export)
            rows = [row for side in SIDES for row in read_side(export, "chat", side) if row["id"] in undescribed]
            past |= {row["id"]: Gone(fingerprint(s), place(s)) for row in rows for s in [sample_of(row)]}
    except (InosukeError, OSError, ValueError) as error:
        edits.problem = f"edited rows are recognised by {folders.split} alone, because of this: {error}"
    return past
