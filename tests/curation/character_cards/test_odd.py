"""Odd cards through `inosuke card`: what tools and people write beside the specification, a kind a test."""

from __future__ import annotations

import base64
import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.character_cards.png_chunks import SIGNATURE, split, text_chunk
from curation.importers import read
from curation.persona import load_persona
from inosuke import cli
from tests.curation.character_cards.making import card, card_png, chunk

PICTURE = SIGNATURE + b"".join(c.raw for c in split(card_png(card()))[0] if c.kind != b"tEXt")
ENTRY = {
    "keys": ["hill"],
    "content": "High.",
    "extensions": {},
    "enabled": True,
    "insertion_order": 1,
    "use_regex": False,
}
ICON = {"type": "icon", "name": "main", "ext": "png"}


def plain(value: Any) -> bytes:
    return json.dumps(value).encode()


def b64(value: Any) -> bytes:
    return base64.b64encode(plain(value))


def png(*chunks: bytes) -> bytes:
    """Return the picture with chunks before its end."""
    end = PICTURE.rindex(b"IEND") - 4
    return PICTURE[:end] + b"".join(chunks) + PICTURE[end:]


def charx(*files: tuple[str, bytes], before: bytes = b"") -> bytes:
    out = io.BytesIO(before)
    with zipfile.ZipFile(out, "a" if before else "w") as archive:
        for name, data in files:
            archive.writestr(name, data)
    return out.getvalue()


def run(*arguments: Any) -> str:
    """Return what a command prints. An error that is not one for the user fails the test."""
    done = CliRunner().invoke(cli, [str(argument) for argument in arguments], catch_exceptions=False)
    return done.output


def came_in(folder: Path, raw: bytes, name: str = "in.json") -> tuple[dict[str, Any], str, list[list[str]]]:
    """Import a file. Return what persona.toml says, what was printed, and the turns of each row."""
    (folder / name).write_bytes(raw)
    said = run("card", "import", folder / name, "--into", folder / "boar")
    persona = load_persona(folder / "boar" / "persona.toml")
    rows = read(folder / "boar" / "card-rows" / "card.json", persona)
    out = folder / f"out{Path(name).suffix}"
    run("card", "export", "--out", out, "--persona", folder / "boar" / "persona.toml")
    assert out.read_bytes() == raw, "it goes out as it came"
    turns = [[f"{m.role}: {m.content}" for m in sample.messages] for sample in rows.samples]
    greetings = [text for texts in persona.greetings.values() for text in texts]
    about = {"name": persona.name, "prompt": persona.system_prompt_in("en"), "greetings": greetings}
    return about, said, turns


