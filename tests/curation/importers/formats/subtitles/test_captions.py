"""SBV, SubViewer, LRC, SAMI, MPL2, TMPlayer and YouTube's timed text: lines, times, and what is not a line."""

from collections.abc import Callable

import pytest

from curation.record import Imported
from tests.curation.importers.looks import rejections, said
from tests.curation.importers.small import JSON3, LRC, MPL2, SAMI, SBV, SRV3, SUBVIEWER, TMPLAYER

Import = Callable[..., Imported]


@pytest.mark.parametrize(
    ("name", "text", "times"),
    [
        ("a.sbv", SBV, [(1000, 2500), (3000, 4500)]),
        ("a.sub", SUBVIEWER, [(1000, 2500), (3000, 4500)]),
        ("a.sub", MPL2, [(1000, 2500), (3000, 4500)]),
        ("a.txt", TMPLAYER, [(1000, 3000), (3000, 5000)]),
        ("a.smi", SAMI, [(1000, 2000), (3000, 7000)]),
        ("a.xml", SRV3, [(1000, 2500), (3000, 4500)]),
        ("a.json", JSON3, [(1000, 2500), (3000, 4500)]),
    ],
)
def test_each_format_is_known_by_its_content_and_gives_lines_with_times(
    name: str, text: str, times: list[tuple[int, int]], imported: Import
) -> None:
    found = imported(name, text)
    assert [u.speaker for u in found.utterances] == ["Tanjiro", "Inosuke"]
    assert found.utterances[0].text.startswith("Đi nào!") and found.utterances[1].text.startswith("Ta")
    shown = [(u.start_ms, u.end_ms) for u in found.utterances]
    # Where a format gives no end, the time to read the words stands for it.
    assert [a for a, _ in shown] == [a for a, _ in times]
    assert all(
        end is not None and start is not None and start < end <= latest
        for (start, end), (_, latest) in zip(shown, times, strict=True)
    )


def test_an_lrc_line_with_two_times_is_said_twice_and_the_offset_counts(imported: Import) -> None:
    found = imported("a.lrc", LRC)
    assert said(found) == [("Tanjiro", "Đi nào!"), ("Inosuke", "Ta!"), ("Tanjiro", "Đi nào!")]
    assert [u.start_ms for u in found.utterances] == [900, 3000, 8900]


def test_the_languages_of_a_sami_file_are_parts_of_their_own(imported: Import) -> None:
    text = (
        "<SAMI><BODY><SYNC Start=1000><P Class=ENCC>TANJIRO: Go<P Class=VNCC>TANJIRO: Đi"
        "<SYNC Start=2000><P Class=ENCC>INOSUKE: Me<P Class=VNCC>INOSUKE: Ta</BODY></SAMI>"
    )
    found = imported("a.smi", text)
    assert said(found) == [("Tanjiro", "Go"), ("Inosuke", "Me"), ("Tanjiro", "Đi"), ("Inosuke", "Ta")]
    assert found.utterances[2].source.locator.startswith("language VNCC · ")


@pytest.mark.parametrize(
    "text",
    [
        "[TITLE]\n[00:00:01]\nTANJIRO: Đi|nào!\n[00:00:02]\n\n[00:00:03]\nINOSUKE: Ta!\n[00:00:05]\n",
        "[INFORMATION]\n[SUBTITLE]\n0:00:01.00,0:00:02.00\nTANJIRO: Đi[br]nào!\n\n0:00:03.00,0:00:05.00\nINOSUKE: Ta!",
        "00:00:01.00,00:00:02.00\nTANJIRO: Đi\nnào!\n\n00:00:03.00,00:00:05.00\nINOSUKE: Ta!\n",
    ],
)
def test_both_versions_of_subviewer_are_read(text: str, imported: Import) -> None:
    found = imported("a.sub", text)
    assert said(found) == [("Tanjiro", "Đi nào!"), ("Inosuke", "Ta!")]
    assert [(u.start_ms, u.end_ms) for u in found.utterances] == [(1000, 2000), (3000, 5000)]
    assert rejections(found) == []


