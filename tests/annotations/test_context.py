"""The lines around a sample of a transcript: the right ones, or a reason why there are none."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path

import pytest

from annotations.context import surroundings
from curation.folders import Folders
from curation.persona import load_persona
from curation.pipeline.stages import build
from curation.record import Sample, Source
from curation.review.queue import read_queue
from tests.conftest import ROOT
from tests.tools.transcripts import ass, one_after_another, srt

PERSONA = """
name = "Inosuke"
languages = ["vi"]
system_prompt = "Ngươi là Inosuke."
[[sources]]
path = "scenes"
"""
SHIPPED = ROOT / "datasets" / "sources" / "transcripts"
FILES = [
    "scenes.ass", "scenes.srt", "scenes.vtt", "scenes.sub", "scenes.ttml", "scenes.md", "scenes.txt", "scenes.wiki",
    "scenes.mokuro", "scenes.csv", "scenes.zip",
]  # fmt: skip


def project(root: Path, name: str) -> tuple[Path, list[Sample]]:
    """Import one file; return persona.toml and the samples of its transcripts."""
    (root / "scenes").mkdir()
    shutil.copy(SHIPPED / name.replace("scenes.srt", "scenes.utf-8.srt"), root / "scenes" / name)
    (root / "persona.toml").write_text(PERSONA, encoding="utf-8")
    build(root / "persona.toml", quiet=True)
    return root / "persona.toml", [item.sample for item in read_queue(Folders(root).queue)]


@pytest.mark.parametrize("name", FILES)
def test_the_lines_of_a_sample_are_found_with_their_neighbours(tmp_path: Path, name: str) -> None:
    file, samples = project(tmp_path, name)
    persona = load_persona(file)
    assert samples
    for sample in samples:
        found = surroundings(sample.source, persona)
        assert found is not None and found.problem == "", (sample.source, found)
        said = " ".join(" ".join(line.text for line in found.own).split())
        for message in sample.messages:
            if message.content in ("", *persona.scenes.quote_prompts):
                continue
            assert message.content.split()[0] in said
        assert found.before or found.after


@pytest.mark.parametrize("name", ["scenes.srt", "scenes.vtt", "scenes.ass", "scenes.md"])
def test_a_raw_cue_holds_its_words(tmp_path: Path, name: str) -> None:
    file, samples = project(tmp_path, name)
    persona = load_persona(file)
    lines = [line for s in samples for line in (surroundings(s.source, persona) or pytest.fail()).own]
    with_raw = [line for line in lines if line.raw]
    assert len(with_raw) > len(lines) / 2
    wrong = [li for li in with_raw if li.text.split()[-1].strip("…!?.,") not in unicodedata.normalize("NFC", li.raw)]
    assert wrong == []


def test_a_changed_a_missing_and_a_broken_file_give_a_reason_and_no_lines(tmp_path: Path) -> None:
    file, samples = project(tmp_path, "scenes.srt")
    persona, source = load_persona(file), samples[0].source
    path = tmp_path / "scenes" / "scenes.srt"
    path.write_bytes(b"1\n00:00:01,000 --> 00:00:02,000\nZenitsu: Oi!\n\n" + path.read_bytes())
    changed = surroundings(source, persona)
    assert changed is not None and (changed.problem, changed.own) == ("changed", ())
    path.unlink()
    missing = surroundings(source, persona)
    assert missing is not None and (missing.problem, missing.path) == ("missing", "scenes/scenes.srt")


def test_a_row_has_no_surroundings_and_a_path_never_leads_out_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "persona.toml").write_text(PERSONA, encoding="utf-8")
    (tmp_path / "secret.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nbí mật\n", encoding="utf-8")
    persona = load_persona(tmp_path / "in" / "persona.toml")
    row = Source(path="lines.jsonl", sha256="0" * 64, locator="row 3", importer="rows")
    assert surroundings(row, persona) is None
    for path in ("../secret.srt", str(tmp_path / "secret.srt")):
        out = surroundings(Source(path=path, sha256="0" * 64, locator="cue 1 00:00:01.000", importer="srt"), persona)
        assert out is not None and out.problem == "missing"


def test_a_line_stands_beside_that_of_the_track_which_named_it(tmp_path: Path) -> None:
    (tmp_path / "scenes" / "vi").mkdir(parents=True)
    (tmp_path / "scenes" / "en").mkdir()
    english = [f"line {n} of the talk on the roof" for n in range(12)]
    vietnamese = [f"câu {n} của cuộc chuyện trò trên mái nhà" for n in range(12)]
    cues = one_after_another(english, actors=["Tanjiro", "Inosuke"])
    (tmp_path / "scenes" / "en" / "ep 1.ass").write_text(ass(cues), encoding="utf-8")
    (tmp_path / "scenes" / "vi" / "tap 1.srt").write_text(srt(vietnamese), encoding="utf-8")
    (tmp_path / "persona.toml").write_text(PERSONA, encoding="utf-8")
    build(tmp_path / "persona.toml", quiet=True)
    samples = [item.sample for item in read_queue(Folders(tmp_path).queue)]
    sample = next(s for s in samples if s.source.path.endswith("tap 1.srt"))
    assert [m.role for m in sample.messages[:4]] == ["user", "assistant"] * 2
    found = surroundings(sample.source, load_persona(tmp_path / "persona.toml"))
    assert found is not None and len(found.own) > 3
    at = vietnamese.index(found.own[0].text)
    assert [(line.speaker, line.text, line.twin) for line in found.own[:3]] == [
        (cues[n].actor, vietnamese[n], english[n]) for n in range(at, at + 3)
    ]
