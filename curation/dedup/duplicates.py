"""Duplicates among samples, with their evidence: what was merged, what is near to which witness, and by what.

Only exact duplicates (equal after :func:`curation.dedup.wording.normal`) are merged, and their sources are all kept.
Near ones are flagged for an annotator: one changed word can be the point of a line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from curation.codes import findings
from curation.dedup.clusters import By, Near, Ratio, stars
from curation.dedup.folding import Folding, folding_for
from curation.dedup.join.executors import Executor
from curation.dedup.join.index import Index
from curation.dedup.relations import relations
from curation.dedup.wording import by_replies, compared, exact_key, letters, normal
from curation.record import RIGHTS, Flag, Sample, Source


@dataclass(frozen=True, slots=True)
class Exact:
    """Samples that were merged: the id of the one that is kept, and (id, source) of each that was dropped."""

    kept: str
    dropped: tuple[tuple[str, Source], ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A sample, the sample it is near to, their score, and what shows it (:mod:`curation.dedup.relations`)."""

    sample_id: str
    witness: str
    score: float
    by: By = "ratio"


@dataclass(frozen=True, slots=True)
class Known:
    """A sample that is near a text of an index (in normal form)."""

    sample_id: str
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Cluster:
    """A kept sample and the samples near to it. ``id`` names the kept one, so it is stable as long as that is kept.

    ``cut_from`` is set where a chain of near samples was cut: its witness is a sample of another cluster that is near
    the kept sample of this one.
    """

    id: str
    kept: str
    members: tuple[Member, ...]
    cut_from: Member | None = None


@dataclass(frozen=True, slots=True)
class Duplicates:
    """What :func:`cluster` found. ``kept`` are the samples after exact merging, in input order.

    ``diacritics`` are samples that are near their witness only if diacritics are ignored, with that score; ``known`` is
    what :func:`look_up` found in an index.
    """

    kept: tuple[Sample, ...]
    exact: tuple[Exact, ...]
    near: tuple[Cluster, ...]
    diacritics: tuple[Member, ...]
    known: tuple[Known, ...] = ()


def cluster(
    samples: Sequence[Sample],
    threshold: float,
    template_prompts: Collection[str] = (),
    executor: Executor | None = None,
    names: Iterable[str] = (),
) -> Duplicates:
    """Merge exact duplicates and group near ones.

    ``threshold`` is a ``fuzz.ratio`` from 50 to 100, ``template_prompts`` are the prompts that many samples share,
    ``names`` are the character's: in a prompt they are address, which may differ between two near samples.

    The better of two rows is the one with the clearer rights (own, licensed, private, unknown), then with fewer flags,
    then written as a sentence (capitals and small letters), then shorter (fewer stray spaces and repeated marks), then
    the earlier one. Of near rows the first two rules and the last decide.

    Quotes and persona lines are compared with each other, dialogues and questions with each other. Raises UsageError
    for a threshold out of range and InosukeError when memory is too small.
    """
    templates = {normal(prompt) for prompt in template_prompts}
    groups: dict[tuple[object, ...], list[int]] = {}
    for at, sample in enumerate(samples):
        groups.setdefault(exact_key(sample, templates), []).append(at)
    order = [(*_worth(sample), *_form(sample), at) for at, sample in enumerate(samples)]
    best = {min(group, key=order.__getitem__): group for group in groups.values()}
    kept = tuple(_with_flags_of(samples[at], [samples[k] for k in group]) for at, group in sorted(best.items()))
    exact = tuple(
        Exact(samples[at].id, tuple((samples[k].id, samples[k].source) for k in group if k != at))
        for at, group in sorted(best.items())
        if len(group) > 1
    )
    folding = folding_for(tuple(names))
    near: list[Cluster] = []
    diacritics: list[Member] = []
    for by_reply in (True, False):
        group = [sample for sample in kept if by_replies(sample) is by_reply]
        found, marks = _look(group, threshold, templates, folding, executor)
        near += found
        diacritics += marks
    return Duplicates(kept, exact, tuple(near), tuple(diacritics))


def flag(duplicates: Duplicates) -> list[Sample]:
    """Return the kept samples, in order, with a flag on each that an annotator should compare with another one.

    The kept sample of a cluster is not flagged, unless a chain was cut there. Flagging twice changes nothing.
    """
    flags: dict[str, list[Flag]] = {}
    for found in duplicates.near:
        for member in found.members:
            flags.setdefault(member.sample_id, []).append(Flag("near_duplicate", _detail(found.id, member)))
        if found.cut_from:
            flags.setdefault(found.kept, []).append(
                Flag("near_duplicate", f"{_detail(found.id, found.cut_from)}, chain cut here")
            )
    for member in duplicates.diacritics:
        flags.setdefault(member.sample_id, []).append(Flag("diacritics", _detail("without diacritics", member)))
    flagged = []
    for sample in duplicates.kept:
        own = tuple(f for f in sample.flags if f.code not in ("near_duplicate", "diacritics"))
        flagged.append(replace(sample, flags=(*own, *flags.get(sample.id, ()))))
    return flagged


