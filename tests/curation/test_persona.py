"""persona.toml: what is read from it, and what a wrong one answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.errors import UsageError
from curation.persona import Persona, load_persona

MINIMAL = 'name = "Kai"\nlanguages = ["vi"]\nsystem_prompt = "Kai."\n'


def test_another_character_is_another_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "persona.toml"
    path.write_text(MINIMAL + 'aliases = ["カイ"]\n', encoding="utf-8")
    persona = load_persona(path)
    assert persona.root == tmp_path
    assert persona.is_character("カイ") and persona.is_character("KAI ") and not persona.is_character("Kaito")


def test_labels_are_known_in_any_case_and_in_decomposed_letters(persona: Persona) -> None:
    assert persona.is_user("bạn") and persona.is_user("Người khác")
    assert persona.is_character("inosuke") and persona.is_character("伊之助")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("persona.json", "persona"),
        ("Quotes.en.jsonl", "quote"),
        ("genericqa.vi.jsonl", "generic_qa"),
        ("x.json", "conversation"),
    ],
)
def test_a_files_name_says_the_kind(name: str, kind: str, persona: Persona) -> None:
    assert persona.kind_of(name) == kind


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (MINIMAL + 'nmae = "x"\n', r"unknown key `nmae`. Known here: .*name"),
        (
            MINIMAL + "[dedup]\ntreshold = 90\n",
            r"unknown key `dedup.treshold`. Known here: template_prompts, threshold",
        ),
        (MINIMAL + "[dedup]\nthreshold = 9\n", r"`dedup.threshold` is 9: .*greater than or equal to 50"),
        (MINIMAL + '[[sources]]\npath = "a"\nrights = "mine"\n', r"`sources.0.rights` is 'mine'"),
        (
            MINIMAL + '[[sources]]\npath = "a"\ntrustd = true\n',
            r"unknown key `sources.0.trustd`. Known here: .*trusted",
        ),
        (MINIMAL + '[checks]\noff = ["spelling"]\n', r"`spelling` is not the code of a flag. Expected one of .*loop"),
        (MINIMAL + '[checks]\noff = ["personal_data"]\n', r"`personal_data` cannot be switched off: .* Remove it"),
        (MINIMAL + '[address]\nRengoku = "ông"\n', r"`address.Rengoku`"),
        ('name = "Kai"\nsystem_prompt = "x"\n', r"the key `languages` is missing"),
        ("name = Kai\n", "not valid TOML"),
        (MINIMAL.replace('"Kai."', "3"), r"`system_prompt` is 3: expected a text, or a table"),
        (MINIMAL.replace('"Kai."', "{}"), r"`system_prompt` is {}: expected a text, or a table"),
        (MINIMAL.replace('"Kai."', '{ vi = "" }'), r"`system_prompt` is .*: expected a text, or a table"),
        (MINIMAL.replace('"Kai."', '{ en = "I am Kai." }'), r"`en` is not one of `languages` \(vi\)\. Add it there"),
        (MINIMAL + 'root = "/"\n', "`root` cannot be set here"),
    ],
)
def test_a_wrong_file_is_answered_with_the_key_and_what_is_known(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "persona.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=says) as error:
        load_persona(path)
    assert error.value.exit_status == 2


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--persona"):
        load_persona(tmp_path / "persona.toml")


def test_a_persona_without_labels_calls_the_user_user(tmp_path: Path) -> None:
    path = tmp_path / "persona.toml"
    path.write_text(MINIMAL, encoding="utf-8")
    persona = load_persona(path)
    assert persona.user_label == "User"
    assert persona.is_user("user") and not persona.is_user("Bạn")


def test_tables_that_are_left_out_have_neutral_defaults(tmp_path: Path) -> None:
    path = tmp_path / "persona.toml"
    path.write_text(MINIMAL, encoding="utf-8")
    persona = load_persona(path)
    assert (persona.review.overlap, persona.review.annotators) == (0.0, 2)
    assert (persona.greetings, persona.page.title, persona.page.starters) == ({}, "", {})


def test_the_review_table_is_typed(tmp_path: Path) -> None:
    path = tmp_path / "persona.toml"
    path.write_text(MINIMAL + "[review]\noverlap = 0.2\nannotators = 3\n", encoding="utf-8")
    assert load_persona(path).review.annotators == 3
    path.write_text(MINIMAL + "[review]\nannotators = 1\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"`review.annotators` is 1: .*greater than or equal to 2"):
        load_persona(path)


def test_a_system_prompt_stands_once_or_per_language(tmp_path: Path) -> None:
    path = tmp_path / "persona.toml"
    languages = MINIMAL.replace('["vi"]', '["ja", "vi", "en"]')
    path.write_text(languages, encoding="utf-8")
    assert load_persona(path).system_prompts == {"ja": "Kai.", "vi": "Kai.", "en": "Kai."}
    path.write_text(languages.replace('"Kai."', '{ en = "I am Kai.", vi = "Ta là Kai." }'), encoding="utf-8")
    # A language without a text takes that of the first in `languages` that has one.
    assert load_persona(path).system_prompts == {"ja": "Ta là Kai.", "vi": "Ta là Kai.", "en": "I am Kai."}
