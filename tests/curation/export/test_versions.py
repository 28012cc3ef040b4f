"""Finding an export by name, tagging it, and the differences between two exports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.commands.dataset_diff import diff as diff_command
from curation.commands.dataset_tag import tag as tag_command
from curation.contracts.manifest import Manifest
from curation.errors import InosukeError, UsageError
from curation.export import exported_rows, versions
from curation.folders import Folders
from curation.record import Message, Sample
from curation.review.decisions import Decision, Log, State, Verdict, write_log
from curation.review.queue import QueueItem, write_queue
from tests.conftest import ROOT
from tests.tools.exports import SAMPLES, sample, write

KITE, RAIN, QUOTE, PERSONA = SAMPLES
NEW = sample("Đói chưa?", "Đói từ hôm qua! Ngươi nấu cái gì?")
REWRITTEN = replace(KITE, messages=(KITE.messages[0], Message("assistant", "Cây nào? Ta leo!")))


def event(
    number: int,
    of: Sample,
    verdict: Verdict,
    annotator: str,
    *,
    reason: str = "",
    messages: tuple[Message, ...] | None = None,
) -> Decision:
    return Decision(
        id=str(number),
        sample_id=of.id,
        revision=0,
        verdict=verdict,
        messages=messages,
        reason=reason,
        annotator=annotator,
        client="streamlit",
        time=f"2026-01-01T00:00:0{number}Z",
    )


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two exports: NEW comes, RAIN goes, KITE is rewritten, QUOTE moves to eval, PERSONA is relabelled."""
    root = tmp_path_factory.mktemp("project")
    folders = Folders(root)
    old = write(folders.export)
    states = {
        KITE.id: State(
            status="approved", revision=1, messages=REWRITTEN.messages, reason="shorter", reviewers=("bình",)
        )
    }
    new = write(folders.export, [REWRITTEN, NEW, replace(PERSONA, language="vi"), QUOTE], states)
    versions.tag(folders.export, "v1", old.name)
    versions.tag(folders.export, "v2", new.name)
    write_queue([QueueItem(s) for s in (*SAMPLES, NEW)], folders.queue)
    events = [
        event(1, RAIN, "reject", "an", reason="too long"),
        event(2, KITE, "rewrite", "bình", reason="shorter", messages=REWRITTEN.messages),
        event(3, NEW, "approve", "an"),
    ]
    write_log(folders.log, Log(tuple(events)))
    (root / "persona.toml").write_bytes((ROOT / "persona.toml").read_bytes())
    return root


def test_diff_lists_the_changes_with_reasons(root: Path) -> None:
    run = CliRunner().invoke(diff_command, ["v1", "v2", "--persona", str(root / "persona.toml")])
    known = versions.tags(Folders(root).export)
    assert run.output.splitlines() == [
        f"{known['v1']} → {known['v2']}: 1 added, 1 removed, 1 rewritten, 2 moved, 1 relabelled",
        "",
        "added (1)",
        f"+ {NEW.id}  conversation  [approved by an]",
        "    + Bạn: Đói chưa?",
        "    + assistant: Đói từ hôm qua! Ngươi nấu cái gì?",
        "",
        "removed (1)",
        f"- {RAIN.id}  conversation  [rejected by an: too long]",
        "    - Bạn: Ngươi nghe tiếng gì?",
        "    - assistant: Mưa đang chạy trên sườn núi!",
        "    - Bạn: Có tới đây không?",
        "    - assistant: Tới! Mở cửa đón nó!",
        "",
        "rewritten (1)",
        f"~ {KITE.id}  conversation  [rewritten by bình: shorter]",
        "    - Bạn: Cái diều mắc trên cây rồi.",
        "    - assistant: Cây nào? Ta leo! Cành cao nhất để ta bẻ cho gió nó sợ!",
        "    + Bạn: Cái diều mắc trên cây rồi.",
        "    + assistant: Cây nào? Ta leo!",
        "",
        "moved (2)",
        f"> {PERSONA.id}  persona",
        "    - eval",
        "    + train",
        f"> {QUOTE.id}  quote",
        "    - train",
        "    + eval",
        "",
        "relabelled (1)",
        f"= {PERSONA.id}  persona",
        "    - language en",
        "    + language vi",
    ]


