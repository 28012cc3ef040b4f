"""The Label Studio bridge without a server: the page, the tasks, reading annotations, and which events they make."""

from __future__ import annotations

import copy
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from label_studio_sdk.label_interface.interface import LabelInterface

from annotations.labelstudio import interface
from annotations.labelstudio.annotation_events import AnnotationEvents
from annotations.labelstudio.interface import Layout
from annotations.labelstudio.open_samples import open_samples
from annotations.labelstudio.results import Reading, Unreadable, origin, read
from annotations.labelstudio.tasks import Key, key_of, prediction, read_task, to_task
from annotations.words import TO_REWRITE
from curation.persona import Persona, Review
from curation.record import ROLES, Flag, Message
from curation.review.decisions import Decision, State, fold
from tests.annotations.labelstudio.project import SCENE, item, result

# ---------------------------------------------------------------- the page


def test_the_page_is_made_from_the_persona(persona: Persona) -> None:
    page = interface.build(persona.model_copy(update={"name": "Zenitsu & <co>"}), Layout(2, 2))
    assert LabelInterface(page).validate() is None
    areas = [e.get("name") for e in ET.fromstring(page).iter("TextArea")]
    assert areas == ["reply_1", "reply_2", "speaker_1", "line_1", "speaker_2", "line_2", "notes"]
    assert "Zenitsu &amp; &lt;co&gt;" in page
    assert interface.is_ours(page)
    assert not interface.is_ours("<View><Text name='t' value='$t'/></View>")
    assert interface.is_empty("<View></View>") and not interface.is_empty(page)


def test_every_choice_has_a_hotkey_of_its_own(persona: Persona) -> None:
    shown = [e for e in ET.fromstring(interface.build(persona, Layout(3))).iter("Choice") if e.get("alias")]
    keys = [e.get("hotkey") for e in shown]
    assert None not in keys and len(set(keys)) == len(keys)


def test_the_prediction_of_any_dialogue_fits_the_page(persona: Persona) -> None:
    page: Any = LabelInterface(interface.build(persona, interface.room_for([SCENE])))
    assert page.validate_prediction(prediction(SCENE), return_errors=True) == []
    too_many = (*SCENE, Message("assistant", "Ba!"))
    assert page.validate_prediction(prediction(too_many), return_errors=True) != []


# ---------------------------------------------------------------- tasks

messages = st.builds(Message, st.sampled_from(ROLES), st.text(max_size=30), st.none() | st.text(min_size=1, max_size=8))


@given(st.lists(messages, min_size=1, max_size=6).filter(lambda ms: any(m.role == "assistant" for m in ms)))
def test_what_a_task_shows_comes_back_word_for_word(persona: Persona, turns: list[Message]) -> None:
    one = item(1, turns)
    shown = read_task(to_task(one, 3, turns, persona)["data"])
    assert shown is not None
    assert shown.key == Key(one.sample.id, 3)
    assert shown.messages == tuple(turns)


def test_a_task_shows_speakers_flags_source_and_near_duplicates(persona: Persona) -> None:
    first = item(1, SCENE, "c1", (Flag("possible_speaker", "Zenitsu?"),))
    data = to_task(first, 0, SCENE, persona, neighbours=[item(2, cluster="c1")])["data"]
    assert [t["speaker"] for t in data["turns"]] == ["Tanjiro", "Inosuke", "Zenitsu", "Inosuke"]
    assert data["flags"] == "⚑ A line of the reply may be another speaker's. Zenitsu?"
    assert "doi-thoai.jsonl · row 1" in data["about"]
    assert "Ta leo 2 ngọn rồi" in data["near_duplicates"]


def test_a_line_with_many_sources_names_a_few_of_them(persona: Persona) -> None:
    places = tuple(item(n).sample.source for n in range(2, 9))
    about = to_task(replace(item(1), merged=places), 0, item(1).sample.messages, persona)["data"]["about"]
    assert about.endswith("also in doi-thoai.jsonl · row 2, doi-thoai.jsonl · row 3, 5 more")


@pytest.mark.parametrize(
    "data",
    [{}, {"sample_id": "a"}, {"sample_id": 5, "revision": 0}, {"sample_id": "a", "revision": True}, {"text": "x"}],
    ids=str,
)
def test_a_task_that_no_push_has_made_is_recognised(data: dict[str, Any]) -> None:
    assert key_of(data) is None and read_task(data) is None


