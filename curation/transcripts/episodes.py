"""Which files are tracks of one episode, by their names: `ep 01.en.ass`, `vi/Show - 01 [1080p].srt`. Pure."""

from __future__ import annotations

import re
import unicodedata

_LANGUAGES = """
en eng english vi vie viet vietnamese vn ja jp jpn jap japanese zh zho chi chs cht cn tc sc chinese ko kor korean fr fre
fra french de ger deu german es spa spanish esp latam pt por portuguese ptbr it ita italian ru rus russian ar ara arabic
id ind indonesian th tha thai pl pol polish tr tur turkish ms may malay tl fil nl dut ukr uk hi hin
"""
_TRACKS = """
sub subs subtitle subtitles caption captions dialogue dialogues dialog thoai full forced sdh cc default track timing
timed raw final fixed named names actor actors cr crunchyroll nf netflix amzn bd bdrip bluray dvd web webrip webdl tv
hdtv hevc avc aac flac bilibili muse official fansub us uk gb br hans hant
"""
_WORDS = frozenset((_LANGUAGES + _TRACKS).split())
_BRACKETS = re.compile(r"\[[^\]]*\]|\([^)]*\)|【[^】]*】|\{[^}]*\}")
_TECHNICAL = re.compile(
    r"(?<![a-z0-9])(?:\d{3,4}[pi]|[xh]\.?26[45]|hevc|avc|av1|\d{1,2}bits?|aac|flac|v\d)(?![a-z0-9])"
)
_SEASON_EPISODE = re.compile(
    r"(?<![a-z0-9])s(\d{1,3})[ ._-]*e(?:p)?(\d{1,4})(?![0-9])|(?<!\d)(\d{1,2})x(\d{2,3})(?!\d)"
)
_EPISODE = re.compile(
    r"(?:(?<![a-z])(?:episode|ep|e|tap|chapter|ch|no|vol)[ ._#-]*|#\s*|第\s*)(\d{1,4})(?!\d)|(\d{1,4})\s*[話话集回]"
)
_NUMBER = re.compile(r"(?<!\d)(\d{1,4})(?!\d)")

Episode = tuple[str, str]


def episode_of(path: str) -> Episode:
    """Return the key of the episode that a file is a track of: its folder, and its number or what is left of its name.

    Words for languages and kinds of tracks do not count, in the file's name and as the name of a folder.
    """
    *folders, name = path.split("/")
    folder = "/".join(part for part in map(_fold, folders) if not _is_track(part))
    stem = _fold(name.rpartition(".")[0] or name)
    plain = _TECHNICAL.sub(" ", _BRACKETS.sub(" ", stem))
    if match := _SEASON_EPISODE.search(plain):
        season, number = (match[1], match[2]) if match[1] else (match[3], match[4])
        return folder, f"{int(season)}x{int(number)}"
    if match := _EPISODE.search(plain):
        return folder, str(int(match[1] or match[2]))
    if numbers := _NUMBER.findall(plain):
        return folder, str(int(numbers[-1]))
    words = [word for word in re.findall(r"[^\W_]+", plain) if word not in _WORDS]
    return folder, " ".join(words)


def _is_track(folder: str) -> bool:
    words = re.findall(r"[^\W_]+", folder)
    return bool(words) and all(word in _WORDS for word in words)


def _fold(text: str) -> str:
    """Return a name in lower case, without marks (`Tập` and `tap` are one word), full-width digits as plain ones."""
    split = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    return unicodedata.normalize("NFC", "".join(c for c in split if not "\u0300" <= c <= "\u036f")).casefold()
