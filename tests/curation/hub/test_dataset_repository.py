"""Publishing a dataset against the real client libraries and a stand-in for the Hub (see conftest)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from curation.errors import InosukeError, UsageError
from curation.export import exported_rows
from curation.folders import Folders
from curation.hub import rights
from curation.hub.dataset_repository import publish
from curation.newest import newest_export
from curation.pipeline import stages
from curation.record import Flag, Message
from curation.review.decisions import State
from curation.split.held_out import HeldOutSample
from tests.conftest import ROOT
from tests.curation.conftest import Publish
from tests.tools.exports import PERSONA_FILE, PROMPT, SAMPLES, sample, write
from tests.tools.hub import READER, WRITER, FakeHub

REPO = "writer/lines"
PRIVATE = sample("Ai đấy?", "Ta! Mở ra!", rights="private", source="transcripts/ep1.srt")
UNKNOWN = sample("Đi đâu?", "Lên dốc!", rights="unknown", source="transcripts/ep2.srt")


def published(folder: Path, config: str) -> dict[str, list[Any]]:
    """Return an export's rows as they are published: without the name of a local folder."""
    rows = {side: exported_rows.read_side(folder, config, side) for side in ("train", "eval")}
    return {
        side: [row | {"source": f"source-1/{row['source'].rpartition('/')[2]}"} for row in content]
        for side, content in rows.items()
    }


def _load(repo: str, config: str, revision: str) -> dict[str, list[Any]]:
    from importlib import import_module

    loaded = import_module("datasets").load_dataset(repo, config, revision=revision)
    return {side: loaded[side].to_list() for side in loaded}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("export"))


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("mixed"), [PRIVATE, UNKNOWN, *SAMPLES])


# ---------------------------------------------------------------- publishing


@pytest.mark.slow
def test_publish_makes_one_commit_that_load_dataset_reads_and_again_makes_none(
    folder: Path, hub: FakeHub, send: Publish, worker: ProcessPoolExecutor
) -> None:
    result = send(folder, REPO, tag="v1")
    assert (result.action, result.samples) == ("published", {"train": 3, "eval": 1})
    assert [c.title for c in hub[REPO].commits] == ["initial commit", f"Inosuke {result.version}: 3 train + 1 eval"]
    assert result.exported_as == folder.name
    assert result.commit == hub[REPO].head.oid == hub[REPO].tags["v1"]
    assert set(hub[REPO].head.files) == {".gitattributes", *result.files}
    for config in ("chat", "instruct"):
        loaded = worker.submit(_load, REPO, config, "v1").result()
        assert loaded == published(folder, config)
    files = hub[REPO].head.files
    assert 'load_dataset("writer/lines", "chat")' in files["README.md"].decode()
    assert "hf download writer/lines --repo-type dataset" in files["README.md"].decode()
    assert json.loads(files["dataset_info.json"])["inosuke_chat"]["file_name"] == "chat/train.parquet"
    cited, described = yaml.safe_load(files["CITATION.cff"]), json.loads(files["croissant.json"])
    assert (cited["authors"], cited["license"]) == ([{"name": "writer"}], "CC-BY-4.0")
    assert cited["url"] == described["url"] == "https://huggingface.co/datasets/writer/lines"
    assert described["license"] == "https://creativecommons.org/licenses/by/4.0/"
    manifest = json.loads(files["manifest.json"])
    assert all(sha256(files[name]).hexdigest() == digest for name, digest in manifest["files"].items())

    again = send(folder, REPO, tag="v1")
    assert (again.action, again.files, again.commit) == ("unchanged, no commit", [], result.commit)
    assert len(hub[REPO].commits) == 2


def test_a_changed_line_is_one_commit_that_says_what_changed_and_sends_what_changed(
    folder: Path, hub: FakeHub, send: Publish, tmp_path: Path
) -> None:
    send(folder, REPO)
    old = SAMPLES[0]
    text = "Cây nào? Chỉ đi, ta leo!"
    new = replace(old, messages=(old.messages[0], Message("assistant", text)))
    state = State(status="approved", revision=1, messages=new.messages, reviewers=("an",))
    result = send(write(tmp_path, [new, *SAMPLES[1:]], {old.id: state}), REPO)
    head = hub[REPO].head
    assert len(hub[REPO].commits) == 3
    assert head.description.startswith("1 rewritten\n")
    assert f"    + assistant: {text}" in head.description
    # There may have been a reason to remove the old reply: the commit message must not repeat it.
    assert old.replies[0] not in head.description
    assert "chat/eval.parquet" not in result.files and "chat/train.parquet" in result.files


