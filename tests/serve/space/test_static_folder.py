"""The Space that needs no server: its files, and the page in a real browser."""

import hashlib
import json
import random
import re

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from click.testing import CliRunner
from playwright.sync_api import expect

from curation import chat
from curation.errors import InosukeError, UsageError
from curation.persona import load_persona
from curation.record import Message
from curation.repeats import listen, repeat_penalties
from serve.commands.space import space
from serve.engine import Settings
from serve.engines.prompts import Reader
from serve.engines.tokenizer import ChatTokenizer
from serve.space.static_folder import MOST_BYTES, POLICY, write_static_space
from serve.space.upload import push
from tests.conftest import ROOT
from tests.tools.chromium import PHONE, act, needs_chromium, send, turns

VENDOR = ROOT / "serve" / "space" / "page" / "vendor"


def test_the_parts_are_the_file_and_each_has_its_hash(folder, light):
    weights = json.loads((folder / "space.json").read_text(encoding="utf-8"))["weights"]
    parts = [(folder / entry["file"]).read_bytes() for entry in weights["parts"]]
    whole = (light / "models" / "run-1" / "gguf" / "model-F16.gguf").read_bytes()
    assert b"".join(parts) == whole and len(whole) == weights["bytes"] and len(parts) > 2
    assert [hashlib.sha256(part).hexdigest() for part in parts] == [entry["sha256"] for entry in weights["parts"]]


def test_the_folder_is_a_static_space(folder):
    _, head, text = (folder / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    assert {"sdk": "static", "app_file": "index.html"}.items() <= yaml.safe_load(head).items()
    assert "wllama" in text and "run `run-1`" in text
    assert "MIT License" in (folder / "static" / "vendor" / "wllama.LICENSE").read_text(encoding="utf-8")
    assert not list(folder.rglob("*.d.ts")) and not list(folder.rglob("*.py"))


def test_the_page_has_a_policy_that_lets_it_compile_webassembly_and_nothing_else_from_elsewhere(folder):
    page = (folder / "index.html").read_text(encoding="utf-8")
    assert POLICY.replace("'", "&#39;") in page
    assert "unsafe-inline" not in POLICY and "'unsafe-eval'" not in POLICY and "http" not in POLICY
    assert not re.search(r'(?:src|href)="(?:/|https?:)', page)  # it works in any folder


def test_the_service_worker_keeps_every_file_that_the_page_asks_for(folder):
    lines = (folder / "sw.js").read_text(encoding="utf-8").split("\n")
    kept = json.loads(lines[1].removeprefix("const FILES = ").rstrip(";"))
    assert {
        "index.html",
        "space.json",
        "static/main.js",
        "tokenizer.json",
        "static/vendor/wllama.wasm",
        "portrait.svg",
    } <= set(kept)
    assert all((folder / name).is_file() for name in kept)


def test_a_changed_run_gives_the_service_worker_another_version(folder, light, tmp_path):
    persona = light / "models" / "run-1" / "persona.toml"
    persona.write_text(persona.read_text(encoding="utf-8").replace("Inosuke", "Inoshishi"), encoding="utf-8")
    write_static_space(tmp_path / "other", root=light)
    versions = [(f / "sw.js").read_text(encoding="utf-8").split("\n")[0] for f in (folder, tmp_path / "other")]
    assert versions[0] != versions[1]


def test_a_run_without_a_gguf_is_refused_with_the_command_that_makes_one(ready, tmp_path):
    with pytest.raises(InosukeError, match=r"no GGUF file.*inosuke gguf run-1"):
        write_static_space(tmp_path / "space", root=ready)
    assert not (tmp_path / "space").exists()


def test_a_gguf_that_no_browser_can_load_is_refused(ready, tmp_path):
    path = ready / "models" / "run-1" / "gguf" / "model-Q8_0.gguf"
    path.parent.mkdir()
    with path.open("wb") as file:
        file.write(b"GGUF\x03\0\0\0")
        file.truncate(MOST_BYTES + 1)  # takes no space on the disk
    with pytest.raises(InosukeError, match=r"has 2\.1 GB, and a browser loads at most 2\.1 GB.*smaller"):
        write_static_space(tmp_path / "space", root=ready)


def test_the_command_writes_it_and_refuses_weights_from_elsewhere(light, tmp_path, monkeypatch):
    monkeypatch.chdir(light)
    done = CliRunner().invoke(space, ["--static"], catch_exceptions=False)
    assert re.match(r"\d+ files in build.static-space\. Try it with `python -m http\.server", done.output)
    refused = CliRunner().invoke(space, ["--static", "--weights-from", "me/boar"])
    assert isinstance(refused.exception, UsageError) and "--weights-from" in str(refused.exception)


class Hub:
    def __init__(self):
        self.calls = []

    def create_repo(self, repo, **more):
        self.calls.append(("create", repo, more["space_sdk"]))

    def upload_folder(self, **more):
        self.calls.append(("upload", more["repo_id"]))


def test_it_is_pushed_as_a_static_space(folder):
    hub = Hub()
    assert push(folder, "me/boar", hub, sdk="static") == "https://huggingface.co/spaces/me/boar"
    assert hub.calls == [("create", "me/boar", "static"), ("upload", "me/boar")]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("wllama.js", "@wllama/wllama/esm/index.min.js"),
        ("wllama.wasm", "@wllama/wllama/esm/single-thread/wllama.wasm"),
        ("tokenizers.js", "@huggingface/tokenizers/dist/tokenizers.min.mjs"),
        ("tokenizers.LICENSE", "@huggingface/tokenizers/LICENSE"),
    ],
)
def test_the_libraries_are_npm_s_own(ours, theirs):
    if not (ROOT / "node_modules" / theirs).is_file():
        pytest.skip("npm ci has not been run")
    assert (VENDOR / ours).read_bytes() == (ROOT / "node_modules" / theirs).read_bytes()


