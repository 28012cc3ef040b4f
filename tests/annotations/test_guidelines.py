"""Guidelines: from the project or from persona.toml, safe as HTML, versioned, and recorded with each verdict."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from annotations.guidelines import Guidelines, history, put_in_force, read_guidelines
from annotations.store.log_sync import refresh
from annotations.store.review_store import ReviewStore
from annotations.ui.sample.guidelines_page import adjudicated
from curation.errors import UsageError
from curation.folders import Folders
from curation.persona import load_persona
from curation.review.queue import write_queue
from inosuke import cli
from tests.annotations.conftest import Clock, make_item
from tests.annotations.ui.desk_page import open_desk, page
from tests.conftest import ROOT

PERSONA = 'name = "Inosuke"\nlanguages = ["vi"]\nsystem_prompt = "Ngươi là Inosuke."\n'


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import streamlit

    streamlit.cache_resource.clear()
    streamlit.cache_data.clear()
    (tmp_path / "persona.toml").write_text(PERSONA, encoding="utf-8")
    monkeypatch.setenv("REVIEW_PERSONA", str(tmp_path / "persona.toml"))
    monkeypatch.delenv("REVIEW_DB", raising=False)
    write_queue([make_item(1), make_item(2)], Folders(tmp_path).queue)
    return tmp_path


def name_guidelines(project: Path, text: str) -> None:
    (project / "cách-duyệt.md").write_text(text, encoding="utf-8")
    table = '[review]\nguidelines = "cách-duyệt.md"\n'
    (project / "persona.toml").write_text(PERSONA + table, encoding="utf-8")


def run(project: Path, *arguments: str) -> dict:
    result = CliRunner().invoke(cli, [*arguments, "--json", "--persona", str(project / "persona.toml")])
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


def test_the_projects_own_guidelines_have_both_languages(project: Path) -> None:
    own = read_guidelines(load_persona(project / "persona.toml"))
    assert own.path == ROOT / "docs" / "guidelines.md"
    vietnamese, english = own.html("vi"), own.html("en")
    assert "Nhận" in vietnamese and "Approve" not in vietnamese
    assert "Approve" in english and "Nhận" not in english
    assert "<table>" in english and "language:" not in english


def test_the_personas_file_takes_their_place_and_its_version_is_its_text(project: Path) -> None:
    name_guidelines(project, "# Duyệt\nNhận là nhận.\n")
    one = read_guidelines(load_persona(project / "persona.toml"))
    assert one.text.startswith("# Duyệt") and len(one.version) == 12
    (project / "cách-duyệt.md").write_bytes(unicodedata.normalize("NFD", "# Duyệt\r\nNhận là nhận.").encode())
    assert read_guidelines(load_persona(project / "persona.toml")).version == one.version
    name_guidelines(project, "# Duyệt\nNhận là nhận!\n")
    assert read_guidelines(load_persona(project / "persona.toml")).version != one.version


def test_a_file_that_is_not_there_is_an_error_that_names_it(project: Path) -> None:
    table = '[review]\nguidelines = "gone.md"\n'
    (project / "persona.toml").write_text(PERSONA + table, encoding="utf-8")
    with pytest.raises(UsageError, match=r"gone\.md: the guidelines cannot be read"):
        read_guidelines(load_persona(project / "persona.toml"))


@pytest.mark.parametrize(
    ("text", "never"),
    [
        ("<script>alert(1)</script>", "<script"),
        ("<img src=x onerror=alert(1)>", "<img"),
        ("![x](https://example.org/x.png)", "<img"),
        ("[x](javascript:alert(1))", "href"),
        ("[x](data:text/html,hi)", "href"),
        ("<!-- hidden --> <b>x</b>", "<b>"),
    ],
)
def test_no_tag_of_the_file_reaches_the_page(text: str, never: str) -> None:
    assert never not in Guidelines(text, "v").html("en").lower()


@given(st.text(st.sampled_from("<>&\"'ab!-/=[]()#*\n "), max_size=80))
def test_only_the_renderers_own_tags_are_in_the_page(text: str) -> None:
    import re

    tags = set(re.findall(r"<\s*/?\s*([^\s>/]*)", Guidelines(text, "v").html("vi")))
    known = {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "em", "strong", "a", "pre", "code", "hr", "br"}
    assert tags <= known | {"blockquote", "table", "thead", "tbody", "tr", "th", "td"}


def test_a_version_is_noted_when_it_comes_into_force(store: ReviewStore, clock: Clock) -> None:
    for version in ("aaa", "aaa", "bbb", "aaa", ""):
        put_in_force(store, version)
        clock.now += 60
    assert [one.version for one in history(store)] == ["aaa", "bbb", "aaa"]
    assert history(store)[0].since < history(store)[1].since
    assert store.guidelines == ""


def test_the_desk_shows_them_and_each_verdict_records_the_version(project: Path) -> None:
    name_guidelines(project, "# Duyệt\nLuật của rừng.\n")
    seen = page(open_desk("An"))
    assert "Luật của rừng" in seen
    version = read_guidelines(load_persona(project / "persona.toml")).version
    assert version in seen
    from annotations.ui.session import open_desk as desk_of

    store = desk_of("en").store
    store.decide(make_item(1).sample.id, "An", "approve", revision=0)
    name_guidelines(project, "# Duyệt\nLuật mới.\n")
    shown = run(project, "review", "guidelines")
    assert shown["verdicts"] == {version: 1}
    assert shown["version"] != version
    assert [one["version"] for one in shown["history"]] == [version, shown["version"]]
    run(project, "review", "sync")
    assert f'"guidelines": "{version}"' in (project / "datasets" / "decisions.jsonl").read_text(encoding="utf-8")


def test_examples_are_samples_that_an_adjudicator_settled(tmp_path: Path) -> None:
    (tmp_path / "persona.toml").write_text(PERSONA + "[review]\noverlap = 1.0\n", encoding="utf-8")
    persona = load_persona(tmp_path / "persona.toml")
    folders = Folders(tmp_path)
    write_queue([make_item(i) for i in range(3)], folders.queue)
    store = ReviewStore(f"sqlite:///{tmp_path / 'datasets' / 'review.db'}")
    refresh(store, folders, persona.review)
    disputed, agreed, open_one = (make_item(i).sample.id for i in range(3))
    store.decide(disputed, "An", "approve", revision=0)
    store.decide(disputed, "Bình", "reject", revision=0, reason="no_sense")
    store.decide(agreed, "An", "approve", revision=0)
    store.decide(agreed, "Bình", "approve", revision=0)
    store.decide(open_one, "An", "reject", revision=0, reason="other")
    assert adjudicated(store.log.of_panels()) == []
    store.decide(disputed, "Dung", "reject", revision=0, reason="wrong_voice", adjudicate=True)
    assert [(e.sample_id, e.verdict, e.reason) for e in adjudicated(store.log.of_panels())] == [
        (disputed, "reject", "wrong_voice")
    ]
    store.close()