def test_what_people_wrote_on_the_hub_survives_and_our_stale_files_go(
    folder: Path, mixed: Path, hub: FakeHub, send: Publish, tmp_path: Path
) -> None:
    send(folder, REPO)
    published = hub[REPO].head.files["README.md"].decode()
    edited = published.replace("license: cc-by-4.0", "license: mit\ndoi: 10.5/boar").replace(
        "approved samples", "SAMPLES"
    )
    hub.edit(REPO, "README.md", (edited + "\n## Thanks\n\nTo Hương.\n").encode())
    hub.edit(REPO, "notes.txt", b"by hand")
    stale = json.loads(hub[REPO].head.files["manifest.json"])
    hub.edit(REPO, "manifest.json", json.dumps(stale | {"files": stale["files"] | {"old.parquet": ""}}).encode())
    hub.edit(REPO, "old.parquet", b"PAR1")
    result = send(folder, REPO)
    files = hub[REPO].head.files
    card = files["README.md"].decode()
    assert "license: mit\ndoi: 10.5/boar\n" in card and card.endswith("\n## Thanks\n\nTo Hương.\n")
    assert "4 approved samples" in card
    assert "the generated part of the card was edited by hand" in result.warnings[0]
    assert files["notes.txt"] == b"by hand"
    assert (result.deleted, "old.parquet" in files) == (["old.parquet"], False)
    assert send(folder, REPO).action == "unchanged, no commit"


@pytest.mark.parametrize("fault", ["cut_uploads", "cut_commits"])
def test_a_cut_connection_leaves_the_old_version_and_a_retry_finishes(
    fault: str, folder: Path, hub: FakeHub, send: Publish, worker: ProcessPoolExecutor, tmp_path: Path
) -> None:
    first = send(folder, REPO)
    newer = write(tmp_path, [*SAMPLES, sample("Mệt chưa?", "Mệt là cái gì? Ăn được không?")])
    setattr(hub, fault, 99)
    with pytest.raises(InosukeError, match=r"could not upload: the connection broke .*Run the command again"):
        send(newer, REPO, tag="v2")
    assert hub[REPO].head.oid == first.commit and hub[REPO].tags == {}
    loaded = worker.submit(_load, REPO, "chat", "main").result()
    assert loaded["train"] == published(folder, "chat")["train"]
    setattr(hub, fault, 0)
    assert send(newer, REPO, tag="v2").samples == {"train": 4, "eval": 1}
    assert hub[REPO].tags == {"v2": hub[REPO].head.oid}


def test_the_client_itself_recovers_from_one_cut_connection(folder: Path, hub: FakeHub, send: Publish) -> None:
    hub.cut_uploads = 1
    assert send(folder, REPO).action == "published"


# ---------------------------------------------------------------- rights and personal data


@pytest.mark.slow
def test_private_and_unknown_lines_stay_out_of_a_public_repository_and_are_listed(
    mixed: Path, hub: FakeHub, send: Publish
) -> None:
    result = send(mixed, REPO)
    assert result.left_out == {"private": 1, "unknown": 1}
    assert result.left_out_from == {"transcripts/ep1.srt": 1, "transcripts/ep2.srt": 1}
    assert result.left_out_ids == [PRIVATE.id, UNKNOWN.id]
    files = hub[REPO].head.files
    assert not any("Mở ra" in data.decode("utf-8", "replace") for data in files.values())
    about = json.loads(files["manifest.json"])
    assert about["published"] == {"from": mixed.name, "left_out": {"private": 1, "unknown": 1}, "included": {}}
    assert about["counts"]["train"]["rights"] == {"own": 3}
    assert about["openings"]["vi"]["replies"] == 4, "figures are of what is published, not of the whole export"
    assert "Left out of this publication: 1 private, 1 unknown." in files["README.md"].decode()
    assert send(mixed, REPO).action == "unchanged, no commit"


