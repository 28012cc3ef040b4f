"""The words by which subtitlers name what is not a person: songs, signs, notes, credits and layout. Pure.

In: the name of a style, an actor field, or a label. Out: what it names. A name is read word by word, with its CamelCase
taken apart, in small letters and without accents, since `Lời bài hát`, `Loi bai hat` and `LoiBaiHat` are one style.
A word counts only as a whole: Subaru, Edward and Hope hold `sub`, `ed` and `op`, and are people.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Literal

Kind = Literal["song", "sign", "note", "credits", ""]

_WORD = re.compile(r"[^\W\d_]+|\d+")

_SONG = {
    *("song", "songs", "lyric", "lyrics", "karaoke", "kara", "romaji", "romanji", "opening", "ending", "insert"),
    *("furigana", "furi", "theme", "singing", "nhac", "kanji"),
}
_SONG_PHRASES = ("loi bai hat", "bai hat", "loi nhac", "loi hat", "ca khuc", "nhac phim", "mo dau", "ket thuc")
_SIGN = {
    *("sign", "signs", "title", "titles", "typeset", "typesetting", "ts", "caption", "captions", "onscreen"),
    *("eyecatch", "letter", "chapter", "screen", "preview", "bangron", "signboard", "logo"),
}
# Words that need their marks: without them they are people (`Chu`, `Biên`).
_MARKED_SIGNS = {"biển", "chữ", "bảng"}
_SIGN_PHRASES = (
    "on screen",
    "next ep",
    "next episode",
    "bien bao",
    "bang hieu",
    "tieu de",
    "chu tren man hinh",
    "ten tap",
)
_NOTE = {"note", "notes", "tn", "tlnote", "tlnotes", "annotation", "annotations", "footnote", "footnotes"}
_NOTE_PHRASES = ("chu thich", "ghi chu", "t n", "tl note", "tl notes", "translator note", "translators note", "luu y")
_CREDITS = {
    *("credit", "credits", "staff", "fansub", "fansubs", "watermark", "subtitle", "subtitles", "subbed", "translator"),
    *("translated", "timing", "timed", "timer", "encode", "encoded", "encoder", "encoding", "typesetter", "editor"),
    *("edited", "qc", "raw", "raws", "synced", "opensubtitles"),
}
_CREDIT_PHRASES = ("bien dich", "hieu dinh", "bien tap", "nguoi dich", "dich boi", "phu de", "nhom dich")
_LANGUAGES = {
    *("jp", "jpn", "ja", "jap", "japanese", "en", "eng", "english", "vi", "vn", "vie", "viet", "vietnamese", "rom"),
    *(
        "tl",
        "tran",
        "trans",
        "translation",
        "translations",
        "dich",
        "cn",
        "chs",
        "cht",
        "zh",
        "kr",
        "ko",
        "fr",
        "es",
        "de",
    ),
    *(
        "pt",
        "it",
        "ru",
        "tv",
        "bd",
        "full",
        "short",
        "ver",
        "version",
        "line",
        "lines",
        "no",
        "fx",
        "the",
        "of",
        "a",
        "b",
    ),
}
_LAYOUT = {
    *(
        "default",
        "main",
        "alt",
        "alternate",
        "italic",
        "italics",
        "top",
        "bottom",
        "left",
        "right",
        "flash",
        "flashback",
    ),
    *("flashbacks", "thought", "thoughts", "thinking", "narration", "narrator", "narrative", "narrate", "overlap"),
    *("dialog", "dialogs", "dialogue", "dialogues", "text", "sub", "subs", "style", "styles", "basic", "regular"),
    *(
        "normal",
        "bold",
        "copy",
        "internal",
        "phone",
        "middle",
        "mid",
        "upper",
        "lower",
        "up",
        "down",
        "center",
        "centre",
    ),
    *("over", "under", "secondary", "primary", "second", "other", "others", "small", "big", "font", "monologue"),
    *("speech", "talk", "shout", "whisper", "radio", "offscreen", "off", "q0", "an8"),
}
_LAYOUT_PHRASES = {
    "chinh",
    "thoai",
    "suy nghi",
    "hoi tuong",
    "tren",
    "duoi",
    "dan chuyen",
    "nguoi dan chuyen",
    "loi thoai",
}
_KINDS: tuple[Kind, ...] = ("song", "sign", "note", "credits")
# Scripts without spaces: the words of the trade count wherever they stand in a name.
_WRITTEN_TOGETHER = re.compile(
    r"(?P<song>歌詞|歌词|主題歌|主题曲|主題曲|挿入歌|插曲|カラオケ|卡拉|オープニング|エンディング|片头曲|片頭曲|片尾曲|노래|가사|주제가)"
    r"|(?P<sign>看板|テロップ|画面字|畫面字|屏幕字|標識|招牌|간판|화면 ?자막)"
    r"|(?P<note>注釈|註釈|注释|註釋|译注|譯註|訳注|주석|역주)"
    r"|(?P<credits>スタッフ|制作名单|字幕组|字幕組|자막 ?제작)"
)
# `OPJP`, `EDVN`, `opkara`: one word, and never one with a capital and small letters (`Eden`, `Opal`).
_SONG_CODE = re.compile(
    r"(?:OP|ED)(?:JPN?|JA|ENG|VN|VI|VIET?|ROM|ROMAJI|KANJI|KARA|TL|SONG|LYRICS?|CN|TV|BD)?|"
    r"(?:op|ed)(?:jpn?|ja|eng|vn|vi|viet?|rom|romaji|kanji|kara|tl|song|lyrics?|cn|tv|bd)?"
)
# How a person's line is said or shown; beside a name in a style, the name stays a person.
_MANNERS = {
    *("thought", "thoughts", "thinking", "flashback", "flashbacks", "internal", "monologue", "phone", "radio"),
    *("whisper", "shout", "narration", "speech", "offscreen"),
}
_PARTS = re.compile(r"\s+[-–—|]+\s*|\s*[:|(\[]\s*")
_NUMBER = re.compile(r"\d+")


@lru_cache(maxsize=4096)
def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in small letters without accents: `iFanzSigns_2` → `i`, `fanz`, `signs`, `2`."""
    return tuple(fold(word) for word in _WORD.findall(_apart(unicodedata.normalize("NFC", name))))


