"""Licence and origin of an export: each source folder's, and what follows for all of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.contracts.manifest import read_manifest
from curation.errors import UsageError
from curation.export import card, card_merge, terms
from curation.export.terms import Licence
from curation.persona import load_persona
from tests.tools.exports import sample, write

HEAD = 'name = "Mei"\nlanguages = ["vi"]\nsystem_prompt = "You are Mei."\n'
OWLS = '[[sources]]\npath = "owls"\nrights = "own"\n'
FOXES = '[[sources]]\npath = "foxes"\nrights = "licensed"\n'
CC = 'license = "cc-by-4.0"\n'
NC = 'license = "cc-by-nc-4.0"\n'
BOAR = 'license = "other"\nlicense_name = "boar"\nlicense_link = "https://example.org/boar"\n'
TO_CARD = {"license": "other", "license_name": "stated-for-each-source"}


@pytest.fixture
def made(tmp_path: Path) -> Callable[[str], tuple[dict[str, Any], str]]:
    """Export a line of each of two folders (owls, foxes) and return the card's YAML data and text."""

    def make(persona: str) -> tuple[dict[str, Any], str]:
        file = tmp_path / "persona.toml"
        file.write_text(HEAD + persona, encoding="utf-8")
        rights = {folder.path: folder.rights for folder in load_persona(file).sources}
        lines = [
            sample(f"Câu {name}?", f"Đáp {name}!", source=f"{name}/quotes.json", rights=of)
            for name, of in rights.items()
        ]
        text = (write(tmp_path / "out", lines, persona_file=file) / "README.md").read_text(encoding="utf-8")
        found = card_merge.parse(text, "")
        return found.data, found.body

    return make


@pytest.mark.parametrize(
    ("persona", "data", "said"),
    [
        pytest.param(OWLS + CC, {"license": "cc-by-4.0"}, "offered under [CC BY 4.0]", id="one"),
        pytest.param(OWLS + CC + FOXES + CC, {"license": "cc-by-4.0"}, "offered under [CC BY 4.0]", id="the-same"),
        pytest.param(OWLS + CC + FOXES + NC, TO_CARD, "The licence differs by source", id="two"),
        pytest.param(OWLS + CC + FOXES, TO_CARD, "The licence differs by source", id="one-states-none"),
        pytest.param(OWLS, TO_CARD, "none stated: ask the author", id="none"),
        pytest.param(OWLS + NC, {"license": "cc-by-nc-4.0"}, "not for commercial purposes", id="clause"),
        pytest.param(OWLS + 'license = "OpenRAIL"\n', {"license": "openrail"}, "offered under `openrail`.", id="case"),
        pytest.param(
            OWLS + BOAR,
            {"license": "other", "license_name": "boar", "license_link": "https://example.org/boar"},
            "offered under [boar](https://example.org/boar).",
            id="other",
        ),
        pytest.param(
            OWLS + CC + FOXES.replace("licensed", "private") + CC, TO_CARD, "none: not offered to anyone", id="private"
        ),
        pytest.param("[card]\n" + CC + OWLS, {"license": "cc-by-4.0"}, "offered under [CC BY 4.0]", id="older-card"),
        pytest.param(
            "[card]\n" + CC + OWLS + FOXES, TO_CARD, "| `foxes` | 1 | licensed | none stated", id="older-card-own-only"
        ),
        pytest.param('[card]\nlicense = "other"\n' + OWLS + CC, {"license": "cc-by-4.0"}, "CC BY", id="older-other"),
    ],
)
def test_the_licence_is_that_of_all_sources_or_stated_for_each(
    persona: str, data: dict[str, str], said: str, made: Any
) -> None:
    stated, body = made(persona)
    assert data.items() <= stated.items()
    assert ("license_link" in stated) is (stated["license"] == "other")
    assert said in body
    assert ("offered under" in body) is (stated.get("license_name") != "stated-for-each-source")


def test_an_origin_that_all_share_is_told_once_and_others_in_the_table(made: Any) -> None:
    mine, yours = 'origin = "I wrote them."\n', 'origin = "From a friend | with leave."\n'
    body = made(OWLS + mine + FOXES + mine)[1]
    assert body.index("I wrote them.") < body.index("| Kind |")
    body = made(OWLS + mine + FOXES + yours)[1]
    assert body.index("I wrote them.") > body.index("## Rights")
    assert "| `foxes` | 1 | licensed | none stated: ask the author | From a friend \\| with leave. |" in body


@pytest.mark.parametrize("rights", ["own", "licensed"])
def test_a_corpus_makes_no_claim_that_another_folder_makes(rights: str, tmp_path: Path) -> None:
    file = tmp_path / "persona.toml"
    old = f'[card]\nlicense = "cc-by-4.0"\norigin = "Original fan writing."\n[corpus]\nrights = "{rights}"\n'
    for words, licence in ((old, "other"), (old + 'license = "cc0-1.0"\norigin = "Mine."\n', "cc0-1.0")):
        file.write_text(HEAD + words + OWLS + CC, encoding="utf-8")
        line = sample("Câu?", "Đáp!", source="mine/quotes.json", rights=rights)  # type: ignore[arg-type]
        folder = write(tmp_path / "out", [line], persona_file=file, configuration={"corpus": "mine"})
        about = read_manifest(folder)
        assert terms.together(about, "a/b").id == licence
        text = card.text(about)
        assert "fan writing" not in text and "CC BY" not in text and ("Mine." in text) is (licence == "cc0-1.0")


@pytest.mark.parametrize(
    "entry",
    ['license = "other"\n', 'license_name = "boar"\n', BOAR.replace('"other"', '"mit"'), 'license = "CC BY 4.0"\n',
     "license = 4\n"],
)  # fmt: skip
def test_a_licence_that_says_too_little_is_wrong_usage(entry: str, tmp_path: Path) -> None:
    (tmp_path / "persona.toml").write_text(HEAD + OWLS + entry, encoding="utf-8")
    with pytest.raises(UsageError, match=r"sources.0.*(needs all three|identifier of https)"):
        load_persona(tmp_path / "persona.toml")


@pytest.mark.parametrize(
    ("data", "licence", "plain"),
    [
        ({}, Licence(), "none stated"),
        ({"license": "MIT"}, Licence("mit"), "mit"),
        ({"license": ["mit", "gpl"]}, Licence("mit, gpl"), "mit, gpl"),
        ({"license": "other", "license_name": "boar"}, Licence("other", "boar"), "other (boar)"),
        ({"license": None}, Licence(), "none stated"),
    ],
)
def test_a_cards_licence_is_read_in_all_its_forms(data: dict[str, Any], licence: Licence, plain: str) -> None:
    assert (terms.of_front_matter(data), licence.plain()) == (licence, plain)


def test_the_export_of_an_older_version_keeps_its_words(tmp_path: Path) -> None:
    file = tmp_path / "persona.toml"
    file.write_text(HEAD + OWLS, encoding="utf-8")
    about = read_manifest(write(tmp_path / "out", [sample("Câu?", "Đáp!")], persona_file=file))
    words = {"license": "cc-by-4.0", "origin": "Original fan writing."}
    older = about.model_copy(update={"sources": [], "persona": about.persona.model_copy(update=words)})
    text = card.text(older)
    assert "license: cc-by-4.0\n" in text and "Original fan writing." in text and "| Source" not in text
