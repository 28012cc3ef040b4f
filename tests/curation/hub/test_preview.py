"""What `inosuke publish` shows and asks before it sends anything."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from curation.record import Message, Sample
from curation.review.decisions import State
from tests.curation.conftest import Shell
from tests.tools.exports import PERSONA_FILE, SAMPLES, sample, write
from tests.tools.hub import READER, WRITER, FakeHub
from tests.tools.terminals import answered

REPO = "writer/lines"
MANY = [sample(f"Câu {n}?", f"Ta trả lời câu số {n}! {'Hú' * n}!") for n in range(12)]
PRIVATE = sample("Ai đấy?", "Ta! Mở ra!", rights="private", source="transcripts/ep1.srt")
Go = Callable[..., tuple[int, str, str]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copy(PERSONA_FILE, tmp_path / "persona.toml")
    return tmp_path


@pytest.fixture
def go(root: Path, shell: Shell) -> Go:
    def run(*options: str, repo: str = REPO, token: str | None = WRITER) -> tuple[int, str, str]:
        return shell("publish", repo, "--persona", root / "persona.toml", *options, token=token)

    return run


def export(root: Path, samples: Iterable[Sample], states: dict[str, State] | None = None) -> None:
    write(root / "datasets" / "export", list(samples), states, imported={"conversation": 12})


def test_a_dry_run_prints_what_a_publication_would_change(root: Path, go: Go, hub: FakeHub) -> None:
    export(root, MANY)
    assert go()[::2] == (0, "")
    new = replace(MANY[0], messages=(MANY[0].messages[0], Message("assistant", "Ta viết lại!")))
    more = sample("Thêm?", "Thêm một bát nữa!")
    state = State(status="approved", revision=1, messages=new.messages, reviewers=("an",))
    export(root, [new, *MANY[3:], more], states={new.id: state})
    commits = len(hub[REPO].commits)
    status, said, error = go("--dry-run")
    assert (status, error, len(hub[REPO].commits)) == (0, "", commits)
    assert said.startswith("writer/lines: would be published (version ")
    assert (
        "\n  visible   public\n  licence   cc-by-4.0\n  origin    datasets/sources/handwritten: own, cc-by-4.0; The li"
        in said
    )
    assert "\n  rows      1 added, 1 rewritten, 2 (17%) removed of the 12 published as " in said
    assert "\n  tried     chat: loaded whole (train 10, eval 1)\n            instruct: loaded whole" in said
    facts = json.loads(go("--dry-run", "--json")[1])
    assert facts["rows"] | {"since": ""} == {"added": 1, "rewritten": 1, "removed": 2, "before": 12, "since": ""}
    assert (facts["visibility"], facts["licence"], facts["questions"]) == ("public", "cc-by-4.0", [])
    assert go()[0] == 0
    assert hub[REPO].head.description.startswith("1 added, 2 removed, 1 rewritten")


@pytest.mark.parametrize(("kept", "asks"), [(8, False), (7, True), (0, True)])
def test_removing_more_than_a_third_wants_yes(kept: int, asks: bool, root: Path, go: Go, hub: FakeHub) -> None:
    export(root, MANY)
    assert go()[0] == 0
    before = hub[REPO].head
    export(root, [*MANY[:kept], *SAMPLES])
    status, said, error = go()
    assert status == int(asks), error
    if asks:
        assert f"{12 - kept} of the 12 published rows would be removed" in error and "--yes" in error
        assert "`inosuke dataset --corpus FOLDER`" in error and "rows      4 added" in said
        assert hub[REPO].head is before
        assert go("--json")[:2] == (1, ""), "a script gets no half answer"
        assert go("--yes")[0] == 0
    assert hub[REPO].head is not before


def test_the_starter_corpus_does_not_replace_another_one_unasked(
    root: Path, shell: Shell, go: Go, hub: FakeHub
) -> None:
    """The way it happened: a corpus is published, then a message says to run `inosuke dataset` and publish again."""
    persona = (root / "persona.toml").read_text(encoding="utf-8")
    mine = persona.replace('[corpus]\nrights = "private"', '[corpus]\nrights = "own"\nlicense = "cc0-1.0"')
    (root / "persona.toml").write_text(mine, encoding="utf-8")

    def lines(name: str) -> str:
        rows = [{"instruction": f"Hỏi: Câu {n}?", "input": "", "output": f"{name} {n}! {'Hú' * n}!"} for n in range(9)]
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    for folder, name in (("Bí mật của Mai/quyển 2", "Gió"), ("datasets/sources/handwritten", "Suối")):
        (root / folder).mkdir(parents=True)
        (root / folder / "quotes.vi.jsonl").write_text(lines(name), encoding="utf-8")
    where = ["--persona", root / "persona.toml"]
    assert shell("dataset", "--corpus", root / "Bí mật của Mai", *where)[0] == 0
    status, said, error = go()
    assert status == 0, error
    assert "built from Bí mật của Mai\n" in said and "licence   cc0-1.0" in said
    card = hub[REPO].head.files["README.md"].decode()
    assert "original fan writing" not in card and "CC BY" not in card
    for content in hub[REPO].head.files.values():
        assert "Mai" not in content.decode("utf-8", "replace"), "the name of a local folder"

    assert shell("dataset", *where)[0] == 0
    assert go()[1].startswith("writer/lines: unchanged, no commit")
    assert shell("dataset", "--starter", *where)[0] == 0
    status, said, error = go()
    assert status == 1 and "9 of the 9 published rows would be removed" in error
    assert "note      the published version was built from a corpus" in said
    assert len(hub[REPO].commits) == 2


def test_the_repository_decides_what_is_private_and_not_the_flag(root: Path, go: Go, hub: FakeHub) -> None:
    export(root, [*SAMPLES, PRIVATE])
    assert "visible   new, private\n" in go("--private")[1]
    rows = hub[REPO].head.files["jsonl/chat.eval.jsonl"]
    assert "Mở ra".encode() in rows
    status, said, error = go()
    assert (status, said.split(" (")[0]) == (0, "writer/lines: unchanged, no commit"), error
    assert "visible   private\n" in said and "left out" not in said
    assert hub[REPO].head.files["jsonl/chat.eval.jsonl"] == rows and hub[REPO].private
    assert json.loads(go("--dry-run", "--json")[1])["left_out"] == {}

    hub[REPO].private = False  # its owner opens it, private rows and all
    status, said, _ = go("--dry-run")
    assert status == 0 and "left out  private 1" in said and "visible   public\n" in said
    assert "Warning: the version that is published holds 1 samples that may not be public" in said


def test_a_dry_run_says_where_the_hub_was_not_asked(root: Path, go: Go, hub: FakeHub) -> None:
    export(root, SAMPLES)
    status, said, _ = go("--dry-run", token=None)
    assert status == 0 and "visible   not known: there is no token to ask the Hub with. A new public" in said
    assert hub.requests == []
    assert go("--dry-run", token=READER)[0] == 1
    assert go("--dry-run")[0] == 0 and hub.repos == {}, "nothing is created"
    assert not any(request.startswith(("POST", "PUT", "DELETE")) for request in hub.requests)


def test_rows_that_may_not_be_public_say_that_the_dataset_is_built_again(root: Path, go: Go, hub: FakeHub) -> None:
    export(root, [PRIVATE])
    status, _, error = go()
    assert status == 1 and re.search(r"set `rights` of the folder .*then run `inosuke dataset`.*publish again", error)
    assert hub.repos == {}, "nothing was created for it"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("answer", "published"), [("y", True), ("n", False), ("", False)])
def test_on_a_terminal_it_shows_and_asks(
    answer: str, published: bool, root: Path, hub: FakeHub, environment: dict[str, str]
) -> None:
    export(root, SAMPLES)
    variables = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"} | environment
    command = ["publish", REPO, "--persona", str(root / "persona.toml")]
    status, text = answered(command, answer, variables, lambda: not hub.repos)
    assert text.startswith("writer/lines: would be published") and "visible   new, public" in text
    assert (status == 0) is published, text
    assert bool(hub.repos) is published
    assert ("Error: not published. Nothing was uploaded." in text) is not published
