"""Learning from pairs and single replies through `inosuke train --preferences`, on a tiny random Qwen2."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.errors import InosukeError, UsageError
from tests.train.conftest import ONE, TWO, Project, write_export
from train.commands.merge import merge
from train.commands.train import train as train_command

Make = Callable[..., Project]
REPLIES = ["Ta là vua!", "Đấu với ta!", "Ta thắng rồi!", "Lợn lòi xông lên!", "Ngươi sợ à?"]
DULL = "Tôi là trợ lý."


def pairs(count: int, name: str = "p", **changes: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{name}{i}",
            "group": f"{name}{i}",
            "prompt": [{"role": "user", "content": f"Câu hỏi {name} số {i}?", "name": None}],
            "chosen": [{"role": "assistant", "content": f"{REPLIES[i % 5]} {name}{i}", "name": None}],
            "rejected": [{"role": "assistant", "content": f"{DULL} {i}", "name": None}],
            "origin": "rewrite",
            "annotators": 1,
            "edit_distance": 0.8,
            "language": "vi",
        }
        | changes
        for i in range(count)
    ]


def labels(count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"l{i}",
            "group": f"l{i}",
            "prompt": [{"role": "user", "content": f"Nói {i} đi.", "name": None}],
            "completion": [{"role": "assistant", "content": REPLIES[i % 5] if i % 2 else DULL, "name": None}],
            "label": bool(i % 2),
            "origin": "thumb",
            "annotators": 1,
            "language": "vi",
        }
        for i in range(count)
    ]


def add(root: Path, **files: list[dict[str, Any]]) -> None:
    """Put preferences and labels into the project's export, as `inosuke dataset` does."""
    out = root / "datasets" / "export" / "v1"
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    for name, rows in files.items():
        file = out / "jsonl" / f"{name.replace('_', '.')}.jsonl"
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        manifest["files"][f"jsonl/{file.name}"] = hashlib.sha256(file.read_bytes()).hexdigest()
    (out / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def recipe(project: Project, **preference: Any) -> str:
    table = {"epochs": 3, "learning_rate": 3e-3, "max_dialogue_loss": 0.5} | preference
    return project.recipe(quantization="none", samples=0, preference=table)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> Project:
    """A project with a supervised run `first` and an export that has preferences on both sides."""
    root = tmp_path_factory.mktemp("preferences")
    write_export(root, [ONE] * 12, [TWO])
    project = Project(root, tiny_base)
    project.train(recipe=project.recipe(quantization="none", epochs=4, samples=0), run="first")
    # What a pair holds, the export also has as labels, for trainers that take nothing else.
    [pair] = pairs(1)
    about = {key: pair[key] for key in ("id", "group", "prompt", "origin", "annotators", "language")}
    both = [
        about | {"completion": pair["chosen"], "label": True},
        about | {"completion": pair["rejected"], "label": False},
    ]
    add(root, preferences_train=pairs(24), preferences_eval=pairs(10, "e"), labels_train=[*labels(4), *both])
    return project


@pytest.fixture
def project(trained: Project, tmp_path: Path) -> Project:
    """A copy of it, whose base stays where it is."""
    shutil.copytree(trained.root, tmp_path / "copy")
    return Project(tmp_path / "copy", trained.base)


def command(project: Project, *arguments: str) -> Any:
    return CliRunner().invoke(train_command, [*arguments, "--no-gguf", "--persona", str(project.persona)])


def adapter(project: Project, run: str) -> bytes:
    return (project.root / "models" / run / "adapter" / "adapter_model.safetensors").read_bytes()


@pytest.mark.slow
def test_pairs_and_labels_teach_what_was_chosen_and_report_it(project: Project) -> None:
    done = command(
        project, "--preferences", "--from", "first", "--run", "second", "--recipe", recipe(project), "--json"
    )
    assert done.exit_code == 0, done.output
    metrics = json.loads(done.stdout.strip().splitlines()[-1])
    found = metrics["preference"]
    assert metrics["started_from"] == "first"
    assert (found["train"], found["labels"], found["pairs"]) == (24, 4, 10)
    assert found["chosen_on"] == "eval"  # too few pairs to give some of them away
    assert found["margin_accuracy"]["value"] >= 0.9
    assert found["margin_accuracy"]["groups"] == 10
    assert found["more_likely_after"]["value"] > found["more_likely_before"]["value"]
    assert found["chosen_change"]["value"] > max(0, found["rejected_change"]["value"])
    assert found["dialogues_before"]["reply_nll_per_char"] > 0
    card = (project.root / "models/second/README.md").read_text(encoding="utf-8")
    assert "## Preferences" in card
    assert "continues `first`" in card
    assert adapter(project, "second") != adapter(project, "first")
    assert "rpo_alpha" in (project.root / "models/second/recipe.toml").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_killed_preference_training_resumes_to_the_very_same_adapter(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from train.preference.trainer import PreferenceTrainer

    wanted = recipe(project, epochs=2)
    project.train(recipe=wanted, run="whole", start="first", preferences=True)
    step = PreferenceTrainer.training_step

    def killed(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self.state.global_step == 5:
            raise KeyboardInterrupt
        return step(self, *args, **kwargs)

    monkeypatch.setattr(PreferenceTrainer, "training_step", killed)
    with pytest.raises(InosukeError, match="inosuke train --resume cut"):
        project.train(recipe=wanted, run="cut", start="first", preferences=True)
    monkeypatch.undo()
    project.train(resume="cut")
    assert adapter(project, "cut") == adapter(project, "whole")


@pytest.mark.slow
def test_new_dialogues_continue_an_adapter(project: Project) -> None:
    metrics = project.train(recipe=project.recipe(epochs=1, lora_rank=4, samples=0), run="more", start="first")
    assert metrics["started_from"] == "first"
    assert metrics["recipe"]["lora_rank"] == 32
    assert "lora_rank = 32, as in first" in metrics["recipe"]["resolved"]
    first = json.loads((project.root / "models/first/metrics.json").read_text(encoding="utf-8"))
    # The first step already has the loss that the earlier training ended with.
    assert metrics["history"]["steps"][0]["loss"] < first["history"]["steps"][0]["loss"] / 2


@pytest.mark.slow
def test_adapters_of_one_base_are_merged_by_their_weights(project: Project) -> None:
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    shutil.copytree(project.root / "models/first", project.root / "models/twin")
    both = ["first", "twin", "--weight", "0.25", "--weight", "0.75", "--persona", str(project.persona)]
    done = CliRunner().invoke(merge, both, catch_exceptions=False)
    assert "merged-with-twin" in done.stdout
    alone = CliRunner().invoke(merge, ["first", "--persona", str(project.persona)], catch_exceptions=False)
    assert alone.exit_code == 0
    summed = load_file(project.root / "models/first/merged-with-twin/model.safetensors")
    one = load_file(project.root / "models/first/merged/model.safetensors")
    base = AutoModelForCausalLM.from_pretrained(project.base).state_dict()
    name = "model.layers.0.mlp.up_proj.weight"
    gain = (one[name].float() - base[name]).abs().mean()
    assert (summed[name].float() - one[name].float()).abs().mean() < 0.1 * gain


@pytest.mark.parametrize(("weights", "message"), [(["1"], "1 weights for 2 runs"), (["1", "nan"], "expected numbers")])
def test_weights_that_do_not_match_the_runs_are_refused(project: Project, weights: list[str], message: str) -> None:
    options = [part for weight in weights for part in ("--weight", weight)]
    done = CliRunner().invoke(merge, ["first", "twin", *options, "--persona", str(project.persona)])
    assert isinstance(done.exception, UsageError)
    assert message in str(done.exception)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"preferences_train": [], "labels_train": []}, "no preferences to learn from.*make review"),
        ({"preferences_train": pairs(3, group="e1")}, "3 preferences of the train side belong to the eval side"),
        (
            {"preferences_train": pairs(2, chosen=[{"role": "assistant", "content": TWO[3][1], "name": None}])},
            "belong to the eval side",
        ),
    ],
)
def test_preferences_that_cannot_be_learnt_are_refused(
    project: Project, files: dict[str, Sequence[dict[str, Any]]], message: str
) -> None:
    add(project.root, **files)  # type: ignore[arg-type]
    with pytest.raises(InosukeError, match=message):
        project.train(run="x", start="first", preferences=True)
    assert not (project.root / "models" / "x").exists()


