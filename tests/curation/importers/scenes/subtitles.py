"""Subtitle files with what they carry in the wild: disorder, layers, signs, karaoke, labels, broken times, overlaps."""

from __future__ import annotations

import random
from xml.sax.saxutils import escape

from tests.curation.importers.scenes.neutral import Said, clock, cp1258, people, wrapped

_STYLE = "Arial,20,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,2,0,2,10,10,10,1"
_ASS_HEAD = f"""[Script Info]
Title: Ba cảnh
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, \
Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, \
MarginV, Encoding
Style: Default,{_STYLE}
Style: Zenitsu,{_STYLE}
Style: Sign,{_STYLE}
Style: OP-Romaji,{_STYLE}
Style: Credits,{_STYLE}

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
_SSA_HEAD = """[Script Info]
ScriptType: v4.00

[V4 Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, TertiaryColour, BackColour, Bold, Italic, \
BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, AlphaLevel, Encoding
Style: Default,Arial,20,16777215,65535,65535,0,0,0,1,2,0,2,10,10,10,0,1

[Events]
Format: Marked, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


def ass(lines: list[Said]) -> bytes:
    """Events out of order, in UTF-16: the speaker is the actor or the style; signs, a song, a drawing, doubles."""
    events = []
    for line in lines:
        n, actor, style = line.number, line.speaker, "Default"
        if line.speaker == "Tanjiro" and n % 4 == 0:
            actor = "TANJIRO (ngoài hình)"
        elif line.speaker == "Inosuke" and n % 5 == 0:
            actor = "伊之助"
        elif line.speaker == "Zenitsu" and n % 3 == 1:
            actor, style = "", "Zenitsu"
        text = wrapped(line.text, "\\N")
        text = text.replace(" ", "\\h", 1) if n == 4 else f"{{\\i1}}{text}{{\\i0}}" if n % 7 == 0 else text
        if n == 10:  # the blurred layer below a line
            events.append(_ass(line.start, line.end, style, actor, f"{{\\blur4\\bord6}}{text}"))
        events.append(_ass(line.start, line.end, style, actor, text, layer=int(n == 10)))
    after = max(line.end for line in lines) + 5_000
    events += [
        _ass(0, 5_000, "OP-Romaji", "", "{\\k20}nú{\\k15}i {\\k30}gọi {\\k40}tên {\\k22}ta", effect="fx"),
        _ass(5_000, 9_000, "Sign", "", "{\\pos(320,80)\\fad(200,200)}Bến Tre Mục"),
        _ass(5_000, 9_000, "Sign", "", "{\\p1\\pos(320,80)}m 0 0 l 100 0 100 40 0 40"),
        *(
            _ass(after + 40 * i, after + 40 * (i + 1), "Default", "", f"{{\\frz{i}\\pos(10,{i})}}Còn tiếp")
            for i in range(4)
        ),
        _ass(after + 4_000, after + 7_000, "Credits", "", "Phụ đề: nhóm Heo Rừng"),
        'Comment: 0,0:00:00.00,0:00:00.00,Default,,0,0,0,template line,!retime("line",-200,200)!',
        f"Comment: 0,{clock(lines[21].start, digits=2)},{clock(lines[21].end, digits=2)},Default,Zenitsu,0,0,0,,"
        "TLC: nghe chưa rõ, xem lại",
    ]
    random.Random(7).shuffle(events)
    return (_ASS_HEAD + "".join(f"{event}\n" for event in events)).encode("utf-16")


def _ass(start: int, end: int, style: str, actor: str, text: str, layer: int = 0, effect: str = "") -> str:
    times = f"{clock(start, digits=2)},{clock(end, digits=2)}"
    return f"Dialogue: {layer},{times},{style},{actor},0,0,0,{effect},{text}"


def ssa(lines: list[Said]) -> bytes:
    """The older layout, with a BOM, CRLF and an event without times."""
    events = [
        f"Dialogue: Marked=0,{clock(line.start, digits=2)},{clock(line.end, digits=2)},Default,{line.speaker},"
        f"0000,0000,0000,,{wrapped(line.text, chr(92) + 'n')}"
        for line in lines
    ]
    events.append("Dialogue: Marked=0,khong,ro,Default,Zenitsu,0000,0000,0000,,Dòng này hỏng giờ")
    return (_SSA_HEAD + "\n".join(events) + "\n").replace("\n", "\r\n").encode("utf-8-sig")


def srt(lines: list[Said]) -> bytes:
    """Labels of subtitles for the deaf in cp1258, in a file named utf-8: sounds, two speakers in a cue, a song."""
    cues = [
        (0, 4_000, "# Núi gọi tên ta #"),
        (4_200, 8_000, "[tiếng nước chảy xiết]"),
        (8_200, 11_000, "Subtitles by Heo Rừng - www.heorung.example.com"),
    ]
    waiting = list(lines)
    while waiting:
        line = waiting.pop(0)
        if line.number % 24 == 0 and waiting and waiting[0].scene == line.scene:
            other = waiting.pop(0)
            cues.append((line.start, other.end, f"- {_label(line)}{line.text}\n- {_label(other)}{other.text}"))
        else:
            cues.append((line.start, line.end, _srt_text(line)))
    blocks = [f"{i}\n{clock(s, ',')} --> {clock(e, ',')}\n{text}\n" for i, (s, e, text) in enumerate(cues, 1)]
    blocks.append(f"{len(cues) + 1}\n00:0x:59,000 --> 00:09:01,000\nZENITSU: Dòng này hỏng giờ\n")
    return cp1258("\n".join(blocks).replace("\n", "\r\n"))


def _label(line: Said) -> str:
    return f"{line.speaker.upper()}: " if line.speaker else ""


def _srt_text(line: Said) -> str:
    n, name = line.number, line.speaker.upper()
    if line.speaker == "Inosuke" and n % 4 == 2:
        name = "HASHIBIRA"
    if name and n % 8 == 3:
        text = f"{name}: [thở dốc]\n{line.text}"
    elif name and n % 9 == 6:
        text = f"{name}\n{line.text}"
    else:
        text = (f"{name}: " if name else "") + wrapped(line.text, "\n")
    text = f"<i>{text}</i>" if n % 7 == 2 else text
    return f"{{\\an8}}{text}" if n % 11 == 6 else text


def vtt(lines: list[Said]) -> bytes:
    """Voices, classes, cue ids and settings, times inside a cue, short times, notes, and a block without an arrow."""
    out = [
        "WEBVTT - ba cảnh\nKind: captions\nLanguage: vi",
        "NOTE\nViết riêng cho dự án.\nBa cảnh, năm giọng.",
        "STYLE\n::cue(v) { color: white }",
        "REGION\nid:duoi\nwidth:80%",
    ]
    for line in lines:
        n = line.number
        start = clock(line.start)[3:] if n % 4 == 0 and line.start < 3_600_000 else clock(line.start)
        timing = f"{start} --> {clock(line.end)}" + (" region:duoi align:start line:90%" if n % 3 == 0 else "")
        name = line.speaker.upper() if n % 5 == 0 else "伊之助" if line.speaker == "Inosuke" and n % 5 == 1 else ""
        voice = ".loud" if line.speaker == "Inosuke" else ""
        text = wrapped(line.text, "\n")
        if n % 7 == 2:
            first, _, rest = text.partition(" ")
            text = f"{first} <{clock(line.start + 300)}>{rest}"
        elif n % 6 == 1:
            text = text.replace(" ", "&nbsp;", 1)
        close = "</v>" if n % 3 != 2 and line.speaker else ""
        text = f"<v{voice} {name or line.speaker}>{text}{close}" if line.speaker else text
        out.append((f"canh-{line.scene}-{n}\n" if n % 3 == 0 else "") + f"{timing}\n{text}")
        if n == 13:
            out.append("NOTE đoạn giữa bị ồn")
    out.append("mat-gio\n00:00:xx.000 --> 00:09:00.000\n<v Zenitsu>Dòng này hỏng giờ")
    return ("\n\n".join(out) + "\n").encode("utf-8-sig")


def ttml(lines: list[Said], namespace: str = "http://www.w3.org/ns/ttml") -> bytes:
    """Agents, times that nest and come in three notations, spans and line breaks."""
    return _timed_text(lines, namespace).encode()


def dfxp(lines: list[Said]) -> bytes:
    """The older namespace, saved as UTF-16 although its first line says UTF-8."""
    return _timed_text(lines, "http://www.w3.org/2006/10/ttaf1").encode("utf-16")


def _timed_text(lines: list[Said], namespace: str) -> str:
    ids = {name: f"a{i}" for i, name in enumerate(people(lines), 1)}
    parts = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<tt xmlns="{namespace}" xmlns:ttm="{namespace}#metadata" xmlns:ttp="{namespace}#parameter" '
        f'xmlns:tts="{namespace}#styling" xml:lang="vi" ttp:frameRate="25">',
        " <head><metadata>",
        *(
            f'  <ttm:agent xml:id="{key}" type="character"><ttm:name type="alias">{name}</ttm:name></ttm:agent>'
            for name, key in ids.items()
        ),
        " </metadata></head>\n <body>",
    ]
    scene = ""
    for line in lines:
        if line.scene != scene:
            parts += [" </div>"] * bool(scene) + [f' <div begin="{line.start}ms">']
            scene, offset = line.scene, line.start
        start, end = line.start - offset, line.end - offset
        times = f'begin="{clock(start)}" end="{clock(end)}"'
        if line.number % 3 == 0:
            times = f'begin="{start / 1000:.2f}s" dur="{end - start}ms"'
        agent = f' ttm:agent="{ids[line.speaker]}"' if line.speaker else ""
        text = wrapped(escape(line.text), "<br/>")
        text = f'<span tts:fontStyle="italic">{text}</span>' if line.number % 4 == 1 else text
        parts.append(f"  <p {times}{agent}>\n    {text}\n  </p>")
    return "\n".join([*parts, " </div>\n </body>\n</tt>"]) + "\n"


def microdvd(lines: list[Said]) -> bytes:
    """Frames at a stated rate, in cp1258, with control codes and a line that is not a cue."""
    out = ["{1}{1}25"]
    for line in lines:
        code = "{y:i}" if line.number % 6 == 0 else ""
        text = f"{code}{_label(line)}{wrapped(line.text, '|')}"
        out.append(f"{{{round(line.start / 40)}}}{{{round(line.end / 40)}}}{text}")
    return cp1258("\r\n".join([*out, "{mat}{so} ZENITSU: Dòng này hỏng giờ"]) + "\r\n")
