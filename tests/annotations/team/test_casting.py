"""Casting at the desk: voices without a name are ranked, named in every episode by one click, and unnamed by undo."""

from __future__ import annotations

import random

import pytest

from annotations.store.log_sync import refresh
from annotations.store.review_store import ReviewStore
from annotations.team.casting import name_voice, undo_naming, voices
from annotations.words import say
from curation.folders import Folders
from curation.persona import load_persona
from curation.record import Message
from curation.review.queue import read_queue
from tests.annotations.team.conftest import Project
from tests.annotations.ui.desk_page import open_desk, page, press, sign_in
from tests.curation.transcripts.test_casting import HABITS, speak
from tests.tools.transcripts import ass, one_after_another


@pytest.fixture
def season(project: Project) -> Project:
    """An episode with names, and two in which Aoi is SPEAKER_01; Inosuke is named in all of them."""
    rng = random.Random(4)
    cast = [name for name in HABITS for _ in range(30)]
    rng.shuffle(cast)
    files = {"ep 0": one_after_another([speak(rng, who) for who in cast], actors=cast)}
    for episode in (1, 2):
        said = [speak(rng, who) for _ in range(6) for who in ("Aoi", "Inosuke")]
        files[f"ep {episode}"] = one_after_another(said, actors=["SPEAKER_01", "Inosuke"])
    for name, cues in files.items():
        (project.root / "lines" / f"{name}.ass").write_text(ass(cues), encoding="utf-8")
    project.run("dataset")
    return project


def opened(season: Project) -> ReviewStore:
    store = season.store()
    refresh(store, Folders(season.root), load_persona(season.persona).review)
    return store


def with_voice(season: Project) -> list[str]:
    items = read_queue(Folders(season.root).queue)
    return [i.sample.id for i in items if any(m.name == "Speaker_01" for m in i.sample.messages)]


def test_a_voice_is_named_in_every_episode_and_undo_takes_all_of_it_back(season: Project) -> None:
    store, persona = opened(season), load_persona(season.persona)
    judged, *waiting = with_voice(season)
    assert len({store.queue.item(n).sample.source.path for n in (judged, *waiting)}) == 2
    store.decide(judged, "An", "approve", revision=0)
    (voice,) = voices(store, persona)
    assert (voice.folder, voice.label, voice.lines) == ("lines", "Speaker_01", 12)
    assert voice.episodes == {"lines/ep 1.ass": 6, "lines/ep 2.ass": 6} and voice.ranking[0].name == "Aoi"
    named = name_voice(store, persona, "An", voice, " Aoi ")
    assert {m.name for m in store.queue.item(judged).messages if m.role == "user"} == {"Aoi"}
    assert store.queue.item(judged).status == "approved"
    drafts = [store.drafts.get(n, "An") for n in waiting]
    assert all(d is not None and "Aoi" in {m.name for m in d.messages} for d in drafts)
    kept = store.drafts.get(waiting[0], "An")
    assert kept is not None
    store.drafts.save(waiting[0], "An", 0, (*kept.messages[:-1], Message("assistant", "Hah!")))
    assert undo_naming(store, "An", named) == (1, len(waiting) - 1)
    assert {m.name for m in store.queue.item(judged).messages if m.role == "user"} == {"Speaker_01"}
    assert store.drafts.get(waiting[0], "An") is not None, "what was typed since stays"
    store.close()


def test_a_voice_that_turns_out_to_be_the_character_gets_their_role(season: Project) -> None:
    store, persona = opened(season), load_persona(season.persona)
    (voice,) = voices(store, persona)
    first = with_voice(season)[0]
    name_voice(store, persona, "An", voice, "Inosuke")
    draft = store.drafts.get(first, "An")
    assert draft is not None and {m.role for m in draft.messages} == {"assistant"}
    store.close()


def test_the_page_ranks_a_voice_and_one_click_names_it(season: Project) -> None:
    sign_in("An")
    app = open_desk("An", view="casting")
    assert "12 lines in 2 episodes" in page(app)
    assert len([text for text in app.text if text.value.startswith("“")]) == 5
    first = next(b for b in app.button if str(b.key).startswith("cast lines Speaker_01 "))
    assert first.label.startswith("Aoi")
    first.click().run()
    assert not app.exception
    store = opened(season)
    assert len(store.drafts.samples("An")) == len(with_voice(season))
    assert 'speakers = { "Speaker_01" = "Aoi" }' in [c.value for c in app.code]
    press(app, say("undo", "en"))
    assert store.drafts.samples("An") == []
    store.close()


def test_without_anonymous_voices_the_page_tells_so(project: Project) -> None:
    project.write("lines", [("Đi đâu đấy?", "Ta lên núi!")])
    project.run("dataset")
    sign_in("An")
    assert "There is no voice without a name" in page(open_desk("An", view="casting"))
