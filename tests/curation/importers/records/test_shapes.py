"""Rows of dialogue: each shape becomes a sample, and a row that does not has a reason."""

import io
import json

import openpyxl
import pyarrow as pa
import pytest

from curation.errors import InosukeError
from tests.curation.importers.looks import rejections, said, turns
from tests.curation.importers.small import CSV, JSONL

TURNS = [("Tanjiro", "Đi nào!"), ("*", "Ta!")]


@pytest.mark.parametrize(
    ("row", "shape", "expected"),
    [
        ({"instruction": "Ai?", "input": "", "output": "Ta!"}, "alpaca", [("?", "Ai?"), ("*", "Ta!")]),
        ({"conversations": [{"from": "human", "value": "Ai?"}, {"from": "gpt", "value": "Ta!"}]}, "sharegpt",
         [("?", "Ai?"), ("*", "Ta!")]),
        ({"conversations": [{"from": "Tanjiro", "value": "Đi nào!"}, {"from": "伊之助", "value": "Ta!"}]},
         "sharegpt", TURNS),
        ({"messages": [{"role": "user", "content": "Đi nào!", "name": "Tanjiro"},
                       {"role": "assistant", "content": "Ta!"}]}, "openai", TURNS),
        ({"prompt": "Ai?", "response": "Ta!"}, "pairs", [("?", "Ai?"), ("*", "Ta!")]),
    ],
)  # fmt: skip
def test_shapes_of_rows(imported, row, shape, expected):
    found = imported("a.json", json.dumps([row]))
    (sample,) = found.samples
    assert (turns(sample), found.format, sample.source.importer, sample.source.locator) == (
        expected,
        shape,
        shape,
        "row 1",
    )


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"messages": [{"role": "user", "content": "Ai?"}]}, "ends_with_user"),
        ({"messages": [{"role": "assistant", "content": "Ta!"}]}, "no_prompt"),
        ({"messages": [{"role": "user", "content": " "}, {"role": "assistant", "content": "Ta!"}]}, "empty_turn"),
        ({"messages": [{"role": "user", "content": 3}, {"role": "assistant", "content": "Ta!"}]}, "not_text"),
        ({"messages": [{"role": None, "content": "x"}, {"role": "assistant", "content": "Ta!"}]}, "unknown_role"),
        ({"messages": []}, "not_a_row"),
        ({"messages": "[{"}, "bad_json"),
        ({"data": {"prompt": "Ai?", "response": "Ta!"}, "annotations": []}, "unlabelled"),
        ({"data": {"prompt": "Ai?", "response": "Ta!"}, "annotations": [{"was_cancelled": True}]}, "cancelled"),
        ({"data": {"prompt": "Ai?", "response": "Ta!"},
          "annotations": [{"result": [{"value": {"choices": ["reject"]}}]}]}, "rejected_by_annotator"),
        (["no row"], "not_a_row"),
        ({"instruction": "Hỏng \ufffd", "input": "", "output": "Ta!"}, "undecodable"),
    ],
)  # fmt: skip
def test_a_row_that_does_not_become_a_sample_has_a_reason(imported, row, reason):
    assert [r for r, _ in rejections(imported("a.json", json.dumps([row])))] == [reason]


def test_label_studio_takes_the_rewritten_reply(imported):
    data = {"messages": [{"role": "user", "content": "Ai?"}, {"role": "assistant", "content": "Tôi ạ."}]}
    task = {"id": 1, "data": data, "annotations": [{"result": [{"value": {"text": ["Ta đây!"]}}]}]}
    assert turns(imported("a.json", json.dumps([task])).samples[0]) == [("?", "Ai?"), ("*", "Ta đây!")]


def test_a_damaged_list_costs_the_broken_row_alone(imported):
    good = '{"instruction": "Ai?", "input": "", "output": "Ta!"}'
    found = imported("a.json", f'[\n{good},\n{{"instruction": "hỏng, "output": 1}},\n{good}\n')
    assert [s.source.locator for s in found.samples] == ["row 1", "row 3"]
    assert rejections(found) == [("bad_json", '{"instruction": "hỏng, "output": 1}')]


def test_dialogues_and_lines_of_a_transcript_in_one_file(imported):
    found = imported("a.jsonl", JSONL)
    assert (len(found.samples), said(found)) == (3, [("Inosuke", "Ta!")])


def test_csv_with_other_separators_broken_rows_and_line_breaks(imported):
    found = imported("a.csv", CSV + "một ô\n")
    assert said(found) == [("Tanjiro", "Đi nào!"), ("Inosuke", "Ta, đi trước")]
    assert [(u.start_ms, u.source.locator) for u in found.utterances] == [
        (1000, "scene 1 · row 2"),
        (2000, "scene 1 · row 3"),
    ]
    assert rejections(found) == [("bad_json", "một ô")]
    assert said(imported("b.csv", "text;speaker\nƠ;Aoi\n")) == [("Aoi", "Ơ")]
    assert said(imported("b.tsv", "text\tspeaker\nƠ\tAoi\n", "utf-16")) == [("Aoi", "Ơ")]


def test_excel_sheets_and_alpaca_columns(imported):
    book = openpyxl.Workbook()
    book.active.append(["instruction", "input", "output"])
    book.active.append(["Ai?", None, "Ta!"])
    second = book.create_sheet("hai")
    second.append(["Nhân vật", "Lời thoại", "Cảnh"])
    second.append(["Aoi", "Ăn đi!", 3])
    out = io.BytesIO()
    book.save(out)
    found = imported("a.xlsx", out.getvalue())
    assert said(found) == [("Aoi", "Ăn đi!")]
    assert found.utterances[0].source.locator == "scene 3 · row 4"
    assert [turns(s) for s in found.samples] == [[("?", "Ai?"), ("*", "Ta!")]]


def test_a_hugging_face_dataset_on_disk(imported, tmp_path, persona):
    from curation.importers import read
    from datasets import Dataset

    Dataset.from_list([{"instruction": "Ai?", "input": "", "output": "Ta!"}]).save_to_disk(str(tmp_path / "hf"))
    found = {p.name: read(p, persona) for p in (tmp_path / "hf").iterdir()}
    assert {n: (len(f.samples), f.rejected) for n, f in found.items()} == {
        "data-00000-of-00001.arrow": (1, ()),
        "dataset_info.json": (0, ()),
        "state.json": (0, ()),
    }


def test_an_arrow_file_that_lies_about_its_strings_is_refused(imported):
    out = io.BytesIO()
    table = pa.table({"text": ["Đi nào!" * 9, "Ta!"]})
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    data = out.getvalue()
    assert len(imported("a.arrow", data).utterances) == 2
    with pytest.raises(InosukeError, match=r"cannot be read|no rows|no line"):
        imported("a.arrow", data[: len(data) // 2])
