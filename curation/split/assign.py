"""Assign samples to train or eval, so that no evaluated sample was trained on in nearly the same words.

Two samples must be on the same side if a reply of one is near a reply of the other, if a user turn of one is near a
user turn of the other (except template prompts), or if they come from one scene. Near means: ``fuzz.ratio`` at the
dedup threshold or above, as written, in normal form, or with the label before it; or the same words, however they are
spelt, whoever is addressed and in whatever order (:mod:`curation.dedup.nearness`).

Pass the previous split to keep assignments stable. Without it a new sample that is near both a train and an eval sample
could move either. With it the new sample is left out.

Knows samples and pairs; opens no file.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from curation.dedup.nearness import WHATS, Link, Nearness, What
from curation.errors import InosukeError, UsageError
from curation.record import Sample

Side = Literal["train", "eval"]
Stratum = tuple[str, str]

# A large group of similar prompts must not dominate eval. Corpora have such groups: hundreds of rows that all ask for
# the character's opinion of another one.
_LARGEST_PART = 10


@dataclass(frozen=True, slots=True)
class Split:
    """The ``side`` of each sample id. Ids that are missing are left out of both sides and listed in ``report``.

    ``group`` names, for each sample with a side, the samples of the same side that near pairs connect it to: the lowest
    id among them. Samples of one group resemble each other, so statistics must draw them together.

    The report is plain JSON: ``threshold``, ``eval_share``, ``counts`` {kind: {language: {train, eval, left_out}}},
    ``leakage`` {reply, prompt, scene: {kind: near pairs across the border}}, measured on the result, ``groups`` {train,
    eval: {groups, largest}}, ``left_out`` [{id, why, near, by, score}], ``cut`` [{samples, eval, left_out}] and
    ``short``, the strata that got less than half of their eval share.
    """

    side: dict[str, Side]
    group: dict[str, str]
    report: dict[str, Any]


def split(
    samples: Sequence[Sample],
    threshold: float,
    eval_share: float = 0.1,
    template_prompts: Collection[str] = (),
    held_out: Sequence[Sample] = (),
    previous: Mapping[str, str] | None = None,
    names: Iterable[str] = (),
) -> Split:
    """Divide samples into train and eval. The same input gives the same split.

    1. Samples in ``previous`` keep their side. The only exception is a training sample that is now near eval or near a
       ``held_out`` one (it was rewritten, or the threshold was lowered): it is left out. Old eval samples always stay.
    2. A new sample near a ``held_out`` one is left out. In train it would leak; in eval it would ask the same question
       twice.
    3. A new sample goes to the side of the old samples near it. If it is near both sides, it is left out.
    4. The other samples form groups that are connected by near pairs. In the order of a hash, groups go to eval while
       every stratum (kind, language) of theirs has room there; the room is ``eval_share`` of the stratum. Groups of at
       most a tenth of that room come first, then any that fit. The rest trains.
    5. If a stratum then has less than half of its eval share, a group too large for it is cut. Samples are taken along
       near pairs, starting with the lowest hash, and the samples near them are left out. A cut happens only if it
       leaves out at most as many samples as it gives to eval. Where all samples are near each other there is no eval,
       and ``short`` reports it.

    ``names`` are the character's: in a prompt they are address. Raises UsageError for a threshold or share out of
    range. Raises InosukeError if two samples have the same id, if ``previous`` names a side other than train and eval,
    or if the result trained a prompt or reply that it evaluates.
    """
    if not 0 < eval_share < 1:
        raise UsageError(f"eval_share is {eval_share}; expected a share between 0 and 1, such as 0.1")
    ids = [sample.id for sample in samples]
    repeated = [i for i, n in Counter(ids).items() if n > 1]
    if repeated:
        raise InosukeError(
            f"{len(repeated)} sample ids stand for several samples ({', '.join(repeated[:3])}, …); expected each once. "
            "Merge exact duplicates (curation.dedup.cluster) before the split."
        )
    work = _Work(samples, threshold, eval_share, template_prompts, held_out, names)
    work.keep(previous or {})
    work.follow()
    work.fill()
    work.cut()
    work.check()
    grouped = work.grouped()
    group = {ids[at]: ids[first] for groups in grouped.values() for first, *rest in groups for at in (first, *rest)}
    return Split({ids[at]: side for at, side in sorted(work.side.items())}, group, work.report(grouped))


class _Work:
    """One split in progress. Samples are numbers; ``side`` and ``left_out`` grow until they cover every sample."""

    def __init__(
        self,
        samples: Sequence[Sample],
        threshold: float,
        eval_share: float,
        template_prompts: Collection[str],
        held_out: Sequence[Sample],
        names: Iterable[str],
    ) -> None:
        self.samples, self.threshold, self.eval_share = samples, threshold, eval_share
        self.near = Nearness([*samples, *held_out], threshold, template_prompts, names)
        self.held_out = range(len(samples), len(samples) + len(held_out))
        self.strata: list[Stratum] = [(s.kind, s.language or "und") for s in samples]
        self.hashes = [hashlib.sha256(s.id.encode("utf-8", "surrogatepass")).digest() for s in samples]
        self.side: dict[int, Side] = {}
        self.left_out: dict[int, tuple[str, Link]] = {}
        self.groups: list[list[int]] = []
        self.cuts: list[dict[str, int]] = []

    def keep(self, previous: Mapping[str, str]) -> None:
        """Steps 1 and 2."""
        for at, sample in enumerate(self.samples):
            side = previous.get(sample.id)
            if side is None:
                continue
            if side not in get_args(Side):
                raise InosukeError(
                    f"the earlier split puts {sample.id} into {side!r}; expected 'train' or 'eval'. "
                    "Pass the sides that an earlier split returned, or none."
                )
            self.side[at] = cast(Side, side)
        evaluates = self._on("eval")
        self._leave_out("near held-out", set(range(len(self.samples))) - evaluates, self.held_out)
        self._leave_out("near eval", self._on("train"), evaluates)

    def follow(self) -> None:
        """Step 3: new samples near old ones, and the groups that they are connected to."""
        if not self.side:
            return
        old: dict[Side, set[int]] = {"train": self._on("train"), "eval": self._on("eval")}
        touching = {side: {link.a for link in self.near.links(self._open(), old[side])} for side in old}
        for group in self.near.groups(self._open()):
            beside = {side for side in old if not touching[side].isdisjoint(group)}
            if beside == {"eval"}:
                self.side |= dict.fromkeys(group, "eval")
            elif beside:
                self._leave_out("near train and eval", touching["eval"] & set(group), old["eval"])
                self.side |= dict.fromkeys(set(group) - touching["eval"], "train")

    def fill(self) -> None:
        """Step 4."""
        self.groups = sorted(self.near.groups(self._open()), key=lambda group: min(self.hashes[at] for at in group))
        target, room = self._target(), self._room()
        for largest in ({stratum: max(1, n // _LARGEST_PART) for stratum, n in target.items()}, target):
            for group in self.groups:
                need = Counter(self.strata[at] for at in group)
                if group[0] not in self.side and all(n <= min(room[s], largest[s]) for s, n in need.items()):
                    self.side |= dict.fromkeys(group, "eval")
                    room.subtract(need)
        self.side |= dict.fromkeys(self._open(), "train")

    def cut(self) -> None:
        """Step 5. Only groups of new samples are cut, the largest of a stratum first."""
        for stratum in self._short():
            for group in sorted(self.groups, key=len, reverse=True):
                wanted = self._room()[stratum]
                own = [at for at in group if self.strata[at] == stratum]
                if wanted < 1 or len(own) <= wanted or self.side.get(group[0]) == "eval":
                    continue
                region = self._grow(min(own, key=self.hashes.__getitem__), set(group), stratum, wanted)
                border = self.near.links(set(group) - region, region)
                beyond = {link.a for link in border}
                if len(beyond) > len(region):
                    continue
                self.side |= dict.fromkeys(region, "eval")
                self._leave_out("at the cut of a large group", beyond, region)
                self.cuts.append({"samples": len(group), "eval": len(region), "left_out": len(beyond)})

    def check(self) -> None:
        """Raise InosukeError where a prompt or a reply is trained that is evaluated too, in folded words.

        The steps before keep this promise; this looks at the sides alone, and an export that breaks it is worth none.
        """
        trained: dict[tuple[What, str], int] = {}
        for at in self._on("train"):
            trained |= dict.fromkeys(self._keys(at), at)
        for at in [*self._on("eval"), *self.held_out]:
            if both := trained.keys() & self._keys(at):
                what, key = min(both)
                ids = self.near.samples[trained[what, key]].id, self.near.samples[at].id
                raise InosukeError(
                    f"the split trains {ids[0]} and evaluates {ids[1]}, which have one {what} ({key[:60]!r}). "
                    "Nothing is exported. This is a fault of the program, not of your rows: please report it, and "
                    "reject one of the two with `make review` until it is corrected."
                )

    def _keys(self, at: int) -> set[tuple[What, str]]:
        messages, folding = self.near.samples[at].messages, self.near.folding
        replies: set[tuple[What, str]] = {
            ("reply", folding.reply(m.content)) for m in messages if m.role == "assistant"
        }
        return replies | {("prompt", folding.prompt(m.content)) for m in messages if self.near.informs(m)}

    def grouped(self) -> dict[Side, list[list[int]]]:
        """Return the groups of each side. A group begins with the sample that has the lowest id."""
        return {
            side: [sorted(group, key=lambda at: self.samples[at].id) for group in self.near.groups(self._on(side))]
            for side in get_args(Side)
        }

    def report(self, grouped: Mapping[Side, Sequence[Sequence[int]]]) -> dict[str, Any]:
        """Return the report, with the leakage measured on the final sides."""
        counts: dict[str, dict[str, dict[str, int]]] = {}
        for at, (kind, language) in enumerate(self.strata):
            row = counts.setdefault(kind, {}).setdefault(language, {"train": 0, "eval": 0, "left_out": 0})
            row[self.side.get(at, "left_out")] += 1
        leakage = {what: dict.fromkeys(sorted(counts), 0) for what in WHATS}
        for link in self.near.links(self._on("train"), {*self._on("eval"), *self.held_out}):
            leakage[link.what][self.samples[link.a].kind] += 1
        return {
            "threshold": self.threshold,
            "eval_share": self.eval_share,
            "counts": counts,
            "leakage": leakage,
            "groups": {
                side: {"groups": len(groups), "largest": max(map(len, groups), default=0)}
                for side, groups in grouped.items()
            },
            "left_out": [
                {
                    "id": self.samples[at].id,
                    "why": why,
                    "near": self.near.samples[link.b].id,
                    "by": link.what,
                    "score": round(link.score, 1),
                }
                for at, (why, link) in sorted(self.left_out.items())
            ],
            "cut": self.cuts,
            "short": [list(stratum) for stratum in self._short()],
        }

    def _on(self, side: Side) -> set[int]:
        return {at for at, chosen in self.side.items() if chosen == side}

    def _open(self) -> set[int]:
        return set(range(len(self.samples))) - self.side.keys() - self.left_out.keys()

    def _leave_out(self, why: str, candidates: Collection[int], near: Collection[int]) -> None:
        """Leave out each candidate that is near one of ``near``. Its nearest link is the reason."""
        for link in sorted(self.near.links(candidates, near), key=lambda link: -link.score):
            self.left_out.setdefault(link.a, (why, link))
            self.side.pop(link.a, None)

    def _target(self) -> Counter[Stratum]:
        """Return how many samples of each stratum should evaluate: the eval share, rounded half up."""
        totals = Counter(stratum for at, stratum in enumerate(self.strata) if at not in self.left_out)
        return Counter({stratum: int(n * self.eval_share + 0.5) for stratum, n in totals.items()})

    def _room(self) -> Counter[Stratum]:
        room = self._target()
        room.subtract(self.strata[at] for at in self._on("eval"))
        return room

    def _short(self) -> list[Stratum]:
        room, target = self._room(), self._target()
        return sorted(stratum for stratum, n in target.items() if 2 * room[stratum] > n)

    def _grow(self, start: int, group: set[int], stratum: Stratum, wanted: int) -> set[int]:
        """Return up to ``wanted`` samples of a group, taken along links: nearest ring first, within it lowest hash
        first."""
        region, ring = {start}, [start]
        while ring and sum(self.strata[at] == stratum for at in region) < wanted:
            beside = {link.b for link in self.near.links({ring.pop(0)}, group - region)}
            for at in sorted(beside, key=self.hashes.__getitem__):
                if sum(self.strata[k] == stratum for k in region) < wanted:
                    region.add(at)
                    ring.append(at)
        return region
