"""Wiki pages: each way to name a speaker, and the rows that go on with a speech or hold none."""

from __future__ import annotations

import pytest

from tests.curation.importers.looks import rejections, said

PAGES = {
    "two bold labels": (
        "'''Tanjiro:''' Đâu? '''Inosuke:''' Đây!<br />'''Zenitsu''': Thôi.",
        [("Tanjiro", "Đâu?"), ("Inosuke", "Đây!"), ("Zenitsu", "Thôi.")],
    ),
    "bold tags and manner": (
        "<b>Inosuke:</b> A\n<strong>Aoi</strong>: B\n'''Aoi''' (angry)''':''' C\n'''Inosuke''' ''(to Aoi):'' D\n"
        "'''''Inosuke:''''' E\n'''Inosuke [loud]:''' F",
        [("Inosuke", "A"), ("Aoi", "B"), ("Aoi", "C"), ("Inosuke", "D"), ("Inosuke", "E"), ("Inosuke", "F")],
    ),
    "an action after a bold name": (
        "'''Inosuke:''' A\n'''Inosuke''' jumps: no one claps.",
        [("Inosuke", "A"), (None, "Inosuke jumps: no one claps.")],
    ),
    "plain labels that come once": ("Aoi: A\n\nInosuke: B\n", [("Aoi", "A"), ("Inosuke", "B")]),
    "definition lists": (
        ";Aoi: Ah.\n;Inosuke\n: Be!\n:: (laughs)\n: See?\n\n: Day.\n;Scene 2\n;Aoi\n:Eh?",
        [("Aoi", "Ah."), ("Inosuke", "Be!"), ("Inosuke", "See?"), (None, "Day."), ("Aoi", "Eh?")],
    ),
    "names alone in bold": (
        "'''Inosuke'''\n: Ah.\n'''Aoi'''\n: Be!\n'''Inosuke'''\n: See?",
        [("Inosuke", "Ah."), ("Aoi", "Be!"), ("Inosuke", "See?")],
    ),
    "indented rows": (
        ":'''Inosuke:''' Ah.\n::Be!\n:See?\n\n::Day.\n'''Aoi:''' Eh?\nFor.",
        [("Inosuke", "Ah."), ("Inosuke", "Be!"), (None, "See?"), (None, "Day."), ("Aoi", "Eh?"), (None, "For.")],
    ),
    "names by templates": (
        "'''{{Char|Inosuke}}:''' In {{w|Tokyo}}!\n'''{{Zenitsu}}''': B\n{{c|red|Aoi}}: C",
        [("Inosuke", "In Tokyo!"), ("Zenitsu", "B"), ("Aoi", "C")],
    ),
    "quote templates": (
        "{{Quote|A|[[Inosuke Hashibira|Inosuke]]}}\n{{Cquote|text=B|author='''Aoi'''}}\n{{Dialogue|Aoi|C|Inosuke|D}}",
        [("Inosuke", "A"), ("Aoi", "B"), ("Aoi", "C"), ("Inosuke", "D")],
    ),
    "boxes and tabs": (
        "{{Scrollbox|'''Aoi:''' A\n\n'''Inosuke:''' B}}\n<tabber>One=\n'''Inosuke:''' C\n|-|\nTwo='''Aoi:''' D</tabber>"
        "\n<div style='overflow:scroll'>'''Inosuke:''' E</div>",
        [("Inosuke", "C"), ("Aoi", "D"), ("Inosuke", "E")],
    ),
    "tables with links and headers": (
        '{| class="wikitable"\n! Character !! Japanese !! English\n|-\n| [[Aoi Kanzaki|Aoi]] || やあ || A [[b|c]]\n|-\n'
        '! scope="row" | [[Hashibira Inosuke|Inosuke]]\n| style="x" | おう\n| D\n|}',
        [("Aoi", "A c"), ("Inosuke", "D")],
    ),
    "tables without a header": (
        "{|\n|-\n| '''Aoi'''\n| A\n|-\n| Inosuke: || B<br>C\n|}",
        [("Aoi", "A"), ("Inosuke", "B C")],
    ),
    "Japanese quotes": (
        "伊之助「あ」\n\n炭治郎「い」\n\n伊之助「う」",
        [("Inosuke", "あ"), ("炭治郎", "い"), ("Inosuke", "う")],
    ),
    "quotes around a turn": (
        "'''Inosuke:''' \"A!\"\n'''Aoi:''' \"B\" and \"C\"",
        [("Inosuke", "A!"), ("Aoi", '"B" and "C"')],
    ),
}


@pytest.mark.parametrize(("page", "lines"), PAGES.values(), ids=PAGES)
def test_a_wiki_page_gives_each_row_to_its_speaker(imported, page, lines):
    found = said(imported("a.wiki", page))
    assert found == lines if "Scrollbox" not in page else set(lines) <= set(found) and ("Inosuke", "B") in found


def test_cells_that_hold_neither_the_name_nor_the_words_are_set_aside(imported):
    page = "{|\n! Name !! Vietnamese !! Note\n|-\n| Inosuke || Ta! || loud\n|}"
    found = imported("a.wiki", page)
    assert said(found) == [("Inosuke", "Ta!")]
    assert rejections(found) == [("heading", "Name | Vietnamese | Note"), ("other_column", "loud")]


def test_times_before_labels_are_kept(imported):
    found = imported("a.wiki", "[00:01] '''Inosuke:''' A\n[00:05] '''Aoi:''' B\n")
    assert [(u.speaker, u.text, u.start_ms) for u in found.utterances] == [("Inosuke", "A", 1000), ("Aoi", "B", 5000)]
