"""Vietnamese typed for the fonts of the 1990s: TCVN3 (ABC) and VNI, whose letters are other letters' codes. Pure.

Such a text looks like `Tr¸i ®Êt` or `Traùi ñaát`. It is decoded only where the result proves it: nearly every word with
such a letter is then a syllable that Vietnamese has, and hardly any was before.
"""

from __future__ import annotations

import re
import unicodedata

_TCVN3 = str.maketrans(
    "¡¢£¤¥¦§¨©ª«¬\xad®µ¶·¸¹»¼½¾ÆÇÈÉÊËÌÎÏÐÑÒÓÔÕÖ×ØÜÝÞßáâãäåæçèéêëìíîïñòóôõö÷øùúûüýþ",
    "ĂÂÊÔƠƯĐăâêôơưđàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ",
)
# VNI: a vowel, then a letter that stands for its mark. A few letters stand alone.
_VNI_MARKS = {
    "ø": "\u0300", "ù": "\u0301", "û": "\u0309", "õ": "\u0303", "ï": "\u0323",
    "â": "\u0302", "à": "\u0302\u0300", "á": "\u0302\u0301", "å": "\u0302\u0309", "ã": "\u0302\u0303",
    "ä": "\u0302\u0323", "ê": "\u0306", "è": "\u0306\u0300", "é": "\u0306\u0301", "ú": "\u0306\u0309",
    "ü": "\u0306\u0303", "ë": "\u0306\u0323",
}  # fmt: skip
_VNI_ALONE = {"ô": "ơ", "ö": "ư", "ñ": "đ", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ", "ì": "ì", "í": "í"}
_VNI_PAIR = re.compile("([aeouyAEOUYôöÔÖ])([øùûõïâàáåãäêèéúüëØÙÛÕÏÂÀÁÅÃÄÊÈÉÚÜË])")
_TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_SYLLABLE = re.compile(
    r"^(?:ngh|ng|nh|gh|gi|kh|ph|th|tr|ch|qu|[bcdđghklmnpqrstvx])?"
    r"(?:uyê|iê|yê|uô|ươ|uâ|oă|oa|oe|oo|uê|uy|ia|ya|ua|ưa|ai|ao|au|ay|âu|ây|eo|êu|iu|oi|ôi|ơi|ui|ưi|ưu|iêu|yêu|uôi|ươi|ươu|"
    r"oai|oay|oao|oeo|uây|uyu|uya|uơ|[aăâeêioôơuưy])(?:ch|nh|ng|[cmnpt])?$"
)
# As a word: what a letter of these fonts can be, which includes marks (`®`, `¸`).
_RUN = re.compile("[A-Za-z\u00a1-\u00ff\xad]+")
_HIGH = re.compile("[\u00a1-\u00ff\xad]")
_ENOUGH = 3
_SAMPLE = 20_000


def decode_font(text: str) -> tuple[str, str]:
    """Return a text with the letters that were meant and the name of their font encoding, or the text and ""."""
    if text.isascii() or any("\u0100" <= c < "\u0250" or "\u1e00" <= c < "\u1f00" for c in text[:_SAMPLE]):
        return text, ""
    # `« Oui »`: quotes around words are no letters of a font; inside a word they are.
    runs = [run for run in (found.strip("«»") for found in _RUN.findall(text[:_SAMPLE])) if _HIGH.search(run)]
    if len(runs) < _ENOUGH or _share(runs) > 0.5:
        return text, ""
    shares = {name: _share([decode(run) for run in runs]) for name, decode in (("TCVN3", _tcvn3), ("VNI", _vni))}
    best = max(shares, key=lambda name: shares[name])
    if shares[best] < 0.85:
        return text, ""
    return (_tcvn3(text) if best == "TCVN3" else _vni(text)), best


def is_syllable(word: str) -> bool:
    """Return whether a word is built as a Vietnamese syllable is, with at most one tone."""
    letters = unicodedata.normalize("NFD", word.casefold())
    if len(_TONES.findall(letters)) > 1:
        return False
    return _SYLLABLE.match(unicodedata.normalize("NFC", _TONES.sub("", letters))) is not None


def _share(words: list[str]) -> float:
    return sum(map(is_syllable, words)) / len(words)


def _tcvn3(text: str) -> str:
    return text.translate(_TCVN3)


def _vni(text: str) -> str:
    def pair(match: re.Match[str]) -> str:
        base, mark = match[1], match[2]
        marks = _VNI_MARKS[mark.casefold()]
        base = {"ô": "ơ", "ö": "ư", "Ô": "Ơ", "Ö": "Ư"}.get(base, base)
        return unicodedata.normalize("NFC", base + marks)

    paired = _VNI_PAIR.sub(lambda m: f"\x00{pair(m)}\x00", text)
    # What stands alone is looked up in the rest only: `ô` inside a pair has been read already.
    parts = paired.split("\x00")
    for index in range(0, len(parts), 2):
        parts[index] = "".join(
            (_VNI_ALONE[low].upper() if c.isupper() else _VNI_ALONE[low]) if (low := c.casefold()) in _VNI_ALONE else c
            for c in parts[index]
        )
    return "".join(parts)
