"""Archives: one level deeper, with either separator, in the order of the episodes, and 7z and rar beside zip."""

import io
import struct
import zlib

import py7zr
import pytest
import rarfile

from curation.errors import InosukeError
from curation.importers.formats.data import archive
from tests.curation.importers.formats.data.files import rar, seven_zip
from tests.curation.importers.looks import rejections, said
from tests.curation.importers.small import SRT, zipped

ONE = SRT.encode()
PACK = {"zip": zipped, "7z": seven_zip}


def cue(text):
    return f"1\n00:00:01,000 --> 00:00:02,000\nTANJIRO: {text}\n".encode()


@pytest.mark.parametrize("outer", PACK)
@pytest.mark.parametrize("inner", PACK)
def test_an_archive_in_an_archive_is_read(imported, outer, inner):
    found = imported(f"a.{outer}", PACK[outer]({f"s1.{inner}": PACK[inner]({"e1.srt": ONE})}))
    assert len(found.utterances) == 3
    assert found.utterances[0].source.path == f"a.{outer}/s1.{inner}/e1.srt"


@pytest.mark.parametrize("outer", PACK)
def test_a_third_level_is_left_out_with_a_reason(imported, outer):
    deep = zipped({"b.zip": zipped({"c.zip": zipped({"d.srt": ONE})}), "e.srt": ONE})
    found = imported(f"a.{outer}", PACK[outer]({"x.zip": deep}))
    assert len(found.utterances) == 3
    (piece,) = (r for r in found.rejected if r.reason == "unreadable_member")
    assert "inside an archive inside an archive" in piece.detail


def test_backslashes_separate_folders(imported):
    found = imported("a.zip", zipped({"season 1\\ep1.srt": ONE}))
    assert {u.source.path for u in found.utterances} == {"a.zip/season 1/ep1.srt"}


@pytest.mark.parametrize("name", ["..\\a.srt", "C:\\a.srt", "\\a.srt", "a\\..\\..\\b.srt", "\\\\h\\s\\a.srt"])
def test_backslashes_lead_nowhere_else(imported, name):
    found = imported("a.zip", zipped({name: ONE}))
    assert [r for r, _ in rejections(found)] == ["unreadable_member"]


@pytest.mark.parametrize("kind", PACK)
def test_members_come_in_the_order_of_their_episodes(imported, kind):
    members = {f"ep {n}.srt": cue(n) for n in (10, 2, 1)}
    assert [t for _, t in said(imported(f"a.{kind}", PACK[kind](members)))] == ["1", "2", "10"]


@pytest.mark.parametrize("name", ["__MACOSX/._a.srt", "x/._a.srt", ".DS_Store", "x/Thumbs.db"])
def test_files_of_the_operating_system(imported, name):
    found = imported("a.zip", zipped({"a.srt": ONE, name: b"\0\1\2"}))
    assert len(found.utterances) == 3
    (piece,) = (r for r in found.rejected if r.reason == "unreadable_member")
    assert "operating system" in piece.detail


def test_a_7z_is_never_unpacked_beyond_the_limit(imported, monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED", 1000)
    with pytest.raises(InosukeError, match="unpacks to"):
        imported("a.7z", seven_zip({"a.srt": b"0" * 1_000_000}))


def renamed(old, new):
    """A 7z with a name that its writer would refuse: the list of names is plain, and its checksums are made again."""
    out = io.BytesIO()
    with py7zr.SevenZipFile(out, "w") as writer:
        writer.set_encoded_header_mode(False)
        writer.writestr(ONE, old)
        writer.writestr(ONE, "ok.srt")
    data = out.getvalue()
    data = data.replace(old.encode("utf-16-le"), new.encode("utf-16-le"))
    offset, size = struct.unpack("<QQ", data[12:28])
    start = data[12:28] + struct.pack("<I", zlib.crc32(data[32 + offset : 32 + offset + size]))
    return data[:8] + struct.pack("<I", zlib.crc32(start)) + start + data[32:]


@pytest.mark.parametrize("name", ["../../bb.srt", "/etc//bb.srt", "a/../../b.srt"])
def test_a_7z_names_no_place_outside(imported, tmp_path, name):
    before = sorted(p.name for p in tmp_path.rglob("*"))
    found = imported("a.7z", renamed("xxxxxxbb.srt"[: len(name)].rjust(len(name), "x"), name))
    assert {u.source.path for u in found.utterances} == {"a.7z/ok.srt"}
    assert [r for r, _ in rejections(found) if r == "unreadable_member"] == ["unreadable_member"]
    assert sorted(p.name for p in tmp_path.rglob("*")) == sorted([*before, "a.7z"])


def test_a_rar_whose_files_are_stored(imported):
    found = imported("a.rar", rar({"s1\\ep2.srt": cue("two"), "s1\\ep10.srt": cue("ten")}))
    assert said(found) == [("Tanjiro", "two"), ("Tanjiro", "ten")]
    assert found.format.startswith("rar")


def test_a_rar_without_a_program_to_unpack_it(imported, monkeypatch):
    def none(**options):
        raise rarfile.RarCannotExec("no tool")

    monkeypatch.setattr(rarfile, "tool_setup", none)
    with pytest.raises(InosukeError, match="Install unrar, bsdtar or 7z"):
        imported("a.rar", rar({"a.srt": ONE}, method=0x33))


@pytest.mark.parametrize("data", [b"Rar!\x1a\x07\x00" + b"\1" * 40, b"Rar!\x1a\x07\x01\x00" + b"\xff" * 40])
def test_a_damaged_rar(imported, data):
    with pytest.raises(InosukeError, match=r"a rar archive|empty"):
        imported("a.rar", data)


def test_a_member_whose_name_is_lost(imported):
    # In the directory, the five letters of the name are counted as the member's comment.
    data = bytearray(zipped({"a.srt": ONE}))
    at = data.rindex(b"PK\x01\x02") + 28
    data[at : at + 6] = b"\0\0\0\0\5\0"
    found = imported("a.zip", bytes(data))
    assert [r for r, _ in rejections(found)] == ["unreadable_member"]
