"""Utterances of all transcripts of a build → samples. Pure; knows no format and opens no file.

A scene is what is said without a long silence, inside one section or page run of one file. Each scene is cut into
dialogues that end with the character's reply; every reply of his is the target of exactly one sample. All files are
needed together, since a song is known by being sung in more than one episode.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import groupby

from curation.cleaning.language import detect
from curation.persona import Persona
from curation.record import Flag, Imported, Message, Rejected, Sample, Source, Utterance, sample_id
from curation.transcripts.repeats import repeated
from curation.transcripts.speakers import WEAK, Cast, confidence

# A line alone needs this many letters to say something about him: `Hả?!` is nobody's in particular.
MIN_QUOTE_LETTERS = 12
# From here on a line alone is answered to the prompt for long ones.
LONG_QUOTE_CHARS = 80

# Of what he says, to tell the language of a file: more makes langdetect slower and no surer.
_ENOUGH_CHARS = 200

Transcript = Imported | tuple[str, Sequence[Utterance]]


class _Turn:
    """Lines of one speaker that follow each other."""

    __slots__ = ("his", "lines", "speaker")

    def __init__(self, his: bool, speaker: str | None, line: Utterance) -> None:
        self.his, self.speaker, self.lines = his, speaker, [line]

    @property
    def text(self) -> str:
        return " ".join(line.text for line in self.lines)


class _Prompts:
    """The (short, long) prompts for lines alone, in the language that he speaks in a file; None if there are none.

    Found out when the first such line turns up: telling a language takes milliseconds, and few files have one.
    """

    def __init__(self, lines: Sequence[Utterance], cast: Cast) -> None:
        self._lines, self._cast = lines, cast

    @cached_property
    def pair(self) -> tuple[str, str] | None:
        prompts = self._cast.persona.scenes.quote_prompts
        known = [code for code in self._cast.persona.languages if code in prompts]
        if not known:
            return None
        his = " ".join(line.text for line in self._lines if self._cast.is_character(line.speaker))
        spoken = detect(his[:_ENOUGH_CHARS])
        return prompts[spoken if spoken in known else known[0]]


def to_samples(files: Sequence[Transcript], persona: Persona) -> tuple[list[Sample], list[Rejected]]:
    """Return the samples of all transcripts and, with its reason, every line that is in none of them.

    ``files`` are what the importers gave, or (name, utterances) pairs; their order is the order of the episodes. A
    context line that nobody is named for gets the sample an ``unknown_speaker`` flag, since it may be his own.
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
        rejected += [_aside(lines[i], "repeated", "the same lines open or close other episodes") for i in sorted(songs)]
        kept = [line for i, line in enumerate(lines) if i not in songs]
        prompts = _Prompts(kept, cast)
        for number, scene in enumerate(cut(kept, persona), 1):
            _scene(scene, number, cast, prompts, samples, rejected)
    return samples, rejected