def fold(text: str) -> str:
    """Return a text in small letters, without accents."""
    letters = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    return "".join(c for c in letters if not unicodedata.combining(c))


@lru_cache(maxsize=4096)
def style_kind(name: str) -> Kind:
    """Return what a style's name says that its lines are; "" for dialogue. One telling word is enough."""
    words = words_of(name)
    if len(words) > 1 and not name[:1].islower() and name.isalpha():
        words = (*words, "".join(words))  # `TypeSetting`, `KaraOke`
    if not name.isascii() and (found := _WRITTEN_TOGETHER.search(name)):
        return next(kind for kind in _KINDS if found[kind] is not None)
    phrase = f" {' '.join(words)} "
    if _has(phrase, words, _NOTE_PHRASES, _NOTE):
        return "note"
    if _has(phrase, words, _SONG_PHRASES, _SONG) or _song_code(name):
        return "song"
    if _has(phrase, words, _SIGN_PHRASES, _SIGN) or not _MARKED_SIGNS.isdisjoint(name.casefold().split()):
        return "sign"
    if _has(phrase, words, _CREDIT_PHRASES, _CREDITS):
        return "credits"
    # A track that repeats what is sung: styles of dialogue are not named after their being a translation.
    if words and all(word in _LANGUAGES for word in words) and {"translation", "translations"} & set(words):
        return "song"
    return ""


@lru_cache(maxsize=4096)
def name_kind(name: str) -> Kind:
    """Return what an actor field or a label names if it names no person: each of its words is one of the trade."""
    parts = [part for part in _PARTS.split(name) if part.strip()]
    if len(parts) > 1:  # `Signs - door`
        return _whole_kind(parts[0]) or _whole_kind(name)
    return _whole_kind(name)


def _whole_kind(name: str) -> Kind:
    words = words_of(name)
    kind = style_kind(name)
    if not kind:
        return ""
    if not name.isascii() and _WRITTEN_TOGETHER.search(name):
        return kind
    phrase = " ".join(words)
    for known in (*_SONG_PHRASES, *_SIGN_PHRASES, *_NOTE_PHRASES, *_CREDIT_PHRASES):
        phrase = phrase.replace(known, " ")
    trade = _SONG | _SIGN | _NOTE | _CREDITS | _LANGUAGES | _LAYOUT
    rest = [w for w in phrase.split() if w not in trade and not _NUMBER.fullmatch(w) and not _SONG_CODE.fullmatch(w)]
    marked = not _MARKED_SIGNS.isdisjoint(name.casefold().split())
    return kind if not rest or (marked and len(words) == 1) else ""


@lru_cache(maxsize=4096)
def person_in_style(style: str) -> tuple[str, bool]:
    """Return the part of a style's name that may be a person, and whether other words of it only say where it is shown.

    `Tsubame` → (`Tsubame`, False), `Tsubame - Thoughts` → (`Tsubame`, False), `Tsubame Top` → (`Tsubame`, True),
    `Default_2` → ("", True).
    """
    if fold(style).strip() in _LAYOUT_PHRASES:
        return "", True
    words = re.split(r"[\s_\-:–—.,|/()\[\]]+", _apart(style))
    plain = [(word, fold(word)) for word in words if word]
    kept = [word for word, folded in plain if folded not in _LAYOUT and not _layout_number(folded)]
    laid_out = [folded for word, folded in plain if word not in kept and folded not in _MANNERS]
    return " ".join(kept), bool(laid_out) or not kept


def _apart(name: str) -> str:
    """Set the words of CamelCase apart; a run of capitals ends before one that a small letter follows."""
    return "".join(
        f" {c}" if c.isupper() and (before.islower() or (before.isupper() and after.islower())) else c
        for before, c, after in zip(f" {name}", name, f"{name[1:]} ", strict=False)
    )


def _layout_number(word: str) -> bool:
    """Return whether a word is a number, or a word of layout with one: `2`, `alt2`."""
    return bool(_NUMBER.fullmatch(word)) or word.rstrip("0123456789") in _LAYOUT


def _has(phrase: str, words: tuple[str, ...], phrases: tuple[str, ...], single: set[str]) -> bool:
    return not single.isdisjoint(words) or any(f" {known} " in phrase for known in phrases)


def _song_code(name: str) -> bool:
    """Return whether a name is `OP` or `ED`, alone or beside a language or a number: `OPJP`, `ED-TL`, `op2`."""
    written = _WORD.findall(_apart(name))
    words = words_of(name)
    # `Ed` alone may be a person; `Ed Romaji` is not.
    codes = [bool(_SONG_CODE.fullmatch(w)) or (len(written) > 1 and w in ("Op", "Ed")) for w in written]
    known = _LANGUAGES | _SONG | _LAYOUT
    return any(codes) and all(
        code or word in known or _NUMBER.fullmatch(word) or len(word) < 2
        for code, word in zip(codes, words, strict=True)
    )
