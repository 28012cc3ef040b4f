"""MediaWiki and Fandom transcripts (.wiki, .wikitext, .mediawiki): `'''Name:''' line`, tables, quote templates.

Parsed by mwparserfromhell. Sections are scenes; comments, references and templates without a description are rejected
with their text.
"""

from __future__ import annotations

import re

import mwparserfromhell
from mwparserfromhell.nodes import Node, Tag, Template
from mwparserfromhell.wikicode import Wikicode

from curation.errors import InosukeError
from curation.importers.formats.scripts import wiki_templates
from curation.importers.lines.raw_line import RawLine
from curation.importers.lines.to_utterances import to_imported
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported, Rejected
from curation.transcripts.speakers import cast_of, is_label

_HEADING = re.compile(r"^\s*(={1,6})\s*(?P<title>.+?)\s*\1\s*$")
_BOLD_LABEL = re.compile(r"^[*:;#\s]*'''(?P<label>[^'\n]{1,60}?)\s*(?:[:：]\s*'''|'''\s*[:：])\s*(?P<rest>.*)$")
_CELL_ROW = re.compile(
    r"^[|!]\s*(?:[^|\[\]{}=\n]*=[^|\n]*\|(?!\|))?\s*(?P<name>[^|!\n]{1,60}?)\s*(?:\|\||!!)\s*(?P<rest>.+)$"
)
_CELL = re.compile(r"^[|!](?![-+}])\s*(?P<rest>.*)$")
_TABLE = re.compile(r"^\s*(?:\{\||\|\}|\|-|\|\+)")
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_INDENT = re.compile(r"^[*:;#]+\s*")
_DIRECTION = re.compile(r"^(?:''\s*[\[(]?.*?[\])]?\s*''|\[[^\[\]]*\]|\([^()]*\))$")
# Mark a template's line until the page is cut into lines; from the private use area, so pages do not contain them.
_OPEN, _SEP = "\ue010", "\ue011"
_SKIPPED = {"category", "file", "image", "thể loại", "tập tin", "hình"}


# (opening, closing): mwparserfromhell backtracks to each one that is never closed, so time grows with their square.
_PAIRS = (("{{", "}}"), ("[[", "]]"), ("{|", "|}"), (r"<[a-zA-Z]", r"</|/>"))
MAX_UNCLOSED = 100


def read(file: SourceFile, persona: Persona) -> Imported:
    """Read the lines of a page. Raises InosukeError for a page without lines or with much unclosed markup."""
    for opening, closing in _PAIRS:
        open_ended = len(re.findall(opening if "<" in opening else re.escape(opening), file.text))
        open_ended -= len(re.findall(closing if "<" in closing else re.escape(closing), file.text))
        if open_ended > MAX_UNCLOSED:
            raise InosukeError(
                f"{file.path}: {open_ended:,} times `{opening}` without its end. Expected a whole wiki page; "
                "fetch it again."
            )
    rejected: list[Rejected] = []
    text = _resolve(file, rejected)
    rows = text.split("\n")
    cast = cast_of((row.replace("'''", "") for row in rows), (), persona, script=True)
    lines: list[RawLine] = []
    section, number, column = 1, 0, ""
    for row in rows:
        heading = _HEADING.match(row)
        if heading:
            section += bool(lines)
            source = file.at(f"section {section}", "wiki")
            rejected.append(
                Rejected(
                    source=source, reason="heading", text=_strip(heading["title"]), detail="the title of a section"
                )
            )
            number = 0
            continue
        if not row.strip() or _TABLE.match(row):
            column = ""
            continue
        number += 1
        place = f"section {section} · line {number}"
        bare = _INDENT.sub("", row).strip()
        if row.startswith(_OPEN):
            speaker, _, words = row[1:].partition(_SEP)
            lines.append(
                RawLine(
                    text=_strip(words), locator=place, speaker=_strip(speaker), evidence="template" if speaker else ""
                )
            )
        elif _DIRECTION.match(bare) and not bare.startswith("'''"):
            rejected.append(
                Rejected(
                    source=file.at(place, "wiki"),
                    reason="stage_direction",
                    text=_strip(bare),
                    detail="what is done, not said",
                )
            )
        elif match := _BOLD_LABEL.match(row):
            lines.append(
                RawLine(text=_strip(match["rest"]), locator=place, speaker=_strip(match["label"]), evidence="bold")
            )
        elif match := _CELL_ROW.match(row):
            lines.append(
                RawLine(
                    text=_strip(match["rest"]),
                    locator=place,
                    speaker=_strip(match["name"]).rstrip(":"),
                    evidence="column",
                )
            )
        elif match := _CELL.match(row):
            # One cell a line: the first cell of a row is the name, the second the words.
            words = _strip(match["rest"])
            if column:
                lines.append(RawLine(text=words, locator=place, speaker=column.rstrip(":"), evidence="column"))
                column = ""
            elif is_label(words.rstrip(":"), "…", cast) or cast.knows(words.rstrip(":")):
                column = words
            elif words:
                lines.append(RawLine(text=words, locator=place))
        elif words := _strip(bare):
            lines.append(RawLine(text=words, locator=place))
    return to_imported(file, [line for line in lines if line.text], persona, "wiki", rejected, script=True)


