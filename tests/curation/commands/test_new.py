"""`inosuke new`: what it writes, what it asks, and what it refuses."""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from curation.errors import InosukeError, UsageError
from curation.folders import Folders
from curation.newcomer.write import folder_name
from curation.persona import Persona, load_persona
from inosuke import cli
from tests.conftest import ROOT
from tests.curation.character_cards.making import card, card_png


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*words: str) -> Result:
    """Run the command without a terminal; errors are raised."""
    return CliRunner().invoke(cli, ["new", *words], catch_exceptions=False)


def test_it_writes_a_folder_named_after_the_character() -> None:
    said = new("Trần Đại Mai").output
    root = Path("characters/tran-dai-mai")
    assert sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()) == [
        ".gitignore", "eval/prompts.jsonl", "guidelines.md", "lines/conversations.en.jsonl",
        "lines/genericqa.en.jsonl", "lines/persona.en.jsonl", "lines/quotes.en.jsonl", "persona.toml",
    ]  # fmt: skip
    assert sum(len(p.read_text(encoding="utf-8").splitlines()) for p in (root / "lines").iterdir()) == 10
    assert "Next: cd characters/tran-dai-mai && inosuke dataset" in said
    persona = load_persona(root / "persona.toml")
    assert (persona.name, persona.languages, persona.style.avoid) == ("Trần Đại Mai", ("en",), ())


def made(*words: str) -> Persona:
    new(*words, "--into", "here")
    return load_persona("here/persona.toml")


def test_every_answer_is_in_persona_toml() -> None:
    persona = made(
        "Anne", "--alias", 'Anne "with an e" Shirley'.replace('"', "'"), "--language", "vi", "--language", "en",
        "--self", "tớ", "--user", "cậu", "--avoid", 'he said "no"', "--avoid", "back\\slash",
        "--greeting", "Chào cậu!", "--greeting", "en=Good day!",
    )  # fmt: skip
    assert persona.aliases == ("Anne 'with an e' Shirley",)
    assert persona.address == {"self": ("tớ",), "user": ("cậu",)} and persona.style.pronouns == ("tớ", "cậu")
    assert persona.style.avoid == ('he said "no"', "back\\slash")
    assert persona.greetings == {"vi": ("Chào cậu!",), "en": ("Good day!",)}
    assert set(persona.page.starters) == {"vi", "en"} and persona.review.guidelines == "guidelines.md"


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Anne", "anne"),
        ("Trần Mai", "tran-mai"),
        ("伊之助", "伊之助"),
        ("ガク", "ガク"),
        ("../../O'Neil Jr.", "o-neil-jr"),
    ],
)
def test_a_folder_gets_a_plain_name(name: str, folder: str) -> None:
    assert folder_name(name) == folder


