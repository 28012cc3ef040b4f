"""What is not said: songs, signs, notes and credits by style, actor and words; and what only looks like it."""

from collections.abc import Callable

import pytest

from curation.importers.lines.markup import plain
from curation.importers.lines.signs import is_thought
from curation.record import Imported
from tests.curation.importers.formats.subtitles.test_ass import HEAD, event
from tests.curation.importers.looks import rejections, said

Import = Callable[..., Imported]


def srt(*cues: str) -> str:
    rows = (f"{i}\n00:00:{2 * i:02d},000 --> 00:00:{2 * i + 1:02d},500\n{cue}\n" for i, cue in enumerate(cues, 1))
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("style", "actor", "reason"),
    [
        ("OPRomaji", "", "karaoke"),
        ("Lời bài hát", "", "karaoke"),
        ("Insert Song VN", "Inosuke", "karaoke"),
        ("Default", "OP", "karaoke"),
        ("Default", "Lời bài hát", "karaoke"),
        ("iFanzSigns", "", "sign"),
        ("Default", "Signs - door", "sign"),
        ("TL Note", "Inosuke", "note"),
        ("Main - Ghi chú", "Inosuke", "note"),
        ("Default", "T/N", "note"),
        ("Credits", "", "credits"),
    ],
)
def test_styles_and_actors_of_the_trade_are_never_people(style: str, actor: str, reason: str, imported: Import) -> None:
    found = imported("a.ass", HEAD + event("Mèo đá ngủ", style=style, name=actor))
    assert rejections(found) == [(reason, "Mèo đá ngủ")] and said(found) == []


@pytest.mark.parametrize("name", ["Subaru", "Tsubame", "Edward", "Eden", "Hope", "Walter", "Opal", "McDonald"])
def test_names_that_hold_such_a_word_are_people(name: str, imported: Import) -> None:
    styled, acted = event("Chạy đi!", style=name), event("Đi đâu?", name=name, start="0:00:03.00", end="0:00:04.00")
    assert said(imported("a.ass", HEAD + styled + acted)) == [(name, "Chạy đi!"), (name, "Đi đâu?")]


def test_a_style_that_only_contains_the_characters_name_is_not_the_character(imported: Import) -> None:
    mother = event("Ngủ đi con", style="Inosuke Mom")
    own = event("Ta không ngủ!", style="Inosuke - Thoughts", start="0:00:03.00", end="0:00:04.00")
    assert said(imported("a.ass", HEAD + mother + own)) == [("Inosuke Mom", "Ngủ đi con"), ("Inosuke", "Ta không ngủ!")]


@pytest.mark.parametrize(
    "note",
    ["T/N: a pun", "TN: a pun", "(TL note: a pun)", "[Chú thích: mái nhà]", "Ghi chú: mái nhà", "*Chú thích: mái nhà"],
)
def test_a_line_that_says_that_it_is_a_note_is_one_also_under_a_label(note: str, imported: Import) -> None:
    found = imported("a.srt", srt("INOSUKE: Ha!", note, f"INOSUKE: {note}"))
    assert said(found) == [("Inosuke", "Ha!")]
    assert [reason for reason, _ in rejections(found)] == ["note", "note"]


@pytest.mark.parametrize(
    "words",
    ["I edited your name: Tarojiro!", "Bệnh dịch: kẻ thù của ta!", "On mountain.com! They read it.", "Sub by me: ha!"],
)
def test_a_line_of_a_named_speaker_is_not_the_credits(words: str, imported: Import) -> None:
    assert said(imported("a.srt", srt(f"INOSUKE: {words}"))) == [("Inosuke", words)]
    assert said(imported("a.ass", HEAD + event(words, name="Inosuke"))) == [("Inosuke", words)]


@pytest.mark.parametrize(
    "credit", ["Subtitles by Foo", "Translated by: Bar", "TIMING: Foo", "Biên dịch: Foo", "www.foo.example.com"]
)
def test_credits_at_the_ends_of_a_file_are_rejected(credit: str, imported: Import) -> None:
    found = imported("a.srt", srt(credit, "INOSUKE: Ha!"))
    assert said(found) == [("Inosuke", "Ha!")] and rejections(found) == [("credits", credit)]


@pytest.mark.parametrize(
    "thought",
    ["(He cannot see me here...)", "(I must win)", "(Hắn không thấy ta đâu...)", "[This is bad.]", "（俺は負けない）"],
)
def test_a_sentence_in_brackets_by_a_named_speaker_is_a_thought(thought: str, imported: Import) -> None:
    assert said(imported("a.ass", HEAD + event(thought, name="Inosuke"))) == [("Inosuke", thought[1:-1])]
    assert said(imported("a.srt", srt(f"INOSUKE: {thought}"))) == [("Inosuke", thought[1:-1])]
    assert said(imported("a.srt", srt(thought))) == []


@pytest.mark.parametrize(
    "sound",
    ["(sighs)", "(Sighs)", "[Laughs loudly.]", "(Thở dài.)", "（ため息）", "(wind blowing)", "(ドアの音)", "()"],
)
def test_a_sound_in_brackets_is_not_a_thought(sound: str) -> None:
    assert not is_thought(sound)


@pytest.mark.parametrize(
    ("raw", "in_ass", "elsewhere"),
    [
        (r"{\an8Up on the hill", "Up on the hill", "Up on the hill"),
        (r"\an8}Down here", "Down here", "Down here"),
        (r"{\i1}Up{\i0", "Up", "Up"),
        (r"{\pos(1,2)\fad(1,2)Up", "Up", "Up"),
        (r"{\fad(100,100)}\{wink\} yes", "{wink} yes", r"\{wink\} yes"),
        (r"Stairs go up\down", r"Stairs go up\down", r"Stairs go up\down"),
        ("{a comment}Up", "Up", "{a comment}Up"),
        ("Hey {{user}}, I win!", "Hey {}, I win!", "Hey {{user}}, I win!"),
    ],
)
def test_override_blocks_are_removed_with_a_brace_lost_and_other_braces_are_text(
    raw: str, in_ass: str, elsewhere: str
) -> None:
    assert (plain(raw, ass=True)[0], plain(raw)[0]) == (in_ass, elsewhere)


@pytest.mark.parametrize(
    ("text", "said_words", "done"),
    [
        ("*I* am the king!", "I am the king!", []),
        ("I *never* lose!", "I never lose!", []),
        ("Ta *không* thua!", "Ta không thua!", []),
        ("*NEVER*!", "NEVER!", []),
        ("I jump. *jumps on the roof* Ha!", "I jump. Ha!", ["*jumps on the roof*"]),
        ("*cười* Ta thắng!", "Ta thắng!", ["*cười*"]),
        ("Ta thắng! *cười*", "Ta thắng!", ["*cười*"]),
    ],
)
def test_a_stressed_word_stays_and_an_action_goes(
    text: str, said_words: str, done: list[str], imported: Import
) -> None:
    found = imported("a.srt", srt(f"INOSUKE: {text}"))
    assert said(found) == [("Inosuke", said_words)]
    assert [t for _, t in rejections(found)] == done