def test_only_open_samples_with_a_reply_are_pushed() -> None:
    items = [item(1), item(2), item(3, (Message("user", "?"),)), item(4, flags=(Flag("over_length", ""),))]
    states = {items[0].sample.id: State(status="approved"), items[1].sample.id: State(revision=2, messages=SCENE)}
    found = open_samples(items, states)
    assert [(o.key.sample_id, o.key.revision) for o in found] == [(items[3].sample.id, 0), (items[1].sample.id, 2)]
    assert found[1].messages == SCENE
    assert len(open_samples(items, states, everything=True)) == 3


# ---------------------------------------------------------------- annotations


@pytest.fixture
def task(persona: Persona) -> dict[str, Any]:
    return to_task(item(1, SCENE), 0, SCENE, persona) | {"id": 7}


def annotation(task: dict[str, Any], verdict: str | None, **more: Any) -> dict[str, Any]:
    body = {"id": 11, "completed_by": 2, "was_cancelled": False, "updated_at": "2026-11-22T10:00:00.123456Z"}
    return body | {"result": result(task, verdict, **more)}


def reading(task: dict[str, Any], verdict: str, at: str = "10:00:00", **more: Any) -> Reading:
    found = read(task, annotation(task, verdict, **more) | {"updated_at": f"2026-11-22T{at}.123456Z"}, "deadbeef")
    assert isinstance(found, Reading)
    return found


def test_an_approval(task: dict[str, Any]) -> None:
    found = reading(task, "approve")
    assert (found.verdict, found.messages, found.reason, found.user) == ("approve", None, "", 2)
    assert found.shown.key == Key(item(1, SCENE).sample.id, 0)
    assert origin(found.origin.event_id) == found.origin


def test_a_rejection_carries_its_reasons_and_the_note(task: dict[str, Any]) -> None:
    found = reading(task, "reject", reasons=["not_his_voice", "no_sense"], notes=" quá lịch sự ")
    assert (found.verdict, found.reason, found.note) == ("reject", "wrong_voice; no_sense", "quá lịch sự")


def test_a_rewrite_changes_the_characters_turns_and_nothing_else(task: dict[str, Any]) -> None:
    found = reading(task, "rewrite", replies=["Ta lên núi!", "Nhanh lên, đồ rùa!"])
    assert found.verdict == "rewrite"
    assert found.messages == (
        SCENE[0],
        Message("assistant", "Ta lên núi!"),
        SCENE[2],
        Message("assistant", "Nhanh lên, đồ rùa!"),
    )


def test_approving_a_corrected_text_approves_the_correction(task: dict[str, Any]) -> None:
    assert reading(task, "approve", replies=["Ta lên núi!", SCENE[3].content]).verdict == "rewrite"


def test_a_rewrite_without_a_new_text_is_a_flag(task: dict[str, Any]) -> None:
    found = reading(task, "rewrite", notes="ai đó sửa giúp")
    assert (found.verdict, found.messages) == ("flag", None)
    assert (found.reason, found.note) == (TO_REWRITE, "ai đó sửa giúp")


def test_without_the_prediction_areas_that_were_not_filled_change_nothing(task: dict[str, Any]) -> None:
    body = annotation(task, "approve")
    body["result"] = [r for r in body["result"] if r["from_name"] == "verdict"]
    found = read(task, body, "deadbeef")
    assert isinstance(found, Reading) and found.verdict == "approve"


def test_a_skipped_task_has_no_verdict(task: dict[str, Any]) -> None:
    assert read(task, annotation(task, "approve") | {"was_cancelled": True}, "deadbeef") is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda t, a: a.update(result=[]), "it has no verdict"),
        (lambda t, a: a["result"][-1]["value"].update(choices=["maybe"]), "its verdict is maybe"),
        (lambda t, a: t["data"].pop("sample_id"), "not made by"),
        (lambda t, a: t["data"].update(turns="gone"), "not made by"),
        (lambda t, a: a["result"][1]["value"].update(text=["  "]), "a turn was emptied"),
        (lambda t, a: a["result"].pop(1), "a turn was emptied"),  # with the bin beside the text
    ],
)
def test_an_annotation_that_cannot_be_read_says_why(task: dict[str, Any], change: Any, why: str) -> None:
    task, body = copy.deepcopy(task), annotation(task, "approve")
    change(task, body)
    found = read(task, body, "deadbeef")
    assert isinstance(found, Unreadable) and why in found.why


# ---------------------------------------------------------------- events

SAMPLE = item(1, SCENE).sample.id
NEW = (*SCENE[:3], Message("assistant", "Nhanh lên!"))


