"""Many files: the table of `inosuke import`, the cache beside it, and files that cannot be read."""

import json
import zipfile
from pathlib import Path

import pytest

from curation.errors import InosukeError
from curation.files import natural
from curation.importers import cache, many_files, read
from curation.importers.inspection import overview
from curation.persona import load_persona
from tests.curation.importers.small import FILES, SRT
from tests.tools.transcripts import srt

ROOT = Path(__file__).parents[3]


@pytest.fixture
def persona(tmp_path):
    """A project of its own, so that the cache is written there."""
    (tmp_path / "persona.toml").write_bytes((ROOT / "persona.toml").read_bytes())
    return load_persona(tmp_path / "persona.toml")


@pytest.fixture
def folder(tmp_path):
    """Every format, one damaged file and one of an unknown format."""
    into = tmp_path / "in"
    into.mkdir()
    for name, data in FILES.items():
        (into / f"{name.replace('.', '-')}{Path(name).suffix}").write_bytes(data)
    (into / "broken.xml").write_text("<book><pages>")
    (into / "notes.doc").write_text("x")
    return into


def test_an_entry_for_each_file_in_a_stable_order(folder, persona):
    entries = overview([folder], persona, quiet=True)
    assert [Path(e["path"]).name for e in entries] == sorted((p.name for p in folder.iterdir()), key=natural)
    entry = next(e for e in entries if e["path"].endswith(".srt"))
    assert entry == {
        "path": str(folder / "a-srt.srt"),
        "format": "srt",
        "encoding": "utf-8",
        "utterances": 3,
        "speakers": {"Tanjiro": 1, "Inosuke": 1, "(unknown)": 1},
        "samples": {"conversation": 1},
        "rejected": {"karaoke": 1, "after_last_reply": 1},
        "notes": [],
        "error": None,
    }
    errors = {Path(e["path"]).name: e["error"] for e in entries if e["error"]}
    assert set(errors) == {"broken.xml", "notes.doc"}, "the others go on"
    assert "not valid XML" in errors["broken.xml"] and "no importer for .doc" in errors["notes.doc"]


def test_dry_run_writes_nothing_and_gives_the_same(folder, persona):
    dry = overview([folder], persona, quiet=True, dry_run=True)
    assert not (persona.root / "datasets").exists()
    assert overview([folder], persona, quiet=True) == dry
    assert (persona.root / "datasets" / "build" / "imports").is_dir()
    assert overview([folder], persona, quiet=True) == dry, "from the cache"


def test_an_empty_folder_is_an_error_of_its_own(tmp_path, persona):
    (tmp_path / "empty").mkdir()
    (entry,) = overview([tmp_path / "empty"], persona, quiet=True)
    assert entry["error"] == "the folder is empty. Expected files to import"


def test_in_parallel_as_one_by_one(folder, persona, monkeypatch):
    jobs = [many_files.Job(p, p.name) for p in sorted(folder.iterdir())]
    alone = [r if not isinstance(r, InosukeError) else str(r) for r in many_files.read_all(jobs, persona, quiet=True)]
    monkeypatch.setattr(many_files, "_WORTH_BYTES", 0)
    monkeypatch.setattr(many_files.os, "cpu_count", lambda: 2)
    both = [r if not isinstance(r, InosukeError) else str(r) for r in many_files.read_all(jobs, persona, quiet=True)]
    assert both == alone
    assert sum(isinstance(r, str) for r in alone) == 2


def read_one(job, persona, kept):
    (found,) = many_files.read_all([job], persona, kept)
    return found


