"""What shows that two samples are near each other: six relations, from the surest to the weakest.

=========  =============================================================================================
ratio      every turn is near its partner, by ``fuzz.ratio`` of the normal forms
spelling   the same with folded turns: other spelling, and in prompts other address or particles
order      the same words in another order (``fuzz.token_sort_ratio``), of which only one part has moved
contains   one reply contains the other (``fuzz.partial_ratio``), to one prompt
reply      one reply to several prompts
begins     one dialogue begins the other
=========  =============================================================================================

The last five never speak where one text says no more often than the other. Knows pairs, not clusters.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from itertools import combinations

from rapidfuzz import fuzz

from curation.dedup.clusters import By, Pairs, Ratio, Relation, Shared
from curation.dedup.folding import Folding
from curation.dedup.join.executors import Executor
from curation.dedup.join.similar import components
from curation.dedup.spellings import between, negations
from curation.dedup.wording import by_replies, compared
from curation.record import Sample

BYS: tuple[By, ...] = ("ratio", "spelling", "order", "contains", "reply", "begins")
# A reply of fewer words than this may stand in another one, or under another prompt, by chance.
_WORDS_ALIKE = 5
_PARTIAL = 95.0
# A run of words that more texts than this share says nothing.
_MOST_SHARING = 200


def relations(
    samples: Sequence[Sample],
    threshold: float,
    templates: Collection[str],
    folding: Folding,
    executor: Executor | None = None,
) -> list[Relation]:
    """Return the relations for samples that may be compared with each other. ``templates`` are normal forms."""
    keys = [folded(sample, templates, folding) for sample in samples]

    def as_often_no(a: int, b: int) -> bool:
        return _denials(" ".join(keys[a])) == _denials(" ".join(keys[b]))

    def one_move(a: int, b: int) -> bool:
        return as_often_no(a, b) and all(moved(x, y) for x, y in zip(keys[a], keys[b], strict=True))

    found: list[Relation] = [
        Ratio([compared(sample, templates) for sample in samples], threshold, executor),
        Ratio(keys, threshold, executor, "spelling", as_often_no),
        Ratio([tuple(map(in_order, parts)) for parts in keys], threshold, executor, "order", one_move),
        Pairs("contains", _contained(keys)),
    ]
    if any(not by_replies(sample) for sample in samples):
        replies = [_long_replies(sample, folding) for sample in samples]
        found.append(
            Shared("reply", replies, _near_lines({line for own in replies for line in own}, threshold, executor))
        )
        found.append(Pairs("begins", _begun(samples, keys)))
    return found


def folded(sample: Sample, templates: Collection[str], folding: Folding) -> tuple[str, ...]:
    """Return the folded forms of the turns that :func:`curation.dedup.wording.compared` compares."""
    return compared(sample, templates, folding.prompt, folding.reply)


def in_order(key: str) -> str:
    """Return the words of a key, sorted."""
    return " ".join(sorted(key.split(" ")))


def moved(one: str, other: str) -> bool:
    """Return whether the words that two keys share stand in one order, but for one part that has moved.

    ``lại đây thử`` and ``thử lại đây`` are that, ``A vs B`` and ``B vs A`` too. ``A giúp B`` and ``B giúp A`` are not:
    there two words have changed places, and that says another thing.
    """
    a, b = one.split(" "), other.split(" ")
    shared = Counter(a) & Counter(b)
    return _one_move(_only(a, shared), _only(b, shared))


def _only(words: Sequence[str], shared: Counter[str]) -> list[str]:
    left = shared.copy()
    found = []
    for word in words:
        if left[word]:
            left[word] -= 1
            found.append(word)
    return found


def _one_move(a: list[str], b: list[str]) -> bool:
    begin = next((at for at, (x, y) in enumerate(zip(a, b, strict=True)) if x != y), len(a))
    end = next((at for at, (x, y) in enumerate(zip(a[::-1], b[::-1], strict=True)) if x != y), len(a))
    a, b = a[begin : len(a) - end], b[begin : len(b) - end]
    if not a:
        return True
    for cut in range(1, len(a)):
        first, second = a[:cut], a[cut:]
        if second + first == b:
            return not (_says_no(first) or _says_no(second))
        # Around a word whose sides may change places.
        if len(second) > 1 and second[0] in between() and [*second[1:], second[0], *first] == b:
            return True
    return False


def _says_no(words: Sequence[str]) -> bool:
    """Return whether words are nothing but a negation: moved, it denies something else."""
    return negations(words) == len(words)


def _denials(key: str) -> int:
    return negations(key.split(" "))


def _long_replies(sample: Sample, folding: Folding) -> frozenset[str]:
    """Return the folded replies of a dialogue, without those that are short enough to be said twice by chance."""
    if by_replies(sample):
        return frozenset()
    said = {folding.reply(reply) for reply in sample.replies}
    return frozenset(reply for reply in said if len(reply.split(" ")) >= _WORDS_ALIKE)


def _near_lines(lines: Collection[str], threshold: float, executor: Executor | None) -> dict[str, dict[str, float]]:
    """Return the scores of near lines, in both directions. Of very many that are near each other, none."""
    texts = sorted(lines)
    groups: dict[int, list[str]] = defaultdict(list)
    for text, first in zip(texts, components(texts, threshold, executor).tolist(), strict=True):
        groups[first].append(text)
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for group in groups.values():
        if 1 < len(group) <= _MOST_SHARING:
            for one, other in combinations(group, 2):
                score = fuzz.ratio(one, other, score_cutoff=threshold)
                if score and _denials(one) == _denials(other):
                    found[one][other] = found[other][one] = score
    return found


def _begun(samples: Sequence[Sample], keys: Sequence[tuple[str, ...]]) -> dict[int, dict[int, float]]:
    """Find the dialogues that begin with all turns of another one."""
    whole: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at, turns in enumerate(keys):
        if len(turns) > 1 and not by_replies(samples[at]):
            whole[turns].append(at)
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for at, turns in enumerate(keys):
        for end in range(2, len(turns)):
            for other in whole.get(turns[:end], ()):
                found[at][other] = found[other][at] = 100.0
    return found


def _contained(keys: Sequence[tuple[str, ...]]) -> dict[int, dict[int, float]]:
    """Find the texts whose last turn contains that of another, where the turns before are equal."""
    last = [turns[-1].split(" ") if turns else [] for turns in keys]
    runs = [{tuple(words[k : k + _WORDS_ALIKE]) for k in range(len(words) - _WORDS_ALIKE + 1)} for words in last]
    sharing: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at, own in enumerate(runs):
        for run in own:
            sharing[run].append(at)
    found: dict[int, dict[int, float]] = defaultdict(dict)
    for at, words in enumerate(last):
        if len(words) < _WORDS_ALIKE:
            continue
        rarest = min(sorted(runs[at]), key=lambda run: len(sharing[run]))
        for other in sharing[rarest] if len(sharing[rarest]) <= _MOST_SHARING else ():
            if other == at or len(last[other]) <= len(words) or keys[at][:-1] != keys[other][:-1]:
                continue
            if score := _inside(keys[at][-1], keys[other][-1]):
                found[at][other] = found[other][at] = score
    return found


def _inside(short: str, long: str) -> float:
    """Return how much of the shorter text stands in the longer one, 0 below a limit or where they deny other things."""
    place = fuzz.partial_ratio_alignment(short, long, score_cutoff=_PARTIAL)
    if place is None or _denials(short) != _denials(long[place.dest_start : place.dest_end]):
        return 0.0
    return place.score
