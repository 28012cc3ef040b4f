"""The fold: a sample's events in, its state out. Pure.

Verdicts form lines: a verdict takes the place of those that its annotator saw. Where several lines end in different
verdicts, none of their annotators knew of the others': a conflict, whatever client they used and whatever their clocks
said. The line that began first keeps the state, and an adjudicator looks at the others. Lines that end alike (both
approve the same text, both reject, both rewrite to the same text) do not conflict.

Blind votes are counted apart. They decide once their whole panel has voted alike, and a verdict of panel 1 takes their
place as it takes another verdict's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from curation.cleaning.typed_text import clean_typed
from curation.record import Message
from curation.review.causes import Causes, causes, standing
from curation.review.events import DECISIVE, Decision, ordered

Status = Literal["pending", "approved", "rejected"]
Turns = tuple[Message, ...] | None  # None is the imported text


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The state of one sample according to the log. ``messages`` is None while the imported text stands.

    ``conflicts`` are verdicts that differ from the one that stands, made without sight of it, or that are on a revision
    which does not stand: they change nothing by themselves, until a verdict made in sight of them settles it.
    ``voters`` gave a blind verdict on this revision. The sample keeps its state until the whole panel has judged it. If
    the panel disagrees, the sample is pending and ``disputed`` until one verdict of panel 1 settles it.
    """

    status: Status = "pending"
    revision: int = 0
    messages: tuple[Message, ...] | None = None
    reason: str = ""
    reviewers: tuple[str, ...] = ()
    skipped_by: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()
    voters: tuple[str, ...] = ()
    disputed: bool = False


def fold(decisions: Iterable[Decision]) -> dict[str, State]:
    """Return the state of every sample that occurs in the events. The order of the input does not matter."""
    by_sample: dict[str, list[Decision]] = defaultdict(list)
    for decision in ordered(decisions):
        by_sample[decision.sample_id].append(decision)
    return {sample: _alone(events) or _Sample(causes(events)).state() for sample, events in by_sample.items()}


def outcomes(events: Iterable[Decision]) -> dict[str, tuple[Status, Turns]]:
    """Return what each of one sample's standing verdicts came to, by id: approved with which text, or rejected.

    A verdict on a revision that does not stand came to nothing.
    """
    sample = _Sample(causes(events))
    lines = sample.lines()
    found: dict[str, tuple[Status, Turns]] = {}
    for index in lines.base:
        status, version = sample.outcome(lines, index)
        found[sample.events[index].id] = (status, None if status == "rejected" else version.text)
    return found


def _alone(events: list[Decision]) -> State | None:
    """Return the state of the usual sample, with one verdict on its imported text, at a quarter of the general cost."""
    event = events[0]
    if len(events) > 1 or event.verdict not in ("approve", "reject") or event.panel > 1 or event.revision:
        return None
    status: Status = "rejected" if event.verdict == "reject" else "approved"
    return State(status=status, reason=event.reason, reviewers=(event.annotator,))


def built_upon(rewrite: Decision, events: Iterable[Decision]) -> str | None:
    """Return the other annotator who continued from a rewrite, None where undoing it undoes no one else's work.

    ``events`` are the sample's.
    """
    for later in standing(events):
        if later.verdict in DECISIVE and later.revision > rewrite.revision and later.annotator != rewrite.annotator:
            return later.annotator
    return None


@dataclass(frozen=True, slots=True)
class _Version:
    """A revision's number and text: what a verdict was made on."""

    revision: int = 0
    text: Turns = None


_IMPORTED = _Version()


@dataclass(frozen=True, slots=True)
class _Now:
    """What stands after some events. ``by`` is the event that decided, None before any has."""

    status: Status = "pending"
    version: _Version = _IMPORTED
    by: int | None = None
    disputed: bool = False


@dataclass(slots=True)
class _Lines:
    """The lines of verdicts after some events, by index. The first head's line keeps the state."""

    heads: list[int] = field(default_factory=list)
    votes: list[int] = field(default_factory=list)  # blind ones: each annotator's last
    astray: list[int] = field(default_factory=list)  # on a revision that does not stand
    counted: list[int] = field(default_factory=list)
    imported: int | None = None
    accepted: set[_Version] = field(default_factory=lambda: {_IMPORTED})
    base: dict[int, _Version] = field(default_factory=dict)

    def copy(self) -> _Lines:
        return _Lines(
            self.heads[:],
            self.votes[:],
            self.astray[:],
            self.counted[:],
            self.imported,
            set(self.accepted),
            dict(self.base),
        )


