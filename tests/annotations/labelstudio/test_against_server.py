"""The bridge against a real Label Studio (`make test-label-studio`): there and back; an interruption loses nothing.

Every test has its own project on the one server that the session starts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from annotations.labelstudio import poll, project, push_tasks
from annotations.labelstudio.compare import compare
from annotations.labelstudio.connection import LabelStudioError, Server, connect
from annotations.labelstudio.interface import MARK, line_name, reply_name, speaker_name
from annotations.labelstudio.poll import hints, registered, watch
from annotations.labelstudio.project import find
from annotations.labelstudio.pull_verdicts import Pulled, pull
from annotations.labelstudio.push_tasks import close_decided, push
from annotations.labelstudio.tasks import to_task
from annotations.store.event_log import EventLog
from annotations.store.log_sync import sync_store
from annotations.store.panels import drawn_panel
from annotations.store.queries import Filters
from curation.errors import InosukeError
from curation.folders import Folders
from curation.persona import Review
from curation.record import Message
from tests.annotations.labelstudio.project import SCENE, Annotator, Desk, item, real_samples
from tests.conftest import ROOT
from tests.tools.labelstudio_server import EMAIL, PASSWORD, TOKEN, LabelStudioServer, ensure_venv

pytestmark = pytest.mark.label_studio


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudioServer]:
    ensure_venv()
    server = LabelStudioServer(tmp_path_factory.mktemp("label-studio") / "data")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def hoa_token(running: LabelStudioServer) -> str:
    return running.sign_up("Hoa@example.org")


@pytest.fixture
def there(running: LabelStudioServer) -> Server:
    return Server(running.url, TOKEN)


@pytest.fixture
def owner(running: LabelStudioServer) -> Annotator:
    return Annotator(running.url, TOKEN)


@pytest.fixture
def hoa(running: LabelStudioServer, hoa_token: str) -> Annotator:
    return Annotator(running.url, hoa_token)


@pytest.fixture
def title(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)[:50]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    opened = Desk(tmp_path / "project", [item(0, SCENE), *(item(n) for n in range(1, 6))])
    yield opened
    opened.store.close()


def number(server: Server, title: str) -> int:
    found = find(server, title)
    assert found is not None
    return found.id


def events(desk: Desk) -> dict[str, tuple[Any, ...]]:
    """Return (verdict, annotator, reason) of each sample, without undone events and notes."""
    log = desk.store.log.events()
    undone = {e.reason for e in log if e.verdict == "undo"}
    kept = (e for e in log if e.id not in undone and e.verdict not in ("undo", "note"))
    return {e.sample_id: (e.verdict, e.annotator, e.reason) for e in kept}


def notes(desk: Desk) -> list[str]:
    return [e.reason for e in desk.store.log.events() if e.verdict == "note"]


def test_two_thousand_real_samples_there_and_two_annotators_back(
    tmp_path: Path, there: Server, owner: Annotator, hoa: Annotator, title: str
) -> None:
    from tests.conftest import load_persona

    samples = real_samples(1999, load_persona(ROOT / "persona.toml"))
    desk = Desk(tmp_path, [item(0, SCENE), *samples])
    pushed = push(there, title, desk.persona, desk.store)
    assert (pushed.created, pushed.new) == (True, 2000)
    tasks = owner.tasks(number(there, title))
    assert set(tasks) == {i.sample.id for i in desk.items}
    assert all(t["total_predictions"] == 1 for t in tasks.values())

    ids = [i.sample.id for i in desk.items]
    owner.submit(tasks[ids[1]], "approve")
    hoa.submit(tasks[ids[2]], "reject", reasons=["not_his_voice"], notes="quá hiền")
    hoa.submit(tasks[ids[0]], "rewrite", replies=["Ta lên núi!", "Nhanh lên, đồ rùa!"])
    hoa.skip(tasks[ids[3]])
    hoa.draft(tasks[ids[4]], "approve")
    pulled = pull(there, title, desk.persona, desk.store, {"hoa@EXAMPLE.org": "hoa"})
    assert (pulled.annotations, pulled.new, pulled.problems) == (3, 3, [])
    assert events(desk) == {
        ids[1]: ("approve", EMAIL, ""),
        ids[2]: ("reject", "hoa", "wrong_voice"),
        ids[0]: ("rewrite", "hoa", ""),
    }
    assert notes(desk) == ["quá hiền"]
    rewritten = desk.store.queue.item(ids[0])
    assert [m.content for m in rewritten.messages if m.role == "assistant"] == ["Ta lên núi!", "Nhanh lên, đồ rùa!"]
    assert rewritten.messages[0] == SCENE[0] and rewritten.status == "approved"

    assert push(there, title, desk.persona, desk.store).new == 0
    before = desk.store.log.events()
    again = pull(there, title, desk.persona, desk.store, {"hoa@example.org": "hoa"})
    assert (again.annotations, again.new, again.undone) == (3, 0, 0)
    assert desk.store.log.events() == before
    both = compare(there, title, desk.persona, desk.store, {"hoa@example.org": "hoa"})
    assert both.same and (both.tasks_there, both.open_here, both.outdated) == (2000, 1997, 1), both


def test_an_edit_or_a_deletion_made_later_arrives_as_a_new_event(
    desk: Desk, there: Server, owner: Annotator, title: str
) -> None:
    push(there, title, desk.persona, desk.store)
    tasks = owner.tasks(number(there, title))
    ids = [i.sample.id for i in desk.items]
    edited, deleted = owner.submit(tasks[ids[1]], "approve"), owner.submit(tasks[ids[2]], "approve")
    first = pull(there, title, desk.persona, desk.store)
    owner.change(edited, tasks[ids[1]], "reject", reasons=["no_sense"])
    owner.delete(f"api/annotations/{deleted}/")
    second = pull(there, title, desk.persona, desk.store, since=first.newest)
    assert (second.new, second.undone) == (1, 2)
    assert events(desk) == {ids[1]: ("reject", EMAIL, "no_sense")}
    assert desk.store.queue.item(ids[2]).status == "pending"
    assert pull(there, title, desk.persona, desk.store).undone == 0


def test_a_conflict_with_a_verdict_of_the_desk_goes_to_adjudication(
    desk: Desk, there: Server, owner: Annotator, title: str
) -> None:
    push(there, title, desk.persona, desk.store)
    sample = desk.items[0].sample.id
    task = owner.tasks(number(there, title))[sample]
    owner.submit(task, "rewrite", replies=["Khác!", "Khác!"])
    better = (*SCENE[:3], Message("assistant", "Nhanh lên!"))
    desk.store.decide(sample, "minh", "rewrite", revision=0, messages=better)
    pulled = pull(there, title, desk.persona, desk.store)
    assert (pulled.new, pulled.conflicts) == (1, 1)
    assert desk.store.queue.item(sample).messages == better, "the desk's text was not overwritten"
    assert desk.store.queue.count("minh", Filters(status="conflict")) == 1


def test_a_push_survives_the_server_being_killed(
    desk: Desk, running: LabelStudioServer, there: Server, owner: Annotator, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.queue([item(n) for n in range(600)])
    monkeypatch.setattr(push_tasks, "BATCH", 100)
    send, batches = push_tasks._send, iter(range(99))
    killer = threading.Timer(0.05, running.kill)

    def killing(project: Any, tasks: Any) -> None:
        if next(batches) == 2:
            killer.start()  # while the server works on this batch
        send(project, tasks)

    monkeypatch.setattr(push_tasks, "_send", killing)
    with pytest.raises(LabelStudioError, match="run the command again"):
        push(there, title, desk.persona, desk.store)
    killer.join()
    running.start()
    carried_on = push(there, title, desk.persona, desk.store)
    # A batch is there as a whole or not at all; how many had arrived is up to the machine.
    assert carried_on.already_there in range(200, 600, 100) and carried_on.new == 600 - carried_on.already_there
    found = find(there, title)
    assert found is not None
    keys, foreign = found.keys()
    assert sorted(k.sample_id for k in keys) == sorted(i.sample.id for i in desk.items)
    assert all(len(ids) == 1 for ids in keys.values()) and foreign == []


def test_a_pull_survives_the_server_being_killed(
    desk: Desk, running: LabelStudioServer, there: Server, owner: Annotator, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.queue([item(n) for n in range(30)])
    push(there, title, desk.persona, desk.store)
    for task in owner.tasks(number(there, title)).values():
        owner.submit(task, "approve")
    monkeypatch.setattr(project, "PAGE", 10)
    add = EventLog.add

    def killing(log: EventLog, decisions: Any) -> int:
        running.kill()
        return add(log, decisions)

    monkeypatch.setattr(EventLog, "add", killing)
    with pytest.raises(LabelStudioError):
        pull(there, title, desk.persona, desk.store)
    monkeypatch.setattr(EventLog, "add", add)
    assert len(desk.store.log.events()) == 10
    running.start()
    assert pull(there, title, desk.persona, desk.store).new == 20
    assert len(desk.store.log.events()) == 30 and len({e.sample_id for e in desk.store.log.events()}) == 30


def test_a_duplicate_task_of_an_interrupted_push_is_deleted(desk: Desk, there: Server, title: str) -> None:
    push(there, title, desk.persona, desk.store)
    found = find(there, title)
    assert found is not None
    first = desk.items[1]
    push_tasks._send(found, [to_task(first, 0, first.sample.messages, desk.persona)])
    assert compare(there, title, desk.persona, desk.store).doubled == 1
    assert push(there, title, desk.persona, desk.store).doubled == 1
    assert compare(there, title, desk.persona, desk.store).doubled == 0


def test_a_batch_that_the_server_loses_is_reported(
    desk: Desk, there: Server, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as losing:
        losing.setattr(push_tasks, "_send", lambda project, tasks: None)
        with pytest.raises(LabelStudioError, match=r"6 tasks that .* took are not there"):
            push(there, title, desk.persona, desk.store)
    assert push(there, title, desk.persona, desk.store).new == 6


def test_another_persona_updates_the_page_and_keeps_the_annotations(
    desk: Desk, there: Server, owner: Annotator, title: str
) -> None:
    push(there, title, desk.persona, desk.store)
    owner.submit(owner.tasks(number(there, title))[desk.items[1].sample.id], "approve")
    renamed = desk.persona.model_copy(update={"name": "Zenitsu"})
    assert not push(there, title, renamed, desk.store).created
    found = find(there, title)
    assert found is not None and "Nghe có giống Zenitsu không?" in found.interface
    assert pull(there, title, renamed, desk.store).new == 1


def test_a_project_of_the_same_name_with_another_interface_is_left_alone(desk: Desk, there: Server, title: str) -> None:
    theirs = '<View><Text name="t" value="$t"/><Choices name="c" toName="t"><Choice value="x"/></Choices></View>'
    made: Any = connect(there).projects.create(title=title, label_config=theirs)
    for work in (push, pull, compare):
        with pytest.raises(LabelStudioError, match="has another labeling interface"):
            work(there, title, desk.persona, desk.store)
    assert connect(there).projects.get(made.id).label_config == theirs


def test_tasks_that_others_added_or_deleted_are_reported(
    desk: Desk, there: Server, owner: Annotator, title: str
) -> None:
    push(there, title, desk.persona, desk.store)
    project = number(there, title)
    sample = desk.items[1].sample.id
    task = owner.tasks(project)[sample]
    owner.submit(task, "approve")
    pull(there, title, desk.persona, desk.store)
    owner.delete(f"api/tasks/{task['id']}/")
    theirs = {k: v for k, v in task["data"].items() if k != "sample_id"}
    owner.http.post(f"api/projects/{project}/import", json=[{"data": theirs}]).raise_for_status()
    foreign = next(t for key, t in owner.tasks(project).items() if key.startswith("foreign"))
    owner.http.post(f"api/tasks/{foreign['id']}/annotations/", json={"result": []}).raise_for_status()
    pulled = pull(there, title, desk.persona, desk.store)
    assert pulled.undone == 0 and desk.store.queue.item(sample).status == "approved"
    assert [p for p in pulled.problems if "not made by `inosuke label-studio push`" in p]
    assert [p for p in pulled.problems if "was deleted in Label Studio; the approve by" in p]
    assert push(there, title, desk.persona, desk.store).foreign == 1
    assert len(pull(there, title, desk.persona, desk.store).problems) == 1, "the deletion is noted now"


def test_an_annotation_from_an_unknown_user_waits(
    desk: Desk, there: Server, owner: Annotator, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(there, title, desk.persona, desk.store)
    owner.submit(owner.tasks(number(there, title))[desk.items[1].sample.id], "approve")
    with monkeypatch.context() as unknown:
        unknown.setattr("annotations.labelstudio.pull_verdicts._people", lambda project, names: {})
        pulled = pull(there, title, desk.persona, desk.store)
    assert pulled.new == 0 and "does not say who user" in pulled.problems[0]
    assert pull(there, title, desk.persona, desk.store).new == 1


def test_a_wrong_token_is_an_error_message(desk: Desk, running: LabelStudioServer, title: str) -> None:
    with pytest.raises(LabelStudioError, match="The token is wrong or has expired"):
        push(Server(running.url, "f" * 40), title, desk.persona, desk.store)


def test_a_personal_access_token_works(desk: Desk, running: LabelStudioServer, owner: Annotator, title: str) -> None:
    settings = {"api_tokens_enabled": True, "legacy_api_tokens_enabled": True, "api_token_ttl_days": 30}
    owner.http.post("api/jwt/settings", json=settings).raise_for_status()
    with httpx.Client(base_url=running.url, timeout=60) as http:
        answer = http.post("api/token/", headers=dict(owner.http.headers)).raise_for_status()
    personal = Server(running.url, answer.json()["token"])
    assert personal.token.startswith("eyJ")
    assert push(personal, title, desk.persona, desk.store).new == 6


def test_watch_pulls_on_a_hint_and_survives_a_restart(
    desk: Desk, running: LabelStudioServer, there: Server, owner: Annotator, title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(there, title, desk.persona, desk.store)
    tasks = owner.tasks(number(there, title))
    hint, stop, failed, looked = (threading.Event() for _ in range(4))
    arrived = threading.Semaphore(0)

    def report(news: Pulled | InosukeError) -> None:
        failed.set() if isinstance(news, InosukeError) else arrived.release()

    def looking(*arguments: Any, **options: Any) -> Pulled:
        try:
            return pull(*arguments, **options)
        finally:
            looked.set()

    monkeypatch.setattr(poll, "pull", looking)

    def work(interval: float) -> threading.Thread:
        thread = threading.Thread(
            target=watch,
            args=(there, title, desk.persona, desk.store),
            kwargs={"interval": interval, "hint": hint, "stop": stop, "report": report},
        )
        thread.start()
        return thread

    # An hour between polls: after the first one, only the webhook can bring this annotation.
    with hints(there, title, "127.0.0.1:0", None, hint):
        thread = work(3600)
        assert looked.wait(120)
        owner.submit(tasks[desk.items[1].sample.id], "approve")
        assert arrived.acquire(timeout=120)
        stop.set()
        hint.set()
        thread.join(120)
    assert owner.http.get("api/webhooks/").json() == [], "nothing is left registered"
    # Without webhooks, and with the server away for a while.
    stop.clear()
    thread = work(0.5)
    running.kill()
    assert failed.wait(120)
    running.start()
    owner.submit(tasks[desk.items[2].sample.id], "approve")
    assert arrived.acquire(timeout=120)
    stop.set()
    hint.set()
    thread.join(120)
    assert len(desk.store.log.events()) == 2


def test_watch_closes_the_task_of_a_sample_that_the_desk_decides(
    desk: Desk, there: Server, owner: Annotator, title: str
) -> None:
    push(there, title, desk.persona, desk.store)
    tasks = owner.tasks(number(there, title))
    here = desk.items[0].sample.id
    desk.store.decide(here, "An", "approve", revision=0)
    hint, stop = threading.Event(), threading.Event()

    def close() -> None:
        close_decided(there, title, desk.persona, desk.store)
        stop.set()
        hint.set()

    watch(
        there,
        title,
        desk.persona,
        desk.store,
        interval=3600,
        hint=hint,
        stop=stop,
        report=lambda _: None,
        close=close,
    )
    assert set(owner.tasks(number(there, title))) == set(tasks) - {here}


def test_the_webhook_of_a_killed_watch_is_removed_and_others_stay(
    desk: Desk, there: Server, owner: Annotator, title: str
) -> None:
    push(there, title, desk.persona, desk.store)
    project = number(there, title)
    body = {"project": project, "send_for_all_actions": False, "actions": poll._ACTIONS}
    for url in ("http://127.0.0.1:8091/left-behind", "http://127.0.0.1:80919/elsewhere"):
        owner.http.post("api/webhooks/", json=body | {"url": url}).raise_for_status()

    def urls() -> set[str]:
        listed = owner.http.get("api/webhooks/", params={"project": project}).raise_for_status().json()
        return {hook["url"] for hook in listed}

    with registered(there, title, "http://127.0.0.1:8091", "/secret"):
        assert urls() == {"http://127.0.0.1:8091/secret", "http://127.0.0.1:80919/elsewhere"}
    assert urls() == {"http://127.0.0.1:80919/elsewhere"}
    for hook in owner.http.get("api/webhooks/").json():
        owner.delete(f"api/webhooks/{hook['id']}/")


def test_a_second_clone_that_has_the_log_pulls_nothing_new(
    desk: Desk, there: Server, owner: Annotator, title: str, tmp_path: Path
) -> None:
    push(there, title, desk.persona, desk.store)
    owner.submit(owner.tasks(number(there, title))[desk.items[1].sample.id], "approve")
    pull(there, title, desk.persona, desk.store)
    sync_store(desk.store, Folders(desk.root))
    clone = Desk(tmp_path / "clone", desk.items)
    shutil.copy(Folders(desk.root).log, Folders(clone.root).log)
    assert compare(there, title, clone.persona, clone.store).same and clone.store.log.events() == []
    assert pull(there, title, clone.persona, clone.store).new == 0
    assert clone.store.log.events() == desk.store.log.events()
    clone.store.close()


def test_the_command_shows_its_token_nowhere(
    desk: Desk, running: LabelStudioServer, title: str, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN, encoding="utf-8")
    file.chmod(0o600)
    environment = {k: v for k, v in os.environ.items() if k != "REVIEW_DB"} | {
        "LABEL_STUDIO_URL": running.url,
        "LABEL_STUDIO_API_KEY_FILE": str(file),
    }
    code = "from annotations.commands.label_studio import label_studio as c; c()"
    options = ["--project", title, "--persona", str(desk.root / "persona.toml")]
    for command, wanted in ((["push", "--json"], '"new": 6'), (["pull"], "0 new verdicts"), (["status"], "the same")):
        process = subprocess.Popen(
            [sys.executable, "-c", code, *command, *options],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        listed = Path(f"/proc/{process.pid}/cmdline").read_bytes()
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0 and wanted in output, output
        assert TOKEN not in output and TOKEN.encode() not in listed


def next_task(annotator: Annotator, project: int) -> int | None:
    """Return the id of the task that the label stream hands out next, None where there is none left."""
    answer = annotator.http.get(f"api/projects/{project}/next")
    return None if answer.status_code == 404 else int(answer.raise_for_status().json()["id"])


def test_tasks_decided_at_the_desk_are_closed_and_work_on_them_stays(
    desk: Desk, there: Server, owner: Annotator, hoa: Annotator, title: str
) -> None:
    push(there, title, desk.persona, desk.store)
    project = number(there, title)
    tasks = owner.tasks(project)
    ids = [i.sample.id for i in desk.items]
    hoa.draft(tasks[ids[1]], "approve")
    hoa.skip(tasks[ids[2]])
    for sample in ids[:4]:
        desk.store.decide(sample, "minh", "approve", revision=0)
    both = compare(there, title, desk.persona, desk.store)
    assert both.to_close == 4
    pushed = push(there, title, desk.persona, desk.store)
    assert (pushed.closed, pushed.marked, pushed.new) == (2, 2, 0)
    left = owner.tasks(project)
    assert set(left) == set(ids[1:3] + ids[4:]), "a draft and a skipped task are somebody's work"
    assert "đã được quyết ở nơi khác" in left[ids[1]]["data"]["about"]
    handed_out = set()
    while (task := next_task(owner, project)) is not None:
        handed_out.add(task)
        owner.submit({"id": task, "data": next(t for t in left.values() if t["id"] == task)["data"]}, "approve")
    assert handed_out == {left[i]["id"] for i in ids[4:]}
    assert compare(there, title, desk.persona, desk.store).to_close == 0

    for _ in range(4):
        desk.store.undo("minh")
    again = push(there, title, desk.persona, desk.store)
    assert (again.new, again.reopened) == (2, 2)
    opened = owner.tasks(project)
    assert opened[ids[1]]["data"]["about"] == tasks[ids[1]]["data"]["about"]
    assert next_task(owner, project) in {opened[i]["id"] for i in ids[:4]}


def test_a_panel_gets_each_of_its_tasks_twice_and_the_others_once(
    desk: Desk, there: Server, owner: Annotator, hoa: Annotator, title: str
) -> None:
    desk.queue([item(n) for n in range(12)])
    review = Review(overlap=0.5, annotators=2)
    persona = desk.persona.model_copy(update={"review": review})
    push(there, title, persona, desk.store)
    project = number(there, title)
    tasks = owner.tasks(project)
    panels = {i.sample.id for i in desk.items if drawn_panel(i.sample.id, review) == 2}
    assert 0 < len(panels) < 12
    given: dict[str, int] = dict.fromkeys(tasks, 0)
    by_id = {t["id"]: (sample, t) for sample, t in tasks.items()}
    for annotator in (owner, hoa):
        while (task := next_task(annotator, project)) is not None:
            sample, body = by_id[task]
            annotator.submit(body, "approve")
            given[sample] += 1
    assert given == {sample: 1 + (sample in panels) for sample in tasks}
    pull(there, title, persona, desk.store)
    assert all(desk.store.queue.item(sample).status == "approved" for sample in tasks)
    assert push(there, title, persona, desk.store).new == 0


def test_a_verdict_that_was_taken_back_is_handed_out_to_another_annotator(
    desk: Desk, there: Server, owner: Annotator, hoa: Annotator, title: str
) -> None:
    desk.queue(desk.items[1:2])
    push(there, title, desk.persona, desk.store)
    project = number(there, title)
    (task,) = owner.tasks(project).values()
    owner.submit(task, "approve")
    pull(there, title, desk.persona, desk.store)
    assert next_task(hoa, project) is None
    (event,) = desk.store.log.events()
    desk.store.dismiss(event.id, "minh")
    push(there, title, desk.persona, desk.store)
    assert next_task(hoa, project) == task["id"] and next_task(owner, project) is None


def test_new_guidelines_reasons_and_instructions_reach_the_project(
    desk: Desk, there: Server, owner: Annotator, title: str
) -> None:
    push(there, title, desk.persona, desk.store)
    project = number(there, title)
    owner.submit(owner.tasks(project)[desk.items[0].sample.id], "reject", reasons=["not_his_voice"])

    def told() -> str:
        return str(owner.http.get(f"api/projects/{project}/").json()["expert_instruction"])

    before = told()
    style = desk.persona.style.model_copy(update={"avoid": ("xin vui lòng <b>ạ</b>",)})
    push(there, title, desk.persona.model_copy(update={"style": style}), desk.store)
    assert told() != before and "xin vui lòng &lt;b&gt;ạ&lt;/b&gt;" in told()
    changed = owner.http.get(f"api/projects/{project}/").json()
    push(there, title, desk.persona.model_copy(update={"style": style}), desk.store)
    assert owner.http.get(f"api/projects/{project}/").json() == changed, "nothing differs, so nothing is written"
    push(there, title, desk.persona, desk.store, language="en")
    assert "Only Submit counts" in told() and pull(there, title, desk.persona, desk.store).new == 1


def test_the_ground_truth_of_a_task_wins(
    desk: Desk, there: Server, owner: Annotator, hoa: Annotator, title: str
) -> None:
    push(there, title, desk.persona, desk.store)
    sample = desk.items[1].sample.id
    task = owner.tasks(number(there, title))[sample]
    first, second = owner.submit(task, "approve"), hoa.submit(task, "reject", reasons=["no_sense"])
    pull(there, title, desk.persona, desk.store)
    assert desk.store.queue.item(sample).status == "approved"
    owner.http.patch(f"api/annotations/{second}/", json={"ground_truth": True}).raise_for_status()
    pull(there, title, desk.persona, desk.store)
    assert desk.store.queue.item(sample).status == "rejected", first
    assert desk.store.queue.count("minh", Filters(status="conflict")) == 0


@pytest.fixture
def page(running: LabelStudioServer) -> Iterator[Callable[[str], Any]]:
    """Open pages in Chromium as the owner."""
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = Path("/usr/bin/chromium")
    if not chromium.exists():
        pytest.skip(f"{chromium} is missing: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": 1400, "height": 1100})
        tab.set_default_timeout(90_000)
        tab.goto(f"{running.url}user/login/")
        tab.fill("input[name=email]", EMAIL)
        tab.fill("input[name=password]", PASSWORD)
        tab.click("button[type=submit]")
        tab.wait_for_url(lambda address: "login" not in address)

        def visit(path: str) -> Any:
            tab.goto(f"{running.url}{path}")
            return tab

        yield visit
        browser.close()


def test_an_annotator_in_chromium_corrects_a_prefilled_reply_and_submits(
    desk: Desk, there: Server, owner: Annotator, title: str, page: Callable[[str], Any], tmp_path: Path
) -> None:
    push(there, title, desk.persona, desk.store)
    sample = desk.items[0].sample.id
    project = number(there, title)
    tab = page(f"projects/{project}/data?task={owner.tasks(project)[sample]['id']}")
    sheet = tab.locator(f".{MARK}")  # the list of tasks beside it shows the same texts
    sheet.get_by_text("Quyết định", exact=True).wait_for()
    for message in SCENE:
        sheet.get_by_text(message.content, exact=True).first.wait_for()  # fails after a while
    for speaker in ("Tanjiro", "Zenitsu", "Inosuke"):
        sheet.get_by_text(speaker, exact=True).first.wait_for()
    filled = [sheet.locator(f'[name^="{reply_name(n)}:"]') for n in (1, 2)]
    assert [area.inner_text() for area in filled] == [SCENE[1].content, SCENE[3].content]
    filled[1].hover()
    sheet.get_by_label("Edit Region").nth(1).click()
    area = sheet.locator('textarea[name^="reply_2:"]')
    area.fill("Nhanh lên, đồ rùa!")
    area.blur()
    # The others' names and words are folded away.
    sheet.get_by_text("Những người khác: tên và lời", exact=True).click()
    for name, words in ((speaker_name(2), "Nezuko"), (line_name(2), "Đợi em với!")):
        shown = sheet.locator(f'[name^="{name}:"]').first
        shown.hover()
        row = shown.locator("xpath=ancestor::*[.//*[@aria-label='Edit Region']][1]")
        row.get_by_label("Edit Region").first.click()
        tab.screenshot(path=tmp_path / "others.png")
        box = sheet.locator(f':is(input, textarea)[name^="{name}:"]')  # of one row, the page makes an input
        box.fill(words)
        box.blur()
    sheet.get_by_text("Quyết định", exact=True).click()  # away from the fields, for the hotkey
    tab.keyboard.press("e")  # the hotkey of `rewrite`
    sheet.get_by_role("textbox").last.fill("chậm quá")  # typed and not added: submitting adds it
    tab.screenshot(path=tmp_path / "task.png")
    with tab.expect_response(lambda r: r.request.method == "POST" and "/annotations" in r.url) as answer:
        tab.get_by_role("button", name="Submit").click()
    assert answer.value.status == 201
    assert pull(there, title, desk.persona, desk.store).new == 1
    others = Message("user", "Đợi em với!", "Nezuko")
    assert desk.store.queue.item(sample).messages == (*SCENE[:2], others, Message("assistant", "Nhanh lên, đồ rùa!"))
    assert events(desk) == {sample: ("rewrite", EMAIL, "")} and notes(desk) == ["chậm quá"]
    assert all(e.seconds > 0 for e in desk.store.log.events() if e.verdict == "rewrite"), "the server's lead time"
