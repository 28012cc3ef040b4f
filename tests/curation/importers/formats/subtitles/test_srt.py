"""SubRip: labels, dashes, songs, encodings, and cues with broken times."""

from tests.curation.importers.looks import rejections, said
from tests.curation.importers.small import SRT


def cue(text: str, start: str = "00:00:01,000", end: str = "00:00:02,000") -> str:
    return f"1\n{start} --> {end}\n{text}\n\n"


def test_labels_dashes_tags_and_songs(imported):
    found = imported("a.srt", SRT)
    assert said(found) == [("Tanjiro", "Đi nào!"), ("Inosuke", "Ta đi trước!"), (None, "Khoan đã!")]
    assert [u.evidence for u in found.utterances] == ["prefix: TANJIRO", "prefix: INOSUKE", "dash"]
    assert rejections(found) == [("karaoke", "♪ hát ♪")]


def test_a_cue_with_broken_times_is_rejected_and_does_not_join_the_one_before(imported):
    found = imported("a.srt", cue("Lành") + "2\n00:00:0x,000 --> 00:00:03,000\nHỏng\n")
    assert said(found) == [(None, "Lành")]
    assert rejections(found) == [("bad_cue", "00:00:0x,000 --> 00:00:03,000\nHỏng")]


def test_a_broken_first_cue_is_not_lost(imported):
    found = imported("a.srt", "1\n00:00:0x --> 00:00:03,000\nHỏng\n\n" + cue("Lành"))
    assert said(found) == [(None, "Lành")]
    assert [r for r, _ in rejections(found)] == ["bad_cue"]


def test_a_negative_time_is_the_start_and_a_line_of_one_letter_stays(imported):
    (u,) = imported("a.srt", cue("え", start="-00:00:05,000")).utterances
    assert (u.text, u.start_ms, u.end_ms) == ("え", 0, 2000)


def test_legacy_encodings(imported):
    vietnamese = cue("TANJIRO: Đi nào, nhanh chân lên!") + cue("INOSUKE: Ta không cần ngươi bảo!")
    data = vietnamese.encode("utf-8")
    assert imported("a.srt", data).encoding == "utf-8"
    import unicodedata

    loose = "".join(_cp1258(c) for c in unicodedata.normalize("NFC", vietnamese))
    found = imported("a.srt", loose.encode("cp1258"))
    assert found.encoding == "cp1258"
    assert said(found) == [("Tanjiro", "Đi nào, nhanh chân lên!"), ("Inosuke", "Ta không cần ngươi bảo!")]
    found = imported("a.srt", cue("うるせえ！俺が一番だ。").encode("cp932"))
    assert (found.encoding, said(found)) == ("cp932", [(None, "うるせえ！俺が一番だ。")])


def _cp1258(letter: str) -> str:
    """Spell a letter as cp1258 can: the base with its shape, then the tone."""
    import unicodedata

    base, *marks = unicodedata.normalize("NFD", letter)
    tones = "".join(m for m in marks if m in "\u0300\u0301\u0303\u0309\u0323")
    return unicodedata.normalize("NFC", base + "".join(m for m in marks if m not in tones)) + tones


def test_a_few_bad_bytes_cost_their_line_alone(imported):
    data = (cue("Đường về núi còn xa lắm ngươi ơi") + cue("Hỏng", "00:00:03,000", "00:00:04,000")).encode()
    found = imported("a.srt", data.replace("ỏ".encode(), b"\xe1\xbb"))
    assert said(found) == [(None, "Đường về núi còn xa lắm ngươi ơi")]
    assert found.encoding == "utf-8 (1 bad)"
    assert [r for r, _ in rejections(found)] == ["undecodable"]


def test_a_cue_of_ten_thousand_lines_is_rejected_whole(imported):
    found = imported("a.srt", cue("\n".join(["dòng"] * 10_000)) + cue("Ta", "00:00:03,000", "00:00:04,000"))
    assert said(found) == [(None, "Ta")]
    ((reason, text),) = rejections(found)
    assert reason == "oversized" and text.count("dòng") == 10_000
