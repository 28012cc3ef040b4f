"""On every model family the loss is the model's own, token by token, or the training refuses to start."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from curation.errors import InosukeError, UsageError
from tests.train.conftest import TWO, Project
from tests.train.model import families
from train.data.dialogues import Encoded
from train.model import loss_check
from train.model.base_model import BaseModel
from train.model.load import add_adapter, load_base
from train.model.loss import token_losses
from train.model.loss_check import lay_out, prove_loss
from train.model.scoring import row_scores
from train.recipe import Recipe

RECIPE = Recipe(name="r", base="b", quantization="none", precision="fp32", lora_rank=4, lora_alpha=8)
PACKED = {
    *("Qwen2", "Qwen3", "Llama", "SmolLM3", "Phi-3, short window", "Mistral, short window", "Gemma 3, long window"),
    *("Gemma 3, short window", "nanochat, cap", "Cohere, scale", "Granite, scales", "OPT, body in two parts"),
    families.WITH_IMAGES,
}
REFUSED = {"Mamba2, no attention", "Falcon-H1, both at once"}  # peft has no adapter for all of their layers


def rows() -> list[Encoded]:
    """Return rows with a common beginning, longer and shorter than families.SHORT."""
    drawn = torch.Generator().manual_seed(1)
    shared = torch.randint(0, 256, (24,), generator=drawn).tolist()
    return [
        Encoded(str(n), shared + torch.randint(0, 256, (n,), generator=drawn).tolist(), [0] * 32 + [1] * (n - 8), n)
        for n in (90, 40, 25)
    ]


def adapted(folder: Path, recipe: Recipe = RECIPE) -> Any:
    """Return the base in the folder with an adapter that does something."""
    base = BaseModel("b", str(folder), "0" * 64)
    model = add_adapter(load_base(base, recipe), base, recipe)
    torch.manual_seed(2)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:  # zero at first
            torch.nn.init.normal_(parameter, std=0.05)
    return model


def by_the_library(folder: Path, model: Any) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Return the losses of the rows, one row at a time with eager attention, and the adapter's gradients."""
    from peft import get_peft_model
    from transformers import AutoModelForCausalLM

    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    other = get_peft_model(plain.requires_grad_(False), model.peft_config["default"]).eval()
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    own = {name: p for name, p in other.named_parameters() if p.requires_grad}
    assert own.keys() == trained.keys()
    losses = []
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(trained[name])
    for row in rows():
        logits = other(input_ids=torch.tensor([row.input_ids]), use_cache=False).logits[0, :-1]
        counted = torch.tensor(row.loss_mask[1:], dtype=torch.bool)
        losses.append(
            functional.cross_entropy(logits[counted], torch.tensor(row.input_ids[1:])[counted], reduction="none")
        )
    torch.cat(losses).sum().backward()
    return torch.cat(losses).detach(), [p.grad for p in own.values() if p.grad is not None]


@pytest.mark.parametrize("name", [n for n in families.NAMES if n not in REFUSED])
def test_losses_and_gradients_of_a_family_are_its_own(name: str, tmp_path: Path, tokenizer: Any) -> None:
    folder = families.save(name, tmp_path, tokenizer)
    model, said = adapted(folder), []
    layout = prove_loss(model, rows(), RECIPE, said.append).layout
    assert layout == ("packed" if name in PACKED else "padded")
    model.eval()
    batch = lay_out(rows(), layout)
    losses = token_losses(model, batch)
    losses.sum().backward()
    own, gradients = by_the_library(folder, model)
    torch.testing.assert_close(losses, own, rtol=1e-4, atol=1e-4)
    found = [p.grad for p in model.parameters() if p.grad is not None]
    assert len(found) == len(gradients) > 0
    for one, other in zip(found, gradients, strict=True):
        if name.startswith("OPT"):
            # ReLU: an input near zero falls on one side or the other by rounding, which changes single gradients.
            assert torch.linalg.vector_norm(one - other) <= 0.02 * torch.linalg.vector_norm(other) + 1e-3
        else:
            torch.testing.assert_close(one, other, rtol=2e-3, atol=2e-3)
    scored = row_scores(model, rows(), end_ids=[1])
    assert sum(s.nll for s in scored) == pytest.approx(own.sum().item(), rel=1e-5)
    quiet = name in PACKED and not name.startswith("OPT")
    assert (said == []) is quiet, said
    assert all(line.startswith("Loss check: ") and "which gives the model's own loss" in line for line in said)