def test_a_private_repository_gets_everything_and_a_public_one_refuses_private(
    mixed: Path, folder: Path, hub: FakeHub, send: Publish
) -> None:
    result = send(mixed, "writer/closed", private=True)
    assert (result.left_out, result.samples, hub["writer/closed"].private) == ({}, {"train": 5, "eval": 1}, True)
    send(folder, REPO)
    with pytest.raises(InosukeError, match="writer/lines is public, and --private applies only"):
        send(mixed, REPO, private=True)
    assert len(hub[REPO].commits) == 2


@pytest.mark.parametrize("name", ["transcripts/ep1.srt", "transcripts", PRIVATE.id])
def test_naming_a_source_or_a_sample_includes_it(name: str, mixed: Path) -> None:
    whole = exported_rows.read(mixed)
    content, held = rights.public(whole, [name])
    assert PRIVATE.id in {row["id"] for row in content.chat["train"]}
    assert held.included == {name: 2 if name == "transcripts" else 1}


def test_an_override_is_published_and_recorded(mixed: Path, hub: FakeHub, send: Publish) -> None:
    result = send(mixed, REPO, include_private=["transcripts/ep1.srt"])
    assert (result.left_out, result.included) == ({"unknown": 1}, {"transcripts/ep1.srt": 1})
    about = json.loads(hub[REPO].head.files["manifest.json"])
    assert about["published"]["included"] == {"source-6/ep1.srt": 1}
    assert "Included by name, though not marked as publishable: source-6/ep1.srt." in (
        hub[REPO].head.files["README.md"].decode()
    )


def test_a_name_that_includes_nothing_is_wrong_usage(mixed: Path) -> None:
    with pytest.raises(UsageError, match=r"ep9\.srt: no private sample .* need a name: transcripts/ep1"):
        publish(mixed, REPO, include_private=["transcripts/ep9.srt"], dry_run=True)


def test_held_out_prompts_have_rights_too(tmp_path: Path) -> None:
    private = HeldOutSample(id="p", sample=sample("Mấy giờ?", "Giờ ăn!", rights="private"), tests=None)
    whole = exported_rows.read(write(tmp_path, held_out=[PROMPT, private]))
    content, held = rights.public(whole)
    assert [row["id"] for row in content.held_out] == ["identity-1"]
    assert held.counts == {"held_out_prompts": 1}


def test_an_export_with_nothing_public_is_an_error_that_names_the_options(tmp_path: Path) -> None:
    with pytest.raises(InosukeError, match=r"of the samples, 1 are private \(from transcripts/ep1.srt\).*--private"):
        publish(write(tmp_path, [PRIVATE]), REPO, dry_run=True)


def test_personal_data_that_no_reviewer_saw_stops_a_publication(tmp_path: Path) -> None:
    found = sample("Số tôi 0912 345 678 nhé", "Số gì? Ta không biết đếm!")
    with pytest.raises(InosukeError, match=rf"1 samples hold .*{found.id}.*make review"):
        publish(write(tmp_path / "a", [found, *SAMPLES]), REPO, dry_run=True)
    asked = replace(found, flags=(Flag("personal_data", "…"),))
    result = publish(write(tmp_path / "b", [asked, *SAMPLES]), REPO, dry_run=True)
    assert result.warnings[0] == f"1 samples hold personal data that a reviewer approved: {found.id}"


def test_personal_data_in_a_held_out_prompt_stops_a_publication_too(tmp_path: Path) -> None:
    line = sample("Viết cho tôi: hoa@vidu.vn", "Ta không biết chữ!")
    asks = HeldOutSample(id="reach-me", sample=line, tests=None)
    with pytest.raises(InosukeError, match=r"held-out prompt reach-me holds .*hoa@vidu\.vn.*conversations\.vi\.jsonl"):
        publish(write(tmp_path, held_out=[asks]), REPO, dry_run=True)


# ---------------------------------------------------------------- kinds


