"""persona.toml's ``[review]`` table, through the user's door: commands, the desk, Label Studio. Nothing is patched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from annotations.words import say
from curation.contracts.manifest import read_manifest
from inosuke import cli
from tests.annotations.labelstudio.fake_server import FakeLabelStudio, running
from tests.annotations.labelstudio.project import Annotator
from tests.annotations.ui.desk_page import open_desk, opened, page, press, sign_in

PERSONA = """
name = "Inosuke"
languages = ["vi"]
system_prompt = "Ngươi là Inosuke."

[[sources]]
path = "lines"
rights = "own"
"""
REVIEW = """
[review]
overlap = 1.0
annotators = 2
"""
LINES = (
    ("Ngươi đi đâu đấy?", "Ta lên núi! Đừng có cản đường ta!"),
    ("Tối nay ăn gì?", "Cơm cuộn tempura! Mười phần, mau lên!"),
    ("Trời mưa rồi kìa.", "Mưa thì đã sao, ta vẫn chạy nhanh nhất rừng!"),
)


class Project:
    """A project folder, used through its commands."""

    def __init__(self, root: Path) -> None:
        self.persona = root / "persona.toml"
        self.review(REVIEW)
        (root / "lines").mkdir()
        rows = [
            {"messages": [{"role": "user", "content": ask}, {"role": "assistant", "content": reply}]}
            for ask, reply in LINES
        ]
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        (root / "lines" / "lines.jsonl").write_text(text, encoding="utf-8")

    def review(self, table: str) -> None:
        """Write persona.toml with this ``[review]`` table."""
        self.persona.write_text(PERSONA + table, encoding="utf-8")

    def run(self, *arguments: str) -> Any:
        """Run `inosuke … --json` and return what it prints."""
        result = CliRunner().invoke(cli, [*arguments, "--json", "--persona", str(self.persona)])
        assert result.exit_code == 0, (result.output, result.exception)
        return json.loads(result.stdout)

    def statuses(self) -> dict[str, int]:
        found: dict[str, int] = self.run("review", "status")["kinds"]["conversation"]
        return found


@pytest.fixture
def project(desk_folder: Path) -> Project:
    made = Project(desk_folder)
    made.run("dataset")
    return made


def test_two_annotators_judge_blind_and_an_adjudicator_settles_their_dispute(project: Project) -> None:
    an, binh = sign_in("An"), sign_in("Bình")
    assert opened(an) == opened(binh), "both members of a panel get the first sample"
    first = opened(an)
    assert "2 annotators judge this sample, blind to each other." in page(an)

    press(an, "Approve")
    assert project.statuses() == {"pending": 3}, "one verdict of two decides nothing"
    seen = page(open_desk("Bình", view="history", sample=first))
    assert "Hidden until the whole panel has judged" in seen and "An ·" not in seen
    press(binh, "Reject")
    press(binh, "Makes no sense")
    assert project.statuses() == {"disputed": 1, "pending": 2}

    second = opened(an)
    assert opened(binh) == second
    press(an, "Approve")
    press(binh, "Approve")
    assert project.statuses() == {"approved": 1, "disputed": 1, "pending": 1}
    assert project.run("review", "status")["annotators"] == {"An": 2, "Bình": 2}

    figures = open_desk("An", view="dashboard").dataframe[-2].value
    assert list(figures["n"]) == [2, 2] and list(figures["%"]) == ["50%", "50%"]

    off = open_desk("An", view="adjudication")
    assert all(b.disabled for b in off.button if b.label.startswith("Follow"))
    project.run("review", "annotator", "Dung", "--role", "adjudicator")
    press(open_desk("Dung", view="adjudication"), "Follow Bình")
    assert project.statuses() == {"approved": 1, "rejected": 1, "pending": 1}

    lines = (project.persona.parent / "datasets" / "decisions.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line).get("panel", 1) for line in lines] == [2, 2, 2, 2, 1]
    built = project.run("dataset")
    assert (built["approved"], built["awaiting_review"]) == (1, 1)
    on_the_card = read_manifest(Path(built["path"])).review.agreement
    assert on_the_card is not None
    assert (on_the_card.samples, on_the_card.share) == (2, 0.5), "the card has the dashboard's figures"


def test_a_third_annotator_is_not_asked(project: Project) -> None:
    an, binh = sign_in("An"), sign_in("Bình")
    assert opened(an) == opened(binh)
    chi = sign_in("Chi")
    assert opened(chi) != opened(an)
    press(an, "Approve")
    assert opened(an) == opened(chi), "Chi's sample has room for one more"
    dung = sign_in("Dung")
    assert opened(dung) not in (opened(binh), opened(chi))


def test_without_the_table_one_verdict_decides(project: Project) -> None:
    project.review("")
    an, binh = sign_in("An"), sign_in("Bình")
    assert opened(an) != opened(binh), "a sample is leased to one annotator"
    press(an, "Approve")
    assert project.statuses() == {"approved": 1, "pending": 2}


def test_a_vote_given_under_an_earlier_table_still_waits_for_its_second(project: Project) -> None:
    an = sign_in("An")
    first = opened(an)
    press(an, "Approve")
    project.review("")
    assert project.statuses() == {"pending": 3}
    binh = sign_in("Bình")
    assert opened(binh) == first and "blind to each other" in page(binh)
    press(binh, "Approve")
    assert project.statuses() == {"approved": 1, "pending": 2}
    press(binh, "Approve")
    assert project.statuses() == {"approved": 2, "pending": 1}, "the others follow the new table"


def test_a_decided_sample_is_not_opened_again_by_a_larger_overlap(project: Project) -> None:
    project.review("")
    press(sign_in("An"), "Approve")
    project.review(REVIEW)
    binh = sign_in("Bình")
    assert project.statuses() == {"approved": 1, "pending": 2}
    press(binh, "Approve")
    assert project.statuses() == {"approved": 1, "pending": 2}, "this one has a panel"


def test_label_studio_records_the_votes_of_a_panel(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(FakeLabelStudio("hoa@example.org", "minh@example.org")) as fake:
        monkeypatch.setenv("LABEL_STUDIO_URL", fake.url)
        monkeypatch.setenv("LABEL_STUDIO_API_KEY", "hoa@example.org")
        assert project.run("label-studio", "push")["new"] == 3
        hoa, minh = (Annotator(fake.url, user["email"]) for user in fake.users)
        tasks = list(hoa.tasks(1).values())
        assert all(say("blind", "vi", n=2) in t["data"]["about"] for t in tasks)
        hoa.submit(tasks[0], "approve")
        hoa.submit(tasks[1], "approve")
        assert project.run("label-studio", "pull")["new"] == 2
        assert project.statuses() == {"pending": 3}, "one verdict of two decides nothing"

        minh.submit(tasks[0], "reject", reasons=["no_sense"])
        minh.submit(tasks[1], "approve")
        assert project.run("label-studio", "pull")["conflicts"] == 1
        assert project.statuses() == {"approved": 1, "disputed": 1, "pending": 1}
        figures = open_dashboard()
        assert list(figures["n"]) == [2, 2]

        fake.tasks.clear()
        assert project.run("label-studio", "push")["new"] == 1, "neither the decided nor the disputed sample"


def open_dashboard() -> Any:
    sign_in("An")
    return open_desk("An", view="dashboard").dataframe[-2].value
