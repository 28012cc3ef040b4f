"""The card of a dataset: its text, its YAML block, and the merge with a card that people edited."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import DatasetCard
from hypothesis import given
from hypothesis import strategies as st

from curation.contracts.manifest import Manifest, read_manifest
from curation.errors import InosukeError
from curation.export import card, card_merge
from curation.export.card_merge import BEGIN, END, merge, merge_data
from tests.tools.exports import SAMPLES, sample, write


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("card"))


@pytest.fixture(scope="module")
def about(folder: Path) -> Manifest:
    return read_manifest(folder)


def changed(about: Manifest, **fields: Any) -> Manifest:
    """Return the manifest with some of its fields replaced."""
    return Manifest.model_validate(about.to_json() | fields)


def test_the_yaml_block_is_what_the_hubs_library_reads(folder: Path) -> None:
    read = DatasetCard((folder / "README.md").read_text(encoding="utf-8"))
    data = read.data.to_dict()
    assert data["language"] == ["vi", "en"]
    assert data["license"] == "cc-by-4.0"
    assert data["size_categories"] == ["n<1K"]
    assert data["task_categories"] == ["text-generation"]
    assert [(c["config_name"], c.get("default", False)) for c in data["configs"]] == [
        ("chat", True),
        ("instruct", False),
    ]
    assert data["configs"][0]["data_files"] == [
        {"split": "train", "path": "chat/train.parquet"},
        {"split": "eval", "path": "chat/eval.parquet"},
    ]


@pytest.mark.parametrize(
    "line",
    [
        "4 approved samples in the voice of Inosuke.",
        "Kinds without a sample so far: Generic QA.",
        "| Conversations | 2 | 0 | 2 | 50.0% |",
        "| **All** | **3** | **1** | **4** | |",
        'load_dataset("OWNER/NAME", "chat")      # messages: a list of role, content, name',
        "- **Collected**: 2 quotes, 3 conversations. Importers of the samples here: 4 rows (column `importer`).",
        "- **Cleaned**: one spelling for the same words",
        "near another (rapidfuzz ratio of 90 or more): flagged for a person and never dropped automatically.",
        "- **Quarantined** with a reason, before review: 1 empty reply.",
        "- **Reviewed**: 4 samples approved, 1 await review. 0 of the exported samples are rewritten.",
        "Languages: 3 vi, 1 en. 1 samples are multi-turn. A reply has 31 characters on average.",
        "Near pairs across the border: **0**.",
        "Samples by the rights of their source (column `rights`): 4 own. The lines are offered under [CC BY 4.0]",
        "Of 4 replies in `vi`, at most 25.0% begin with the same two words (`cây nào`). At most 25.0% begin with the",
        "begin with the same word (`cây`).\nOf 1 replies in `en`, at most",
        "The lines are original fan writing: none is taken from the anime, the manga, their subtitles or a wiki.",
        "Licence: [CC BY 4.0](https://creativecommons.org/licenses/by/4.0/).",
        "belong to Koyoharu Gotouge and Shueisha, with whom this dataset is not affiliated.",
    ],
)
def test_the_card_says(line: str, folder: Path) -> None:
    assert line in (folder / "README.md").read_text(encoding="utf-8")


def test_the_card_prints_the_agreement_of_blind_verdicts_or_that_it_was_not_measured(about: Manifest) -> None:
    assert (
        "on 2 samples that two or more judged blind: 50% of verdict pairs are equal, Krippendorff's alpha -0.2."
        in card.text(about)
    )
    seen = {"samples": 4, "share": 0.75, "alpha": 0.533}  # an older export's: annotators saw each other's verdicts
    for agreement in (None, seen):
        review = {"approved": 4, "awaiting_review": 0, "agreement": agreement}
        said = card.text(changed(about, review=review))
        assert "not measured, because no two people judged a sample blind." in said
        assert "Krippendorff" not in said


def test_the_card_tells_a_persons_verdict_from_an_authors_word(about: Manifest) -> None:
    figures = {"seen_by_a_person": 3, "only_vouched_for_by_the_author": 1, "annotators": 2, "agreement": None}
    facts = {"approved": 4, "awaiting_review": 0, "verdicts": {"approve": 2, "rewrite": 1}, **figures}
    assert (
        "4 samples approved, 0 await review. 3 were judged by a person (2 annotators; verdicts: 2 approve, "
        "1 rewrite), 1 are approved on their author's word alone. 0 of the exported samples are rewritten."
    ) in card.text(changed(about, review=facts))


def test_leaks_are_added_up_however_the_split_reports_them(about: Manifest) -> None:
    nested = {"leakage": {"replies": {"quote": 2}, "prompts": {"quote": 1, "persona": 0}}}
    assert "across the border: **3**" in card.text(changed(about, split=nested))
    short = {"leakage": {}, "left_out": [{"id": "a"}], "short": [["quote", "en"]]}
    assert (
        "across the border: **0**. 1 samples are on neither side, because they are near both sides or near a held-out "
        "prompt. Too few samples to evaluate on: quote en."
    ) in card.text(changed(about, split=short))


def test_the_leakage_is_a_table_by_kind_and_by_what_was_compared(about: Manifest) -> None:
    leakage = {"reply": {"quote": 2, "conversation": 0}, "scene": {"persona": 1}}
    said = card.text(changed(about, split={"leakage": leakage}))
    assert (
        "\n".join(
            [
                "| Near pairs between train and eval | Persona | Quotes | Conversations | Generic QA |",
                "|---|--:|--:|--:|--:|",
                "| near replies | 0 | 2 | 0 | 0 |",
                "| same scene | 1 | 0 | 0 | 0 |",
                "",
            ]
        )
        in said
    )


def test_near_duplicates_that_a_rule_left_out_are_not_called_flagged(about: Manifest) -> None:
    options = about.configuration | {"auto_near": True}
    left_out = {"near_duplicate": 2, "label_in_reply": 1}
    said = card.text(changed(about, configuration=options, left_out=left_out))
    assert "2 samples are near another (rapidfuzz ratio of 90 or more): left out by rule; the best of each" in said
    assert "flagged for a person" not in said
    assert "Approved but not exported: 2 near duplicate, 1 label in reply." in said


def test_the_card_states_that_only_the_author_has_judged_a_dataset(about: Manifest) -> None:
    facts = {"approved": 4, "awaiting_review": 0, "seen_by_a_person": 0, "only_vouched_for_by_the_author": 4}
    said = card.text(changed(about, review=facts | {"annotators": 0, "verdicts": {}, "agreement": None}))
    assert "0 await review. No one but the author has judged them: 4 are approved on their author's word" in said


def test_a_manifest_of_an_older_version_still_makes_a_card(about: Manifest) -> None:
    older = {
        side: {k: v for k, v in figures.to_json().items() if k != "importer"} for side, figures in about.counts.items()
    }
    assert "- **Collected**: 2 quotes, 3 conversations.\n" in card.text(changed(about, counts=older))


def test_lines_of_others_take_the_open_licence_away_and_none_is_not_a_language_code(tmp_path: Path) -> None:
    folder = write(tmp_path, [*SAMPLES, sample("Chào!", "Hahahaha!", rights="private", language=None)])
    data = card.metadata(read_manifest(folder))
    assert data["license"] == "other" and data["license_name"] == "stated-for-each-source"
    assert data["license_link"] == "https://huggingface.co/datasets/OWNER/NAME#rights"
    assert data["language"] == ["vi", "en"]
    words = (folder / "README.md").read_text(encoding="utf-8")
    assert "offered under" not in words and "Shueisha" in words
    assert "The licence differs by source: see [Rights](#rights)." in words
    assert re.search(
        r"^\| `datasets/sources/handwritten` \| 4 \| own \| \[CC BY 4\.0\]\S+ \| The lines are orig", words, re.M
    )
    assert "| `datasets/sources/handwritten` | 1 | private | none: not offered to anyone |" in words


def test_a_persona_without_card_words_claims_neither_a_licence_nor_owners_nor_a_gender(tmp_path: Path) -> None:
    persona = 'name = "Mei"\nlanguages = ["en"]\nsystem_prompt = "You are Mei."\n'
    (tmp_path / "persona.toml").write_text(persona, encoding="utf-8")
    lines = [sample("Hello?", "Quiet. The owls are sleeping.", language="en"), sample("Why?", "Owls!", language="en")]
    folder = write(tmp_path / "out", lines, persona_file=tmp_path / "persona.toml")
    assert card.metadata(read_manifest(folder))["license"] == "other"
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "# Mei: a character's lines" in text
    assert "The character belongs to its owners, with whom" in text and "Licence:" not in text
    assert re.findall(r"\b(?:he|him|his|she|her)\b", text, re.IGNORECASE) == []


def test_charts_are_pictures_of_a_readable_size(folder: Path) -> None:
    for name in ("composition.png", "reply_length.png"):
        data = (folder / "charts" / name).read_bytes()
        width, height = struct.unpack(">II", data[16:24])
        assert data.startswith(b"\x89PNG") and 600 < width < 1000 and 150 < height < 600


# ---------------------------------------------------------------- merging with a card that people edited

OURS = f"---\nlicense: cc-by-4.0\ntags:\n- persona\n---\n\n{BEGIN}\n# Lines\n\n2 samples\n{END}\n"
BASE = {"license": "cc-by-4.0", "tags": ["persona"]}


def test_text_around_the_marks_stays_and_text_between_them_is_replaced() -> None:
    edited = (
        OURS.replace("---\n\n<!--", "---\n\nHello from me!\n\n<!--").replace("2 samples", "1 sample") + "\n## Thanks\n"
    )
    merged = merge(OURS, edited, BASE)
    assert merged == OURS.replace("---\n\n<!--", "---\n\nHello from me!\n\n<!--") + "\n## Thanks\n"


def test_a_card_without_marks_keeps_all_its_text_and_gets_ours_below() -> None:
    merged = merge(OURS, "---\nlicense: mit\n---\n# By hand\n", {})
    assert merged.startswith("---\nlicense: mit\ntags:\n- persona\n---\n# By hand\n")
    assert merged.endswith(f"{BEGIN}\n# Lines\n\n2 samples\n{END}\n")
    assert merge(OURS, "Only words\n", {}).startswith(
        "---\nlicense: cc-by-4.0\ntags:\n- persona\n---\nOnly words\n\n<!--"
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "base", "merged"),
    [
        pytest.param(
            {"license": "mit"}, {"license": "other"}, {"license": "other"}, {"license": "mit"}, id="untouched"
        ),
        pytest.param({"license": "mit"}, {"license": "gpl"}, {"license": "other"}, {"license": "gpl"}, id="by-hand"),
        pytest.param({"license": "mit"}, {"license": "gpl"}, {}, {"license": "gpl"}, id="never-ours"),
        pytest.param({"a": "b"}, {"doi": "10.1"}, {}, {"doi": "10.1", "a": "b"}, id="their-key-stays-first"),
        pytest.param(
            {"tags": ["x", "y"]}, {"tags": ["x", "mine"]}, {"tags": ["x"]}, {"tags": ["x", "mine", "y"]}, id="list"
        ),
        pytest.param(
            {"tags": ["y"]}, {"tags": ["x", "mine"]}, {"tags": ["x"]}, {"tags": ["mine", "y"]}, id="list-drops"
        ),
        pytest.param({"tags": ["x"]}, {"tags": []}, {"tags": ["x"]}, {"tags": []}, id="removed-by-hand"),
        pytest.param({"language": ["vi"]}, {"language": "en"}, {}, {"language": ["en", "vi"]}, id="one-as-text"),
        pytest.param({"size_categories": ["1"]}, {"size_categories": ["2"]}, {}, {"size_categories": ["1"]}, id="size"),
        pytest.param(
            {"configs": [{"config_name": "chat", "data_files": "new"}]},
            {"configs": [{"config_name": "chat", "data_files": "old"}, {"config_name": "extra"}]},
            {},
            {"configs": [{"config_name": "chat", "data_files": "new"}, {"config_name": "extra"}]},
            id="configs",
        ),
    ],
)
def test_yaml_keys_merge_three_ways(ours: Any, theirs: Any, base: Any, merged: Any) -> None:
    assert merge_data(ours, theirs, base) == merged
    assert list(merge_data(ours, theirs, base)) == list(merged)


def test_a_yaml_block_that_needs_no_change_keeps_its_comments() -> None:
    theirs = OURS.replace("license: cc-by-4.0", "license: 'cc-by-4.0'  # as agreed with Hương")
    assert merge(OURS, theirs, BASE) == theirs


@pytest.mark.parametrize(
    ("block", "what"),
    [
        ("tags: [a\nlicense: mit\n---\n", "broken .line"),
        ("- a\n- b\n---\n", "is a list"),
        ("license: mit\n\n# Title", "not closed"),
    ],
)
def test_a_broken_yaml_block_is_an_error_message_that_names_the_card(block: str, what: str) -> None:
    with pytest.raises(InosukeError, match=rf"the card on the Hub: .*{what}.*Fix it on the Hub"):
        merge(OURS, f"---\n{block}", BASE)


words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
data = st.dictionaries(st.sampled_from(["license", "tags", "doi", "language"]), words | st.lists(words, max_size=3))


@given(ours=data, theirs=data, base=data, above=words, below=words)
def test_merging_again_changes_nothing_and_text_around_the_marks_survives(
    ours: Any, theirs: Any, base: Any, above: str, below: str
) -> None:
    generated = f"---\n{yaml.safe_dump(ours, allow_unicode=True)}\n---\n\n{BEGIN}\nnew\n{END}\n"
    edited = f"---\n{yaml.safe_dump(theirs, allow_unicode=True)}\n---\n{above}\n{BEGIN}\nold\n{END}\n{below}"
    once = merge(generated, edited, base)
    assert merge(generated, once, ours) == once
    assert card_merge.parse(once, "").body == f"{above}\n{BEGIN}\nnew\n{END}\n{below}"
