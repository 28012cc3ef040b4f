"""A wiki page as its source → rows with templates, tabs, boxes and tables resolved.

Comments, references and templates without a description are rejected with their text. Parsed by mwparserfromhell.
"""

from __future__ import annotations

import re

import mwparserfromhell
from mwparserfromhell.nodes import Node, Tag, Template
from mwparserfromhell.wikicode import Wikicode

from curation.importers.formats.scripts import wiki_templates
from curation.importers.source.source_file import SourceFile
from curation.record import Rejected
from curation.transcripts.speakers import is_name

# Mark a template's line until the page is cut into lines; from the private use area, so pages do not contain them.
OPEN, SEP = "\ue010", "\ue011"
# `'''Name:'''`, `'''Name''':`, `'''Name''' (angry)''':'''`, `'''Name''' ''(to Aoi):''`.
_MANNER = r"\s*(?:'')?\s*[(\[（][^()\[\]（）\n]{1,80}[)\]）]\s*(?:'')?\s*"
BOLD_ALONE = re.compile(r"^'''\s*(?P<name>[^'\n:：]{1,60}?)\s*'''$")
BOLD_LABEL = re.compile(
    r"'''\s*(?P<label>(?:[^'\n]|'(?!')){1,60}?)\s*"
    r"(?:[:：]\s*'''|'''\s*''\s*[(\[（][^()\[\]（）\n]{1,80}[)\]）]\s*[:：]\s*''(?!')|"
    rf"'''(?:{_MANNER})?\s*(?:'''\s*[:：]\s*'''|[:：]|''\s*[:：]\s*''))"
)
_LINK = re.compile(r"\[\[:?(?:[^|\[\]\n]*\|)?([^\[\]|\n]*)\]\]")
_BOLD_TAG = re.compile(r"</?(?:b|strong)\s*>", re.IGNORECASE)
_TABS = re.compile(r"<(tabber|tabview)[^>]*>(?P<inside>.*?)</\1\s*>", re.IGNORECASE | re.DOTALL)
_TAB = re.compile(r"\A\s*(?P<title>[^='\n|]{1,80})=")
_SKIPPED = {"category", "file", "image", "thể loại", "tập tin", "hình", "ファイル", "カテゴリ", "画像"}
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
# How much of the page around a template tells what it stands for.
_NEAR = 100
# A template before a colon, in bold or not, stands for a name.
_NAME_BEFORE = re.compile(r"(?:\A|\n)[*:;#\s]*(?:''')?\s*\Z")
_COLON_AFTER = re.compile(r"\A\s*(?:'''(?:\s*\([^()\n]*\))?\s*[:：]|[:：]|\([^()\n]{1,80}\)\s*[:：])")


def resolve(file: SourceFile, text: str, prefix: str, rejected: list[Rejected]) -> str:
    """Return a page's text with its templates replaced by their lines, without comments, references and categories."""
    text = _BOLD_TAG.sub("'''", text)
    text = _TABS.sub(lambda m: "\n" + "\n".join(_tabs(m["inside"])) + "\n", text)
    try:
        code = mwparserfromhell.parse(text)
    except mwparserfromhell.parser.ParserError as error:
        source = file.at(f"{prefix}page", "wiki")
        rejected.append(Rejected(source=source, reason="bad_markup", text=text[:2000], detail=str(error)))
        return text
    for number, node in enumerate(code.filter_comments(), 1):
        source = file.at(f"{prefix}comment {number}", "wiki")
        rejected.append(
            Rejected(source=source, reason="comment", text=str(node.contents), detail="a comment of the page's authors")
        )
        _replace(code, node, "")
    for number, tag in enumerate(code.filter_tags(matches=_is_reference), 1):
        source = file.at(f"{prefix}reference {number}", "wiki")
        rejected.append(Rejected(source=source, reason="reference", text=str(tag), detail="a footnote or a gallery"))
        _replace(code, tag, "")
    for number, link in enumerate(code.filter_wikilinks(matches=lambda n: _is_skipped(str(n.title))), 1):
        source = file.at(f"{prefix}link {number}", "wiki")
        rejected.append(Rejected(source=source, reason="reference", text=str(link), detail="a category or a picture"))
        _replace(code, link, "")
    _templates(code, file, prefix, rejected)
    # Links as they are shown, before cells are cut at their bars.
    return _LINK.sub(r"\1", str(code))


