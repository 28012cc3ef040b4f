"""The names that tables give to their columns, and the row of a table that holds them. Pure; knows no file."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

# Each list is in order: the first column that a row has counts. Names are as `folded` writes them.
TEXT = (
    "text", "line", "words", "spoken words", "character words", "line text", "dialogue", "dialog", "dialogue text",
    "dialogues", "quote", "quotes", "utterance", "sentence", "speech", "says", "said", "subtitle", "subtitles",
    "caption", "transcript", "transcription", "mes", "message", "msg", "content", "body", "raw text", "full text",
    "lời", "lời thoại", "câu thoại", "thoại", "câu nói", "nội dung", "tin nhắn", "văn bản", "phụ đề",
    "セリフ", "台詞", "せりふ", "テキスト", "本文", "発言", "台词",
    "對白", "对白", "内容", "文本", "발언", "대사", "내용",
)  # fmt: skip
SPEAKER = (
    "speaker", "speaker name", "raw character text", "character", "character name", "char", "actor", "role", "name",
    "author", "author name", "username", "user name", "user", "nickname", "sender", "sender name", "person",
    "person scene", "who", "voice", "from", "nhân vật", "người nói", "tên nhân vật", "tên", "vai", "diễn viên",
    "người gửi", "話者", "キャラクター", "キャラ", "名前", "発言者", "人物", "说话人",
    "說話人", "角色", "角色名", "姓名",
    "화자", "등장인물", "이름",
)  # fmt: skip
SCENE = (
    "movie", "movie title", "film", "book", "volume", "vol", "season", "season no", "season number", "arc", "episode",
    "ep", "episode no", "episode number", "episodeno", "episode title", "episode name", "seid", "chapter",
    "chapter no", "chapter number", "part", "act", "scene", "scene no", "scene number", "section", "page", "sheet",
    "phần", "mùa", "tập", "chương", "cảnh", "hồi", "trang", "季", "集", "话", "話", "章", "巻", "卷", "シーン",
    "場面", "회",
)  # fmt: skip
# These name a scene only where several lines share one: a title, or an id, may also be the line's own.
LOOSE_SCENE = (
    "title", "tiêu đề", "タイトル", "标题", "conversation id", "conversation", "dialogue id", "dialog id",
    "dialogue no", "chat id", "thread id", "session id", "group", "file", "filename", "video", "video id",
)  # fmt: skip
START = (
    "start ms", "start", "start time", "starttime", "start timestamp", "begin", "begin time", "from time", "in",
    "time in", "timestamp in ms", "timestamp", "time", "start frame", "startframe", "bắt đầu", "thời gian bắt đầu",
    "thời gian", "開始", "開始時間", "开始", "开始时间", "start s", "start sec", "start seconds", "시작",
    "show", "show time", "tc in", "timecode", "timecode in", "cue in", "appears",
)  # fmt: skip
END = (
    "end ms", "end", "end time", "endtime", "end timestamp", "stop", "finish", "to time", "out", "time out",
    "end frame", "endframe", "kết thúc", "thời gian kết thúc", "終了", "終了時間", "结束", "结束时间",
    "end s", "end sec", "end seconds", "끝", "종료",
    "hide", "hide time", "tc out", "timecode out", "cue out", "disappears",
)  # fmt: skip
# Columns of rows that hold a dialogue; with them, too, a row is a header.
_DIALOGUE = (
    "instruction", "input", "output", "prompt", "response", "completion", "question", "answer", "chosen", "rejected",
    "messages", "conversations", "query", "reply", "system", "history", "topic",
)  # fmt: skip
_UNITS = ("milliseconds", "millisecond", "msec", "ms", "seconds", "second", "secs", "sec", "frames", "frame", "s")
_KNOWN = frozenset((*TEXT, *SPEAKER, *SCENE, *LOOSE_SCENE, *START, *END, *_DIALOGUE))
_MARKS = str.maketrans(dict.fromkeys("_-./#:()[]（）［］", " "))


@lru_cache(maxsize=4096)
def folded(name: str) -> str:
    """Return a column's name in small letters, with single spaces for marks: `Start_Time (ms)` → `start time ms`."""
    return " ".join(unicodedata.normalize("NFC", name).translate(_MARKS).casefold().split())


@lru_cache(maxsize=4096)
def without_unit(name: str) -> tuple[str, str]:
    """Return a folded name without the unit of time at its end, and the unit (ms, s, frame or an empty text)."""
    head, _, last = name.rpartition(" ")
    if last not in _UNITS:
        return name, ""
    unit = "ms" if last.startswith("m") else "frame" if last.startswith("f") else "s"
    return head.removesuffix(" in") or name, unit


def is_known(name: str) -> bool:
    """Return whether a name is one that columns of dialogues have."""
    name = folded(name)
    return name in _KNOWN or without_unit(name)[0] in _KNOWN


def is_header(cells: Sequence[str]) -> bool:
    """Return whether a row of a table holds names of columns: two that are known, or one that is all there is."""
    named = [cell for cell in cells if cell.strip()]
    known = sum(map(is_known, named))
    return known >= 2 or (known == 1 and len(named) == 1)
