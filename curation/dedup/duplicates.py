"""Duplicates among samples, with their evidence: what was merged, what is near, kept, witness and score.

Only exact duplicates (equal after :func:`curation.dedup.wording.normal`) are merged, and their sources are all kept.
Near ones are flagged for an annotator: one changed word can be the point of a line.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from curation.codes import findings
from curation.dedup.clusters import stars
from curation.dedup.join.executors import Executor
from curation.dedup.join.index import Index
from curation.dedup.wording import by_replies, compared, exact_key, normal, without_diacritics
from curation.record import RIGHTS, Flag, Sample, Source


@dataclass(frozen=True, slots=True)
class Exact:
    """Samples that were merged: the id of the one that is kept, and (id, source) of each that was dropped."""

    kept: str
    dropped: tuple[tuple[str, Source], ...]


@dataclass(frozen=True, slots=True)
class Member:
    """A sample, the sample it is near to, and the lowest ``fuzz.ratio`` of their turns in normal form."""

    sample_id: str
    witness: str
    score: float


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
) -> Duplicates:
    """Merge exact duplicates and group near ones.

    ``threshold`` is a ``fuzz.ratio`` from 50 to 100, ``template_prompts`` are the prompts that many samples share. The
    better of two rows is the one with the clearer rights (own, licensed, private, unknown), then with fewer flags, then
    written as a sentence (capitals and small letters), then shorter (fewer stray spaces and repeated marks), then the
    earlier one. Of near rows the first two rules and the last decide.

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
    near: list[Cluster] = []
    diacritics: list[Member] = []
    for by_reply in (True, False):
        group = [sample for sample in kept if by_replies(sample) is by_reply]
        found, marks = _look(group, threshold, templates, executor)
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
                Flag("near_duplicate", _detail(found.id, found.cut_from) + ", chain cut here")
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
    drop = {member.sample_id for found in duplicates.near for member in found.members}
    left = [sample for sample in duplicates.kept if sample.id not in drop]
    return left, [sample for sample in duplicates.kept if sample.id in drop]


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
    samples: Sequence[Sample], threshold: float, templates: set[str], executor: Executor | None
) -> tuple[list[Cluster], list[Member]]:
    """Find the clusters among comparable samples, then the pairs that are near only without diacritics."""
    order = sorted(range(len(samples)), key=lambda at: (*_worth(samples[at]), at))
    rank = [0] * len(samples)
    for place, at in enumerate(order):
        rank[at] = place
    texts = [compared(sample, templates) for sample in samples]
    clusters, known = [], set()
    for star in stars(texts, threshold, rank, executor):
        kept = samples[star.kept].id
        members = tuple(Member(samples[at].id, kept, score) for at, score in star.members)
        cut_from = Member(kept, samples[star.cut_from[0]].id, star.cut_from[1]) if star.cut_from else None
        clusters.append(Cluster(f"near-{kept}", kept, members, cut_from))
        known |= {member.sample_id for member in members}
    bare = [tuple(map(without_diacritics, parts)) for parts in texts]
    marks = [
        Member(samples[at].id, samples[star.kept].id, score)
        for star in stars(bare, threshold, rank, executor)
        for at, score in star.members
        if samples[at].id not in known
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


def _detail(what: str, member: Member) -> str:
    return f"{what}: {member.score:.1f} like {member.witness}"
