"""A static Space tells the facts that the server tells: the same ids, and the same names below the reply."""

import json
import random
import shutil
import subprocess
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from playwright.sync_api import expect

from curation import chat
from curation.lorebook.reading import read_book
from curation.record import Message
from serve.answering.facts import told
from serve.commands.space import space
from serve.engine import CountsTokens, Settings
from serve.engines.prompts import BLOCKS, Reader
from serve.engines.tokenizer import ChatTokenizer
from serve.space.lorebook_pieces import lorebook_pieces
from serve.space.prompt_pieces import plain_tokenizer, prompt_pieces
from tests.conftest import ROOT
from tests.serve.space.test_static_folder import load
from tests.tools.chromium import needs_chromium, send
from tests.tools.tokenizers import chatml_tokenizer

# Words with what tells one reader of texts from another: case that folds to two letters, marks apart, signs outside the
# basic plane, invisible letters, white space that only one of two languages knows, scripts without spaces.
WORDS = [
    *(
        "boar",
        "BOAR",
        "boars",
        "wild boar",
        "wild\u00a0\nboar",
        "bo\u200bar",
        "an",
        "man",
        "Bán",
        "núi",
        "nu\u0301i",
        "NÚI",
    ),
    *(
        "mật",
        "mặt",
        "伊之助",
        "嘴平伊之助だ",
        "ΣΟΦΟΣ",
        "σοφος",
        "straße",
        "STRASSE",
        "İstanbul",
        "ﬁre",
        "fire",
        "😀",
        "x😀y",
    ),
    *("x\x1cy", "x\x85y", "\ufeffhi", "x y", "½", "a_b", "a\x00b", "Ꭰ", "ꭰ", "ſay", "say", ""),
]
SAID = [
    "{{char}} and {{user}}, <BOT>, <User> and <uſer>.",
    "{{random:one,two\\,2, three }} {{pick::a,b,c}}",
    "{{roll:d6}} {{roll:0}}",
    "{{ROLL: 00012 }} {{roll:99999999999999999999}} {{roll:²}}",
    "{{reverse:x😀y}} {{// hidden boar}} {{comment: man}}x",
    "{{hidden_key: núi }}{{unknown}} {{char:x}}",
    " \ufeff ",
    "{{// all of it}}",
    "😀 {{random:1,2,3,4,5}} 😀 {{random:1,2,3,4,5}}",
    "{{comment}}{{hidden_key:}}{{:}}{{}}",
]
DECORATORS = [
    "@@activate_only_after {0}",
    "@@activate_only_every {1}",
    "@@keep_activate_after_match",
    "@@dont_activate_after_match",
    "@@scan_depth {0}",
    "@@additional_keys {2}, {3}",
    "@@exclude_keys {2}",
    "@@activate",
    "@@dont_activate",
    "@@unheard_of\n@@@scan_depth {1}",
]


def book(draw):
    """Return a lorebook with everything in it that decides what fires."""

    def some(most):
        return draw.choices(WORDS, k=draw.randint(0, most))

    def entry():
        words = [str(draw.randint(0, 3)), str(draw.randint(1, 3)), *draw.choices(WORDS[:6], k=2)]
        lines = [d.format(*words) for d in draw.sample(DECORATORS, k=draw.choice([0, 0, 0, 1, 2]))]
        return {
            "name": draw.choice(["", "Fact", "<b>"]),
            "keys": some(3),
            "content": "\n".join([*lines, " ".join((*some(2), draw.choice(SAID), *some(2)))]),
            "enabled": draw.random() < 0.95,
            "constant": draw.random() < 0.1,
            "selective": draw.random() < 0.3,
            "secondary_keys": some(2),
            "case_sensitive": draw.choice([None, None, True, False]),
            "insertion_order": draw.randint(-3, 3),
            "priority": draw.choice([None, -1, 0, 5, 2.5]),
            "position": draw.choice(["before_char", "after_char"]),
            "extensions": {
                "match_whole_words": draw.choice([None, True, False]),
                "selectiveLogic": draw.randint(0, 3),
                "scan_depth": draw.choice([None, None, 0, 1, 9]),
                "exclude_recursion": draw.random() < 0.2,
                "prevent_recursion": draw.random() < 0.2,
            },
        }

    about = {"scan_depth": draw.randint(0, 4), "token_budget": draw.choice([20, 100, 400, 4000])}
    entries = [entry() for _ in range(draw.choice([1, 3, 8, 20]))]
    return about | {"recursive_scanning": draw.random() < 0.5, "entries": entries}


def dialogue(draw):
    """Return the messages of a request, some of which are long."""
    roles = ["user", "assistant"] * draw.choice([1, 1, 2, 3, 6])
    roles = ["assistant", *roles] if draw.random() < 0.2 else roles
    roles = roles if draw.random() < 0.1 else roles[:-1]
    longest = draw.choice([4, 4, 12, 60])
    return [Message(role, " ".join(draw.choices(WORDS, k=draw.randint(1, longest))) + "!") for role in roles]


class Engine(Reader):
    """Reads as the server's engines do, and answers nothing."""

    def tokens(self, text):
        return self.tokenizer(text, False, True)["input_ids"]