def _resolve(file: SourceFile, rejected: list[Rejected]) -> str:
    """Return the page with its templates replaced by their lines, and without comments, references and categories."""
    try:
        code = mwparserfromhell.parse(file.text)
    except mwparserfromhell.parser.ParserError as error:
        rejected.append(
            Rejected(source=file.at("page", "wiki"), reason="bad_markup", text=file.text[:2000], detail=str(error))
        )
        return file.text
    for number, node in enumerate(code.filter_comments(), 1):
        source = file.at(f"comment {number}", "wiki")
        rejected.append(
            Rejected(source=source, reason="comment", text=str(node.contents), detail="a comment of the page's authors")
        )
        _replace(code, node, "")
    for number, tag in enumerate(code.filter_tags(matches=_is_reference), 1):
        source = file.at(f"reference {number}", "wiki")
        rejected.append(Rejected(source=source, reason="reference", text=str(tag), detail="a footnote or a gallery"))
        _replace(code, tag, "")
    for number, link in enumerate(code.filter_wikilinks(matches=lambda n: _is_skipped(str(n.title))), 1):
        source = file.at(f"link {number}", "wiki")
        rejected.append(Rejected(source=source, reason="reference", text=str(link), detail="a category or a picture"))
        _replace(code, link, "")
    for number, template in enumerate(code.filter_templates(recursive=code.RECURSE_OTHERS), 1):
        _replace(code, template, _template(template, file, f"template {number}", rejected))
    return str(code)


def _replace(code: Wikicode, node: Node, text: str) -> None:
    # A node inside one that was replaced before is gone already, and was rejected with it.
    if code.contains(node):
        code.replace(node, text)


def _is_reference(tag: Tag) -> bool:
    return str(tag.tag).strip().lower() in ("ref", "gallery", "references")


def _template(node: Template, file: SourceFile, place: str, rejected: list[Rejected]) -> str:
    source = file.at(place, "wiki")
    shape = wiki_templates.layout(str(node.name), file.name)
    parameters = {str(p.name).strip().lower(): str(p.value).strip() for p in node.params}
    if isinstance(shape, wiki_templates.Text):
        if shape.reading and parameters.get(shape.reading):
            rejected.append(
                Rejected(source=source, reason="ruby", text=parameters[shape.reading], detail="the reading of a word")
            )
        return parameters.get(shape.words, "")
    said = list(wiki_templates.lines(shape, parameters)) if shape else []
    if not said:
        why = f"the template `{str(node.name).strip()[:60]}` is not in wiki_templates.MAP"
        rejected.append(Rejected(source=source, reason="template", text=str(node), detail=why))
        return ""
    return "".join(f"\n{_OPEN}{_line(who)}{_SEP}{_line(words)}\n" for who, words in said)


def _line(text: str) -> str:
    return text.replace("\n", " ").replace(_OPEN, "").replace(_SEP, "")


def _is_skipped(title: str) -> bool:
    return title.strip().lstrip(":").partition(":")[0].strip().lower() in _SKIPPED and ":" in title


def _strip(text: str) -> str:
    """Return a row's words: links as they are shown, without bold and italics; ruby tags stay for later."""
    if not re.search(r"['\[{<&]", text):
        return text.strip()
    text = _BREAK.sub("\n", text)  # strip_code would join the words on both sides
    if "<ruby" in text.lower():
        return re.sub(r"'{2,5}", "", text).strip()
    code: Wikicode = mwparserfromhell.parse(text)
    return str(code.strip_code(keep_template_params=True)).strip()
