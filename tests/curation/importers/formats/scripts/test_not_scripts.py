"""Texts that are no script, rows that are nobody's, and the marks around words."""

from __future__ import annotations

import pytest

from curation.errors import InosukeError
from tests.curation.importers.looks import rejections, said

PROSE = "it looks like prose with quoted speech"
NO_SCRIPTS = {
    "a list with dashes": ("Sword - a blade\nBoar - an animal\nInosuke - the king\n", "a list with dashes"),
    "English prose": ('It was dark.\n\n"Where are you?" asked Tanjiro.\n\n"Up!" Inosuke shouted.\n', PROSE),
    "Vietnamese prose": ("– Cậu ở đâu? – Tanjiro hỏi.\n– Trên mái nhà! – Inosuke hét lên.\n", PROSE),
    "Japanese prose": ("炭治郎は言った「どこだ」\n「屋根の上だ！」と伊之助が叫んだ。\n", PROSE),
    "lines in quotes": ("「どこだ」\n「屋根の上だ」\n", "lines in quotes"),
    "a licence": ("Apache License\nVersion 2.0\n\nTERMS\n\n1. Definitions.\n", "prose or notes"),
    "a program's log": (
        "2024-01-02 10:15:03 ERROR: a\n2024-01-02 10:15:04 INFO: b\n2024-01-02 10:15:05 INFO: c\n",
        "log",
    ),
    "times in prose": ("10:30 was late. He ran.\nAt 10:45 she came.\n10:50 they left.\n", "looks like"),
    "nothing": ("\n \n", "it is empty"),
}


@pytest.mark.parametrize(("text", "looks"), NO_SCRIPTS.values(), ids=NO_SCRIPTS)
def test_a_text_without_script_lines_is_an_error_that_says_what_it_looks_like(imported, text, looks):
    with pytest.raises(InosukeError, match=f"no script lines; .*{looks}"):
        imported("a.txt", text)


@pytest.mark.parametrize(
    "text",
    [
        "# Readme\n\n## Install\n\nrun it\n\n## Usage\n\nrun\n\n## Install\n\nagain\n",
        "# Changelog\n\n## 1.0\n\n### Added\n- x\n\n### Fixed\n- y\n\n## 0.9\n\n### Added\n- z\n",
    ],
)
def test_headings_that_recur_in_other_markdown_are_not_names(imported, text):
    assert imported("a.md", text).format == "skipped (no script lines)"


ROWS = {
    "a dash is another speaker": (
        "Inosuke: Ta!\n- Khoan đã!\nInosuke: Ha!\n",
        [("Inosuke", "Ta!"), (None, "Khoan đã!"), ("Inosuke", "Ha!")],
    ),
    "what is told about a person": (
        "Tanjiro: A\nInosuke: B\nTanjiro laughs.\nInosuke: C\n",
        [("Tanjiro", "A"), ("Inosuke", "B"), (None, "Tanjiro laughs."), ("Inosuke", "C")],
    ),
    "what follows a closed quote": (
        "伊之助「俺が\n先に」\n夜が来た。\n炭治郎「はい」\n伊之助「ねる」\n",
        [("Inosuke", "俺が"), ("Inosuke", "先に"), (None, "夜が来た。"), ("炭治郎", "はい"), ("Inosuke", "ねる")],
    ),
    "quotes inside a turn stay": (
        'Inosuke: "A" and "B"\nTanjiro: “C”\nInosuke: 「D」「E」\n',
        [("Inosuke", '"A" and "B"'), ("Tanjiro", "C"), ("Inosuke", "「D」「E」")],
    ),
    "words without capitals": (
        "Speaker 1: hi\nSpeaker 2: yo\nSpeaker 1: ok\n",
        [("Speaker 1", "hi"), ("Speaker 2", "yo"), ("Speaker 1", "ok")],
    ),
    "a table's first row": (
        "Name\tLine\nTanjiro\tA\nInosuke\tB\nTanjiro\tC\n",
        [(None, "Name Line"), ("Tanjiro", "A"), ("Inosuke", "B"), ("Tanjiro", "C")],
    ),
}


