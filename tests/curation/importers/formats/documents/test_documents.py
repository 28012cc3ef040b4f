"""Web pages, books, Word documents, PDFs and wiki exports: the words and speakers of each, and what is refused."""

from __future__ import annotations

import io
import json
import random
import zipfile

import docx
import pytest

from curation.errors import InosukeError
from tests.curation.importers.looks import rejections, said
from tests.curation.importers.small import epub, pdf, word, zipped
from tests.curation.importers.test_damage import DAMAGED, assert_read_or_refused, damage

TALK = [("Tanjiro", "Where are you?"), ("Inosuke", "Up on the roof!"), ("Tanjiro", "Come down.")]
PAGES = {
    "bold": "<p><b>{}:</b> {}</p>",
    "bold, colon outside": "<p><strong>{}</strong>: {}</p>",
    "bold, space inside": "<div><b>{}: </b>{}</div>",
    "plain": "<p>{}: {}</p>",
    "span": '<p><span class="speaker">{}</span> <span class="text">{}</span></p>',
    "span with a colon": '<li><span class="character-name">{}:</span> {}</li>',
    "block": '<div class="message"><div class="from_name">{}</div><div class="text">{}</div></div>',
    "cells": "<table><tr><td>{}</td><td>{}</td></tr></table>",
    "list": "<dl><dt>{}</dt><dd>{}</dd></dl>",
    "heading": "<h3>{}</h3><p>{}</p>",
    "name above": "<p>{}</p><p>{}</p>",
    "bold above": "<p><b>{}</b></p><p>{}</p>",
    "break": "<p><b>{}</b><br>{}</p>",
    "tab": "<pre>{}\t{}\n</pre>",
    "dash": "<p>{} – {}</p>",
}


@pytest.mark.parametrize("form", PAGES.values(), ids=PAGES)
@pytest.mark.parametrize("kind", ["html", "xhtml", "epub"])
def test_a_web_page_and_a_book_name_speakers_in_many_ways(imported, form, kind):
    body = "".join(form.format(name, words) for name, words in TALK)
    page = f"<!DOCTYPE html><html><head><title>T</title></head><body>{body}</body></html>"
    assert said(imported(f"a.{kind}", epub([body]) if kind == "epub" else page)) == TALK


def test_what_frames_a_page_is_set_aside_with_its_text(imported):
    page = (
        "<html><body><nav>Home | About</nav><script>x()</script><h1>Tập 1</h1><p><b>Tanjiro:</b> Đi <i>nào</i> &amp; "
        "nhanh!</p><p><b>Inosuke:</b> <ruby>山<rt>やま</rt></ruby>へ<br>行く!</p><p>Gió.</p><p><b>Tanjiro:</b> Sao? "
        "<b>Inosuke:</b> Không!</p><footer>(c)</footer></body></html>"
    )
    found = imported("a.html", page)
    assert said(found) == [
        ("Tanjiro", "Đi nào & nhanh!"),
        ("Inosuke", "山へ"),
        ("Inosuke", "行く!"),
        (None, "Gió."),
        ("Tanjiro", "Sao?"),
        ("Inosuke", "Không!"),
    ]
    aside = [("heading", "# Tập 1"), ("page_furniture", "(c)"), ("page_furniture", "Home | About"), ("ruby", "やま")]
    assert sorted(rejections(found)) == aside


def test_the_titles_of_a_table_say_which_column_speaks_and_which_holds_the_time(imported):
    rows = [("Time", "Speaker", "Line"), ("0:01", "Tanjiro", "Where?"), ("0:03", "Inosuke", "Up!")]
    cells = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    head = cells[0].replace("td>", "th>")
    found = imported("a.html", f"<html><body><table><tr>{head}</tr><tr>{cells[1]}</tr><tr>{cells[2]}</tr></table>")
    assert [(u.speaker, u.text, u.start_ms) for u in found.utterances] == [
        ("Tanjiro", "Where?", 1000),
        ("Inosuke", "Up!", 3000),
    ]
    assert rejections(found) == [("heading", "Time | Speaker | Line")]


