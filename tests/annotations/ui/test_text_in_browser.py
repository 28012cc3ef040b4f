"""Typed text at the desk: whatever happens to the tab, the server or the connection, it is there afterwards."""

from __future__ import annotations

import pytest

from curation.record import Message
from tests.annotations.ui.desk_browser import TIMEOUT_MS, changes_from, painted, shown, until

pytestmark = pytest.mark.browser

LINE = "Lên núi rồi! Đứa nào dám cản đường ta thì bước ra đây!"


def editing(page) -> str:
    """Return the text of the field that has the focus."""
    return page.evaluate("document.activeElement.value ?? ''")


def on_the_server(an, sample: str) -> str:
    draft = an.store.drafts.get(sample, an.who)
    return "" if draft is None else draft.messages[-1].content


def test_while_typing_goes_on_the_server_has_the_text(annotator):
    an = annotator()
    one = painted(an.page)
    an.press("e")
    an.page.keyboard.press("Control+A")
    saved = []
    for letter in LINE * 2:
        an.page.keyboard.type(letter)
        an.page.wait_for_timeout(60)  # no pause is as long as the one that saving waits for
        saved.append(on_the_server(an, one))
    assert an.kept(one) == [LINE * 2]
    assert len({text for text in saved if text}) > 2, "nothing was saved before the last letter"
    until(an, lambda: on_the_server(an, one) == LINE * 2)


def test_the_tab_is_closed_in_the_middle_of_a_word(annotator):
    an = annotator()
    one = painted(an.page)
    an.press("e")
    an.page.keyboard.press("Control+A")
    an.page.keyboard.type(LINE)
    an.page.close()
    an.page = an.open(sample=one)
    an.press("e")
    assert editing(an.page) == LINE


def test_the_server_is_killed_and_started_again_while_the_annotator_types(annotator, desk):
    server, _ = desk
    an = annotator()
    one = painted(an.page)
    an.press("e")
    an.page.keyboard.press("Control+A")
    an.page.keyboard.type(LINE[:20], delay=20)
    server.kill()
    an.page.keyboard.type(LINE[20:], delay=150)
    an.page.locator(".stage-link", has_text="No connection").wait_for()
    assert an.kept(one) == [LINE]
    server.start()
    until(an, lambda: on_the_server(an, one) == LINE)
    assert editing(an.page) == LINE
    an.press("Control+Enter")
    changes_from(an.page, one)
    an.sent()
    assert an.store.queue.item(one).messages[-1].content == LINE
    assert (on_the_server(an, one), an.kept(one)) == ("", [])


def test_verdicts_without_a_connection_are_kept_said_and_sent_in_order(annotator):
    an = annotator()
    ids = [painted(an.page)]
    an.context.set_offline(True)
    an.press("a")
    ids.append(changes_from(an.page, ids[0]))
    painted(an.page)
    an.press("x", "2")
    changes_from(an.page, ids[1])
    an.page.locator(".stage-link", has_text="2 verdicts").wait_for()
    assert an.verdicts() == []
    an.context.set_offline(False)
    an.sent()
    assert an.verdicts() == [("approve", ids[0], ""), ("reject", ids[1], "wrong_speaker")]
    an.page.locator(".stage-link", has_text="No connection").wait_for(state="hidden")


def test_the_page_is_closed_with_a_verdict_unsent_and_opened_again(annotator):
    an = annotator()
    one = painted(an.page)
    an.page.route("**/desk/verdict", lambda route: route.abort())
    an.press("a")
    changes_from(an.page, one)
    an.page.close()
    assert an.verdicts() == []
    an.page = an.open()
    until(an, lambda: an.verdicts() == [("approve", one, "")])


def test_an_answer_that_is_lost_makes_no_second_verdict(annotator):
    an = annotator()
    one = painted(an.page)
    lost = []

    def lose(route) -> None:
        event = route.request.post_data_json["event_id"]
        lost.append((event, route.fetch(timeout=TIMEOUT_MS).status))  # the server records it
        route.abort()

    an.page.route("**/desk/verdict", lose, times=1)
    an.press("a")
    changes_from(an.page, one)
    until(an, lambda: lost)  # a busy machine: the page may give up and send again before the first answer is here
    an.sent()
    [(event, status)] = lost
    assert status == 200
    assert [(e.id, e.verdict) for e in an.store.log.history(one)] == [(event, "approve")]


def test_esc_then_a_keeps_the_draft_and_u_brings_it_back(annotator):
    an = annotator()
    one = painted(an.page)
    an.press("e")
    an.page.keyboard.press("Control+A")
    an.page.keyboard.type(LINE)
    an.press("Escape")
    an.page.get_by_text("Your draft").wait_for()
    an.press("a")
    changes_from(an.page, one)
    an.sent()
    assert on_the_server(an, one) == LINE
    painted(an.page)
    an.press("u")
    an.page.wait_for_function("(id) => document.querySelector('.stage-item').dataset.sample === id", arg=one)
    painted(an.page)
    an.press("e")
    assert editing(an.page) == LINE
    an.press("Escape", "s")
    changes_from(an.page, one)
    an.sent()
    assert on_the_server(an, one) == LINE


def test_discarding_asks_and_u_takes_it_back(annotator):
    an = annotator()
    one = painted(an.page)
    an.press("e")
    an.page.keyboard.press("Control+A")
    an.page.keyboard.type(LINE)
    an.page.get_by_role("button", name="Discard the draft").click()
    an.page.get_by_role("button", name="Yes").click()
    an.page.get_by_text("Draft discarded").wait_for()
    assert on_the_server(an, one) == ""
    an.press("u")
    until(an, lambda: on_the_server(an, one) == LINE)
    an.press("e")
    assert editing(an.page) == LINE


