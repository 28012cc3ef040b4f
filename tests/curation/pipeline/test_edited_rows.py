"""`inosuke dataset` after rows were edited in their source: sides, verdicts and the diff follow the row."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner

from curation.commands.dataset import dataset
from curation.commands.dataset_diff import diff
from curation.folders import Folders
from curation.record import Message
from curation.review.decisions import Decision, Log, Verdict, fold, read_log, write_log
from curation.review.queue import read_queue

Project = Callable[..., Path]
THINGS = """núi suối hang rừng đá gió mưa tuyết sấm lửa khói tro cáo gấu cú cua ong kiến lá rễ vỏ quả hạt măng khoai nấm
bếp nồi chăn áo giày gậy dây lưới thuyền cầu đê ruộng trâu gà vịt mèo chó ngựa dê cừu sói hổ báo voi rùa rắn ếch tôm"""


def reply(number: int) -> str:
    """Return a line of eleven words that no other one resembles."""
    return f"Ta {' '.join(Random(number).sample(THINGS.split(), 10))}!"


def quotes(replies: Iterable[str]) -> str:
    prompt = "Nói một câu đậm chất Inosuke (ngắn)."
    return json.dumps([{"instruction": prompt, "input": "", "output": r} for r in replies], ensure_ascii=False)


def run(root: Path, command: Any = dataset, *options: str) -> dict[str, Any]:
    """Run a command as the user does; return what it prints as JSON."""
    arguments = [*options, "--persona", str(root / "persona.toml"), "--json"]
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def sides(root: Path) -> dict[str, str]:
    """Return the side of each reply of the newest export."""
    export = Folders(root).export / (Folders(root).export / "latest").read_text(encoding="utf-8").strip()
    found = {}
    for side in ("train", "eval"):
        for text in (export / "jsonl" / f"chat.{side}.jsonl").read_text(encoding="utf-8").splitlines():
            found[json.loads(text)["messages"][-1]["content"]] = side
    return found


LINES = [reply(k) for k in range(60)]
FILE = "handwritten/quotes.vi.json"


def edited(text: str) -> str:
    return text.rstrip("!") + " đó!"


def source(root: Path, name: str = FILE) -> Path:
    return root / "datasets" / "sources" / name


def in_place(root: Path) -> None:
    source(root).write_text(quotes(map(edited, LINES)), encoding="utf-8")


def in_another_order(root: Path) -> None:
    source(root).write_text(quotes(map(edited, LINES[::-1])), encoding="utf-8")


def in_another_file(root: Path) -> None:
    source(root).unlink()
    source(root, "handwritten/quotes.new.json").write_text(quotes(map(edited, LINES[30:] + LINES[:30])), "utf-8")


def with_rows_before_them(root: Path) -> None:
    more = [reply(100 + k) for k in range(5)]
    source(root).write_text(quotes([*more, *map(edited, LINES)]), encoding="utf-8")


def without_the_last_export(root: Path) -> None:
    in_place(root)
    shutil.rmtree(Folders(root).export)


def in_a_fresh_clone(root: Path) -> None:
    in_another_order(root)
    shutil.rmtree(Folders(root).export)
    shutil.rmtree(root / "datasets" / "build")


def with_a_memory_of_an_older_version(root: Path) -> None:
    in_another_order(root)
    path = Folders(root).split
    rows = [json.loads(text) for text in path.read_text(encoding="utf-8").splitlines()]
    path.write_text("".join(json.dumps({"id": r["id"], "side": r["side"]}) + "\n" for r in rows), encoding="utf-8")


def with_such_a_memory_and_the_export_alone(root: Path) -> None:
    with_a_memory_of_an_older_version(root)
    shutil.rmtree(root / "datasets" / "build")


@pytest.mark.parametrize(
    "edit",
    [
        in_place,
        in_another_order,
        in_another_file,
        with_rows_before_them,
        without_the_last_export,
        in_a_fresh_clone,
        with_a_memory_of_an_older_version,
        with_such_a_memory_and_the_export_alone,
    ],
)
def test_no_edited_row_changes_sides(project: Project, edit: Callable[[Path], None]) -> None:
    root = project({FILE: quotes(LINES)})
    run(root)
    before = sides(root)
    assert sorted(before.values()).count("eval") == 6
    edit(root)
    run(root)
    after = sides(root)
    assert {edited(text): side for text, side in before.items()}.items() <= after.items()
    # And once more: the edits are known by now.
    source(root).write_text(quotes(edited(edited(text)) for text in LINES), encoding="utf-8")
    source(root, "handwritten/quotes.new.json").unlink(missing_ok=True)
    run(root)
    assert {edited(edited(text)): side for text, side in before.items()}.items() <= sides(root).items()


def test_rows_that_only_moved_keep_their_ids_and_sides(project: Project) -> None:
    root = project({FILE: quotes(LINES)})
    run(root)
    before = sides(root)
    swapped = [LINES[1], LINES[0], *LINES[2:]]
    source(root).write_text(quotes(swapped), encoding="utf-8")
    assert run(root)["approved"] == 60 and sides(root) == before
    source(root).rename(source(root, "handwritten/quotes.renamed.json"))
    assert run(root)["approved"] == 60 and sides(root) == before


def test_two_clones_that_edit_and_merge_agree(project: Project, tmp_path: Path) -> None:
    root = project({FILE: quotes(LINES)})
    run(root)
    before = sides(root)
    other = tmp_path.parent / f"{tmp_path.name}-other"
    shutil.copytree(root, other)
    source(root).write_text(quotes([*map(edited, LINES[:30]), *LINES[30:]]), encoding="utf-8")
    source(other).write_text(quotes([*LINES[:30], *map(edited, LINES[30:])]), encoding="utf-8")
    for clone in (root, other):
        run(clone)
    for name in ("split.jsonl", "decisions.jsonl"):  # as git merges them: by union
        mine, theirs = (clone / "datasets" / name for clone in (root, other))
        lines = dict.fromkeys([*mine.read_text("utf-8").splitlines(), *theirs.read_text("utf-8").splitlines()])
        mine.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    in_place(root)
    run(root)
    assert {edited(text): side for text, side in before.items()} == sides(root)


def test_the_diff_calls_an_edited_row_rewritten(project: Project) -> None:
    root = project({FILE: quotes(LINES)})
    first = run(root)["version"]
    source(root).write_text(quotes([*map(edited, LINES[:3]), *LINES[4:], reply(200)]), encoding="utf-8")
    second = run(root)["version"]
    found = run(root, diff, first, second)
    assert sorted(c["new"].rpartition(": ")[2] for c in found["rewritten"]) == sorted(map(edited, LINES[:3]))
    assert all(c["why"].startswith("edited in its source: ") for c in found["rewritten"])
    assert [c["old"].rpartition(": ")[2] for c in found["removed"]] == [LINES[3]]
    assert [c["new"].rpartition(": ")[2] for c in found["added"]] == [reply(200)]
    assert found["moved"] == []
    # Over two builds, and without the file that remembers them.
    source(root).write_text(quotes([*(edited(edited(t)) for t in LINES[:3]), *LINES[4:], reply(200)]), "utf-8")
    third = run(root)["version"]
    assert len(run(root, diff, first, third)["rewritten"]) == 3
    Folders(root).split.unlink()
    assert len(run(root, diff, first, third)["rewritten"]) == 3


# ---------------------------------------------------------------- verdicts


def judge(root: Path, text: str, verdict: Verdict, rewrite: str = "", who: str = "mai") -> str:
    """Put a person's verdict on the sample with this reply into the log; return the sample's id."""
    (item,) = [i for i in read_queue(Folders(root).queue) if i.sample.replies == (text,)]
    messages = (*item.sample.messages[:-1], Message("assistant", rewrite)) if rewrite else None
    log = read_log(Folders(root).log)
    event = Decision(
        id=f"{len(log.decisions):032x}",
        sample_id=item.sample.id,
        revision=0,
        verdict=verdict,
        messages=messages,
        reason="no_sense" if verdict == "reject" else "",
        annotator=who,
        client="streamlit",
        time="2026-01-01T00:00:00.000+00:00",
    )
    write_log(Folders(root).log, Log((*log.decisions, event)))
    return item.sample.id


def untrusted(root: Path) -> None:
    path = root / "persona.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("trusted = true", "trusted = false"), encoding="utf-8")


def sample(root: Path, text: str) -> Any:
    """Return the queue's sample with this reply, its status, and its flags' codes."""
    (item,) = [i for i in read_queue(Folders(root).queue) if i.sample.replies == (text,)]
    states = fold(read_log(Folders(root).log).decisions)
    status = states[item.sample.id].status if item.sample.id in states else "pending"
    return status, sorted(f.code for f in item.sample.flags), item.sample


OLD, RESPELT = "Ta không sợ, ta húc đổ cái hòa thượng to kia!", "Ta không sợ – ta húc đổ cái hòa thượng to kia!!"
CHANGED = "Ta không sợ, ta húc đổ cái cổng to kia!"
WRITTEN = "Ta chẳng ngán, ta húc đổ cái cổng chùa!"


@pytest.mark.parametrize(
    ("trusted", "verdict", "rewrite", "now", "status", "flags"),
    [
        # what was approved stays approved in another spelling, and waits in other words
        (False, "approve", "", RESPELT, "approved", []),
        (False, "approve", "", CHANGED, "pending", ["edited_since_review"]),
        (True, "approve", "", CHANGED, "approved", ["edited_since_review"]),
        # what was rejected waits, in a trusted folder too
        (False, "reject", "", CHANGED, "pending", ["review_outdated"]),
        (True, "reject", "", CHANGED, "pending", ["review_outdated"]),
        (True, "reject", "", RESPELT, "pending", ["review_outdated"]),
        # a rewrite is kept, or shown, or found in the source
        (True, "rewrite", WRITTEN, RESPELT, "approved", []),
        (True, "rewrite", WRITTEN, CHANGED, "pending", ["review_outdated"]),
        (False, "rewrite", WRITTEN, WRITTEN, "approved", []),
        # no verdict, no flag
        (True, "note", "", CHANGED, "approved", []),
        (False, "skip", "", CHANGED, "pending", []),
        # other words at the same place are another row
        (False, "reject", "", "Cơm đâu?", "pending", []),
    ],
)
def test_a_verdict_follows_the_words(
    project: Project,
    trusted: bool,
    verdict: Verdict,
    rewrite: str,
    now: str,
    status: str,
    flags: list[str],
) -> None:
    root = project({FILE: quotes([OLD, *LINES])})
    if not trusted:
        untrusted(root)
    run(root)
    old = judge(root, OLD, verdict, rewrite)
    run(root)
    source(root).write_text(quotes([now, *LINES]), encoding="utf-8")
    for _ in range(2):  # a later build knows the same
        run(root)
        found = sample(root, now)
        assert found[:2] == (status, flags)
        source(root, "handwritten/quotes.more.json").write_text(quotes([reply(300)]), encoding="utf-8")
    for flag in found[2].flags:
        assert f"like {old}, which mai" in flag.detail
        assert WRITTEN in flag.detail or verdict != "rewrite"
    if verdict == "rewrite" and now == RESPELT:
        assert WRITTEN in sides(root) and RESPELT not in sides(root)


def test_a_new_verdict_ends_the_flag_and_copied_events_stay_as_they_are(project: Project) -> None:
    root = project({FILE: quotes([OLD, *LINES])})
    untrusted(root)
    run(root)
    judge(root, OLD, "approve")
    run(root)
    source(root).write_text(quotes([RESPELT, *LINES]), encoding="utf-8")
    run(root)
    log = read_log(Folders(root).log)
    (copied,) = [e for e in log.decisions if e.sample_id == sample(root, RESPELT)[2].id]
    assert (copied.annotator, copied.client, copied.verdict) == ("mai", "streamlit", "approve")
    source(root).write_text(quotes([CHANGED, *LINES]), encoding="utf-8")
    run(root)
    assert sample(root, CHANGED)[:2] == ("pending", ["edited_since_review"])
    judge(root, CHANGED, "approve", who="an")
    run(root)
    assert sample(root, CHANGED)[:2] == ("approved", [])
    assert log.decisions == tuple(e for e in read_log(Folders(root).log).decisions if e.annotator == "mai")


def test_a_damaged_queue_is_reported_and_the_build_goes_on(project: Project) -> None:
    root = project({FILE: quotes(LINES)})
    run(root)
    before = sides(root)
    in_place(root)
    Folders(root).queue.write_bytes(b"no parquet")
    report = json.loads(
        CliRunner().invoke(dataset, ["--persona", str(root / "persona.toml"), "--json"]).stdout.splitlines()[0]
    )
    assert "edited rows are recognised by" in report["errors"][0]
    assert {edited(text): side for text, side in before.items()} == sides(root)