def test_an_adapter_whose_base_is_gone_is_named(project: Project) -> None:
    file = project.root / "models/first/metrics.json"
    metrics = json.loads(file.read_text(encoding="utf-8"))
    metrics["base_model"]["path"] = "models/base/gone"
    file.write_text(json.dumps(metrics), encoding="utf-8")
    with pytest.raises(InosukeError, match="gone"):
        project.train(run="x", start="first", preferences=True)


def test_preferences_need_a_run_to_start_from(project: Project) -> None:
    (project.root / "models" / "latest").unlink(missing_ok=True)
    with pytest.raises(InosukeError, match="no run is the newest"):
        project.train(run="x", preferences=True)


@pytest.mark.slow
def test_a_collapsed_reward_stops_the_training_and_says_so(project: Project) -> None:
    # Without the supervised term and with a wild rate both replies lose their probability.
    wild = recipe(project, rpo_alpha=0, beta=0.01, learning_rate=0.05, epochs=6, labels=False)
    with pytest.raises(InosukeError, match=r"collapsed.*nothing was kept.*rpo_alpha"):
        project.train(recipe=wild, run="x", start="first", preferences=True)


def test_the_loss_follows_the_formulas_of_trl() -> None:
    import torch

    from train.preference.loss import judged_losses
    from train.preference.pairs import PAIR, UNWANTED, WANTED

    nll, tokens = torch.tensor([12.0, 9.0, 4.0, 6.0]), torch.tensor([6.0, 3.0, 2.0, 2.0])
    reference = torch.tensor([14.0, 8.0, 5.0, 5.0])
    found = judged_losses(nll, tokens, reference, [PAIR, WANTED, UNWANTED], beta=0.1, alpha=0.5)
    # trl 1.16, DPOTrainer._compute_loss: "sigmoid" on delta_score = chosen_logratios - rejected_logratios, and "sft";
    # KTOTrainer: "apo_zero_unpaired".
    delta = torch.tensor((-12.0 + 14.0) - (-9.0 + 8.0))
    pair = -torch.nn.functional.logsigmoid(0.1 * delta) + 0.5 * 12.0 / 6.0
    wanted, unwanted = 1 - torch.sigmoid(torch.tensor(0.1 * 1.0)), torch.sigmoid(torch.tensor(0.1 * -1.0))
    assert torch.allclose(found, torch.stack([pair, wanted, unwanted]))
