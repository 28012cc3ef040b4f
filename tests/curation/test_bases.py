"""The table of bases: rows are checked, found by name or Hub id, and the templates work with our rendering."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from curation import bases, chat
from curation.contracts.run import RunBase
from curation.errors import InosukeError, UsageError
from curation.persona import load_persona
from curation.record import Message
from tests.conftest import ROOT
from tests.tools.tokenizers import chatml_tokenizer

ROW = """
[licences.free]
name = "MIT"
title = "MIT License"
link = "https://opensource.org/license/mit"
commercial = true
hub_license = "mit"

[[bases]]
name = "tiny"
hub_id = "someone/tiny"
parameters = 1000
shape = { layers = 1, hidden = 1, intermediate = 1, heads = 1, kv_heads = 1, head_dim = 1, vocabulary = 1 }
languages = ["en"]
licence = "free"
sampling = { temperature = 0.7 }
"""


def test_a_base_is_found_by_name_or_hub_id_in_any_case() -> None:
    base = bases.find("Qwen/qwen2.5-3B-instruct")
    assert base is not None
    assert base is bases.find("QWEN2.5-3B-INSTRUCT")
    assert (base.licence.name, base.licence.commercial, base.licence.built_with) == (
        "qwen-research",
        False,
        "Built with Qwen",
    )
    assert bases.find("models/base/mine") is None
    assert len(bases.all_bases()) >= 10


def test_the_bases_of_persona_toml_are_in_the_table() -> None:
    models = load_persona(ROOT / "persona.toml").models
    assert all(bases.find(name) for name in (models.cpu, models.gpu))
    embedded = [base for base in bases.all_bases() if base.is_embedded]
    assert {"gemma-3-270m", "SmolLM2-135M-Instruct"} <= {base.name for base in embedded}
    assert [base.name for base in embedded if base.fallback] == ["gemma-3-270m"]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('name = "tiny"', 'name = "tiny"\nspeed = 3', "unknown key `bases.0.speed`"),
        ('licence = "free"', 'licence = "lost"', "`bases.0.licence`"),
        ("parameters = 1000", "", "the key `bases.0.parameters` is missing"),
        ('languages = ["en"]', 'languages = ["English"]', "`bases.0.languages.0`"),
        ("parameters = 1000", 'parameters = 1\nfallback = "nothing"', "`fallback` names ['nothing']"),
        ("parameters = 1000", 'parameters = 1\nchat_template = "no.jinja"', "no.jinja: no such file"),
        ('hub_license = "mit"', 'hub_license = "other"', "`hub_license_name` belongs"),
        ("parameters = 1000", "parameters = ", "not valid TOML"),
    ],
)
def test_a_wrong_row_is_reported_by_its_key(tmp_path: Path, old: str, new: str, expected: str) -> None:
    path = tmp_path / "bases.toml"
    path.write_text(ROW.replace(old, new), encoding="utf-8")
    with pytest.raises(UsageError) as error:
        bases.read(path)
    assert expected in str(error.value)


@pytest.mark.parametrize("base", bases.all_bases(), ids=lambda base: base.name)
def test_the_shape_has_the_parameters(base: bases.Base) -> None:
    shape = base.shape
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    linear = shape.hidden * (2 * queries + 2 * keys + 3 * shape.intermediate)
    counted = shape.layers * linear + shape.vocabulary * shape.hidden
    # What is left are norms and biases, and an encoder of pictures.
    encoder = 420_000_000 if base.name == "gemma-3-4b-it" else 0
    assert 0 < base.parameters - encoder - counted < 0.0005 * base.parameters


def test_a_row_takes_its_licence_from_the_table_of_licences(tmp_path: Path) -> None:
    path = tmp_path / "bases.toml"
    path.write_text(ROW, encoding="utf-8")
    (base,) = bases.read(path).bases
    assert (base.licence.name, base.sampling.top_p, base.sampling.repeat_penalty) == ("MIT", 1.0, 1.0)


CUT = {"name": "gemma-3-270m", "path": "models/base/gemma-3-270m-en-vi", "sha256": "a"}


@pytest.mark.parametrize(
    ("base", "named", "fits"),
    [
        (
            {"name": "gemma-3-270m", "path": "models/base/gemma-3-270m-en-vi", "sha256": "a"},
            "google/gemma-3-270m",
            True,
        ),
        ({"name": "mine", "path": "bases/mine", "sha256": "a"}, "C:\\models\\bases\\mine", True),
        ({"name": "Qwen/Qwen3-4B", "path": "Qwen/Qwen3-4B"}, "Qwen/Qwen3-4B", True),
        ({"name": "Qwen/Qwen3-4B", "path": "Qwen/Qwen3-4B"}, "Qwen/Qwen3-1.7B", False),
        (CUT, "Qwen/Qwen3-4B", False),
        ({"name": "mine", "path": "bases/mine", "sha256": "a"}, None, True),
    ],
)
def test_an_adapter_belongs_to_the_base_that_it_names(
    tmp_path: Path, base: dict[str, str], named: str | None, fits: bool
) -> None:
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": named}), encoding="utf-8")
    if fits:
        bases.check_adapter(tmp_path, RunBase.model_validate(base))
        return
    with pytest.raises(InosukeError, match=f"made for {named}, and the run was trained on {base['name']}"):
        bases.check_adapter(tmp_path, RunBase.model_validate(base))


GEMMA = "<start_of_turn>user\nBe wild.\n\nHi.<end_of_turn>\n<start_of_turn>model\nHa!<end_of_turn>\n"


def test_the_template_of_gemma_puts_the_system_prompt_before_the_first_turn_and_one_bos_first() -> None:
    tokenizer = chatml_tokenizer()
    tokenizer.add_special_tokens(
        {"bos_token": "<bos>", "eos_token": "<end_of_turn>", "additional_special_tokens": ["<start_of_turn>"]}
    )
    base = bases.find("gemma-3-270m")
    assert base is not None
    tokenizer.chat_template = base.chat_template
    talk = [Message("system", "Be wild."), Message("user", "Hi."), Message("assistant", "Ha!")]
    persona = load_persona(ROOT / "persona.toml")

    rendered = chat.render(talk, tokenizer, persona)
    assert tokenizer.decode(rendered.input_ids) == "<bos>" + GEMMA
    learned = [i for i, m in zip(rendered.input_ids, rendered.loss_mask, strict=True) if m]
    assert tokenizer.decode(learned) == "Ha!<end_of_turn>"

    asked = chat.render(talk[:2], tokenizer, persona).input_ids
    assert asked == rendered.input_ids[: len(asked)]
    # Two speakers before a reply, and a dialogue that the character opens, are laid out like any other.
    two = [*talk[:1], Message("user", "Hi.", "Gonpachiro"), Message("user", "You!"), Message("assistant", "Ha!")]
    assert "Hi.<end_of_turn>\n<start_of_turn>user\nYou!" in tokenizer.decode(
        chat.render(two, tokenizer, persona).input_ids
    )
    opens = [*talk[:1], Message("assistant", "Ha!"), Message("user", "Hi.")]
    assert tokenizer.decode(chat.render(opens, tokenizer, persona).input_ids).startswith(
        "<bos><start_of_turn>user\nBe wild.<end_of_turn>\n<start_of_turn>model\nHa!"
    )