def test_a_second_tab_overwrites_nothing_and_both_texts_can_be_chosen(annotator):
    an = annotator()
    one = painted(an.page)
    other = an.open(sample=one)
    an.page.bring_to_front()
    an.press("e")
    an.page.keyboard.press("Control+A")
    an.page.keyboard.type("Ở thẻ thứ nhất.")
    until(an, lambda: on_the_server(an, one) == "Ở thẻ thứ nhất.")
    other.bring_to_front()
    other.keyboard.press("e")
    other.keyboard.press("Control+A")
    other.keyboard.type("Ở thẻ thứ hai.")
    other.locator(".stage-alerts", has_text="in another tab").wait_for()
    assert editing(other) == "Ở thẻ thứ hai."
    assert on_the_server(an, one) == "Ở thẻ thứ nhất."
    other.get_by_role("button", name="Choose the text to keep").click()
    other.locator(".stage-choice", has_text="Ở thẻ thứ nhất.").wait_for()
    assert "Ở thẻ thứ hai." in other.locator(".stage-choice").text_content()
    other.get_by_role("button", name="Keep the one here").click()
    until(an, lambda: on_the_server(an, one) == "Ở thẻ thứ hai.")


def test_a_second_tab_that_saves_too_late_is_told_and_keeps_its_text(annotator):
    an = annotator()
    one = painted(an.page)
    other = an.open(sample=one)
    other.route("**/desk/draft", lambda route: route.abort())
    other.keyboard.press("e")
    other.keyboard.press("Control+A")
    other.keyboard.type("Bản thứ hai.")
    an.page.bring_to_front()
    an.press("a")
    changes_from(an.page, one)
    an.sent()
    other.bring_to_front()
    other.keyboard.press("Control+Enter")
    alert = other.locator(".stage-alerts .notice", has_text="in another tab")
    alert.wait_for()
    assert [v for v, _, _ in an.verdicts()] == ["approve"]
    other.unroute("**/desk/draft")
    alert.get_by_role("button", name="Open this one").click()
    other.wait_for_function("(id) => document.querySelector('.stage-item').dataset.sample === id", arg=one)
    painted(other)
    other.keyboard.press("e")
    assert editing(other) == "Bản thứ hai."


def test_ctrl_enter_with_an_empty_turn_is_explained_where_the_annotator_looks(annotator):
    an = annotator()
    one = painted(an.page)
    an.press("e")
    an.page.keyboard.press("Control+A")
    an.page.keyboard.press("Delete")
    an.press("Control+Enter")
    an.page.get_by_role("alert").get_by_text("A turn is empty.").wait_for()
    assert shown(an.page) == one
    an.page.keyboard.type(LINE)
    an.press("Control+Enter")
    changes_from(an.page, one)
    an.sent()
    assert an.store.queue.item(one).messages[-1].content == LINE


def test_a_database_that_cannot_be_written_says_so_and_no_character_is_lost(annotator):
    an = annotator()
    one = painted(an.page)
    # A trigger that refuses, as a full disk does: a file's permissions do not stop the superuser.
    with an.store.engine.begin() as connection:
        for table, when in (("drafts", "INSERT"), ("drafts", "UPDATE"), ("events", "INSERT")):
            connection.exec_driver_sql(
                f"CREATE TRIGGER full_{table}_{when} BEFORE {when} ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"
            )
    an.press("e")
    an.page.keyboard.press("Control+A")
    an.page.keyboard.type(LINE)
    an.page.get_by_role("alert").get_by_text("The disk is full").wait_for()
    an.press("Control+Enter")
    second = changes_from(an.page, one)
    assert an.kept(one) == [LINE]
    with an.store.engine.begin() as connection:
        for name in ("full_drafts_INSERT", "full_drafts_UPDATE", "full_events_INSERT"):
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
    an.sent()
    assert an.store.queue.item(one).messages[-1].content == LINE
    assert second is not None
    an.page.wait_for_function("!document.querySelector('.stage-alerts').textContent.includes('disk is full')")


def test_speakers_have_names_and_an_added_turn_has_the_focus(annotator):
    an = annotator()
    one = painted(an.page)
    an.press("e")
    an.page.get_by_label("Speaker of turn 1").fill("Tanjiro")
    an.page.get_by_role("button", name="Add a turn").click()
    assert an.page.evaluate("document.activeElement.ariaLabel") == "Text of turn 3"
    an.page.keyboard.type("Đi đâu?")
    an.page.get_by_role("button", name="Up 3").click()
    an.page.get_by_label("Role of turn 2").select_option("user")
    an.press("Control+Enter")
    changes_from(an.page, one)
    an.sent()
    turns = an.store.queue.item(one).messages
    imported = an.store.queue.item(one).sample.messages
    assert turns == (Message("user", imported[0].content, "Tanjiro"), Message("user", "Đi đâu?"), imported[1])


def test_the_browser_keeps_nothing_and_says_so_once(annotator):
    an = annotator()
    one = painted(an.page)
    full = "throw new DOMException('full', 'QuotaExceededError')"
    an.page.evaluate(f"() => {{ Storage.prototype.setItem = () => {{ {full}; }}; }}")
    an.press("e")
    an.page.keyboard.press("Control+A")
    an.page.keyboard.type(LINE)
    assert an.page.get_by_role("alert").get_by_text("The browser keeps nothing").count() == 1
    until(an, lambda: on_the_server(an, one) == LINE)
    an.press("Control+Enter")
    changes_from(an.page, one)
    until(an, lambda: an.store.queue.item(one).messages[-1].content == LINE)
