"""TTML and MicroDVD: how times are written, agents, frame rates."""

import pytest

from curation.errors import InosukeError
from tests.curation.importers.looks import rejections, said
from tests.curation.importers.small import MICRODVD, TTML


def test_ttml_offsets_add_up_and_agents_speak(imported):
    found = imported("a.ttml", TTML)
    assert [(u.speaker, u.text, u.start_ms, u.end_ms) for u in found.utterances] == [
        (None, "Đi nào", 2000, 3000),
        ("Inosuke", "Ta đi trước!", 1000 + round(50 / 30 * 1000), 1000 + round(50 / 30 * 1000) + 1000),
    ]
    assert found.utterances[1].evidence == "agent: Inosuke"


@pytest.mark.parametrize(
    ("time", "ms"),
    [("00:00:01.5", 1500), ("00:00:02:15", 2600), ("3s", 3000), ("1500ms", 1500), ("0.5m", 30_000), ("20t", 2000)],
)
def test_ttml_time_expressions(imported, time, ms):
    tt = '<tt xmlns="x" xmlns:p="x#parameter" p:frameRate="25" p:tickRate="10"><body><p begin="{}">Ơ</p></body></tt>'
    assert imported("a.ttml", tt.format(time)).utterances[0].start_ms == ms


def test_a_ttml_paragraph_without_a_time_keeps_its_words(imported):
    tt = '<tt><body><div><p begin="khi">Hỏng</p><p begin="1s">Lành</p></div></body></tt>'
    found = imported("a.ttml", tt)
    assert (said(found), rejections(found)) == ([(None, "Lành")], [("bad_cue", "Hỏng")])


def test_microdvd_reads_its_frame_rate(imported):
    found = imported("a.sub", MICRODVD)
    assert found.format == "microdvd 25 fps"
    assert said(found) == [("Tanjiro", "Đi nào! nhanh"), ("Inosuke", "Ta đi trước!")]
    assert [(u.start_ms, u.end_ms) for u in found.utterances] == [(1000, 2000), (2200, 4000)]


def test_microdvd_without_a_rate_reports_the_assumed_one(imported):
    found = imported("a.sub", "{24}{48}Ơ\nkhông có khung\n")
    assert found.format == "microdvd 23.976 fps assumed"
    assert found.utterances[0].start_ms == 1001
    assert rejections(found) == [("bad_cue", "không có khung")]


def test_an_empty_file_is_refused_with_an_error_message(imported):
    with pytest.raises(InosukeError, match="no line of microdvd found"):
        imported("a.sub", "\n\n")