class _Sample:
    """One sample's events, and what they add up to."""

    def __init__(self, found: Causes) -> None:
        self.events, self.seen = found.events, found.seen
        self.undone = self._undone((1 << len(self.events)) - 1)
        # What import approved everyone has seen.
        self.imports = sum(1 << i for i, e in enumerate(self.events) if e.client == "import")
        verdicts = sum(e.verdict in DECISIVE for e in self.events)
        # Texts that differ only in what cleaning removes are one text; logs hold uncleaned ones.
        self.texts: dict[int, Turns] = {
            i: clean_typed(e.messages)[0] if verdicts > 1 else e.messages
            for i, e in enumerate(self.events)
            if e.messages is not None
        }
        self.written: dict[Turns, Turns] = {}  # a text → as its first rewrite wrote it
        for i, text in self.texts.items():
            self.written.setdefault(text, self.events[i].messages)
        self.known: dict[tuple[int, int], _Lines] = {}
        self.bases: dict[int, _Version | None] = {}

    def lines(self) -> _Lines:
        """Return the lines of all verdicts that are not undone."""
        for index, event in enumerate(self.events):
            if event.after is not None and event.verdict in DECISIVE and not self.undone >> index & 1:
                self.bases[index] = self._base(index)
        return self._lines((1 << len(self.events)) - 1, self.undone)

    def state(self) -> State:
        """Return the state after all events."""
        lines = self.lines()
        now = self._now(lines)
        conflicts = self._conflicts(lines, now)
        by = None if now.by is None else self.events[now.by]
        there = [e for i, e in enumerate(self.events) if not self.undone >> i & 1 and e.verdict != "undo"]
        there.sort(key=lambda e: (e.time, e.id))
        return State(
            status=now.status,
            revision=now.version.revision,
            messages=self.written.get(now.version.text),
            reason="" if by is None or now.disputed else by.reason,
            reviewers=tuple(dict.fromkeys(self.events[i].annotator for i in lines.counted if i not in conflicts)),
            skipped_by=tuple(dict.fromkeys(e.annotator for e in there if e.verdict == "skip")),
            notes=tuple(e.reason for e in there if e.verdict in ("note", "flag")),
            conflicts=tuple(self.events[i].id for i in sorted(conflicts)),
            voters=tuple(dict.fromkeys(self.events[i].annotator for i in lines.votes if lines.base[i] == now.version)),
            disputed=now.disputed,
        )

    # ------------------------------------------------------------ what a set of events adds up to

    def _undone(self, among: int) -> int:
        ids = {e.reason for i, e in enumerate(self.events) if e.verdict == "undo" and among >> i & 1}
        return sum(1 << i for i, e in enumerate(self.events) if e.id in ids and e.verdict != "undo")

    def _lines(self, among: int, undone: int) -> _Lines:
        """Return the lines of the verdicts in ``among`` that are not ``undone``: both have a bit for each event."""
        among = (among | self.imports) & ~undone
        wanted = [i for i, e in enumerate(self.events) if among >> i & 1 and e.verdict in DECISIVE]
        key = sum(1 << i for i in wanted)
        known = self.known.get((key, undone))
        if known is not None:
            return known
        lines = _Lines()
        if wanted:
            # The set without its last event is what that one's annotator saw, in a log without merges.
            before = self.known.get((key & ~(1 << wanted[-1]), undone))
            lines, rest = (before.copy(), wanted[-1:]) if before is not None else (lines, wanted)
            for index in rest:
                self._add(lines, index)
        self.known[key, undone] = lines
        return lines

    def _base(self, index: int) -> _Version | None:
        """Return the revision that the annotator had before them, None where the event contradicts its ``after``."""
        seen, event = self.seen[index], self.events[index]
        for undone in (self._undone(seen), self.undone):
            version = self._now(self._lines(seen, undone)).version
            if version.revision == event.revision:
                return version
        return _IMPORTED if event.revision == 0 else None

    def _add(self, lines: _Lines, index: int) -> None:
        event = self.events[index]
        now = self._now(lines)
        if event.client == "import":
            lines.imported = index
            lines.counted.append(index)
            return
        base = self._base_of(index, now)
        if base is None or base not in lines.accepted or self._contradicts_panel(index, base, now, lines):
            lines.astray.append(index)
            return
        lines.base[index] = base
        lines.counted.append(index)
        if event.panel > 1:
            self._vote(lines, index)
            return
        if event.verdict == "rewrite":
            lines.accepted.add(self.outcome(lines, index)[1])
        replaced = [h for h in lines.heads if self._replaces(lines, index, h)]
        place = lines.heads.index(replaced[0]) if replaced else len(lines.heads)
        lines.heads.insert(place, index)
        lines.heads = [h for h in lines.heads if h not in replaced]
        if event.after is not None:
            lines.astray = [a for a in lines.astray if not self.seen[index] >> a & 1]

    def _base_of(self, index: int, now: _Now) -> _Version | None:
        event = self.events[index]
        if event.after is not None:
            return self.bases[index] if index in self.bases else self._base(index)
        if event.revision == now.version.revision:
            return now.version
        # The same rewrite as the one that stands, made in another clone.
        same = now.status == "approved" and self.texts.get(index) == now.version.text
        return _IMPORTED if same and event.messages is not None and event.revision == 0 else None

    def _contradicts_panel(self, index: int, base: _Version, now: _Now, lines: _Lines) -> bool:
        """Return whether an event of Label Studio, where no verdicts are shown, contradicts a panel's verdict."""
        event = self.events[index]
        if event.client != "label-studio" or event.after is not None or event.panel > 1:
            return False
        if lines.heads or now.by is None or now.by == lines.imported:
            return False
        mine = self._outcome_on(index, base)
        return event.annotator != self.events[now.by].annotator and not _alike(mine, (now.status, now.version))

    def _replaces(self, lines: _Lines, index: int, head: int) -> bool:
        """Return whether an event takes the place of a line's last one."""
        event, other = self.events[index], self.events[head]
        if event.after is not None:
            return bool(self.seen[index] >> head & 1)
        if not _alike(self.outcome(lines, head), self.outcome(lines, lines.heads[0])):
            return False  # a conflict; whether the annotator saw it is not known
        if event.annotator == other.annotator:
            return True
        if _alike(self.outcome(lines, index), self.outcome(lines, head)):
            return other.after is None
        return event.client != "label-studio" and other.after is None

    def _vote(self, lines: _Lines, index: int) -> None:
        event = self.events[index]

        def earlier_own(vote: int) -> bool:
            other = self.events[vote]
            known = event.after is None or other.after is None or bool(self.seen[index] >> vote & 1)
            return other.annotator == event.annotator and known

        lines.votes = [v for v in lines.votes if not earlier_own(v)] + [index]
        if event.verdict == "rewrite":
            alike = [
                v for v in lines.votes if lines.base[v] == lines.base[index] and self.texts.get(v) == self.texts[index]
            ]
            if len({self.events[v].annotator for v in alike}) >= max(self.events[v].panel for v in alike):
                lines.accepted.add(self.outcome(lines, index)[1])

    # ------------------------------------------------------------ what stands

    def _outcome_on(self, index: int, base: _Version) -> tuple[Status, _Version]:
        verdict = self.events[index].verdict
        if verdict == "rewrite":
            return "approved", _Version(base.revision + 1, self.texts[index])
        return ("rejected" if verdict == "reject" else "approved"), base

    def outcome(self, lines: _Lines, index: int) -> tuple[Status, _Version]:
        """Return what a verdict comes to: a status, and the revision that it is about."""
        return self._outcome_on(index, lines.base[index])

    def _now(self, lines: _Lines) -> _Now:
        if lines.heads:
            status, version = self.outcome(lines, lines.heads[0])
            return _Now(status, version, lines.heads[0])
        now = _Now() if lines.imported is None else _Now("approved", _IMPORTED, lines.imported)
        version = _IMPORTED
        while True:
            group = [v for v in lines.votes if lines.base[v] == version]
            if len({self.events[v].annotator for v in group}) < max((self.events[v].panel for v in group), default=1):
                return now
            first = self.outcome(lines, group[0])
            if not all(_alike(first, self.outcome(lines, vote)) for vote in group):
                return _Now("pending", version, disputed=True)
            now = _Now(first[0], first[1], group[-1])
            if first[1] == version:
                return now
            version = first[1]

    def _conflicts(self, lines: _Lines, now: _Now) -> set[int]:
        found = set(lines.astray)
        if not lines.heads:
            return found
        stands = self.outcome(lines, lines.heads[0])
        found |= {h for h in lines.heads if not _alike(self.outcome(lines, h), stands)}
        sights = [self.seen[h] for h in lines.heads]
        for vote in lines.votes:
            known = self.events[vote].after is not None and self.events[lines.heads[0]].after is not None
            met = any(sight >> vote & 1 for sight in sights) or self.seen[vote] >> lines.heads[0] & 1
            if known and not met and not _alike(self.outcome(lines, vote), stands):
                found.add(vote)
        return found


def _alike(one: tuple[Status, _Version], other: tuple[Status, _Version]) -> bool:
    """Return whether two verdicts come to the same: rejected, or the same text approved."""
    return one[0] == other[0] and (one[0] == "rejected" or one[1].text == other[1].text)
