"""TCVN3 and VNI: decoded where nearly every word becomes a Vietnamese syllable, and in no other language's text."""

import unicodedata

import pytest

from curation.cleaning import vietnamese_fonts
from curation.cleaning.vietnamese_fonts import decode_font, is_syllable

TEXT = (
    "Bạn đang ở đâu vậy? Trên mái nhà, đồ ngốc! Ta là chúa tể rừng núi, ngươi thách đấu với ta ư? Lợn rừng khoẻ lắm, "
    "đừng có mà giỡn mặt. Ăn cơm chưa, cười khuya huỷ giếng quyển gì, nghiêng nguyệt thuở xoáy"
)


def tcvn3(text):
    table = {right: wrong for wrong, right in vietnamese_fonts._TCVN3.items()}
    return text.translate({ord(chr(k) if isinstance(k, int) else k): v for k, v in table.items()})


def vni(text):
    alone = {v: k for k, v in vietnamese_fonts._VNI_ALONE.items()}
    marks = {v: k for k, v in vietnamese_fonts._VNI_MARKS.items()}
    horned = {"o": "ô", "u": "ö"}
    out = ""
    for letter in unicodedata.normalize("NFC", text):
        parts = unicodedata.normalize("NFD", letter)
        if letter.lower() in alone:
            out += alone[letter]
        elif len(parts) == 1:
            out += letter
        else:
            accents = "".join(sorted(parts[1:].replace("\u031b", ""), key=lambda m: m not in "\u0302\u0306"))
            out += (horned[parts[0]] if "\u031b" in parts else parts[0]) + (marks[accents] if accents else "")
    return out


@pytest.mark.parametrize(("encode", "name"), [(tcvn3, "TCVN3"), (vni, "VNI")])
def test_both_fonts(encode, name):
    assert encode(TEXT) != TEXT
    assert decode_font(encode(TEXT)) == (unicodedata.normalize("NFC", TEXT), name)


@pytest.mark.parametrize(
    "text",
    [
        TEXT, "Où est le café? C'est très bien, à bientôt garçon, déjà été là-bas", "Der größte Jäger fährt über Köln",
        "¿Dónde está el niño? ¡Qué mañana, señor!", "åäö är på väg därför höger", "você não está aí, então João",
        "Hãy đi à á", "abc", "", "® © ¬ ± µ ¶", "Ça, là, é, è, à, ù, ô",
    ],
)  # fmt: skip
def test_other_texts_stay(text):
    assert decode_font(text) == (text, "")


def test_syllables():
    assert all(map(is_syllable, ["nghiêng", "quyển", "khuya", "gì", "ươm", "Đồ", "oái", "yêu", "thuở", "xoáy"]))
    assert not any(map(is_syllable, ["strong", "été", "hello", "ầá", "ng", "mái1"]))
