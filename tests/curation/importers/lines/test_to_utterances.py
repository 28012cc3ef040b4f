"""What all formats share: markup, signs and the choice of the importer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.importers import UnknownFormat
from curation.importers.lines.markup import flow, plain
from curation.importers.source.decode import decode
from tests.curation.importers.formats.subtitles.test_ass import HEAD, event
from tests.curation.importers.looks import rejections, said
from tests.curation.importers.small import FILES


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (r"{\i1}Đi{\i0}\Nnào\hđi", "Đi\nnào đi"),
        ("<font color='red'>Ta</font> &amp; ngươi&nbsp;!", "Ta & ngươi !"),
        ("Tiê\u0301ng", "Tiếng"),
        ("Ｔａ　đây！", "Ta đây!"),
        ("ｶﾞｵｰ！行くぞ", "ガオー！行くぞ"),
        ("ta\u200b\ufeff đây", "ta đây"),
        ("1 < 2 và a<b", "1 < 2 và a<b"),
        ("え", "え"),
    ],
)
def test_markup_is_removed(raw, text):
    assert plain(raw) == (text, [])


@pytest.mark.parametrize(
    ("raw", "text", "readings"),
    [
        ("<ruby>山<rp>(</rp><rt>やま</rt><rp>)</rp></ruby>へ", "山へ", ["やま"]),
        ("山《やま》の王《おう》だ", "山の王だ", ["やま", "おう"]),
        ("猪（いのしし）だ", "猪だ", ["いのしし"]),
        ("俺(おれ様)だ", "俺(おれ様)だ", []),
        ("ngươi (ta)", "ngươi (ta)", []),
    ],
)
def test_ruby_readings_are_kept_and_not_joined_to_the_word(raw, text, readings):
    assert plain(raw) == (text, readings)


@given(st.text(max_size=60))
def test_what_is_plain_stays_as_it_is(raw):
    once = plain(raw)[0]
    if not set("<{&\\《(（") & set(once):
        assert plain(once)[0] == once
    assert "\n" not in flow(once)


def test_signs_need_two_signals(imported):
    positioned = event(r"{\pos(1,2)}Ta đứng đây")
    titled = event("Chương một", style="Title")
    both = event(r"{\pos(1,2)}Bến đò", style="Sign")
    spoken = event("Ta nói trong bảng", style="Sign", name="Inosuke")
    found = imported("a.ass", HEAD + positioned + spoken + both + titled)
    assert said(found) == [(None, "Ta đứng đây"), ("Inosuke", "Ta nói trong bảng")]
    assert rejections(found) == [("sign", "Bến đò"), ("sign", "Chương một")]
    assert found.rejected[0].detail == "style `Sign`, placed by hand, no speaker named"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (r"{\k20}nú{\k30}i", "karaoke"),
        (r"{\p1}m 0 0 l 9 9{\p0}", "drawing"),
        ("♪ la la ♪", "karaoke"),
        ("[tiếng gió]", "stage_direction"),
        ("(thở dài)", "stage_direction"),
        ("Subtitles by Ai Đó", "credits"),
        ("Phụ đề: nhóm Heo", "credits"),
        ("www.example.com", "credits"),
        (r"{\an8}", "empty"),
    ],
)
def test_signals_that_reject_a_line_alone(imported, text, reason):
    found = imported("a.ass", HEAD + event(text) + event("Ta", start="0:00:05.00", end="0:00:06.00"))
    assert (said(found), [r for r, _ in rejections(found)]) == ([(None, "Ta")], [reason])


def test_frame_by_frame_typesetting_is_a_sign_and_a_shout_is_not(imported):
    frames = "".join(
        event(rf"{{\frz{n}}}Còn tiếp", start=f"0:00:01.{4 * n:02d}", end=f"0:00:01.{4 * n + 4:02d}") for n in range(5)
    )
    shouts = "".join(event("Chạy!", start=f"0:00:1{n}.00", end=f"0:00:1{n}.90") for n in range(4))
    found = imported("a.ass", HEAD + frames + shouts)
    assert said(found) == [(None, "Chạy!")] * 4
    assert {r for r, _ in rejections(found)} == {"sign"} and len(found.rejected) == 5


def test_layered_lines_merge_once_and_two_voices_do_not(imported):
    found = imported("a.ass", HEAD + event("Hả?") + event("Hả?", name="Inosuke") + event("Hả?", name="Zenitsu"))
    assert said(found) == [("Inosuke", "Hả?"), ("Zenitsu", "Hả?")]
    assert rejections(found) == [("layered_double", "Hả?")]


def test_a_direction_at_the_start_of_a_line_is_kept_as_a_rejection(imported):
    found = imported("a.ass", HEAD + event("(thì thầm) Suỵt!", name="Inosuke"))
    assert (said(found), rejections(found)) == ([("Inosuke", "Suỵt!")], [("stage_direction", "(thì thầm)")])


@pytest.mark.parametrize(
    ("name", "right"),
    [("x.srt", "a.ass"), ("x.txt", "a.vtt"), ("x", "a.srt"), ("x.sub", "a.xml"), ("x.dat", "a.parquet")],
)
def test_the_content_decides_over_a_wrong_suffix(imported, name, right):
    assert said(imported(name, FILES[right])) == said(imported(right, FILES[right])) != []


def test_a_file_of_an_unknown_format(imported):
    with pytest.raises(UnknownFormat, match=r"no importer for \.doc\. Known: \.7z, \.arrow, \.ass"):
        imported("a.doc", "chữ")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_with_and_without_a_mark(encoding):
    text = "Ngươi đi đâu?\nTa về núi! I go home. This is mine!\n"
    assert decode(text.encode(encoding))[0] == text


@given(st.binary(max_size=300))
def test_decoding_never_breaks(data):
    from curation.importers.source.decode import Undecodable

    try:
        text, encoding = decode(data)
    except Undecodable as error:
        assert str(error)
    else:
        assert "\r" not in text and encoding
