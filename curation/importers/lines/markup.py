"""Markup of subtitle and wiki lines → plain text and ruby readings. Pure; knows no format."""

from __future__ import annotations

import html
import re
import unicodedata

from curation.cleaning.normalise import clean_text

_RUBY_TAG = re.compile(r"<ruby>(?P<base>.*?)<rt>(?P<reading>.*?)(?:</rt>)?\s*</ruby>", re.DOTALL | re.IGNORECASE)
_RUBY_PAREN = re.compile(r"<rp>.*?</rp>", re.DOTALL | re.IGNORECASE)
# 山《やま》 and 山(やま): kanji, then kana alone in brackets. Kana after kana, or words, are not a reading.
_RUBY_BRACKET = re.compile(r"(?<=[\u3400-\u9fff々])(?:《([ぁ-ゖァ-ヺー]+)》|[（(]([ぁ-ゖァ-ヺー]+)[)）])")
_TAG = re.compile(r"</?[a-zA-Z][^<>\n]{0,200}>|<\d[\d:.]*>")
_TAG_NAMES = (
    "a|abbr|b|big|blockquote|body|br|c|center|cite|code|del|div|em|font|h[1-6]|head|hr|html|i|img|ins|lang|li|mark|nowiki|"
    "ol|p|poem|pre|q|ref|rp|rt|rtc|rb|ruby|s|samp|script|small|span|strike|strong|style|sub|sup|sync|table|tbody|td|th|tr|"
    "tt|u|ul|v|var|video|wbr"
)
# An angle bracket with words that open with a capital and hold no field. `</Name>` closes one that is a tag.
_NO_TAG = re.compile(
    rf"<(?!(?:{_TAG_NAMES})\b)(?!(?P<tag>\w+)[^<>]*>.*</(?P=tag)\s*>)(?P<name>(?-i:(?![a-z]))[^\W\d_][^<>\n=/\"]{{0,39}})>",
    re.DOTALL | re.IGNORECASE,
)
_NO_TAG_RELEASED = {0xE002: "<", 0xE003: ">"}
# In ASS all that is in braces is code or a comment. Elsewhere only a block that opens with a backslash came from ASS.
_COMMENT = re.compile(r"\{[^{}]*\}")
_OVERRIDE = re.compile(r"\{\\[^{}]*\}")
# A block that lost one of its braces: `{\an8Up on the hill`, `\an8}Down here`, or both.
_TAG_CODE = (
    r"\\(?:an?\d{1,2}|[ibus][01]|(?:pos|move|org|fad|fade|i?clip|t)\([^()\n]*\)|"
    r"(?:[1-4]?c|alpha|[1-4]a)&H[0-9A-Fa-f]{1,8}&?|"
    r"(?:[xy]?bord|[xy]?shad|blur|be|fs|fsp|fsc[xy]|fr[xyz]?|fa[xy]|q|b|p|k[fot]?|K)-?\d+(?:\.\d+)?|r(?=[\\}]))"
)
_BROKEN_OVERRIDE = re.compile(rf"\{{(?:{_TAG_CODE})+\}}?|(?:{_TAG_CODE})+\}}")
# libass shows an escaped brace as it is.
_ESCAPED_BRACE = re.compile(r"\\([{}])")
_HELD = str.maketrans("{}", "\ue000\ue001")
_RELEASED = str.maketrans("\ue000\ue001", "{}")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_WIDE = re.compile("[\uff01-\uff5e\u3000]")
_WIDE_ASCII = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
_HALF_KANA = re.compile(r"[\uff66-\uff9f]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_CJK_BREAK = re.compile(
    r"(?<=[\u3000-\u30ff\u3400-\u9fff\uff01-\uff60])\n(?=[\u3000-\u30ff\u3400-\u9fff\uff01-\uff60])"
)
# What a line may hold that has to be removed or composed: markup, invisible marks, combining accents, wide forms, kana
# and kanji (one may be a reading), spaces other than the plain one. Most lines of subtitles have none of it.
_MARKED = re.compile(
    r"[<{&\\\x00-\x09\x0b-\x1f\x7f-\xa0\u0300-\u036f\u1680\u2000-\u200f\u2028-\u202f\u205f-\u2064\u2066-\u2069"
    r"\u3000-\u30ff\u3400-\u9fff\ufeff\uff00-\uffff]"
)

_LOOSE_BREAK = re.compile(r"[ \n]\n|\n ")


def plain(raw: str, *, ass: bool = False) -> tuple[str, list[str]]:
    """Return a line without tags, override codes and entities, in NFC, and the ruby readings found in it.

    ``ass``: the line comes from an ASS file, where all that braces enclose is code or a comment.

    Line breaks (``\\N``, ``<br>``, real ones) stay, as ``\\n``: a speaker's name may be alone on a line. A reading
    never joins its word: 山《やま》 becomes 山, and the reading is returned beside it.
    """
    if _is_plain(raw):
        return raw, []
    readings: list[str] = []
    text = raw
    if "{" in text or "}" in text:
        text = _without_overrides(text, ass)
    if "\\" in text:
        text = text.replace("\\N", "\n").replace("\\n", "\n").replace("\\h", " ")
    if "<" in text:
        text = _RUBY_PAREN.sub("", text)
        text = _RUBY_TAG.sub(lambda m: _keep_reading(readings, m["base"], m["reading"]), text)
        text = _BREAK.sub("\n", text)
        text = without_tags(text)
    if "&" in text:
        text = html.unescape(text)
    if _is_plain(text):
        return text, readings
    text = _RUBY_BRACKET.sub(lambda m: _keep_reading(readings, "", m[1] or m[2]), text)
    text = _HALF_KANA.sub(lambda m: unicodedata.normalize("NFKC", m[0]), text)
    # ！ and ？ are the usual marks of a Japanese line; in a Vietnamese or English one they are a typing error.
    if _WIDE.search(text) and not _CJK.search(text):
        text = text.translate(_WIDE_ASCII)
    return clean_text(text), readings


def without_tags(text: str) -> str:
    """Return a text without tags; `<Tanjiro>`, which is no tag of any format, is a name or a sound and stays."""
    return _TAG.sub("", _NO_TAG.sub("\ue002\\g<name>\ue003", text)).translate(_NO_TAG_RELEASED)


def _without_overrides(text: str, ass: bool) -> str:
    """Remove override blocks, and what is left of those that lost a brace."""
    if not ass:
        return _BROKEN_OVERRIDE.sub("", _OVERRIDE.sub("", text)) if "\\" in text else text
    escaped = "\\{" in text or "\\}" in text
    if escaped:
        text = _ESCAPED_BRACE.sub(lambda m: m[1].translate(_HELD), text)
    text = _COMMENT.sub("", text)
    if "\\" in text:
        text = _BROKEN_OVERRIDE.sub("", text)
    return text.translate(_RELEASED) if escaped else text


def _is_plain(text: str) -> bool:
    return (
        _MARKED.search(text) is None
        and text.strip(" \n") == text
        and "  " not in text
        and ("\n" not in text or not _LOOSE_BREAK.search(text))
        and unicodedata.is_normalized("NFC", text)
    )


def flow(text: str) -> str:
    """Join the lines of one utterance, whose breaks are layout: with a space, but not between Japanese characters."""
    if "\n" not in text:
        return text
    return _CJK_BREAK.sub("", text).replace("\n", " ")


def _keep_reading(readings: list[str], base: str, reading: str) -> str:
    readings.append(reading)
    return base