def test_the_cache_returns_what_was_read_and_notices_every_change(tmp_path, persona, monkeypatch):
    path, kept = tmp_path / "a.srt", tmp_path / "kept"
    path.write_text(SRT)
    job = many_files.Job(path, "a.srt", "own")
    first = read_one(job, persona, kept)
    assert first == read(path, persona, name="a.srt", rights="own")
    monkeypatch.setattr(many_files, "read_with_format", lambda *_: pytest.fail("parsed again"))
    assert read_one(job, persona, kept) == first
    path.write_text(SRT + "\n")
    with pytest.raises(pytest.fail.Exception, match="parsed again"):
        read_one(job, persona, kept)
    path.write_text(SRT)
    for stranger in (many_files.Job(path, "b.srt", "own"), many_files.Job(path, "a.srt", "private")):
        with pytest.raises(pytest.fail.Exception, match="parsed again"):
            read_one(stranger, persona, kept)
    other_persona = persona.model_copy(update={"name": "Tanjiro"})
    with pytest.raises(pytest.fail.Exception, match="parsed again"):
        read_one(job, other_persona, kept)


def test_a_truncated_cache_file_is_read_again(tmp_path, persona):
    path, kept = tmp_path / "a.srt", tmp_path / "kept"
    path.write_text(SRT)
    job = many_files.Job(path, "a.srt")
    first = read_one(job, persona, kept)
    (entry,) = kept.rglob("*.json")
    entry.write_bytes(entry.read_bytes()[:-20])
    assert read_one(job, persona, kept) == first


def test_speaker_links_beside_a_manga_are_part_of_its_key(tmp_path, persona):
    path = tmp_path / "a.xml"
    path.write_bytes(FILES["a.xml"])
    before = cache.key(path, FILES["a.xml"], "a.xml", "own", persona)
    (tmp_path / "Manga109Dialog").mkdir()
    (tmp_path / "Manga109Dialog" / "a.xml").write_text("<book/>")
    assert cache.key(path, FILES["a.xml"], "a.xml", "own", persona) != before


def test_the_command_prints_json_and_exits_with_1_if_a_file_is_bad(folder, persona, monkeypatch):
    from click.testing import CliRunner

    from curation.commands.import_files import import_files

    options = [str(folder), "--json", "--persona", str(persona.root / "persona.toml")]
    result = CliRunner().invoke(import_files, options)
    assert result.exit_code == 1
    assert len(json.loads(result.output)["files"]) == len(list(folder.iterdir()))


class Bar:
    """What a bar is told; it takes the place of the terminal's."""

    def __init__(self, total):
        self.total, self.n, self.seen = total, 0, []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def update(self, more):
        self.n += more
        self.seen.append(round(self.n))


@pytest.mark.parametrize("packed", [False, True])
def test_the_bar_moves_inside_one_large_file(packed, tmp_path, persona, monkeypatch):
    bars = []
    monkeypatch.setattr(many_files, "bar", lambda total, *_, **__: bars.append(Bar(total)) or bars[-1])
    text = srt(f"Inosuke: line {n} of many" for n in range(6_000))
    path = tmp_path / ("a.zip" if packed else "a.srt")
    if packed:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            for n in range(3):
                file.writestr(f"{n}.srt", text)
    else:
        path.write_text(text)
    (result,) = many_files.read_all([many_files.Job(path, path.name)], persona)
    (shown,) = bars
    assert len(result.utterances) == 6_000 * (3 if packed else 1)
    assert len(set(shown.seen)) > 10 and shown.seen == sorted(shown.seen)
    assert shown.seen[-1] == shown.total == path.stat().st_size


def test_the_bar_moves_while_workers_read(folder, persona, monkeypatch):
    bars = []
    monkeypatch.setattr(many_files, "bar", lambda total, *_, **__: bars.append(Bar(total)) or bars[-1])
    monkeypatch.setattr(many_files, "_WORTH_BYTES", 0)
    monkeypatch.setattr(many_files.os, "cpu_count", lambda: 2)
    jobs = [many_files.Job(p, p.name) for p in sorted(folder.iterdir())]
    assert len(list(many_files.read_all(jobs, persona))) == len(jobs)
    assert bars[0].seen[-1] == bars[0].total and bars[0].seen == sorted(bars[0].seen)
