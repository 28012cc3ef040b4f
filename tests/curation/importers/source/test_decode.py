"""Bytes to text: each encoding that subtitles come in, and errors that say what to do for all others."""

import unicodedata

import pytest

from curation.importers.source.decode import Undecodable, decode

CUES = "1\n00:00:01,000 --> 00:00:02,500\n{}\n\n2\n00:00:03,000 --> 00:00:04,500\n{}\n"
JAPANESE = CUES.format("炭治郎：どこにいるの？", "伊之助：屋根の上だ！早く来い！")
KATAKANA = CUES.format("タンジロウ：ドコ？", "伊之助：猪突猛進！")
KOREAN = CUES.format("TANJIRO: 어디에 있어?", "INOSUKE: 지붕 위에 있다! 빨리 올라와!")
CHINESE = CUES.format("炭治郎：你在哪里？", "伊之助：我在屋顶上！快上来！")
TAIWANESE = CUES.format("炭治郎：你在哪裡？", "伊之助：我在屋頂上！快上來！")
RUSSIAN = CUES.format("TANJIRO: Где ты сейчас находишься?", "INOSUKE: На крыше, дурак!")
FRENCH = CUES.format("TANJIRO: Où es-tu, déjà? Ça va être drôle…", "INOSUKE: Là-haut, imbécile! Élève-toi à côté.")
GERMAN = CUES.format("TANJIRO: Wo bist du? Das ist größer.", "INOSUKE: Über dir! Ich kämpfe für Köln.")
VIETNAMESE = CUES.format("TANJIRO: Bạn đang ở đâu vậy?", "INOSUKE: Trên mái nhà, đồ ngốc! Ta là chúa tể rừng núi!")


def cp1258(text):
    """Vietnamese as Windows writes it: the tone is a mark of its own after the vowel."""
    out = ""
    for letter in unicodedata.normalize("NFC", text):
        parts = unicodedata.normalize("NFD", letter)
        tone = "".join(m for m in parts if m in "\u0300\u0301\u0303\u0309\u0323")
        base = unicodedata.normalize("NFC", "".join(m for m in parts if m not in tone))
        out += base + tone if tone and letter not in "àáâãèéêìíòóôõùúý" else letter
    return out.encode("cp1258", "replace")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (JAPANESE, "cp932"), (JAPANESE, "euc_jp"), (JAPANESE, "iso2022_jp"), (KATAKANA, "cp932"), (KATAKANA, "euc_jp"),
        (KOREAN, "euc_kr"), (KOREAN, "cp949"), (CHINESE, "gbk"), (CHINESE, "gb2312"), (CHINESE, "gb18030"),
        (TAIWANESE, "big5"), (TAIWANESE, "cp950"), (FRENCH, "cp1252"), (GERMAN, "cp1252"), (VIETNAMESE, "utf-8"),
        (JAPANESE, "utf-16"), (KOREAN, "utf-16-le"), (CHINESE, "utf-8-sig"), (FRENCH, "utf-16-be"),
    ],
)  # fmt: skip
def test_encodings(text, encoding):
    assert decode(text.encode(encoding))[0] == text


def test_vietnamese_of_windows():
    text, encoding = decode(cp1258(VIETNAMESE))
    assert (unicodedata.normalize("NFC", text), encoding) == (VIETNAMESE, "cp1258")


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "iso8859-5"])
def test_an_encoding_that_is_not_read_is_named(encoding):
    with pytest.raises(Undecodable, match=r"legacy encoding, likely .*UTF-8"):
        decode(RUSSIAN.encode(encoding))


def test_now_and_then_a_byte_is_damaged():
    data = bytearray((KOREAN * 30).encode("euc_kr"))
    data[data.index("지붕".encode("euc_kr")) + 1] = 0x20
    text, encoding = decode(bytes(data))
    assert "어디에 있어?" in text and encoding.startswith("cp949 (")


def test_the_name_of_the_encoding_tells_what_was_repaired():
    assert decode(VIETNAMESE.encode("utf-8").decode("latin-1").encode())[1] == "utf-8 (mojibake repaired in 2 lines)"
    lost = CUES.format("Đâu?", "Đây!").encode().decode("cp1252", "ignore").encode()
    assert decode(lost) == (lost.decode(), "utf-8"), "what was lost is not made up"
