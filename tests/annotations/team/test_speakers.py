"""A speaker is named once for the scene: roles follow, nothing is approved unread, one undo takes all of it back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from annotations.store.log_sync import refresh
from annotations.store.review_store import ReviewStore
from annotations.team import speakers
from annotations.team.speakers import Naming, named
from curation.folders import Folders
from curation.persona import Persona, load_persona
from curation.record import Message, Sample, Source, sample_id
from curation.review.queue import QueueItem, write_queue
from inosuke import cli

PERSONA = 'name = "Inosuke"\naliases = ["Hashibira"]\nlanguages = ["vi"]\nsystem_prompt = "Ngươi là Inosuke."\n'


def scene(number: int, place: int, *turns: Message, path: str = "tap-1.srt") -> QueueItem:
    source = Source(path=path, sha256="0" * 64, locator=f"scene {number} · cue {place}", importer="srt")
    made = Sample(
        id=sample_id("conversation", turns),
        kind="conversation",
        messages=turns,
        language="vi",
        topic=None,
        source=source,
    )
    return QueueItem(made)


def said(text: str, name: str | None = None) -> Message:
    return Message("user", text, name)


def reply(text: str) -> Message:
    return Message("assistant", text)


ONE = scene(1, 1, said("Đi thôi!", "NAM 1"), reply("Ta đi trước!"))
TWO = scene(1, 9, said("Đợi đã!", "NAM 1"), said("Hả?"), reply("Nhanh lên!"))
OTHER_SCENE = scene(2, 40, said("Cứu với!", "NAM 1"), reply("Ta đây!"))
OTHER_FILE = scene(1, 1, said("Chào!", "NAM 1"), reply("Chào gì mà chào!"), path="tap-2.srt")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("REVIEW_DB", raising=False)
    (tmp_path / "persona.toml").write_text(PERSONA, encoding="utf-8")
    write_queue([ONE, TWO, OTHER_SCENE, OTHER_FILE], Folders(tmp_path).queue)
    return tmp_path


@pytest.fixture
def opened(project: Path):
    store = ReviewStore(f"sqlite:///{project / 'datasets' / 'review.db'}")
    persona = load_persona(project / "persona.toml")
    refresh(store, Folders(project), persona.review)
    yield store, persona
    store.close()


def ids(changes) -> list[str]:
    return [change.item.id for change in changes]


def test_the_label_is_named_in_its_scene_or_in_its_file(opened: tuple[ReviewStore, Persona]) -> None:
    store, persona = opened
    for item in (ONE, OTHER_SCENE):
        store.decide(item.sample.id, "An", "approve", revision=0)
    first = store.queue.item(ONE.sample.id)
    naming = speakers.naming_of(first, 0, "  Tanjiro ")
    seen = speakers.preview(store, persona, "An", first, naming)
    assert (ids(seen.changes), ids(seen.waiting)) == ([ONE.sample.id], [TWO.sample.id])
    whole = speakers.preview(store, persona, "An", first, naming, whole_file=True)
    assert ids(whole.changes) == [ONE.sample.id, OTHER_SCENE.sample.id]


def test_one_undo_takes_back_what_was_named_and_nothing_was_approved_unread(
    opened: tuple[ReviewStore, Persona],
) -> None:
    store, persona = opened
    for item in (ONE, TWO):
        store.decide(item.sample.id, "An", "approve", revision=0)
    first = store.queue.item(OTHER_SCENE.sample.id)
    seen = speakers.preview(store, persona, "An", first, speakers.naming_of(first, 0, "Tanjiro"), whole_file=True)
    batch, kept = speakers.apply(store, "An", seen)
    assert batch is not None and (len(batch.decisions), kept) == (2, 1)
    assert [m.name for m in store.queue.item(TWO.sample.id).messages] == ["Tanjiro", None, None]
    assert store.queue.item(OTHER_SCENE.sample.id).status == "pending"
    draft = store.drafts.get(OTHER_SCENE.sample.id, "An")
    assert draft is not None and draft.messages[0].name == "Tanjiro"
    store.undo("An")
    for item in (ONE, TWO):
        assert store.queue.item(item.sample.id).messages == item.sample.messages


def test_a_line_without_a_label_is_named_alone(opened: tuple[ReviewStore, Persona]) -> None:
    store, persona = opened
    second = store.queue.item(TWO.sample.id)
    seen = speakers.preview(store, persona, "An", second, speakers.naming_of(second, 1, "Zenitsu"))
    (change,) = seen.waiting
    assert [m.name for m in change.messages] == ["NAM 1", "Zenitsu", None]


def test_the_role_follows_the_name(opened: tuple[ReviewStore, Persona]) -> None:
    store, persona = opened
    assert named(said("Ta đây!", "NAM 1"), "hashibira", persona) == reply("Ta đây!")
    assert named(reply("Ta đây!"), "Tanjiro", persona) == said("Ta đây!", "Tanjiro")
    first = store.queue.item(ONE.sample.id)
    seen = speakers.preview(store, persona, "An", first, speakers.naming_of(first, 1, "Tanjiro"))
    assert [(c.item.id, c.forbidden) for c in seen.refused] == [(ONE.sample.id, "no_reply_at_the_end")]
    assert speakers.apply(store, "An", seen) == (None, 0)


def test_the_command_shows_first_and_then_does_it(project: Path, opened: tuple[ReviewStore, Persona]) -> None:
    store, _ = opened
    store.decide(ONE.sample.id, "An", "approve", revision=0)
    arguments = ["review", "name-speaker", ONE.sample.id, "1", "Tanjiro", "--by", "An"]
    options = ["--persona", str(project / "persona.toml")]
    shown = CliRunner().invoke(cli, [*arguments, "--dry-run", *options])
    assert "NAM 1 → Tanjiro: Đi thôi!" in shown.output and "1 samples would be rewritten" in shown.output
    assert store.queue.item(ONE.sample.id).messages == ONE.sample.messages
    done = json.loads(CliRunner().invoke(cli, [*arguments, "--json", *options]).stdout)
    assert (done["rewritten"], done["drafts"]) == (1, 1)
    assert store.queue.item(ONE.sample.id).messages[0].name == "Tanjiro"


def test_no_name_and_no_turn_are_refused(opened: tuple[ReviewStore, Persona]) -> None:
    store, persona = opened
    first = store.queue.item(ONE.sample.id)
    for turn, name, message in ((0, " … ", "at least one letter"), (7, "Tanjiro", "no turn 8")):
        with pytest.raises(speakers.BadVerdict, match=message):
            speakers.naming_of(first, turn, name)
    assert Naming("Tanjiro", "NAM 1").apply([Message("system", "x", "NAM 1")], persona)[0].role == "system"