OLD, NEW = card(name="Old"), card(name="New")
URL_SAFE = base64.urlsafe_b64encode(plain(card(name="New", tags=["??>>~~"])))
assert b"-" in URL_SAFE or b"_" in URL_SAFE
BROKEN = "its `ccv3` text cannot be read"
CONTAINERS: dict[str, tuple[bytes, str, str]] = {
    "utf-16": (json.dumps(NEW).encode("utf-16"), "New", ""),
    "utf-16-be": (json.dumps(NEW).encode("utf-16-be"), "New", ""),
    "utf-8-sig": (b"\xef\xbb\xbf" + plain(NEW), "New", ""),
    "crlf": (json.dumps(NEW, indent=1).replace("\n", "\r\n").encode(), "New", ""),
    "png of utf-16": (png(text_chunk("chara", base64.b64encode(json.dumps(NEW).encode("utf-16")))), "New", ""),
    "url-safe": (png(text_chunk("chara", URL_SAFE)), "New", ""),
    "no padding": (png(text_chunk("chara", b64(card(name="New", tags=["x"])).rstrip(b"="))), "New", ""),
    "not packed": (png(text_chunk("chara", plain(NEW))), "New", ""),
    "lines of base64": (png(text_chunk("CHARA", base64.encodebytes(plain(NEW)) + b" \r\n")), "New", ""),
    "iTXt": (png(chunk(b"iTXt", b"Chara\0\1\0\0\0" + zlib.compress(b64(NEW)))), "New", ""),
    "two agree": (png(text_chunk("chara", b64(NEW)), text_chunk("ccv3", b64(NEW))), "New", ""),
    "two disagree": (png(text_chunk("chara", b64(OLD)), text_chunk("ccv3", b64(NEW))), "New", "another `name`"),
    "ccv3 damaged": (png(text_chunk("ccv3", b"!!"), text_chunk("chara", b64(OLD))), "Old", BROKEN),
    "ccv3 empty": (png(text_chunk("ccv3", b""), text_chunk("chara", b64(OLD))), "Old", BROKEN),
    "ccv3 no JSON": (png(text_chunk("ccv3", base64.b64encode(b"hi")), text_chunk("chara", b64(OLD))), "Old", BROKEN),
    "chara damaged": (png(text_chunk("ccv3", b64(NEW)), text_chunk("chara", b"!")), "New", "`chara` copy for older"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CONTAINERS)
def test_what_stands_around_a_card(tmp_path: Path, kind: str) -> None:
    raw, name, note = CONTAINERS[kind]
    about, said, turns = came_in(tmp_path, raw, "in.png" if raw.startswith(SIGNATURE) else "in.json")
    assert about["name"] == name and len(turns) == 4
    assert note in said and ("two cards" in said) == bool(note)


@pytest.mark.parametrize("before", [b"", b"\xff\xd8\xff\xe0JFIF picture \xff\xd9"])
def test_a_zip_behind_a_picture_with_two_cards_keeps_both_when_it_is_edited(tmp_path: Path, before: bytes) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        raw = charx(("i.png", PICTURE), ("card.json", plain(OLD)), ("card.json", plain(NEW)), before=before)
    about, _, _ = came_in(tmp_path, raw, "in.charx")
    assert about["name"] == "New", "as every reader of zips takes it"
    persona = tmp_path / "boar" / "persona.toml"
    persona.write_text(persona.read_text("utf-8").replace('name = "New"', 'name = "Sow"'), "utf-8")
    out = tmp_path / "edited.charx"
    run("card", "export", "--out", out, "--persona", persona)
    assert out.read_bytes().startswith(before or b"PK")
    with zipfile.ZipFile(out) as archive:
        assert sorted(archive.namelist()) == ["card.json", "i.png"] and archive.read("i.png") == PICTURE


@pytest.mark.parametrize(
    ("uri", "has_portrait", "fault"),
    [
        ("embeded://a.png", True, ""),
        ("embedded://a.png", True, ""),
        ("embeded://no.png", False, "the CHARX has no such file"),
        ("embeded://cut.png", False, ""),
        ("data:image/png;base64," + base64.b64encode(PICTURE).decode(), True, ""),
        ("data:image/png;base64,!", False, ""),
        ("https://example.org/a.png", False, ""),
        ("embeded://../../etc/passwd", False, "the CHARX has no such file"),
    ],
)
def test_an_icon_that_is_not_there_or_not_whole_is_no_portrait(
    tmp_path: Path, uri: str, has_portrait: bool, fault: str
) -> None:
    value = card(assets=[ICON | {"uri": uri}])
    raw = charx(("a.png", PICTURE), ("cut.png", SIGNATURE + b"x"), ("card.json", plain(value)))
    came_in(tmp_path, raw, "in.charx")
    assert (tmp_path / "boar" / "portrait.png").is_file() == has_portrait
    said = run("card", "check", tmp_path / "in.charx")
    assert (fault in said) if fault else ("V3, 0 faults" in said), said


ODD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "numbers": ({"name": 12, "first_mes": 3.5, "alternate_greetings": [7]}, {"name": "12", "greetings": ["3.5", "7"]}),
    "lists": ({"description": ["Wild.", "Proud."], "alternate_greetings": "Hm?"}, {"prompt": "Wild.\nProud."}),
    "nulls": ({"name": None, "description": None, "first_mes": None}, {"name": "Character"}),
    "truths": ({"name": True, "first_mes": [None], "alternate_greetings": [None, {}, "a"]}, {"greetings": ["a"]}),
    "controls": ({"name": "Bo\0ar\x1b[3m\u202e", "description": "a\0b\x85c"}, {"name": "Boar[3m", "prompt": "ab\nc"}),
    "surrogates": ({"description": "a\ud800b", "first_mes": "\udfff hi"}, {"prompt": "a�b"}),
    "slashes": ({"name": "../../etc/pass\nwd: 🐗"}, {"name": "../../etc/pass wd: 🐗"}),
    "long": ({"name": "B" * 5000}, {"name": "B" * 100}),
    "macros": ({"description": "<BOT> <Char> {{CHAR}} {{ user }} <USER>"}, {"prompt": "Boar Boar Boar you you"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
def test_what_stands_in_a_field(tmp_path: Path, kind: str) -> None:
    fields, expected = ODD[kind]
    about, _, turns = came_in(tmp_path, plain(card(**fields)))
    assert {key: about[key] for key in expected} == expected
    replies = [turn[-1].removeprefix("assistant: ") for turn in turns]
    assert all(text in replies for text in about["greetings"]), "a row for each greeting"


A, B = "user: a", "assistant: b"


@pytest.mark.parametrize(
    ("example", "rows"),
    [
        ("{{user}}: a\n{{char}}: b", [[A, B]]),
        ("<start>{{user}}: a\n{{char}}: b\r\n<START>\r\n<USER>：c\r\n<bot>：d", [[A, B], ["user: c", "assistant: d"]]),
        ("<START>\n**{{user}}:** a\n**Boar**: *roars* b", [[A, "assistant: *roars* b"]]),
        ("<START>\n{{user}} : a\n__{{char}}__ : b", [[A, B]]),
        ("<START>\nYou: a\nBOAR: b\nMore.", [[A, "assistant: b\nMore."]]),
        ("<START>\n<START>\n", []),
        ("He stands on the hill.", []),
    ],
)  # fmt: skip
def test_examples_as_people_write_them(tmp_path: Path, example: str, rows: list[list[str]]) -> None:
    _, _, turns = came_in(
        tmp_path, plain(card(mes_example=example, first_mes="", alternate_greetings=[], character_book=None))
    )
    assert turns == rows


def test_a_name_that_the_card_does_not_know_is_flagged(tmp_path: Path) -> None:
    came_in(tmp_path, plain(card(mes_example="<START>\n{{user}}: a\nOld Pig: b\n{{char}}: c")))
    folder = tmp_path / "boar"
    rows = read(folder / "card-rows" / "card.json", load_persona(folder / "persona.toml"))
    assert [(f.code, f.detail) for f in rows.samples[0].flags] == [("possible_speaker", "Old Pig")]


@pytest.mark.parametrize(
    ("book", "trouble"),
    [
        ({"entries": [ENTRY | {"insertion_order": "7"}]}, '`insertion_order` is "7"; expected a number.'),
        ({"entries": [ENTRY | {"priority": 10**30}]}, "expected a number of at most fifteen digits"),
        ({"entries": [None, ENTRY]}, "entry 1 is missing; expected an object"),
        ({"entries": [ENTRY | {"keys": [1, "a"]}]}, "`keys` is a list; expected a list of texts"),
        ({"entries": [ENTRY], "scan_depth": -1}, "`scan_depth` is -1; expected a number from 0 on"),
        ({"entries": [ENTRY | {"insertion_order": -3, "priority": -5, "content": "@@unheard 3\nThe fact."}]}, ""),
        ({"entries": [ENTRY | {"use_regex": True, "keys": ["/(a+)+$/i", "("]}, ENTRY | {"keys": []}]}, ""),
        ({"entries": {"0": {"uid": 0, "key": ["hill"], "content": "High.", "disable": False}}}, ""),
    ],
)
def test_a_lorebook_that_cannot_be_used_is_named_at_once_and_kept(
    tmp_path: Path, book: dict[str, Any], trouble: str
) -> None:
    _, said, turns = came_in(tmp_path, plain(card(character_book={"extensions": {}} | book)))
    assert ("lorebook is not used yet" in said) == bool(trouble) and trouble in said, said
    told = json.loads((tmp_path / "boar" / "lorebook.json").read_text("utf-8"))["data"]
    assert told["entries"] == book["entries"]
    huge_or_fine = not trouble or "fifteen" in trouble  # the specification has no largest number
    assert (run("card", "check", tmp_path / "in.json").count("character_book") == 0) == (
        huge_or_fine and isinstance(book["entries"], list)
    )
    if isinstance(book["entries"], dict):
        assert ["user: What do you know about hill?", "assistant: High."] in turns


def test_a_world_file_and_a_wrapped_zip_are_named(tmp_path: Path) -> None:
    for name, raw, words in (
        ("a.json", plain({"entries": {"0": {"key": ["a"]}}}), "this is a lorebook without a character"),
        ("b.charx", charx(("boar/card.json", plain(card()))), "It has 'boar/card.json': move what is beside that"),
    ):
        (tmp_path / name).write_bytes(raw)
        done = CliRunner().invoke(cli, ["card", "check", str(tmp_path / name)])
        assert words in str(done.exception), done.exception