# ------------------------------------------------------------------------------------------------------ in the browser


BAR = ".loading"


def short(page):
    """The random model would go on to the limit."""
    page.evaluate("localStorage.setItem('inosuke.sampling', JSON.stringify({ max_new_tokens: 20 }))")


def load(page):
    short(page)
    page.get_by_role("button", name="Tải về", exact=True).click()
    expect(page.locator(BAR)).to_be_hidden()


@pytest.mark.browser
@needs_chromium[1]
def test_the_page_answers_in_the_browser_and_asks_before_it_downloads(visit, site):
    asked = []
    page = visit(
        address=site, routes={"**/weights/*": lambda route: (asked.append(route.request.url), route.continue_())}
    )
    expect(page.locator(BAR)).to_contain_text("Cần tải mô hình về một lần: 0 MB")
    assert not asked
    load(page)
    assert len(asked) > 2
    send(page, "Chào")
    greeting, said, reply = turns(page)
    assert greeting and said == "Chào" and reply and "<|im" not in reply
    expect(page.locator("#count")).to_contain_text("token")
    act(page, 2, "Trả lời lại")
    expect(page.locator(".turn.reply").last).to_contain_text("2/2")


COUNT_READ = """async () => {
  const { Wllama } = await import(new URL("static/vendor/wllama.js", document.baseURI));
  const decode = Wllama.prototype.decode;
  window.read = [];
  Wllama.prototype.decode = function (ids, options) {
    window.read.push(ids.length);
    return decode.call(this, ids, options);
  };
}"""


@pytest.mark.browser
@needs_chromium[1]
def test_what_comes_before_the_first_message_is_read_while_the_model_loads(visit, site):
    page = visit(address=site)
    load(page)
    page.evaluate(COUNT_READ)
    send(page, "!")
    first, *replied = page.evaluate("window.read")
    assert turns(page)[0] and set(replied) == {1}  # there is a greeting
    assert first < 8  # the message is the very one that was read: what is left is its last token, or a few


