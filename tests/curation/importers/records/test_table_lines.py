"""Tables of lines: which columns they have, what their numbers mean, and where a scene ends."""

import io
import json

import openpyxl
import pytest

from curation.errors import InosukeError
from curation.persona import load_persona
from curation.transcripts.scenes import to_samples
from tests.curation.importers.looks import rejections, said

A, B = "Where are you?", "Up on the roof!"
LINES = [("Tanjiro", A), ("Inosuke", B)]


def table(*rows, separator=","):
    return "".join(separator.join(map(str, row)) + "\n" for row in rows)


def starts(found):
    return [u.start_ms for u in found.utterances]


@pytest.mark.parametrize(
    "heading",
    [
        ("Character", "Dialogue"), ("character", "quote"), ("Name", "Sentence"), ("name", "line"),
        ("Role", "Utterance"),
        ("author", "message"),
        ("user", "content"), ("speaker_name", "transcript"), ("CHARACTER", "SUBTITLE"),
        ("char", "dialog"), ("Speaker Name", "Text"), ("raw_character_text", "spoken_words"), ("speaker", "line_text"),
        ("Nhân vật", "Lời thoại"), ("Tên", "Nội dung"), ("角色", "台词"), ("キャラクター", "セリフ"),
        ("username", "msg"),
        ("actor", "caption"), ("person", "words"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl"])
def test_columns_have_many_names(imported, heading, suffix):
    rows = [dict(zip(heading, line, strict=True)) for line in LINES]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    if suffix != "jsonl":
        text = table(heading, *LINES, separator="," if suffix == "csv" else "\t")
    found = imported(f"a.{suffix}", text)
    assert said(found) == LINES
    assert {u.evidence.partition(":")[0] for u in found.utterances} == {"column"}


@pytest.mark.parametrize(
    ("heading", "cells", "expected"),
    [
        # clock times say what they are
        (("Start time", "End time"), [("00:00:02.000", "00:00:03.500"), ("00:12:04,250", "00:12:05")], [2000, 724250]),
        (("start", "end"), [("0:02", "0:03"), ("1:04.5", "1:06")], [2000, 64500]),
        (("begin", "stop"), [("00:00:02:12", "00:00:03:00"), ("00:00:04:00", "00:00:05:00")], [2480, 4000]),
        (("Start", "End"), [("2s", "3s"), ("4500 ms", "6000 ms")], [2000, 4500]),
        # the heading says it
        (("start_ms", "end_ms"), [(20, 35), (40, 55)], [20, 40]),
        (("Start (ms)", "End (ms)"), [(20, 35), (40, 55)], [20, 40]),
        (("Start time in milliseconds", "End time in milliseconds"), [(20, 35), (40, 55)], [20, 40]),
        (("start_seconds", "end_seconds"), [(100, 300), (400, 700)], [100_000, 400_000]),
        (("Start (s)", "End (s)"), [(100, 300), (400, 700)], [100_000, 400_000]),
        (("start frame", "end frame"), [(25, 50), (75, 100)], [1000, 3000]),
        (("timestamp_in_ms", "x"), [(848000, ""), (856000, "")], [848_000, 856_000]),
        # the lines themselves say it: nobody speaks for minutes on end
        (("start", "end"), [(1000, 2500), (2600, 4500)], [1000, 2600]),
        (("start", "end"), [(0, 800), (950, 1700)], [0, 950]),
        (("start", "end"), [(1, 2), (3, 5)], [1000, 3000]),
        (("start", "end"), [(700, 703), (704, 706)], [700_000, 704_000]),
        (("start", "end"), [("100.5", "190.25"), ("250.0", "300.5")], [100_500, 250_000]),
        (("start", "x"), [(1000, ""), (2600, "")], [1000, 2600]),
        (("start", "x"), [(1, ""), (4, "")], [1000, 4000]),
        (("start", "end"), [("", ""), ("soon", "later")], [None, None]),
    ],
)  # fmt: skip
def test_times(imported, heading, cells, expected):
    rows = [(*cell, *line) for cell, line in zip(cells, LINES, strict=True)]
    found = imported("a.csv", table((*heading, "speaker", "text"), *[[f'"{c}"' for c in row] for row in rows]))
    assert said(found) == LINES
    assert starts(found) == expected


def test_a_table_without_times_says_so(imported):
    assert imported("a.csv", table(("speaker", "text"), *LINES)).notes[0].startswith("no times")
    timed = imported("a.csv", table(("start", "speaker", "text"), (1, *LINES[0]), (2, *LINES[1])))
    assert timed.notes == ()


@pytest.mark.parametrize(
    "column",
    ["chapter", "Volume", "season", "Episode", "Episode Title", "movie", "scene", "conversation_id", "tập", "Chương"],
)
def test_a_scene_column_cuts_dialogues(imported, persona, column):
    rows = [(1, "Tanjiro", "The end."), (1, "Zenitsu", "Bye."), (2, "Inosuke", "Good morning number two!")]
    found = imported("a.csv", table((column, "speaker", "text"), *rows))
    samples, _ = to_samples([found], persona)
    assert [s.kind for s in samples] == ["quote"], "the line opens a scene and answers nobody"


def test_a_title_of_each_line_is_no_scene(imported, persona):
    rows = [("a", *LINES[0]), ("b", *LINES[1]), ("c", "Tanjiro", "Hm."), ("d", "Inosuke", "Ha!")]
    found = imported("a.csv", table(("title", "speaker", "text"), *rows))
    samples, _ = to_samples([found], persona)
    assert [len(s.messages) for s in samples] == [4]


def workbook(**sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_each_sheet_is_a_scene_and_numbers_are_words(imported, persona):
    head = ["Character", "Line"]
    data = workbook(
        one=[head, ["Tanjiro", "How many?"], ["Inosuke", 100]], two=[head, ["Inosuke", "Good morning, sheet two!"]]
    )
    found = imported("a.xlsx", data)
    assert said(found)[1] == ("Inosuke", "100")
    samples, _ = to_samples([found], persona)
    assert [s.kind for s in samples] == ["conversation", "quote"]


@pytest.mark.parametrize("above", [[["My show"]], [["My show", None], [None], ["by", "me", "2024"]], []])
def test_a_title_may_stand_above_the_header(imported, above):
    rows = [["Character", "Dialogue"], *map(list, LINES)]
    assert said(imported("a.xlsx", workbook(one=[*above, *rows]))) == LINES
    text = "".join(",".join(c or "" for c in row) + "\n" for row in [*above, *rows])
    assert said(imported("a.csv", text)) == LINES


def test_excel_times_and_a_separator_that_only_the_header_shows(imported):
    import datetime

    rows = [["Start", "Speaker", "Text"], [datetime.time(0, 0, 2), *LINES[0]], [datetime.time(0, 1, 2), *LINES[1]]]
    assert starts(imported("a.xlsx", workbook(one=rows))) == [2000, 62000]
    assert (
        said(imported("a.csv", "Title, of a show\nspeaker;text\nTanjiro;Where are you?\nInosuke;Up on the roof!\n"))
        == LINES
    )
    assert said(imported("a.csv", "speaker|text\nTanjiro|Where are you?\nInosuke|Up on the roof!\n")) == LINES


def test_a_row_without_words_has_a_reason(imported):
    found = imported("a.xlsx", workbook(one=[["speaker", "text"], ["Tanjiro", A], ["Inosuke", None]]))
    assert [r for r, _ in rejections(found)] == ["empty"]


def test_the_roles_of_a_chat_are_the_character_and_the_user(imported, persona):
    rows = [("system", "You are a boar."), ("user", A), ("assistant", B)]
    found = imported("a.csv", table(("role", "content"), *rows))
    assert said(found) == [(persona.user_label, A), ("Inosuke", B)]
    assert rejections(found) == [("not_said", "You are a boar.")]


def test_a_cell_with_a_dialogue_is_a_scene_of_its_own(imported, persona):
    row = "Tanjiro: Where are you?\nInosuke: Up on the roof!"
    found = imported("a.jsonl", "".join(json.dumps({"dialogue": row}) + "\n" for _ in range(2)))
    samples, _ = to_samples([found], persona)
    assert [[m.content for m in s.messages] for s in samples] == [[A, B], [A, B]]


def test_stress_is_kept_apart_from_actions(imported):
    rows = ["*I* am the king!", "*NEVER* again.", "*sniffs* You smell.", "*Grins* yeah.", "It is *my* hill."]
    found = imported("a.jsonl", "".join(json.dumps({"speaker": "Inosuke", "text": r}) + "\n" for r in rows))
    assert [u.text for u in found.utterances] == [
        "I am the king!", "NEVER again.", "You smell.", "yeah.", "It is my hill.",
    ]  # fmt: skip


COLUMNS = """
[[columns]]
files = "*.logs.json*"
text = "said.words"
speaker = "by"
start = "at_ms"
scene = "part"
"""


@pytest.fixture
def mapped(persona, tmp_path):
    text = (persona.root / "persona.toml").read_text(encoding="utf-8")
    (tmp_path / "persona.toml").write_text(text + COLUMNS, encoding="utf-8")
    return load_persona(tmp_path / "persona.toml")


@pytest.mark.parametrize("suffix", ["json", "jsonl"])
def test_a_map_of_columns_reads_what_nobody_foresaw(mapped, tmp_path, suffix):
    from curation.importers import read

    rows = [{"by": who, "said": {"words": text}, "at_ms": at, "part": 1}
            for (who, text), at in zip(LINES, (20, 40), strict=True)]  # fmt: skip
    text = json.dumps({"log": {"parts": rows}}) if suffix == "json" else "\n".join(map(json.dumps, rows))
    path = tmp_path / f"x.logs.{suffix}"
    path.write_text(text, encoding="utf-8")
    found = read(path, mapped)
    assert (said(found), starts(found)) == (LINES, [20, 40])
    assert found.utterances[0].source.locator.startswith("scene 1 · ")


def test_a_map_counts_for_the_files_that_it_names_alone(mapped, tmp_path):
    from curation.importers import read

    path = tmp_path / "other.json"
    path.write_text(json.dumps([{"by": "Inosuke", "said": {"words": B}}]), encoding="utf-8")
    with pytest.raises(InosukeError, match=r"`by`, `said`"):
        read(path, mapped)


@pytest.mark.parametrize("bad", ['[[columns]]\nspeaker = "x"', '[[columns]]\ntext = "x"\nwho = "y"'])
def test_a_map_that_is_written_wrongly_is_refused(persona, tmp_path, bad):
    text = (persona.root / "persona.toml").read_text(encoding="utf-8")
    (tmp_path / "persona.toml").write_text(f"{text}\n{bad}\n", encoding="utf-8")
    with pytest.raises(InosukeError, match="columns"):
        load_persona(tmp_path / "persona.toml")


def test_a_table_of_unknown_columns_names_them(imported):
    with pytest.raises(InosukeError, match=r"`foo`, `bar`.*\[\[columns\]\]"):
        imported("a.csv", "foo,bar\n1,2\n")


@pytest.mark.parametrize("heading", [("Show", "Hide"), ("TC In", "TC Out"), ("Hiện ra", "Mất đi"), ("t1", "t2")])
def test_a_clock_time_is_read_whatever_its_column_is_called(imported, heading):
    head = ("No.", *heading, "Actor", "Dialog")
    rows = [(1, "00:00:01,000", "00:00:02,000", "Tanjiro", A), (2, "00:10:01,000", "00:10:02,000", "Inosuke", B)]
    found = imported("a.csv", table(head, *rows, separator=";"))
    assert said(found) == LINES
    assert starts(found) == [1_000, 601_000]
