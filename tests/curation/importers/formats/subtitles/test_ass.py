"""ASS and SSA: events, comments, signs, and lines that pysubs2 cannot read."""

from tests.curation.importers.looks import rejections, said
from tests.curation.importers.small import ASS

HEAD = ASS[: ASS.index("Comment:")]


def event(
    text: str, *, start: str = "0:00:01.00", end: str = "0:00:02.00", name: str = "", style: str = "Default"
) -> str:
    return f"Dialogue: 0,{start},{end},{style},{name},0,0,0,,{text}\n"


def test_events_become_utterances_with_times_speaker_and_place(imported):
    first, second = imported("a.ass", ASS).utterances
    assert (first.text, first.speaker, first.evidence) == ("Đi nào, nhanh lên!", "Tanjiro", "actor: Tanjiro")
    assert (first.start_ms, first.end_ms, first.source.locator) == (1000, 2000, "cue 2 00:00:01.000")
    assert (second.text, second.speaker, second.source.importer) == ("Ta đi trước!", "Inosuke", "ass")


def test_a_comment_and_a_sign_are_rejections(imported):
    assert rejections(imported("a.ass", ASS)) == [("comment", "!retime()!"), ("sign", "Bến đò")]


def test_events_come_back_in_the_order_of_their_times(imported):
    late, early = event("Sau", start="0:00:05.00", end="0:00:06.00"), event("Trước")
    assert said(imported("a.ass", HEAD + late + early)) == [(None, "Trước"), (None, "Sau")]


def test_one_bad_time_never_costs_the_other_events(imported):
    found = imported("a.ass", HEAD + event("Hỏng", start="0:xx:01.00") + event("Lành", name="Zenitsu"))
    assert said(found) == [("Zenitsu", "Lành")]
    (bad,) = found.rejected
    assert bad.reason == "bad_cue" and bad.text.endswith("Hỏng") and bad.source.locator == "line 10"


def test_the_fields_may_be_declared_in_another_order(imported):
    text = "[Events]\nFormat: Start, End, Name, Style, Text\nDialogue: 0:00:01.00,0:00:02.00,Aoi,Default,Ăn, rồi đi!\n"
    assert said(imported("a.ass", text)) == [("Aoi", "Ăn, rồi đi!")]


def test_ssa_and_utf16(imported):
    ssa = ASS.replace("V4+", "V4").replace("Dialogue: 0", "Dialogue: Marked=0")
    found = imported("a.ssa", ssa.encode("utf-16"))
    assert (found.format, found.encoding) == ("ssa", "utf-16")
    assert said(found)[0] == ("Tanjiro", "Đi nào, nhanh lên!")


def test_negative_and_reversed_times(imported):
    (u,) = imported("a.ass", HEAD + event("Ơ", start="-0:00:01.00", end="-0:00:02.00")).utterances
    assert (u.start_ms, u.end_ms) == (0, 0)


def test_a_style_named_after_a_person_gives_the_speaker_but_a_layout_style_does_not(imported):
    styles = {
        "Inosuke": "Inosuke",
        "Main-Tanjiro": "Tanjiro",
        "Aoi": "Aoi",
        "Default": None,
        "Italics": None,
        "Alt": None,
    }
    for style, speaker in styles.items():
        found = imported("a.ass", HEAD + event("Này!", style=style) + event("Ừ", name="Tanjiro", start="0:00:01.50"))
        assert found.utterances[0].speaker == speaker, style
    assert found.utterances[1].speaker == "Tanjiro"


def test_the_actor_field_says_how_in_brackets(imported):
    assert said(imported("a.ass", HEAD + event("Suỵt", name="TANJIRO (thì thầm)"))) == [("Tanjiro", "Suỵt")]