@pytest.mark.parametrize(("text", "lines"), ROWS.values(), ids=ROWS)
def test_a_row_is_given_to_a_speaker_only_where_it_is_theirs(imported, text, lines):
    assert said(imported("a.txt", text)) == lines


def test_markdown_marks_and_escapes(imported):
    text = (
        "**Tanjiro:** Where? **Inosuke:** Up\\! \\[No\\] 1\\. **Tanjiro:** *Ha* \\*x\\*\n\n"
        "__Inosuke:__ Please __Tanjiro:__ No\n\n**Inosuke:** 1\\. Go\\!\n"
    )
    assert said(imported("a.md", text)) == [
        ("Tanjiro", "Where?"),
        ("Inosuke", "Up! [No] 1."),
        ("Tanjiro", "Ha x"),
        ("Inosuke", "Please"),
        ("Tanjiro", "No"),
        ("Inosuke", "1. Go!"),
    ]


def test_names_in_headings_speak_until_the_next_one_and_parts_begin_scenes(imported):
    text = (
        "## Act 1\n\n### Tanjiro\n\nWhere?\n\nAnd who?\n\n(wind)\n\n### Inosuke\n\nUp!\n\n## Act 2\n\nA field.\n\n"
        "### Zenitsu\n\nHelp!\n\n### Inosuke\n\nHa!\n"
    )
    found = imported("a.md", text)
    assert said(found) == [
        ("Tanjiro", "Where?"),
        ("Tanjiro", "And who?"),
        ("Inosuke", "Up!"),
        (None, "A field."),
        ("Zenitsu", "Help!"),
        ("Inosuke", "Ha!"),
    ]
    assert rejections(found) == [("heading", "## Act 1"), ("stage_direction", "(wind)"), ("heading", "## Act 2")]
    assert [u.source.locator.split(" · ")[0] for u in found.utterances] == ["scene 1"] * 3 + ["scene 2"] * 3


def test_transitions_and_names_without_words_keep_their_reason(imported):
    text = "FADE IN:\n\nINT. HOUSE\n\nTANJIRO\nHm.\n\nINOSUKE\n(laughs)\n\nTANJIRO\nOk.\n\nINOSUKE\nHa!\n"
    found = imported("a.txt", text)
    assert said(found) == [("Tanjiro", "Hm."), ("Tanjiro", "Ok."), ("Inosuke", "Ha!")]
    assert ("heading", "FADE IN:") in rejections(found)


def test_a_chat_is_one_conversation_over_minutes_and_midnight_and_notices_are_set_aside(imported):
    text = "[23:58] * Aoi joins\n[23:58] <Tanjiro> a\n[23:59] <Inosuke> b\n[00:09] <Tanjiro> c\n[02:01] <Inosuke> d\n"
    found = imported("a.log", text)
    assert [(u.speaker, u.start_ms, u.end_ms) for u in found.utterances] == [
        ("Tanjiro", 0, 60_000),
        ("Inosuke", 60_000, 660_000),
        ("Tanjiro", 660_000, None),
        ("Inosuke", 7_380_000, None),
    ]
    assert rejections(found) == [("stage_direction", "* Aoi joins")]


def test_a_line_without_an_end_ends_with_its_words_and_not_with_the_next_stamp(imported):
    found = imported("a.txt", "Tanjiro  0:01\nHello there.\n\nInosuke  12:10\nUp!\n\nTanjiro  12:11\nOk.\n")
    assert [(u.start_ms, u.end_ms) for u in found.utterances] == [(1000, 5400), (730_000, 731_000), (731_000, 733_600)]


@pytest.mark.parametrize("name", ["LICENSE.txt", "README.txt", "readme-vi.txt", "Read Me.txt", "CHANGELOG.txt"])
def test_a_notice_beside_a_release_is_left_out_and_no_error(imported, name):
    text = "Copyright 2019 by the team.\n\nYou may copy these files, as long as this notice stays with them.\n"
    assert imported(name, text).format == "skipped (no script lines)"


def test_lines_in_a_file_that_is_called_a_notice_are_read(imported):
    text = "Tanjiro: We have to go.\nInosuke: Then run!\nTanjiro: Wait for me!\nInosuke: Never!\n"
    assert len(imported("readme.txt", text).utterances) == 4
