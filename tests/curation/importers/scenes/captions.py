"""Caption formats of players and of YouTube, with what they carry in the wild: heads, breaks, old bytes, no ends."""

from __future__ import annotations

import json
from itertools import accumulate
from xml.sax.saxutils import escape

from tests.curation.importers.scenes.neutral import Said, clock, cp1258, wrapped


def sbv(lines: list[Said]) -> bytes:
    """Times with a comma between them; a label before the words; one line without two times."""
    blocks = [f"{_short(line.start)},{_short(line.end)}\n{_label(line)}{wrapped(line.text, chr(10))}" for line in lines]
    return ("\n\n".join([*blocks, "0:12:00.000,\n\n"])).encode()


def subviewer(lines: list[Said]) -> bytes:
    """A head of fields, `[br]`, and Windows line ends, in cp1258."""
    head = "[INFORMATION]\n[TITLE]Ba cảnh\n[AUTHOR]\n[END INFORMATION]\n[SUBTITLE]\n[COLF]&HFFFFFF,[STYLE]bd,[SIZE]18\n"
    blocks = [
        f"{clock(line.start)[:-1]},{clock(line.end)[:-1]}\n{_label(line)}{wrapped(line.text, '[br]')}\n"
        for line in lines
    ]
    return cp1258((head + "\n".join(blocks)).replace("\n", "\r\n"))


def lrc(lines: list[Said]) -> bytes:
    """Fields, words with times of their own, and an empty line where a silence begins."""
    out = ["[ti:Ba cảnh]", "[by:Heo Rừng]", "[offset:0]"]
    for line, cleared in _until(lines):
        words = _label(line) + line.text
        if line.number % 7 == 2:
            first, _, rest = words.partition(" ")
            words = f"{first} <{_minutes(line.start + 300)}>{rest}"
        out.append(f"[{_minutes(line.start)}]{words}")
        out += [f"[{_minutes(cleared)}]"] if cleared else []
    return "\r\n".join(out).encode("utf-8-sig")


def sami(lines: list[Said]) -> bytes:
    """Styles in a comment, tags in capitals, paragraphs that do not close, and `&nbsp;` where a silence begins."""
    out = ['<SAMI>\n<HEAD>\n<TITLE>Ba cảnh</TITLE>\n<STYLE TYPE="text/css">\n<!--\n']
    out.append(".VNCC { Name: Vietnamese; lang: vi-VN; SAMIType: CC; }\n-->\n</STYLE>\n</HEAD>\n<BODY>\n")
    for line, cleared in _until(lines):
        words = f"{_label(line)}{wrapped(escape(line.text), '<br>')}"
        out.append(f"<SYNC Start={line.start}><P Class=VNCC>{f'<i>{words}</i>' if line.number % 5 == 0 else words}\n")
        if cleared:
            out.append(f"<SYNC Start={cleared}><P Class=VNCC>&nbsp;\n")
    return ("".join(out) + "</BODY>\n</SAMI>\n").encode("utf-16")


def mpl2(lines: list[Said]) -> bytes:
    """Tenths of a second, a bar between lines, a slash for italics, and a line without times."""
    out = []
    for line in lines:
        slash = "/" if line.number % 6 == 0 else ""
        out.append(f"[{line.start // 100}][{line.end // 100}]{slash}{_label(line)}{wrapped(line.text, '|')}")
    return ("\n".join([*out, "ZENITSU: Dòng này hỏng giờ"]) + "\n").encode()


def tmplayer(lines: list[Said]) -> bytes:
    """Whole seconds and no ends: an empty line where a silence begins."""
    out = []
    for line, cleared in _until(lines):
        out.append(f"{clock(line.start)[:-4]}:{_label(line)}{wrapped(line.text, '|')}")
        out += [f"{clock(cleared)[:-4]}:"] if cleared else []
    return ("\r\n".join(out) + "\r\n").encode()


def srv3(lines: list[Said]) -> bytes:
    """Words in segments with times of their own, and paragraphs that hold only a line break."""
    out = ['<?xml version="1.0" encoding="utf-8" ?><timedtext format="3">\n<head>\n<wp id="0"/>\n</head>\n<body>\n']
    for line in lines:
        words = escape(_label(line) + wrapped(line.text, "\n"))
        if line.number % 4 == 1:
            first, _, rest = words.partition(" ")
            words = f'<s ac="0">{first}</s><s t="300" ac="0"> {rest}</s>'
            out.append(f'<p t="{line.start}" d="10" w="1" a="1">\n</p>\n')
        out.append(f'<p t="{line.start}" d="{line.end - line.start}" w="1">{words}</p>\n')
    return ("".join(out) + "</body>\n</timedtext>\n").encode()


def json3(lines: list[Said]) -> bytes:
    """A window without words first, segments, and events that only append a line break."""
    events: list[dict[str, object]] = [{"tStartMs": 0, "dDurationMs": 999999, "id": 1, "wpWinPosId": 1}]
    for line in lines:
        first, space, rest = (_label(line) + wrapped(line.text, "\n")).partition(" ")
        segments = [{"utf8": first}, {"utf8": space + rest, "tOffsetMs": 300}]
        events.append({"tStartMs": line.start, "dDurationMs": line.end - line.start, "segs": segments})
        events.append({"tStartMs": line.start, "dDurationMs": 10, "aAppend": 1, "segs": [{"utf8": "\n"}]})
    return json.dumps({"wireMagic": "pb3", "events": events}, ensure_ascii=False).encode()


def _until(lines: list[Said]) -> list[tuple[Said, int]]:
    """Return each line with the time when the screen is cleared after it; 0 where the next line takes its place."""
    latest = accumulate((line.end for line in lines), max)
    starts = [*(line.start for line in lines[1:]), lines[-1].end + 1]
    return [(line, end if start > end else 0) for line, end, start in zip(lines, latest, starts, strict=True)]


def _label(line: Said) -> str:
    return f"{line.speaker.upper()}: " if line.speaker else ""


def _short(ms: int) -> str:
    return clock(ms)[1:]


def _minutes(ms: int) -> str:
    return f"{ms // 60_000:02d}:{ms // 1000 % 60:02d}.{ms % 1000 // 10:02d}"
