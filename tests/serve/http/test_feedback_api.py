"""From a thumb on the page to the annotator's queue."""

import json
import subprocess
import sys

import httpx
import pytest
from click.testing import CliRunner

from curation.errors import InosukeError, UsageError
from curation.importers import read
from serve import create_app
from serve.commands.feedback import feedback as command
from serve.feedback.pull_remote import pull_feedback
from tests.serve.conftest import PROJECT, serving

KEY = "the-owners-own-key"
SAID = [{"role": "user", "content": "Ngươi mạnh không?"}, {"role": "assistant", "content": "Tôi ổn, cảm ơn ạ."}]
GIVEN = {
    "conversation": "c-1",
    "turn": 3,
    "rating": "down",
    "better": "Ta mạnh nhất!",
    "messages": SAID,
    "consent": True,
}


@pytest.fixture
def app(parrot, persona, tmp_path):
    return create_app({"ENGINE": parrot, "PERSONA": persona, "ROOT": tmp_path, "FEEDBACK_KEY": KEY})


@pytest.fixture
def kept(tmp_path):
    def lines():
        files = sorted((tmp_path / "datasets" / "feedback").glob("*.jsonl"))
        return [json.loads(line) for f in files for line in f.read_text(encoding="utf-8").splitlines()]

    return lines


def test_feedback_with_consent_is_one_line(client, kept):
    response = client.post("/api/feedback", json=GIVEN)
    assert (response.status_code, response.get_data()) == (204, b"")
    [line] = kept()
    assert line.pop("time").endswith("+00:00")
    assert len(line["conversation"]) == 16 and line.pop("conversation") != "c-1"  # a hash
    whose = {"run": None, "character": "Inosuke", "model": "parrot-1"}
    assert line == {"turn": 3, "rating": "down", "better": "Ta mạnh nhất!", "messages": SAID, **whose}


@pytest.mark.parametrize("consent", [False, None, "true", 1, "missing"])
def test_without_consent_nothing_is_kept_or_checked(client, kept, consent):
    body = {k: v for k, v in GIVEN.items() if k != "consent"} | {"rating": "nonsense"}
    response = client.post("/api/feedback", json=body if consent == "missing" else body | {"consent": consent})
    assert response.status_code == 403
    assert '`"consent": true`' in response.json["error"]["message"].replace("send ", "")
    assert kept() == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"messages": [*SAID, *SAID]}, "not the whole conversation"),
        ({"messages": SAID[:1]}, "at least 2 items"),
        ({"messages": [SAID[0]] * 9 + [SAID[1]]}, "at most 6 items"),
        ({"messages": SAID[::-1]}, "the one reply"),
        ({"rating": "meh"}, "`rating`"),
        ({"better": "x" * 4001}, "at most 4000 characters"),
        ({"better": " "}, "the message is empty"),
        ({"better": "a\x00"}, "control characters"),
        ({"conversation": "../../etc/passwd"}, "`conversation`"),
        ({"turn": -1}, "greater than or equal to 0"),
        ({"turn": "../a"}, "`turn"),
        ({"chat": []}, "unknown key `chat`"),
    ],
)
def test_feedback_that_is_wrong_names_its_key(client, kept, change, says):
    response = client.post("/api/feedback", json=GIVEN | change)
    assert response.status_code == 400 and says in response.json["error"]["message"]
    assert kept() == []


def test_the_page_is_told_whether_feedback_is_kept(client, parrot, persona, tmp_path):
    assert client.get("/api/info").json["feedback"] is True
    off = create_app({"ENGINE": parrot, "PERSONA": persona, "ROOT": tmp_path, "FEEDBACK": None}).test_client()
    assert off.get("/api/info").json["feedback"] is False
    assert off.post("/api/feedback", json=GIVEN).status_code == 404


