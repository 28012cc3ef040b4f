"""From an export to a run, on a tiny random Qwen2 and once on the embedded model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from curation import chat
from curation.contracts.run import RunMetrics, read_same_ids
from curation.errors import InosukeError, UsageError
from curation.persona import load_persona
from curation.record import Message
from serve.engines.prompts import prove
from serve.engines.tokenizer import ChatTokenizer
from serve.model_files.served_run import checked_run
from tests.conftest import ROOT
from tests.train.conftest import ONE, TWO, Project, write_export
from train.commands.evaluate import evaluate
from train.commands.merge import merge
from train.commands.train import train as train_command
from train.loop.trainer import ReplyTrainer
from train.model import base_model
from train.run.finished import open_run

Make = Callable[..., Project]


def run(project: Project, name: str = "r", minutes: float | None = None, **recipe: Any) -> dict[str, Any]:
    return project.train(recipe=project.recipe(**recipe), run=name, minutes=minutes)


def answers(project: Project, name: str, prompts: list[tuple[Message, ...]]) -> list[Any]:
    from train.model.generate import replies
    from train.model.load import load_adapter, load_base, load_tokenizer

    trained = open_run(project.root, name, print)
    model = load_adapter(load_base(trained.base, trained.recipe), trained.folder / "adapter")
    return replies(model, load_tokenizer(str(trained.folder / "tokenizer")), trained.persona, prompts)


@pytest.mark.parametrize("layout", ["packed", "padded"])
@pytest.mark.slow
def test_a_dialogue_learnt_by_heart_comes_back_word_for_word_with_its_end_of_turn(trainer: Make, layout: str) -> None:
    project = trainer(train=[TWO] * 20, evaluation=[TWO])
    metrics = run(project, layout=layout, quantization="none", epochs=12, max_length=512)
    first, second = answers(
        project,
        "r",
        [(Message("user", TWO[0][1]),), tuple(Message(r, c) for r, c in TWO[:3])],  # type: ignore[arg-type]
    )
    assert (first.text, first.ended) == ("Mưa thì ta tắm luôn!", True)
    assert (second.text, second.ended) == ("Cảm lạnh phải sợ ta!", True)
    assert metrics["eval"]["adapter"]["loss"] < 0.05 < metrics["eval"]["base"]["loss"]


@pytest.mark.slow
def test_a_llama_learns_as_a_qwen2_does(trainer: Make, tokenizer: Any, tmp_path: Path) -> None:
    import torch
    from transformers import AutoConfig, LlamaConfig, LlamaForCausalLM

    project = trainer(train=[ONE] * 20, evaluation=[ONE])
    qwen = AutoConfig.from_pretrained(project.base)
    names = ("vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads")
    torch.manual_seed(0)
    config = LlamaConfig(
        **{name: getattr(qwen, name) for name in names},
        num_key_value_heads=2,
        tie_word_embeddings=True,
        initializer_range=0.2,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    llama = Project(project.root, tmp_path / "tiny-llama")
    LlamaForCausalLM(config).save_pretrained(llama.base)
    tokenizer.save_pretrained(llama.base)
    metrics = run(llama, epochs=10)  # in NF4
    assert metrics["base_model"]["name"] == "tiny-llama"
    assert metrics["eval"]["adapter"]["loss"] < 0.05 < metrics["eval"]["base"]["loss"]
    [reply] = answers(llama, "r", [(Message("user", ONE[0][1]),)])
    assert (reply.text, reply.ended) == (ONE[1][1], True)


@pytest.mark.slow
def test_a_run_folder_holds_everything_and_metrics_have_their_form(trainer: Make) -> None:
    project = trainer(train=[ONE, TWO, ONE], heldout=[[("user", "Ngươi sợ gì?")]])
    metrics = run(project, "first", seed=7, checkpointing=True, patience=3, evals_per_epoch=2)
    folder = project.root / "models" / "first"
    assert sorted(p.name for p in folder.iterdir()) == [
        *(
            "README.md",
            "adapter",
            "loss_curve.png",
            "metrics.json",
            "persona.toml",
            "recipe.toml",
            "same_ids.json",
            "tokenizer",
        ),
    ]
    assert {"adapter_config.json", "adapter_model.safetensors"} <= {p.name for p in (folder / "adapter").iterdir()}
    assert (folder / "persona.toml").read_bytes() == (project.root / "datasets/export/v1/persona.toml").read_bytes()
    # A model that saw six dialogues may babble, and then visitors must not be served by it.
    assert (folder.parent / "latest").is_file() == (not RunMetrics.model_validate(metrics).faults())
    assert json.loads((folder / "metrics.json").read_text(encoding="utf-8")) == metrics
    assert (metrics["prompt"], metrics["seed"], metrics["run"]) == ("chat", 7, "first")
    assert metrics["base_model"]["name"] == "tiny-qwen2"
    assert len(metrics["base_model"]["sha256"]) == 64
    assert metrics["dataset"]["version"] == "v1"
    assert metrics["dataset"]["path"] == "datasets/export/v1"
    assert set(metrics["dataset"]["files"]) >= {"jsonl/chat.train.jsonl", "jsonl/chat.eval.jsonl", "persona.toml"}
    for who in ("base", "adapter"):
        figures = metrics["eval"][who]
        assert figures["replies"] == 2
        assert figures["reply_chars"] == len("Mưa thì ta tắm luôn!Cảm lạnh phải sợ ta!")
        nll = figures["loss"] * figures["reply_tokens"]
        assert figures["reply_nll_per_char"] == pytest.approx(nll / figures["reply_chars"])
    assert [(e["epoch"], e["share"]) for e in metrics["epochs"]] == [(1, 1.0), (2, 1.0)]
    assert all({"training_loss_from", "training_loss_to", "eval_loss", "seconds"} <= set(e) for e in metrics["epochs"])
    assert metrics["training"]["rows_seen"] == 6
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert "| Ngươi sợ gì? |" in card
    assert str(project.root) not in card + (folder / "adapter" / "adapter_config.json").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_kept_adapter_is_the_one_with_the_lowest_eval_loss(trainer: Make) -> None:
    project = trainer(train=[ONE], evaluation=[TWO])
    metrics = run(project, epochs=12, learning_rate=3e-2, quantization="none")
    losses = {e["step"]: e["loss"] for e in metrics["history"]["evaluations"]}
    assert metrics["training"]["best_step"] == min(losses, key=losses.__getitem__)
    measured = CliRunner().invoke(evaluate, ["r", "--persona", str(project.persona), "--replies", "0", "--json"])
    again = json.loads(measured.stdout)["eval"]["adapter"]["loss"]
    assert again == pytest.approx(min(losses.values()), rel=1e-4)


@pytest.mark.slow
def test_a_run_that_only_loops_is_not_served_unasked(trainer: Make) -> None:
    questions = ["Ngươi là ai?", "Ngươi ăn gì?", "Ngươi ở đâu?", "Ngươi đi đâu?"]
    stuck = [[("user", q), ("assistant", "ha " * 14 + "ha")] for q in questions]
    project = trainer(train=stuck * 5, evaluation=stuck)
    done = invoke(train_command, project, "--recipe", project.recipe(epochs=6, samples=0), "--run", "r", "--no-gguf")
    metrics = json.loads((project.root / "models" / "r" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["eval"]["adapter"]["loss"] < metrics["eval"]["base"]["loss"]
    assert metrics["speaking"]["prompts"] == 4
    assert metrics["speaking"]["looping"] >= 3
    assert not (project.root / "models" / "latest").exists()
    assert "models/latest is unchanged" in done.stdout
    assert "replies repeat themselves (at most 10% may)" in done.stdout
    assert "`inosuke serve --run r` serves it all the same" in done.stdout
    assert "Do not publish this adapter" in (project.root / "models" / "r" / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_minutes_are_filled_with_epochs_up_to_the_recipes_limit(trainer: Make) -> None:
    project = trainer(train=[ONE, TWO, ONE, TWO])
    recipe = project.recipe(epochs=1, max_epochs=3, samples=0)
    done = invoke(train_command, project, "--recipe", recipe, "--run", "r", "--minutes", "60", "--no-gguf")
    training = json.loads((project.root / "models" / "r" / "metrics.json").read_text(encoding="utf-8"))["training"]
    assert "planning 3 epochs (the recipe's 1, up to 3 as the minutes allow)" in done.stderr
    assert (training["planned_rows"], training["rows_seen"], training["max_minutes"]) == (12, 12, 60)
    again = run(project, "again", epochs=1, max_epochs=3, samples=0)
    assert again["training"]["planned_rows"] == 4
    older = invoke(train_command, project, "--recipe", recipe, "--run", "o", "--max-minutes", "60", "--no-gguf")
    assert "planning 3 epochs" in older.stderr


@pytest.mark.slow
def test_patience_stops_a_training_that_gets_no_better(trainer: Make) -> None:
    metrics = run(trainer(train=[ONE], evaluation=[TWO]), epochs=60, learning_rate=5e-2, patience=2)
    assert metrics["training"]["stopped_because"] == "2 evaluations brought nothing better"
    assert metrics["training"]["steps"] < 60


@pytest.mark.slow
def test_a_used_budget_stops_with_an_evaluation_and_says_what_was_seen(trainer: Make) -> None:
    project = trainer(train=[ONE, TWO] * 20)
    metrics = run(project, minutes=0.002, epochs=500)
    assert metrics["training"]["stopped_because"] == "the ceiling of 0.002 minutes was reached"
    assert metrics["training"]["steps"] < metrics["training"]["planned_steps"]
    assert metrics["history"]["evaluations"][-1]["step"] == metrics["training"]["steps"]
    assert metrics["epochs"][-1]["share"] == pytest.approx(
        metrics["training"]["rows_seen"] / 40 - len(metrics["epochs"]) + 1
    )


@pytest.mark.slow
def test_two_runs_with_one_seed_are_the_same_and_another_seed_differs(trainer: Make) -> None:
    project = trainer(train=[ONE, TWO, ONE, TWO])
    losses = [
        [s["loss"] for s in run(project, name, seed=seed)["history"]["steps"]]
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    ]
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.slow
def test_accumulated_batches_weigh_each_token_the_same(trainer: Make) -> None:
    project = trainer(train=[ONE, TWO])
    whole = run(project, "whole", epochs=1, batch_size=2)["history"]["steps"]
    parts = run(project, "parts", epochs=1, batch_size=1, gradient_accumulation=2)["history"]["steps"]
    assert len(whole) == len(parts) == 1
    assert parts[0]["loss"] == pytest.approx(whole[0]["loss"], rel=1e-4)
    assert parts[0]["grad_norm"] == pytest.approx(whole[0]["grad_norm"], rel=1e-3)


@pytest.mark.slow
def test_adapters_in_the_upper_layers_alone_leave_the_lower_ones_as_they_are(trainer: Make) -> None:
    from safetensors import safe_open

    project = trainer()
    run(project, epochs=1, lora_upper_layers=0.5, lora_targets=["q_proj"])
    with safe_open(project.root / "models/r/adapter/adapter_model.safetensors", "pt") as file:
        assert {key.split(".lora")[0] for key in file.keys()} == {"base_model.model.model.layers.1.self_attn.q_proj"}  # noqa: SIM118


@pytest.mark.slow
def test_the_seed_recipe_runs_as_it_was_written_but_for_what_a_cpu_lacks(trainer: Make, tiny_base: Path) -> None:
    from train import recipe

    project = trainer()
    shipped = recipe.load_recipe("seed").model_copy(update={"base": tiny_base.as_posix(), "epochs": 1, "samples": 0})
    file = project.root / "seed.toml"
    file.write_text(recipe.to_toml(shipped), encoding="utf-8")
    metrics = project.train(recipe=str(file), run="seed")
    assert (metrics["prompt"], metrics["recipe"]["layout"], metrics["recipe"]["loss_on"]) == (
        "alpaca",
        "padded",
        "text",
    )
    assert metrics["training"]["rows_seen"] == 2
    # Evaluation counts replies alone, whatever the training counts: a token a byte, and one end of text a reply.
    assert metrics["eval"]["adapter"]["reply_tokens"] == sum(len(c.encode()) + 1 for r, c in TWO if r == "assistant")


@pytest.mark.slow
def test_rows_over_length_are_named(trainer: Make) -> None:
    project = trainer(train=[ONE, [("user", "Kể chuyện đi!"), ("assistant", "Ha! " * 300)]])
    assert run(project, epochs=1)["training"]["left_out"] == ["train1"]
    with pytest.raises(InosukeError, match="every train row is longer than `max_length` = 64"):
        run(project, "short", max_length=64)


@pytest.mark.slow
def test_a_loss_that_is_nan_stops_with_advice_and_no_run(trainer: Make) -> None:
    project = trainer(train=[ONE] * 8)
    with pytest.raises(InosukeError, match=r"the loss became (nan|inf) at step \d+.*Try a lower `learning_rate`"):
        run(project, learning_rate=1e30, max_grad_norm=1e30, weight_decay=1.0, epochs=5)
    assert [p.name for p in (project.root / "models").iterdir()] == []


@pytest.mark.slow
def test_ctrl_c_leaves_no_run_and_earlier_ones_alone(trainer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    project = trainer()
    run(project, "earlier", epochs=1)

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(ReplyTrainer, "compute_loss", interrupted)
    with pytest.raises(InosukeError, match=r"stopped by Ctrl-C; run later was not kept"):
        run(project, "later")
    assert sorted(p.name for p in (project.root / "models").iterdir()) == ["earlier", "latest"]
    assert (project.root / "models" / "latest").read_text(encoding="utf-8") == "earlier\n"


@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 1])
def test_a_finished_training_is_a_run_whatever_becomes_of_its_sample_answers(
    trainer: Make, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    import torch
    from transformers import GenerationMixin

    project = trainer(heldout=[[("user", "Ngươi sợ gì?")], [("user", "Ngươi là ai?")]])
    models = project.root / "models"
    real, seen = GenerationMixin.generate, []

    def generate(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(sorted(p.name for p in models.iterdir()))
        if len(kwargs["input_ids"]) > room:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(GenerationMixin, "generate", generate)
    done = invoke(train_command, project, "--recipe", project.recipe(samples=2), "--run", "r", "--no-gguf", "--json")
    assert seen[0] == ["r"]  # it had its name before the first answer
    metrics = json.loads((models / "r" / "metrics.json").read_text(encoding="utf-8"))
    assert json.loads(done.stdout) == metrics
    assert len(metrics["samples"]) == 2 * room
    assert (metrics["speaking"] is None) == (room == 0)
    if room == 0:  # nothing is known of how it speaks, so no one is to talk to it unasked
        assert metrics["speaking_failed"].startswith("out of memory while prompts were answered")
        assert not (models / "latest").exists()
    card = (models / "r" / "README.md").read_text(encoding="utf-8")
    assert ("Ngươi sợ gì?" in card) == (room == 1)
    assert ("Warning: run r has no sample answers; it is finished. out of memory" in done.stderr) == (room == 0)
    with pytest.raises(UsageError, match="run 'r' is finished"):
        invoke(train_command, project, "--resume", "r")


@pytest.mark.slow
def test_ctrl_c_during_the_sample_answers_leaves_a_finished_run(trainer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import GenerationMixin

    def interrupted(*args: Any, **kwargs: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(GenerationMixin, "generate", interrupted)
    project = trainer()
    with pytest.raises(InosukeError, match=r"stopped by Ctrl-C while prompts were answered; run r is finished"):
        run(project, epochs=1)
    metrics = json.loads((project.root / "models" / "r" / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["speaking_failed"] == "stopped before the end"
    assert not (project.root / "models" / "latest").exists()


def test_a_base_that_overflows_by_itself_is_not_blamed_on_the_learning_rate(trainer: Make, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    project = trainer()
    broken = Project(project.root, tmp_path / "overflows")
    shutil.copytree(project.base, broken.base)
    weights = load_file(broken.base / "model.safetensors")
    weights["model.norm.weight"] = weights["model.norm.weight"] * float("inf")
    save_file(weights, broken.base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InosukeError, match=r"the base overflows has a loss of nan in fp32 before the first step"):
        run(broken)
    assert [p.name for p in (project.root / "models").iterdir()] == []


@pytest.mark.slow
def test_a_second_gpu_without_a_launcher_changes_nothing(trainer: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """What transformers reports with two visible GPUs is simulated: there is no GPU here."""
    from functools import cached_property

    from transformers import TrainingArguments

    project = trainer(train=[ONE, TWO, ONE, TWO])
    one = run(project, "one", epochs=1)["history"]
    devices = TrainingArguments._setup_devices.func

    def two(self: Any) -> Any:
        device = devices(self)
        self._n_gpu = 2
        return device

    simulated = cached_property(two)
    simulated.__set_name__(TrainingArguments, "_setup_devices")
    monkeypatch.setattr(TrainingArguments, "_setup_devices", simulated)
    both = run(project, "both", epochs=1)["history"]
    assert [(s["rows"], s["loss"]) for s in both["steps"]] == [(s["rows"], s["loss"]) for s in one["steps"]]


def test_a_run_that_exists_and_an_invalid_name_are_refused(trainer: Make) -> None:
    project = trainer()
    (project.root / "models" / "r").mkdir(parents=True)
    with pytest.raises(UsageError, match=r"this run exists. Choose another name with --run"):
        run(project)
    with pytest.raises(UsageError, match=r"run name '../x'"):
        run(project, "../x")


@pytest.mark.parametrize("target", ["c_attn", "lm_head"])
def test_targets_that_the_model_lacks_are_refused(trainer: Make, target: str) -> None:
    with pytest.raises(
        UsageError, match=rf"`lora_targets`: tiny-qwen2 has no layer called {target} .* There: .*q_proj"
    ):
        run(trainer(), lora_targets=["q_proj", target])


@pytest.mark.parametrize("minutes", ["nan", "inf"])
def test_minutes_that_are_not_finite_are_refused(trainer: Make, minutes: str) -> None:
    project = trainer()
    with pytest.raises(UsageError, match=rf"--minutes is {minutes}"):
        invoke(train_command, project, "--recipe", project.recipe(), "--minutes", minutes)


@pytest.mark.slow
def test_a_folder_with_the_embedded_models_name_is_not_the_embedded_model(trainer: Make, tmp_path: Path) -> None:
    project = trainer()
    namesake = Project(project.root, tmp_path / "gemma-3-270m")
    shutil.copytree(project.base, namesake.base)
    run(namesake, epochs=1)
    assert open_run(project.root, "r", print).base.location == str(namesake.base)
    card = (project.root / "models" / "r" / "README.md").read_text(encoding="utf-8")
    assert "google/gemma-3-270m" not in card
    assert "base_model:" not in card


@pytest.mark.slow
def test_a_damaged_adapter_and_one_of_another_model_are_named(trainer: Make, tiny_base: Path) -> None:
    project = trainer()
    run(project, epochs=1, lora_rank=8)
    file = project.root / "models" / "r" / "adapter" / "adapter_model.safetensors"
    whole = file.read_bytes()
    file.write_bytes(whole[:1000])
    with pytest.raises(InosukeError, match=r"the adapter is damaged .* Train again"):
        invoke(merge, project, "r")
    file.write_bytes(whole)
    config = file.with_name("adapter_config.json")
    config.write_text(config.read_text(encoding="utf-8").replace('"r": 8', '"r": 4'), encoding="utf-8")
    with pytest.raises(InosukeError, match=r"does not fit the base model. It was made for tiny-qwen2; this is a qwen2"):
        invoke(merge, project, "r")


def test_damaged_weights_of_a_base_are_named(trainer: Make, tmp_path: Path) -> None:
    project = trainer()
    broken = Project(project.root, tmp_path / "broken")
    shutil.copytree(project.base, broken.base)
    weights = broken.base / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(InosukeError, match=r"base model .*broken: cannot be loaded"):
        run(broken)


def invoke(command: Any, project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--persona", str(project.persona)], catch_exceptions=False)


@pytest.mark.slow
def test_train_evaluate_and_merge_from_the_command_line(trainer: Make) -> None:
    project = trainer(train=[ONE] * 20, evaluation=[ONE], heldout=[[("user", ONE[0][1])]])
    done = invoke(
        train_command, project, "--recipe", project.recipe(epochs=10, quantization="none"), "--run", "mine", "--no-gguf"
    )
    assert "Run mine: tiny-qwen2 on dataset v1" in done.stdout
    assert "Next: make serve" in done.stdout
    measured = json.loads(invoke(evaluate, project, "--json").stdout)
    assert measured["answers"][0]["adapter"] == ONE[1][1]
    assert measured["replies"]["adapter"]["copied"] == measured["replies"]["adapter"]["end_of_turn_rate"] == 1.0
    assert measured["replies"]["base"]["copied"] == 0.0
    stored = json.loads((project.root / "models/mine/evaluation.json").read_text(encoding="utf-8"))
    assert stored == measured
    assert "copied from training, word for word" in invoke(evaluate, project, "mine", "--replies", "1").stdout
    assert "merged" in invoke(merge, project, "mine").stdout
    assert_merged_is_base_plus_adapter(project)


def assert_merged_is_base_plus_adapter(project: Project) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    from train.model.load import load_adapter

    folder = project.root / "models" / "mine"
    merged = AutoModelForCausalLM.from_pretrained(folder / "merged", dtype=torch.float32)
    assert json.loads((folder / "merged/config.json").read_text(encoding="utf-8"))["dtype"] == "bfloat16"
    base = AutoModelForCausalLM.from_pretrained(project.base, dtype=torch.float32)
    ids = torch.arange(40)[None]
    with torch.inference_mode():
        plain = base(ids).logits
        adapted = load_adapter(base, folder / "adapter")(ids).logits
        error = (merged(ids).logits - adapted).abs().mean()
    assert error < 0.05 * (adapted - plain).abs().mean()


@pytest.mark.slow
def test_another_base_than_the_adapters_is_refused(trainer: Make, tmp_path: Path) -> None:
    project = trainer()
    moved = Project(project.root, tmp_path / "moved-base")
    shutil.copytree(project.base, moved.base)
    run(moved, epochs=1)
    with (moved.base / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x01")
    with pytest.raises(InosukeError, match=r"trained on weights with SHA-256 .* Put the first model back"):
        invoke(evaluate, moved, "r")


def test_no_run_yet_is_an_error_that_says_what_to_do(trainer: Make) -> None:
    with pytest.raises(InosukeError, match=r"latest: does not exist, so no run is the newest.*Run `make train`"):
        invoke(merge, trainer())


@pytest.mark.model
def test_smoke_the_embedded_models_adapter_is_better_than_its_base(tmp_path: Path) -> None:
    from train import recipe
    from train.commands.pipeline import Request, run_training

    # The model is downloaded into the project once, not once a test.
    folder = Path(base_model.resolve("gemma-3-270m", ROOT, ("vi", "en"), print).location)
    smoke = tmp_path / "smoke.toml"
    shipped = recipe.load_recipe("smoke").model_copy(update={"base": folder.as_posix()})
    smoke.write_text(recipe.to_toml(shipped), encoding="utf-8")
    lines = [
        ("Ngươi thích gì nhất?", "Tempura! Ta ăn cả núi tempura!"),
        ("Ai mạnh hơn, ngươi hay gấu?", "Ta! Gấu gặp ta phải chạy!"),
        ("Sao ngươi đội đầu lợn?", "Vì ta là con của lợn rừng! Đẹp chưa!"),
        ("Ngươi có sợ ma không?", "Ma phải sợ ta! Ta húc nó bay!"),
        ("Sáng nay ngươi làm gì?", "Ta chạy ba ngọn núi! Ngươi còn ngủ!"),
        ("Ngươi biết bơi không?", "Ta bơi nhanh hơn cá! Cá khóc!"),
    ]
    dialogues = [[("user", question), ("assistant", reply)] for question, reply in lines]
    write_export(tmp_path, dialogues[:5] * 3, dialogues[5:])
    done = run_training(Request(persona_file=tmp_path / "persona.toml", recipe=str(smoke), run="smoke"), print)
    assert done is not None
    metrics, summary = done[0], done[1]
    assert metrics.base_model.name == folder.name
    assert metrics.eval.adapter.loss < metrics.eval.base.loss
    assert "lower)" in summary


@pytest.mark.slow
def test_the_checkpoint_is_chosen_on_rows_that_are_neither_trained_on_nor_reported(trainer: Make) -> None:
    many = [[("user", f"Câu hỏi số {i}?"), ("assistant", f"Ta đáp {i}!")] for i in range(320)]
    project = trainer(many, [TWO, ONE])
    recipe = project.recipe(quantization="none", max_train_rows=4, epochs=1, samples=0)
    metrics = project.train(recipe=recipe, run="r")
    training = metrics["training"]
    assert (training["chosen_on"], training["validation_rows"], training["rows"]) == ("validation", 16, 4)
    assert metrics["eval"]["rows"] == 2
    # The evaluations during the training are of other rows than the report.
    assert metrics["history"]["evaluations"][-1]["loss"] != pytest.approx(metrics["eval"]["adapter"]["loss"], rel=1e-3)
    card = (project.root / "models" / "r" / "README.md").read_text(encoding="utf-8")
    assert "chosen on 16 dialogues of the train split that were not trained on" in card


@pytest.mark.slow
def test_base_and_adapter_are_reported_on_the_weights_that_are_served(trainer: Make) -> None:
    """NF4 damages a base, and an adapter repairs some of that: a gain that no one who chats would see."""
    project = trainer()
    figures = {
        name: project.train(recipe=project.recipe(quantization=name, epochs=1, samples=0), run=name)["eval"]
        for name in ("nf4", "none")
    }
    assert figures["nf4"]["weights"] == figures["none"]["weights"] == "unquantised weights (fp32)"
    assert figures["nf4"]["base"]["loss"] == pytest.approx(figures["none"]["base"]["loss"], rel=1e-4)


ENGLISH = [("user", "Who are you?"), ("assistant", "The king of the mountain!")]


def without_template(project: Project, template: str | None, folder: Path) -> Project:
    """Return the project with a base whose chat template is another one, or none."""
    shutil.copytree(project.base, folder)
    if template is None:
        (folder / "chat_template.jinja").unlink()
    else:
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return Project(project.root, folder)


def test_a_run_learns_under_the_system_prompt_of_each_language_and_is_served_the_same_ids(trainer: Make) -> None:
    lines: list[str] = []
    project = trainer(train=[ONE, ENGLISH], evaluation=[TWO])
    project.train(lines.append, recipe=project.recipe(quantization="none", epochs=1, samples=0), run="r")
    assert any("Trained ids are served ids: proved on" in line for line in lines)
    folder = project.root / "models" / "r"
    persona = load_persona(folder / "persona.toml")
    # The tokenizer of serve: transformers' own may normalise other than the one that the base was saved with.
    tokenizer = ChatTokenizer(folder / "tokenizer")
    prove(checked_run(project.root, "r", weights=False), tokenizer)
    recorded = read_same_ids(folder)
    assert recorded is not None and len(recorded.dialogues) == len(chat.EXAMPLES)
    systems = set()
    for dialogue, talk in zip(recorded.dialogues, chat.EXAMPLES, strict=True):
        assert dialogue.input_ids == chat.render(talk, tokenizer, persona).input_ids
        text = tokenizer.backend_tokenizer.decode(dialogue.input_ids, skip_special_tokens=False)
        systems.add(text.split("<|im_end|>")[0])
    assert systems == {f"<|im_start|>system\n{text}" for text in persona.system_prompts.values()}


def test_a_run_learns_from_the_facts_of_its_lorebook_and_carries_it(trainer: Make) -> None:
    project = trainer(train=[ONE, ENGLISH], evaluation=[TWO], lorebook=[{"keys": ["ai"], "content": "Ta là vua."}])
    lines: list[str] = []
    project.train(lines.append, recipe=project.recipe(quantization="none", epochs=1, samples=0), run="r")
    folder = project.root / "models" / "r"
    served = checked_run(project.root, "r", weights=False)
    recorded = read_same_ids(folder)
    assert recorded is not None and served.persona.book is not None
    assert recorded.lorebook == served.persona.book.sha256
    tokenizer = ChatTokenizer(folder / "tokenizer")
    (dialogue,) = recorded.with_facts
    text = tokenizer.backend_tokenizer.decode(dialogue.input_ids, skip_special_tokens=False)
    assert "user\nĐiều cần biết:\nTa là vua.\n\nai<|im_end|>" in text
    prove(served, tokenizer)


def test_a_base_without_a_chat_template_learns_with_alpaca_prompts(trainer: Make, tmp_path: Path) -> None:
    project = without_template(trainer(train=[ONE], evaluation=[TWO]), None, tmp_path / "bare")
    with pytest.raises(InosukeError, match=r'no chat template.*prompt = "alpaca"'):
        run(project, quantization="none", epochs=1, samples=0)
    metrics = run(project, quantization="none", epochs=1, samples=0, prompt="alpaca")
    assert metrics["prompt"] == "alpaca"


def test_a_training_that_could_not_be_served_does_not_start(
    trainer: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses = "{{ raise_exception('tools alone') }}"
    project = without_template(trainer(train=[ONE], evaluation=[TWO]), refuses, tmp_path / "refuses")
    monkeypatch.setattr("train.loop.preparation.load_base", lambda *_: pytest.fail("loaded"))
    with pytest.raises(InosukeError, match=r"refuses a dialogue of .*: tools alone.*Choose another base model"):
        run(project)
    assert list((project.root / "models").glob("*")) == []