def test_a_kind_that_was_imported_and_is_empty_stops_a_publication_unless_it_is_named(tmp_path: Path) -> None:
    lost = write(tmp_path, imported={"quote": 2, "generic_qa": 7})
    with pytest.raises(
        InosukeError, match=r"no sample of the kind generic_qa, though 7 were .*--allow-empty generic_qa"
    ):
        publish(lost, REPO, dry_run=True)
    result = publish(lost, REPO, dry_run=True, allow_empty=["generic_qa"])
    assert result.warnings == ["nothing of the kind generic_qa is published; the card states it"]


def test_a_kind_that_no_source_has_is_a_warning(folder: Path) -> None:
    assert publish(folder, REPO, dry_run=True).warnings == [
        "nothing of the kind generic_qa is published; the card states it"
    ]


# ---------------------------------------------------------------- wrong input


def test_a_dry_run_without_a_token_does_not_contact_the_hub(mixed: Path, hub: FakeHub, send: Publish) -> None:
    result = send(mixed, REPO, dry_run=True, token=None)
    assert (result.action, result.commit, hub.requests) == ("would be published", None, [])
    assert result.left_out == {"private": 1, "unknown": 1} and "manifest.json" in result.files


@pytest.mark.parametrize(
    ("token", "repo", "message"),
    [
        (None, REPO, r"no Hugging Face token.*hf auth login"),
        ("hf_wrong_token_1234567890", REPO, r"could not sign in: the Hub does not accept the token"),
        (READER, "reader/lines", r"the token of reader can only read"),
        (WRITER, "other/lines", r"could not create the repository: the token has no right to write to other/lines"),
        (WRITER, "lines", r"`lines` is not a repository name \(it does not name an owner\)\. Expected OWNER/NAME"),
        (
            WRITER,
            "writer/no spaces",
            r"`writer/no spaces` is not a repository name \(Repo id must use .*Expected OWNER/NAME",
        ),
        (WRITER, "a/b/c", r"`a/b/c` is not a repository name"),
    ],
)
def test_a_user_without_the_right_to_write_is_told_why_without_the_token(
    token: str | None, repo: str, message: str, folder: Path, hub: FakeHub, send: Publish
) -> None:
    with pytest.raises(InosukeError, match=message) as caught:
        send(folder, repo, token=token)
    assert hub.repos == {} and caught.value.exit_status == 1
    assert token is None or token not in str(caught.value)


def test_a_server_that_repeats_the_token_does_not_make_us_print_it(folder: Path, hub: FakeHub, send: Publish) -> None:
    send(folder, REPO)
    hub.echo = True
    try:
        with pytest.raises(InosukeError, match="<token>") as caught:
            send(folder, REPO, tag="v9")
    finally:
        hub.echo = False
    assert WRITER not in str(caught.value)


def test_a_tag_that_exists_stops_before_anything_is_sent(
    folder: Path, mixed: Path, hub: FakeHub, send: Publish
) -> None:
    send(folder, REPO, tag="v1")
    with pytest.raises(InosukeError, match=r"tag `v1` already names commit .*Nothing was uploaded"):
        send(mixed, REPO, include_private=["transcripts"], tag="v1")
    assert len(hub[REPO].commits) == 2
    with pytest.raises(UsageError, match="cannot be a tag"):
        publish(folder, REPO, tag="v 1", dry_run=True)


def test_a_card_broken_on_the_hub_stops_before_anything_is_sent(folder: Path, hub: FakeHub, send: Publish) -> None:
    send(folder, REPO)
    hub.edit(REPO, "README.md", b"---\ntags: [a\n---\n# Mine\n")
    with pytest.raises(InosukeError, match=r"writer/lines/README.md on the Hub: its YAML block is broken \(line"):
        send(folder, REPO)
    assert hub[REPO].head.title == "Update from the browser"


def test_a_card_that_the_hub_refuses_is_reported_in_the_hubs_words_and_nothing_is_sent(
    folder: Path, hub: FakeHub, send: Publish, tmp_path: Path
) -> None:
    send(folder, REPO)
    card = hub[REPO].head.files["README.md"].decode()
    hub.edit(REPO, "README.md", card.replace("language:\n", "language:\n- vietnamese\n").encode())
    with pytest.raises(InosukeError, match=r"(?s)writer/lines: could not upload: .*ISO 639-1 code, not 'vietnamese'"):
        send(write(tmp_path, SAMPLES[1:]), REPO)
    assert hub[REPO].head.title == "Update from the browser"


