"""Names for a track that has none, from another track of the same episode, by overlap in time. Pure.

Fansub projects keep a track with actors (English, from a streaming service) beside a translation without. The constant
shift between both is found by voting on the starts of their cues. A cue gets a name where one speaker's cues in the
other track cover it clearly; where two people share it, no one is named.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from curation.record import Imported, Utterance
from curation.transcripts.episodes import Episode, episode_of

MIN_SHARE = 0.8  # of the overlap with the other track that one speaker must have
_MIN_COVER = 0.35  # of the cue that the speaker's cues must cover
_SAME_CUE = 0.8  # overlap divided by union: both tracks have this very cue
_WHOLE = 0.6  # of another speaker's cue inside this one: both are heard in it
_FARTHEST_MS = 300_000  # the largest shift that is looked for
_BIN_MS = 100
_NEAR_MS = 200  # starts this close are the same moment
_VOTERS = 150  # cues of a track that vote on the shift; more only take longer
_CLEAR = 0.6  # of the cues that start together without any shift: no vote is needed
_MIN_MATCHED = 0.35  # of the shorter track's cues that must start at the same moment
_NAMED, _NAMELESS = 0.5, 0.5  # shares of lines with and without a speaker


@dataclass(frozen=True, slots=True)
class Twin:
    """A track that got names: from which track, how far apart they are, and what was found.

    ``shift_ms`` is added to the nameless track's times to meet the other's. ``beside`` maps the locator of each named
    line to the words of the other track at that moment.
    """

    path: str
    names_from: str
    shift_ms: int
    matched: float
    given: int
    nameless: int
    beside: Mapping[str, str] = field(default_factory=dict, hash=False)

    def note(self) -> str:
        """Return one line for the overview."""
        name = self.names_from.rpartition("/")[2]
        return (
            f"{self.given:,} of {self.nameless:,} lines named by {name} at the same time "
            f"(shifted by {self.shift_ms / 1000:+.2f} s, {self.matched:.0%} of the cues start together)"
        )


@dataclass(slots=True)
class _Track:
    """The timed lines of one file; ``at`` says where they stand in the files that came in."""

    path: str
    lines: list[Utterance] = field(default_factory=list)
    at: list[tuple[int, int]] = field(default_factory=list)

    @property
    def named(self) -> float:
        return sum(u.speaker is not None for u in self.lines) / len(self.lines)

    @property
    def starts(self) -> list[int]:
        return sorted({_start(u) for u in self.lines})


def name_by_twins(files: Sequence[Imported]) -> tuple[list[Imported], list[Twin]]:
    """Return the files with the names that other tracks give to their lines, and a Twin for each track with some."""
    given: dict[tuple[int, int], Utterance] = {}
    twins: list[Twin] = []
    for tracks in _episodes(files).values():
        with_names = [t for t in tracks if t.named >= _NAMED]
        for track in (t for t in tracks if 1 - t.named > _NAMELESS) if with_names else ():
            fits = [(shift, other) for other in with_names if (shift := find_shift(track.starts, other.starts))]
            if not fits:
                continue
            (shift_ms, matched), other = max(fits, key=lambda pair: pair[0][1])
            found = dict(_names(track.lines, other.lines, shift_ms))
            given |= {track.at[n]: line for n, (line, _) in found.items()}
            beside = {track.lines[n].source.locator: words for n, (_, words) in found.items()}
            nameless = sum(u.speaker is None for u in track.lines)
            twins.append(Twin(track.path, other.path, shift_ms, matched, len(found), nameless, beside))
    notes: dict[int, list[str]] = {}
    owner = {track.path: track.at[0][0] for tracks in _episodes(files).values() for track in tracks} if twins else {}
    for twin in twins:
        notes.setdefault(owner[twin.path], []).append(twin.note())
    changed = {number for number, _ in given} | set(notes)
    named = [
        replace(
            file,
            utterances=tuple(given.get((n, i), u) for i, u in enumerate(file.utterances)),
            notes=(*file.notes, *notes.get(n, ())),
        )
        if n in changed
        else file
        for n, file in enumerate(files)
    ]
    return named, twins


def find_shift(starts: Sequence[int], others: Sequence[int]) -> tuple[int, float] | None:
    """Return (shift in ms, share of the shorter track that then starts together); None for tracks that do not fit.

    Both are sorted and hold each time once. Adding the shift to ``starts`` meets ``others``.
    """
    if not starts or not others:
        return None
    shift = _refined(0, starts, others)
    matched = _matched(shift, starts, others)
    if matched < _CLEAR * len(starts):  # most tracks of a release are not shifted at all
        shift = _refined(_voted(starts, others), starts, others)
        matched = _matched(shift, starts, others)
    fewer = min(len(starts), len(others))
    share = min(1.0, matched / fewer)
    # What chance alone would give: how full the other track is of moments to meet.
    full = min(1.0, len(others) * 2 * _NEAR_MS / max(1, others[-1] - others[0] + 2 * _NEAR_MS))
    chance = len(starts) * full
    likely = share >= 0.9 or abs(shift) <= _NEAR_MS  # so short tracks may be twins too
    enough = matched >= chance + (2 if likely else 3) * (chance * (1 - full)) ** 0.5
    return (shift, share) if share >= _MIN_MATCHED and matched >= 2 and enough else None


def _voted(starts: Sequence[int], others: Sequence[int]) -> int:
    """Return the shift after which most starts meet, in steps of a bin; a smaller one where it is nearly as good."""
    votes: Counter[int] = Counter()
    for start in starts[:: 1 + len(starts) // _VOTERS]:
        near = others[bisect_left(others, start - _FARTHEST_MS) : bisect_right(others, start + _FARTHEST_MS)]
        votes.update([(other - start) // _BIN_MS for other in near])
    if not votes:
        return 0
    score = {b: votes[b - 1] + n + votes[b + 1] for b, n in list(votes.items())}
    score[0] = votes[-1] + votes[0] + votes[1]
    best = max(score, key=lambda b: (score[b], -abs(b)))
    return 0 if score[0] >= 0.8 * score[best] else best * _BIN_MS + _BIN_MS // 2


def _refined(shift: int, starts: Sequence[int], others: Sequence[int]) -> int:
    """Return the shift in the middle of the meetings; twice, since the first look is up to a bin beside it."""
    for _ in range(2):
        apart = [d for start in starts for d in _differences(start + shift, others)]
        shift += round(median(apart)) if apart else 0
    return shift


def _matched(shift: int, starts: Sequence[int], others: Sequence[int]) -> int:
    return sum(any(True for _ in _differences(start + shift, others)) for start in starts)


def _differences(start: int, others: Sequence[int]) -> Iterator[int]:
    for other in others[bisect_left(others, start - _NEAR_MS) : bisect_right(others, start + _NEAR_MS)]:
        yield other - start


def _names(
    lines: Sequence[Utterance], others: Sequence[Utterance], shift_ms: int
) -> Iterator[tuple[int, tuple[Utterance, str]]]:
    """Yield the number of each nameless line that gets a name, the line with it, and the other track's words."""
    ranked = sorted(others, key=_start)
    starts = [_start(u) for u in ranked]
    longest = max((_end(u) - _start(u) for u in ranked), default=0)
    for n, line in enumerate(lines):
        if line.speaker is not None:
            continue
        start, end = _start(line) + shift_ms, _end(line) + shift_ms
        near = ranked[bisect_left(starts, start - longest) : bisect_right(starts, end)]
        cues = [(min(end, _end(u)) - max(start, _start(u)), u) for u in near]
        cues = [(overlap, u) for overlap, u in cues if overlap > 0]
        if (who := _clear_speaker(start, end, cues)) is not None:
            name, sure = who
            words = " ".join(u.text for _, u in cues if u.speaker == name)
            yield n, (replace(line, speaker=name, evidence=f"twin:{sure:.2f}"), words)


