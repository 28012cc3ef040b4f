"""Who is at the desk: a name in a link signs no one in, a proxy asks for passwords, and a browser is remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from annotations.signing import sign
from annotations.store.log_sync import refresh
from annotations.store.review_store import ReviewStore
from annotations.ui import access, remember
from curation.errors import UsageError
from curation.folders import Folders
from curation.persona import load_persona
from curation.review.queue import write_queue
from inosuke import cli
from tests.annotations.conftest import make_item
from tests.annotations.ui.desk_page import SCRIPT, clean, page, press

PERSONA = 'name = "Inosuke"\nlanguages = ["vi"]\nsystem_prompt = "Ngươi là Inosuke."\n'


@pytest.fixture
def store(desk_folder: Path, monkeypatch: pytest.MonkeyPatch):
    persona = desk_folder / "persona.toml"
    persona.write_text(PERSONA, encoding="utf-8")
    monkeypatch.delenv(access.VARIABLE, raising=False)
    folders = Folders(desk_folder)
    opened = ReviewStore(f"sqlite:///{desk_folder / 'datasets' / 'review.db'}")
    write_queue([make_item(1)], folders.queue)
    refresh(opened, folders, load_persona(persona).review)
    yield opened
    opened.close()


def desk(**address: str) -> AppTest:
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    for name, value in {"lang": "en", **address}.items():
        app.query_params[name] = value
    return clean(app.run())


def is_in(app: AppTest) -> bool:
    return any(b.key == "sign_out" for b in app.button)


def test_a_name_in_a_link_fills_the_field_in_and_signs_no_one_in(store: ReviewStore) -> None:
    store.people.add("Minh")
    app = desk(who="Minh")
    assert not is_in(app)
    press(app, "Start")
    assert is_in(app) and "Minh · annotator" in page(app)
    assert "who" not in app.query_params
    unknown = desk(who="Kẻ Lạ")
    assert unknown.text_input(key="new_name").value == "Kẻ Lạ"
    assert list(store.people.roles()) == ["Minh"]


def test_an_empty_name_is_refused_in_words(store: ReviewStore, tmp_path: Path) -> None:
    app = desk()
    press(app, "Start")
    assert "Pick a name, or type yours" in page(app).replace("\\", "")
    for name in ("", "   ", "\u200b", "…"):
        result = CliRunner().invoke(cli, ["review", "annotator", name, "--persona", str(tmp_path / "persona.toml")])
        assert isinstance(result.exception, UsageError) and "is not a name" in str(result.exception)
    assert store.people.roles() == {}


def test_only_the_first_person_may_make_themselves_an_adjudicator(store: ReviewStore) -> None:
    first = desk()
    late = desk()
    for app, name in ((first, "An"), (late, "Bình")):  # both were asked while no one was there
        app.text_input(key="new_name").set_value(name)
        app.checkbox(key="adjudicates").set_value(True)
        press(app, "Start")
    assert store.people.roles() == {"An": "adjudicator", "Bình": "annotator"}
    assert [c.key for c in desk().checkbox] == []


def test_an_adjudicator_makes_others_adjudicators(store: ReviewStore, tmp_path: Path) -> None:
    store.people.add("An", "adjudicator")
    store.people.add("Bình")
    app = press(desk(who="An", view="me"), "Start")
    clean(app.selectbox(key="role of Bình").set_value("adjudicator").run())
    assert store.people.roles()["Bình"] == "adjudicator"
    other = press(desk(who="Bình", view="me"), "Start")
    store.people.set_role("Bình", "annotator")
    assert [s.key for s in clean(other.run()).selectbox if s.key.startswith("role of")] == []
    result = CliRunner().invoke(
        cli, ["review", "annotator", "bình", "--role", "adjudicator", "--persona", str(tmp_path / "persona.toml")]
    )
    assert result.output == "Bình: adjudicator\n"


def test_a_typed_name_means_the_person_who_is_there(store: ReviewStore) -> None:
    store.people.add("Bình Minh")
    assert store.people.join("  binh minh ") == "binh minh"  # without marks it is another name
    assert store.people.join(" BÌNH  minh") == "Bình Minh"
    assert store.people.join("Bi\u0300nh Minh") == "Bình Minh"


def test_a_desk_by_name_refuses_what_a_proxy_passes_on(store: ReviewStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.people.add("Minh")
    import streamlit as st

    monkeypatch.setattr(type(st.context), "headers", {"Host": "127.0.0.1:8501", "X-Forwarded-For": "10.0.0.7"})
    app = desk(who="Minh")
    assert not is_in(app) and not app.text_input
    assert "INOSUKE_DESK_AUTH=password make review" in [c.value for c in app.code]
    assert "x-forwarded-for" in page(app).replace("\\", "")


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"Host": "127.0.0.1:8501"}, None),
        ({"Host": "localhost:8501"}, None),
        ({"Host": "[::1]:8501"}, None),
        ({}, None),
        ({"Host": "desk.example.org"}, "host"),
        ({"Host": "127.0.0.1.example.org"}, "host"),
        ({"Host": "localhost:8501", "FORWARDED": "for=10.0.0.7"}, "forwarded"),
        ({"Host": "localhost:8501", "Tailscale-User-Login": "minh@example.org"}, "tailscale-user-login"),
    ],
)
def test_which_requests_come_from_elsewhere(headers: dict[str, str], found: str | None) -> None:
    assert access.from_elsewhere(headers) == found


def test_the_variable_demands_passwords_on_this_computer_too(
    store: ReviewStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.people.add("Minh")
    store.people.set_password("Minh", "lợn rừng")
    assert access.way() == "name"
    monkeypatch.setenv(access.VARIABLE, "password")
    assert access.way() == "password"
    app = desk(who="Minh")
    assert not is_in(app) and app.text_input(key="login_name").value == "Minh"
    app.text_input(key="login_password").set_value("lợn rừng")
    assert is_in(press(app, "Start"))
    monkeypatch.setenv(access.VARIABLE, "pin")
    with pytest.raises(UsageError, match="Expected `password` or `oidc`"):
        access.way()


def test_a_reload_stays_signed_in_and_signing_out_ends_it(store: ReviewStore, monkeypatch: pytest.MonkeyPatch) -> None:
    import streamlit as st

    store.people.add("Minh")
    cookies = {remember.cookie_name(store): sign(store, "Minh")}
    monkeypatch.setattr(type(st.context), "cookies", cookies)
    app = desk()
    assert is_in(app)
    press(app, "Sign out")
    assert not is_in(app) and not is_in(clean(app.run()))
    cookies[remember.cookie_name(store)] = sign(store, "Minh")[:-4]
    assert not is_in(desk())


def test_the_route_gives_a_cookie_for_a_token_that_counts(store: ReviewStore) -> None:
    store.people.add("Minh")
    client = TestClient(Starlette(routes=[remember.route("/sub/desk", lambda: "name", lambda: store)]))
    token = sign(store, "Minh")
    answer = client.post("/sub/desk/session", json={"token": token})
    cookie = answer.headers["set-cookie"].lower()
    assert answer.status_code == 204
    assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/sub;", f"{token}".lower()))
    assert "secure" not in cookie
    behind = client.post("/sub/desk/session", json={"token": token}, headers={"X-Forwarded-Proto": "https"})
    assert "secure" in behind.headers["set-cookie"].lower()
    assert client.request("DELETE", "/sub/desk/session", json={}).headers["set-cookie"].count("Max-Age=0") == 1
    for body, status in (({"token": token[:-3]}, 401), ({"token": 5}, 401), ({}, 422), ([], 422)):
        refused = client.post("/sub/desk/session", json=body)
        assert (refused.status_code, "set-cookie" in refused.headers) == (status, False)
    form = client.post(
        "/sub/desk/session", content=json.dumps({"token": token}), headers={"Content-Type": "text/plain"}
    )
    assert form.status_code == 415


def test_a_bad_pattern_is_explained_and_the_queue_stays(store: ReviewStore) -> None:
    app = press(desk(who="An"), "Start")
    clean(app.text_input(key="text").set_value("/(/").run())
    assert any("is not a regular expression" in e.value.replace("\\", "") for e in app.error)
    assert (is_in(app) and "sample" in app.query_params) or app.selectbox(key="status en").value == "open"


def test_the_choices_change_their_language_and_stay_chosen(store: ReviewStore) -> None:
    app = press(desk(who="An"), "Start")
    clean(app.selectbox(key="status en").set_value("approved").run())
    clean(app.radio(key="lang").set_value("vi").run())
    box = app.selectbox(key="status vi")
    assert box.value == "approved" and "đã nhận" in box.options
    assert [s.key for s in app.selectbox if s.key.endswith(" en")] == []
