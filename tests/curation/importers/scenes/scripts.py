"""Scripts and a wiki page: labels in several spellings, a NAME above its line, directions, tables, templates, notes."""

from __future__ import annotations

from tests.curation.importers.scenes.neutral import Said, by_scene


def plain(lines: list[Said]) -> bytes:
    """Typed by hand on Windows: a BOM, CRLF, and now and then a name alone on its line."""
    out: list[str] = []
    for number, (title, part) in enumerate(by_scene(lines), 1):
        out += [f"CẢNH {number}: {title.upper()}", "", "[Gió thổi trên núi.]", ""]
        for line in part:
            if not line.speaker:
                out += ["", line.text, ""]
            elif line.number % 9 == 4:
                out += ["", line.speaker.upper(), line.text, ""]
            else:
                out.append(f"{line.speaker}: {line.text}")
        out.append("")
    return "\r\n".join(out).encode("utf-8-sig")


def markdown(lines: list[Said]) -> bytes:
    """Bold labels with the colon inside or outside, some of them in a list."""
    out = ["# Ba cảnh"]
    for title, part in by_scene(lines):
        out += [f"## {title}", "*(Trên đường núi.)*"]
        for line in part:
            if not line.speaker:
                out.append(line.text)
            else:
                out.append(
                    f"- **{line.speaker}**: {line.text}" if line.number % 3 == 0 else f"**{line.speaker}:** {line.text}"
                )
    return ("\n\n".join(out) + "\n").encode()


def wiki(lines: list[Said]) -> bytes:
    """A fan wiki's page: links in labels, references, a table, quote templates, a comment and a category."""
    out = ["<!-- Bản chép tay, viết riêng cho dự án. -->", "{{Infobox|title=Ba cảnh}}", "[[Category:Transcripts]]", ""]
    for title, part in by_scene(lines):
        out += [f"== {title} ==", "''(Các nhân vật bước vào.)''"]
        at = 0
        while at < len(part):
            line, four = part[at], part[at : at + 4]
            if line.number in (12, 92) and all(f.speaker for f in four):
                cells = (f"|-\n! {f.speaker}\n| {f.text}" for f in four)
                out += ['{| class="wikitable"', *cells, "|}"]
                at += 4
            elif line.number in (44, 116) and all(f.speaker for f in four[:3]):
                out.append("{{Dialogue|" + "|".join(f"{f.speaker}|{f.text}" for f in four[:3]) + "}}")
                at += 3
            else:
                out += _wiki_line(line)
                at += 1
        out.append("")
    return ("\n".join(out) + "\n").encode()


def _wiki_line(line: Said) -> list[str]:
    if not line.speaker:
        return [f"* {line.text}"]
    if line.number == 50:
        return [f"{{{{Quote|{line.text}|{line.speaker}}}}}"]
    name = "[[Hashibira Inosuke|Inosuke]]" if line.speaker == "Inosuke" else line.speaker
    bold = f"'''{name}''':" if line.number % 5 == 0 else f"'''{name}:'''"
    if line.number % 7 == 0 and line.number:
        return [f":{bold} {line.text}<ref>Bản nháp, trang {line.number}.</ref>"]
    return [f"{bold} {line.text}", ""]
