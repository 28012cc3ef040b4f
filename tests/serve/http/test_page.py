"""The page takes everything about the character from persona.toml, as text."""

import html
import json
import re

import pytest

from curation.persona import Page
from serve import create_app
from tests.tools.personas import anne, persona_with

# Words for one man of one story: none of them may stand on another character's page.
ANOTHERS = re.compile(r"\b(inosuke|he|him|his|himself|boar|hắn|ngươi)\b", re.IGNORECASE)
EVIL = '"><script>alert(1)</script>'


def client_of(parrot, persona, **config):
    return create_app({"ENGINE": parrot, "PERSONA": persona, **config}).test_client()


def sent(page):
    """Return what the page has about the character."""
    return json.loads(html.unescape(re.search(r'data-persona="([^"]*)"', page)[1]))


def test_a_persona_without_page_is_neutral(parrot):
    page = client_of(parrot, anne()).get("/").get_data(as_text=True)
    assert "<title>Anne</title>" in page and "<h1>Anne</h1>" in page and '<html lang="en">' in page
    assert sent(page) == {
        "name": "Anne",
        "place": "",
        "portrait": "/portrait",
        "languages": ["en"],
        "greetings": {},
        "starters": {},
        "notice": {},
    }
    assert ANOTHERS.findall(page) == []


@pytest.mark.parametrize("words", ["en", "vi"])
def test_the_words_of_the_page_belong_to_no_character(client, words):
    with client.get(f"/static/words/{words}.js") as response:
        assert ANOTHERS.findall(response.get_data(as_text=True)) == []


def test_the_description_and_the_info_name_the_character(parrot):
    client = client_of(parrot, anne())
    for path in ("/openapi.json", "/api/info"):
        assert "Anne" in (text := client.get(path).get_data(as_text=True)) and ANOTHERS.findall(text) == []


def test_the_first_persona_brings_its_own_words(client):
    page = client.get("/").get_data(as_text=True)
    persona = sent(page)
    assert persona["greetings"]["en"] == ["I am the king of the mountain! What do you want?"]
    assert persona["starters"]["vi"][0] == "Ngươi là ai?"
    assert "không phải bản chính thức" in persona["notice"]["vi"]


def test_texts_of_the_persona_are_never_html(parrot, tmp_path):
    texts = {"en": (EVIL,)}
    page = Page(title=f"a{EVIL}", notice={"en": EVIL}, starters=texts)
    answer = client_of(parrot, persona_with(tmp_path, name=f"b{EVIL}", greetings=texts, page=page)).get("/")
    text = answer.get_data(as_text=True)
    assert "<script>alert" not in text
    assert sent(text)["greetings"] == {"en": [EVIL]} and sent(text)["name"] == f"b{EVIL}"
    assert f"<title>a{html.escape(EVIL).replace('&quot;', '&#34;')}</title>" in text


def test_the_portrait_of_the_first_persona_is_a_picture_and_never_a_document(client):
    answer = client.get("/portrait")
    assert (answer.status_code, answer.mimetype) == (200, "image/svg+xml")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    again = client.get("/portrait", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")


def test_a_missing_portrait_is_reported_at_the_start_and_drawn(parrot, tmp_path):
    app = create_app({"ENGINE": parrot, "PERSONA": persona_with(tmp_path, page=Page(portrait="me.png"))})
    assert app.extensions["inosuke"].chosen[-1].startswith("portrait: me.png does not exist in ")
    assert b">A</text>" in app.test_client().get("/portrait").get_data()


def test_a_served_run_has_the_portrait_of_its_project(finished):
    (finished / "datasets").mkdir()
    (finished / "datasets" / "portrait.svg").write_bytes(b'<svg xmlns="http://www.w3.org/2000/svg" id="mine"/>')
    client = create_app({"ROOT": finished}).test_client()
    assert b'id="mine"' in client.get("/portrait").get_data()
