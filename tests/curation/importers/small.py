"""One small, whole file of every format: what the damage tests damage."""

import html
import io
import json
import zipfile

import docx
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
SBV = "0:00:01.000,0:00:02.500\nTANJIRO: Đi nào!\n\n0:00:03.000,0:00:04.500\nINOSUKE: Ta đi\ntrước!\n"
SUBVIEWER = (
    "[INFORMATION]\n[TITLE]x\n[END INFORMATION]\n[SUBTITLE]\n[COLF]&HFFFFFF\n"
    "00:00:01.00,00:00:02.50\nTANJIRO: Đi[br]nào!\n\n00:00:03.00,00:00:04.50\nINOSUKE: Ta đi trước!\n"
)
LRC = "[ti:x]\n[offset:+100]\n[00:01.00][00:09.00]TANJIRO: Đi <00:01.50>nào!\n[00:03.10]INOSUKE: Ta!\n[00:05.00]\n"
SAMI = (
    "<SAMI><HEAD><STYLE><!-- .VNCC {lang: vi;} --></STYLE></HEAD><BODY>\n<SYNC Start=1000><P Class=VNCC>TANJIRO: Đi<br>"
    "nào!\n<SYNC Start=2000><P Class=VNCC>&nbsp;\n<SYNC Start=3000><P Class=VNCC><i>INOSUKE: Ta &amp; ngươi!</i>\n"
    "</BODY></SAMI>\n"
)
MPL2 = "[10][25]TANJIRO: Đi nào!|Nhanh\n[30][45]/INOSUKE: Ta đi trước!\n"
TMPLAYER = "00:00:01:TANJIRO: Đi nào!|Nhanh\n00:00:03:INOSUKE: Ta đi trước!\n00:00:05:\n"
SRV3 = (
    '<?xml version="1.0" encoding="utf-8" ?><timedtext format="3"><body><p t="1000" d="1500">TANJIRO: Đi nào!</p>'
    '<p t="3000" d="1500"><s>INOSUKE:</s><s t="300"> Ta!</s></p></body></timedtext>\n'
)
JSON3 = json.dumps(
    {
        "wireMagic": "pb3",
        "events": [
            {"tStartMs": 1000, "dDurationMs": 1500, "segs": [{"utf8": "TANJIRO: "}, {"utf8": "Đi nào!"}]},
            {"tStartMs": 3000, "dDurationMs": 1500, "segs": [{"utf8": "INOSUKE: Ta đi trước!"}]},
        ],
    },
    ensure_ascii=False,
)
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


def word() -> bytes:
    """Return a small Word document."""
    document = docx.Document()
    document.add_heading("Cảnh", 1)
    line = document.add_paragraph()
    line.add_run("Tanjiro: ").bold = True
    line.add_run("Đi nào!")
    document.add_paragraph("Inosuke: Ta đi trước!")
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Tanjiro", "Ừ."
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def pdf(pages: list[list[tuple[int, int, str]]]) -> bytes:
    """Return a PDF whose pages hold (x, y, words) in 12 point Courier; y counts from the bottom."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", b"<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>"]
    kids = []
    for rows in pages:
        shown = "".join(f"1 0 0 1 {x} {y} Tm ({words}) Tj\n" for x, y, words in rows)
        stream = f"BT /F1 12 Tf\n{shown}ET".encode("latin-1")
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> "
            b"/Contents %d 0 R >>" % len(objects)
        )
        kids.append(b"%d 0 R" % len(objects))
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(kids), len(kids))
    out, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(b"%010d 00000 n \n" % len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(places) + 1, b"".join(places))
    return b"%s%strailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (out, table, len(places) + 1, len(out))


def epub(chapters: list[str], **more: str) -> bytes:
    """Return a book of these chapters, each the inside of a page's body; ``more`` are other members by their name."""
    names = [f"c{n}.xhtml" for n in range(len(chapters))]
    items = "".join(f'<item id="{n}" href="{n}" media-type="application/xhtml+xml"/>' for n in names)
    spine = "".join(f'<itemref idref="{n}"/>' for n in names)
    members = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<container><rootfiles><rootfile full-path="b/p.opf"/></rootfiles></container>',
        "b/p.opf": f"<package><manifest>{items}</manifest><spine>{spine}</spine></package>",
        **{f"b/{n}": f"<html><body>{c}</body></html>" for n, c in zip(names, chapters, strict=True)},
        **more,
    }
    return zipped({name: text.encode() for name, text in members.items()})


