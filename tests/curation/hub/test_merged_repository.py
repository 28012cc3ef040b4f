"""Publishing into a repository that other people's data are in: both load afterwards, or nothing is sent."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from curation.export import card_merge, exported_rows
from tests.curation.conftest import Publish, Shell
from tests.tools.exports import PERSONA_FILE, sample, write
from tests.tools.hub import FakeHub

REPO = "writer/other"
CARD = "README.md"
DATA = "data/train-00000-of-00001.parquet"


@pytest.fixture(scope="module")
def project_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    shutil.copy(PERSONA_FILE, root / "persona.toml")
    write(root / "datasets" / "export")
    return root


@pytest.fixture
def go(project_folder: Path, shell: Shell) -> Callable[..., tuple[int, str, str]]:
    def run(*options: str, repo: str = REPO) -> tuple[int, str, str]:
        return shell("publish", repo, "--persona", project_folder / "persona.toml", *options)

    return run


def table(**columns: list[Any]) -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    return file.getvalue()


def block(text: str) -> bytes:
    return f"---\n{text.strip()}\n---\n# Mine\n".encode()


def _load(repo: str, config: str | None) -> dict[str, list[Any]]:
    from importlib import import_module

    loaded = import_module("datasets").load_dataset(repo, config, download_mode="force_redownload")
    return {side: loaded[side].to_list() for side in loaded}


TEXTS = ["one", "two"]
PLAIN = table(text=TEXTS)
ROWS = [{"text": text} for text in TEXTS]
TWO_DEFAULTS = (
    "configs:\n- config_name: default\n  data_files: data/*\n- config_name: x\n  default: true\n  data_files: data/*"
)
STALE = """
dataset_info:
- config_name: chat
  features: [{name: text, dtype: string}]
  splits: [{name: train, num_bytes: 10, num_examples: 3}]
  download_size: 5
  dataset_size: 10