def words(text: str) -> str:
    """Return a row's words: links as they are shown, without bold and italics; ruby tags stay for later."""
    if not re.search(r"['\[{<&]", text):
        return text.strip()
    text = _BREAK.sub("\n", text)  # strip_code would join the words on both sides
    if "<ruby" in text.lower():
        return re.sub(r"'{2,5}", "", text).strip()
    code: Wikicode = mwparserfromhell.parse(text)
    return str(code.strip_code(keep_template_params=True)).strip()


def _tabs(inside: str) -> list[str]:
    """Return the contents of a tabber; the titles of its tabs are headings."""
    found: list[str] = []
    for tab in re.split(r"\|-\|", inside):
        title = _TAB.match(tab)
        found += [f"== {title['title'].strip()} ==", tab[title.end() :]] if title else [tab]
    return found


def _templates(code: Wikicode, file: SourceFile, prefix: str, rejected: list[Rejected]) -> None:
    """Replace each template: a quote by its line, a box by what it holds, a name or a word by what it shows."""
    source, end = str(code), 0
    for number, node in enumerate(code.filter_templates(recursive=code.RECURSE_OTHERS), 1):
        written = str(node)
        start = source.find(written, end)
        end = start + len(written)
        before, after = source[max(0, start - _NEAR) : start], source[end : end + _NEAR]
        shown = _template(node, before, after, file, f"{prefix}template {number}", rejected)
        _replace(code, node, shown)


def _template(node: Template, before: str, after: str, file: SourceFile, place: str, rejected: list[Rejected]) -> str:
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
    if said:
        return "".join(f"\n{OPEN}{_line(who)}{SEP}{_line(what)}\n" for who, what in said)
    boxed = [value for value in parameters.values() if BOLD_LABEL.search(_BOLD_TAG.sub("'''", value))]
    if boxed:
        inner: list[str] = [resolve(file, value, f"{place} ", rejected) for value in boxed]
        return "\n" + "\n".join(inner) + "\n"
    if name := _shown_name(str(node.name), node, before, after):
        return name
    why = f"the template `{str(node.name).strip()[:60]}` is not in wiki_templates.MAP"
    rejected.append(Rejected(source=source, reason="template", text=str(node), detail=why))
    return ""


def _shown_name(template: str, node: Template, before: str, after: str) -> str:
    """Return what a template shows where it stands for a name or a word, or an empty text."""
    unnamed = [str(p.value).strip() for p in node.params if not p.showkey]
    if _NAME_BEFORE.search(before) and _COLON_AFTER.match(after):
        names = [value for value in unnamed if is_name(value)]
        if names:
            return names[-1]
        return template.strip() if not node.params and is_name(template.strip()) else ""
    inline = (before.rpartition("\n")[2] + after.partition("\n")[0]).strip(" '*:;#")
    if inline and len(node.params) == 1 and unnamed and any(c.isalpha() for c in unnamed[0]) and "\n" not in unnamed[0]:
        return unnamed[0]
    return ""


def _replace(code: Wikicode, node: Node, text: str) -> None:
    # A node inside one that was replaced before is gone already, and was rejected with it.
    if code.contains(node):
        code.replace(node, text)


def _is_reference(tag: Tag) -> bool:
    return str(tag.tag).strip().lower() in ("ref", "gallery", "references")


def _line(text: str) -> str:
    return text.replace("\n", " ").replace(OPEN, "").replace(SEP, "")


def _is_skipped(title: str) -> bool:
    return title.strip().lstrip(":").partition(":")[0].strip().lower() in _SKIPPED and ":" in title
