"""The same three scenes in every format, with each format's defects: the same utterances and the same samples."""

from collections import Counter
from itertools import accumulate
from pathlib import Path

import pytest

from curation.importers import FORMATS, read
from curation.importers.registry import format_of
from curation.importers.source.source_file import from_bytes
from curation.importers.source.source_file import load as load_file
from curation.transcripts.scenes import to_samples
from tests.curation.importers import scenes, small
from tests.curation.importers.looks import said, turns
from tests.curation.importers.scenes import FOLDER, RENDERED

ROWS = {"scenes.messages.jsonl", "scenes.sharegpt.json", "scenes.label-studio.json"}
ARROW = "scenes.hf/data-00000-of-00001.arrow"
FILES = sorted(p.name for p in FOLDER.glob("scenes*") if p.is_file())
TRANSCRIPTS = [*(f for f in FILES if f not in ROWS), ARROW]


@pytest.fixture(scope="module")
def reference(persona):
    """The plain table: what was meant."""
    return read(FOLDER / "scenes.lines.json", persona)


def test_the_scenes_are_what_the_tests_below_compare_with(reference, persona):
    names = Counter(u.speaker for u in reference.utterances)
    assert names == {"Inosuke": 48, "Tanjiro": 30, "Zenitsu": 29, None: 11, "Aoi": 8}
    assert said(reference)[0] == ("Tanjiro", "Cầu chỉ có một thân tre thôi à?")
    assert said(reference)[-1][0] == "Inosuke"
    samples, rejected = to_samples([reference], persona)
    assert len(samples) == 16 and rejected == []
    assert turns(samples[0])[:3] == [
        ("Tanjiro", "Cầu chỉ có một thân tre thôi à?"),
        ("Zenitsu", "Một thân tre! Bên dưới là nước xiết, các cậu nghe tiếng nó gầm không?"),
        ("*", "Gầm cái gì! Suối này còn nhỏ hơn tiếng bụng ta!"),
    ]
    assert sum(bool(s.flags) for s in samples) == 11, "unknown voices are flagged"


def test_there_are_three_scenes_of_forty_to_sixty_lines_and_cues_overlap_in_them():
    lines = scenes.load()
    assert list(Counter(line.scene for line in lines).values()) == [40, 40, 46]
    assert sum(b.start < a for a, b in zip(accumulate((a.end for a in lines), max), lines[1:], strict=False)) == 5
    # A roar outlasts the cues that overlap it: the silence is measured from its end, or the scene would break here.
    late = next(line for line in lines if line.text.startswith("Ai rống"))
    before = lines[late.number - 1]
    assert late.start - before.end > 3_000 and late.start - max(line.end for line in lines[: late.number]) < 3_000


@pytest.mark.parametrize("name", sorted(RENDERED))
def test_the_files_are_rendered_from_the_table(name):
    """A line changed in the table alone (or in one file alone) would be found here."""
    assert (FOLDER / name).read_bytes() == RENDERED[name](scenes.load()), (
        "run `python -m tests.curation.importers.scenes`"
    )


def test_containers_hold_what_rendering_them_again_gives(tmp_path, persona):
    scenes.render(tmp_path)
    for name in ("scenes.parquet", "scenes.xlsx", "scenes.zip", ARROW):
        assert said(read(tmp_path / name, persona)) == said(read(FOLDER / name, persona))


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
    """What repeats across episodes is rejected; nineteen files of one episode are not nineteen episodes."""
    found = [read(FOLDER / name, persona, name=name) for name in TRANSCRIPTS]
    samples, rejected = to_samples(found, persona)
    assert rejected == []
    assert len({s.id for s in samples}) == 16 and len(samples) == 16 * len(TRANSCRIPTS)


def test_every_format_of_the_registry_is_there():
    read_by = {format_of(load_file(FOLDER / name)).read for name in [*FILES, ARROW]}
    # Documents, games and films hold the same text another way; each has a small file of its own.
    read_by |= {format_of(from_bytes(Path(name), data)).read for name, data in small.FILES.items()}
    # Their files are made by programs and differ each time: test_archives.py and test_documents.py make them.
    made = {"7z", "rar", "docx"}
    assert {name for name, form in FORMATS.items() if form.read not in read_by} == made


@pytest.mark.parametrize(
    ("name", "encoding", "reasons"),
    [
        (
            "scenes.ass",
            "utf-16",
            {"sign": 5, "comment": 2, "karaoke": 1, "drawing": 1, "layered_double": 1, "credits": 1},
        ),
        # Named utf-8, and it is not.
        ("scenes.utf-8.srt", "cp1258", {"stage_direction": 15, "bad_cue": 1, "karaoke": 1, "credits": 1}),
        ("scenes.vtt", "utf-8", {"comment": 2, "bad_cue": 1}),
        ("scenes.sub", "cp1258", {"bad_cue": 1}),
        ("scenes.ssa", "utf-8", {"bad_cue": 1}),
        # Its XML declaration says UTF-8.
        ("scenes.dfxp", "utf-16", {}),
        (
            "scenes.wiki",
            "utf-8",
            {"reference": 16, "heading": 3, "stage_direction": 3, "comment": 1, "template": 1},
        ),
        ("scenes.label-studio.json", "utf-8", {"cancelled": 1, "unlabelled": 1}),
    ],
)
def test_the_defects_are_in_the_files(name, encoding, reasons, persona):
    """The comparison above would show little over clean files."""
    found = read(FOLDER / name, persona)
    assert (found.encoding, dict(Counter(r.reason for r in found.rejected))) == (encoding, reasons)
