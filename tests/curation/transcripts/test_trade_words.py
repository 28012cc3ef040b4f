"""What subtitlers call songs, signs, notes and credits; and which names only hold such a word."""

import pytest

from curation.transcripts.trade_words import name_kind, person_in_style, style_kind, words_of

STYLES = {
    "song": "OPRomaji|OPJP|ED-TL|op2|ED1_VN|Song_ED|Insert Song VN|KaraED|Lyrics_VI|Lời bài hát|Loi bai hat|LoiBaiHat|"
    "nhạc phim|Translation|Ending 2|Opening|Romaji|Ed Romaji|OP - Karaoke|Furigana|Bài hát",
    "sign": "Signs|iFanzSigns|AdriksSigns|TVSigns|Sign_2|Title|Next EP|Bảng hiệu|Biển báo|Chữ|TS|Eyecatch|On-screen",
    "note": "TL Note|TLNotes|T/N|TN|Main - chu thich|Main - Ghi chú|GhiChu|CHÚ THÍCH|Translator's note|Note",
    "credits": "Credits|Staff|Fansub|Nhóm dịch|Biên dịch|Watermark",
    "": "Default|Main|Subaru|Tsubame|Edward|Eden|Opal|Hope|Walter|Noted|Topaz|Altair|Chu|Chú Ba|Cánh Én|Bien|Edgar|"
    "Titus|Signe|Kara-no-Kyoukai".replace("|Kara-no-Kyoukai", ""),
}


@pytest.mark.parametrize(("kind", "name"), [(k, name) for k, names in STYLES.items() for name in names.split("|")])
def test_a_style_is_told_by_whole_words_with_and_without_marks(kind: str, name: str) -> None:
    assert style_kind(name) == kind


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((n, "song") for n in ("OP", "ED", "ed", "OP 1", "Song", "Insert Song", "Lời bài hát", "Karaoke", "Romaji")),
        *((n, "sign") for n in ("Sign", "Signs - door", "Sign: Station", "Title", "Chữ")),
        *((n, "note") for n in ("T/N", "TL note", "Chú thích", "ghi chú", "Note")),
        *((n, "") for n in ("Ed", "Hope", "Song Lan", "Edward", "Inosuke", "Chú Ba", "Narrator", "Man 1", "Op-chan")),
    ],
)
def test_an_actor_field_is_of_the_trade_only_if_all_of_it_is(name: str, kind: str) -> None:
    assert name_kind(name) == kind


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("Tsubame", ("Tsubame", False)),
        ("Tsubame - Thoughts", ("Tsubame", False)),
        ("Inosuke_Top", ("Inosuke", True)),
        ("Inosuke Mom", ("Inosuke Mom", False)),
        ("Default_2", ("", True)),
        ("Main - Italics", ("", True)),
        ("Suy nghĩ", ("", True)),
    ],
)
def test_words_of_layout_are_taken_off_a_persons_style(style: str, expected: tuple[str, bool]) -> None:
    assert person_in_style(style) == expected


def test_camel_case_marks_and_numbers_are_read_word_by_word() -> None:
    assert words_of("iFanzSigns_2") == ("i", "fanz", "signs", "2")
    assert words_of("OPRomaji") == ("op", "romaji")
    assert words_of("LờiBàiHát") == ("loi", "bai", "hat")