def test_diff_with_itself_is_empty_and_a_limit_counts_what_it_hides(root: Path) -> None:
    persona = str(root / "persona.toml")
    assert "no sample changed" in CliRunner().invoke(diff_command, ["v2", "latest", "--persona", persona]).output
    limited = CliRunner().invoke(diff_command, ["v1", "--limit", "0", "--persona", persona]).output
    assert "  … and 2 more" in limited and NEW.id not in limited


def test_a_sample_that_left_its_source_is_removed_for_that_reason(root: Path) -> None:
    (was, before), (now, after) = versions.read_two(Folders(root).export, "v1", "v2")
    found = versions.explain(versions.compare(before, after), {}, set(), was, now)
    assert [c.why for c in found.removed] == ["no longer in any source, or merged into an exact duplicate"]
    assert found.settings == []
    changed = with_fields(now, configuration=now.configuration | {"eval_share": 0.2}, persona={"sha256": "other"})
    assert versions.explain(found, {}, set(), was, changed).settings == ["eval_share 0.1 → 0.2", "persona.toml changed"]


def test_changes_that_the_log_does_not_explain_get_another_reason(root: Path, tmp_path: Path) -> None:
    plain = write(tmp_path, rejected={"other": 1})
    (_, before), _ = versions.read_two(Folders(root).export, "v1", "v2")
    kite = State(status="approved", revision=1, messages=REWRITTEN.messages, reviewers=("bình",))
    rewritten, cleaned = (
        exported_rows.read(write(tmp_path, [REWRITTEN, *SAMPLES[1:]], s)) for s in ({KITE.id: kite}, {})
    )
    (back,) = versions.compare(rewritten, before).rewritten
    (clean,) = versions.compare(before, cleaned).rewritten
    assert (back.why, clean.why) == ("a rewrite was undone", "cleaned or imported differently")
    assert versions.compare(before, exported_rows.read(plain)).counts == {}


def test_an_approved_sample_that_left_the_export_has_a_reason(root: Path) -> None:
    (was, before), (now, after) = versions.read_two(Folders(root).export, "v1", "v2")
    approved = {RAIN.id: State(status="approved", reviewers=("an",))}

    def why(**fields: Any) -> str:
        new = with_fields(now, **fields)
        (gone,) = versions.explain(versions.compare(before, after), approved, {RAIN.id}, was, new).removed
        return gone.why

    near = {"id": RAIN.id, "why": "near held-out", "near": "identity-1", "by": "prompt", "score": 95.0}
    assert why(split={"left_out": [near]}) == (
        "approved by an, but on neither side of the split (near held-out: identity-1)"
    )
    assert why().startswith("approved by an, but not fit for training: an empty reply")
    auto = now.configuration | {"auto_near": True}
    assert why(configuration=auto).startswith("approved by an, but near a better one (--auto-near), or not fit")


def test_a_version_is_found_by_name_beginning_tag_or_latest(root: Path) -> None:
    out = Folders(root).export
    old, new = versions.tags(out)["v1"], versions.tags(out)["v2"]
    assert [versions.find(out, n).name for n in (old, old[:6], "v1", "latest")] == [old, old, old, new]
    with pytest.raises(InosukeError, match=rf"`nope` is not a version or a tag. Expected one of: v1, v2, .*{old}"):
        versions.find(out, "nope")
    with pytest.raises(InosukeError, match="is not a version or a tag"):
        versions.find(out, "")


def test_a_tag_never_moves(root: Path) -> None:
    persona = str(root / "persona.toml")
    assert CliRunner().invoke(tag_command, ["v2", "--persona", persona]).output.startswith("v2 is ")
    with pytest.raises(InosukeError, match="a tag never moves"):
        versions.tag(Folders(root).export, "v1", versions.tags(Folders(root).export)["v2"])


def with_fields(manifest: Manifest, **fields: Any) -> Manifest:
    return Manifest.model_validate(manifest.to_json() | fields)


@pytest.mark.parametrize("name", ["", "v 1", "-v1", "latest", "a..b", "v1.lock", "v1.", "x" * 65, "refs/x"])
def test_names_that_cannot_be_tags(name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a tag"):
        versions.check_tag(name)


def test_before_the_first_export_the_message_says_what_to_do(tmp_path: Path) -> None:
    for name in ("latest", "v1"):
        with pytest.raises(InosukeError, match="inosuke dataset"):
            versions.find(tmp_path / "export", name)
