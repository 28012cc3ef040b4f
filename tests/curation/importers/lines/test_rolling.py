"""Roll-up and paint-on captions: each line once, in every format; what people say twice stays."""

from collections.abc import Callable

import pytest

from curation.record import Imported
from tests.curation.importers.formats.subtitles.test_ass import HEAD, event
from tests.curation.importers.looks import rejections, said

Rows = list[tuple[float, float, str]]


def srt(rows: Rows) -> str:
    blocks = [f"{i}\n{_clock(a, ',')} --> {_clock(b, ',')}\n{text}\n" for i, (a, b, text) in enumerate(rows, 1)]
    return "\n".join(blocks)


def vtt(rows: Rows) -> str:
    return "WEBVTT\n\n" + "\n\n".join(f"{_clock(a, '.')} --> {_clock(b, '.')}\n{text}" for a, b, text in rows)


def sbv(rows: Rows) -> str:
    return "\n\n".join(f"{_clock(a, '.')},{_clock(b, '.')}\n{text}" for a, b, text in rows)


def ass(rows: Rows) -> str:
    return HEAD + "".join(
        event(text.replace("\n", "\\N"), start=_clock(a, ".")[1:-1], end=_clock(b, ".")[1:-1]) for a, b, text in rows
    )


def _clock(seconds: float, point: str) -> str:
    ms = round(seconds * 1000)
    return f"00:{ms // 60_000:02d}:{ms // 1000 % 60:02d}{point}{ms % 1000:03d}"


FORMATS = {"a.srt": srt, "a.vtt": vtt, "a.sbv": sbv, "a.ass": ass}
ROLLS: dict[str, tuple[Rows, list[str]]] = {
    "two lines": (
        [
            (1, 2, "INOSUKE: where are you"),
            (2, 3, "INOSUKE: where are you\nI am here"),
            (3, 4, "I am here\nand I win"),
            (4, 5, "and I win\nTANJIRO: no you do not"),
        ],
        ["where are you", "I am here", "and I win", "no you do not"],
    ),
    "three lines": (
        [
            (1, 2, "a man said"),
            (2, 3, "a man said\nto me"),
            (3, 4, "a man said\nto me\nINOSUKE: go"),
            (4, 5, "to me\nINOSUKE: go\nnow then"),
            (5, 6, "INOSUKE: go\nnow then\nTANJIRO: ok"),
        ],
        ["a man said", "to me", "go", "now then", "ok"],
    ),
    "rolling and growing": (
        [
            (1, 2, "TANJIRO: hi"),
            (2, 3, "TANJIRO: hi there"),
            (3, 4, "TANJIRO: hi there\nINOSUKE: I"),
            (4, 5, "TANJIRO: hi there\nINOSUKE: I win"),
            (5, 6, "INOSUKE: I win\nTANJIRO: no"),
            (6, 7, "INOSUKE: I win\nTANJIRO: no way"),
        ],
        ["hi there", "I win", "no way"],
    ),
    "word by word": (
        [
            (1, 2, "TANJIRO: Where?"),
            (2, 3, "INOSUKE: Up"),
            (3, 4, "INOSUKE: Up on"),
            (4, 5, "INOSUKE: Up on the roof!"),
        ],
        ["Where?", "Up on the roof!"],
    ),
    "letter by letter": (
        [(1, 2, "INOSUKE: U"), (2, 3, "INOSUKE: Up he"), (3, 4, "INOSUKE: Up here!")],
        ["Up here!"],
    ),
    "held for a moment": (
        [(1, 2, "TANJIRO: hi you"), (2, 2.01, "TANJIRO: hi you"), (2.01, 4, "TANJIRO: hi you\nINOSUKE: ha")],
        ["hi you", "ha"],
    ),
    "said twice": (
        [(1, 2, "TANJIRO: Run!"), (2, 3, "TANJIRO: Run!"), (3, 4, "INOSUKE: No!"), (4, 5, "INOSUKE: No! Never!")],
        ["Run!", "Run!", "No!", "No! Never!"],
    ),
    "far apart": (
        [(1, 2, "INOSUKE: Up on"), (30, 31, "INOSUKE: Up on the roof!")],
        ["Up on", "Up on the roof!"],
    ),
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("kind", ROLLS)
def test_each_line_of_rolling_captions_is_said_once(kind: str, name: str, imported: Callable[..., Imported]) -> None:
    rows, expected = ROLLS[kind]
    assert [text for _, text in said(imported(name, FORMATS[name](rows)))] == expected


def test_what_is_taken_off_is_kept_as_a_rejection(imported: Callable[..., Imported]) -> None:
    rows, _ = ROLLS["two lines"]
    found = imported("a.srt", srt(rows))
    assert {reason for reason, _ in rejections(found)} == {"carried_over"}
    assert [text for _, text in rejections(found)] == ["INOSUKE: where are you", "I am here", "and I win"]


def test_a_line_that_grew_begins_when_its_first_word_was_shown(imported: Callable[..., Imported]) -> None:
    found = imported("a.srt", srt(ROLLS["word by word"][0]))
    assert [(u.start_ms, u.end_ms) for u in found.utterances] == [(1000, 2000), (2000, 5000)]


def test_two_people_who_say_the_same_are_two(imported: Callable[..., Imported]) -> None:
    text = (
        HEAD
        + event("Up on the roof", name="Tanjiro")
        + event("Up on the roof it is", name="Inosuke", start="0:00:02.00")
    )
    assert said(imported("a.ass", text)) == [("Tanjiro", "Up on the roof"), ("Inosuke", "Up on the roof it is")]


@pytest.mark.parametrize("apart_ms", [0, 10, 50, 100])
@pytest.mark.parametrize("start_ms", [2950, 2990, 3000, 3040])
def test_layers_a_few_frames_apart_are_one_line(
    start_ms: int, apart_ms: int, imported: Callable[..., Imported]
) -> None:
    rows = [(start_ms / 1000, 4.0, "Up!"), ((start_ms + apart_ms) / 1000, 4.0 + apart_ms / 1000, "Up!")]
    found = imported("a.ass", ass(rows))
    assert said(found) == [(None, "Up!")]
    assert [reason for reason, _ in rejections(found)] == ["layered_double"]
