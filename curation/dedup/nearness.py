"""Which samples are near each other: by a reply, a prompt or their scene. The split asks; knows no train or eval."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curation.dedup.join.pairs import merge_labels
from curation.dedup.join.similar import components, cross_pairs
from curation.dedup.wording import normal
from curation.record import Message, Sample, Source

What = Literal["reply", "prompt", "scene"]
WHATS: tuple[What, ...] = ("reply", "prompt", "scene")


class Link(NamedTuple):
    """Two samples (by number) that are near, what they share, and the score (100 for a scene)."""

    a: int
    b: int
    what: What
    score: float


class Nearness:
    """The near relation of a list of samples, each known by its number in the list.

    Two texts are near when any of their forms are, at ``threshold`` or above: as written, in normal form and, for
    prompts, with the label before them, because files and models show prompts with and without one.
    """

    def __init__(self, samples: Sequence[Sample], threshold: float, template_prompts: Collection[str]) -> None:
        self.samples = samples
        self._threshold = threshold
        templates = {normal(prompt) for prompt in template_prompts}
        self._forms: dict[What, list[set[str]]] = {what: [set() for _ in samples] for what in WHATS}
        for at, sample in enumerate(samples):
            for message in sample.messages:
                if message.role == "assistant":
                    self._forms["reply"][at] |= _forms(message)
                elif message.role == "user" and normal(message.content) not in templates:
                    self._forms["prompt"][at] |= _forms(message)
            if scene := scene_of(sample.source):
                self._forms["scene"][at].add(scene)

    def groups(self, members: Collection[int]) -> list[list[int]]:
        """Return the members in groups that links among them connect; groups and members are sorted."""
        own = np.array(sorted(members), np.int64)
        labels = np.arange(len(own))
        for what in WHATS:
            texts, owners = self._texts(what, own)
            first = components(texts, self._threshold) if what != "scene" else _first_equal(texts)
            merge_labels(labels, owners, owners[first])
        groups: dict[int, list[int]] = {}
        for member, label in zip(own.tolist(), labels.tolist(), strict=True):
            groups.setdefault(label, []).append(member)
        return list(groups.values())

    def links(self, left: Collection[int], right: Collection[int]) -> list[Link]:
        """Return the links between two disjoint sets of samples, sorted: the best score of each pair and kind."""
        best: dict[tuple[int, int, What], float] = {}
        sides = np.array(sorted(left), np.int64), np.array(sorted(right), np.int64)
        for what in WHATS:
            (texts, a), (others, b) = (self._texts(what, side) for side in sides)
            pairs = cross_pairs(texts, others, self._threshold if what != "scene" else 100.0)
            from_left, from_right = sides[0][a[pairs.i]], sides[1][b[pairs.j]]
            for x, y, score in zip(from_left.tolist(), from_right.tolist(), pairs.score.tolist(), strict=True):
                best[x, y, what] = max(score, best.get((x, y, what), 0.0))
        return sorted(Link(x, y, what, score) for (x, y, what), score in best.items())

    def _texts(self, what: What, members: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
        """Return all forms of the members' texts and, for each, the position in ``members`` that it belongs to."""
        found = [(text, at) for at, member in enumerate(members.tolist()) for text in sorted(self._forms[what][member])]
        return [text for text, _ in found], np.array([at for _, at in found], np.int64)


def scene_of(source: Source) -> str | None:
    """Return a name for the scene that a sample was cut from: its file and the locator's part before a middle dot.

    Importers write ``scene 3 · cue 12 …``. A row of a handwritten file has no scene: None.
    """
    part, dot, _ = source.locator.partition(" · ")
    return f"{source.path}\n{source.sha256}\n{part}" if dot else None


def _forms(message: Message) -> set[str]:
    forms = {message.content, normal(message.content)}
    if message.name:
        forms.add(f"{message.name}: {message.content}")
    return forms


def _first_equal(texts: Sequence[str]) -> NDArray[np.int64]:
    first: dict[str, int] = {}
    return np.fromiter((first.setdefault(text, at) for at, text in enumerate(texts)), np.int64, len(texts))
