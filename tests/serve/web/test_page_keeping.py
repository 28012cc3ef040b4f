"""Conversations in the browser: the list, its search, files out and in, older storage, two tabs."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.tools.chromium import act, menu, names, needs_chromium, open_conversation, reply_says, send, stored, turns

pytestmark = needs_chromium

KEY = "inosuke.conversation."
OLD = {
    "id": "00ff00ff00ff00ff",
    "title": "Hồi đó",
    "created": 1_700_000_000_000,
    "updated": 1_700_000_000_500,
    "messages": [
        {"role": "user", "content": "Chào"},
        {"role": "assistant", "content": "Hừ!", "state": "done"},
        {"role": "user", "content": "Kể nữa đi"},
        {"role": "assistant", "content": "Ta đang k", "state": "stopped", "dropped": 2},
    ],
}


def download(page, press):
    with page.expect_download() as waiting:
        press()
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_text(encoding="utf-8")


def offer(page, name, text):
    """Choose a file for import."""
    data = text if isinstance(text, bytes) else text.encode()
    page.set_input_files("#import-file", {"name": name, "mimeType": "text/plain", "buffer": data})


# Chromium counts small writes late, so that its own limit cannot be met here at a known moment.
FULL = """
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (...what) {
    if (sessionStorage.room && --sessionStorage.room < 0) throw new DOMException("no room", "QuotaExceededError");
    return put.apply(this, what);
  };"""


@pytest.fixture
def small(visit):
    """A page with one conversation in a browser without room for another."""
    page = visit()
    send(page, "một")
    stored(page)
    page.add_init_script(FULL)
    page.reload()
    page.wait_for_selector(".turn")
    page.evaluate("sessionStorage.room = 0")
    return page


def test_conversations_are_begun_named_switched_and_deleted(visit):
    page = visit()
    send(page, "một")
    page.click("#new")
    assert turns(page) == []
    send(page, "hai")
    assert names(page) == ["hai", "một"]
    menu(page, "hai", "Đổi tên")
    page.fill("#dialog-line", "Trận đấu")
    page.keyboard.press("Enter")
    expect(page.locator("#conversations .current .name")).to_have_text("Trận đấu")
    open_conversation(page, "một")
    expect(page.locator(".turn .text").first).to_have_text("một")
    menu(page, "một", "Xoá")
    page.click("#dialog-no")
    assert len(names(page)) == 2
    menu(page, "một", "Xoá")
    page.click("#dialog-yes")
    expect(page.locator("#conversations li")).to_have_count(1)
    expect(page.locator(".turn .text").first).to_have_text("hai")
    page.reload()
    page.wait_for_selector(".turn")
    assert names(page) == ["Trận đấu"]


def test_the_search_finds_words_of_every_branch_without_their_marks(visit):
    page = visit()
    send(page, "Chào")
    send(page, "Đấu với ta")
    act(page, 2, "Sửa")
    send(page, "Thôi vậy", wait=False)
    reply_says(page, "nói: Thôi vậy")
    page.click("#new")
    send(page, "Ăn gì chưa?")
    page.fill("#search", "dau voi")
    expect(page.locator("#conversations li")).to_have_count(1)
    assert page.locator("#conversations mark").inner_text() == "Đấu với"
    assert page.inner_text("#found") == "Tìm thấy 1 cuộc trò chuyện."
    page.locator("#conversations .open").click()
    expect(page.locator(".turn .text").nth(2)).to_have_text("Thôi vậy")
    page.fill("#search", "tempura")
    expect(page.locator("#found")).to_have_text("Không tìm thấy gì.")
    page.locator("#search").press("Escape")
    expect(page.locator("#conversations li")).to_have_count(2)


def test_json_goes_out_with_every_branch_and_comes_back_into_another_browser(visit):
    page = visit()
    send(page, "Ngươi là ai?")
    act(page, 1, "Trả lời lại")
    reply_says(page, "(2) Ngươi")
    name, text = download(page, lambda: menu(page, "Ngươi là ai?", "Tải về JSON (mọi nhánh)"))
    assert name == "Ngươi-là-ai.json"
    (saved,) = json.loads(text)["conversations"]
    assert [(n["role"], n["content"]) for n in saved["nodes"]] == [
        ("user", "Ngươi là ai?"),
        ("assistant", "Hừ! (1) Ngươi nói: Ngươi là ai?"),
        ("assistant", "Hừ! (2) Ngươi nói: Ngươi là ai?"),
    ]
    other = visit()
    offer(other, name, text)
    expect(other.locator("#toast")).to_have_text("Đã nhập 1 cuộc trò chuyện.")
    assert stored(other) == stored(page)
    act(other, 1, "Bản trước")
    assert turns(other)[1] == "Hừ! (1) Ngươi nói: Ngươi là ai?"


def test_all_conversations_go_into_one_file_and_importing_it_twice_changes_nothing(visit):
    page = visit()
    send(page, "một")
    page.click("#new")
    send(page, "hai")
    before = stored(page)
    name, text = download(page, lambda: page.click("#export-all"))
    assert name.startswith("Inosuke-") and len(json.loads(text)["conversations"]) == 2
    offer(page, name, text)
    expect(page.locator("#toast")).to_have_text("Đã nhập 2 cuộc trò chuyện.")
    assert stored(page) == before


def test_a_backup_brings_back_what_was_deleted_and_keeps_what_came_since(visit):
    page = visit()
    send(page, "một")
    _, text = download(page, lambda: page.click("#export-all"))
    send(page, "sau bản lưu")
    offer(page, "backup.json", text)
    expect(page.locator("#toast")).to_have_text("Đã nhập 1 cuộc trò chuyện.")
    assert turns(page)[2] == "sau bản lưu"
    menu(page, "một", "Xoá")
    page.click("#dialog-yes")
    expect(page.locator("#conversations li")).to_have_count(0)
    offer(page, "backup.json", text)
    expect(page.locator("#conversations li")).to_have_count(1)
    assert turns(page) == ["một", "Hừ! (1) Ngươi nói: một"]


def test_markdown_can_be_read_and_comes_back_word_for_word(visit):
    page = visit()
    said = "# không phải tiêu đề\n\n<b>\\ thô\n## Inosuke"
    page.fill("#input", said)
    page.keyboard.press("Enter")
    reply_says(page, "(1) Ngươi")
    name, text = download(page, lambda: menu(page, "# không", "Tải về Markdown (để đọc)"))
    assert name == "không-phải-tiêu-đề.md"
    assert text.splitlines()[:5] == [
        "# \\# không phải tiêu đề",
        "",
        "<!-- user: Bạn | assistant: Inosuke -->",
        "",
        "## Bạn",
    ]
    before = turns(page)
    other = visit()
    offer(other, name, text)
    expect(other.locator(".turn")).to_have_count(2)
    assert turns(other) == before
    assert names(other) == ["# không phải tiêu đề"]


NODE = {"id": "a1", "parent": None, "role": "user", "content": "x", "time": 1}
DAMAGED = {
    "empty": ("", "Tệp trống."),
    "cut": ('{"format": "inosuke-chat", "conversations": [{"nod', "không phải JSON trọn vẹn"),
    "binary": (b"\x89PNG\r\n\x1a\n\x00\xff", "không phải JSON trọn vẹn"),
    "other": ('{"name": "package"}', "Cuộc trò chuyện thứ 1 không có tin nhắn nào."),
    "none": ('{"conversations": []}', "Cuộc trò chuyện thứ 1 không có tin nhắn nào."),
    "null": ("null", "Cuộc trò chuyện thứ 1 không có tin nhắn nào."),
    "role": (json.dumps({"messages": [{"role": "system", "content": "x"}]}), "Cuộc trò chuyện thứ 1, tin nhắn thứ 1"),
    "orphan": (json.dumps({"nodes": [{**NODE, "parent": "zz"}]}), "tin nhắn thứ 1"),
    "twice": (json.dumps({"nodes": [NODE, NODE]}), "tin nhắn thứ 2"),
    "second": (json.dumps({"conversations": [OLD, {"nodes": [{**NODE, "content": 5}]}]}), "Cuộc trò chuyện thứ 2"),
    "newer": ('{"format": "inosuke-chat", "version": 9, "conversations": []}', "phiên bản 9, trang này chỉ biết tới 2"),
    "markdown": ("# Tên\n\n## Tanjiro\n\nxin chào", "Dòng 3 có tiêu đề “Tanjiro”"),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_file_gets_a_clear_message_and_nothing_is_lost(visit, what):
    text, reason = DAMAGED[what]
    page = visit()
    page.evaluate("([key, value]) => localStorage.setItem(key, value)", [KEY + OLD["id"], json.dumps(OLD)])
    page.reload()
    page.wait_for_selector(".turn")
    before = stored(page)
    offer(page, "hỏng.json", text)
    expect(page.locator("#dialog-title")).to_have_text("Không nhập được “hỏng.json”")
    assert reason in page.inner_text("#dialog-note")
    assert "những gì đang có vẫn còn nguyên" in page.inner_text("#dialog-note")
    assert stored(page) == before != {}
    page.keyboard.press("Enter")
    expect(page.locator("#dialog")).to_be_hidden()
    send(page, "vẫn nói được")


def test_a_file_that_does_not_fit_leaves_everything_as_it_was(small):
    page = small
    before = stored(page)
    page.evaluate("sessionStorage.room = 3")
    nodes = [{"role": "user", "content": f"{n}"} for n in range(5)]
    offer(page, "to.json", json.dumps({"conversations": [{"id": "aa", "nodes": [NODE]}, {"messages": nodes}]}))
    expect(page.locator("#dialog-note")).to_contain_text("không đủ chỗ")
    assert page.evaluate("Number(sessionStorage.room)") < 0
    assert stored(page) == before


def test_a_file_cannot_replace_a_conversation_that_has_its_id(visit):
    page = visit()
    send(page, "của ta")
    (mine,) = stored(page).values()
    forged = json.loads(json.dumps(mine))
    forged["nodes"][0]["content"] = "bị sửa"
    offer(page, "sửa.json", json.dumps(forged))
    expect(page.locator("#conversations li")).to_have_count(2)
    assert stored(page)[mine["id"]] == mine
    expect(page.locator(".turn .text").first).to_have_text("bị sửa")


def test_imported_markup_is_shown_as_the_text_that_it_is(visit):
    page = visit()
    evil = "<img src=x onerror=alert(1)>"
    offer(page, "evil.json", json.dumps({"title": evil, "messages": [{"role": "user", "content": evil}]}))
    expect(page.locator(".turn .text")).to_have_text(evil)
    page.fill("#search", "onerror")
    assert names(page) == [evil]
    assert page.locator("#conversations img, .turn .text :not(p)").count() == 0


def test_conversations_of_the_first_version_are_still_there(visit):
    page = visit()
    page.evaluate("([key, value]) => localStorage.setItem(key, value)", [KEY + OLD["id"], json.dumps(OLD)])
    page.reload()
    page.wait_for_selector(".turn")
    assert names(page) == ["Hồi đó"]
    assert turns(page) == [m["content"] for m in OLD["messages"]]
    assert page.locator(".note").last.inner_text() == "Đã dừng. Inosuke không còn nhớ 2 tin nhắn đầu."
    act(page, 3, "Trả lời lại")
    reply_says(page, "nói: Kể nữa đi")
    page.reload()
    page.wait_for_selector(".turn")
    act(page, 3, "Bản trước")
    assert turns(page) == [m["content"] for m in OLD["messages"]]
    kept = stored(page)[OLD["id"]]
    assert page.evaluate("Object.keys(localStorage)") == []  # moved, not copied
    assert kept["version"] == 2 and kept["created"] == OLD["created"] and len(kept["nodes"]) == 5


def test_what_cannot_be_read_is_left_where_it_is(visit):
    page = visit()
    page.evaluate("key => localStorage.setItem(key + 'abc', '{\"nodes\": [')", KEY)
    page.reload()
    page.wait_for_selector("#prompts button")
    send(page, "một")
    assert names(page) == ["một"]
    assert page.evaluate("key => localStorage.getItem(key + 'abc')", KEY) == '{"nodes": ['
    expect(page.locator("#trouble")).to_contain_text("trang không đọc được")


def test_two_tabs_do_not_overwrite_each_other(visit, url):
    first = visit()
    second = first.context.new_page()
    second.goto(url)
    second.wait_for_selector("#prompts button")
    send(first, "một")
    send(second, "hai")
    expect(first.locator("#conversations li")).to_have_count(2)
    assert sorted(names(first)) == ["hai", "một"]


def test_two_tabs_in_one_conversation_keep_the_turns_of_both(visit, url, teller):
    first = visit()
    send(first, "một")
    second = first.context.new_page()
    second.goto(url)
    second.wait_for_selector(".turn")
    teller.gate.clear()
    send(first, "hai", wait=False)
    first.wait_for_selector(".turn.reply.growing")
    second.fill("#input", "ba")
    second.keyboard.press("Enter")
    second.wait_for_selector(".turn.reply.growing")
    teller.gate.set()
    expect(first.locator("#send")).to_be_visible()
    expect(second.locator("#send")).to_be_visible()
    second.reload()
    second.wait_for_selector(".turn")
    (kept,) = stored(second).values()
    assert sorted(n["content"] for n in kept["nodes"] if n["role"] == "user") == ["ba", "hai", "một"]
    assert sum(n["role"] == "assistant" and n["state"] == "done" for n in kept["nodes"]) == 3


def test_a_message_of_control_characters_alone_is_not_sent(visit, teller):
    page = visit()
    send(page, "một")
    page.fill("#input", "\x01\x02\x9b")
    page.keyboard.press("Enter")
    page.reload()
    page.wait_for_selector(".turn")
    assert names(page) == ["một"] and len(turns(page)) == 2 and len(teller.seen) == 1


def test_one_damaged_turn_does_not_hide_the_others_and_is_kept_word_for_word(visit):
    page = visit()
    send(page, "một")
    (kept,) = stored(page).values()
    broken = {"id": "bb", "parent": kept["nodes"][1]["id"], "role": "user", "content": "", "time": 1}
    after = {"id": "cc", "parent": "bb", "role": "assistant", "content": "sau đó", "time": 1}
    kept["nodes"] += [broken, after]
    page.evaluate("([key, value]) => localStorage.setItem(key, value)", [KEY + kept["id"], json.dumps(kept)])
    page.reload()
    page.wait_for_selector(".turn")
    assert names(page) == ["một"] and turns(page)[2] == "sau đó"
    expect(page.locator("#trouble")).to_contain_text("trang không đọc được")
    expect(page.locator("#retry")).to_be_hidden()
    send(page, "hai")
    assert stored(page)[kept["id"]]["damaged"] == [broken]
    page.click("#understood")
    expect(page.locator("#trouble")).to_be_hidden()
    page.reload()
    page.wait_for_selector(".turn")
    expect(page.locator("#trouble")).to_be_hidden()
    _, text = download(page, lambda: page.click("#export-all"))
    other = visit()
    offer(other, "tất cả.json", text)
    expect(other.locator("#toast")).to_have_text("Đã nhập 1 cuộc trò chuyện.")
    assert stored(other) == stored(page)


def test_what_cannot_be_read_is_not_overwritten(visit):
    page = visit()
    send(page, "một")
    (mine,) = stored(page)
    newer = '{"version": 3, "what": "?"}'
    page.evaluate("([key, value]) => localStorage.setItem(key, value)", [KEY + mine, newer])
    page.reload()
    page.wait_for_selector(".turn")
    expect(page.locator("#trouble")).to_contain_text("trang không đọc được")
    send(page, "hai")
    assert len(stored(page)[mine]["nodes"]) == 4
    assert page.evaluate("key => localStorage.getItem(key)", KEY + mine) == newer


def test_what_does_not_fit_is_said_stays_within_reach_and_is_kept_once_there_is_room(small):
    page = small
    page.click("#new")
    send(page, "hai")
    expect(page.locator("#trouble")).to_contain_text("Bộ nhớ trình duyệt đã đầy")
    expect(page.locator("#retry")).to_be_hidden()
    assert names(page) == ["hai", "một"]
    _, text = download(page, lambda: page.click("#export-all"))
    assert [one["title"] for one in json.loads(text)["conversations"]] == ["hai", "một"]
    open_conversation(page, "một")
    expect(page.locator("#trouble")).to_contain_text("Bộ nhớ trình duyệt đã đầy")
    open_conversation(page, "hai")
    expect(page.locator(".turn .text").first).to_have_text("hai")
    page.evaluate("delete sessionStorage.room")
    page.click("#new")
    send(page, "ba")
    expect(page.locator("#trouble")).to_be_hidden()
    page.reload()
    page.wait_for_selector(".turn")
    assert names(page) == ["ba", "hai", "một"]


def test_leaving_asks_when_something_is_not_kept(small):
    page = small
    send(page, "hai")
    asked = []

    def stay(dialog):
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    with page.expect_event("dialog"):
        page.close(run_before_unload=True)
    assert asked == ["beforeunload"] and len(turns(page)) == 4


def test_where_storage_is_forbidden_conversations_stay_within_reach_and_it_is_said(visit):
    page = visit()
    page.add_init_script(
        """for (const name of ['localStorage', 'indexedDB'])
             Object.defineProperty(window, name, { get() { throw new DOMException('no', 'SecurityError'); } })"""
    )
    page.reload()
    page.wait_for_selector("#prompts button")
    says = "Trình duyệt này không giữ lại gì cho trang: hãy tải về những gì muốn giữ."
    expect(page.locator("#trouble-text")).to_have_text(says)
    expect(page.locator("#kept")).to_be_hidden()
    page.click("#language")
    expect(page.locator("#new")).to_have_text("New conversation")
    page.click("#language")
    send(page, "một")
    page.click("#new")
    send(page, "hai")
    expect(page.locator("#trouble-text")).to_have_text(says)
    assert names(page) == ["hai", "một"]
    open_conversation(page, "một")
    expect(page.locator(".turn .text").first).to_have_text("một")
    _, text = download(page, lambda: page.click("#export-all"))
    assert [len(one["nodes"]) for one in json.loads(text)["conversations"]] == [2, 2]


def test_what_was_not_sent_yet_stays_with_its_conversation(visit):
    page = visit()
    box = page.locator("#input")
    box.fill("nháp mới")
    page.reload()
    page.wait_for_selector("#prompts button")
    expect(box).to_have_value("nháp mới")
    send(page, "một")
    box.fill("nháp một")
    page.click("#new")
    expect(box).to_have_value("")
    box.fill("nháp hai")
    page.locator("#prompts button").first.click()  # says something else, and the draft goes along
    reply_says(page, "nói: Ngươi là ai?")
    expect(box).to_have_value("nháp hai")
    open_conversation(page, "một")
    expect(box).to_have_value("nháp một")
    act(page, 0, "Sửa")
    box.fill("sửa dở")
    open_conversation(page, "Ngươi là ai?")
    expect(box).to_have_value("nháp hai")
    page.reload()
    page.wait_for_selector(".turn")
    expect(box).to_have_value("nháp hai")
    open_conversation(page, "một")
    expect(box).to_have_value("nháp một")
    page.keyboard.press("Enter")
    reply_says(page, "nói: nháp một")
    menu(page, "Ngươi là ai?", "Xoá")
    page.click("#dialog-yes")
    expect(page.locator("#conversations li")).to_have_count(1)
    assert [key for key in page.evaluate("Object.keys(localStorage)") if "draft" in key] == []


def test_a_conversation_deleted_in_one_tab_stays_deleted_in_the_other(visit, url):
    first = visit()
    send(first, "một")
    second = first.context.new_page()
    second.goto(url)
    second.wait_for_selector(".turn")
    second.fill("#input", "nháp")
    menu(first, "một", "Xoá")
    first.click("#dialog-yes")
    says = "Cuộc trò chuyện này đã bị xoá ở một thẻ khác. Những gì bạn viết bây giờ mở đầu một cuộc mới."
    expect(second.locator("#trouble-text")).to_have_text(says)
    assert turns(second) == [] and second.input_value("#input") == "nháp"
    send(second, "hai")
    expect(second.locator("#trouble")).to_be_hidden()
    assert [one["title"] for one in stored(second).values()] == ["hai"]
    expect(first.locator("#conversations .name")).to_have_text("hai")


def test_a_tab_that_did_not_hear_of_the_deletion_does_not_bring_it_back(visit, url):
    first = visit()
    send(first, "một")
    second = first.context.new_page()
    second.add_init_script("BroadcastChannel.prototype.addEventListener = () => {};")
    second.goto(url)
    second.wait_for_selector(".turn")
    menu(first, "một", "Xoá")
    first.click("#dialog-yes")
    expect(first.locator("#conversations li")).to_have_count(0)
    stored(first)
    send(second, "hai", wait=False)
    expect(second.locator("#trouble-text")).to_contain_text("đã bị xoá ở một thẻ khác")
    assert stored(second) == {}


def test_an_old_tab_does_not_bring_back_what_was_deleted(visit):
    page = visit()
    send(page, "một")
    (kept,) = stored(page).values()
    menu(page, "một", "Xoá")
    page.click("#dialog-yes")
    expect(page.locator("#conversations li")).to_have_count(0)
    stored(page)
    # A tab that still has the page of before writes it once more.
    page.evaluate("([key, value]) => localStorage.setItem(key, value)", [KEY + kept["id"], json.dumps(kept)])
    page.reload()
    page.wait_for_selector("#prompts button")
    assert names(page) == [] and stored(page) == {}


def test_a_thousand_turns_open_with_the_last_hundred_and_show_the_earlier_ones(visit):
    page = visit()
    said = [{"role": ("user", "assistant")[n % 2], "content": f"lời {n}"} for n in range(1000)]
    offer(page, "dài.json", json.dumps({"id": "aa", "messages": said}))
    expect(page.locator("#earlier")).to_have_text("Xem tin nhắn cũ hơn (900)")
    assert turns(page) == [f"lời {n}" for n in range(900, 1000)]
    first = page.locator(".turn").first
    page.locator("#earlier").scroll_into_view_if_needed()
    before = first.bounding_box()["y"]
    page.click("#earlier")
    expect(page.locator("#earlier")).to_have_text("Xem tin nhắn cũ hơn (800)")
    assert turns(page)[0] == "lời 800" and len(turns(page)) == 200
    assert abs(page.locator(".turn").nth(100).bounding_box()["y"] - before) < 2
    page.reload()
    page.wait_for_selector(".turn")
    assert len(turns(page)) == 100
    send(page, "nữa")
    assert len(turns(page)) == 100 and turns(page)[-2] == "nữa"


def test_saving_an_exchange_writes_its_turns_and_no_others(visit):
    page = visit()
    said = [{"role": ("user", "assistant")[n % 2], "content": f"lời {n}"} for n in range(1000)]
    offer(page, "dài.json", json.dumps({"id": "aa", "messages": said}))
    expect(page.locator("#earlier")).to_be_visible()
    page.evaluate(
        """() => {
             window.written = [];
             const put = IDBObjectStore.prototype.put;
             IDBObjectStore.prototype.put = function (what) {
               window.written.push(what.content);
               return put.call(this, what);
             };
           }"""
    )
    send(page, "nữa")
    stored(page)
    assert [text for text in page.evaluate("window.written") if text] == ["nữa", "Hừ! (1) Ngươi nói: nữa"]


SAVED_WHILE_WRITING = """async () => {
  const { shown } = await import("/static/session.js");
  const store = await import("/static/store.js");
  await store.written();
  const put = IDBObjectStore.prototype.put;
  let late = true;
  IDBObjectStore.prototype.put = function (...what) {
    const request = put.apply(this, what);
    if (late) {
      late = false;
      Object.assign(shown(), { memory: "tên Lan", recalled: Date.now() + 1 });
      store.save(shown());
    }
    return request;
  };
  Object.assign(shown(), { memory: "", recalled: Date.now() });
  store.save(shown());
}"""


def test_what_is_saved_while_an_earlier_save_is_written_is_written_too(visit):
    page = visit()
    send(page, "một")
    page.evaluate(SAVED_WHILE_WRITING)
    (kept,) = stored(page).values()
    assert kept["memory"] == "tên Lan"


SILLYTAVERN = [
    {"user_name": "Lan", "character_name": "Inosuke", "create_date": "2026-11-01", "chat_metadata": {}},
    {
        "name": "Inosuke",
        "is_user": False,
        "mes": "Hừ! Ngươi là ai?",
        "swipes": ["Hừ! Ngươi là ai?", "Đứng lại!"],
        "swipe_id": 0,
    },
    {"name": "Lan", "is_user": True, "mes": "Tớ là Lan."},
    {"name": "Note", "is_user": False, "is_system": True, "mes": "a hidden remark"},
    {"name": "Inosuke", "is_user": False, "mes": "Theo ta!", "swipes": ["Lan à?", "Theo ta!"], "swipe_id": 1},
]
TALK = ["Tớ là Lan.", "Theo ta!"]
SAID = [{"role": "user", "content": TALK[0]}, {"role": "assistant", "content": TALK[1]}]
SYSTEM = {"role": "system", "content": "You are Inosuke."}
IN_PARTS = [SYSTEM, {"role": "user", "content": [{"type": "text", "text": TALK[0]}]}, SAID[1]]
CALL = {"role": "assistant", "content": None, "tool_calls": []}
SHARE = [{"from": "human", "value": TALK[0]}, {"from": "gpt", "value": TALK[1]}]
LLAMA = [
    {"id": "r", "type": "root", "role": "system", "content": "", "parent": None},
    {"id": "a", "type": "text", **SAID[0], "parent": "r"},
    {"id": "b", "type": "text", "role": "assistant", "content": "another branch", "parent": "a"},
    {"id": "c", "type": "text", **SAID[1], "parent": "a"},
]


def rows(values):
    return "\n".join(json.dumps(value) for value in values)


FOREIGN = {
    "SillyTavern": (rows(SILLYTAVERN), ["Hừ! Ngươi là ai?", *TALK], 1, 1),
    "OpenAI": (json.dumps({"messages": [SYSTEM, *SAID]}), TALK, 1, 1),
    "OpenAI in parts": (json.dumps(IN_PARTS), TALK, 1, 1),
    "OpenAI with a call": (json.dumps({"messages": [SAID[0], CALL, SAID[1]]}), TALK, 1, 1),
    "OpenAI, one a line": (rows([{"messages": SAID}, {"messages": [SYSTEM, *SAID]}]), TALK, 2, 1),
    "a message a line": (rows(SAID), TALK, 1, 0),
    "ShareGPT": (json.dumps([{"conversations": SHARE}, {"conversations": SHARE}]), TALK, 2, 0),
    "Open WebUI": (json.dumps([{"title": "Lan", "chat": {"models": [], "messages": SAID}}]), TALK, 1, 0),
    "llama.cpp": (json.dumps({"conv": {"id": "x", "name": "Lan", "currNode": "c"}, "messages": LLAMA}), TALK, 1, 0),
}


@pytest.mark.parametrize("program", FOREIGN)
def test_another_programs_file_is_imported_with_what_was_left_out_counted(visit, program):
    text, said, conversations, left = FOREIGN[program]
    page = visit()
    offer(page, "chat.jsonl", text)
    expect(page.locator(".turn .text")).to_have_text(said)
    toast = f"Đã nhập {conversations} cuộc trò chuyện."
    toast += f" Không lấy {left} tin nhắn trống, hoặc không phải của bạn hay của nhân vật." if left else ""
    expect(page.locator("#toast")).to_have_text(toast)
    assert len(names(page)) == conversations and set(names(page)) <= {"Tớ là Lan.", "Lan", "Inosuke"}
    send(page, "Đi thôi!")
    assert len(turns(page)) == len(said) + 2


def test_the_other_versions_of_a_reply_come_with_a_sillytavern_chat(visit):
    page = visit()
    offer(page, "chat.jsonl", rows(SILLYTAVERN))
    expect(page.locator(".turn").last.locator(".variants")).to_contain_text("2/2")
    act(page, 2, "Bản trước")
    assert turns(page)[-1] == "Lan à?"
