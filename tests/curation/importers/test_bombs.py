"""Files that are made to break their reader: refused with an error message, quickly and in little memory."""

import contextlib
import json
import time

import pytest

from curation.errors import InosukeError
from curation.importers.formats.data import archive
from curation.importers.source import source_file, tables
from tests.curation.importers.looks import rejections, said
from tests.curation.importers.small import SRT, zipped

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
BILLION_LAUGHS = f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>'


@pytest.mark.parametrize("root", ["<book><pages>&l9;</pages></book>", "<tt><body><p begin='1s'>&l9;</p></body></tt>"])
def test_entities_are_not_expanded(imported, root):
    with pytest.raises(InosukeError, match="document type or entities"):
        imported("a.ttml" if "tt" in root else "a.xml", f'<?xml version="1.0"?>\n{BILLION_LAUGHS}\n{root}')


def test_external_entities_are_not_read(imported, tmp_path):
    (tmp_path / "secret").write_text("mật")
    doc = f'<!DOCTYPE tt [<!ENTITY s SYSTEM "file://{tmp_path}/secret">]><tt><body><p begin="1s">&s;</p></body></tt>'
    with pytest.raises(InosukeError, match="document type or entities"):
        imported("a.ttml", doc)


@pytest.mark.parametrize("name", ["a.ttml", "a.xml"])
def test_deep_xml(imported, name):
    with pytest.raises(InosukeError, match="deep"):
        imported(name, "<tt>" * 10_000 + "</tt>" * 10_000)


@pytest.mark.parametrize("name", ["a.json", "a.mokuro"])
def test_json_nested_ten_thousand_deep(imported, name):
    with pytest.raises(InosukeError, match="deep"):
        imported(name, "[" * 10_000 + "]" * 10_000)


def test_deep_json_in_a_line_costs_that_line_alone(imported):
    good = json.dumps({"prompt": "Ai?", "response": "Ta!"})
    found = imported("a.jsonl", f"{'[' * 10_000}{']' * 10_000}\n{good}\n")
    assert len(found.samples) == 1
    assert [r for r, _ in rejections(found)] == ["bad_json"]


@pytest.mark.parametrize("opening", ["{{", "[[", "'''", "{|\n", "<ref>", "<b>", "== ", "{{a|"])
def test_wiki_markup_that_never_closes(imported, opening):
    start = time.process_time()
    with contextlib.suppress(InosukeError):
        imported("a.wiki", opening * 5_000 + "'''Inosuke:''' Ta!")
    assert time.process_time() - start < 5