def test_a_name_in_another_script_and_a_language_without_examples() -> None:
    said = new("嘴平 花子", "--language", "ja").output
    assert "there are no example rows in ja" in said
    assert load_persona("characters/嘴平-花子/persona.toml").languages == ("ja",)


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["Mai:"], "holds ':'"),
        (["Mai {x}"], "holds '{'"),
        (["Ma\x00i"], "holds"),
        (["\u202eMai"], "holds"),
        (["  "], "at least one letter"),
        (["…"], "at least one letter"),
        (["M" * 61], "expected 1 to 60 characters"),
        (["Mai", "--alias", "a|b"], "the alias 'a|b' holds"),
        (["Mai", "--language", "tlh"], "no base model knows the language `tlh`. Expected ISO 639-1 codes among ar, de"),
        (["Mai", "--greeting", "fr=Salut"], "`fr` is not one of the character's languages"),
        (["Mai", "--into", "taken"], "taken: there already, and not empty"),
        (["Mai", "--into", "file"], "file: there already"),
        (["Mai", "--into", "file/below"], "cannot be written"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_written(words: list[str], error: str) -> None:
    Path("taken").mkdir()
    Path("taken/mine.txt").write_text("mine", encoding="utf-8")
    Path("file").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        new(*words)
    assert error in str(raised.value)
    assert sorted(p.name for p in Path().rglob("*")) == ["file", "mine.txt", "taken"]


def test_an_empty_folder_is_used() -> None:
    Path("here").mkdir()
    assert made("Mai").name == "Mai"
    Path("inside").mkdir()
    with contextlib.chdir("inside"):
        new("Lan", "--into", ".")
        assert load_persona("persona.toml").name == "Lan" and not list(Path().glob(".new-*"))


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_on_a_terminal_it_asks_what_no_option_gives(elsewhere: Path) -> None:
    import pty

    main, other = pty.openpty()
    run = subprocess.Popen(
        [sys.executable, "-m", "inosuke", "new", "Mai", "--language", "vi"],
        stdin=other, stdout=other, stderr=other, cwd=elsewhere, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    os.close(other)
    answers = iter(["Bé Mai, 麻衣", "tớ", "cậu", "Chào cậu!", "dạ, thưa"])
    said, seen = "", 0
    while select.select([main], [], [], 60)[0]:
        try:
            said += os.read(main, 4096).decode("utf-8", "replace")
        except OSError:  # the other end is closed
            break
        if said.rstrip(" ").endswith(":") and len(said) > seen:
            os.write(main, (next(answers) + "\n").encode())
            seen = len(said) + 1
    assert run.wait(timeout=30) == 0, said
    os.close(main)
    persona = load_persona(elsewhere / "characters" / "mai" / "persona.toml")
    assert persona.aliases == ("Bé Mai", "麻衣") and persona.address == {"self": ("tớ",), "user": ("cậu",)}
    assert persona.greetings == {"vi": ("Chào cậu!",)} and persona.style.avoid == ("dạ", "thưa")


def dataset(folder: str) -> Result:
    words = ["dataset", "--persona", f"{folder}/persona.toml", "--json"]
    return CliRunner().invoke(cli, words, catch_exceptions=False)


def test_a_card_becomes_a_character_that_can_be_trained_while_its_lines_wait(elsewhere: Path) -> None:
    (elsewhere / "in.png").write_bytes(card_png(card(nickname="The King")))
    said = new("--from", "in.png", "--self", "the king", "--avoid", "please").output
    assert "the card's lines: they wait for review" in said and "out until you approve them" in said
    root = Path("characters/boar")
    assert (root / "character-card.png").read_bytes() == card_png(card(nickname="The King"))
    persona = load_persona(root / "persona.toml")
    assert (persona.name, persona.aliases, persona.style.avoid) == ("Boar", ("The King",), ("please",))
    assert persona.greetings == {"en": ("Hello you, I am The King, the king!", "What do you want from me?")}
    assert persona.page.portrait and persona.page.starters and persona.lorebook and (root / "guidelines.md").is_file()
    report = json.loads(dataset("characters/boar").stdout.strip().splitlines()[-1])
    assert (report["approved"], report["held_out"], report["awaiting_review"]) == (10, 3, 4)
    assert report["exported"]["eval"] > 0  # without a row there, `inosuke train` refuses the export


def test_a_name_replaces_the_cards(elsewhere: Path) -> None:
    (elsewhere / "in.json").write_text(json.dumps(card(name="Boar: the king")), encoding="utf-8")
    with pytest.raises(UsageError, match=r"holds ':'.* Give another name: `inosuke new NAME --from in.json`"):
        new("--from", "in.json")
    new("Heo Rừng", "--from", "in.json", "--language", "vi")
    persona = load_persona("characters/heo-rung/persona.toml")
    assert (persona.name, persona.aliases, persona.languages) == ("Heo Rừng", ("Boar: the king",), ("vi",))


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ([], "the character has no name"),
        (["--from", "in.json", "--alias", "Pig"], "--from and --alias do not go together"),
        (["--from", "in.json", "--greeting", "Hi"], "--from and --greeting do not go together"),
        (["--from", "in.json", "--language", "en", "--language", "vi"], "--from and more --language do not go"),
        (["--from", "none.json"], "none.json: cannot be read"),
        (["--from", "other.json"], "the JSON is not a character card"),
        (["--from", "in.json", "--into", "taken"], "taken: there already, and not empty"),
    ],
)
def test_a_card_that_does_not_fit_writes_nothing(elsewhere: Path, words: list[str], error: str) -> None:
    (elsewhere / "in.json").write_text(json.dumps(card()), encoding="utf-8")
    (elsewhere / "other.json").write_text("{}", encoding="utf-8")
    (elsewhere / "taken").mkdir()
    (elsewhere / "taken" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InosukeError, match=re.escape(error)):
        new(*words)
    assert sorted(p.name for p in elsewhere.rglob("*")) == ["in.json", "mine.txt", "other.json", "taken"]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_first_greeting_calls_no_one_anything(language: str) -> None:
    (greeting,) = made("Mai", "--language", language, "--self", "tớ", "--user", "cậu").greetings[language]
    assert not re.search(r"\b(bạn|mình|tôi|tớ|cậu|anh|em|ta|I|me|you)\b", greeting)


