"""Two annotators in two clones of a git repository: their logs merge, and every disagreement waits for adjudication."""

from __future__ import annotations

import csv
import json
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from annotations.commands.disagreements import as_csv
from annotations.commands.review import review
from annotations.store.log_sync import refresh
from annotations.store.review_store import ReviewStore
from annotations.store.types import BuiltUpon
from curation.folders import Folders
from curation.persona import Review
from curation.record import Message
from curation.review.decisions import read_log
from curation.review.queue import write_queue
from tests.annotations.conftest import make_item
from tests.conftest import ROOT

SAMPLES = [make_item(i) for i in range(300)]
TEXTS = [(Message("user", "Đi đâu?"), Message("assistant", text)) for text in ("Lên núi!", "Xuống sông!")]
PERSONA = 'name = "Inosuke"\nlanguages = ["vi"]\nsystem_prompt = "Ngươi là Inosuke."\n'


def git(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    identity = ["-c", "user.name=An", "-c", "user.email=an@example.org", "-c", "core.autocrlf=false"]
    return subprocess.run(["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=False)


@dataclass
class Clone:
    """A clone of the project, its annotators and their clock."""

    root: Path
    names: tuple[str, ...]
    skew: float

    def __post_init__(self) -> None:
        self.folders = Folders(self.root)
        self.now = 1_790_000_000.0 + self.skew
        write_queue(SAMPLES, self.folders.queue)
        self.store = ReviewStore(f"sqlite:///{self.folders.datasets / 'review.db'}", clock=self.clock)
        refresh(self.store, self.folders, Review())

    def clock(self) -> float:
        self.now += 1
        return self.now

    def judge(self, verdicts: int, seed: int) -> None:
        chance = random.Random(seed)
        while verdicts:
            who, shown = chance.choice(self.names), self.store.queue.item(chance.choice(SAMPLES).sample.id)
            if chance.random() < 0.1:
                try:
                    self.store.undo(who, shown.id)
                except BuiltUpon:
                    continue
            verdict = chance.choice(["approve", "approve", "reject", "rewrite"])
            messages = chance.choice(TEXTS) if verdict == "rewrite" else None
            shown = self.store.queue.item(shown.id)
            self.store.decide(shown.id, who, verdict, revision=shown.state.revision, messages=messages, seen=shown.seen)
            verdicts -= 1

    def commit(self) -> None:
        assert self.command("sync").exit_code == 0
        git(self.root, "commit", "-qam", "Verdicts")

    def command(self, *arguments: str):
        return CliRunner().invoke(review, [*arguments, "--persona", str(self.root / "persona.toml")])


def make_clones(tmp_path: Path, attributes: str) -> tuple[Clone, Clone]:
    """Return two clones of one repository with an empty log."""
    origin = tmp_path / "origin"
    (origin / "datasets").mkdir(parents=True)
    (origin / ".gitattributes").write_text(attributes, encoding="utf-8")
    (origin / "persona.toml").write_text(PERSONA, encoding="utf-8")
    (origin / ".gitignore").write_text("*.db*\ndatasets/build/\n", encoding="utf-8")
    (origin / "datasets" / "decisions.jsonl").write_text("", encoding="utf-8")
    for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-qm", "Start")):
        assert git(origin, *arguments).returncode == 0
    for name in ("here", "there"):
        assert git(tmp_path, "clone", "-q", str(origin), name).returncode == 0
    return Clone(tmp_path / "here", ("an", "chi"), 0.0), Clone(tmp_path / "there", ("bình", "dung"), -86_400.0)


@pytest.fixture(autouse=True)
def own_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REVIEW_DB", raising=False)


def expected(here: Clone, there: Clone) -> set[str]:
    """Return the samples that the two sides, each alone, left with different verdicts."""
    found = set()
    for item in SAMPLES:
        sides = []
        for clone in (here, there):
            now = clone.store.queue.item(item.sample.id)
            approved = now.messages if now.state.revision else None
            sides.append(None if now.status == "pending" else (now.status, now.status == "approved" and approved))
        if None not in sides and sides[0] != sides[1]:
            found.add(item.sample.id)
    return found


def test_two_clones_500_verdicts_each_merge_and_every_disagreement_waits(tmp_path):
    here, there = make_clones(tmp_path, (ROOT / ".gitattributes").read_text(encoding="utf-8"))
    for seed, clone in enumerate((here, there)):
        clone.judge(500, seed)
        clone.commit()
    differ = expected(here, there)
    assert len(differ) > 50
    merged = git(here.root, "pull", "-q", "--no-rebase", "--no-edit", str(there.root), "main")
    assert (merged.returncode, git(here.root, "ls-files", "-u").stdout) == (0, "")
    synced = json.loads(here.command("sync", "--json").stdout)
    assert (synced["conflicts"], synced["damaged"], synced["markers"]) == (len(differ), 0, 0)
    waiting = {item.id for item in here.store.queue.listing("an", _conflicts(), 300)}
    assert waiting == differ
    assert f"{len(differ)} in conflict: an adjudicator settles them" in here.command("status").output
    status = json.loads(here.command("status", "--json").output)
    assert (status["conflicts"], status["disputes"]) == (len(differ), 0)

    here.commit()
    git(there.root, "pull", "-q", "--no-rebase", "--no-edit", str(here.root), "main")
    there.command("sync")
    for item in SAMPLES:
        assert here.store.queue.item(item.sample.id).state == there.store.queue.item(item.sample.id).state

    out = tmp_path / "disagreements.csv"
    assert f"{len(differ)} samples" in here.command("disagreements", "--out", str(out)).output
    with out.open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert {line["sample"] for line in lines} == differ
    assert {line["disagreement"] for line in lines} == {"conflict"}
    assert all(line["imported"].startswith("user: Ngươi") for line in lines)
    for clone in (here, there):
        clone.store.close()


def _conflicts():
    from annotations.store.queries import Filters

    return Filters(status="conflict")


def test_an_adjudicator_settles_a_conflict_of_two_clones_and_the_export_says_who_did(tmp_path):
    here, there = make_clones(tmp_path, (ROOT / ".gitattributes").read_text(encoding="utf-8"))
    one = SAMPLES[0].sample.id
    for clone, verdict in ((here, "approve"), (there, "reject")):
        shown = clone.store.queue.item(one)
        clone.store.decide(
            one, clone.names[0], verdict, revision=0, seen=shown.seen, reason="no_sense" * (clone is there)
        )
        clone.commit()
    git(here.root, "pull", "-q", "--no-rebase", "--no-edit", str(there.root), "main")
    here.command("sync")
    found = json.loads(here.command("disagreements", "--json").output)
    said = [(v["annotator"], v["verdict"], v["reason"]) for v in found[0]["verdicts"]]
    assert (found[0]["disagreement"], sorted(said)) == (
        "conflict",
        [("an", "approve", ""), ("bình", "reject", "no_sense")],
    )
    shown = here.store.queue.item(one)
    here.store.decide(one, "thầy", "reject", revision=shown.state.revision, seen=shown.seen, adjudicate=True)
    assert here.store.queue.waiting().conflicts == 0
    assert "settled by thầy" in here.command("disagreements").output
    for clone in (here, there):
        clone.store.close()


@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("style", ["merge", "diff3", "zdiff3"])
def test_sync_removes_the_markers_of_a_conflict_where_git_knows_no_driver(tmp_path, style, ends):
    here, there = make_clones(tmp_path, "")
    for clone in (here, there):
        for item in SAMPLES[:3]:
            shown = clone.store.queue.item(item.sample.id)
            clone.store.decide(shown.id, clone.names[0], "approve", revision=0, seen=shown.seen)
        clone.commit()
    git(here.root, "config", "merge.conflictStyle", style)
    assert git(here.root, "pull", "-q", "--no-rebase", "--no-edit", str(there.root), "main").returncode != 0
    log = here.folders.log
    text = log.read_text(encoding="utf-8")
    assert "<<<<<<<" in text and ("|||||||" in text) == (style != "merge")
    damaged = '{"id": "half a li'
    log.write_bytes(
        f"{damaged}\n{text}".replace("\n", ends).encode()
        if ends == "\r\n"
        else f"{text}{text.splitlines()[1]}\n{damaged}\n".encode()
    )
    result = here.command("sync")
    read = read_log(log)
    assert len(read.decisions) == 6
    assert damaged in [line for _, line in read.damaged]
    if ends == "\n":
        assert f"removed {3 if style == 'merge' else 4} conflict markers" in result.output
        assert [line for _, line in read.damaged] == [damaged]
    here.store.close()
    there.store.close()


def test_markers_that_an_earlier_version_moved_to_the_end_are_removed(tmp_path):
    here, there = make_clones(tmp_path, "")
    here.store.decide(SAMPLES[0].sample.id, "an", "approve", revision=0)
    here.commit()
    with here.folders.log.open("a", encoding="utf-8") as file:
        file.write("<<<<<<< HEAD\n=======\n>>>>>>> theirs\n")
    assert "removed 3 conflict markers" in here.command("sync").output
    assert here.folders.log.read_text(encoding="utf-8").count("\n") == 1
    assert here.command("sync").output == ""
    for clone in (here, there):
        clone.store.close()


def test_a_reason_that_looks_like_a_formula_is_text_in_the_csv():
    verdict = {"annotator": "@an", "verdict": "reject", "reason": '=HYPERLINK("x")', "time": "t", "client": "cli"}
    row = {"sample": "s", "disagreement": "conflict", "settled_by": None, "imported": None, "now": None}
    [line] = csv.DictReader(as_csv([row | {"verdicts": [verdict | {"event": "e", "messages": None}]}]).splitlines())
    assert (line["annotator"], line["reason"], line["verdict"]) == ("'@an", '\'=HYPERLINK("x")', "reject")