def drop_near(duplicates: Duplicates) -> tuple[list[Sample], list[Sample]]:
    """Return (left, dropped): of each cluster only the kept sample is left. For an explicit --auto-near only."""
    drop = droppable(duplicates)
    left = [sample for sample in duplicates.kept if sample.id not in drop]
    return left, [sample for sample in duplicates.kept if sample.id in drop]


def droppable(duplicates: Duplicates) -> set[str]:
    """Return the ids of samples that a better one can stand for: those with nearly the same words, turn by turn.

    A reply under another prompt, or a dialogue that goes on, is near too, but says something that the other does not.
    """
    return {m.sample_id for found in duplicates.near for m in found.members if m.by in ("ratio", "spelling")}


def look_up(duplicates: Duplicates, index: Index, threshold: float) -> Duplicates:
    """Compare what is kept with an index of earlier texts, fill in ``known``, and add it to the index.

    The last reply of each sample is compared, in normal form. Raises InosukeError for a damaged or unwritable index.
    """
    texts = [normal(sample.replies[-1]) for sample in duplicates.kept]
    found = index.near(texts, threshold)
    known = [Known(duplicates.kept[pair.j].id, index[int(pair.i)], float(pair.score)) for pair in found]
    index.add(texts)
    return replace(duplicates, known=tuple(known))


def _look(
    samples: Sequence[Sample], threshold: float, templates: set[str], folding: Folding, executor: Executor | None
) -> tuple[list[Cluster], list[Member]]:
    """Find the clusters among comparable samples, then the pairs that are near only without diacritics."""
    order = sorted(range(len(samples)), key=lambda at: (*_worth(samples[at]), at))
    rank = [0] * len(samples)
    for place, at in enumerate(order):
        rank[at] = place

    def member(near: Near, witness: int) -> Member:
        return Member(samples[near.at].id, samples[witness].id, near.score, near.by)

    clusters, known = [], set()
    for star in stars(relations(samples, threshold, templates, folding, executor), rank):
        kept = samples[star.kept].id
        members = tuple(member(near, star.kept) for near in star.members)
        cut = star.cut_from and Member(kept, samples[star.cut_from.at].id, star.cut_from.score, star.cut_from.by)
        clusters.append(Cluster(f"near-{kept}", kept, members, cut))
        known |= {member.sample_id for member in members}
    bare = [compared(sample, templates, letters, letters) for sample in samples]

    def lost(a: int, b: int) -> bool:
        # In a short text, one letter more or less is another word: `đất`, `đầu`.
        return bare[a] == bare[b] or min(sum(map(len, bare[k])) for k in (a, b)) > _LETTERS

    marks = [
        member(near, star.kept)
        for star in stars([Ratio(bare, threshold, executor, fits=lost)], rank)
        for near in star.members
        if samples[near.at].id not in known
    ]
    return clusters, marks


def _with_flags_of(sample: Sample, merged: Sequence[Sample]) -> Sample:
    """Add the flags of the merged samples: a copy without a flag must not hide a doubt about another copy."""
    codes = {flag.code for flag in sample.flags}
    more = {f.code: f for other in reversed(merged) for f in findings(other.flags) if f.code not in codes}
    return replace(sample, flags=(*sample.flags, *(more[code] for code in sorted(more)))) if more else sample


def _worth(sample: Sample) -> tuple[int, int]:
    return RIGHTS.index(sample.source.rights), len(findings(sample.flags))


def _form(sample: Sample) -> tuple[bool, int]:
    text = "".join(sample.replies)
    return text.islower() or text.isupper(), len(text)


# What a flag says after the witness; a `ratio` needs no words.
IN_WORDS: dict[By, str] = {
    "ratio": "",
    "spelling": ", spelt or addressed otherwise",
    "order": ", the words in another order",
    "contains": ", one contains the other",
    "reply": ", the same reply to another prompt",
    "begins": ", one begins the other",
}
# Texts of more letters than this may differ in more than their marks and still be flagged `diacritics`.
_LETTERS = 25


def _detail(what: str, member: Member) -> str:
    return f"{what}: {member.score:.1f} like {member.witness}{IN_WORDS[member.by]}"