def zipped(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


HTML = """<!DOCTYPE html><html><head><title>x</title></head><body><nav>a</nav><h1>Cảnh</h1>
<p><b>Tanjiro:</b> Đi <i>nào</i>!</p><p><span class="speaker">Inosuke</span> Ta<br>đi! <ruby>山<rt>やま</rt></ruby></p>
<table><tr><th>Name</th><th>Line</th></tr><tr><td>Inosuke</td><td>Hả?</td></tr></table></body></html>
"""
EXPORT = f"""<mediawiki><page><title>Tập 1</title><ns>0</ns><revision><text>
{html.escape(WIKI)}</text></revision></page></mediawiki>
"""
ANSWER = json.dumps({"batchcomplete": "", "query": {"pages": {"7": {"title": "x", "revisions": [{"*": WIKI}]}}}})
RENPY = """define t = Character("Tanjiro")
label start:
    "Gió thổi."
    t vui "Đi {i}nào{/i}!" with fade
    menu:
        "Đi":
            "Inosuke" '''Ta đi trước!'''
"""
FOUNTAIN = "Title: x\n\nEXT. NHÀ\n\nTANJIRO\n(cười)\nĐi *nào*!\n\nINOSUKE ^\nTa đi trước! [[x]]\n\n/* y */\n\n> HẾT <\n"
CHAT = (
    "[10:01] * Tanjiro vào\n[10:01] <Tanjiro> Đi nào!\n[10:02] <Inosuke> Ta đi trước!\n2024-01-02 10:03 <Inosuke> Hả?\n"
)
WHISPER = (
    "[00:00.000 --> 00:01.000]  Tanjiro: Đi!\n[00:01.000 --> 00:02.500]  【Inosuke】「Ta đi」\n0.20 1.5 SPEAKER_00 Ừ.\n"
)

FILES: dict[str, bytes] = {
    "a.ass": ASS.encode(),
    "a.ssa": SSA.encode("utf-16"),
    "a.srt": SRT.encode(),
    "a.vtt": VTT.encode(),
    "a.ttml": TTML.encode(),
    "a.sub": MICRODVD.encode(),
    "a.sbv": SBV.encode(),
    "b.sub": SUBVIEWER.encode(),
    "a.lrc": LRC.encode(),
    "a.smi": SAMI.encode(),
    "a.mpl": MPL2.encode(),
    "b.txt": TMPLAYER.encode(),
    "a.srv3": SRV3.encode(),
    "a.json3": JSON3.encode(),
    "a.mokuro": MOKURO.encode(),
    "a.xml": MANGA109.encode(),
    "a.wiki": WIKI.encode(),
    "a.txt": SCRIPT.encode(),
    "a.md": MARKDOWN.encode(),
    "a.html": HTML.encode(),
    "a.epub": epub(["<p><b>Tanjiro:</b> Đi nào!</p>", "<p>Inosuke: Ta đi trước!</p>"]),
    "a.pdf": pdf([[(72, 700, "Tanjiro: Where are"), (72, 686, "you?"), (72, 650, "Inosuke: Up!")], [(72, 700, "2")]]),
    "export.xml": EXPORT.encode(),
    "answer.json": ANSWER.encode(),
    "a.rpy": RENPY.replace("'''", '"').encode(),
    "a.fountain": FOUNTAIN.encode(),
    "a.log": CHAT.encode(),
    "whisper.txt": WHISPER.encode(),
    "a.json": ALPACA.encode(),
    "a.jsonl": JSONL.encode(),
    "a.csv": CSV.encode(),
    "a.xlsx": _excel(),
    "a.parquet": _parquet(),
    "a.arrow": _arrow(),
    "a.zip": zipped({"one.srt": SRT.encode(), "two/b.jsonl": JSONL.encode(), "c.bin": b"\0\1\2\3" * 9}),
}