def test_an_export_changed_by_hand_is_not_published(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / folder.name))
    data = pq.read_table(copy / "chat/train.parquet")
    pq.write_table(data.slice(0, 1), copy / "chat/train.parquet")
    with pytest.raises(InosukeError, match=r"chat/train.parquet: changed after the export"):
        publish(copy, REPO, dry_run=True)


def test_a_commit_made_during_the_upload_is_not_overwritten(folder: Path, hub: FakeHub, send: Publish) -> None:
    send(folder, REPO)
    hub.edit(REPO, "chat/eval.parquet", b"PAR1")
    with pytest.raises(InosukeError, match=r"the published rows cannot be read .*--yes"):
        send(folder, REPO)
    hub.race = True
    with pytest.raises(InosukeError, match="another commit was made during the upload"):
        send(folder, REPO, yes=True)


# ---------------------------------------------------------------- the whole way


@pytest.mark.slow
def test_what_the_pipeline_writes_is_publishable_and_private_sources_and_personal_data_are_not(
    project: Callable[..., Path], hub: FakeHub, send: Publish
) -> None:
    def lines(*pairs: tuple[str, str]) -> str:
        return "".join(json.dumps({"instruction": a, "input": "", "output": b}) + "\n" for a, b in pairs)

    ours = [
        ("Hỏi: Núi nào cao nhất?", "Núi ta đang đứng! Đứng lên đây mà đo!"),
        ("Hỏi: Sao ngươi đội đầu lợn?", "Vì gió không dám thổi vào mũi lợn rừng!"),
        ("Hỏi: Ngươi sợ gì không?", "Sợ nồi cơm cạn trước khi ta tới!"),
        ("Hỏi: Cho xin số?", "Gọi 0912 345 678 rồi hú ba tiếng!"),
    ]
    theirs = [("Hỏi: Đêm qua ai gõ cửa?", "Ta gõ! Cửa nhà ngươi mỏng như lá!")]
    root = project(
        {"handwritten/quotes.vi.jsonl": lines(*ours), "borrowed/conversations.vi.jsonl": lines(*theirs)},
        PERSONA_FILE.read_text(encoding="utf-8")
        + '\n[[sources]]\npath = "datasets/sources/borrowed"\nrights = "private"\ntrusted = true\n',
    )
    report = stages.build(root / "persona.toml", quiet=True)
    assert (report.approved, report.awaiting_review, report.flagged["personal_data"]) == (4, 1, 1)
    result = send(newest_export(Folders(root).export), REPO)
    assert result.left_out_from == {"datasets/sources/borrowed/conversations.vi.jsonl": 1}
    published = b"".join(hub[REPO].head.files.values()).decode("utf-8", "replace")
    assert "Núi ta đang đứng" in published and "Đêm qua" not in published and "0912" not in published


# ---------------------------------------------------------------- the command


@pytest.mark.slow
def test_the_command_publishes_from_a_shell_and_prints_no_token(
    folder: Path, hub: FakeHub, environment: dict[str, str], tmp_path: Path
) -> None:
    shutil.copy(PERSONA_FILE, tmp_path / "persona.toml")
    shutil.copytree(folder.parent, tmp_path / "datasets" / "export")
    command = [sys.executable, "-m", "inosuke", "publish", "--persona", str(tmp_path / "persona.toml"), REPO]
    variables = {k: v for k, v in os.environ.items() if k != "HF_HUB_OFFLINE"} | environment | {"PYTHONPATH": str(ROOT)}

    def shell(*options: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *options], env=variables | more, capture_output=True, text=True, encoding="utf-8", check=False
        )

    done = shell("--tag", "v1", HF_TOKEN=WRITER, HF_DEBUG="1", HF_HUB_VERBOSITY="debug")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("writer/lines: published (version ")
    assert f"  export    {folder.name}, built from" in done.stdout
    assert WRITER not in done.stdout + done.stderr
    assert json.loads((tmp_path / "datasets/export/tags.json").read_text(encoding="utf-8")) == {"v1": folder.name}
    wrong = shell(HF_TOKEN="")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.startswith("Error: no Hugging Face token")
