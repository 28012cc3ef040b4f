"""Ren'Py scripts and Fountain screenplays."""

from __future__ import annotations

from tests.curation.importers.looks import rejections, said

RENPY = """define e = Character("Eileen", color="#c8ffc8")
define i = Character(_("Inosuke"))
define p = Character("[player]")
default player = "Tanjiro"
define narrator = Character(None)
init python:
    x = "no"
screen s():
    text "No"
label start:
    # e "No."
    scene bg room
    play music "x.ogg"
    "The wind blows."
    e happy "Where {i}are{/i} you, [player]?{w=0.5}"
    i "Up on \\"the\\" roof!\\nYes" with vpunch
    extend " And on."
    menu:
        "What?"
        "Go up":
            jump up
        "Stay" if brave:
            i 'No!'
    "Zenitsu" "Help!"
    i \"\"\"
    First.

    Second
    line.
    \"\"\"
    i @ happy "Ha {rb}山{/rb}{rt}やま{/rt}!" (what_size=3)
    p "Fine."
    narrator "Night."
    $ y = "no"
"""


def test_renpy_lines_have_the_names_of_their_characters(imported):
    found = imported("a.rpy", RENPY)
    assert said(found) == [
        (None, "The wind blows."),
        ("Eileen", "Where are you, Tanjiro?"),
        ("Inosuke", 'Up on "the" roof! Yes'),
        ("Inosuke", "And on."),
        (None, "What?"),
        ("Inosuke", "No!"),
        ("Zenitsu", "Help!"),
        ("Inosuke", "First."),
        ("Inosuke", "Second line."),
        ("Inosuke", "Ha 山!"),
        ("Tanjiro", "Fine."),
        (None, "Night."),
    ]
    assert rejections(found) == [("menu_choice", "Go up"), ("menu_choice", "Stay"), ("ruby", "やま")]


def test_characters_may_be_defined_in_a_file_beside(imported, tmp_path):
    (tmp_path / "characters.rpy").write_text('define i = Character("Inosuke")\n', encoding="utf-8")
    assert said(imported("day1.rpy", 'label day1:\n    i "Ta đây!"\n')) == [("Inosuke", "Ta đây!")]


def test_a_translation_of_a_game_has_its_own_lines_and_no_strings_of_the_menu(imported):
    text = (
        'translate vietnamese a_1:\n\n    # e "Hello"\n    e "Xin chào"\n\ntranslate vietnamese strings:\n    old "A"\n'
    )
    assert said(imported("a.rpy", text)) == [("e", "Xin chào")]


FOUNTAIN = """Title: Roof
Author: Me

# Act one

= They meet.

EXT. ROOF - DAY

The wind blows. [[a note]]

TANJIRO
Where *are*
you?

INOSUKE (V.O.) ^
(laughing)
Up on the roof!
(then)
Ha!

@McAoi
Hm.
TWO SPACES
More.

/* cut
INOSUKE
No
*/

CUT TO:

.A PLACE

!INOSUKE
jumps

> THE END <

INOSUKE
~a song
"""


def test_a_fountain_screenplay(imported):
    found = imported("a.fountain", FOUNTAIN.replace("TWO SPACES", "  "))
    assert said(found) == [
        ("Tanjiro", "Where are you?"),
        ("Inosuke", "Up on the roof!"),
        ("Inosuke", "Ha!"),
        ("McAoi", "Hm. More."),
    ]
    by_reason: dict[str, list[str]] = {}
    for reason, text in rejections(found):
        by_reason.setdefault(reason, []).append(text)
    assert by_reason == {
        "comment": ["a note", "cut\nINOSUKE\nNo", "They meet."],
        "heading": ["Title: Roof", "Author: Me", "Act one", "EXT. ROOF - DAY", "CUT TO:", "A PLACE"],
        "stage_direction": ["The wind blows.", "(laughing)", "(then)", "INOSUKE", "jumps", "THE END"],
        "karaoke": ["a song"],
    }


def test_vietnamese_capitals_are_characters(imported):
    found = imported("a.fountain", "INT. NHÀ - NGÀY\n\nĐỨC ÔNG\nHả?\n\nINOSUKE\nTa đây!\n")
    assert said(found) == [("Đức Ông", "Hả?"), ("Inosuke", "Ta đây!")]
