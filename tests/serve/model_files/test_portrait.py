"""Which picture is the portrait, and which file is refused."""

import xml.etree.ElementTree as ElementTree

import pytest

from curation.errors import UsageError
from curation.persona import Page
from serve.model_files.portrait import MAX_BYTES, load_portrait
from tests.tools.personas import persona_with

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
PICTURES = {
    "a.svg": (SVG, "image/svg+xml"),
    "a.png": (b"\x89PNG\r\n\x1a\n...", "image/png"),
    "a.webp": (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
    "a.jpg": (b"\xff\xd8\xff\xe0...", "image/jpeg"),
    "A.JPEG": (b"\xff\xd8\xff\xe0...", "image/jpeg"),
}


@pytest.fixture
def anne(tmp_path):
    def make(portrait):
        return persona_with(tmp_path / "anne", page=Page(portrait=portrait))

    return make


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_served_with_the_type_that_its_name_promises(anne, tmp_path, name):
    data, mimetype = PICTURES[name]
    persona = anne(f"pictures/{name}")
    (persona.root / "pictures").mkdir(parents=True)
    (persona.root / "pictures" / name).write_bytes(data)
    portrait = load_portrait(persona, tmp_path)
    assert (portrait.data, portrait.mimetype, portrait.note) == (data, mimetype, "")


def test_a_run_finds_the_picture_in_the_project(anne, tmp_path):
    (tmp_path / "me.svg").write_bytes(SVG)
    assert load_portrait(anne("me.svg"), tmp_path).data == SVG


@pytest.mark.parametrize("portrait", ["", "nowhere.svg"])
def test_without_a_picture_the_portrait_is_the_first_letter(anne, tmp_path, portrait):
    drawn = load_portrait(anne(portrait), tmp_path)
    root = ElementTree.fromstring(drawn.data)
    assert drawn.mimetype == "image/svg+xml" and root[-1].text == "A"
    assert ("nowhere.svg does not exist" in drawn.note) == bool(portrait)


@pytest.mark.parametrize(
    ("name", "letter"), [("emilia", "E"), ("Đào", "Đ"), ("“伊之助”", "伊"), ("<&>", "?"), ("&b", "B")]
)
def test_any_name_has_a_letter(tmp_path, name, letter):
    drawn = load_portrait(persona_with(tmp_path, name=name), tmp_path)
    assert ElementTree.fromstring(drawn.data)[-1].text == letter


def test_different_names_have_different_colours(tmp_path):
    assert len({load_portrait(persona_with(tmp_path, name=f"A{n}"), tmp_path).data for n in range(9)}) > 4


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.html", b"<html><svg></svg></html>"),
        ("a.png", SVG),
        ("a.svg", b"<html><script>alert(1)</script></html>"),
        ("a", b"\x89PNG\r\n\x1a\n"),
        ("a.jpg", b""),
    ],
)
def test_a_file_that_is_not_the_picture_of_its_name_is_refused(anne, tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(UsageError, match=r"is not a picture of the type.*Expected an SVG, PNG, WebP or JPEG"):
        load_portrait(anne(name), tmp_path)


def test_a_large_picture_is_refused(anne, tmp_path):
    (tmp_path / "a.svg").write_bytes(SVG + b" " * MAX_BYTES)
    with pytest.raises(UsageError, match=r"the portrait has 2,097,\d+ bytes; expected at most 2,097,152"):
        load_portrait(anne("a.svg"), tmp_path)


@pytest.mark.parametrize("portrait", ["../a.svg", "/a.svg", "b/../../a.svg"])
def test_a_path_out_of_the_folder_is_refused(anne, tmp_path, portrait):
    with pytest.raises(UsageError, match=r"`page\.portrait` is .*expected a file below persona\.toml's folder"):
        load_portrait(anne(portrait), tmp_path)
