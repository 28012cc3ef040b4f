"""Utterances of all transcripts of a build → samples. Pure; knows no format and opens no file.

A scene is what is said without a long silence, inside one section or run of pages of one file. Each scene is cut into
dialogues that end with the character's reply; every reply is in exactly one sample.
All files are needed together, since a song is recognised by its repetition in other episodes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

from curation.cleaning.damage import damage_flags
from curation.cleaning.language import judge
from curation.persona import Persona
from curation.record import Flag, Imported, Message, Rejected, Sample, Source, Utterance, sample_id
from curation.transcripts import collector
from curation.transcripts.names import name_flags
from curation.transcripts.repeats import repeated
from curation.transcripts.speakers import WEAK, Cast, confidence

# A line without context needs this many letters to be typical of the character: anyone could say `Hả?!`.
MIN_QUOTE_LETTERS = 12
# A line without context of this length or more gets the prompt for long ones.
LONG_QUOTE_CHARS = 80

# How much of the character's text decides the language of a file.
_ENOUGH_CHARS = 200

Transcript = Imported | tuple[str, Sequence[Utterance]]


class _Turn:
    """Lines of one speaker that follow each other. ``text`` is asked for once all of them are there."""

    __slots__ = ("_text", "by_character", "lines", "speaker")

    def __init__(self, by_character: bool, speaker: str | None, line: Utterance) -> None:
        self.by_character, self.speaker, self.lines = by_character, speaker, [line]
        self._text: str | None = None

    @property
    def text(self) -> str:
        if self._text is None:
            self._text = " ".join([line.text for line in self.lines])
        return self._text


class _Prompts:
    """The (short, long) prompts for lines without context, in the character's language in one file; None if missing.

    The language is judged when the first such line turns up: few files have one.
    """

    def __init__(self, lines: Sequence[Utterance], cast: Cast) -> None:
        self._lines, self._cast = lines, cast

    @cached_property
    def pair(self) -> tuple[str, str] | None:
        prompts = self._cast.persona.scenes.quote_prompts
        known = [code for code in self._cast.persona.languages if code in prompts]
        if not known:
            return None
        text = " ".join(line.text for line in self._lines if self._cast.is_character(line.speaker))
        spoken = judge(text[:_ENOUGH_CHARS], self._cast.persona).language
        return prompts[spoken if spoken in known else known[0]]


@collector.paused()
def to_samples(files: Sequence[Transcript], persona: Persona) -> tuple[list[Sample], list[Rejected]]:
    """Return the samples of all transcripts and a rejection for every line that is in none of them.

    ``files`` are what the importers gave, or (name, utterances) pairs; their order is the order of the episodes. A
    context line without a speaker gets the sample an ``unknown_speaker`` flag, since it may be the character's own.
    """
    cast = Cast(persona)
    episodes = [
        list(part)
        for file in files
        for _, part in groupby(file.utterances if isinstance(file, Imported) else file[1], key=lambda u: u.source.path)
    ]
    samples: list[Sample] = []
    rejected: list[Rejected] = []
    for lines, songs in zip(episodes, repeated(episodes), strict=True):
        kept = [line for i, line in enumerate(lines) if i not in songs]
        found = _Cut(cast, _Prompts(kept, cast))
        repeats = (lines[i] for i in sorted(songs))
        found.reject(repeats, reason="repeated", detail="the same lines open or close other episodes")
        for number, scene in enumerate(cut(kept, persona), 1):
            found.add_scene(scene, number)
        samples += found.samples
        rejected += found.rejected
    return samples, rejected


def cut(lines: Sequence[Utterance], persona: Persona) -> Iterator[list[Utterance]]:
    """Cut one file's utterances into scenes: at its sections, and at silences longer than persona.toml's gap.

    The silence is measured from the latest end so far: cues overlap, and a long one may outlast the next.
    """
    gap = persona.scenes.gap_seconds * 1000
    scene: list[Utterance] = []
    latest: int | None = None
    section = ""
    for line in lines:
        # The importers write the part of a file before a middle dot: `section 2 · line 5`, `scene 1 · page 3 box 2`.
        here = line.source.locator.partition(" · ")[0] if " · " in line.source.locator else ""
        silent = latest is not None and line.start_ms is not None and line.start_ms - latest > gap
        if scene and (here != section or silent):
            yield scene
            scene, latest = [], None
        section = here
        end = line.end_ms if line.end_ms is not None else line.start_ms
        latest = end if latest is None else latest if end is None else max(latest, end)
        scene.append(line)
    if scene:
        yield scene


@dataclass(slots=True)
class _Cut:
    """What is cut from one file, scene by scene."""

    cast: Cast
    prompts: _Prompts
    samples: list[Sample] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)

    def add_scene(self, scene: Sequence[Utterance], number: int) -> None:
        """Cut a scene into dialogues of at most max_turns before the last reply and max_chars in all."""
        turns = list(_turns(scene, self.cast))
        if not any(turn.by_character for turn in turns):
            if all(turn.speaker is None for turn in turns):
                self.reject(scene, reason="no_speakers", detail="no speaker is named in this scene")
            else:
                self.reject(scene, reason="character_silent", detail="the character says nothing in this scene")
            return
        limit = self.cast.persona.scenes
        dialogue: list[_Turn] = []  # complete: ends with a reply
        waiting: list[_Turn] = []  # what has been said since
        for turn in turns:
            if not turn.by_character:
                waiting.append(turn)
                continue
            if not waiting and not dialogue:
                self._quote(turn, number)
                continue
            grown = [*dialogue, *waiting, turn]
            if dialogue and (len(grown) - 1 > limit.max_turns or sum(len(t.text) for t in grown) > limit.max_chars):
                self.samples.append(_sample(dialogue, number, self.cast))
                grown = [*waiting, turn]
            grown, dropped = _within(grown, limit.max_turns, limit.max_chars)
            self.reject(_lines(dropped), reason="beyond_context", detail="too far before the character's reply")
            dialogue, waiting = grown, []
            if len(grown) == 1:  # even one turn of context is too long beside this reply
                self._quote(turn, number)
                dialogue = []
        if dialogue:
            self.samples.append(_sample(dialogue, number, self.cast))
        self.reject(_lines(waiting), reason="after_last_reply", detail="the character says nothing after it")

    def _quote(self, turn: _Turn, scene: int) -> None:
        """Make a sample of a line without context, after the persona's prompt for such lines."""
        text = turn.text
        if sum(c.isalpha() for c in text) < MIN_QUOTE_LETTERS:
            self.reject(turn.lines, reason="too_short_alone", detail="nothing was said before it")
            return
        if self.prompts.pair is None:
            why = "persona.toml has no [scenes.quote_prompts] for the character's languages"
            self.reject(turn.lines, reason="no_quote_prompt", detail=why)
            return
        prompt = self.prompts.pair[len(text) >= LONG_QUOTE_CHARS]
        messages = (Message("user", prompt), Message("assistant", text))
        self.samples.append(
            Sample(
                id=sample_id("quote", messages),
                kind="quote",
                messages=messages,
                language=None,
                topic=None,
                source=_span(turn.lines, scene),
                flags=(*_flags([turn], self.cast), *damage_flags((text,))),
            )
        )

    def reject(self, lines: Iterable[Utterance], *, reason: str, detail: str) -> None:
        """Keep lines that no sample needs, with the reason."""
        for line in lines:
            who = f"{line.speaker}: " if line.speaker else ""
            self.rejected.append(Rejected(source=line.source, reason=reason, text=who + line.text, detail=detail))


