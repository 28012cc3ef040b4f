"""Pairs and labels from the review log: rewrites, rejections, approvals, and what visitors said of replies. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from curation.cleaning.normalise import clean_text
from curation.codes import ABOUT_THE_REPLY
from curation.dedup.folding import folding_for
from curation.preferences.opinions import Judged, Opinions, Pair
from curation.record import Message, Sample
from curation.review.causes import standing
from curation.review.events import DECISIVE, Decision
from curation.review.states import State


@dataclass(frozen=True, slots=True)
class _Read:
    """A judged sample: as imported, and what stands; ``events`` are its verdicts that are not undone."""

    sample: Sample
    state: State
    events: tuple[Decision, ...]

    @property
    def final(self) -> tuple[Message, ...]:
        return self.sample.messages if self.state.messages is None else self.state.messages

    @property
    def people(self) -> int:
        """How many people stand behind the state. Import is none."""
        asked = {e.annotator for e in self.events if e.client != "import"}
        return len(asked & {*self.state.reviewers})

    @property
    def earlier(self) -> list[tuple[Message, ...]]:
        """The texts that people replaced by the one that stands, each once: the imported one first."""
        if self.state.status != "approved" or self.state.messages is None:
            return []
        written = [e.messages for e in self.events if e.messages is not None and e.id not in {*self.state.conflicts}]
        return [text for text in dict.fromkeys((self.sample.messages, *written)) if text != self.final]

    def flag(self, code: str) -> str | None:
        return next((flag.detail for flag in self.sample.flags if flag.code == code), None)


def read(
    found: Opinions,
    samples: Iterable[Sample],
    states: Mapping[str, State],
    decisions: Iterable[Decision],
    informs: Callable[[Message], bool],
    names: Sequence[str] = (),
) -> None:
    """Add the pairs and labels of the log to ``found``.

    ``informs`` tells whether a user turn is a prompt of its own, not one that many samples share: replies to a template
    prompt are not compared. ``names`` are the character's.
    """
    by_sample: dict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        by_sample[decision.sample_id].append(decision)
    judged = []
    for sample in samples:
        events = [e for e in standing(by_sample.get(sample.id, ())) if e.verdict in DECISIVE]
        read_one = _Read(sample, states.get(sample.id, State()), tuple(events))
        if read_one.people:
            judged.append(read_one)
    for one in judged:
        found.pairs += _rewritten(one, found)
        found.pairs += _better(one)
        found.labels += _labels(one)
        found.set_aside["other_reason"] += one.state.status == "rejected" and not _refused(one)
    found.pairs += _rejected(judged, samples, states, informs, names)


def _rewritten(one: _Read, found: Opinions) -> Iterator[Pair]:
    """Yield a pair for each reply that was rewritten: what stands, against each text that it replaced."""
    for before in one.earlier:
        if [m.role for m in before] != [m.role for m in one.final]:
            found.set_aside["turns_changed"] += 1
            continue
        for at, (old, new) in enumerate(zip(before, one.final, strict=True)):
            if new.role != "assistant" or old.content == new.content:
                continue
            if _asked(before[:at]) != _asked(one.final[:at]):
                found.set_aside["prompt_changed"] += 1
                continue
            yield Pair(
                sample=one.sample,
                prompt=one.final[:at],
                chosen=new.content,
                rejected=old.content,
                origin="rewrite",
                annotators=one.people,
            )


def _asked(messages: tuple[Message, ...]) -> list[str]:
    return [m.content for m in messages if m.role == "user"]


def _better(one: _Read) -> Iterator[Pair]:
    """Yield a pair for a visitor's better answer that an annotator approved: what stands, against the reply."""
    replaced = one.flag("replaced_reply")
    if replaced is None or one.state.status != "approved" or one.final[-1].role != "assistant":
        return
    if [m.content for m in one.final[:-1]] == [m.content for m in one.sample.messages[:-1]]:
        yield Pair(
            sample=one.sample,
            prompt=one.final[:-1],
            chosen=one.final[-1].content,
            rejected=clean_text(replaced),
            origin="better_answer",
            annotators=one.people + 1,  # the visitor
        )


def _rejected(
    judged: Iterable[_Read],
    samples: Iterable[Sample],
    states: Mapping[str, State],
    informs: Callable[[Message], bool],
    names: Sequence[str],
) -> Iterator[Pair]:
    """Yield a pair for each rejected reply to a prompt that has an approved one too."""
    folding = folding_for(tuple(names))

    def asked(messages: tuple[Message, ...]) -> tuple[str, ...] | None:
        turns = messages[:-1]
        if not turns or messages[-1].role != "assistant" or not any(map(informs, turns)):
            return None
        return tuple(folding.prompt(m.content) if m.role == "user" else folding.reply(m.content) for m in turns)

    lost: dict[tuple[str, ...], list[_Read]] = defaultdict(list)
    for one in judged:
        if _refused(one) and (key := asked(one.sample.messages)):
            lost[key].append(one)
    taken: set[str] = set()
    for sample in samples if lost else ():
        state = states.get(sample.id, State())
        final = sample.messages if state.messages is None else state.messages
        if state.status != "approved" or not (key := asked(final)) or key not in lost:
            continue
        for one in lost[key]:
            if one.sample.id not in taken:
                taken.add(one.sample.id)
                yield Pair(
                    sample=replace(sample, messages=final),
                    prompt=final[:-1],
                    chosen=final[-1].content,
                    rejected=one.sample.messages[-1].content,
                    origin="approved_later",
                    annotators=one.people,
                    other=one.sample,
                )


def _refused(one: _Read) -> bool:
    """Return whether people rejected the reply for what it says and how: not for whose it is, or what it gives away."""
    return one.state.status == "rejected" and one.state.reason in ABOUT_THE_REPLY


def _labels(one: _Read) -> Iterator[Judged]:
    """Yield what people said of single replies, the last of each dialogue."""
    liked, disliked = one.flag("feedback_up") is not None, one.flag("feedback_down") is not None
    if one.state.status == "approved":
        origin = "thumb" if liked and one.state.messages is None else "approval"
        yield from _label(one, one.final, True, origin)
        if disliked and one.state.messages is not None:
            yield from _label(one, one.sample.messages, False, "thumb")
        elif one.earlier and one.earlier[0][:-1] == one.final[:-1]:
            yield from _label(one, one.earlier[0], False, "rewrite")
    elif _refused(one):
        yield from _label(one, one.sample.messages, False, "thumb" if disliked else "rejection")


def _label(one: _Read, messages: tuple[Message, ...], wanted: bool, origin: str) -> Iterator[Judged]:
    if len(messages) > 1 and messages[-1].role == "assistant":
        yield Judged(
            sample=one.sample,
            prompt=messages[:-1],
            reply=messages[-1].content,
            wanted=wanted,
            origin=origin,  # type: ignore[arg-type]
            annotators=one.people,
        )
