"""The same two scenes in every format, with each format's defects: the same utterances and the same samples."""

from collections import Counter
from pathlib import Path

import pytest

from curation.importers import FORMATS, read
from curation.importers.registry import format_of
from curation.importers.source_file import load
from curation.scenes import to_samples
from tests.curation.importers.looks import said, turns

FOLDER = Path(__file__).parents[3] / "datasets" / "sources" / "transcripts"
ROWS = {"two-scenes.messages.jsonl", "two-scenes.sharegpt.json", "two-scenes.label-studio.json"}
ABOUT = {"dataset_info.json", "state.json"}
FILES = sorted(
    p.relative_to(FOLDER).as_posix() for p in FOLDER.rglob("two-scenes*") if p.is_file() and p.parent == FOLDER
)
TRANSCRIPTS = [*(f for f in FILES if f not in ROWS), "two-scenes.hf/data-00000-of-00001.arrow"]


@pytest.fixture(scope="module")
def reference(persona):
    """The plain table: what was meant."""
    return read(FOLDER / "two-scenes.lines.json", persona)


def test_the_scenes_are_what_the_tests_below_compare_with(reference, persona):
    assert Counter(u.speaker for u in reference.utterances) == {"Inosuke": 31, "Tanjiro": 21, "Zenitsu": 20, None: 8}
    assert said(reference)[0] == ("Tanjiro", "Cầu chỉ có một thân tre thôi à?")
    assert said(reference)[-1][0] == "Inosuke"
    samples, rejected = to_samples([reference], persona)
    assert len(samples) == 10 and rejected == []
    assert turns(samples[0])[:3] == [
        ("Tanjiro", "Cầu chỉ có một thân tre thôi à?"),
        ("Zenitsu", "Một thân tre! Bên dưới là nước xiết, các cậu nghe tiếng nó gầm không?"),
        ("*", "Gầm cái gì! Suối này còn nhỏ hơn tiếng bụng ta!"),
    ]
    assert sum(bool(s.flags) for s in samples) == 8, "unknown voices are flagged"


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_every_format_gives_the_same_utterances_and_samples(name, reference, persona):
    found = read(FOLDER / name, persona)
    assert said(found) == said(reference)
    expected, _ = to_samples([reference], persona)
    samples, rejected = to_samples([found], persona)
    assert [(s.id, [f.code for f in s.flags]) for s in samples] == [(s.id, [f.code for f in s.flags]) for s in expected]
    assert rejected == []


@pytest.mark.parametrize("name", sorted(ROWS))
def test_rows_of_dialogue_give_the_same_samples(name, reference, persona):
    expected, _ = to_samples([reference], persona)
    samples = read(FOLDER / name, persona).samples
    assert [(s.id, s.flags) for s in samples] == [(s.id, s.flags) for s in expected]


def test_all_formats_together_are_one_episode_and_no_song(persona, reference):
    """What repeats across episodes is set aside; thirteen files of one episode are not thirteen episodes."""
    found = [read(FOLDER / name, persona, name=name) for name in TRANSCRIPTS]
    samples, rejected = to_samples(found, persona)
    assert rejected == []
    assert len({s.id for s in samples}) == 10 and len(samples) == 10 * len(TRANSCRIPTS)


def test_every_format_of_the_registry_is_there():
    read_by = {format_of(load(FOLDER / name)) for name in [*FILES, "two-scenes.hf/data-00000-of-00001.arrow"]}
    assert {name for name, form in FORMATS.items() if form.read not in read_by} == set()


@pytest.mark.parametrize(
    ("name", "encoding", "reasons"),
    [
        (
            "two-scenes.ass",
            "utf-16",
            {"sign": 5, "comment": 2, "karaoke": 1, "drawing": 1, "layered_double": 1, "credits": 1},
        ),
        ("two-scenes.srt", "cp1258", {"stage_direction": 9, "bad_cue": 1, "karaoke": 1, "credits": 1}),
        ("two-scenes.vtt", "utf-8", {"comment": 2, "bad_cue": 1}),
        ("two-scenes.sub", "cp1258", {"bad_cue": 1}),
        ("two-scenes.ssa", "utf-8", {"bad_cue": 1}),
    ],
)
def test_the_defects_are_in_the_files(name, encoding, reasons, persona):
    """The comparison above would show little over clean files."""
    found = read(FOLDER / name, persona)
    assert (found.encoding, dict(Counter(r.reason for r in found.rejected))) == (encoding, reasons)