def _clear_speaker(start: int, end: int, cues: Iterable[tuple[int, Utterance]]) -> tuple[str, float] | None:
    """Return the one who speaks in a cue and how much of the overlap is theirs; None where it may be another."""
    overlaps: Counter[str | None] = Counter()
    same: dict[str | None, float] = {}
    heard: set[str | None] = set()
    for overlap, cue in cues:
        overlaps[cue.speaker] += overlap
        union = max(end, _end(cue)) - min(start, _start(cue))
        same[cue.speaker] = max(same.get(cue.speaker, 0.0), overlap / union)
        if overlap >= _WHOLE * (_end(cue) - _start(cue)):
            heard.add(cue.speaker)
    if not overlaps:
        return None
    identical = [who for who, share in same.items() if share >= _SAME_CUE]
    if len(identical) == 1 and identical[0] is not None:
        return identical[0], same[identical[0]]
    name, most = overlaps.most_common(1)[0]
    share = most / overlaps.total()
    if name is None or share < MIN_SHARE or heard - {name} or most < _MIN_COVER * (end - start):
        return None
    return name, share


def _episodes(files: Sequence[Imported]) -> dict[Episode, list[_Track]]:
    """Return the tracks of each episode that has at least two with times."""
    tracks: dict[str, _Track] = {}
    for number, file in enumerate(files):
        for index, line in enumerate(file.utterances):
            if line.start_ms is None or line.end_ms is None:
                continue
            track = tracks.setdefault(line.source.path, _Track(line.source.path))
            track.lines.append(line)
            track.at.append((number, index))
    found: dict[Episode, list[_Track]] = {}
    for track in tracks.values():
        found.setdefault(episode_of(track.path), []).append(track)
    return {key: group for key, group in found.items() if len(group) > 1}


def _start(line: Utterance) -> int:
    assert line.start_ms is not None  # _episodes takes timed lines alone
    return line.start_ms


def _end(line: Utterance) -> int:
    return max(_start(line) + 1, line.end_ms or 0)