def test_without_the_check_a_recurrent_state_would_pass_from_row_to_row(tmp_path: Path, tokenizer: Any) -> None:
    """Holds that the families above are hard: packed, these two are off, and the check sees it in the numbers too."""
    for name in ("LFM2, convolutions", "Qwen3.5, recurrent"):
        folder = families.save(name, tmp_path / name, tokenizer)
        model = adapted(folder).eval()
        own = loss_check._own_losses(model, rows(), "replies")
        way = loss_check.Way("packed", loss_check._attention(model), "in chunks")
        with torch.inference_mode():
            assert loss_check._difference(model, rows(), own, way, "replies") is not None
            good = loss_check.Way("padded", way.attention, way.head)
            assert loss_check._difference(model, rows(), own, good, "replies") is None


def test_a_loss_that_is_wrong_every_way_is_refused(tiny_base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss_check, "token_losses", lambda model, batch: token_losses(model, batch) + 0.01)
    with pytest.raises(InosukeError, match=r"the loss of a qwen2 model: with packed rows.*; with padded rows"):
        prove_loss(adapted(tiny_base), rows(), RECIPE, print)


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_is_no_reason_to_refuse(precision: str, tmp_path: Path, tokenizer: Any) -> None:
    recipe = RECIPE.model_copy(update={"precision": precision})
    for name in ("Qwen2", "Gemma 3, short window"):
        model, said = adapted(families.save(name, tmp_path / name, tokenizer), recipe), []
        assert prove_loss(model, rows(), recipe, said.append).layout == "packed"
        assert said == []


def test_rows_that_are_longer_than_those_of_the_check_are_checked_again(tiny_base: Path) -> None:
    model = adapted(tiny_base)
    short, long = rows()[2:], rows()
    prove_loss(model, short, RECIPE, print)
    assert loss_check.PROVED[model.get_base_model()].tokens == 49
    row_scores(model, long, end_ids=[1])
    assert loss_check.PROVED[model.get_base_model()].tokens == 114


def test_a_row_too_long_for_eager_attention_is_compared_with_the_models_sdpa(tiny_base: Path) -> None:
    model = adapted(tiny_base)
    ids = torch.randint(0, 256, (loss_check.EAGER_TOKENS + 1,), generator=torch.Generator().manual_seed(0)).tolist()
    row = Encoded("long", ids, [0] * 1000 + [1] * 25, 25)
    assert prove_loss(model, [row, *rows()], RECIPE, print).layout == "packed"


# ---------------------------------------------------------------- through the command


def families_project(make: Callable[..., Project], name: str, tokenizer: Any) -> Project:
    project = make(train=[TWO] * 4, evaluation=[TWO])
    return Project(project.root, families.save(name, project.root / "base", tokenizer))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Gemma 2, both caps", "LFM2, convolutions", families.WITH_IMAGES])
def test_a_training_says_which_way_it_takes_and_its_figures_are_the_models_own(
    name: str, trainer: Callable[..., Project], tokenizer: Any
) -> None:
    project, said = families_project(trainer, name, tokenizer), []
    recipe = project.recipe(quantization="none", epochs=1, lora_rank=4, checkpointing=True)
    metrics = project.train(said.append, recipe=recipe, run="r")
    assert len([line for line in said if line.startswith("Loss check: ")]) == (name != families.WITH_IMAGES)
    assert metrics["eval"]["base"]["loss"] == pytest.approx(_own_loss(project, tokenizer), rel=1e-5)
    assert metrics["samples"]


def _own_loss(project: Project, tokenizer: Any) -> float:
    from transformers import AutoModelForCausalLM

    from train.data.dialogues import encode, load_export

    export = load_export(project.root / "datasets" / "export" / "v1")
    [row], _ = encode(export.eval, tokenizer, export.persona, 1024)
    model = AutoModelForCausalLM.from_pretrained(project.base, dtype=torch.float32, attn_implementation="eager")
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([row.input_ids])).logits[0, :-1]
    counted = torch.tensor(row.loss_mask[1:], dtype=torch.bool)
    return functional.cross_entropy(logits[counted], torch.tensor(row.input_ids[1:])[counted]).item()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_family_without_adapters_is_refused_in_words(
    name: str, trainer: Callable[..., Project], tokenizer: Any
) -> None:
    project = families_project(trainer, name, tokenizer)
    with pytest.raises(UsageError, match=r"peft cannot put LoRA .* model.*Name other layers in `lora_targets`"):
        project.train(recipe=project.recipe(quantization="none"), run="r")


@pytest.mark.slow
def test_image_layers_get_no_adapter(trainer: Callable[..., Project], tokenizer: Any) -> None:
    project = families_project(trainer, families.WITH_IMAGES, tokenizer)
    for share, layers in ((1.0, {"0", "1", "2", "3"}), (0.5, {"2", "3"})):
        model = adapted(project.base, RECIPE.model_copy(update={"lora_upper_layers": share}))
        trained = [n for n, p in model.named_parameters() if p.requires_grad]
        assert trained and all(".language_model.layers." in n for n in trained)
        assert {n.split(".layers.")[1].split(".")[0] for n in trained} == layers
