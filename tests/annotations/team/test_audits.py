"""An audited corpus through the user's door: the command draws, two people read at the desk, the card states it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.annotations.team.conftest import Project, trusted_lines
from tests.annotations.ui.desk_page import open_desk, page, press, sign_in


@pytest.fixture
def corpus(project: Project) -> Project:
    project.write("trusted", trusted_lines(30))
    project.write("lines", [("Ngươi đi đâu đấy?", "Ta lên núi! Đừng có cản đường ta!")])
    assert project.run("dataset")["approved"] == 30
    return project


def card(project: Project) -> str:
    project.run("review", "sync")  # as `make dataset` does
    built = project.run("dataset")
    return (Path(built["path"]) / "README.md").read_text(encoding="utf-8")


def read_all(who: str, wrong: str = "") -> None:
    """Read every row at the desk; a row whose text holds ``wrong`` is called wrong."""
    app = open_desk(who, view="audit")
    while "left for you" in page(app):
        if wrong and wrong in page(app):
            press(app, "Wrong")
            press(app, "Another speaker's line")
        else:
            press(app, "Right")
    assert "No row waits for you." in page(app)


def test_two_people_read_a_sample_and_the_card_states_the_bound(corpus: Project) -> None:
    drawn = corpus.run("review", "audit", "--sample", "10", "--seed", "1")["audits"][0]
    assert (drawn["drawn"], drawn["frame"], drawn["people"], drawn["open"]) == (10, 30, 2, 10)
    sign_in("An")
    sign_in("Bình")
    app = open_desk("An", view="audit")
    shown = page(app)
    assert "10 rows left for you" in shown
    assert not re.search(r"approved|tác giả|trusted|lines\.jsonl", shown), "nothing tells how the row was approved"

    read_all("An")
    halfway = corpus.call("review", "audit").output
    assert "0 of 10 rows read" in halfway and "10 wait for a reader" in halfway
    assert "Audited" not in card(corpus), "an unfinished audit is no figure"
    read_all("Bình")

    said = "10 of 30 rows read by two people, 0 wrong: at most 25.9% with 95% confidence"
    assert corpus.call("review", "audit").output.strip() == said
    assert f"**Audited**: {said}." in card(corpus)
    assert corpus.run("review", "status")["kinds"]["conversation"] == {"approved": 30, "pending": 1}
    assert corpus.run("dataset")["approved"] == 30, "answers change no sample"


def test_a_dispute_counts_as_wrong_until_an_adjudicator_settles_it(corpus: Project) -> None:
    corpus.run("review", "audit", "--sample", "10")
    sign_in("An")
    sign_in("Bình")
    store = corpus.store()
    text = store.queue.item(_rows(corpus)[0]).messages[-1].content
    store.close()
    read_all("An", wrong=text)
    read_all("Bình")
    figures = corpus.run("review", "audit")
    assert (figures["audits"][0]["wrong"], figures["audits"][0]["disputed"]) == (1, 1)
    assert "disagree on 1, which count as wrong until an adjudicator settles" in card(corpus)
    assert figures["found_wrong"] == [{"id": _rows(corpus)[0], "disputed": True, "reasons": ["wrong_speaker"]}]

    assert "Found wrong" not in page(open_desk("An", view="audit")), "an annotator does not see the others' answers"
    corpus.run("review", "annotator", "Dung", "--role", "adjudicator")
    press(open_desk("Dung", view="audit"), "Count it as right")
    assert corpus.run("review", "audit")["audits"][0]["wrong"] == 0


def test_a_row_found_wrong_is_rejected_by_a_person_and_still_counts(corpus: Project) -> None:
    corpus.run("review", "audit", "--sample", "10")
    sign_in("An")
    sign_in("Bình")
    row = _rows(corpus)[3]
    store = corpus.store()
    text = store.queue.item(row).messages[-1].content
    for who in ("An", "Bình"):
        read_all(who, wrong=text)
    assert store.queue.item(row).status == "approved", "two answers reject nothing"
    corpus.run("review", "annotator", "Dung", "--role", "adjudicator")
    press(open_desk("Dung", view="audit"), "Reject")
    assert (store.queue.item(row).status, store.queue.item(row).state.reason) == ("rejected", "wrong_speaker")
    store.close()
    figures = corpus.run("review", "audit")
    assert (figures["audits"][0]["wrong"], figures["audits"][0]["read"], figures["found_wrong"]) == (1, 10, [])
    text = card(corpus)
    assert "10 of 30 rows read by two people, 1 wrong" in text
    assert "counts as wrong even where it has been corrected since" in text


def test_rows_that_change_before_they_are_read_are_left_out_and_counted(corpus: Project) -> None:
    corpus.run("review", "audit", "--sample", "10")
    sign_in("An")
    sign_in("Bình")
    store = corpus.store()
    item = store.queue.item(_rows(corpus)[0])
    store.decide(item.id, "Chi", "reject", revision=0, reason="no_sense")
    store.close()
    read_all("An")
    read_all("Bình")
    figures = corpus.run("review", "audit")["audits"][0]
    assert (figures["read"], figures["changed"], figures["open"]) == (9, 1, 0)
    text = card(corpus)
    assert "9 of 30 rows read by two people" in text and "1 of the drawn rows have changed since" in text


def test_lines_that_come_after_the_draw_are_not_covered(corpus: Project) -> None:
    corpus.run("review", "audit", "--sample", "10", "--people", "1")
    sign_in("An")
    read_all("An")
    corpus.write("trusted", trusted_lines(34)[30:], name="more.jsonl")
    text = card(corpus)
    assert "10 of 30 rows read by one person" in text
    assert "does not cover 4 rows that could not be drawn" in text


def test_the_same_draw_again_is_the_same_audit_and_another_one_waits(corpus: Project) -> None:
    first = corpus.run("review", "audit", "--sample", "10", "--seed", "7")
    assert corpus.run("review", "audit", "--sample", "10", "--seed", "7") == first
    refused = corpus.call("review", "audit", "--sample", "10", "--seed", "8")
    assert refused.exit_code == 1
    assert "is not finished" in str(refused.exception)


def test_nothing_that_was_approved_by_trust_is_nothing_to_audit(corpus: Project) -> None:
    refused = corpus.call("review", "audit", "--sample", "10", "--source", "lines")
    assert (refused.exit_code, "approved by trust" in str(refused.exception)) == (1, True)


def test_an_answer_is_withdrawn_by_undo(corpus: Project) -> None:
    corpus.run("review", "audit", "--sample", "3")
    sign_in("An")
    app = press(open_desk("An", view="audit"), "Right")
    assert "2 rows left for you" in page(app)
    assert "3 rows left for you" in page(press(app, "Undo"))


def test_audits_of_two_clones_merge_by_union(corpus: Project, tmp_path: Path) -> None:
    corpus.run("review", "audit", "--sample", "5")
    file = corpus.root / "datasets" / "audits.jsonl"
    drawn = file.read_text(encoding="utf-8")
    sign_in("An")
    read_all("An")
    corpus.run("review", "sync")
    mine = file.read_text(encoding="utf-8").splitlines()
    # The other clone: the same draw, Bình's answers. git leaves markers where a file has no merge driver.
    theirs = [line.replace('"An"', '"Bình"').replace('"id": "', '"id": "b') for line in mine[1:]]
    merged = ["not json", *drawn.splitlines(), "<<<<<<< ours", *mine[1:], "=======", *theirs, ">>>>>>> theirs"]
    file.write_text("\n".join(merged) + "\n", encoding="utf-8")
    result = corpus.call("review", "sync")
    assert "1 lines hold no record" in result.output
    assert corpus.run("review", "audit")["audits"][0]["read"] == 5
    assert file.read_text(encoding="utf-8").splitlines()[-1] == "not json", "what is damaged stays"
    before = file.read_bytes()
    corpus.run("review", "sync")
    assert file.read_bytes() == before


def _rows(project: Project) -> list[str]:
    from annotations.team.audits import Audits

    store = project.store()
    rows = [row.id for row in Audits(store).all()[0].rows]
    store.close()
    return rows
