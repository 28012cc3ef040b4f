"""One small, whole file of every format: what the damage tests damage."""

import io
import json
import zipfile

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

ASS = r"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour
Style: Default,Arial,20,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,2,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,template line,!retime()!
Dialogue: 0,0:00:01.00,0:00:02.00,Default,Tanjiro,0,0,0,,Đi nào,\N{\i1}nhanh lên!
Dialogue: 0,0:00:02.10,0:00:04.00,Default,Inosuke,0,0,0,,Ta đi\htrước!
Dialogue: 0,0:00:04.00,0:00:05.00,Sign,,0,0,0,,{\pos(1,2)}Bến đò
"""
SSA = ASS.replace("V4+", "V4").replace("Dialogue: 0", "Dialogue: Marked=0")
SRT = """1
00:00:01,000 --> 00:00:02,000
<i>TANJIRO: Đi nào!</i>

2
00:00:02,100 --> 00:00:04,000
- INOSUKE: Ta đi trước! {\\an8}
- Khoan đã!

3
00:00:05,000 --> 00:00:06,000
♪ hát ♪
"""
VTT = """WEBVTT - x

STYLE
::cue { color: red }

NOTE ghi chú

a1
00:01.000 --> 00:00:02.000 align:start
<v Tanjiro>Đi &amp; nào!</v>

00:00:02.100 --> 00:00:04.000
<v.loud Inosuke>Ta <00:00:03.000>đi <ruby>前<rt>まえ</rt></ruby>
"""
TTML = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata" xml:lang="vi">
<head><metadata><ttm:agent xml:id="a1"><ttm:name>Inosuke</ttm:name></ttm:agent></metadata></head>
<body><div begin="1s"><p begin="00:00:01.000" end="2s">Đi<br/>nào</p>
<p begin="50f" dur="1000ms" ttm:agent="a1">Ta <span>đi</span> trước!</p></div></body></tt>
"""
MICRODVD = "{1}{1}25\n{25}{50}TANJIRO: Đi nào!|{y:i}nhanh\n{55}{100}INOSUKE: Ta đi trước!\n"
_PAGES = [
    {
        "img_path": f"v/{n}.jpg",
        "img_width": 9,
        "img_height": 9,
        "blocks": [
            {"box": [5, 0, 9, 3], "vertical": True, "font_size": 2, "lines": ["Đi", "nào!"], "speaker": "Tanjiro"},
            {"box": [0, 1, 4, 3], "vertical": True, "font_size": 2, "lines": ["Ta đi trước!"], "speaker": "Inosuke"},
        ],
    }
    for n in (10, 9)
]
MOKURO = json.dumps({"version": "0.2", "pages": _PAGES}, ensure_ascii=False)
MANGA109 = """<?xml version="1.0" encoding="UTF-8"?>
<book title="x"><characters><character id="01" name="Inosuke"/></characters><pages><page index="1" width="9" height="9">
<frame id="02" xmin="0" ymin="0" xmax="9" ymax="9"/><body id="03" xmin="0" ymin="0" xmax="1" ymax="1" character="01"/>
<text id="04" xmin="1" ymin="1" xmax="2" ymax="2">Ta đi trước!</text>
<text id="05" xmin="5" ymin="1" xmax="6" ymax="2">Đi nào!</text>
<speaker_to_text id="06" text_id="04" speaker_id="03"/></page></pages></book>
"""
WIKI = """<!-- x -->{{Infobox|a=b}}
== Cảnh [[một]] ==
''(gió)''
'''[[Tanjiro]]:''' Đi nào!<ref>x</ref>
'''Inosuke''': Ta ''đi'' trước!
{| class="wikitable"
! Tanjiro !! Khoan
|-
| Inosuke || Không!
|}
{{Dialogue|Tanjiro|Sao?|Inosuke|Vì ta nhanh!}}
"""
SCRIPT = (
    "CẢNH 1\n\n[gió]\nTanjiro: Đi nào!\nInosuke: Ta đi trước!\n\nINOSUKE\nNhanh lên!\n\nTanjiro: Ừ. Chờ *tớ* với.\n"
)
MARKDOWN = "# Cảnh\n\n**Tanjiro:** Đi nào!\n\n- **Inosuke**: Ta đi trước!\n\n> **Tanjiro:** Ừ.\n"
_LINES = [{"speaker": "Tanjiro", "text": "Đi nào!", "start": "1"}, {"speaker": "Inosuke", "text": "Ta!", "start": "2"}]
_MESSAGES = [{"role": "user", "content": "Đi nào!", "name": "Tanjiro"}, {"role": "assistant", "content": "Ta!"}]
ALPACA = json.dumps([{"instruction": "Hỏi: Ai?", "input": "", "output": "Ta!"}] * 3, ensure_ascii=False, indent=1)
JSONL = "".join(
    json.dumps(row, ensure_ascii=False) + "\n"
    for row in (
        {"messages": _MESSAGES},
        {"conversations": [{"from": "human", "value": "Đi!"}, {"from": "gpt", "value": "Ta!"}]},
        {"data": {"messages": _MESSAGES}, "annotations": [{"result": [{"value": {"text": ["Hả!"]}}]}]},
        _LINES[1],
    )
)
CSV = 'speaker,text,start\nTanjiro,Đi nào!,1\nInosuke,"Ta, đi\ntrước",2\n'


def _excel() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["speaker", "text"], ["Tanjiro", "Đi nào!"], ["Inosuke", "Ta đi trước!"]):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(_LINES), out)
    return out.getvalue()


def _arrow() -> bytes:
    out = io.BytesIO()
    table = pa.Table.from_pylist(_LINES)
    with pa.ipc.new_stream(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


FILES: dict[str, bytes] = {
    "a.ass": ASS.encode(),
    "a.ssa": SSA.encode("utf-16"),
    "a.srt": SRT.encode(),
    "a.vtt": VTT.encode(),
    "a.ttml": TTML.encode(),
    "a.sub": MICRODVD.encode(),
    "a.mokuro": MOKURO.encode(),
    "a.xml": MANGA109.encode(),
    "a.wiki": WIKI.encode(),
    "a.txt": SCRIPT.encode(),
    "a.md": MARKDOWN.encode(),
    "a.json": ALPACA.encode(),
    "a.jsonl": JSONL.encode(),
    "a.csv": CSV.encode(),
    "a.xlsx": _excel(),
    "a.parquet": _parquet(),
    "a.arrow": _arrow(),
    "a.zip": zipped({"one.srt": SRT.encode(), "two/b.jsonl": JSONL.encode(), "c.bin": b"\0\1\2\3" * 9}),
}
