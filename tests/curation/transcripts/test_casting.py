"""Casting: which known character an anonymous voice is, told by how it talks."""

from __future__ import annotations

import random

import pytest

from curation.record import Imported, Source, Utterance
from curation.transcripts.casting import cast_voices, is_anonymous, recast

# Six people talk about the same things; what differs is how. No word or mark is one person's alone, and each line
# shows a habit only now and then, as lines do.
THINGS = [
    "the roof", "that old bridge", "the rice", "a letter from the city", "the river", "our neighbour's goose",
    "the lantern", "this map", "the well", "the market", "a broken cart", "the hill path", "the kettle", "winter",
    "the blue door", "two baskets of plums", "the ferry", "grandmother's comb", "the storm", "a quiet road",
]  # fmt: skip
DOINGS = [
    "look at {}", "talk about {}", "walk to {}", "forget {}", "carry {}", "worry about {}", "ask about {}",
    "wait for {}", "dream of {}", "sell {}", "fix {}", "draw {}",
]  # fmt: skip
HABITS: dict[str, dict[str, list[str]]] = {
    "Inosuke": {
        "open": ["Hah! ", "Oi, ", "", "Out of my way! ", "Hey, "],
        "will": ["I'm gonna", "I'll", "gonna", "I'm gonna go and"],
        "close": ["!", "!!", ", got it?", "! Watch me!", "!"],
    },
    "Tanjiro": {
        "open": ["I'm sorry, but ", "", "Please, ", "Thank you. ", "If it's all right, "],
        "will": ["I would like to", "I will", "let me", "we should"],
        "close": [".", ", if you don't mind.", ". Is that all right?", ", together.", "."],
    },
    "Zenitsu": {
        "open": ["No, no, ", "Whaaat? ", "Ah, ", "", "Wait, wait, "],
        "will": ["I can't", "why must I", "do I really have to", "I don't want to"],
        "close": ["...", "?!", "... I'll die!", ", please...", "?"],
    },
    "Aoi": {
        "open": ["Honestly, ", "", "First, ", "Listen. ", "Now, "],
        "will": ["you must", "you had better", "someone has to", "you will"],
        "close": [".", " before noon.", ", and properly this time.", ". No excuses.", "."],
    },
    "Giyu": {
        "open": ["", "", "I see. ", "Perhaps. ", "Hm. "],
        "will": ["one can", "I could", "there is no need to", "it is enough to"],
        "close": [".", ". That is all.", ".", ", I think.", "."],
    },
    "Mitsuri": {
        "open": ["Ooh, ", "Eek, ", "Oh my, ", "", "You know, "],
        "will": ["let's", "can we", "I just love to", "we could"],
        "close": ["~", ", it's so lovely!", ", okay?", " and eat something sweet!", "~!"],
    },
}  # fmt: skip


def speak(rng: random.Random, who: str) -> str:
    """Return a line in someone's manner; every third line has none, or borrows another's."""
    habit = HABITS[who]
    if rng.random() < 0.2:
        habit = HABITS[rng.choice(list(HABITS))]
    thing = rng.choice(DOINGS).format(rng.choice(THINGS))
    if rng.random() < 0.15:
        return f"{thing[0].upper()}{thing[1:]}."
    said = f"{rng.choice(habit['open'])}{rng.choice(habit['will'])} {thing}{rng.choice(habit['close'])}"
    return said[0].upper() + said[1:]


def line(text: str, speaker: str | None, episode: int) -> Utterance:
    source = Source(path=f"s/ep {episode}.ass", sha256="0" * 64, locator="cue 1", importer="ass")
    return Utterance(text=text, speaker=speaker, evidence="actor", source=source)


def made(seed: int, known: int = 30) -> tuple[list[Utterance], dict[str, str]]:
    """Return three episodes of six voices, after known lines of each, and who each voice is."""
    rng = random.Random(seed)
    names = list(HABITS)
    rng.shuffle(names)
    voices = {f"SPEAKER_{n:02d}": name for n, name in enumerate(names)}
    lines = [line(speak(rng, name), name, 0) for name in names for _ in range(known)]
    for episode in (1, 2, 3):
        turns = [label for label in voices for _ in range(rng.randrange(8, 20))]
        rng.shuffle(turns)
        lines += [line(speak(rng, voices[label]), label, episode) for label in turns]
    return lines, voices


@pytest.mark.parametrize("seed", range(5))
def test_six_voices_are_told_apart_from_thirty_known_lines_each(seed: int) -> None:
    lines, voices = made(seed)
    found = cast_voices({"s": lines}, {})
    assert len(found) == 6 and sum(v.lines for v in found) == sum(u.speaker in voices for u in lines)
    right = [v.ranking[0].name == voices[v.label] for v in found]
    assert sum(right) >= 0.9 * len(right)
    for voice in found:
        assert len(voice.telling) == 5 and set(voice.telling) <= {u.text for u in lines if u.speaker == voice.label}
        assert sum(c.probability for c in voice.ranking) == pytest.approx(1)
        assert (
            set(voice.episodes) == {f"s/ep {n}.ass" for n in (1, 2, 3)} and sum(voice.episodes.values()) == voice.lines
        )


def test_approved_lines_teach_too_and_a_folder_keeps_its_own_labels() -> None:
    lines, voices = made(9)
    named = [u for u in lines if u.speaker not in voices]
    known = {name: [u.text for u in named if u.speaker == name] for name in HABITS}
    talk = [u for u in lines if u.speaker in voices]
    found = cast_voices({"one": talk, "two": talk[:40]}, known)
    assert {v.folder for v in found} == {"one", "two"} and len([v for v in found if v.folder == "one"]) == 6
    assert all(v.ranking[0].name == voices[v.label] for v in found if v.folder == "one")


def test_without_known_lines_nobody_is_ranked() -> None:
    lines, _ = made(1, known=2)
    for voice in cast_voices({"s": lines}, {}):
        assert voice.ranking == () and len(voice.telling) == 5


@pytest.mark.parametrize("label", ["SPEAKER_01", "Speaker 1", "spk0", "Ka", "S1", "女1", "00001f3a", "Nữ 2", "Voice B"])
def test_labels_that_only_tell_voices_apart(label: str) -> None:
    assert is_anonymous(label)


@pytest.mark.parametrize("label", ["Inosuke", "Aoi", "伊之助", "Old man of the hill", "Namjoon", "Character actor"])
def test_names_are_not_anonymous(label: str) -> None:
    assert not is_anonymous(label)


def test_a_map_renames_labels_in_any_case() -> None:
    file = Imported(utterances=(line("Ha!", "Speaker_01", 1), line("Hm.", "SPEAKER_02", 1), line("?", None, 1)))
    assert [u.speaker for u in recast(file, {"SPEAKER_01": "Inosuke"}).utterances] == ["Inosuke", "SPEAKER_02", None]
    assert recast(file, {"SPEAKER_09": "Inosuke"}) is file
