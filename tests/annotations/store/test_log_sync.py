"""Synchronising the store with the log: examples, bad input, and properties over any two annotators' logs."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations.commands.review import review
from annotations.store.log_sync import refresh, sync, sync_store
from annotations.store.projection import status_of
from annotations.store.review_store import ReviewStore
from curation.errors import InosukeError
from curation.folders import Folders
from curation.persona import Review
from curation.record import Message
from curation.review.decisions import (
    VERDICTS,
    Decision,
    Log,
    State,
    fold,
    ordered,
    read_log,
    trusted_approval,
    write_log,
)
from curation.review.queue import write_queue
from tests.annotations.conftest import make_item

SAMPLES = [make_item(i) for i in range(4)]
EARLY = trusted_approval(SAMPLES[0].sample.id, "tác giả", "sources", "2026-01-01T00:00:00.000+00:00")
NOTHING = dict.fromkeys(("to_store", "to_log", "damaged", "markers", "conflicts", "disputes"), 0)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path / "project")


def sqlite(folders: Folders, name: str = "review.db") -> str:
    folders.datasets.mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{folders.datasets / name}"


def files(folders: Folders) -> dict[str, tuple[int, bytes]]:
    found = (p for p in folders.root.rglob("*") if p.is_file())
    return {p.relative_to(folders.root).as_posix(): (p.stat().st_mtime_ns, p.read_bytes()) for p in found}


# ---------------------------------------------------------------- examples


def test_with_nothing_on_either_side_nothing_is_created(folders):
    assert sync(f"sqlite:///{folders.datasets / 'review.db'}", folders).to_json() == NOTHING
    assert not folders.root.exists()


def test_on_a_fresh_clone_the_store_is_created_from_the_log_and_nothing_else_changes(folders):
    write_log(folders.log, Log((EARLY,)))
    before = files(folders)
    assert sync(sqlite(folders), folders).to_store == 1
    after = files(folders)
    assert set(after) == {*before, "datasets/review.db"}
    assert after["datasets/decisions.jsonl"] == before["datasets/decisions.jsonl"]


def test_a_second_run_writes_nothing(folders):
    write_log(folders.log, Log((EARLY,)))
    sync(sqlite(folders), folders)
    before = files(folders)
    assert sync(sqlite(folders), folders).to_json() == NOTHING
    assert files(folders) == before


def test_verdicts_reach_the_log_behind_the_older_ones(folders):
    write_log(folders.log, Log((EARLY,)))
    first_line = folders.log.read_text(encoding="utf-8")
    store = ReviewStore(sqlite(folders))
    store.queue.load(SAMPLES)
    store.decide(SAMPLES[1].sample.id, "an", "reject", revision=0, reason="wrong_speaker")
    assert sync_store(store, folders).to_json() == NOTHING | {"to_store": 1, "to_log": 1}
    store.close()
    text = folders.log.read_text(encoding="utf-8")
    assert text.startswith(first_line)
    assert [json.loads(line)["annotator"] for line in text.splitlines()] == ["tác giả", "an"]


def test_a_damaged_line_is_kept_word_for_word_and_the_others_count(folders):
    write_log(folders.log, Log((EARLY,), ((2, '{"id": "half a li'),)))
    store = ReviewStore(sqlite(folders))
    store.queue.load(SAMPLES)
    store.decide(SAMPLES[1].sample.id, "an", "approve", revision=0)
    assert sync_store(store, folders).damaged == 1
    store.close()
    log = read_log(folders.log)
    assert (len(log.decisions), [text for _, text in log.damaged]) == (2, ['{"id": "half a li'])


def test_a_log_that_is_not_text_is_reported_and_not_touched(folders):
    folders.datasets.mkdir(parents=True)
    folders.log.write_bytes(b"\xff\xfe\x00junk")
    with pytest.raises(InosukeError, match=r"decisions\.jsonl: cannot be read"):
        sync(sqlite(folders), folders)
    assert folders.log.read_bytes() == b"\xff\xfe\x00junk"


def test_a_deleted_store_is_created_again_from_the_log(folders):
    store = ReviewStore(sqlite(folders))
    store.queue.load(SAMPLES)
    for q in SAMPLES[:3]:
        store.decide(q.sample.id, "an", "approve", revision=0)
    sync_store(store, folders)
    store.close()
    (folders.datasets / "review.db").unlink()
    again = ReviewStore(sqlite(folders))
    assert sync_store(again, folders).to_store == 3
    again.queue.load(SAMPLES)
    assert again.queue.counts() == {"conversation": {"approved": 3, "pending": 1}}
    again.close()


def test_refresh_loads_the_queue_when_it_or_the_review_table_has_changed(folders):
    store = ReviewStore(sqlite(folders))
    with pytest.raises(InosukeError, match="no queue yet"):
        refresh(store, folders, Review())
    write_queue(SAMPLES[:2], folders.queue)
    assert refresh(store, folders, Review()).added == 2
    assert refresh(store, folders, Review()) is None
    write_queue(SAMPLES, folders.queue)
    assert refresh(store, folders, Review()).added == 2
    blind = Review(overlap=1.0)
    assert refresh(store, folders, blind).changed == len(SAMPLES)
    assert refresh(store, folders, blind) is None
    assert {store.queue.item(q.sample.id).panel for q in SAMPLES} == {2}
    store.close()


# ---------------------------------------------------------------- the command


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folders:
    monkeypatch.delenv("REVIEW_DB", raising=False)
    root = tmp_path / "project"
    root.mkdir()
    (root / "persona.toml").write_text(
        'name = "Inosuke"\nlanguages = ["vi"]\nsystem_prompt = "Ngươi là Inosuke."\n', encoding="utf-8"
    )
    return Folders(root)


def run(project: Folders, *arguments: str):
    return CliRunner().invoke(review, [*arguments, "--persona", str(project.root / "persona.toml")])


def test_sync_export_import_and_status_from_the_command_line(project, tmp_path):
    write_log(project.log, Log((EARLY,)))
    write_queue(SAMPLES, project.queue)
    result = run(project, "sync", "--json")
    assert json.loads(result.output) == NOTHING | {"to_store": 1}
    assert run(project, "sync").output == ""
    exported = tmp_path / "out.jsonl"
    assert run(project, "export", str(exported)).exit_code == 0
    assert read_log(exported).decisions == (EARLY,)

    theirs = Decision(
        id="x" * 32,
        sample_id=SAMPLES[1].sample.id,
        revision=0,
        verdict="approve",
        messages=None,
        reason="",
        annotator="bình",
        client="streamlit",
        time="2026-02-01",
    )
    write_log(tmp_path / "theirs.jsonl", Log((theirs,), ((2, "junk"),)))
    result = run(project, "import", str(tmp_path / "theirs.jsonl"), "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"events": 1, "new": 1, "damaged": 1}
    assert json.loads(run(project, "sync", "--json").output)["to_log"] == 1

    status = json.loads(run(project, "status", "--json").output)
    assert status["kinds"] == {"conversation": {"approved": 2, "pending": 2}}
    assert status["annotators"] == {"bình": 1}
    assert "bình: 1 verdicts" in run(project, "status").output


def test_outside_a_project_the_command_says_where_to_run_it(tmp_path):
    result = CliRunner().invoke(review, ["sync", "--persona", str(tmp_path / "persona.toml")])
    assert "Expected the character's persona.toml" in str(result.exception)


# ---------------------------------------------------------------- properties

TURNS = (Message("user", "Ai đó?"), Message("assistant", "Ta đây!"))


@st.composite
def decisions(draw: st.DrawFn) -> Decision:
    verdict = draw(st.sampled_from(VERDICTS))
    number = draw(st.integers(0, 40))
    return Decision(
        id=f"{number:032x}",
        sample_id=draw(st.sampled_from([q.sample.id for q in SAMPLES] + ["elsewhere"])),
        revision=draw(st.integers(0, 2)),
        verdict=verdict,
        messages=TURNS if verdict == "rewrite" else None,
        reason=f"{draw(st.integers(0, 40)):032x}" if verdict == "undo" else draw(st.text(max_size=8)),
        annotator=draw(st.sampled_from(["an", "bình", "chi"])),
        client=draw(st.sampled_from(["streamlit", "label-studio", "import"])),
        time=f"2026-01-01T00:00:{draw(st.integers(0, 59)):02}.000+00:00",
        panel=draw(st.sampled_from([1, 1, 2])),
        after=draw(st.none() | st.just("") | st.integers(0, 40).map("{:032x}".format)),
        batch=draw(st.sampled_from(["", "b"])),
        guidelines=draw(st.sampled_from(["", "4f2a"])),
        seconds=draw(st.sampled_from([0.0, 1.5])),
    )


logs = st.lists(decisions(), max_size=25)
relaxed = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(mine=logs, theirs=logs)
def test_merging_is_a_union_in_any_order_and_any_number_of_times(mine, theirs):
    once = ordered([*mine, *theirs])
    assert ordered([*theirs, *mine]) == once
    assert ordered([*once, *mine, *once]) == once
    assert fold([*theirs, *mine]) == fold(once)


@given(log=logs)
def test_a_log_read_back_is_the_log_written(tmp_path_factory, log):
    path = tmp_path_factory.mktemp("log") / "decisions.jsonl"
    write_log(path, Log(tuple(log)))
    assert list(read_log(path).decisions) == ordered(log)
    assert write_log(path, read_log(path)) is False


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory) -> Path:
    """The file of an empty store: creating its tables takes longer than the rest of an example."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    ReviewStore(f"sqlite:///{path}").close()
    return path


@relaxed
@given(mine=logs, theirs=logs)
def test_two_stores_and_a_log_end_up_the_same_and_stay_so(tmp_path_factory, empty_store, mine, theirs):
    folders = Folders(tmp_path_factory.mktemp("project"))
    for name in ("here.db", "there.db"):
        folders.datasets.mkdir(exist_ok=True)
        shutil.copy(empty_store, folders.datasets / name)
    here, there = (ReviewStore(sqlite(folders, name)) for name in ("here.db", "there.db"))
    here.queue.load(SAMPLES)
    here.log.add(mine)
    there.log.add(theirs)
    there.queue.load(SAMPLES)
    for store in (here, there, here):
        sync_store(store, folders)
    union = ordered([*mine, *theirs])
    assert here.log.events() == there.log.events() == list(read_log(folders.log).decisions) == union
    again = sync_store(here, folders)
    assert (again.to_store, again.to_log, again.damaged) == (0, 0, 0)
    states = fold(union)
    for q in SAMPLES:
        state = states.get(q.sample.id, State())
        for store in (here, there):
            assert store.queue.item(q.sample.id).state == state
            assert store.queue.item(q.sample.id).status == status_of(state)
    assert here.queue.counts() == there.queue.counts()
    here.close()
    there.close()
