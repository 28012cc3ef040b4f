"""Which samples are near each other: by a reply, a prompt or their scene. The split asks; knows no train or eval."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from curation.dedup.folding import folding_for, reply_key
from curation.dedup.join.pairs import Pairs, merge_labels
from curation.dedup.join.similar import components, cross_pairs
from curation.dedup.relations import in_order, moved
from curation.dedup.wording import normal
from curation.record import Message, Sample, Source

What = Literal["reply", "prompt", "scene"]
# Of the first user's 923 evaluated rows, 25 share a sentence of four words with a training row, 8 one of five and none
# one of seven; what they share is stock ("nhưng trong bụng lại thấy ấm").
_WORDS_OF_A_SENTENCE = 7
_SENTENCE = re.compile(r"[^.!?…。！？\n]+")
WHATS: tuple[What, ...] = ("reply", "prompt", "scene")


class Link(NamedTuple):
    """Two samples (by number) that are near, what they share, and the score (100 for a scene)."""

    a: int
    b: int
    what: What
    score: float


class Nearness:
    """The near relation of a list of samples, each known by its number in the list.

    Two texts are near when any of their forms are, at ``threshold`` or above: as written, in normal form, replies also
    folded (:mod:`curation.dedup.folding`) and prompts with the label before them, because files and models show prompts
    with and without one. Besides, prompts with one folded key are near, whoever is addressed in them, and so are texts
    whose folded words only stand in another order, and replies that share a long sentence.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        threshold: float,
        template_prompts: Collection[str],
        names: Iterable[str] = (),
    ) -> None:
        self.samples = samples
        self._threshold = threshold
        self.folding = folding_for(tuple(names))
        self._templates = {normal(prompt) for prompt in template_prompts}
        self._template_keys = set(map(self.folding.prompt, template_prompts))
        # What is near by its score, and what is near only if it is equal.
        self._forms: dict[What, list[set[str]]] = {what: [set() for _ in samples] for what in WHATS}
        self._equal: dict[What, list[set[str]]] = {what: [set() for _ in samples] for what in WHATS}
        for at, sample in enumerate(samples):
            for message in sample.messages:
                if message.role == "assistant":
                    key = self.folding.reply(message.content)
                    self._forms["reply"][at] |= {*_forms(message), key}
                    self._equal["reply"][at] |= {key, *_long_sentences(message.content)}
                elif self.informs(message):
                    self._forms["prompt"][at] |= _forms(message)
                    self._equal["prompt"][at].add(self.folding.prompt(message.content))
            if scene := scene_of(sample.source):
                self._equal["scene"][at].add(scene)
        for equal in (self._equal["reply"], self._equal["prompt"]):
            _name_orders(equal)

    def informs(self, message: Message) -> bool:
        """Return whether a message is a prompt of its own, not one that many samples share."""
        if message.role != "user" or normal(message.content) in self._templates:
            return False
        return self.folding.prompt(message.content) not in self._template_keys

    def groups(self, members: Collection[int]) -> list[list[int]]:
        """Return the members in groups that links among them connect; groups and members are sorted."""
        own = np.array(sorted(members), np.int64)
        labels = np.arange(len(own))
        for what in WHATS:
            texts, owners = _texts(self._forms[what], own)
            merge_labels(labels, owners, owners[components(texts, self._threshold)])
            texts, owners = _texts(self._equal[what], own)
            merge_labels(labels, owners, owners[_first_equal(texts)])
        groups: dict[int, list[int]] = {}
        for member, label in zip(own.tolist(), labels.tolist(), strict=True):
            groups.setdefault(label, []).append(member)
        return list(groups.values())

    def links(self, left: Collection[int], right: Collection[int]) -> list[Link]:
        """Return the links between two disjoint sets of samples, sorted: the best score of each pair and kind."""
        best: dict[tuple[int, int, What], float] = {}
        sides = np.array(sorted(left), np.int64), np.array(sorted(right), np.int64)
        for what in WHATS:
            for kept, threshold in ((self._forms[what], self._threshold), (self._equal[what], 100.0)):
                (texts, a), (others, b) = (_texts(kept, side) for side in sides)
                pairs = cross_pairs(texts, others, threshold) if threshold < 100 else _equal_pairs(texts, others)
                from_left, from_right = sides[0][a[pairs.i]], sides[1][b[pairs.j]]
                for x, y, score in zip(from_left.tolist(), from_right.tolist(), pairs.score.tolist(), strict=True):
                    best[x, y, what] = max(score, best.get((x, y, what), 0.0))
        return sorted(Link(x, y, what, score) for (x, y, what), score in best.items())


def _texts(kept: Sequence[set[str]], members: NDArray[np.int64]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the texts of the members and, for each, the position in ``members`` that it belongs to."""
    found = [(text, at) for at, member in enumerate(members.tolist()) for text in sorted(kept[member])]
    return [text for text, _ in found], np.array([at for _, at in found], np.int64)


def _equal_pairs(left: Sequence[str], right: Sequence[str]) -> Pairs:
    places: dict[str, list[int]] = defaultdict(list)
    for at, text in enumerate(right):
        places[text].append(at)
    found = [(i, j) for i, text in enumerate(left) for j in places.get(text, ())]
    i, j = np.array(found, np.int64).reshape(-1, 2).T
    return Pairs(i, j, np.full(len(found), 100.0))


def _name_orders(equal: Sequence[set[str]]) -> None:
    """Add to each set of keys a name for the words in any order, in place: one for keys of which one part has moved."""
    orders: dict[str, list[str]] = defaultdict(list)
    for key in sorted(set[str]().union(*equal)):
        orders[in_order(key)].append(key)
    names: dict[str, str] = {}
    for keys in orders.values():
        heads: list[str] = []
        for key in keys if len(keys) > 1 else ():
            head = next((head for head in heads if moved(head, key)), key)
            heads += [head] * (head == key)
            names[key] = head
    for own in equal:
        own |= {names[key] for key in own & names.keys()}


def _long_sentences(text: str) -> set[str]:
    """Return the folded sentences of a reply that are too long to stand in two replies by chance."""
    keys = map(reply_key, _SENTENCE.findall(text))
    return {key for key in keys if len(key.split(" ")) >= _WORDS_OF_A_SENTENCE}


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
