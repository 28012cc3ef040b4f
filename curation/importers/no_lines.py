"""Files that come with a release or a scan and hold no lines by nature: fonts, chapters, pictures, check sums.

Knows names and first bytes, no format's content. What is listed here is skipped without an error.
"""

from __future__ import annotations

import re

# kind, in the words of the overview → suffixes
_KINDS: dict[str, tuple[str, ...]] = {
    "fonts": (".ttf", ".otf", ".ttc", ".otc", ".woff", ".woff2", ".eot", ".pfb"),
    "images": (
        ".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".avif", ".svg", ".tif", ".tiff", ".psd", ".jxl", ".heic",
    ),
    "video and sound": (
        ".mkv", ".mp4", ".m4v", ".avi", ".mov", ".wmv", ".flv", ".ts", ".m2ts", ".webm", ".mka", ".mp3", ".flac",
        ".aac", ".m4a", ".ogg", ".opus", ".wav", ".ac3", ".eac3", ".dts", ".thd",
    ),
    "subtitles as pictures": (".sup", ".idx"),
    "check sums": (".md5", ".sfv", ".sha1", ".sha256", ".sha512", ".crc", ".crc32"),
    "release notes": (".nfo", ".diz", ".torrent", ".url", ".lnk", ".webloc", ".license"),
    "settings": (".ini", ".cfg", ".conf", ".db", ".gitkeep", ".gitignore", ".ds_store"),
    "programs": (
        ".lua", ".moon", ".py", ".vpy", ".avs", ".avsi", ".js", ".css", ".sh", ".bat", ".cmd", ".ps1", ".exe", ".dll",
    ),
}  # fmt: skip
_BY_SUFFIX = {suffix: kind for kind, suffixes in _KINDS.items() for suffix in suffixes}
SUFFIXES = frozenset(_BY_SUFFIX)
FORMAT = "no lines"  # of such a file, followed by its kind in round brackets

# Matroska's chapters as XML (mkvextract), and the older OGM text: CHAPTER01=00:00:00.000.
_CHAPTERS = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!(?:--.*?--|[^>]*)>\s*)*<Chapters\b", re.DOTALL)
_OGM_CHAPTERS = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*CHAPTER\d+\s*=\s*\d+:\d+:\d+", re.IGNORECASE)
_TAGS = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!(?:--.*?--|[^>]*)>\s*)*<Tags>", re.DOTALL)
_HEAD = 2048


def kind_without_lines(name: str, data: bytes = b"") -> str:
    """Return what kind of file without lines this is ("fonts"), or "" for any other; ``data`` is how it begins."""
    suffix = "." + name.lower().rpartition(".")[2] if "." in name else ""
    if kind := _BY_SUFFIX.get(suffix):
        return kind
    if suffix in (".xml", ".txt"):
        head = data[:_HEAD]
        if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
            head = head.decode("utf-16", "ignore").encode()
        if _CHAPTERS.match(head) or _OGM_CHAPTERS.match(head):
            return "chapters"
        if _TAGS.match(head):
            return "release notes"
    return ""
