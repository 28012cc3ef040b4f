"""Mojibake is repaired where the way back proves it; nothing else changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.cleaning import mojibake
from curation.cleaning.mojibake import may_be_mojibake, repair

TEXTS = [
    "Trên mái nhà, đồ ngốc!", "Ở đâu vậy?", "Ông ấy nói: “Ừ…”", "Ngươi là ai?", "それは猪だ！",
    "你在哪里？", "café — déjà vu",    "Ta là chúa tể", "naïve…", "Đi thôi!",
]  # fmt: skip


def wrongly(text, encoding="sloppy-windows-1252"):
    import ftfy.bad_codecs  # noqa: F401

    return text.encode().decode(encoding)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("encoding", ["latin-1", "sloppy-windows-1252"])
def test_read_wrongly_once_or_twice(text, encoding):
    once = wrongly(text, encoding)
    assert repair(once) == (text, 1)
    assert repair(wrongly(once, encoding)) == (text, 1)


@pytest.mark.parametrize("text", [t for t in TEXTS if t[0] not in "そ你"])
def test_read_wrongly_on_vietnamese_windows(text):
    letters = {byte: chr(code) for code, byte in mojibake._CP1258.items()}
    wrong = "".join(letters[byte] for byte in text.encode())
    assert wrong != text and repair(wrong) == (text, 1)


@pytest.mark.parametrize("text", TEXTS)
def test_right_texts_stay(text):
    assert repair(text) == (text, 0)


@pytest.mark.parametrize(
    "text",
    [
        "hê… “à”",
        "CAFÉ“x”",
        "Ấ…”",
        "à “gì”",
        "«đá»",
        "Ã",
        "Â",
        "É…",
        "„Größe“",
        "20 °C ± 1",
        "à…” rồi đi",
        "ê…””",
        "ĂĐƠƯ: “Ừ”",
        "Ơ…",
        "ƠÔ",
        "È™",
    ],
)
def test_letters_beside_marks_are_no_mojibake(text):
    assert repair(text) == (text, 0)


def test_only_the_lines_that_are_wrong_change():
    text = f"Trên mái\n{wrongly('đồ ngốc!')}\nĐi thôi, “nhé”"
    assert repair(text) == ("Trên mái\nđồ ngốc!\nĐi thôi, “nhé”", 1)


def test_a_wrong_word_among_right_ones_proves_itself():
    assert repair(f"Trên mái nhà: {wrongly('đồ')} {wrongly('ngốc!')}")[0] == "Trên mái nhà: đồ ngốc!"


def test_a_no_break_space_that_became_a_space():
    text = f"{wrongly('Ở đâu vậy?')}\n{wrongly('nhà, đồ').replace(chr(0xA0), ' ')}"
    assert repair(text)[0].split("\n")[0] == "Ở đâu vậy?"


@given(st.text())
def test_repaired_text_is_repaired_once_and_for_all(text):
    fixed, _ = repair(text)
    if not may_be_mojibake(fixed):
        assert repair(fixed) == (fixed, 0)
    assert fixed.count("\n") == text.count("\n")