def test_a_zip_that_says_it_is_huge(imported, monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED", 100_000)
    with pytest.raises(InosukeError, match="unpacks to 1,000,000 bytes"):
        imported("a.zip", zipped({"a.srt": b"0" * 1_000_000}))


def test_a_zip_that_lies_about_its_size_is_never_unpacked_beyond_it(imported):
    data = zipped({"a.srt": SRT.encode() + b"\n" * 3_000_000, "b.srt": SRT.encode()})
    size, lie = (3_000_000 + len(SRT.encode())).to_bytes(4, "little"), (50).to_bytes(4, "little")
    assert data.count(size) == 2
    found = imported("a.zip", data.replace(size, lie))
    assert next(r for r, _ in rejections(found)) == "unreadable_member"
    assert len(found.utterances) == 3, "the other member is read"


@pytest.mark.parametrize("name", ["../../etc/a.srt", "/etc/a.srt", "C:\\a.srt", "a/../../b.srt"])
def test_names_that_point_outside_a_zip(imported, tmp_path, name):
    before = sorted(p.name for p in tmp_path.rglob("*"))
    found = imported("a.zip", zipped({name: SRT.encode(), "ok.srt": SRT.encode()}))
    assert [(r.reason, r.source.locator) for r in found.rejected if r.reason == "unreadable_member"] == [
        ("unreadable_member", name)
    ]
    assert len(found.utterances) == 3
    assert sorted(p.name for p in tmp_path.rglob("*")) == sorted([*before, "a.zip"])


def test_a_zip_in_a_zip_in_a_zip_ends(imported):
    data = SRT.encode()
    for _ in range(60):
        data = zipped({"a.zip": data} if data[:2] == b"PK" else {"a.srt": data})
    found = imported("a.zip", data)
    assert [r for r, _ in rejections(found)] == ["unreadable_member"]
    once = zipped({"a.zip": zipped({"a.srt": SRT.encode()})})
    assert len(said(imported("b.zip", once))) == 3, "one level deeper is read"


def test_archives_in_an_archive_have_one_limit(imported, monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED", 3_000)
    inner = zipped({"a.srt": (SRT + "\n" * 900).encode()})
    found = imported("a.zip", zipped({f"{n}.zip": inner for n in range(5)}))
    assert 0 < len(found.utterances) < 15
    assert {r for r, _ in rejections(found)} == {"karaoke", "unreadable_member"}
    monkeypatch.setattr(archive, "MAX_MEMBERS", 7)
    monkeypatch.setattr(archive, "MAX_UNPACKED", 3_000_000)
    many = zipped({f"{n}.zip": inner for n in range(4)})
    assert "more than 7 files" in str([r.detail for r in imported("b.zip", many).rejected])


def test_a_zip_with_a_password(imported):
    data = bytearray(zipped({"a.srt": SRT.encode()}))
    data[6] |= 1  # the flag in the member's own header and in the directory
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    assert [r for r, _ in rejections(imported("a.zip", bytes(data)))] == ["unreadable_member"]


def test_a_workbook_that_unpacks_to_too_much(imported, monkeypatch):
    monkeypatch.setattr(tables, "MAX_UNPACKED", 1000)
    with pytest.raises(InosukeError, match="unpacks to"):
        imported("a.xlsx", zipped({"xl/workbook.xml": b"0" * 100_000}))


def test_a_file_over_the_limit_is_refused_without_being_read_whole(imported, monkeypatch, tmp_path, persona):
    from curation.importers import read

    monkeypatch.setattr(source_file, "MAX_BYTES", 1000)
    with pytest.raises(InosukeError, match="more than 1,000 bytes"):
        imported("a.srt", SRT + "x" * 2000)
    with pytest.raises(InosukeError, match="more than 1,000 bytes"):
        read("/dev/zero", persona)


def test_one_line_of_two_megabytes(imported):
    start = time.process_time()
    found = imported("a.srt", SRT + "\n4\n00:00:07,000 --> 00:00:08,000\n" + "ta là chúa tể " * 150_000)
    assert time.process_time() - start < 5
    assert [r for r, _ in rejections(found)] == ["karaoke", "oversized"]
    assert len(found.utterances) == 3


@pytest.mark.parametrize("name", ["a.srt", "a.ass", "a.vtt", "a.sub", "a.txt", "a.wiki", "a.json", "a.csv", "a.xml"])
def test_binary_files_and_empty_ones(imported, name):
    with pytest.raises(InosukeError, match=r"not a text file|binary"):
        imported(name, bytes(range(32)) * 200)
    with pytest.raises(InosukeError, match=r"no importer|not a text|binary"):
        imported(name, b"\x89PNG\r\n\x1a\n" + b"\0\1\2\3\4\5\6\7" * 300)
    try:
        found = imported(name, b"")
    except InosukeError as error:
        assert "a." in str(error)
    else:
        assert found.format.startswith("skipped")


def test_nul_bytes_are_taken_out(imported):
    assert said(imported("a.srt", SRT.replace("Đi nào", "Đi\0 nào")))[0] == ("Tanjiro", "Đi nào!")


def test_a_pipe_or_a_folder_is_refused(tmp_path, persona):
    from curation.importers import read

    with pytest.raises(InosukeError, match="cannot be read"):
        read(tmp_path, persona)
    with pytest.raises(InosukeError, match="cannot be read"):
        read(tmp_path / "no.srt", persona)