@pytest.mark.parametrize("name", ["a.html", "a.epub", "a.docx", "a.pdf"])
def test_a_document_without_speakers_is_an_error_that_says_what_it_looks_like(imported, name):
    prose = ["A page about boars.", "They live in the hills."]
    made = {
        "a.html": "<html><body><p>A page about boars.</p></body></html>",
        "a.epub": epub([f"<p>{text}</p>" for text in prose]),
        "a.docx": written(lambda d: [d.add_paragraph(text) for text in prose]),
        "a.pdf": pdf([[(72, 700, text)] for text in prose]),
    }
    with pytest.raises(InosukeError, match="no script lines; it looks like prose"):
        imported(name, made[name])


def written(write) -> bytes:
    document = docx.Document()
    write(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def test_a_word_document_has_bold_names_tables_and_names_above(imported):
    def write(document):
        document.add_heading("Episode 1", 1)
        for name, words in TALK:
            line = document.add_paragraph()
            line.add_run(f"{name}:").bold = True
            line.add_run(f" {words}")
        document.add_paragraph("The wind blows.")
        table = document.add_table(2, 2)
        for row, cells in zip(table.rows, [("Inosuke", "Never!"), ("Tanjiro", "Please.")], strict=True):
            row.cells[0].text, row.cells[1].text = cells

    found = imported("a.docx", written(write))
    assert said(found) == [*TALK, (None, "The wind blows."), ("Inosuke", "Never!"), ("Tanjiro", "Please.")]
    assert rejections(found) == [("heading", "# Episode 1")]

    above = [text for name, words in TALK for text in (name.upper(), words)]
    assert said(imported("b.docx", written(lambda d: [d.add_paragraph(text) for text in above]))) == TALK


def test_the_chapters_of_a_book_are_scenes_in_the_order_of_the_spine(imported):
    found = imported("a.epub", epub(["<p><b>Tanjiro:</b> One</p>", "<p><b>Inosuke:</b> Two</p>"]))
    assert [(u.text, u.source.locator) for u in found.utterances] == [
        ("One", "scene 1 · chapter 1 paragraph 1"),
        ("Two", "scene 2 · chapter 2 paragraph 1"),
    ]


def test_a_book_under_copy_protection_is_refused(imported):
    lock = '<encryption><EncryptedData><CipherReference URI="b/c0.xhtml"/></EncryptedData></encryption>'
    with pytest.raises(InosukeError, match="is encrypted"):
        imported("a.epub", epub(["<p><b>Inosuke:</b> x</p>"], **{"META-INF/encryption.xml": lock}))


def test_a_pdf_is_read_as_it_is_printed_without_heads_and_page_numbers(imported):
    pages = [
        [
            (300, 760, "BOARS"),
            (250, 692, "TANJIRO"),
            (180, 678, "Where are you? I have"),
            (180, 664, f"looked for you {n} days."),
            (250, 636, "INOSUKE"),
            (220, 622, "(laughing)"),
            (180, 608, "Up on the roof!"),
            (72, 560, f"He jumps {'down ' * n}again."),
            (300, 40, f"- {n} -"),
        ]
        for n in (1, 2, 3)
    ]
    found = imported("a.pdf", pdf(pages))
    assert said(found)[:3] == [
        ("Tanjiro", "Where are you? I have looked for you 1 days."),
        ("Inosuke", "Up on the roof!"),
        (None, "He jumps down again."),
    ]
    assert len(found.utterances) == 9
    aside = rejections(found)
    assert [text for reason, text in aside if reason == "heading"] == [
        "BOARS",
        "- 1 -",
        "BOARS",
        "- 2 -",
        "BOARS",
        "- 3 -",
    ]
    assert aside.count(("stage_direction", "(laughing)")) == 3


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.pdf", pdf([[]]), "without text, as a scan has them"),
        ("a.pdf", pdf([[(72, 700, "x")]])[:90], "cannot be read"),
        ("a.docx", b"\xd0\xcf\x11\xe0" + bytes(600), "with a password"),
        ("a.docx", word()[:5000], "cannot be read"),
        ("a.docx", zipped({"x.xml": b"<x/>"}), "holds no word/document.xml"),
        ("a.epub", zipped({"x": b""}), "holds no META-INF/container.xml"),
        ("a.epub", epub([]), "names no chapters"),
    ],
)
def test_a_damaged_or_locked_document_is_an_error_that_says_what_to_do(imported, name, data, message):
    with pytest.raises(InosukeError, match=message) as caught:
        imported(name, data)
    assert "xpected" in str(caught.value)


