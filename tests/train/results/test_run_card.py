"""The model card of a run: its front matter and section on the licence, for every base of the table."""

from __future__ import annotations

from typing import Any

import pytest

from curation import bases
from curation.bases import Base
from curation.contracts.run import RunMetrics
from curation.export import card_merge
from train.results import run_card

OTHER = {"license": "other"}
QWEN_RESEARCH = OTHER | {
    "license_name": "qwen-research",
    "license_link": "https://huggingface.co/Qwen/Qwen2.5-3B-Instruct/blob/main/LICENSE",
}
# What the Hub expects in the front matter of a model made from each base, and what the card has to say besides.
EXPECTED: dict[str, tuple[dict[str, str], str]] = {
    "google/gemma-3-270m": ({"license": "gemma"}, "https://ai.google.dev/gemma/prohibited_use_policy"),
    "HuggingFaceTB/SmolLM2-135M-Instruct": ({"license": "apache-2.0"}, "Apache License 2.0"),
    "Qwen/Qwen2.5-3B-Instruct": (QWEN_RESEARCH, "**Built with Qwen.**"),
    "Qwen/Qwen2.5-1.5B-Instruct": ({"license": "apache-2.0"}, "Apache License 2.0"),
    "Qwen/Qwen2.5-0.5B-Instruct": ({"license": "apache-2.0"}, "Apache License 2.0"),
    "Qwen/Qwen3-0.6B": ({"license": "apache-2.0"}, "Apache License 2.0"),
    "Qwen/Qwen3-1.7B": ({"license": "apache-2.0"}, "Apache License 2.0"),
    "Qwen/Qwen3-4B": ({"license": "apache-2.0"}, "Apache License 2.0"),
    "google/gemma-3-1b-it": ({"license": "gemma"}, "https://ai.google.dev/gemma/terms"),
    "google/gemma-3-4b-it": ({"license": "gemma"}, "https://ai.google.dev/gemma/terms"),
    "meta-llama/Llama-3.2-1B-Instruct": ({"license": "llama3.2"}, "**Built with Llama.**"),
    "meta-llama/Llama-3.2-3B-Instruct": ({"license": "llama3.2"}, "**Built with Llama.**"),
}


def metrics(base_model: dict[str, Any]) -> RunMetrics:
    """Return the figures of a run on a base, with nothing in them that the licence does not need."""
    return RunMetrics.model_validate(
        {
            "run": "r",
            "base_model": base_model,
            "recipe": {"name": "cpu", "quantization": "none"},
            "training": {"rows": 8, "best_step": 2, "steps": 3, "stopped_because": "it is done"}
            | {"share_seen": 1.0, "rows_seen": 8, "planned_rows": 8, "share_of_planned": 1.0, "hit_ceiling": False},
            "environment": {"device": "CPU", "cores": 2, "python": "3.11", "versions": {"torch": "2"}},
        }
    )


def trained_on(base: Base) -> dict[str, Any]:
    if base.is_embedded:
        path = f"models/base/{base.name}" + ("-vi-en" if base.cut else "")
        vocabulary = "cd" if base.cut else None
        return {"name": base.name, "path": path, "sha256": "ab", "source": "embedded", "vocabulary": vocabulary}
    return {"name": base.hub_id, "path": base.hub_id, "sha256": None, "source": "hub"}


def test_every_base_of_the_table_is_expected_here() -> None:
    assert {base.hub_id for base in bases.all_bases()} == set(EXPECTED)


@pytest.mark.parametrize("hub_id", EXPECTED)
def test_the_front_matter_states_the_licence_of_the_base(hub_id: str) -> None:
    base = bases.find(hub_id)
    assert base is not None
    card = card_merge.parse(run_card.text(metrics(trained_on(base)), "Inosuke"), "the card")
    stated, said = EXPECTED[hub_id]
    assert {key: value for key, value in card.data.items() if key.startswith("license")} == stated
    assert card.data["base_model"] == hub_id
    section = card.body.partition("## Licence\n")[2]
    assert said in section and base.licence.link in section
    assert "a LoRA adapter was trained for it (run r)" in section
    assert ("not be used commercially" in section) == (hub_id == "Qwen/Qwen2.5-3B-Instruct")
    if base.licence.built_with:
        assert f"**{base.licence.built_with}.**" in card.body.partition("\n## ")[0], "not near the top"


def test_a_base_whose_vocabulary_was_cut_is_not_loaded_from_the_hub() -> None:
    base = bases.find("gemma-3-270m")
    assert base is not None
    card = run_card.text(metrics(trained_on(base)), "Inosuke")
    assert 'from_pretrained("models/base/gemma-3-270m-vi-en")  # gemma-3-270m with its vocabulary cut' in card
    assert "- its vocabulary was cut to the words of the character's languages\n" in card


@pytest.mark.parametrize(
    "base",
    [
        # The name of a folder proves nothing.
        {"name": "SmolLM2-135M-Instruct", "path": "bases/SmolLM2-135M-Instruct", "sha256": "ab", "source": "folder"},
        {"name": "someone/tiny", "path": "someone/tiny", "sha256": None, "source": "hub"},
    ],
)
def test_the_card_of_an_unknown_base_claims_no_licence(base: dict[str, Any]) -> None:
    card = card_merge.parse(run_card.text(metrics(base), "Inosuke"), "the card")
    assert {key: value for key, value in card.data.items() if key.startswith("license")} == OTHER
    assert "It is not in the table of bases, so look it up" in card.body and "Apache" not in card.body
    assert run_card.terms_of(metrics(base)) is None