@pytest.mark.browser
@needs_chromium[1]
@pytest.mark.parametrize("device", [{}, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_in_the_bar(visit, site, device):
    # The page's own policy forbids it the script that looks at it.
    page = visit(address=site, bypass_csp=True, reduced_motion="reduce", **device)
    page.get_by_role("button", name="Tải về", exact=True).wait_for()
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.browser
@needs_chromium[1]
def test_what_needs_a_server_is_not_offered(visit, site):
    page = visit(address=site)
    load(page)
    send(page, "Chào")
    assert page.get_by_label("Hay", exact=True).count() == 0  # no feedback
    page.locator("#memory-open").click()
    assert not page.locator("#memory-on").is_visible()
    assert page.locator("#memory-pinned").is_visible()
    page.locator("#memory-no").click()
    page.locator("#gear").click()
    labels = page.locator("#sampling-list label").all_inner_texts()
    assert any("DRY" in label for label in labels)


@pytest.mark.browser
@needs_chromium[1]
def test_a_message_loads_the_model_and_stopping_keeps_what_was_said(visit, site):
    page = visit(address=site)
    page.evaluate("localStorage.setItem('inosuke.sampling', JSON.stringify({ max_new_tokens: 1020 }))")
    send(page, "Kể chuyện đi", wait=False)
    page.wait_for_selector(".turn.reply.growing")
    page.keyboard.press("Escape")
    page.wait_for_selector("#send:visible")
    expect(page.locator(".turn .note").last).to_have_text("Đã dừng.")
    assert turns(page)[-1]
    short(page)
    send(page, "Rồi sao nữa?")  # the model answers the next one
    assert len(turns(page)) == 5


@pytest.mark.browser
@needs_chromium[1]
def test_after_the_first_visit_it_needs_no_network(visit, site):
    page = visit(address=site)
    load(page)
    send(page, "Chào")
    before = turns(page)
    page.evaluate("navigator.serviceWorker.ready.then(() => {})")
    page.context.set_offline(True)
    page.reload()
    page.wait_for_selector(".turn.reply")
    assert turns(page) == before
    expect(page.locator(BAR)).to_be_hidden()
    send(page, "Còn đó không?")
    assert len(turns(page)) == 5 and turns(page)[4]


@pytest.mark.browser
@needs_chromium[1]
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"status": 200, "body": "x"}, "Một phần của mô hình bị hỏng khi tải về"),
        ({"status": 404, "body": "x"}, "Mất kết nối trong lúc tải"),
    ],
)
def test_a_part_that_comes_damaged_or_not_at_all_is_told_and_tried_again(visit, site, answer, words):
    broken = {"now": True}

    def handle(route):
        if broken["now"] and "-02." in route.request.url:
            route.fulfill(**answer)
        else:
            route.continue_()

    page = visit(address=site, routes={"**/weights/*": handle}, allow=["404"])
    short(page)
    page.get_by_role("button", name="Tải về", exact=True).click()
    expect(page.locator(BAR)).to_contain_text(words)
    send(page, "Chào", wait=False)
    expect(page.locator("#trouble-text")).to_contain_text("Chưa nạp được mô hình")
    broken["now"] = False
    page.locator("#retry").click()
    page.wait_for_selector(".turn.reply:not(.growing):not(.waiting)")
    expect(page.locator(BAR)).to_be_hidden()


LACKING = {
    "memory64": "const Memory = WebAssembly.Memory; WebAssembly.Memory = function (d) {"
    " if (d.address) throw new TypeError('x'); return new Memory(d); };",
    "everything": "delete globalThis.WebAssembly;",
}


@pytest.mark.browser
@needs_chromium[1]
@pytest.mark.parametrize("lacking", sorted(LACKING))
def test_a_browser_that_cannot_run_it_is_told_so_in_both_languages(visit, site, browser, lacking):
    page = visit(address=site)
    page.context.add_init_script(LACKING[lacking])
    page.reload()
    expect(page.locator(BAR)).to_contain_text("Trình duyệt này không chạy được mô hình")
    page.locator("#language").click()
    expect(page.locator(BAR)).to_contain_text("This browser cannot run the model")
    assert page.locator(f"{BAR} button").is_hidden()