def test_an_encrypted_pdf_is_refused(imported):
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf([[(72, 700, "Inosuke: Up!")]]))))
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    with pytest.raises(InosukeError, match="needs a password"):
        imported("a.pdf", out.getvalue())


def test_a_document_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(imported):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", bytes(300 * 1024 * 1024))
    for name in ("a.docx", "a.epub"):
        with pytest.raises(InosukeError, match="unpacks to"):
            imported(name, out.getvalue())


RELATIONS = (
    b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="'
    b'http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/>'
    b"</Relationships>"
)


def test_damage_inside_a_word_document(persona):
    """The words of most damaged archives cannot be unpacked, so here its main part is damaged and packed again."""
    dice = random.Random("docx")
    main = "word/document.xml"
    with zipfile.ZipFile(io.BytesIO(word())) as whole:
        members = {name: whole.read(name) for name in ("_rels/.rels", "[Content_Types].xml", main)}
    # Only the main part, so that most of the damage meets the words.
    members["_rels/.rels"] = RELATIONS
    text = members[main]
    read = 0
    for turn in range(DAMAGED):
        members[main] = damage(text, dice)
        data = zipped(members)
        read += assert_read_or_refused("a.docx", data if turn % 2 else damage(data, dice))
    assert read > 0


EXPORT = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/"><siteinfo/>
<page><title>Episode 1</title><ns>0</ns><revision><text>old</text></revision><revision>
<text>'''Tanjiro:''' Where? '''Inosuke:''' Up!</text></revision></page>
<page><title>Template:Q</title><ns>10</ns><revision><text>'''Inosuke:''' {{{1}}}</text></revision></page>
<page><title>Ep 1</title><ns>0</ns><revision><text>#REDIRECT [[Episode 1]]</text></revision></page>
<page><title>Episode 2</title><ns>0</ns><revision><text>'''Inosuke:''' Again!</text></revision></page>
</mediawiki>"""


def test_each_page_of_an_export_is_a_scene_and_other_pages_are_named(imported):
    found = imported("dump.xml", EXPORT)
    assert said(found) == [("Tanjiro", "Where?"), ("Inosuke", "Up!"), ("Inosuke", "Again!")]
    assert len({u.source.locator.partition(" · ")[0] for u in found.utterances}) == 2
    assert rejections(found) == [("reference", "Template:Q"), ("reference", "Ep 1")]


RENDERED = "<p><b>Tanjiro:</b> Where?</p><p><b>Inosuke:</b> Up!</p>"
WIKITEXT = "'''Tanjiro:''' Where?\n\n'''Inosuke:''' Up!"
ANSWERS = {
    "parse, version 1": {"parse": {"title": "E", "pageid": 1, "wikitext": {"*": WIKITEXT}}},
    "parse, version 2": {"parse": {"title": "E", "pageid": 1, "wikitext": WIKITEXT}},
    "parse, rendered": {"parse": {"title": "E", "text": {"*": RENDERED}}},
    "query, version 1": {
        "batchcomplete": "",
        "query": {"pages": {"7": {"title": "E", "revisions": [{"*": WIKITEXT}]}}},
    },
    "query, slots": {
        "batchcomplete": "",
        "query": {"pages": {"7": {"title": "E", "revisions": [{"slots": {"main": {"*": WIKITEXT}}}]}}},
    },
    "query, version 2": {
        "batchcomplete": True,
        "continue": {"a": "b"},
        "query": {"pages": [{"title": "E", "revisions": [{"slots": {"main": {"content": WIKITEXT}}}]}]},
    },
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("indent", [None, 2])
def test_answers_of_a_wikis_api_are_unwrapped(imported, answer, indent):
    found = imported("a.json", json.dumps(answer, indent=indent))
    assert said(found) == [("Tanjiro", "Where?"), ("Inosuke", "Up!")]


def test_an_export_that_declares_entities_is_refused(imported):
    bomb = '<?xml version="1.0"?><!DOCTYPE m [<!ENTITY a "b">]><mediawiki><page/></mediawiki>'
    with pytest.raises(InosukeError, match=r"declares|not valid"):
        imported("a.xml", bomb)
