"""Feedback that outlives a server's disk: pushed to a private repository, and fetched from there. The Hub is a fake."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading

import httpx
import pytest
from huggingface_hub import HfApi

from curation.errors import InosukeError, UsageError
from curation.importers import read
from serve import create_app
from serve.feedback import pushing
from serve.feedback.inbox import FeedbackIn, Inbox
from serve.feedback.pushing import Pusher
from serve.feedback.repository import FeedbackRepository
from tests.serve.conftest import PROJECT, Parrot, serving
from tests.tools.hub import READER, WRITER, Refusal, environment, running

REPO = "writer/feedback"
SAID = [{"role": "user", "content": "Ngươi mạnh không?"}, {"role": "assistant", "content": "Tôi ổn, cảm ơn ạ."}]


def given(turn, better="Ta mạnh nhất!"):
    return {
        "conversation": "c-1", "turn": turn, "rating": "down", "better": better, "messages": SAID, "consent": True,
    }  # fmt: skip


@pytest.fixture
def hub():
    with running() as server:
        yield server


def lines(hub):
    """Return the lines of the repository, by file."""
    files = hub[REPO].head.files if f"datasets/{REPO}" in hub.repos else {}
    return {path: data.decode().splitlines() for path, data in files.items() if path.endswith(".jsonl")}


def turns(hub):
    return sorted(json.loads(line)["turn"] for found in lines(hub).values() for line in found)


# ---------------------------------------------------------------- the command, killed in both ways


@pytest.fixture
def command(hub, persona, tmp_path):
    """Start `python -m serve` with feedback pushed to the fake Hub; return the process and its address."""
    started = []
    model = create_app({"ENGINE": Parrot(), "PERSONA": persona, "FEEDBACK": None})
    with serving(model) as upstream:

        def start(root):
            (tmp_path / root).mkdir(exist_ok=True)
            shutil.copy(PROJECT / "persona.toml", tmp_path / root)
            env = os.environ | environment(hub.url, str(tmp_path / "hf"))
            env |= {"HF_TOKEN": WRITER, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}
            env |= {"INOSUKE_FEEDBACK_REPO": REPO}
            process = subprocess.Popen(
                [sys.executable, "-m", "serve", "--port", "0", "--engine", "openai", "--url", f"{upstream}/v1"],
                env=env, cwd=tmp_path / root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                encoding="utf-8",
            )  # fmt: skip
            started.append(process)
            return process, next((line.split()[1] for line in process.stdout if line.startswith("Open ")), None)

        yield start
    for process in started:
        process.kill()
        process.communicate()


def give(url, turn):
    assert httpx.post(f"{url}/api/feedback", json=given(turn)).status_code == 204


def until(hub, wanted):
    while turns(hub) != wanted:
        pass


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM")
def test_a_server_that_is_told_to_stop_leaves_nothing_unpushed(hub, command, tmp_path):
    process, url = command("space")
    give(url, 1)
    until(hub, [1])  # the first line goes at once, the next ones wait for the next push
    give(url, 2)
    give(url, 3)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 0
    assert turns(hub) == [1, 2, 3] and len(lines(hub)) == 1
    assert hub[REPO].private
    [here] = (tmp_path / "space" / "datasets" / "feedback").glob("*.jsonl")
    assert [here.read_text(encoding="utf-8").splitlines()] == list(lines(hub).values())
    # The Space starts again, with an empty disk.
    process, url = command("space, restarted")
    give(url, 4)
    # A program that was started in the background by a shell without job control ignores Ctrl+C.
    ignored = signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    process.send_signal(signal.SIGTERM if ignored else signal.SIGINT)
    assert process.wait(60) == 0
    assert turns(hub) == [1, 2, 3, 4] and len(lines(hub)) == 2
    assert WRITER not in process.stderr.read()


def test_what_a_killed_server_had_not_pushed_is_pushed_when_it_starts_again(hub, command, tmp_path):
    process, url = command("kept")
    give(url, 1)
    until(hub, [1])
    give(url, 2)
    give(url, 3)
    process.kill()
    process.wait(60)
    assert turns(hub)[:1] == [1]
    [here] = (tmp_path / "kept" / "datasets" / "feedback").glob("*.jsonl")
    assert [json.loads(line)["turn"] for line in here.read_text(encoding="utf-8").splitlines()] == [1, 2, 3]
    command("kept")
    until(hub, [1, 2, 3])
    assert len(lines(hub)) == 1


def test_a_server_does_not_start_with_a_public_repository(hub, command):
    hub.make(REPO, {}, private=False)
    process, url = command("space")
    _, errors = process.communicate(timeout=60)
    assert url is None and process.returncode == 1
    assert errors.splitlines()[-1].startswith("Error: writer/feedback is public, and feedback is private. Make it")
    assert "Traceback" not in errors and WRITER not in errors


@pytest.mark.parametrize(
    ("token", "name", "says"),
    [
        (READER, REPO, "the token of reader may only read; expected one with the right to write"),
        ("", REPO, "there is no token for writer/feedback. Expected one in HF_TOKEN"),
        ("hf_wrong", REPO, "could not sign in: the Hub answered 401"),
        (WRITER, "feedback", "'feedback' is not a repository for feedback"),
        (WRITER, "https://huggingface.co/datasets/me/x", "Expected OWNER/NAME"),
        (WRITER, "other/x", "could not look at it: the Hub answered 403"),
    ],
)
def test_a_server_that_may_not_push_does_not_start(hub, tmp_path, token, name, says):
    with pytest.raises(InosukeError, match=says):
        Pusher(tmp_path, FeedbackRepository(name, HfApi(endpoint=hub.url, token=token)), print).start()
    assert hub.repos == {}


def test_a_server_that_keeps_no_feedback_has_none_to_push(persona):
    with pytest.raises(UsageError, match="but this server keeps none"):
        create_app({"ENGINE": Parrot(), "PERSONA": persona, "FEEDBACK": None, "FEEDBACK_REPO": REPO})


# ---------------------------------------------------------------- the thread


class Server:
    """The parts of a server that keep feedback."""

    def __init__(self, hub, folder, every=0.0):
        self.folder, self.counted, self.told = folder, [], threading.Event()
        repository = FeedbackRepository(REPO, HfApi(endpoint=hub.url, token=WRITER))
        self.pusher = Pusher(folder, repository, self._count, every)
        self.inbox = Inbox(folder, {"run": "run-1"}, 2**20, self.pusher.wake)

    def _count(self, arrived):
        self.counted.append(arrived)
        self.told.set()

    def give(self, *turns):
        for turn in turns:
            self.inbox.add(FeedbackIn.model_validate(given(turn)))


@pytest.fixture
def server(hub, tmp_path, monkeypatch):
    monkeypatch.setattr(pushing, "_RETRY", 0.01)
    made = []

    def make(name="a", **more):
        made.append(Server(hub, tmp_path / name, **more))
        return made[-1]

    yield make
    for one in made:
        one.pusher.close(0.1)


def test_a_failing_hub_is_tried_again_and_told_without_the_token(hub, server, caplog):
    hub.make(REPO, {}, private=True)
    one = server()
    hub.refusals.append(Refusal("/commit/main", 500, f"broken for {WRITER}", times=3))
    assert "is pushed to writer/feedback" in one.pusher.start()
    one.give(1)
    until(hub, [1])
    one.pusher.close()
    assert one.counted == [False, False, False, True]
    assert caplog.text.count("the Hub answered 500 (broken for <token>). It stays on this disk") == 3
    assert WRITER not in caplog.text and one.pusher.unpushed() == 0


def test_a_server_starts_without_the_hub_and_pushes_once_it_answers(hub, server):
    hub.refusals.append(Refusal("/whoami-v2", 502, "bad gateway"))
    one = server()
    assert "feedback waits on this disk" in one.pusher.start()
    one.give(1)
    until(hub, [1])
    assert hub[REPO].private


def test_what_could_not_be_pushed_before_the_end_is_told(hub, server, caplog):
    hub.refusals.append(Refusal("/commit/main", 500, "broken", times=100_000))
    one = server()
    one.pusher.start()
    one.give(1)
    assert one.told.wait(60)
    one.pusher.close(0.1)
    assert one.pusher.unpushed() > 0
    assert f"bytes of feedback were not pushed to {REPO}. They are in {one.folder}" in caplog.text


def test_a_repository_that_was_made_public_gets_nothing_more(hub, server, caplog):
    one = server()
    one.pusher.start()
    hub[REPO].private = False
    one.give(1)
    assert one.told.wait(60)
    assert one.counted[0] is False and lines(hub) == {}
    assert "is public, and feedback is private" in caplog.text
    hub[REPO].private = True
    until(hub, [1])


def test_servers_that_write_at_once_do_not_undo_each_other(hub, server):
    """Each takes turns with the others: a commit on anything but the newest one is refused, and made again."""
    all_of_them = [server(str(n)) for n in range(4)]
    for one in all_of_them:
        one.pusher.start()
    for turn in range(40):
        all_of_them[turn % 4].give(turn)
    for one in all_of_them:
        one.pusher.close(60)
    assert turns(hub) == list(range(40)) and len(lines(hub)) == 4


def test_two_servers_on_one_disk_push_each_line_once(hub, server):
    both = [server("shared"), server("shared")]
    for one in both:
        one.pusher.start()
    for turn in range(20):
        both[turn % 2].give(turn)
    for one in both:
        one.pusher.close(60)
    assert turns(hub) == list(range(20)) and len(lines(hub)) == 1


def test_a_copy_of_a_disk_does_not_overwrite_what_the_first_one_pushed(hub, server, tmp_path):
    first = server("first")
    first.pusher.start()
    first.give(1)
    until(hub, [1])
    shutil.copytree(tmp_path / "first", tmp_path / "copy")
    first.give(2)
    until(hub, [1, 2])
    copy = server("copy")
    copy.pusher.start()
    copy.give(3)
    copy.pusher.close(60)
    first.give(4)
    first.pusher.close(60)
    assert set(turns(hub)) == {1, 2, 3, 4}


def test_a_line_is_pushed_whole(hub, server):
    one = server()
    one.give(1)
    [path] = one.folder.glob("*.jsonl")
    with path.open("ab") as file:
        file.write(b'{"half')
    one.pusher.start()
    until(hub, [1])


def test_the_counters_tell_of_pushes(hub, server, client, app):
    metrics = app.extensions["inosuke"].metrics
    one = server()
    metrics.watch_feedback(one.pusher.unpushed)
    one.give(1)
    size = sum(p.stat().st_size for p in one.folder.glob("*.jsonl"))
    metrics.feedback_pushed(True)
    text = client.get("/metrics").get_data(as_text=True)
    assert f"inosuke_feedback_unpushed_bytes {float(size)}" in text
    assert 'inosuke_feedback_pushes_total{outcome="ok"} 1.0' in text


# ---------------------------------------------------------------- fetched


def pull(hub, tmp_path, *more, token=WRITER):
    env = os.environ | environment(hub.url, str(tmp_path / "hf")) | {"HF_TOKEN": token}
    return subprocess.run(
        [sys.executable, "-m", "inosuke", "feedback", "pull", *more], env=env, cwd=PROJECT,
        capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip


def test_pull_fetches_each_line_once_into_the_folder_that_the_dataset_reads(hub, server, tmp_path, persona):
    a, b = server("a"), server("b")
    for one in (a, b):
        one.pusher.start()
    a.give(1, 2)
    b.give(1)  # the visitor thinks again, and reaches another server
    for one in (a, b):
        one.pusher.close(60)
    into = tmp_path / "datasets" / "feedback"
    args = (REPO, "--into", str(into), "--json")
    first = json.loads(pull(hub, tmp_path, *args).stdout)
    assert (first["new"], first["there"]) == (3, 3)
    assert json.loads(pull(hub, tmp_path, *args).stdout) == first | {"new": 0}
    [path] = into.glob("*")
    found = read(path, persona)
    assert [s.source.locator.split()[-1] for s in found.samples] == ["2", "1"]
    assert [r.reason for r in found.rejected] == ["superseded"]
    # On a server's own disk, its lines are there already.
    own = json.loads(pull(hub, tmp_path, REPO, "--into", str(a.folder), "--json").stdout)
    assert own["new"] == 1


def test_pull_reports_a_repository_that_it_cannot_read(hub, tmp_path):
    hub.make(REPO, {"x/2026-11-30.jsonl": b"[]\n"}, private=True)
    wrong = pull(hub, tmp_path, REPO, "--into", str(tmp_path / "in"), token=READER)
    assert wrong.returncode == 1 and "the Hub answered 404" in wrong.stderr and "Traceback" not in wrong.stderr
    strange = pull(hub, tmp_path, REPO, "--into", str(tmp_path / "in"))
    assert strange.returncode == 1 and "expected lines of feedback" in strange.stderr
    assert not (tmp_path / "in").exists()
