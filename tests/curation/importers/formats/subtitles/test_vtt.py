"""WebVTT: voices, notes and styles, and blocks without times."""

from tests.curation.importers.looks import rejections, said
from tests.curation.importers.small import VTT


def test_voices_notes_styles_settings_ids_entities_and_ruby(imported):
    found = imported("a.vtt", VTT)
    assert said(found) == [("Tanjiro", "Đi & nào!"), ("Inosuke", "Ta đi 前")]
    assert [(u.start_ms, u.end_ms, u.source.locator) for u in found.utterances] == [
        (1000, 2000, "cue 1 00:00:01.000"),
        (2100, 4000, "cue 2 00:00:02.100"),
    ]
    assert rejections(found) == [("comment", "NOTE ghi chú"), ("ruby", "まえ")]


def test_several_voices_in_one_cue_and_words_before_the_first(imported):
    text = "WEBVTT\n\n00:01.000 --> 00:02.000\nKìa! <v Zenitsu>Đâu?</v>\n<v Inosuke>Đây!\n"
    assert said(imported("a.vtt", text)) == [(None, "Kìa!"), ("Zenitsu", "Đâu?"), ("Inosuke", "Đây!")]


def test_a_note_never_joins_the_cue_before_it_even_without_a_blank_line(imported):
    text = "WEBVTT\n00:01.000 --> 00:02.000\nMột\nNOTE không phải ghi chú\n00:02.000 --> 00:03.000\nHai\n\nNOTE\nxa\n"
    found = imported("a.vtt", text)
    assert said(found) == [(None, "Một NOTE không phải ghi chú"), (None, "Hai")]
    assert rejections(found) == [("comment", "NOTE\nxa")]


def test_blocks_without_times_and_with_broken_ones_keep_their_words(imported):
    text = "WEBVTT\n\nmồ côi\n\n00:01.000 --> 00:02.000\nLành\n\n0x:01 --> 00:02.000\nHỏng\n"
    found = imported("a.vtt", text)
    assert said(found) == [(None, "Lành")]
    assert rejections(found) == [("bad_cue", "mồ côi"), ("bad_cue", "0x:01 --> 00:02.000\nHỏng")]
