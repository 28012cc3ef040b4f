"""Keys at the desk, pressed as annotators press them. Each test is named after what the annotator did."""

from __future__ import annotations

import pytest

from tests.annotations.ui.desk_browser import changes_from, painted, shown

pytestmark = pytest.mark.browser


def test_typed_right_after_e(annotator):
    an = annotator()
    for pause in (0, 60, 120, 180, 250):
        one = painted(an.page)
        an.press("e")
        an.page.wait_for_timeout(pause)
        an.page.keyboard.type("anh sai", delay=20)
        assert an.page.evaluate("document.activeElement.value").endswith("anh sai")
        an.press("Escape")
        assert shown(an.page) == one
        assert an.kept(one)[0].endswith("anh sai")
        an.press("n")
        changes_from(an.page, one)
    an.sent()
    assert an.verdicts() == []


def test_typed_right_after_m_and_saved_with_enter(annotator):
    an = annotator()
    expected = []
    for pause in (0, 60, 150):
        one = painted(an.page)
        an.press("m")
        an.page.wait_for_timeout(pause)
        an.page.keyboard.type("anh sai as", delay=10)
        an.press("Enter")
        expected.append(("note", one, "anh sai as"))
        assert shown(an.page) == one
        painted(an.page)
        an.press("n")
        changes_from(an.page, one)
    an.sent()
    assert an.verdicts() == expected


def test_x_then_1_rejects_with_the_first_reason_however_fast(annotator):
    an = annotator()
    ids = []
    for gap in (400, 200, 120, 60, 20, 0):
        for _ in range(3):
            ids.append(painted(an.page))
            an.press("x", "1", gap=gap)
    an.sent()
    assert an.verdicts() == [("reject", one, "wrong_voice") for one in ids]


def test_the_reason_that_is_not_on_the_list_takes_text(annotator):
    an = annotator()
    one = painted(an.page)
    an.press("x", "7")
    an.page.keyboard.type("lời của sách")
    an.press("Enter")
    an.sent()
    assert an.verdicts() == [("reject", one, "other; lời của sách")]


def test_ten_times_a_makes_ten_verdicts_each_on_what_was_shown(annotator):
    an = annotator()
    ids = []
    for gap in (500, 100):
        for _ in range(10):
            ids.append(painted(an.page))
            an.press("a")
            an.page.wait_for_timeout(gap)
    an.sent()
    assert an.verdicts() == [("approve", one, "") for one in ids]
    assert len(set(ids)) == 20


def test_a_key_held_down_makes_one_verdict(annotator):
    an = annotator()
    one = painted(an.page)
    for _ in range(6):
        an.page.keyboard.down("a")  # Playwright repeats a key that is down
        an.page.wait_for_timeout(40)
    an.page.keyboard.up("a")
    an.sent()
    assert an.verdicts() == [("approve", one, "")]


def test_u_brings_back_one_verdict_after_another(annotator):
    an = annotator()
    first = painted(an.page)
    an.press("a")
    second = changes_from(an.page, first)
    painted(an.page)
    an.press("x", "2")
    changes_from(an.page, second)
    an.press("u")
    an.page.wait_for_function("(id) => document.querySelector('.stage-item').dataset.sample === id", arg=second)
    an.press("u")
    an.page.wait_for_function("(id) => document.querySelector('.stage-item').dataset.sample === id", arg=first)
    assert [v for v, _, _ in an.verdicts()] == ["approve", "reject", "undo", "undo"]
    assert [an.store.queue.item(one).status for one in (first, second)] == ["pending", "pending"]


def test_keys_after_a_click_on_a_radio_button_and_a_letter_in_a_filter(annotator):
    an = annotator()
    an.page.get_by_text("English", exact=True).click()
    one = painted(an.page)
    an.press("a")
    changes_from(an.page, one)
    an.sent()
    assert [v for v, _, _ in an.verdicts()] == ["approve"]
    an.page.get_by_role("textbox", name="Search the text").click()
    an.page.keyboard.type("as")
    an.page.wait_for_timeout(200)
    an.sent()
    assert [v for v, _, _ in an.verdicts()] == ["approve"]


def test_after_a_filter_is_chosen_the_keys_are_the_desk_s_again(annotator):
    an = annotator()
    an.page.get_by_label("Status").click()
    an.page.keyboard.type("all")
    an.press("Enter")
    an.page.wait_for_url("**status=all**")
    an.page.wait_for_function("document.activeElement.classList.contains('stage')")
    one = painted(an.page)
    an.press("a")
    an.page.wait_for_function("(id) => document.querySelector('.stage-item').dataset.sample !== id", arg=one)
    an.sent()
    assert an.verdicts() == [("approve", one, "")]