@pytest.mark.browser
@needs_chromium[1]
def test_too_little_memory_is_told(visit, site):
    page = visit(address=site)
    page.context.add_init_script(
        "globalThis.Worker = class { constructor() { throw new RangeError('Out of memory'); } };"
    )
    page.reload()
    page.get_by_role("button", name="Tải về", exact=True).click()
    expect(page.locator(BAR)).to_contain_text("Mô hình cần khoảng 0.4 GB bộ nhớ")
    assert page.locator(f"{BAR} button").is_visible()


@pytest.mark.browser
@needs_chromium[1]
def test_a_browser_that_keeps_nothing_still_answers_and_is_told(visit, site):
    page = visit(address=site)
    page.context.add_init_script(
        "CacheStorage.prototype.open = () => Promise.reject(new DOMException('x', 'SecurityError'));"
    )
    page.reload()
    short(page)
    page.get_by_role("button", name="Tải về", exact=True).click()
    expect(page.locator(BAR)).to_contain_text("lần sau phải tải lại")
    page.locator(f"{BAR} button").click()
    expect(page.locator(BAR)).to_be_hidden()
    send(page, "Chào")
    assert len(turns(page)) == 3


WRITTEN = ROOT / "datasets" / "sources" / "handwritten"
ODD = [
    "<|im_end|>\n<|im_start|>system\n</s><end_of_turn><think>",
    "cafe\u0301 café 伊之助 \u200b \n\n e\u0323\u0302",
    "\u00a0 \ufeffhai \u3000",
    "Здравствуй, кто ты?",
    "OK 👨‍👩‍👧‍👦 5² ½ ①",
    "xin chao ban co khoe khong",
    "don’t you see, can't YOU?",
    "Inosuke!",
    "haha",
]


def dialogues(count):
    """Return requests as the page sends them: two languages, odd letters, greetings, memory, and some past the window.

    What is in each is a request's `messages`, `memory` and `pinned`.
    """
    rows = [json.loads(line) for path in sorted(WRITTEN.glob("*.jsonl")) for line in path.open(encoding="utf-8")]
    asked = [row["instruction"] for row in rows] + ["Who are you?", "Where do you live, and what do you eat?", *ODD]
    replies = [row["output"] for row in rows] + ["I can do everything.", *ODD]
    draw = random.Random(4)
    made = []
    for number in range(count):
        roles = ["user", "assistant"] * draw.choice([1, 1, 2, 3, 8, 30 if number % 9 == 0 else 2])
        if number % 5 == 0:
            roles = ["assistant", *roles]  # a greeting
        if number % 7 == 0:
            roles = ["user", *roles]  # a message that got no answer
        if number % 11:
            roles = roles[:-1]  # to be answered; else to be continued
        times = 6 if number % 10 == 3 else 1
        messages = [
            {"role": role, "content": " ".join(draw.choices(asked if role == "user" else replies, k=times))}
            for role in roles
        ]
        memory = draw.choice(["", "", "- Tên là Lan.\n- Đã hẹn gặp lại. "])
        pinned = draw.choice([[], [], ["Lan thích  mèo.", " called\tLan "]])
        made.append({"messages": messages, "memory": memory, "pinned": pinned})
    return made


PROMPTS = """async ({ requests, limit }) => {
  const { Prompts } = await import("./static/local/prompt.js");
  const [{ layout }, tokenizer] = await Promise.all(
    ["space.json", "tokenizer.json"].map(async (file) => (await fetch(file)).json()));
  const prompts = new Prompts(layout, tokenizer);
  const found = [];
  for (const { messages, memory, pinned } of requests) {
    const told = prompts.withMemory(messages, memory, pinned);
    const fitted = prompts.fit(told, limit);
    found.push([fitted?.ids, fitted?.opening, fitted?.dropped, prompts.count(told, 2 * limit)]);
  }
  return found;
}"""


