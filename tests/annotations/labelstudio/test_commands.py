"""The commands against a Label Studio in memory: which tasks they send and close, and which events they write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from annotations.commands.label_studio import label_studio
from annotations.store.queries import Filters
from annotations.words import explain_reason, say
from curation.record import Flag, Message
from curation.review.decisions import Decision
from tests.annotations.labelstudio.fake_server import FakeLabelStudio, running
from tests.annotations.labelstudio.project import SCENE, Annotator, Desk, item

LATER = "2026-11-22T11:00:00+00:00"


@dataclass
class Team:
    """A project folder, a server, and two annotators there."""

    desk: Desk
    fake: FakeLabelStudio
    hoa: Annotator
    minh: Annotator

    def run(self, *arguments: str) -> Any:
        """Run `inosuke label-studio … --json` and return what it prints."""
        done = self.text(*arguments, "--json")
        return json.loads(done)

    def text(self, *arguments: str) -> str:
        options = ["--persona", str(self.desk.root / "persona.toml")]
        environment = {"LABEL_STUDIO_URL": self.fake.url, "LABEL_STUDIO_API_KEY": "hoa@example.org", "REVIEW_DB": ""}
        run = CliRunner().invoke(label_studio, [*arguments, *options], env=environment)
        assert run.exit_code == 0, (run.output, run.exception)
        return run.output

    def persona(self, old: str, new: str) -> None:
        """Change persona.toml."""
        path = self.desk.root / "persona.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def events(self, sample: str) -> list[Decision]:
        return self.desk.store.log.history(sample)

    def status(self, sample: str) -> str:
        return self.desk.store.queue.item(sample).status

    def conflicts(self) -> int:
        return self.desk.store.queue.count("minh", Filters(status="conflict"))

    @property
    def ids(self) -> list[str]:
        return [i.sample.id for i in self.desk.items]


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    items = [item(0, SCENE, flags=(Flag("possible_speaker", "Zenitsu?"),)), *(item(n) for n in range(1, 6))]
    desk = Desk(tmp_path / "project", items)
    with running(FakeLabelStudio("hoa@example.org", "minh@example.org")) as fake:
        yield Team(desk, fake, Annotator(fake.url, "hoa@example.org"), Annotator(fake.url, "minh@example.org"))
    desk.store.close()


# ---------------------------------------------------------------- the project


def test_a_changed_persona_reaches_the_instructions_and_nothing_else(team: Team) -> None:
    team.run("push")
    team.run("push")
    assert team.fake.updates == [], "nothing differs"
    team.persona("max_reply_chars = 400", "max_reply_chars = 77")
    team.run("push")
    (change,) = team.fake.updates
    assert set(change) == {"expert_instruction", "show_instruction"}
    assert say("ls_length", "vi", n=77) in change["expert_instruction"]


def test_guidelines_are_shown_with_their_version_and_a_verdict_records_it(team: Team) -> None:
    file = team.desk.root / "docs" / "guidelines.md"
    file.parent.mkdir()
    file.write_text("# Giọng\n\n- Xưng <ta>\n- Gọi ngươi\n\nNói to.\n", encoding="utf-8")
    team.run("push")
    told = team.fake.projects[0]["expert_instruction"]
    assert "<h1>Giọng</h1>" in told and "<li>Xưng &lt;ta&gt;</li>" in told and "<p>Nói to.</p>" in told
    team.hoa.submit(team.hoa.tasks(1)[team.ids[1]], "approve")
    team.run("pull")
    (event,) = team.events(team.ids[1])
    assert event.guidelines and event.guidelines in told
    file.write_text("Nói nhỏ.\n", encoding="utf-8")
    team.run("push")
    assert "Nói nhỏ." in team.fake.projects[0]["expert_instruction"]
    assert event.guidelines not in team.fake.projects[0]["expert_instruction"]


def test_the_page_speaks_the_personas_first_language_or_the_one_that_is_asked_for(team: Team) -> None:
    team.run("push")
    assert "Nghe có giống Inosuke không?" in team.fake.projects[0]["label_config"]
    team.run("push", "--language", "en")
    assert "Does this sound like Inosuke?" in team.fake.projects[0]["label_config"]
    team.run("push")
    assert "Does this sound like Inosuke?" in team.fake.projects[0]["label_config"], "the page keeps its language"


def test_the_personas_own_reasons_are_on_the_page_and_stay_there(team: Team) -> None:
    team.persona("[review]\n", '[review]\nreasons = { too_soft = { vi = "Quá hiền", en = "Too soft" } }\n')
    team.run("push")
    page = team.fake.projects[0]["label_config"]
    assert '<Choice value="Quá hiền" alias="too_soft" hotkey="8"' in page
    team.hoa.submit(team.hoa.tasks(1)[team.ids[1]], "reject", reasons=["too_soft", "no_sense"])
    team.run("pull")
    assert team.events(team.ids[1])[0].reason == "too_soft; no_sense"
    team.persona('reasons = { too_soft = { vi = "Quá hiền", en = "Too soft" } }\n', "")
    team.run("push")
    assert 'alias="too_soft"' in team.fake.projects[0]["label_config"], "an annotation uses it"


def test_a_renamed_persona_renames_its_project(team: Team) -> None:
    assert team.run("push")["created"]
    team.persona('name = "Inosuke"', 'name = "Zenitsu"')
    again = team.run("push")
    assert (again["created"], again["new"], again["already_there"]) == (False, 0, 6)
    assert [p["title"] for p in team.fake.projects] == ["Zenitsu · review"]


# ---------------------------------------------------------------- which samples


def test_a_team_splits_the_work_over_projects(team: Team) -> None:
    first = team.run("push", "--project", "A", "--limit", "2")
    assert (first["new"], first["elsewhere"]) == (2, {})
    assert team.run("push", "--project", "A", "--limit", "2")["new"] == 0, "two are open there"
    second = team.run("push", "--project", "B", "--limit", "3")
    assert (second["new"], second["elsewhere"]) == (3, {"A": 2})
    assert "2 samples are in the project 'A' too, so they were left out" in team.text("push", "--project", "B")
    both = team.run("status")
    assert [(p["title"], p["tasks_there"], p["to_push"]) for p in both["projects"]] == [("A", 2, 0), ("B", 4, 0)]
    assert both["shared"] == {}
    team.run("push", "--project", "B", "--twice")
    assert team.run("status")["shared"] == {"A + B": 2}
    assert "2 samples are in two projects: A + B" in team.text("status")

    a, b = ({t["data"]["sample_id"]: t for t in team.fake.tasks if t["project"] == p} for p in (1, 2))
    team.hoa.submit(next(iter(a.values())), "approve")
    team.minh.submit(next(t for sample, t in b.items() if sample not in a), "approve")
    pulled = team.run("pull")
    assert [(p["title"], p["new"]) for p in pulled["projects"]] == [("A", 1), ("B", 1)]
    assert team.run("pull", "--project", "B")["new"] == 0


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (["--kind", "conversation"], 6),
        (["--kind", "quote"], 0),
        (["--flag", "possible_speaker"], 1),
        (["--source", "doi-*.jsonl"], 6),
        (["--source", "loi-*.jsonl"], 0),
        (["--flag", "over_length", "--flag", "possible_speaker", "--limit", "5"], 1),
    ],
    ids=str,
)
def test_a_push_sends_what_is_selected(team: Team, options: list[str], sent: int) -> None:
    assert team.run("push", *options)["new"] == sent


def test_an_unknown_flag_is_an_error(team: Team) -> None:
    run = CliRunner().invoke(label_studio, ["push", "--flag", "nonsense"])
    assert "no such flag" in str(run.exception)


# ---------------------------------------------------------------- samples decided elsewhere


def test_tasks_of_samples_decided_at_the_desk_are_closed_and_come_back(team: Team) -> None:
    team.run("push")
    tasks = team.hoa.tasks(1)
    team.hoa.draft(tasks[team.ids[1]], "approve")
    team.minh.submit(tasks[team.ids[2]], "approve")  # not pulled yet
    for sample in team.ids[:3]:
        team.desk.store.decide(sample, "an", "reject", revision=0, reason="no_sense")
    assert team.run("status")["projects"][0]["to_close"] == 2
    pushed = team.run("push")
    assert (pushed["closed"], pushed["marked"], pushed["reopened"]) == (1, 1, 0)
    left = team.hoa.tasks(1)
    assert team.ids[0] not in left and len(left) == 5
    assert say("ls_decided", "vi", status=say("status_rejected", "vi")) in left[team.ids[1]]["data"]["about"]
    assert team.run("push") | {"project": ""} == pushed | {"project": "", "closed": 0, "marked": 0}, "once"

    for _ in range(3):
        team.desk.store.undo("an")
    again = team.run("push")
    assert (again["new"], again["reopened"]) == (1, 1)
    back = team.hoa.tasks(1)
    assert back[team.ids[1]]["data"]["about"] == tasks[team.ids[1]]["data"]["about"]
    assert back[team.ids[1]]["is_labeled"] is False


def test_a_task_whose_annotation_was_deleted_waits_for_the_pull_that_takes_the_verdict_back(team: Team) -> None:
    team.run("push")
    team.hoa.submit(team.hoa.tasks(1)[team.ids[1]], "approve")
    team.run("pull")
    task = next(t for t in team.fake.tasks if t["data"]["sample_id"] == team.ids[1])
    task["annotations"].clear()
    task |= {"total_annotations": 0, "is_labeled": False}
    assert team.run("push")["closed"] == 0
    assert team.run("pull")["undone"] == 1 and team.status(team.ids[1]) == "pending"


def test_a_request_for_a_rewrite_is_handed_to_another_annotator(team: Team) -> None:
    team.run("push")
    team.hoa.submit(team.hoa.tasks(1)[team.ids[1]], "rewrite")
    team.run("pull")
    (flag,) = team.events(team.ids[1])
    assert (flag.verdict, explain_reason(flag.reason, "en")) == ("flag", "Needs a rewrite")
    team.run("push")
    task = team.hoa.tasks(1)[team.ids[1]]
    assert (task["overlap"], task["is_labeled"]) == (2, False)


def test_a_task_sent_for_another_opinion_is_not_closed_and_differing_opinions_are_a_conflict(team: Team) -> None:
    team.desk.store.queue.load(team.desk.items)
    for sample in team.ids[:2]:
        team.desk.store.decide(sample, "an", "approve", revision=0)
    assert team.run("push", "--all")["new"] == 6
    assert team.run("push")["closed"] == 0
    tasks = team.hoa.tasks(1)
    team.hoa.submit(tasks[team.ids[0]], "reject", reasons=["no_sense"])
    team.hoa.submit(tasks[team.ids[1]], "approve")
    team.run("pull")
    assert (team.status(team.ids[0]), team.status(team.ids[1]), team.conflicts()) == ("approved", "approved", 1)


def test_a_verdict_that_did_not_see_the_desks_is_a_conflict_only_where_they_differ(team: Team) -> None:
    team.run("push")
    tasks = team.hoa.tasks(1)
    for sample in team.ids[:2]:
        team.desk.store.decide(sample, "an", "approve", revision=0)
    team.hoa.submit(tasks[team.ids[0]], "approve")
    team.hoa.submit(tasks[team.ids[1]], "reject", reasons=["no_sense"])
    assert team.run("pull")["conflicts"] == 1
    assert [e.after for e in team.events(team.ids[1]) if e.client == "label-studio"] == [""]
    assert team.conflicts() == 1 and team.status(team.ids[1]) == "approved"


def test_a_reopened_sample_is_judged_with_sight_of_what_was_there(team: Team) -> None:
    team.desk.store.queue.load(team.desk.items)
    team.desk.store.decide(team.ids[0], "an", "approve", revision=0)
    team.desk.store.undo("an")
    team.run("push")
    team.hoa.submit(team.hoa.tasks(1)[team.ids[0]], "reject", reasons=["no_sense"])
    team.run("pull")
    assert team.events(team.ids[0])[-1].after
    assert team.status(team.ids[0]) == "rejected" and team.conflicts() == 0


# ---------------------------------------------------------------- what an annotation says


def test_reasons_are_codes_and_the_note_is_an_event_of_its_own(team: Team) -> None:
    team.run("push")
    task = team.hoa.tasks(1)[team.ids[1]]
    number = team.hoa.submit(
        task, "reject", reasons=["not_his_voice", "no_sense"], notes="quá hiền; sửa", lead_time=12.34
    )
    pulled = team.run("pull")
    assert pulled["new"] == 1
    verdict, note = team.events(team.ids[1])
    assert (verdict.reason, verdict.seconds, note.verdict, note.reason) == (
        "wrong_voice; no_sense",
        12.3,
        "note",
        "quá hiền; sửa",
    )
    assert explain_reason(verdict.reason, "vi") == "Không giống giọng nhân vật; Vô nghĩa, thiếu ngữ cảnh"
    assert team.run("pull")["new"] == 0 and len(team.events(team.ids[1])) == 2

    said = team.fake.annotation(number)
    said["result"] = [r for r in said["result"] if r["from_name"] != "notes"]
    said["updated_at"] = LATER
    changed = team.run("pull")
    assert (changed["new"], changed["undone"]) == (1, 1)
    undone = {e.reason for e in team.events(team.ids[1]) if e.verdict == "undo"}
    assert undone == {verdict.id, note.id}


def test_names_and_lines_of_the_others_are_corrected_and_cleaned_as_at_the_desk(team: Team) -> None:
    team.run("push")
    lines = [("Nezuko\u200b", "Inosuke, ngươi đi\u00ad đâu đấy?"), ("", "Đợi tớ vơ\u0301i!")]
    team.hoa.submit(team.hoa.tasks(1)[team.ids[0]], "approve", lines=lines)
    team.run("pull")
    assert team.desk.store.queue.item(team.ids[0]).messages == (
        Message("user", "Inosuke, ngươi đi đâu đấy?", "Nezuko"),
        SCENE[1],
        Message("user", "Đợi tớ với!"),
        SCENE[3],
    )
    assert [e.verdict for e in team.events(team.ids[0])] == ["rewrite"]


def test_an_invisible_character_alone_is_no_rewrite(team: Team) -> None:
    team.run("push")
    team.hoa.submit(team.hoa.tasks(1)[team.ids[0]], "approve", replies=[f"{SCENE[1].content}\u200b", SCENE[3].content])
    team.run("pull")
    assert [e.verdict for e in team.events(team.ids[0])] == ["approve"]


# ---------------------------------------------------------------- reviewers (paid editions)


def test_an_annotation_that_a_reviewer_rejects_is_no_verdict_until_it_is_accepted(team: Team) -> None:
    team.run("push")
    number = team.hoa.submit(team.hoa.tasks(1)[team.ids[1]], "approve")
    said = team.fake.annotation(number)
    assert team.run("pull")["new"] == 1 and team.status(team.ids[1]) == "approved"

    said["reviews"] = [{"id": 1, "accepted": False, "created_at": LATER}]
    pulled = team.run("pull")
    assert (pulled["annotations"], pulled["rejected"], pulled["undone"]) == (0, 1, 1)
    assert team.status(team.ids[1]) == "pending"
    assert team.run("pull")["undone"] == 0
    assert "1 rejected by a reviewer" in team.text("pull")

    said["reviews"].append({"id": 2, "accepted": True, "created_at": "2026-11-22T12:00:00+00:00"})
    assert team.run("pull")["new"] == 1 and team.status(team.ids[1]) == "approved"
    said["reviews"].append({"id": 3, "accepted": False, "created_at": "2026-11-22T13:00:00+00:00"})
    assert team.run("pull")["undone"] == 1
    said |= {"last_action": "updated", "updated_at": "2026-11-22T14:00:00+00:00"}
    assert team.run("pull")["new"] == 1, "the annotator has corrected it since"


def test_a_rejected_annotation_that_was_never_pulled_makes_no_event(team: Team) -> None:
    team.run("push")
    number = team.hoa.submit(team.hoa.tasks(1)[team.ids[1]], "approve")
    team.fake.annotation(number)["last_action"] = "rejected"
    assert team.run("pull")["rejected"] == 1
    assert team.events(team.ids[1]) == []


def test_the_ground_truth_wins_whichever_came_first(team: Team) -> None:
    team.run("push")
    tasks = team.hoa.tasks(1)
    for place, gold in ((1, 0), (2, 1)):
        task = tasks[team.ids[place]]
        numbers = [team.hoa.submit(task, "approve"), team.minh.submit(task, "reject", reasons=["no_sense"])]
        team.fake.annotation(numbers[gold])["ground_truth"] = True
    team.run("pull")
    assert (team.status(team.ids[1]), team.status(team.ids[2])) == ("approved", "rejected")
    assert team.conflicts() == 0
    assert team.run("pull")["new"] == 0


def test_comments_become_notes_and_an_edition_without_them_is_fine(team: Team) -> None:
    team.run("push")
    number = team.hoa.submit(team.hoa.tasks(1)[team.ids[1]], "approve")
    team.fake.annotation(number)["comment_count"] = 1
    assert team.run("pull")["new"] == 1 and len(team.events(team.ids[1])) == 1
    comment = {"id": 5, "annotation": number, "text": "Hay!", "created_by": 2, "created_at": LATER}
    team.fake.comments = [comment]
    team.run("pull")
    team.run("pull")
    notes = [(e.annotator, e.reason) for e in team.events(team.ids[1]) if e.verdict == "note"]
    assert notes == [("minh@example.org", "Hay!")]
    comment["text"] = "Hay lắm!"
    team.run("pull")
    undone = {e.reason for e in team.events(team.ids[1]) if e.verdict == "undo"}
    assert [e.reason for e in team.events(team.ids[1]) if e.verdict == "note" and e.id not in undone] == ["Hay lắm!"]
    assert team.status(team.ids[1]) == "approved"