PROMPTS = """
import { readFileSync } from "node:fs";
import { Lorebook } from "./serve/space/page/local/lorebook.js";
import { Prompts } from "./serve/space/page/local/prompt.js";
const { layout, tokenizer, folded, books } = JSON.parse(readFileSync(process.argv[2], "utf8"));
const prompts = new Prompts(layout, tokenizer);
const found = [];
for (const { book, system, requests } of books) {
  const lorebook = new Lorebook({ ...book, folded });
  prompts.layout.system = system;
  for (const { messages, memory, limit } of requests) {
    const told = prompts.told(prompts.withMemory(messages, memory, []), lorebook, limit);
    const fitted = prompts.fit(told.messages, limit);
    found.push([told.facts, fitted?.ids ?? null, prompts.count(told.messages, 2 * limit)]);
  }
}
console.log(JSON.stringify(found));
"""


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_the_page_tells_the_facts_of_the_server(persona, tmp_path):
    chatml_tokenizer().save_pretrained(tmp_path)
    tokenizer, draw = ChatTokenizer(tmp_path), random.Random(11)
    books, expected, folded = [], [], None
    for number in range(100):
        told_by = persona.model_copy()
        told_by._book = read_book(json.dumps(book(draw)).encode(), "lorebook.json", whole_words=number % 7 == 0)
        told_by = told_by.as_served()
        pieces = lorebook_pieces(told_by)
        folded = pieces.pop("folded")
        requests = []
        for _ in range(4):
            limit, memory = draw.choice([1800, 400, 250]), draw.choice(["", "", "- Lan."])
            reader, settings = Engine(tokenizer, told_by, limit + 100, "chat"), Settings(max_new_tokens=100)
            assert reader.room(settings) == limit and isinstance(reader, CountsTokens)
            messages = dialogue(draw)
            turns = chat.with_memory(messages, memory, [], told_by)
            found = told(SimpleNamespace(engine=reader, persona=told_by, run=None), turns, settings)
            fits = chat.fit(found.messages, tokenizer, told_by, limit, "chat", BLOCKS) is not None
            ids = reader.fit(found.messages, settings, lambda: False).rendered.input_ids if fits else None
            facts = [{"name": fact.name, "text": fact.text} for fact in found.facts]
            expected.append([facts, ids, chat.count(found.messages, tokenizer, told_by, 2 * limit)])
            said = [{"role": m.role, "content": m.content} for m in messages]
            requests.append({"messages": said, "memory": memory, "limit": limit})
        books.append({"book": pieces, "system": told_by.system_prompts, "requests": requests})
    told_any = [one for one in expected if one[0]]
    assert 100 < len(told_any) < 350 and sum(len(one[0]) > 2 for one in told_any) > 30
    given = {"layout": prompt_pieces(tokenizer, persona, "chat"), "tokenizer": plain_tokenizer(tmp_path)}
    file = tmp_path / "given.json"
    file.write_text(json.dumps(given | {"folded": folded, "books": books}), encoding="utf-8")
    run = subprocess.run(
        ["node", "--input-type=module", "-", str(file)],
        input=PROMPTS, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    asked = [(b["book"]["entries"], request) for b in books for request in b["requests"]]
    for request, theirs, ours in zip(asked, expected, json.loads(run.stdout), strict=True):
        assert ours == theirs, request


@pytest.fixture
def light(light):
    """The run, with a lorebook of which a page cannot tell one entry."""
    run = light / "models" / "run-1"
    file = run / "persona.toml"
    file.write_text(file.read_text(encoding="utf-8") + '\n[lorebook]\nfile = "lorebook.json"\n', encoding="utf-8")
    entries = [
        {"keys": ["lợn"], "name": "<b>Lợn</b>", "content": "{{char}} was raised by boars."},
        {"keys": ["/l[ợo]n/i"], "use_regex": True, "name": "<i>Pattern</i>", "content": "Never on a page."},
        {"keys": [], "constant": True, "content": "It is winter."},
    ]
    (run / "lorebook.json").write_text(json.dumps({"entries": entries}), encoding="utf-8")
    return light


@pytest.mark.browser
@needs_chromium[1]
def test_a_reply_on_the_page_shows_the_facts_that_it_was_told(visit, site):
    page = visit(address=site)
    load(page)
    send(page, "Chào")
    assert page.locator(".facts").count() == 0
    send(page, "Một con LỢN")
    box = page.locator(".turn").last.locator("details.facts")
    expect(box.locator("summary")).to_have_text("Điều đã dùng: 1")
    expect(box.locator("li")).to_have_text("<b>Lợn</b> Inosuke was raised by boars.")


def test_the_command_and_the_card_name_what_the_page_cannot_tell(light, tmp_path, monkeypatch):
    monkeypatch.chdir(light)
    done = CliRunner().invoke(space, ["--static", "--out", str(tmp_path / "out")], catch_exceptions=False)
    assert "Not told there:\n  <i>Pattern</i> (entry 2)\n" in done.output
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "- &lt;i&gt;Pattern&lt;/i&gt; (entry 2)\n\nThe model runs in" in card
    sent = json.loads((tmp_path / "out" / "space.json").read_text(encoding="utf-8"))["lorebook"]
    assert "Never on a page." not in json.dumps(sent) and sent["show"]