def test_another_site_cannot_leave_feedback(client, kept):
    assert client.post("/api/feedback", json=GIVEN, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert kept() == []


def test_only_the_owner_fetches_it(client, parrot, persona, tmp_path):
    client.post("/api/feedback", json=GIVEN)
    assert client.get("/api/feedback").status_code == 403
    assert client.get("/api/feedback", headers={"Authorization": "Bearer wrong"}).status_code == 403
    fetched = client.get("/api/feedback", headers={"Authorization": f"Bearer {KEY}"})
    assert (fetched.mimetype, len(fetched.get_data().splitlines())) == ("application/x-ndjson", 1)
    without_key = create_app({"ENGINE": parrot, "PERSONA": persona, "ROOT": tmp_path}).test_client()
    assert without_key.get("/api/feedback", headers={"Authorization": "Bearer "}).status_code == 404


# ---------------------------------------------------------------- into the queue


def test_the_importers_read_what_the_server_wrote(client, tmp_path, persona):
    up = {"turn": 5, "rating": "up", "better": None}
    for change in ({}, up, {"turn": 7, "better": None}, {"turn": 8}, {"turn": 8, "rating": None, "better": None}):
        client.post("/api/feedback", json=GIVEN | change)
    client.post("/api/feedback", json=GIVEN | {"better": "Ta là vua núi rừng!"})  # thinks again about turn 3
    [path] = (tmp_path / "datasets" / "feedback").glob("*.jsonl")
    found = read(path, persona)
    conversation = found.samples[0].source.locator.split()[1]
    assert [(s.replies[-1], s.flags[0].code, s.source.locator) for s in found.samples] == [
        (SAID[1]["content"], "feedback_up", f"conversation {conversation} turn 5"),
        (SAID[1]["content"], "feedback_down", f"conversation {conversation} turn 7"),
        ("Ta là vua núi rừng!", "feedback_better", f"conversation {conversation} turn 3"),
    ]
    assert {s.source.importer for s in found.samples} == {"feedback"}
    assert [r.reason for r in found.rejected] == ["superseded", "superseded", "withdrawn"]
    assert SAID[1]["content"] in found.samples[-1].flags[0].detail  # the annotator sees the original reply


def test_feedback_on_another_character_is_not_imported(client, tmp_path, persona):
    client.post("/api/feedback", json=GIVEN)
    [path] = (tmp_path / "datasets" / "feedback").glob("*.jsonl")
    line = json.loads(path.read_text(encoding="utf-8"))
    theirs = line | {"character": "Anne", "turn": 4}
    older = {key: value for key, value in line.items() if key != "character"} | {"turn": 5}
    path.write_text("".join(json.dumps(row) + "\n" for row in (line, theirs, older)), encoding="utf-8")
    found = read(path, persona)
    assert [s.source.locator.split(" ", 2)[2] for s in found.samples] == ["turn 3", "turn 5"]
    assert [(r.reason, r.source.locator.split(" ", 2)[2]) for r in found.rejected] == [("other_character", "turn 4")]


def test_a_turn_is_named_by_its_id_and_older_numbers_are_still_understood(client, tmp_path, persona):
    other = {"messages": [SAID[0], {"role": "assistant", "content": "Hừ!"}]}
    client.post("/api/feedback", json=GIVEN | other)  # as the first page sent it: another reply, and this one
    client.post("/api/feedback", json=GIVEN | {"turn": 5})
    for change in ({"better": None}, {"rating": None, "better": None}):  # rated, then withdrawn
        client.post("/api/feedback", json=GIVEN | {"turn": "00ff00ff00ff00ff"} | change)
    [path] = (tmp_path / "datasets" / "feedback").glob("*.jsonl")
    assert "00ff00ff00ff00ff" not in path.read_text(encoding="utf-8")
    found = read(path, persona)
    assert [s.source.locator.split(" ", 2)[2] for s in found.samples] == ["turn 3"]
    assert [r.reason for r in found.rejected] == ["superseded", "superseded", "withdrawn"]


def test_the_next_dataset_puts_feedback_before_an_annotator(client, tmp_path, project):
    from curation.commands.dataset import dataset

    rows = [{"instruction": f"Hỏi {n}", "input": "", "output": f"Ta trả lời {n}!"} for n in range(12)]
    root = project({"handwritten/conversations.json": json.dumps(rows, ensure_ascii=False)})
    assert root == tmp_path
    client.post("/api/feedback", json=GIVEN)
    made = CliRunner().invoke(dataset, ["--persona", str(root / "persona.toml"), "--json"], catch_exceptions=False)
    result = json.loads(made.stdout)
    assert result["awaiting_review"] == 1
    assert result["flagged"]["feedback_better"] == 1
    assert result["approved"] == 12


# ---------------------------------------------------------------- fetched from a Space


def test_pull_adds_what_is_new_and_forgets_nothing(app, client, tmp_path):
    client.post("/api/feedback", json=GIVEN)
    into = tmp_path / "here"
    with serving(app) as url:
        path, *counts = pull_feedback(url, KEY, into)
        assert counts == [1, 1, 0]
        assert pull_feedback(url, KEY, into) == (path, 0, 1, 0)
        httpx.post(f"{url}/api/feedback", json=GIVEN | {"turn": 4})
        for old in (tmp_path / "datasets" / "feedback").glob("*.jsonl"):  # the Space has restarted
            old.write_text(old.read_text(encoding="utf-8").splitlines()[-1] + "\n", encoding="utf-8")
        assert pull_feedback(url, KEY, into) == (path, 1, 2, 0)
        assert [json.loads(line)["turn"] for line in path.read_text(encoding="utf-8").splitlines()] == [3, 4]
        with pytest.raises(InosukeError, match=r"refused the request \(403\): only the owner of this server can fetch"):
            pull_feedback(url, "wrong", into)
        done = CliRunner().invoke(command, ["pull", url, "--key", KEY, "--into", str(into), "--json"])
        assert json.loads(done.stdout) == {"path": str(path), "new": 0, "there": 2, "left_out": 0}


@pytest.mark.parametrize("corpus", [True, False])
def test_pull_says_where_the_next_dataset_would_not_read_the_feedback(app, client, tmp_path, corpus):
    client.post("/api/feedback", json=GIVEN)
    data = tmp_path / "clone" / "datasets"
    data.mkdir(parents=True)
    if corpus:
        (data / "corpus.json").write_text('{"path": "../mine"}', encoding="utf-8")
    with serving(app) as url:
        done = CliRunner().invoke(command, ["pull", url, "--key", KEY, "--into", str(data / "feedback")])
    assert ("built from a corpus alone" in done.stdout) is corpus and "make dataset" in done.stdout


@pytest.mark.parametrize("strange", ["\u2028", "\u2029"])
def test_a_line_separator_inside_a_text_does_not_end_the_line(app, client, tmp_path, strange):
    better = f"Ta mạnh nhất!{strange}Hừ!"
    client.post("/api/feedback", json=GIVEN | {"better": better})
    with serving(app) as url:
        path, *counts = pull_feedback(url, KEY, tmp_path / "here")
        assert counts == [1, 1, 0]
        assert pull_feedback(url, KEY, tmp_path / "here") == (path, 0, 1, 0)
    [line] = path.read_text(encoding="utf-8").strip("\n").split("\n")
    assert json.loads(line)["better"] == better


@pytest.mark.parametrize("broken", ["{", "[1]", "{}", "[" * 100_000])
def test_one_line_that_is_not_feedback_does_not_stop_the_rest(app, client, tmp_path, broken):
    client.post("/api/feedback", json=GIVEN)
    [kept] = (tmp_path / "datasets" / "feedback").glob("*.jsonl")
    kept.write_text(f"{broken}\n{kept.read_text(encoding='utf-8')}", encoding="utf-8")
    with serving(app) as url:
        done = CliRunner().invoke(command, ["pull", url, "--key", KEY, "--into", str(tmp_path / "here")])
    assert "1 new of 1" in done.stdout
    assert f"1 lines of {url} are not feedback and were left out" in done.stderr


def test_pull_reports_what_is_wrong(tmp_path):
    with pytest.raises(UsageError, match="is not an address"):
        pull_feedback("owner/space", KEY, tmp_path)
    with pytest.raises(UsageError, match="no key"):
        pull_feedback("http://127.0.0.1:9", None, tmp_path)
    with pytest.raises(InosukeError, match="does not answer"):
        pull_feedback("http://127.0.0.1:9", KEY, tmp_path)


def test_pull_keeps_nothing_of_another_kind_of_server(tmp_path):
    def answer(_):
        return httpx.Response(200, text="<html>hello</html>")

    client = httpx.Client(transport=httpx.MockTransport(answer))
    with pytest.raises(InosukeError, match="Check its address"):
        pull_feedback("http://somewhere.example", KEY, tmp_path / "new", client)
    assert not (tmp_path / "new").exists()


def test_feedback_is_on_the_disk_and_has_a_limit(app, client, kept, monkeypatch):
    synced = []
    monkeypatch.setattr("serve.feedback.inbox.os.fsync", synced.append)
    assert client.post("/api/feedback", json=GIVEN).status_code == 204
    assert synced
    app.extensions["inosuke"].feedback._limit = 600
    statuses = [client.post("/api/feedback", json=GIVEN).status_code for _ in range(4)]
    assert statuses[-1] == 507 and len(kept()) == 1 + statuses.count(204)
    assert client.post("/api/feedback", json=GIVEN).json["error"]["code"] == "feedback_full"


ADDS = """
import sys
import time
from pathlib import Path
from serve.feedback import inbox as module
from serve.feedback.inbox import FeedbackIn, Inbox, InboxFull, feedback_files

def slow(folder):
    found = feedback_files(folder)
    time.sleep(0.003)  # a disk in the network: time for the other server to write between a look and a line
    return found

module.feedback_files = slow
inbox = Inbox(Path(sys.argv[1]), {}, int(sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
kept = 0
for number in range(60):
    one = FeedbackIn.model_validate_json(sys.argv[3])
    try:
        inbox.add(one.model_copy(update={"turn": number, "better": "a" * number * 30}))
        kept += 1
    except InboxFull:
        pass
print(kept)
"""


def test_servers_that_share_a_folder_write_one_line_after_the_other_and_keep_the_limit(tmp_path):
    arguments = [sys.executable, "-c", ADDS, str(tmp_path / "shared"), "60000", json.dumps(GIVEN)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": PROJECT}
    servers = [subprocess.Popen(arguments, **pipes) for _ in range(2)]
    for one in servers:
        assert one.stdout.readline() == "ready\n"
    for one in servers:
        one.stdin.write("go\n")
        one.stdin.flush()
    kept = [int(one.communicate(timeout=120)[0]) for one in servers]
    text = b"".join(path.read_bytes() for path in sorted((tmp_path / "shared").glob("*.jsonl")))
    lines = [json.loads(line) for line in text.splitlines()]
    assert len(lines) == sum(kept) < 120 and all(kept)
    assert len(text) <= 60000 < len(text) + 2500  # the limit is for both together
    assert [line["time"] for line in lines] == sorted(line["time"] for line in lines)  # the last one is the newest