def cut(lines: Sequence[Utterance], persona: Persona) -> Iterator[list[Utterance]]:
    """Cut one file's utterances into scenes: at its sections, and at silences longer than persona.toml's gap.

    The silence counts from the latest end so far: cues overlap, and a long one may outlast the next.
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


def _scene(
    scene: list[Utterance],
    number: int,
    cast: Cast,
    prompts: _Prompts,
    samples: list[Sample],
    rejected: list[Rejected],
) -> None:
    """Cut a scene into dialogues of at most max_turns before the last reply and max_chars in all."""
    turns = list(_turns(scene, cast))
    if not any(turn.his for turn in turns):
        nobody = all(turn.speaker is None for turn in turns)
        reason = (
            ("no_speakers", "nobody is named in this scene") if nobody else ("character_silent", "he says nothing here")
        )
        rejected += [_aside(line, *reason) for line in scene]
        return
    limit = cast.persona.scenes
    dialogue: list[_Turn] = []  # complete: ends with a reply of his
    waiting: list[_Turn] = []  # what has been said since
    for turn in turns:
        if not turn.his:
            waiting.append(turn)
            continue
        if not waiting and not dialogue:
            _quote(turn, number, prompts, samples, rejected, cast)
            continue
        grown = [*dialogue, *waiting, turn]
        if dialogue and (len(grown) - 1 > limit.max_turns or sum(len(t.text) for t in grown) > limit.max_chars):
            samples.append(_sample(dialogue, number, cast))
            grown = [*waiting, turn]
        grown, dropped = _within(grown, limit.max_turns, limit.max_chars)
        rejected += [_aside(u, "beyond_context", "too far before his reply") for t in dropped for u in t.lines]
        dialogue, waiting = grown, []
        if len(grown) == 1:  # even one turn of context is too long beside this reply
            _quote(turn, number, prompts, samples, rejected, cast)
            dialogue = []
    if dialogue:
        samples.append(_sample(dialogue, number, cast))
    rejected += [_aside(u, "after_last_reply", "he says nothing after it") for t in waiting for u in t.lines]


def _within(turns: list[_Turn], max_turns: int, max_chars: int) -> tuple[list[_Turn], list[_Turn]]:
    """Drop turns from the front until the dialogue fits; his last reply always stays."""
    first = max(0, len(turns) - 1 - max_turns)
    size = sum(len(t.text) for t in turns[first:])
    while first < len(turns) - 1 and size > max_chars:
        size -= len(turns[first].text)
        first += 1
    return turns[first:], turns[:first]


def _turns(scene: Iterable[Utterance], cast: Cast) -> Iterator[_Turn]:
    """Join lines of one speaker. Unknown lines stay apart: they may be different people's."""
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
    messages = tuple(Message("assistant", t.text) if t.his else Message("user", t.text, t.speaker) for t in turns)
    lines = [line for t in turns for line in t.lines]
    return Sample(
        sample_id("conversation", messages),
        "conversation",
        messages,
        None,
        None,
        _span(lines, scene),
        _flags(turns, cast),
    )


def _quote(
    turn: _Turn, scene: int, prompts: _Prompts, samples: list[Sample], rejected: list[Rejected], cast: Cast
) -> None:
    """A line that stands alone: the persona's own prompt for such lines goes before it."""
    text = turn.text
    if sum(c.isalpha() for c in text) < MIN_QUOTE_LETTERS:
        rejected += [_aside(line, "too_short_alone", "nothing was said before it") for line in turn.lines]
        return
    if prompts.pair is None:
        why = "persona.toml has no [scenes.quote_prompts] for his languages"
        rejected += [_aside(line, "no_quote_prompt", why) for line in turn.lines]
        return
    prompt = prompts.pair[len(text) >= LONG_QUOTE_CHARS]
    messages = (Message("user", prompt), Message("assistant", text))
    flags = _flags([turn], cast)
    samples.append(Sample(sample_id("quote", messages), "quote", messages, None, None, _span(turn.lines, scene), flags))


def _flags(turns: Sequence[_Turn], cast: Cast) -> tuple[Flag, ...]:
    flags = []
    unknown = [t.text for t in turns if t.speaker is None and not all(u.evidence == "dash" for u in t.lines)]
    together = [t.speaker for t in turns if cast.includes_character(t.speaker)]
    if unknown:
        flags.append(Flag("unknown_speaker", f"nobody is named for: {unknown[0][:80]}"))
    elif together:
        flags.append(Flag("unknown_speaker", f"said by several at once: {together[0]}"))
    weak = [u for t in turns if t.his for u in t.lines if confidence(u) < WEAK]
    if weak:
        flags.append(Flag("weak_speaker", f"he is known as the speaker by {weak[0].evidence} alone"))
    return tuple(flags)


def _span(lines: Sequence[Utterance], scene: int) -> Source:
    """Return the provenance of several lines: the first's place and the last's.

    The scene is named before a middle dot, as the split reads it, unless the importer knew sections or scenes of its
    own: a scene stays on one side.
    """
    first, last = lines[0].source, lines[-1].source
    locator = first.locator if first.locator == last.locator else f"{first.locator} to {last.locator}"
    if " · " not in locator:
        locator = f"scene {scene} · {locator}"
    return Source(first.path, first.sha256, locator, first.importer, first.rights)


def _aside(line: Utterance, reason: str, detail: str) -> Rejected:
    who = f"{line.speaker}: " if line.speaker else ""
    return Rejected(line.source, reason, who + line.text, detail)
