"""The files of a folder: in the order of the episodes, each page once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation.files import natural
from curation.importers.together import read_together, walk
from curation.persona import Persona
from curation.record import Imported
from curation.transcripts.scenes import to_samples


def touch(base: Path, *names: str) -> None:
    for name in names:
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x", encoding="utf-8")


@pytest.mark.parametrize(
    "names",
    [
        ["ep 1.srt", "ep 2.srt", "ep 10.srt"],
        ["S1E9.ass", "S1E10.ass", "S2E1.ass"],
        ["Season 2/1.srt", "Season 10/1.srt"],
        ["Tập 2.srt", "Tập 11.srt"],
        ["a/2.srt", "a 1/1.srt"],
        ["第２話.srt", "第１０話.srt"],
    ],
)
def test_numbers_in_names_sort_as_numbers(names: list[str], tmp_path: Path) -> None:
    touch(tmp_path, *names)
    assert [p.relative_to(tmp_path).as_posix() for p in walk(tmp_path)] == names
    backwards = names[::-1]
    assert sorted(backwards, key=natural) == names


def test_names_that_only_differ_in_case_or_zeros_have_an_order_too() -> None:
    names = ["a1", "A1", "a01", "1" * 4400, "²"]
    backwards = names[::-1]
    assert sorted(names, key=natural) == sorted(backwards, key=natural)


def test_pages_that_a_volume_holds_are_read_once(tmp_path: Path) -> None:
    touch(tmp_path, "v/Vol 1.5.mokuro", "v/_ocr/Vol 1.5/001.json", "v/Vol 1.5.html", "v/Vol 1.5.mobile.html")
    touch(tmp_path, "v/_ocr/Vol 2/001.json", "v/about.html", ".hidden.srt")
    names = ["v/_ocr/Vol 2/001.json", "v/about.html", "v/Vol 1.5.mokuro"]
    assert [p.relative_to(tmp_path).as_posix() for p in walk(tmp_path)] == names
    assert len(walk(tmp_path / "v" / "_ocr")) == 2, "asked for by name"


def test_a_page_is_no_song(tmp_path: Path, persona: Persona) -> None:
    block = {"box": [1, 1, 9, 9], "lines": ["伊之助：どこからでもかかってこい、山の王はここにいるぞ！"]}
    for volume in range(1, 5):
        pages = [{"img_path": f"{n}.jpg", "blocks": [block]} for n in range(6)]
        (tmp_path / f"{volume}.mokuro").write_text(json.dumps({"pages": pages}), encoding="utf-8")
    found = [r for _, r in read_together([tmp_path], persona, quiet=True) if isinstance(r, Imported)]
    assert len(found) == 4 and "repeated" not in {r.reason for r in to_samples(found, persona)[1]}
