"""Wiki pages and plain scripts: labels, tables, templates, directions, and files that are not a script."""

import pytest

from curation.errors import InosukeError
from tests.curation.importers.looks import rejections, said
from tests.curation.importers.small import MARKDOWN, SCRIPT, WIKI


def test_wiki_labels_tables_templates_links_and_notes(imported):
    found = imported("a.wiki", WIKI)
    assert said(found) == [
        ("Tanjiro", "Đi nào!"),
        ("Inosuke", "Ta đi trước!"),
        ("Inosuke", "Không!"),
        ("Tanjiro", "Sao?"),
        ("Inosuke", "Vì ta nhanh!"),
    ]
    assert [u.evidence.partition(":")[0] for u in found.utterances] == ["bold"] * 2 + ["column"] + ["template"] * 2
    assert rejections(found) == [
        ("comment", " x "),
        ("reference", "<ref>x</ref>"),
        ("template", "{{Infobox|a=b}}"),
        ("heading", "Cảnh một"),
        ("stage_direction", "(gió)"),
        ("heading", "Tanjiro | Khoan"),
    ]
    assert found.utterances[0].source.locator == "section 1 · line 2"


def test_a_template_is_read_as_its_own_wiki_lays_it_out(imported):
    page = "{{Talk/Other|name=Aoi|text=Ăn đi!}}\n'''Tanjiro:''' Ừ!\n"
    assert said(imported("rainverse.wiki/a.wiki", page)) == [("Tanjiro", "Ừ!")], (
        "the folder is not on the record's path"
    )
    from curation.importers.formats.scripts.wiki_templates import layout

    assert layout("talk/other", "x/rainverse.wiki/a.wiki").speaker == ("name",)
    assert layout("Talk/Other", "x/a.wiki") is None


def test_a_break_inside_the_characters_line_may_start_another_speakers(imported):
    found = imported("a.wiki", "'''Inosuke:''' Ta đây!<br>Aoi: Ăn đi!<br />Nhanh!\n'''Inosuke:''' Ngon<br>quá!\n")
    assert said(found) == [("Inosuke", "Ta đây!"), (None, "Aoi: Ăn đi! Nhanh!"), ("Inosuke", "Ngon quá!")]


def test_ruby_is_rejected_and_unknown_templates_keep_their_text(imported):
    found = imported("a.wiki", "'''伊之助:''' {{ruby|山|やま}}へ行くぞ\n{{What|is|this}}\n")
    assert said(found) == [("Inosuke", "山へ行くぞ")]
    assert rejections(found) == [("ruby", "やま"), ("template", "{{What|is|this}}")]


def test_a_script_with_labels_names_alone_and_directions(imported):
    found = imported("a.txt", SCRIPT)
    assert said(found) == [
        ("Tanjiro", "Đi nào!"),
        ("Inosuke", "Ta đi trước!"),
        ("Inosuke", "Nhanh lên!"),
        ("Tanjiro", "Ừ. Chờ tớ với."),
    ]
    assert rejections(found) == [("heading", "CẢNH 1"), ("stage_direction", "[gió]")]


def test_markdown_labels_bullets_and_quotes(imported):
    found = imported("a.md", MARKDOWN)
    assert said(found) == [("Tanjiro", "Đi nào!"), ("Inosuke", "Ta đi trước!"), ("Tanjiro", "Ừ.")]
    assert {u.evidence.partition(":")[0] for u in found.utterances} == {"bold"}


def test_a_readme_is_skipped_without_an_error(imported):
    readme = "# Phim\n\n**Note:** xem thêm.\n\nMột đoạn văn.\n\n- Link: https://example.com\n\nHai đoạn văn nữa.\n" * 3
    found = imported("README.md", readme)
    assert (found.format, found.utterances, found.rejected) == ("skipped (no script lines)", (), ())


def test_a_line_after_a_blank_one_has_no_speaker(imported):
    assert said(imported("a.txt", "Inosuke: Ta!\n\nAi đó?\n\nInosuke: Ta đây!\n"))[1] == (None, "Ai đó?")


def test_a_screenplay_has_names_alone_above_what_they_say(imported):
    found = imported("a.txt", "TANJIRO\nĐi thôi.\n\nINOSUKE\nTa đi trước!\nNhanh lên!\n\nZENITSU\nĐợi với!\n\nHẾT\n")
    assert said(found) == [
        ("Tanjiro", "Đi thôi."),
        ("Inosuke", "Ta đi trước!"),
        ("Inosuke", "Nhanh lên!"),
        ("Zenitsu", "Đợi với!"),
        (None, "HẾT"),
    ]


def test_in_a_short_script_a_label_need_not_come_twice(imported):
    found = imported("a.txt", "Tanjiro: Đi thôi.\nInosuke (hét): Ta đi trước!\nGhi chú: trời mưa.\n")
    assert said(found) == [("Tanjiro", "Đi thôi."), ("Inosuke", "Ta đi trước!")]
    assert rejections(found) == [("note", "Ghi chú: trời mưa.")]


def test_fields_are_not_speakers_where_the_character_is_silent(imported):
    fields = "Title: Mưa\nAuthor: Bình\nDate: 2026\nLicence: MIT\n"
    with pytest.raises(InosukeError, match=r"no script lines; it looks like a list of fields"):
        imported("a.txt", fields)


def test_what_may_be_another_speaker_never_joins_the_characters_line(imported):
    prose = "Một đoạn kể dài.\n\n" * 3
    found = imported(
        "a.txt", f"{prose}Inosuke: Này!\nInosuke: Ta!\nNhanh lên!\nAoi: Ăn cơm đã.\nRồi đi.\n\nInosuke: Ta no rồi!\n"
    )
    assert said(found)[3:] == [
        ("Inosuke", "Này!"),
        ("Inosuke", "Ta!"),
        ("Inosuke", "Nhanh lên!"),
        (None, "Aoi: Ăn cơm đã."),
        (None, "Rồi đi."),
        ("Inosuke", "Ta no rồi!"),
    ]
