"""A step divided among copies of a model is the step: the same loss, the same gradients, the same weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.train.conftest import ONE, TWO, Project
from tests.train.model import families
from tests.train.model.test_loss_check import PACKED, RECIPE, adapted, rows
from train.data.batches import in_parts, packed, token_count
from train.data.dialogues import Encoded
from train.model.copies import copies_of, summed_loss
from train.model.loss_check import prove_loss


@pytest.fixture
def four_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("four_threads")
@pytest.mark.parametrize("name", sorted(PACKED))
def test_loss_and_gradients_of_parts_are_those_of_the_batch(name: str, tmp_path: Path, tokenizer: Any) -> None:
    model = adapted(families.save(name, tmp_path, tokenizer))
    prove_loss(model, rows(), RECIPE, lambda line: None)
    found = []
    for count in (1, 2, 3):
        copies = copies_of(model, RECIPE.model_copy(update={"batch_size": count}))
        assert (copies.count if copies else 1) == count
        loss = summed_loss(model, in_parts(rows(), count) if copies else packed(rows()), copies)
        (loss / 2).backward()
        found.append((loss.detach(), [p.grad.clone() for p in model.parameters() if p.grad is not None]))
        model.zero_grad()
    for loss, gradients in found[1:]:
        torch.testing.assert_close(loss, found[0][0], rtol=1e-5, atol=1e-4)
        assert len(gradients) == len(found[0][1]) > 0
        for one, other in zip(gradients, found[0][1], strict=True):
            # OPT's ReLU: an input near zero falls on one side or the other by rounding.
            off = torch.linalg.vector_norm(one - other)
            assert off <= (0.02 if name.startswith("OPT") else 1e-3) * torch.linalg.vector_norm(other) + 1e-3


@pytest.mark.usefixtures("four_threads")
@pytest.mark.parametrize(
    "changes",
    [
        {"batch_size": 1},
        {"lora_dropout": 0.1},
        {"checkpointing": True},
        {"quantization": "nf4"},
        {"layout": "padded"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_one_model_does_the_step_where_copies_would_change_it(changes: dict[str, Any], tiny_base: Path) -> None:
    recipe = RECIPE.model_copy(update={"batch_size": 4})
    model = adapted(tiny_base)
    assert copies_of(model, recipe) is not None
    assert copies_of(model, recipe.model_copy(update=changes)) is None
    assert copies_of(model, recipe, processes=2) is None
    torch.set_num_threads(1)
    assert copies_of(model, recipe) is None


@pytest.mark.usefixtures("four_threads")
def test_the_threads_are_divided_and_the_others_keep_theirs(tiny_base: Path) -> None:
    copies = copies_of(adapted(tiny_base), RECIPE.model_copy(update={"batch_size": 2}))
    assert copies is not None
    assert [f.result() for f in [copies._pool.submit(torch.get_num_threads) for _ in range(2)]] == [2, 2]
    assert torch.get_num_threads() == 4


@pytest.mark.usefixtures("four_threads")
def test_copies_add_no_weights(tiny_base: Path) -> None:
    model = adapted(tiny_base)
    copies = copies_of(model, RECIPE.model_copy(update={"batch_size": 4}))
    assert copies is not None
    own = {x.data_ptr() for x in (*model.parameters(), *model.buffers())}
    for other in copies._models[1:]:
        assert other is not model
        assert {x.data_ptr() for x in (*other.parameters(), *other.buffers())} == own


def test_parts_are_about_as_long_and_rows_of_one_beginning_are_together() -> None:
    one, two = list(range(100, 140)), list(range(200, 240))
    rows = [
        Encoded(f"{n}", start + [n * 50 + i for i in range(9)], [0] * 42 + [1] * 7, 7)
        for n, start in enumerate((one, two, one, two))
    ]
    batch = in_parts(rows, 2)
    assert [part["rows"] for part in batch["parts"]] == [((40, 9, 9),), ((40, 9, 9),)]
    assert token_count(batch) == 2 * 58
    assert (batch["labels"] != -100).sum() == 4 * 7
    assert len(in_parts(rows[:1], 2)["parts"]) == 1  # the last batch of an epoch may be short


@pytest.mark.slow
@pytest.mark.usefixtures("four_threads")
def test_a_training_on_threads_is_the_same_training_twice_and_with_one(trainer: Callable[..., Project]) -> None:
    project = trainer(train=[ONE, TWO, ONE, TWO, TWO])

    def losses(run: str) -> list[float]:
        metrics = project.train(recipe=project.recipe(batch_size=4), run=run)
        return [step["loss"] for step in metrics["history"]["steps"]]

    first = losses("a")
    assert losses("b") == first
    torch.set_num_threads(1)
    assert losses("c") == pytest.approx(first, rel=1e-3)