def _lines(turns: Iterable[_Turn]) -> Iterator[Utterance]:
    return (line for turn in turns for line in turn.lines)


def _within(turns: list[_Turn], max_turns: int, max_chars: int) -> tuple[list[_Turn], list[_Turn]]:
    """Drop turns from the front until the dialogue fits; the last reply always stays."""
    first = max(0, len(turns) - 1 - max_turns)
    size = sum(len(t.text) for t in turns[first:])
    while first < len(turns) - 1 and size > max_chars:
        size -= len(turns[first].text)
        first += 1
    return turns[first:], turns[:first]


def _turns(scene: Iterable[Utterance], cast: Cast) -> Iterator[_Turn]:
    """Join consecutive lines of one speaker. Lines without a speaker stay apart: each may be another person's."""
    turn: _Turn | None = None
    for line in scene:
        speaker = None if line.speaker is None else cast.spell(line.speaker)
        if turn is not None and speaker is not None and turn.speaker == speaker:
            turn.lines.append(line)
            continue
        if turn is not None:
            yield turn
        turn = _Turn(speaker == cast.persona.name, speaker, line)
    if turn is not None:
        yield turn


def _sample(turns: Sequence[_Turn], scene: int, cast: Cast) -> Sample:
    messages = tuple(
        Message("assistant", t.text) if t.by_character else Message("user", t.text, t.speaker) for t in turns
    )
    return Sample(
        id=sample_id("conversation", messages),
        kind="conversation",
        messages=messages,
        language=None,
        topic=None,
        source=_span(list(_lines(turns)), scene),
        flags=(
            *_flags(turns, cast),
            *name_flags(cast.persona, messages),
            *damage_flags(m.content for m in messages),
        ),
    )


def _flags(turns: Sequence[_Turn], cast: Cast) -> tuple[Flag, ...]:
    flags = []
    unknown = [t.text for t in turns if t.speaker is None and not all(u.evidence == "dash" for u in t.lines)]
    together = [t.speaker for t in turns if cast.includes_character(t.speaker)]
    if unknown:
        flags.append(Flag("unknown_speaker", f"no speaker is named for: {unknown[0][:80]}"))
    elif together:
        flags.append(Flag("unknown_speaker", f"said by several at once: {together[0]}"))
    own = [u for t in turns if t.by_character for u in t.lines]
    mixed = next((u for u in own if u.evidence.startswith("mixed")), None)
    if mixed is not None:
        flags.append(Flag("possible_speaker", mixed.text[:80]))
    weak = [u for u in own if u is not mixed and confidence(u) < WEAK]
    if weak and mixed is None:
        flags.append(Flag("weak_speaker", f"only this names {cast.persona.name} as the speaker: {weak[0].evidence}"))
    return tuple(flags)


def _span(lines: Sequence[Utterance], scene: int) -> Source:
    """Return the provenance of several lines, from the place of the first to that of the last.

    The scene is named before a middle dot unless the importer already named a section or scene there. The split reads
    it to keep a scene on one side.
    """
    first, last = lines[0].source, lines[-1].source
    locator = first.locator if first.locator == last.locator else f"{first.locator} to {last.locator}"
    if " · " not in locator:
        locator = f"scene {scene} · {locator}"
    return Source(path=first.path, sha256=first.sha256, locator=locator, importer=first.importer, rights=first.rights)