def test_letters_composed_by_an_input_method_are_text_and_its_enter_saves_nothing(annotator):
    an = annotator()
    one = painted(an.page)
    cdp = an.context.new_cdp_session(an.page)

    def compose(*steps: str) -> None:
        for text in steps:
            cdp.send("Input.imeSetComposition", {"text": text, "selectionStart": len(text), "selectionEnd": len(text)})
        cdp.send("Input.insertText", {"text": steps[-1]})

    compose("a", "â", "ấ")  # nothing has the focus that takes text
    assert an.verdicts() == []
    an.press("m")
    compose("a", "aa", "â")
    compose("s", "sa", "sá")
    key = {"type": "rawKeyDown", "key": "Process", "code": "Enter", "windowsVirtualKeyCode": 229}
    cdp.send("Input.dispatchKeyEvent", key)  # Enter that only ends a composition
    an.page.wait_for_timeout(100)
    assert an.verdicts() == []
    an.press("Enter")
    an.sent()
    assert an.verdicts() == [("note", one, "âsá")]


def test_a_layout_or_an_input_method_that_hides_the_letter(annotator):
    an = annotator()
    cdp = an.context.new_cdp_session(an.page)
    ids = []
    for key, virtual in (("ф", 65), ("Process", 229), ("ă", 65), ("A", 65)):
        ids.append(painted(an.page))
        pressed = {"type": "rawKeyDown", "key": key, "code": "KeyA", "windowsVirtualKeyCode": virtual}
        cdp.send("Input.dispatchKeyEvent", pressed)
        changes_from(an.page, ids[-1])
    an.sent()
    assert an.verdicts() == [("approve", one, "") for one in ids]


def test_a_with_another_key_is_not_a_verdict(annotator):
    an = annotator()
    one = painted(an.page)
    an.press("Control+a", "Alt+a", "Meta+a", "Shift+A")
    an.press("m", "Escape")  # handled after them
    an.sent()
    assert (an.verdicts(), shown(an.page)) == ([], one)


def test_a_colleague_s_verdict_is_overruled_only_by_a_second_press(annotator):
    an = annotator(status="all")
    one = painted(an.page)
    an.press("a")
    changes_from(an.page, one)
    an.sent()
    other = annotator(sample=one)
    painted(other.page)
    other.press("x", "1")
    other.page.get_by_text("has judged this").wait_for()
    assert other.verdicts() == []
    other.press("Escape", "x", "1", "1")
    changes_from(other.page, one)
    other.sent()
    assert other.verdicts() == [("reject", one, "wrong_voice")]


def test_the_next_sample_is_announced_the_focus_stays_and_the_page_names_its_language(annotator):
    an = annotator()
    one = painted(an.page)
    assert an.page.evaluate("document.documentElement.lang") == "en"
    an.press("a")
    changes_from(an.page, one)
    painted(an.page)
    told = an.page.locator(".stage-told").text_content()
    assert told.startswith("Approved") and "Ngươi đã leo" in told
    assert an.page.evaluate("document.activeElement.classList.contains('stage')")
    an.page.get_by_text("Tiếng Việt").click()
    an.page.wait_for_function("document.documentElement.lang === 'vi'")


HOLD_FRAMES = """() => {
  window.heldFrames = [];
  window.requestAnimationFrame = (callback) => window.heldFrames.push(callback);
}"""


@pytest.mark.parametrize(("key", "verdicts"), [("n", []), ("a", ["approve"]), ("s", ["skip"])])
def test_a_key_counts_while_the_same_sample_is_drawn_again(annotator, key, verdicts):
    an = annotator()
    one = painted(an.page)
    an.page.evaluate(HOLD_FRAMES)  # a busy machine: the next frame is late
    an.press("m")
    an.page.keyboard.type("hay")
    an.press("Enter")
    # The note is recorded, and the sample is drawn again with it.
    an.page.wait_for_function("window.heldFrames.length > 0")
    an.press(key)
    assert changes_from(an.page, one)
    an.sent()
    assert an.verdicts() == [("note", one, "hay"), *((verdict, one, "") for verdict in verdicts)]


def test_no_key_judges_a_new_sample_before_its_frame(annotator):
    an = annotator()
    one = painted(an.page)
    an.page.evaluate(HOLD_FRAMES)
    an.press("n")
    two = changes_from(an.page, one)
    an.press("a", "s")
    assert shown(an.page) == two
    an.page.evaluate("window.heldFrames.splice(0).forEach((callback) => callback())")
    an.page.evaluate("() => new Promise((done) => setTimeout(done, 30))")
    an.press("a")
    an.sent()
    assert an.verdicts() == [("approve", two, "")]
