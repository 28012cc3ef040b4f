"""Recipes: the shipped ones, what the machine changes in them, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation.errors import UsageError
from curation.persona import Persona
from train.recipe import Device, load_recipe, names, pick, resolve, to_toml

CPU, GPU = Device("cpu", has_bf16=False), Device("cuda", has_bf16=True)


def test_the_shipped_recipes_are_valid_and_survive_being_written(tmp_path: Path) -> None:
    assert names() == ["cpu", "default", "seed", "smoke"]
    for name in names():
        recipe = load_recipe(name)
        copy = tmp_path / f"{name}.toml"
        copy.write_text(to_toml(recipe), encoding="utf-8")
        assert load_recipe(str(copy)) == recipe
        assert recipe.name == name


def test_the_machine_chooses_the_recipe_and_gives_the_reason() -> None:
    assert pick(GPU) == ("default", "a CUDA GPU is here")
    assert pick(CPU) == ("cpu", "no CUDA GPU is here")


def test_the_base_comes_from_the_persona_and_precision_from_the_device(persona: Persona) -> None:
    recipe, reasons = resolve(load_recipe("default"), persona, GPU)
    assert (recipe.base, recipe.precision, recipe.optimizer) == ("Qwen/Qwen2.5-3B-Instruct", "bf16", "adamw_8bit")
    assert reasons == [
        "base = Qwen/Qwen2.5-3B-Instruct, from persona.toml",
        "precision = bf16, the best that cuda supports",
    ]


def test_the_seed_recipe_on_a_cpu_reports_what_it_replaces(persona: Persona) -> None:
    recipe, reasons = resolve(load_recipe("seed"), persona, CPU)
    assert (recipe.precision, recipe.optimizer) == ("fp32", "adamw_torch")
    assert [r.split(":")[0] for r in reasons] == [
        "precision = fp32 instead of fp16",
        "optimizer = adamw_torch instead of paged_adamw_32bit",
    ]
    on_gpu, untouched = resolve(load_recipe("seed"), persona, GPU)
    assert (on_gpu, untouched) == (load_recipe("seed"), [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('base = "x/y"\nlora_ranks = 8', r"unknown key `lora_ranks`. Known here: .*lora_rank,"),
        ("epochs = 1", r"the key `base` is missing"),
        ('base = "x/y"\nlora_rank = 0', r"`lora_rank` is 0: Input should be greater than or equal to 1"),
        ('base = "x/y"\noptimizer = "sgd"', r"`optimizer` is 'sgd'"),
        ("base = ", r"not valid TOML.*Fix that line"),
    ],
)
def test_a_wrong_recipe_names_the_key(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        load_recipe(str(file))


def test_an_unknown_recipe_lists_those_that_exist() -> None:
    with pytest.raises(UsageError, match=r"recipe 'gpu'.*cpu, default, seed, smoke"):
        load_recipe("gpu")