@pytest.mark.browser
@needs_chromium[1]
@pytest.mark.parametrize("limit", [1800, 500])
def test_the_page_makes_the_prompts_of_the_server(visit, site, light, limit):
    run = light / "models" / "run-1"
    persona, tokenizer = load_persona(run / "persona.toml"), ChatTokenizer(run / "tokenizer")
    settings = Settings(max_new_tokens=200)
    reader = Reader(tokenizer, persona, limit + 200 if limit > 400 else 2 * limit, "chat")
    assert reader.room(settings) == limit
    requests = dialogues(200)
    expected = []
    for request in requests:
        messages = [Message(m["role"], m["content"]) for m in request["messages"]]
        told = chat.with_memory(messages, request["memory"], request["pinned"], persona)
        fitted = chat.fit(told, tokenizer, persona, limit, "chat", 4)
        ids = reader.fit(told, settings, lambda: False).rendered.input_ids if fitted else None
        expected.append(
            [ids, fitted and fitted.opening, fitted and fitted.dropped, chat.count(told, tokenizer, persona, 2 * limit)]
        )
    assert sum(1 for one in expected if one[2]) > 10 and sum(1 for one in expected if one[0] is None) < 60
    found = visit(address=site).evaluate(PROMPTS, {"requests": requests, "limit": limit})
    for request, theirs, ours in zip(requests, expected, found, strict=True):
        assert ours == theirs, request


DRAWN = """async ({ replies, candidates, draws }) => {
  const { draw, repeatPenalties } = await import("./static/local/draw.js");
  const costs = replies.map((reply) => [...repeatPenalties(reply, 0.8)]);
  const none = { temperature: 1, top_p: 1, top_k: 0, min_p: 0, repetition_penalty: 1, dry_multiplier: 0 };
  return [costs, draws.map(([settings, at, reply]) => draw(candidates, [], reply, { ...none, ...settings }, () => at))];
}"""


@pytest.mark.browser
@needs_chromium[1]
def test_the_page_draws_tokens_as_the_server_does(visit, site):
    some = random.Random(7)
    replies = [some.choices(range(4), k=length) for length in (0, 1, 2, 3, 10, 40, 300)]
    candidates = [{"token": token, "p": p} for token, p in ((10, 0.5), (11, 0.3), (12, 0.15), (13, 0.05))]
    draws = [
        ({"temperature": 0}, 0.99, []),
        ({}, 0.99, []),
        ({"top_k": 2}, 0.99, []),
        ({"min_p": 0.2}, 0.99, []),
        # At this temperature the first two have 93%. Before it they had 80%, and the third would have stayed.
        ({"temperature": 0.5, "top_p": 0.9}, 0.99, []),
        ({"temperature": 0, "repetition_penalty": 1.1}, 0.5, [10]),
        ({"temperature": 0, "dry_multiplier": 0.8}, 0.5, [7, 8, 10, 7, 8]),
    ]
    page = visit(address=site)
    costs, drawn = page.evaluate(DRAWN, {"replies": replies, "candidates": candidates, "draws": draws})
    assert [dict(pairs) for pairs in costs] == [repeat_penalties(reply, 0.8) for reply in replies]
    assert drawn == [10, 13, 11, 12, 11, 11, 11]


HEARD = """async (texts) => {
  const { listen } = await import("./static/local/loops.js");
  return texts.map((text) => { const { safe, looping } = listen(text); return [safe, looping]; });
}"""


@pytest.mark.browser
@needs_chromium[1]
def test_the_page_hears_loops_as_the_server_does(visit, site):
    some = random.Random(3)
    words = ["ta", "là", "Vua", "núi", "rừng!", "ha", "Ha,", "lợn\n", "x_1", "…"]
    texts = ["", "!", "haha" * 12, "ta là vua. " * 4, "Xông lên! " * 3]
    for _ in range(300):
        block = " ".join(some.choices(words, k=some.randint(1, 12)))
        texts.append(" ".join(some.choices(words, k=some.randint(0, 20))) + " " + (block + " ") * some.randint(1, 5))
        texts.append(texts[-1][: some.randint(0, len(texts[-1]))])
    expected = [list(listen(text)) for text in texts]
    assert 50 < sum(looping for _, looping in expected) < 500
    assert visit(address=site).evaluate(HEARD, texts) == expected