def test_publish_refuses_examples_before_it_asks_the_hub(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")  # nothing listens there: asking would be another error
    monkeypatch.setenv("HF_TOKEN", "hf_none")
    new("Mai", "--into", "here")
    dataset("here")
    with pytest.raises(InosukeError, match="13 rows are still examples of `inosuke new`"):
        CliRunner().invoke(
            cli, ["publish", "someone/mai", "--persona", "here/persona.toml", "--yes"], catch_exceptions=False
        )


def test_the_example_rows_cannot_be_taken_for_lines() -> None:
    new("Mai", "--language", "vi", "--into", "here")
    done = dataset("here")
    report = json.loads(done.stdout.strip().splitlines()[-1])
    assert report["flagged"]["example_row"] == report["approved"] == 10
    assert "Warning: 10 rows are still examples" in done.stderr


CARDS = {
    "en": (card(name="Sow", character_book=None), "Hello you, I am Sow, the king!"),
    "vi": (
        card(
            name="Heo Rừng",
            first_mes="Chào {{user}}, ta là {{char}}, vua của ngọn núi này!",
            alternate_greetings=[],
            mes_example="<START>\n{{user}}: Ngươi là ai vậy?\n{{char}}: Ta là chúa tể của ngọn đồi này!",
            character_book=None,
        ),
        "Chào bạn, ta là Heo Rừng, vua của ngọn núi này!",
    ),
}


@pytest.mark.parametrize("language", sorted(CARDS))
def test_a_card_s_folder_gives_a_dataset_at_once_and_its_rights_are_unknown_until_stated(language: str) -> None:
    value, greeting = CARDS[language]
    Path("in.json").write_text(json.dumps(value), encoding="utf-8")
    new("--from", "in.json", "--language", language, "--into", "her")
    persona = Path("her/persona.toml")

    def built() -> tuple[int, dict[str, str]]:
        done = dataset("her")
        assert done.exit_code == 0, done.output
        rows = pq.read_table(Folders(Path("her").resolve()).queue).to_pylist()
        sources = [json.loads(row["source"]) for row in rows]
        waiting = {
            json.loads(row["messages"])[-1]["content"]: source[4]
            for row, source in zip(rows, sources, strict=True)
            if "card-rows" in source[0]
        }
        return sum(json.loads(done.stdout.strip().splitlines()[-1])["exported"].values()), waiting

    exported, waiting = built()
    assert exported == 10 and waiting[greeting] == "unknown" and set(waiting.values()) == {"unknown"}
    text = persona.read_text(encoding="utf-8")
    assert text.count('rights = "unknown"') == 1
    persona.write_text(text.replace('rights = "unknown"', 'rights = "licensed"'), encoding="utf-8")
    assert set(built()[1].values()) == {"licensed"}
