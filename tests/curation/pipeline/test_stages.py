"""`inosuke dataset`, end to end on small projects: what comes in, what goes out, and what a bad file causes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from curation.commands.dataset import dataset
from curation.commands.dataset_diff import diff as diff_command
from curation.contracts.manifest import read_manifest
from curation.contracts.rows import read_chat_rows
from curation.errors import InosukeError
from curation.folders import Folders
from curation.newest import newest_export
from curation.pipeline.stages import build
from curation.record import Message
from curation.review.decisions import Decision, Log, Verdict, read_log, write_log
from curation.review.queue import read_queue
from curation.split.history import read_memory
from tests.conftest import ROOT

Project = Callable[..., Path]

REPLIES = [
    "Bụng ta đang gầm như thác đổ đây!",
    "Leo lên đỉnh núi rồi hãy nói chuyện với ta!",
    "Cái khiên gỗ đó à? Ta cắn một phát là gãy!",
    "Mưa thì mặc mưa, heo rừng có mang ô bao giờ!",
    "Hừ! Hắn khóc thì ta chia cho nửa củ khoai.",
    "Sao trời nhiều thế kia, ta húc rụng hết cho coi!",
    "Ngủ hả? Mắt trái ngủ, mắt phải canh bếp!",
    "Đường thẳng là đường của ta, cây tự tránh ra!",
    "Ông già câu cá kia tặng ta con cá to nhất xóm.",
    "Biển mặn chát, ai đổ muối vào suối của ta vậy?",
    "Gió nói có kẻ đến từ phía đông, mùi sắt, mùi mồ hôi.",
    "Đấm bao cát thì chán, đấm thác nước mới đã tay!",
]
PROMPTS = [
    "Đói chưa?", "Rảnh không?", "Thấy khiên mới chưa?", "Trời mưa rồi.", "Zenitsu khóc kìa.", "Sao đẹp nhỉ?",
    "Cậu ngủ kiểu gì?", "Đi lối nào đây?", "Ai cho cậu cá?", "Biển thế nào?", "Nghe thấy gì không?", "Tập gì hôm nay?",
]  # fmt: skip
ROWS = [{"instruction": f"Hỏi: {p}", "input": "", "output": r} for p, r in zip(PROMPTS, REPLIES, strict=True)]


def jsonl(*rows: object) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def verdict(
    letter: str, sample: str, kind: Verdict, messages: tuple[Message, ...] | None = None, reason: str = ""
) -> Decision:
    return Decision(
        id=letter * 32,
        sample_id=sample,
        revision=0,
        verdict=kind,
        messages=messages,
        reason=reason,
        annotator="mai",
        client="streamlit",
        time="2026-01-01T00:00:00.000+00:00",
    )


def files_below(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        p.relative_to(folder).as_posix(): (p.stat().st_mtime_ns, p.read_bytes())
        for p in sorted(folder.rglob("*"))
        if p.is_file() and p.name != ".lock"
    }


def test_an_authors_own_rows_become_an_export(project: Project) -> None:
    root = project({"handwritten/conversations.vi.jsonl": jsonl(*ROWS)})
    report = build(root / "persona.toml", quiet=True)
    assert report.imported == {"persona": 0, "quote": 0, "conversation": 12, "generic_qa": 0}
    assert (report.approved, report.awaiting_review) == (12, 0)
    assert sum(report.exported.values()) == 12 and report.exported["eval"] >= 1
    export = Path(str(report.path))
    rows = [json.loads(line) for line in (export / "jsonl" / "instruct.train.jsonl").read_text("utf-8").splitlines()]
    asked = {(row["instruction"].removeprefix("Hỏi: "), row["output"]) for row in ROWS}
    assert all((row["instruction"], row["output"]) in asked and not row["input"] for row in rows)
    assert rows[0]["source"] == "datasets/sources/handwritten/conversations.vi.jsonl"
    assert rows[0]["locator"].startswith("row ")


def test_near_samples_reach_training_as_one_group_and_others_as_their_own(project: Project) -> None:
    near = {"instruction": "Hỏi: Đói chưa hả?", "input": "", "output": REPLIES[0].replace("gầm", "gào")}
    root = project({"handwritten/conversations.vi.jsonl": jsonl(*ROWS, near)})
    export = Path(str(build(root / "persona.toml", quiet=True).path))
    rows = [row for side in ("train", "eval") for row in read_chat_rows(export, side)]
    groups = Counter(row.group for row in rows)
    assert sorted(groups.values()) == [1] * 11 + [2]
    (twins,) = [[r for r in rows if r.group == group] for group, n in groups.items() if n == 2]
    assert all("như thác đổ" in row.messages[-1].content for row in twins)


def test_the_log_says_who_approved_what_and_why(project: Project) -> None:
    root = project({"handwritten/a.jsonl": jsonl(*ROWS)})
    build(root / "persona.toml", quiet=True)
    first = read_log(Folders(root).log).decisions[0]
    assert (first.verdict, first.annotator, first.client) == ("approve", "starter-corpus", "import")
    assert first.reason == "the author's own writing: datasets/sources/handwritten is marked trusted in persona.toml"


def test_everything_else_waits_for_review(project: Project) -> None:
    root = project({"transcripts/a.jsonl": jsonl(*ROWS)})
    report = build(root / "persona.toml", quiet=True)
    assert (report.approved, report.awaiting_review, report.version) == (0, 12, None)
    assert not Folders(root).log.exists()
    assert len(read_queue(Folders(root).queue)) == 12


def test_a_second_run_writes_nothing(project: Project) -> None:
    root = project({"handwritten/a.jsonl": jsonl(*ROWS)})
    first = build(root / "persona.toml", quiet=True)
    before = files_below(root)
    second = build(root / "persona.toml", quiet=True)
    assert second.up_to_date and second.version == first.version
    assert files_below(root) == before


def test_the_same_inputs_give_the_same_bytes(project: Project) -> None:
    root = project({"handwritten/a.jsonl": jsonl(*ROWS)})
    build(root / "persona.toml", quiet=True)
    outputs = [root / "datasets" / name for name in ("build", "export", "quarantine")]
    before = {path: {name: data for name, (_, data) in files_below(path).items()} for path in outputs}
    Folders(root).stamp.unlink()
    build(root / "persona.toml", quiet=True)
    assert {path: {name: data for name, (_, data) in files_below(path).items()} for path in outputs} == before


def test_a_damaged_output_is_built_again(project: Project) -> None:
    root = project({"handwritten/a.jsonl": jsonl(*ROWS)})
    report = build(root / "persona.toml", quiet=True)
    train = Path(str(report.path)) / "chat" / "train.parquet"
    good = train.read_bytes()
    train.write_bytes(b"edited by hand")
    assert build(root / "persona.toml", quiet=True).version == report.version
    assert train.read_bytes() == good
    backups = list((root / "datasets" / "export").glob("*.edited-1/chat/train.parquet"))
    assert [p.read_bytes() for p in backups] == [b"edited by hand"]


def test_a_persons_verdict_outranks_the_trusted_source(project: Project) -> None:
    root = project({"handwritten/a.jsonl": jsonl(*ROWS)})
    build(root / "persona.toml", quiet=True)
    folders = Folders(root)
    item = read_queue(folders.queue)[0].sample
    rewritten = (item.messages[0], Message("assistant", "Ta đổi ý rồi, heo rừng cũng biết đổi ý!"))
    second = read_queue(folders.queue)[1].sample
    log = read_log(folders.log)
    events = [
        verdict("a", item.id, "rewrite", messages=rewritten),
        verdict("b", second.id, "reject", reason="dull"),
    ]
    write_log(folders.log, Log((*log.decisions, *events), log.damaged))
    report = build(root / "persona.toml", quiet=True)
    assert (report.approved, sum(report.exported.values())) == (11, 11)
    text = "".join(p.read_text("utf-8") for p in (Path(str(report.path)) / "jsonl").glob("chat.*"))
    assert "Ta đổi ý rồi" in text and item.replies[0] not in text and second.replies[0] not in text


def test_a_build_says_how_many_disagreements_wait_for_an_adjudicator(project: Project) -> None:
    root = project({"transcripts/a.jsonl": jsonl(*ROWS)})
    build(root / "persona.toml", quiet=True)
    folders = Folders(root)
    first, second = (item.sample.id for item in read_queue(folders.queue)[:2])
    events = [
        replace(verdict("a", first, "approve"), annotator="an", after=""),
        replace(verdict("b", first, "reject"), annotator="bình", after=""),
        replace(verdict("c", second, "approve"), annotator="an", panel=2),
        replace(verdict("d", second, "reject"), annotator="bình", panel=2),
    ]
    write_log(folders.log, Log(tuple(events)))
    result = CliRunner().invoke(dataset, ["--persona", str(root / "persona.toml")])
    assert "1 in conflict and 1 in dispute: an adjudicator settles them" in result.output
    as_json = json.loads(CliRunner().invoke(dataset, ["--persona", str(root / "persona.toml"), "--json"]).output)
    assert (as_json["conflicts"], as_json["disputes"]) == (1, 1)


def test_a_line_that_another_speaker_may_have_said_is_not_approved_by_itself(project: Project) -> None:
    row = {"instruction": "Hỏi: Rồi sao?", "input": "", "output": "Ta chạy thẳng vào rừng!\nKiyoshi: Chờ tôi với!"}
    root = project({"handwritten/a.jsonl": jsonl(*ROWS, row)})
    report = build(root / "persona.toml", quiet=True)
    assert (report.approved, report.awaiting_review) == (12, 1)
    assert report.flagged["possible_speaker"] == 1


def test_an_approved_rewrite_that_speaks_for_the_user_is_not_exported(project: Project) -> None:
    root = project({"transcripts/a.jsonl": jsonl(*ROWS)})
    build(root / "persona.toml", quiet=True)
    folders = Folders(root)
    item = read_queue(folders.queue)[0].sample
    bad = (item.messages[0], Message("assistant", "Ta đây!\nBạn: Ghê thật."))
    write_log(folders.log, Log((verdict("a", item.id, "rewrite", messages=bad),)))
    report = build(root / "persona.toml", quiet=True)
    assert report.left_out == {"label_in_reply": 1} and report.exported == {"train": 0, "eval": 0}


def test_near_duplicates_are_flagged_and_only_left_out_when_asked(project: Project) -> None:
    near = {**ROWS[0], "output": ROWS[0]["output"].replace("đây", "này")}
    root = project({"handwritten/a.jsonl": jsonl(*ROWS, near)})
    report = build(root / "persona.toml", quiet=True)
    assert report.duplicates == {"exact": 0, "near": 1} and report.flagged["near_duplicate"] == 1
    assert sum(report.exported.values()) == 13
    before = report.version
    report = build(root / "persona.toml", auto_near=True, quiet=True)
    assert sum(report.exported.values()) == 12 and report.left_out == {"near_duplicate": 1}
    about = read_manifest(newest_export(Folders(root).export))
    assert (about.configuration["auto_near"], about.left_out) == (True, {"near_duplicate": 1})
    diff = CliRunner().invoke(diff_command, [str(before), "--persona", str(root / "persona.toml")])
    assert "1 removed" in diff.output and "near a better one (--auto-near)" in diff.output
    assert "settings: auto_near False → True" in diff.output


def test_exact_duplicates_merge_and_keep_both_sources(project: Project) -> None:
    twin = {**ROWS[0], "output": ROWS[0]["output"].upper()}
    root = project({"handwritten/a.jsonl": jsonl(*ROWS), "handwritten/b.jsonl": jsonl(ROWS[0], twin)})
    report = build(root / "persona.toml", quiet=True)
    assert sum(report.imported.values()) == 14 and report.duplicates["exact"] == 2
    merged = [item for item in read_queue(Folders(root).queue) if item.merged]
    assert sorted(s.path.rsplit("/", 1)[-1] for item in merged for s in (item.sample.source, *item.merged)) == [
        "a.jsonl", "b.jsonl", "b.jsonl",
    ]  # fmt: skip


def test_adding_samples_moves_no_old_one_to_the_other_side(project: Project) -> None:
    root = project({"handwritten/a.jsonl": jsonl(*ROWS[:6])})
    build(root / "persona.toml", quiet=True)
    before = read_memory(Folders(root).split).sides
    project({"handwritten/b.jsonl": jsonl(*ROWS[6:])})
    build(root / "persona.toml", quiet=True)
    after = read_memory(Folders(root).split).sides
    assert len(before) == 6 and len(after) == 12
    assert before.items() <= after.items()


def test_a_damaged_line_of_the_split_history_stops_the_build(project: Project) -> None:
    root = project({"handwritten/a.jsonl": jsonl(*ROWS)})
    Folders(root).split.write_text("<<<<<<< ours\n", encoding="utf-8")
    with pytest.raises(InosukeError, match=r"split\.jsonl: line 1 .*restore the file from git"):
        build(root / "persona.toml", quiet=True)


def test_held_out_prompts_never_reach_the_training_rows(project: Project) -> None:
    prompts = [
        {"id": "p1", "tests": "food", "messages": [{"role": "user", "content": PROMPTS[3]}], "reference": REPLIES[3]},
        {"instruction": "Chào!", "output": "Hả? Ai chào ta đó?"},
    ]
    root = project({"handwritten/a.jsonl": jsonl(*ROWS), "eval/prompts.jsonl": jsonl(*prompts)})
    report = build(root / "persona.toml", quiet=True)
    assert report.held_out == 2 and sum(report.imported.values()) == 12
    export = Path(str(report.path))
    assert [json.loads(x)["reference"] for x in (export / "heldout.jsonl").read_text("utf-8").splitlines()] == [
        REPLIES[3],
        "Hả? Ai chào ta đó?",
    ]
    assert REPLIES[3] not in (export / "jsonl" / "chat.train.jsonl").read_text("utf-8")


def test_one_bad_row_among_good_ones_is_quarantined(project: Project) -> None:
    broken = "[\n" + ",\n".join(json.dumps(r, ensure_ascii=False) for r in ROWS[:6])
    broken += ',\n{"instruction": "Hỏi: Gãy", "input": "" "output": "thiếu dấu phẩy"},\n'
    broken += ",\n".join(json.dumps(r, ensure_ascii=False) for r in ROWS[6:]) + "\n]\n"
    root = project({"handwritten/a.json": broken, "handwritten/b.jsonl": jsonl({"instruction": "x"}) + "{oops\n"})
    report = build(root / "persona.toml", quiet=True)
    assert sum(report.imported.values()) == 12
    assert report.rejected == {"bad_json": 2, "no_output": 1}
    kept = [json.loads(x) for x in Folders(root).quarantine.read_text("utf-8").splitlines()]
    assert [(k["reason"], k["source"]["locator"]) for k in kept] == [
        ("bad_json", "row 7"),
        ("no_output", "row 1"),
        ("bad_json", "row 2"),
    ]
    assert "thiếu dấu phẩy" in kept[0]["text"]


def test_an_unreadable_file_is_reported_and_the_others_are_imported(project: Project) -> None:
    root = project({"handwritten/a.jsonl": jsonl(*ROWS), "handwritten/b.json": "not json", "handwritten/c.xyz": "?"})
    report = build(root / "persona.toml", quiet=True)
    assert sum(report.imported.values()) == 12
    assert len(report.errors) == 2
    assert any("b.json: not valid JSON" in e for e in report.errors) and any("c.xyz" in e for e in report.errors)


def test_a_damaged_log_line_is_kept_and_reported(project: Project) -> None:
    root = project({"handwritten/a.jsonl": jsonl(*ROWS)})
    log = Folders(root).log
    log.write_text('{"id": "half a li\n', encoding="utf-8")
    report = build(root / "persona.toml", quiet=True)
    assert "line 1 is not an event" in report.errors[0]
    assert log.read_text("utf-8").endswith('\n{"id": "half a li\n') and report.approved == 12


def test_conflict_markers_in_the_log_are_reported_and_both_sides_count(project: Project) -> None:
    root = project({"handwritten/a.jsonl": jsonl(*ROWS)})
    build(root / "persona.toml", quiet=True)
    log = Folders(root).log
    first, second, *rest = log.read_text("utf-8").splitlines()
    marked = ["<<<<<<< HEAD", first, "=======", second, ">>>>>>> theirs", *rest]
    log.write_text("\n".join(marked) + "\n", encoding="utf-8")
    report = build(root / "persona.toml", quiet=True)
    assert report.approved == 12
    assert (
        "3 conflict markers of git. The events of both sides count; `inosuke review sync` removes" in report.errors[0]
    )


def test_without_anything_to_import_the_message_explains_what_to_do(project: Project, tmp_path: Path) -> None:
    root = project({})
    with pytest.raises(InosukeError, match=r"nothing to import.*--corpus"):
        build(root / "persona.toml", quiet=True)
    with pytest.raises(InosukeError, match=r"no such file or folder.*--corpus or CORPUS="):
        build(root / "persona.toml", tmp_path / "missing", quiet=True)


def inosuke(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "inosuke", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["dataset", "--corpus", "nowhere"], 1, "Error: nowhere: no such file or folder."),
        (["dataset", "--persona", "other.toml"], 2, "Error: other.toml: no such file."),
        (["dataset", "--nonsense"], 2, "No such option"),
        (["import", "missing.json"], 1, ""),
    ],
)
def test_the_command_fails_with_an_error_message(
    arguments: list[str], status: int, says: str, project: Project
) -> None:
    run = inosuke(*arguments, cwd=project({}))
    assert run.returncode == status
    assert says in run.stderr and "Traceback" not in run.stderr


def test_a_wrong_persona_key_ends_with_status_2(project: Project) -> None:
    root = project(
        {"handwritten/a.jsonl": jsonl(*ROWS)}, persona='name = "A"\nlanguages = ["vi"]\nsystem_promt = "x"\n'
    )
    run = inosuke("dataset", cwd=root)
    assert run.returncode == 2 and "system_promt" in run.stderr and "Traceback" not in run.stderr


def test_json_output_has_the_promised_form(project: Project) -> None:
    run = inosuke("dataset", "--json", cwd=project({"handwritten/a.jsonl": jsonl(*ROWS)}))
    result = json.loads(run.stdout)
    assert run.returncode == 0
    counted = {"imported", "rejected", "flagged", "duplicates", "awaiting_review", "approved", "exported"}
    assert counted | {"version", "path"} <= set(result)
    assert set(result["duplicates"]) == {"exact", "near"} and set(result["exported"]) == {"train", "eval"}


def test_the_log_and_split_in_git_cover_the_starter_corpus(tmp_path: Path) -> None:
    """`make dataset` in a fresh clone changes no file that is in git."""
    import shutil

    (tmp_path / "datasets").mkdir()
    shutil.copy(ROOT / "persona.toml", tmp_path)
    for name in ("decisions.jsonl", "split.jsonl"):
        shutil.copy(ROOT / "datasets" / name, tmp_path / "datasets")
    shutil.copytree(ROOT / "datasets" / "sources", tmp_path / "datasets" / "sources")
    memory = [tmp_path / "datasets" / name for name in ("decisions.jsonl", "split.jsonl")]
    before = [path.read_bytes() for path in memory]
    report = build(tmp_path / "persona.toml", quiet=True)
    assert [path.read_bytes() for path in memory] == before
    assert report.errors == [] and report.approved >= 200 and report.awaiting_review > 0
    # The transcripts have the defects of real files; no handwritten row is quarantined.
    lines = Folders(tmp_path).quarantine.read_text("utf-8").splitlines()
    assert {json.loads(line)["source"]["path"].split("/")[2] for line in lines} == {"transcripts"}
