"""Which run is served, and what is said when a part of it is missing or damaged."""

import json
import shutil

import pytest

from curation.errors import InosukeError, UsageError
from serve import create_app
from serve.model_files.served_run import checked_run


def test_the_newest_run_is_chosen_with_a_reason(finished):
    run = checked_run(finished)
    assert (run.name, run.base_name, run.prompt, run.dataset) == ("run-1", "Tiny", "chat", "v-test")
    assert run.base == finished / "models" / "base" / "Tiny"
    assert run.persona.name == "Inosuke"
    assert run.why == f"the newest of 1 in {finished / 'models'}"


def test_a_run_can_be_named(finished):
    shutil.copytree(finished / "models" / "run-1", finished / "models" / "older")
    assert checked_run(finished, "older").name == "older"
    assert checked_run(finished).name == "run-1"


def test_a_project_without_a_run_asks_to_train(tmp_path):
    with pytest.raises(InosukeError, match=r"latest: does not exist.*Run `make train`"):
        checked_run(tmp_path)
    with pytest.raises(InosukeError, match=r"there is not a finished run called 'mine'.*does not hold any run yet"):
        checked_run(tmp_path, "mine")


def test_an_unfinished_run_is_not_served(finished):
    (finished / "models" / "run-2").mkdir()
    (finished / "models" / "latest").write_text("run-2", encoding="utf-8")
    with pytest.raises(InosukeError, match=r"it names `run-2`\. Available: run-1\..*with --run"):
        checked_run(finished)


def test_a_damaged_pointer_to_the_newest_run_is_an_error_message(finished):
    (finished / "models" / "latest").write_bytes(b"run-\xff\n")
    with pytest.raises(InosukeError, match=r"latest: damaged, it names `run-.*xff`\. Available: run-1\."):
        checked_run(finished)


@pytest.mark.parametrize("name", ["../run-1", "..", "", "/etc", "run-1/adapter", "gone"])
def test_a_name_that_is_not_a_run_lists_the_runs(finished, name):
    with pytest.raises(InosukeError, match=r"there is not a finished run called .* Available: run-1\."):
        checked_run(finished, name)


def test_an_adapter_for_other_weights_is_refused(finished):
    weights = finished / "models" / "base" / "Tiny" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(InosukeError, match="run-1 is an adapter for another base model: it was trained on Tiny"):
        checked_run(finished)


def test_an_adapter_of_another_shape_is_refused_without_a_traceback(finished):
    base = finished / "models" / "base" / "Tiny"
    metrics = finished / "models" / "run-1" / "metrics.json"
    seen = json.loads(metrics.read_text(encoding="utf-8"))
    del seen["base_model"]["sha256"]
    metrics.write_text(json.dumps(seen), encoding="utf-8")
    _other_model(base)
    with pytest.raises(InosukeError, match=r"run-1 cannot be loaded on .*Expected an adapter for this base model"):
        create_app({"ROOT": finished})


def test_an_adapter_that_was_made_for_another_base_is_refused_by_its_name(finished):
    config = finished / "models" / "run-1" / "adapter" / "adapter_config.json"
    content = json.loads(config.read_text(encoding="utf-8"))
    config.write_text(
        json.dumps(content | {"base_model_name_or_path": "HuggingFaceTB/SmolLM2-135M-Instruct"}), encoding="utf-8"
    )
    with pytest.raises(InosukeError, match=r"made for HuggingFaceTB/SmolLM2-135M-Instruct.* was trained on Tiny"):
        create_app({"ROOT": finished})
    config.write_text("{", encoding="utf-8")
    with pytest.raises(InosukeError, match=r"adapter_config\.json: cannot be read"):
        create_app({"ROOT": finished})


def _other_model(folder):
    from transformers import AutoConfig, Qwen2ForCausalLM

    config = AutoConfig.from_pretrained(folder)
    config.hidden_size, config.intermediate_size = 64, 96
    Qwen2ForCausalLM(config).save_pretrained(folder)


def test_a_missing_base_model_is_named(finished):
    shutil.rmtree(finished / "models" / "base")
    with pytest.raises(InosukeError, match=r"the base model Tiny is not at .*make train"):
        checked_run(finished)


def test_a_base_model_on_the_hub_is_left_to_the_hub(finished):
    metrics = finished / "models" / "run-1" / "metrics.json"
    seen = json.loads(metrics.read_text(encoding="utf-8"))
    seen["base_model"] = {"name": "Qwen2.5-3B-Instruct", "path": "Qwen/Qwen2.5-3B-Instruct"}
    metrics.write_text(json.dumps(seen), encoding="utf-8")
    assert checked_run(finished).base == "Qwen/Qwen2.5-3B-Instruct"


@pytest.mark.parametrize("keep", [0, 5, 200, -1])
@pytest.mark.parametrize("part", ["run-1/adapter/adapter_model.safetensors", "base/Tiny/model.safetensors"])
def test_damaged_weights_are_named(finished, part, keep):
    path = finished / "models" / part
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InosukeError, match=r"safetensors is damaged \(.*make train"):
        checked_run(finished)


@pytest.mark.parametrize("part", ["adapter/adapter_config.json", "tokenizer", "persona.toml"])
def test_a_missing_part_is_named(finished, part):
    path = finished / "models" / "run-1" / part
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(InosukeError, match=f"the run run-1 has no {part}"):
        checked_run(finished)


@pytest.mark.parametrize(
    ("text", "says"), [("{", "Invalid JSON"), ("{}", "the key `base_model` is missing"), ("[]", "`the content` is")]
)
def test_a_broken_metrics_file_is_named(finished, text, says):
    (finished / "models" / "run-1" / "metrics.json").write_text(text, encoding="utf-8")
    with pytest.raises(InosukeError, match=rf"metrics\.json: damaged \({says}"):
        checked_run(finished)


def test_an_unknown_engine_lists_those_that_exist(persona):
    with pytest.raises(UsageError, match=r"'lama' is not an engine. Expected one of: llamacpp, transformers, openai\."):
        create_app({"ENGINE": "lama", "PERSONA": persona})


def test_a_run_for_an_engine_that_serves_no_run_is_refused(persona):
    with pytest.raises(UsageError, match="only the engines llamacpp and transformers serve a run"):
        create_app({"URL": "http://127.0.0.1:1/v1", "RUN": "x", "PERSONA": persona})


def test_the_served_run_is_named_everywhere(finished):
    app = create_app({"ROOT": finished})
    assert app.extensions["inosuke"].chosen[1].startswith("run run-1: the newest of 1")
    client = app.test_client()
    info = client.get("/api/info").json
    assert (info["run"], info["base"], info["dataset"], info["engine"]) == ("run-1", "Tiny", "v-test", "transformers")
    body = {"messages": [{"role": "user", "content": "a"}], "settings": {"max_new_tokens": 3}}
    assert client.post("/api/chat", json=body).json["run"] == "run-1"