def test_the_second_line_of_a_tmplayer_text_joins_the_first(imported: Import) -> None:
    text = "00:00:01,1=TANJIRO: Đi\n00:00:01,2=nào!\n00:00:03,1=INOSUKE: Ta!\n"
    assert said(imported("a.txt", text)) == [("Tanjiro", "Đi nào!"), ("Inosuke", "Ta!")]


@pytest.mark.parametrize(
    "text",
    [
        '<transcript><text start="1.0">TANJIRO: a &amp;amp; b</text><text start="3">INOSUKE: c</text></transcript>',
        '<timedtext><text t="1000" d="100">TANJIRO: a &amp; b</text><text t="3000">INOSUKE: c</text></timedtext>',
    ],
)
def test_the_older_xml_of_youtube_is_read(text: str, imported: Import) -> None:
    found = imported("a.xml", text)
    assert said(found) == [("Tanjiro", "a & b"), ("Inosuke", "c")]
    assert [u.start_ms for u in found.utterances] == [1000, 3000]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.sbv", "0:00:01.000,0:00:02.000\nTANJIRO: Đi!\n\n0:00:03.000,\n\n"),
        ("a.mpl", "[10][20]TANJIRO: Đi!\nHỏng\n"),
        ("a.lrc", "[00:01.00]TANJIRO: Đi!\nHỏng\n"),
        ("a.smi", "<SAMI><BODY><SYNC Start=1000><P>TANJIRO: Đi!<SYNC Start=x><P>Hỏng</BODY></SAMI>"),
        ("a.srv3", '<timedtext><body><p t="1000">TANJIRO: Đi!</p><p t="x">Hỏng</p></body></timedtext>'),
        ("a.json3", '{"events": [{"tStartMs": 1, "segs": [{"utf8": "TANJIRO: Đi!"}]}, {"segs": [{"utf8": "Hỏng"}]}]}'),
    ],
)
def test_a_line_without_a_time_is_kept_as_a_rejection(name: str, text: str, imported: Import) -> None:
    found = imported(name, text)
    assert said(found) == [("Tanjiro", "Đi!")]
    assert [reason for reason, _ in rejections(found)] == ["bad_cue"]


def test_numbers_stay_unless_they_stand_right_above_a_time(imported: Import) -> None:
    text = (
        "1\n00:00:01,000 --> 00:00:02,000\nTANJIRO: How many?\n\n"
        "2\n00:00:03,000 --> 00:00:04,000\nINOSUKE: I count\n7\n\n"
        "3\n00:00:05,000 --> 00:00:06,000\n12\n\n4\n00:00:07:000 --> 00:00:08:000\nINOSUKE: All:\n100"
    )
    assert said(imported("a.srt", text)) == [
        ("Tanjiro", "How many?"),
        ("Inosuke", "I count 7"),
        (None, "12"),
        ("Inosuke", "All: 100"),
    ]


def test_a_number_between_empty_lines_is_words_where_cues_have_no_index(imported: Import) -> None:
    text = "00:00:01,000 --> 00:00:02,000\nINOSUKE: I count\n\n7\n\n00:00:03,000 --> 00:00:04,000\nTANJIRO: Wow"
    assert said(imported("a.srt", text)) == [("Inosuke", "I count 7"), ("Tanjiro", "Wow")]


def test_only_an_empty_line_ends_a_webvtt_cue_and_a_closed_voice_ends_its_words(imported: Import) -> None:
    text = (
        "WEBVTT\n\n00:01.000 --> 00:02.000\n \n<v Tanjiro>Hi</v> Bam <v Inosuke>Yo</v>\n\n"
        "00:03.000 --> 00:04.000\n<i><v Inosuke>Ha!</v></i>\n"
    )
    found = imported("a.vtt", text)
    assert said(found) == [("Tanjiro", "Hi"), (None, "Bam"), ("Inosuke", "Yo"), ("Inosuke", "Ha!")]
    assert rejections(found) == []
