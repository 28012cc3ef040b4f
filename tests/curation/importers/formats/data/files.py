"""One small, whole file of every program whose JSON or archive is read: what the damage tests damage."""

import io
import json
import struct
import zlib

import py7zr

from tests.curation.importers.small import SRT, zipped


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _lines(*rows: object) -> bytes:
    return b"".join(_json(row) + b"\n" for row in rows)


def seven_zip(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w") as archive:
        for name, data in members.items():
            archive.writestr(data, name)
    return out.getvalue()


def rar(members: dict[str, bytes], method: int = 0x30) -> bytes:
    """A rar (version 3) whose members are stored: no free program writes one."""

    def block(kind: int, flags: int, body: bytes, added: bytes = b"") -> bytes:
        head = struct.pack("<BHH", kind, flags, 7 + len(body)) + body
        return struct.pack("<H", zlib.crc32(head) & 0xFFFF) + head + added

    out = b"Rar!\x1a\x07\x00" + block(0x73, 0, b"\0" * 6)
    for name, data in members.items():
        raw = name.encode()
        sizes = struct.pack("<IIBIIBBHI", len(data), len(data), 3, zlib.crc32(data), 0, 29, method, len(raw), 0o100644)
        out += block(0x74, 0x8000, sizes + raw, data)
    return out + block(0x7B, 0x4000, b"")


WHISPERX = {
    "segments": [
        {"start": 1.0, "end": 2.5, "text": " Đi nào!", "speaker": "Tanjiro"},
        {"start": 3.0, "end": 4.5, "text": " Ta đi trước!", "speaker": "Inosuke", "words": []},
    ],
    "word_segments": [],
    "language": "vi",
}
WHISPER_CPP = {
    "result": {"language": "vi"},
    "transcription": [
        {
            "timestamps": {"from": f"00:00:0{n},000", "to": f"00:00:0{n + 1},000"},
            "offsets": {"from": n * 1000, "to": n * 1000 + 1000},
            "text": text,
        }
        for n, text in ((1, " Tanjiro: Đi nào!"), (3, " Inosuke: Ta đi trước!"))
    ],
}
_WORDS = [
    {"word": w.lower(), "punctuated_word": w, "start": n / 2, "end": n / 2 + 0.4, "speaker": n // 2}
    for n, w in enumerate(("Đi", "nào!", "Ta", "đây!"))
]
DEEPGRAM = {"metadata": {}, "results": {"channels": [{"alternatives": [{"transcript": "x", "words": _WORDS}]}]}}
ASSEMBLYAI = {
    "id": "1",
    "text": "Đi nào! Ta đi!",
    "utterances": [
        {"speaker": "A", "text": "Đi nào!", "start": 250, "end": 1650, "words": []},
        {"speaker": "B", "text": "Ta đi!", "start": 1700, "end": 2900, "words": []},
    ],
}
SILLYTAVERN = (
    {"user_name": "You", "character_name": "Inosuke", "chat_metadata": {}},
    {"name": "Inosuke", "is_user": False, "mes": "Ai đó?"},
    {"name": "You", "is_user": True, "mes": "Tớ."},
    {"name": "Inosuke", "is_user": False, "mes": "Hừ!", "swipes": ["Sao?", "Hừ!"], "swipe_id": 1},
)
CHARACTER_AI = {
    "histories": {
        "histories": [
            {
                "msgs": [
                    {"src": {"name": "Inosuke", "is_human": False}, "text": "Ai đó?"},
                    {"src": {"name": "user", "is_human": True}, "text": "Tớ."},
                    {"src": {"name": "Inosuke", "is_human": False}, "text": "Hừ!"},
                ]
            }
        ]
    }
}
_NODES = [
    {"id": "a", "parent": None, "role": "user", "content": "Ai đó?", "time": 1},
    {"id": "b", "parent": "a", "role": "assistant", "content": "Tôi ạ.", "time": 2},
    {"id": "c", "parent": "a", "role": "assistant", "content": "Ta!", "time": 3, "rating": "up"},
]
CHAT_PAGE = {
    "format": "inosuke-chat",
    "version": 2,
    "conversations": [{"version": 2, "id": "x1", "title": "x", "nodes": _NODES, "chosen": {"": "a", "a": "c"}}],
}
DISCORD = {
    "guild": {"name": "g"},
    "messages": [
        {"id": "1", "type": "Default", "timestamp": "2024-01-01T10:00:00+00:00", "author": {"name": "Tanjiro"},
         "content": "Đi nào!"},
        {"id": "2", "type": "Default", "timestamp": "2024-01-01T10:00:05+00:00", "author": {"name": "x", "nickname":
         "Inosuke"}, "content": "Ta đi trước!"},
    ],
}  # fmt: skip
TELEGRAM = {
    "name": "x",
    "type": "personal_chat",
    "messages": [
        {"id": 1, "type": "service", "date": "2024-01-01T10:00:00", "actor": "x", "text": ""},
        {"id": 2, "type": "message", "date": "2024-01-01T10:00:01", "from": "Tanjiro", "text": "Đi nào!"},
        {"id": 3, "type": "message", "date": "2024-01-01T10:00:02", "from": "Inosuke",
         "text": ["Ta ", {"type": "bold", "text": "đi"}, " trước!"]},
    ],
}  # fmt: skip
CARD = {
    "spec": "chara_card_v2",
    "data": {
        "name": "Inosuke",
        "first_mes": "Ai đó?",
        "mes_example": "<START>\n{{user}}: Đói không?\n{{char}}: Lúc nào cũng đói!\n",
    },
}
PREFERENCE = [{"prompt": "Ai đó?", "chosen": "Ta!", "rejected": "Tôi ạ."}] * 2
ONE_TEXT = (
    {"text": "### Human: Ai đó?### Assistant: Ta!"},
    {"text": "<|im_start|>user\nAi đó?<|im_end|>\n<|im_start|>assistant\nTa!<|im_end|>"},
    {"text": "<s>[INST] <<SYS>>\nx\n<</SYS>>\n\nAi đó? [/INST] Ta! </s>"},
)
NESTED = {"features": [], "rows": [{"row_idx": 0, "row": {"speaker": "Inosuke", "text": "Ta đi trước!", "start": "1"}}]}

FILES: dict[str, bytes] = {
    "whisperx.json": _json(WHISPERX),
    "whispercpp.json": _json(WHISPER_CPP),
    "deepgram.json": _json(DEEPGRAM),
    "assemblyai.json": _json(ASSEMBLYAI),
    "sillytavern.jsonl": _lines(*SILLYTAVERN),
    "cai.json": _json(CHARACTER_AI),
    "page.json": _json(CHAT_PAGE),
    "discord.json": _json(DISCORD),
    "telegram.json": _json(TELEGRAM),
    "card.json": _json(CARD),
    "preference.json": _json(PREFERENCE),
    "one-text.jsonl": _lines(*ONE_TEXT),
    "nested.json": _json(NESTED),
    "title.csv": "Phim,,,\nCharacter,Dialogue,Start time,End time\nTanjiro,Đi nào!,00:00:01.000,00:00:02.000\n"
    "Inosuke,Ta đi trước!,00:00:03.000,00:00:04.000\n".encode(),
    "whisper.tsv": "start\tend\ttext\n1000\t2500\tTanjiro: Đi nào!\n2600\t4500\tInosuke: Ta đi trước!\n".encode(),
    "euc-kr.srt": SRT.replace("Đi nào", "어디에 있어").replace("Ta đi trước", "지붕 위에 있다")
    .replace("Khoan đã", "빨리").replace("hát", "노래").replace("♪", "#").encode("euc_kr"),
    "season.7z": seven_zip({"s1/one.srt": SRT.encode(), "two.jsonl": _lines(*ONE_TEXT)}),
    "season.rar": rar({"s1/one.srt": SRT.encode(), "two.jsonl": _lines(*ONE_TEXT)}),
    "nested.zip": zipped({"a.zip": zipped({"b.srt": SRT.encode()}), "c.7z": seven_zip({"d.srt": SRT.encode()})}),
}  # fmt: skip