"""


@pytest.mark.parametrize(
    ("card", "files", "theirs"),
    [
        pytest.param(
            "configs: [{config_name: default, data_files: [{split: train, path: data/train-*}]}]", {DATA: PLAIN}, None,
            id="push_to_hub",
        ),
        pytest.param(
            "configs: [{config_name: lines, default: true, data_files: data/*.parquet}]", {DATA: PLAIN}, "lines",
            id="another-default-flag",
        ),
        pytest.param("configs: [{config_name: en, data_files: [data/*]}]", {DATA: PLAIN}, "en", id="the-only-one"),
        pytest.param("configs: [{config_name: en, data_dir: data}]", {DATA: PLAIN}, "en", id="data-dir"),
        pytest.param("license: mit", {DATA: PLAIN}, None, id="no-configs"),
        pytest.param("configs:", {"old/train.parquet": PLAIN}, None, id="empty-configs"),
        pytest.param(
            "dataset_info: {config_name: default, features: [{name: text, dtype: string}], "
            "splits: [{name: train, num_bytes: 1, num_examples: 2}]}", {DATA: PLAIN}, None,
            id="no-configs-and-an-info",
        ),
        pytest.param(
            "configs: [{config_name: default, data_files: '**/*.parquet'}]", {DATA: PLAIN}, None, id="pattern-of-all"
        ),
        pytest.param(
            "configs: [{config_name: all, data_files: [{split: train, path: ['*/train*', 'x/*']}]}]",
            {DATA: PLAIN, "x/more.parquet": PLAIN}, "all",
            id="patterns-in-a-list",
        ),
        pytest.param(
            "configs: [{config_name: default, data_files: data/*}]\ndataset_info: {config_name: default, "
            "features: [{name: txt, dtype: string}], splits: [{name: train, num_examples: 2, num_bytes: 1}]}",
            {DATA: PLAIN}, None,
            id="stale-info-of-theirs",
        ),
        pytest.param(
            "configs: [{config_name: default, data_files: data/*}]\ndataset_info: [{config_name: default, "
            "features: [{name: text, dtype: string}], splits: [{name: test, num_examples: 2, num_bytes: 1}]}, "
            "{config_name: gone, features: [{name: a, dtype: string}]}]",
            {DATA: PLAIN}, None,
            id="info-of-a-split-that-is-not-there",
        ),
    ],
)  # fmt: skip
def test_old_and_new_data_load_afterwards(
    card: str, files: dict[str, bytes], theirs: str | None, hub: FakeHub, go: Any, worker: ProcessPoolExecutor,
    project_folder: Path,
) -> None:  # fmt: skip
    hub.make(REPO, {CARD: block(card), **files})
    status, _, error = go()
    assert status == 1 and "not from this project" in error and "--yes" in error
    assert len(hub[REPO].commits) == 1, "refused before a commit"
    status, said, error = go("--yes")
    assert status == 0, error
    shown = {path: data for path, data in hub[REPO].head.files.items() if path in files}
    assert shown == files
    loaded = worker.submit(_load, REPO, theirs).result()
    expected = [row for _ in files for row in ROWS]
    assert [row for rows in loaded.values() for row in rows] == expected
    assert worker.submit(_load, REPO, None).result() == loaded, "who names no configuration gets what they got before"
    for config, train in (("chat", 3), ("instruct", 4)):  # one dialogue has two replies
        assert f"{config}: loaded whole (train {train}, eval 1)" in said
        assert [len(rows) for rows in worker.submit(_load, REPO, config).result().values()] == [train, 1]
    assert go("--yes")[1].startswith("writer/other: unchanged, no commit")


@pytest.mark.parametrize(
    "info",
    [
        STALE,
        STALE.replace("chat", "instruct"),
        "dataset_info:\n  config_name: chat\n  features: [{name: text, dtype: string}]",
        "dataset_info: [{config_name: chat, splits: [{name: test, num_bytes: 1, num_examples: 3}]}]",
        "dataset_info: [{config_name: gone, features: [{name: text, dtype: string}]}]",
    ],
)
@pytest.mark.parametrize("published_before", [False, True])
def test_a_stale_dataset_info_is_replaced_by_ours(
    info: str, published_before: bool, hub: FakeHub, go: Any, worker: ProcessPoolExecutor
) -> None:
    if published_before:
        assert go()[0] == 0
        edited = card_merge.parse(hub[REPO].head.files[CARD].decode(), "")
        data = {key: value for key, value in edited.data.items() if key != "dataset_info"} | yaml.safe_load(info)
        hub.edit(REPO, CARD, f"---\n{yaml.safe_dump(data)}---\n{edited.body}".encode())
    else:
        hub.make(REPO, {CARD: block(info)})
    status, _, error = go()
    assert status == 0, error
    data = card_merge.parse(hub[REPO].head.files[CARD].decode(), "").data
    assert [entry["config_name"] for entry in data["dataset_info"]] == ["chat", "instruct"]
    assert [split["num_examples"] for split in data["dataset_info"][0]["splits"]] == [3, 1]
    assert [len(rows) for rows in worker.submit(_load, REPO, "chat").result().values()] == [3, 1]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        pytest.param({CARD: block(TWO_DEFAULTS), DATA: PLAIN}, "both want to be the default", id="two-defaults"),
        pytest.param(
            {CARD: block("configs: [{config_name: x, data_files: none/*}]")},
            "not in the repository", id="missing-files"
        ),
        pytest.param(
            {CARD: block("configs: [{config_name: x, data_files: [{split: train, path: data/*}, "
                         "{split: test, path: test/*}]}]"), DATA: PLAIN},
            "names files for `test` that are not", id="missing-split",
        ),
        pytest.param(
            {CARD: block("configs: [{config_name: x, data_files: '*.csv'}]"), "a.csv": b"text\none\n"},
            "is csv, and `load_dataset` reads all configurations of a repository in one format", id="csv",
        ),
        pytest.param({"train.jsonl": b'{"text": "one"}\n'}, r"train\.jsonl is json, and", id="json-without-a-card"),
        pytest.param(
            {CARD: block("configs: [{config_name: chat, data_files: data/*}]"), DATA: PLAIN},
            r"has a configuration `chat` with other data", id="our-name",
        ),
        pytest.param({"Chat/train.parquet": PLAIN}, "differ in case alone", id="folder-in-another-case"),
        pytest.param({"readme.md": b"# Mine"}, "`readme.md` where ours is `README.md`", id="card-in-another-case"),
        pytest.param({"chat": b"a file"}, "a file in one and a folder in the other", id="file-and-folder"),
        pytest.param({"other.py": b"print()"}, r"has a loading script \(other\.py\)", id="script"),
        pytest.param(
            {".huggingface.yaml": b"configs: [{config_name: x, data_files: data/*}]", DATA: PLAIN},
            "hides that of README.md", id="standalone-yaml",
        ),
        pytest.param(
            {CARD: block("configs: [{config_name: x, data_files: data/*}]"), DATA: b"PAR1 damaged"},
            "`load_dataset` fails on the configuration `x`", id="damaged-data",
        ),
        pytest.param(
            {CARD: block("configs: [{config_name: x, data_files: data/*}]"), DATA: PLAIN,
             "data/other.parquet": table(number=[1])},
            "`load_dataset` fails on the configuration `x`", id="two-sorts-of-columns",
        ),
        pytest.param(
            {CARD: block("configs: [{config_name: x, data_files: {train: 3}}]"), DATA: PLAIN},
            "its `configs` cannot be read", id="malformed-data-files",
        ),
        pytest.param(
            {CARD: block("configs: [{data_files: data/*}]"), DATA: PLAIN},
            "its `configs` cannot be read", id="config-without-a-name"
        ),
    ],
)  # fmt: skip
def test_what_cannot_load_together_is_refused_before_anything_is_sent(
    files: dict[str, bytes], why: str, hub: FakeHub, go: Any
) -> None:
    import re

    hub.make(REPO, files)
    before = dict(hub[REPO].head.files)
    status, _, error = go("--yes")
    assert status == 1 and re.search(why, error), error
    assert "Nothing was uploaded." in error and error.startswith("Error: ")
    assert len(error.strip().splitlines()) == 1, "one message, not the library's own report"
    assert len(hub[REPO].commits) == 1 and hub[REPO].head.files == before


def test_a_file_of_theirs_under_one_of_our_names_is_replaced_only_with_yes(hub: FakeHub, go: Any) -> None:
    hub.make(REPO, {"persona.toml": b'name = "Theirs"\n', "notes.md": b"kept"})
    status, said, error = go()
    assert status == 1 and "persona.toml on the Hub, not from this project, would be replaced" in error
    assert said.startswith("writer/other: would be published") and "asks" in said
    assert hub[REPO].head.files["persona.toml"] == b'name = "Theirs"\n'
    assert go("--yes")[0] == 0
    assert hub[REPO].head.files["notes.md"] == b"kept"


def test_a_configuration_that_people_added_to_ours_keeps_working(
    hub: FakeHub, go: Any, worker: ProcessPoolExecutor
) -> None:
    assert go()[0] == 0
    card = hub[REPO].head.files[CARD].decode()
    added = "configs:\n- config_name: everything\n  default: true\n  data_files: chat/*.parquet\n"
    hub.edit(REPO, CARD, card.replace("configs:\n", added).encode())
    hub.edit(REPO, "notes.txt", b"theirs")
    status, said, error = go()
    assert status == 0, error
    assert 'still loads `everything`; ours is load_dataset("writer/other", "chat")' in said
    assert [len(rows) for rows in worker.submit(_load, REPO, None).result().values()] == [4]
    assert [len(rows) for rows in worker.submit(_load, REPO, "chat").result().values()] == [3, 1]


def test_a_configuration_of_ours_that_a_version_no_longer_has_goes_with_its_info(hub: FakeHub, go: Any) -> None:
    assert go()[0] == 0
    about = json.loads(hub[REPO].head.files["manifest.json"])
    old = {"config_name": "old", "data_files": [{"split": "train", "path": "old/train.parquet"}]}
    info = {"config_name": "old", "features": [{"name": "text", "dtype": "string"}]}
    about["files"]["old/train.parquet"] = ""
    about["card"]["metadata"]["configs"].append(old)
    about["card"]["metadata"]["dataset_info"].append(info)
    hub.edit(REPO, "manifest.json", json.dumps(about).encode())
    hub.edit(REPO, "old/train.parquet", PLAIN)
    card = card_merge.parse(hub[REPO].head.files[CARD].decode(), "")
    data = card.data | {"configs": [*card.data["configs"], old], "dataset_info": [*card.data["dataset_info"], info]}
    hub.edit(REPO, CARD, f"---\n{yaml.safe_dump(data)}---\n{card.body}".encode())
    status, _, error = go()
    assert status == 0, error
    data = card_merge.parse(hub[REPO].head.files[CARD].decode(), "").data
    assert [c["config_name"] for c in data["configs"]] == ["chat", "instruct"]
    assert [i["config_name"] for i in data["dataset_info"]] == ["chat", "instruct"]
    assert "old/train.parquet" not in hub[REPO].head.files


def test_a_configuration_of_files_elsewhere_is_named_and_not_loaded(hub: FakeHub, go: Any) -> None:
    """A published card must not make this machine read an address, or a file of its own disk."""
    for path in ("https://example.org/a.parquet", "/etc/hosts", "../../x.parquet"):
        hub.clear()
        hub.make(REPO, {CARD: block(f"configs: [{{config_name: far, data_files: '{path}'}}]")})
        status, said, error = go()
        assert status == 1 and "`far` reads files outside of the repository, so it was not tried" in error, error
        assert "far: not loaded" in said
        assert go("--yes")[0] == 0


def test_a_large_repository_is_not_downloaded_and_its_columns_are_compared(
    hub: FakeHub, go: Any, worker: ProcessPoolExecutor
) -> None:
    import numpy as np

    noise = np.random.default_rng(3).bytes(66_000_000)  # random, so that compression leaves it large
    large = table(blob=[noise[i : i + 1_000_000] for i in range(0, len(noise), 1_000_000)])
    info = "dataset_info: {config_name: big, features: [{name: %s, dtype: binary}], splits: [{name: train, %s}]}"
    configs = "configs: [{config_name: big, data_files: data/*}]\n"
    for column, count, kept in (("blob", 66, True), ("text", 66, False), ("blob", 65, False)):
        card = configs + info % (column, f"num_bytes: 1, num_examples: {count}")
        hub.clear()
        hub.make(REPO, {CARD: block(card), DATA: large})
        status, said, error = go("--yes")
        assert status == 0, error
        assert "big: 1 files of 66 MB not downloaded; names and columns, row counts compared" in said
        assert sum(size for path, size in hub.sent if path == DATA) == 0
        infos = card_merge.parse(hub[REPO].head.files[CARD].decode(), "").data["dataset_info"]
        assert ("big" in [entry["config_name"] for entry in infos]) is kept


# ---------------------------------------------------------------- the owner's licence


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("license: cc-by-nc-4.0", "[CC BY-NC 4.0]"),
        ("license: cc0-1.0", "[CC0 1.0]"),
        ("license: openrail", "`openrail`"),
        ("license: [mit, apache-2.0]", "[MIT]"),
        (
            "license: other\nlicense_name: boar\nlicense_link: https://example.org/boar",
            "[boar](https://example.org/boar)",
        ),
    ],
)
def test_the_body_of_the_card_follows_the_licence_that_the_owner_set(
    wanted: str, words: str, hub: FakeHub, go: Any
) -> None:
    assert go()[0] == 0
    card = hub[REPO].head.files[CARD].decode()
    hub.edit(REPO, CARD, card.replace("license: cc-by-4.0", wanted).encode())
    status, said, error = go()
    assert status == 0, error
    assert "set on the Hub (persona.toml: cc-by-4.0)" in said
    text = hub[REPO].head.files[CARD].decode()
    body = card_merge.parse(text, "").body
    assert yaml.safe_load(wanted).items() <= card_merge.parse(text, "").data.items()
    assert f"Licence: {words}" in body and f"offered under {words}" in body
    assert "CC BY 4.0" not in body and ("credit the source" in body) is ("nc" in wanted)
    cited = yaml.safe_load(hub[REPO].head.files["CITATION.cff"])
    spdx = {"license: cc-by-nc-4.0": "CC-BY-NC-4.0", "license: cc0-1.0": "CC0-1.0"}
    assert cited.get("license") == spdx.get(wanted)
    assert b"licenses/by/4.0" not in hub[REPO].head.files["croissant.json"]
    assert go()[1].startswith("writer/other: unchanged, no commit")


def test_a_listed_licence_takes_the_name_of_another_out_of_the_header(hub: FakeHub, go: Any) -> None:
    hub.make(REPO, {CARD: block("license: mit\nlicense_name: tusk\nlicense_link: https://example.org/tusk")})
    assert go()[0] == 0
    card = card_merge.parse(hub[REPO].head.files[CARD].decode(), "")
    assert card.data["license"] == "mit" and "license_name" not in card.data and "tusk" not in card.body


@pytest.mark.parametrize(("on_the_hub", "refused"), [("mit", True), ("cc-by-sa-4.0", False), ("other", False)])
def test_a_licence_that_another_person_gave_is_not_changed_on_the_hub(
    on_the_hub: str, refused: bool, hub: FakeHub, shell: Shell, tmp_path: Path
) -> None:
    persona = PERSONA_FILE.read_text(encoding="utf-8").replace(
        'rights = "own"\nlicense = "cc-by-4.0"', 'rights = "licensed"\nlicense = "cc-by-sa-4.0"', 1
    )
    (tmp_path / "persona.toml").write_text(persona, encoding="utf-8")
    lines = [sample(f"Câu {n}?", f"Đáp {n}!", rights="licensed") for n in range(3)]
    facts = {"imported": {"conversation": 3}}
    write(tmp_path / "datasets" / "export", lines, persona_file=tmp_path / "persona.toml", **facts)
    hub.make(REPO, {CARD: block(f"license: {on_the_hub}")})
    status, said, error = shell("publish", REPO, "--persona", tmp_path / "persona.toml")
    assert status == int(refused), error
    if refused:
        assert "says `license: mit`, but lines are under cc-by-sa-4.0" in error and len(hub[REPO].commits) == 1
    assert ("`license: other` without `license_name`" in said) is (on_the_hub == "other")


def test_a_licence_on_the_hub_without_a_name_takes_every_claim_out_of_the_body(hub: FakeHub, go: Any) -> None:
    hub.make(REPO, {CARD: block("license: unknown")})
    assert go()[0] == 0
    body = card_merge.parse(hub[REPO].head.files[CARD].decode(), "").body
    assert "offered under" not in body and "CC BY" not in body


def test_ours_is_never_loaded_with_a_file_that_differs_from_what_is_sent(
    project_folder: Path, hub: FakeHub, send: Publish, go: Any
) -> None:
    assert go()[0] == 0
    infos = card_merge.parse(hub[REPO].head.files[CARD].decode(), "").data["dataset_info"]
    export = next((project_folder / "datasets" / "export").glob("????????????"))
    sizes = {i["config_name"]: i["download_size"] for i in infos}
    published = hub[REPO].head.files
    assert sizes == {
        config: sum(len(published[exported_rows.parquet(config, side)]) for side in ("train", "eval"))
        for config in ("chat", "instruct")
    }
    assert export.is_dir()