def desk(
    event: str, verdict: Any, at: str, revision: int = 0, messages: Any = None, annotator: str = "minh"
) -> Decision:
    time = f"2026-11-22T{at}.000+00:00"
    return Decision(
        id=event,
        sample_id=SAMPLE,
        revision=revision,
        verdict=verdict,
        messages=messages,
        reason="",
        annotator=annotator,
        client="streamlit",
        time=time,
    )


def event_log(*events: Decision, review: Review | None = None) -> AnnotationEvents:
    return AnnotationEvents(events, "deadbeef", review or Review())


def record(log: AnnotationEvents, found: Reading, annotator: str = "hoa") -> list[Decision]:
    new = log.record(found, annotator)
    log.add(new)
    return new


def state(log: AnnotationEvents) -> State:
    return fold(log.by_sample[SAMPLE])[SAMPLE]


def test_an_annotation_makes_one_event_and_no_second(task: dict[str, Any]) -> None:
    log = event_log()
    (event,) = record(log, reading(task, "approve"))
    assert (event.sample_id, event.revision, event.annotator, event.client) == (SAMPLE, 0, "hoa", "label-studio")
    assert event.time == "2026-11-22T10:00:00.123+00:00"
    assert record(log, reading(task, "approve")) == []
    assert record(event_log(event), reading(task, "approve")) == [], "another clone, that has the log"
    assert record(log, reading(task, "approve", at="12:00:00")) == [], "saved again with nothing changed"


def test_an_annotation_saved_again_undoes_the_old_event(task: dict[str, Any]) -> None:
    log = event_log()
    (first,) = record(log, reading(task, "rewrite", replies=["Ta lên núi!", "Nhanh!"]))
    undo, second = record(log, reading(task, "rewrite", at="11:00:00", replies=["Ta lên núi!", "Nhanh lên!"]))
    assert (undo.verdict, undo.reason) == ("undo", first.id)
    assert state(log).revision == 1 and state(log).conflicts == ()
    assert state(log).messages == second.messages


def test_a_verdict_on_a_replaced_revision_is_a_conflict_whenever_it_was_saved(task: dict[str, Any]) -> None:
    rewrite = desk("d1", "rewrite", "11:00:00", messages=NEW)
    log = event_log(rewrite)
    (event,) = record(log, reading(task, "rewrite", at="09:00:00", replies=["Khác!", "Khác!"]))
    assert state(log).messages == NEW, "the text of the desk stands"
    assert state(log).conflicts == (event.id,)


def test_an_edit_that_others_have_built_upon_is_a_conflict_and_undoes_nothing(task: dict[str, Any]) -> None:
    log = event_log()
    (first,) = record(log, reading(task, "rewrite", replies=["Ta lên núi!", "Nhanh!"]))
    log.add([desk("d1", "approve", "11:00:00", revision=1)])
    (second,) = record(log, reading(task, "reject", at="12:00:00"))
    assert state(log).messages == first.messages and state(log).status == "approved"
    assert state(log).conflicts == (second.id,)
    assert log.built_upon(first) == "minh"


def test_a_verdict_that_an_adjudicator_dismissed_stays_dismissed(task: dict[str, Any]) -> None:
    log = event_log()
    (event,) = record(log, reading(task, "approve"))
    log.add([replace(desk("d1", "undo", "11:00:00"), reason=event.id)])
    assert record(log, reading(task, "approve")) == []
    assert log.stands((7, 11)) is None


def test_a_verdict_undone_and_given_again_counts_again(task: dict[str, Any]) -> None:
    log = event_log()
    first = reading(task, "approve")
    (event,) = record(log, first)
    log.add(log.undo(event, first.time))
    assert state(log).status == "pending"
    assert log.undo(event, first.time) == []
    assert len(record(log, reading(task, "approve", at="12:00:00"))) == 1
    assert state(log).status == "approved"


def test_samples_for_a_panel_are_voted_on(task: dict[str, Any]) -> None:
    log = event_log(review=Review(overlap=1.0, annotators=2))
    record(log, reading(task, "approve"))
    assert state(log).status == "pending"
    other = read(task, annotation(task, "reject") | {"id": 12}, "deadbeef")
    assert isinstance(other, Reading)
    record(log, other, "minh")
    assert state(log).disputed


def test_two_verdicts_on_one_revision_that_disagree_are_a_conflict(task: dict[str, Any]) -> None:
    log = event_log(desk("d1", "approve", "11:00:00"))
    (event,) = record(log, reading(task, "reject", at="09:00:00"))
    assert state(log).status == "approved", "the desk's verdict stands"
    assert state(log).conflicts == (event.id,)
