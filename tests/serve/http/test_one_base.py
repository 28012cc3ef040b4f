"""Two characters from one loaded base: each answers as it does alone, whatever the other is asked."""

import copy
import json
import shutil
import threading

import pytest

from curation.contracts.gguf import AdapterForm, GgufFile, GgufList, write_gguf_list
from curation.contracts.run import read_metrics
from curation.errors import InosukeError
from curation.files import sha256_file
from serve import create_app
from tests.tools.gguf_files import write_adapter, write_gguf

SETTINGS = {"temperature": 0, "repetition_penalty": 1.0, "max_new_tokens": 12}
SYSTEM_PROMPT = "Ngươi lớn lên giữa bầy lợn rừng. Nói to, ngắn, kiêu hãnh, thật lòng."
NAMES = {"run-1": "inosuke", "run-2": "zenitsu"}


@pytest.fixture(scope="session")
def project(_finished_run, tmp_path_factory, tiny_model, tokenizer):
    """Two runs on one base: other adapters, the same system prompt, so that conversations begin alike for long."""
    import torch
    from peft import LoraConfig, PeftModel, get_peft_model

    root = shutil.copytree(_finished_run, tmp_path_factory.mktemp("one-base") / "project")
    models = root / "models"
    shutil.copytree(models / "run-1", models / "run-2")
    for run, name in NAMES.items():
        persona = f'name = "{name.title()}"\nlanguages = ["vi"]\nsystem_prompt = "{SYSTEM_PROMPT}"\n'
        (models / run / "persona.toml").write_text(persona, encoding="utf-8")
    torch.manual_seed(3)
    lora = LoraConfig(
        r=4, target_modules="all-linear", init_lora_weights=False, base_model_name_or_path="models/base/Tiny"
    )
    get_peft_model(copy.deepcopy(tiny_model), lora).save_pretrained(models / "run-2" / "adapter")
    base = write_gguf(models / "base-gguf" / "Tiny" / "model-F32.gguf", tiny_model, tokenizer)
    for name in NAMES:
        run = models / name
        weights = read_metrics(run).base_model.sha256
        merged = PeftModel.from_pretrained(copy.deepcopy(tiny_model), run / "adapter").merge_and_unload()
        whole = write_gguf(run / "gguf" / "model-F32.gguf", merged, tokenizer)
        adapter = write_adapter(run / "gguf" / "adapter.gguf", run / "adapter", weights)
        form = AdapterForm(
            file=adapter.name, type="F32", sha256=sha256_file(adapter), bytes=adapter.stat().st_size,
            base="base-gguf/Tiny/model-F32.gguf", base_sha256=sha256_file(base), base_bytes=base.stat().st_size,
            weights=weights,
        )  # fmt: skip
        files = [GgufFile(file=whole.name, type="F32", sha256=sha256_file(whole), bytes=whole.stat().st_size)]
        write_gguf_list(run, GgufList(files=files, served=whole.name, adapter=form))
    return root


@pytest.fixture
def breakable(project, tmp_path):
    return shutil.copytree(project, tmp_path / "project")


def application(root, engine, *runs):
    return create_app({"ROOT": root, "RUN": list(runs), "ENGINE": engine, "CONTEXT": 1024, "FEEDBACK": None})


def chosen(app):
    return "\n".join(app.extensions["inosuke"].chosen)


TALKS = [
    [("user", "Chào ngươi!")],
    [("user", "Chào ngươi!"), ("assistant", "Hừ! " * 20), ("user", "Đấu với ta không?")],
    [("user", "Chào ngươi!"), ("assistant", "Hừ! " * 20), ("user", "Đi ăn thôi!")],
    [("user", "Trời mưa to quá, ta về nhà thôi. " * 4)],
]


def ask(app, path, talk):
    body = {"messages": [{"role": role, "content": text} for role, text in TALKS[talk]], "settings": SETTINGS}
    answer = app.test_client().post(path, json=body)
    assert answer.status_code == 200, answer.json
    return answer.json["reply"]


@pytest.fixture(scope="module", params=["llamacpp", "transformers"])
def served(request, project):
    """Both on one base, and what each says alone."""
    alone = {}
    for run, name in NAMES.items():
        app = application(project, request.param, run)
        assert app.extensions["inosuke"].run.name == run
        alone |= {(name, talk): ask(app, "/api/chat", talk) for talk in range(len(TALKS))}
    together = application(project, request.param, *NAMES)
    assert "one base for Inosuke and Zenitsu: Tiny" in chosen(together)
    assert all(alone["inosuke", talk] != alone["zenitsu", talk] != "" for talk in range(len(TALKS)))
    return together, alone


def test_in_turns_each_says_what_it_says_alone(served):
    app, alone = served
    # Both begin with the same system prompt, and go back to conversations that have left their slot by then.
    order = [(name, talk) for _ in range(2) for talk in (0, 1, 3, 2) for name in ("inosuke", "zenitsu")]
    order += [("zenitsu", 1), ("zenitsu", 2), ("inosuke", 1), ("inosuke", 2), ("zenitsu", 3), ("inosuke", 3)]
    assert [ask(app, f"/{name}/api/chat", talk) for name, talk in order] == [alone[each] for each in order]


def test_at_the_same_time_each_says_what_it_says_alone(served):
    app, alone = served
    said = {}

    def talk(name, number):
        said[name, number] = ask(app, f"/{name}/api/chat", number)

    threads = [threading.Thread(target=talk, args=each) for each in alone]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert said == alone


def test_with_a_seed_each_repeats_its_own_answer(served):
    app, _ = served
    hot = SETTINGS | {"temperature": 1.5, "seed": 7}
    body = {"messages": [{"role": "user", "content": "Chào ngươi!"}], "settings": hot}
    said = [app.test_client().post(f"/{n}/api/chat", json=body).json["reply"] for n in ("inosuke", "zenitsu") * 2]
    assert said[:2] == said[2:] and said[0] != said[1]


def test_a_run_of_another_base_has_a_model_of_its_own(breakable):
    file = breakable / "models" / "run-2" / "metrics.json"
    metrics = json.loads(file.read_text(encoding="utf-8"))
    metrics["base_model"]["sha256"] = "0" * 64
    file.write_text(json.dumps(metrics), encoding="utf-8")
    app = application(breakable, "llamacpp", *NAMES)
    assert "a model of its own for Zenitsu: no other run here was trained on the same base" in chosen(app)
    assert ask(app, "/zenitsu/api/chat", 0)


def test_without_the_files_each_has_a_model_of_its_own_and_the_command_that_makes_them_is_named(breakable):
    (breakable / "models" / "run-2" / "gguf" / "adapter.gguf").unlink()
    told = chosen(application(breakable, "llamacpp", *NAMES))
    assert "one base for" not in told and "`inosuke gguf run-2 --adapter` makes it" in told


def relist(run, **changes):
    file = run / "gguf" / "gguf.json"
    content = json.loads(file.read_text(encoding="utf-8"))
    content["adapter"] |= changes
    file.write_text(json.dumps(content), encoding="utf-8")


def test_a_damaged_adapter_and_one_for_another_base_are_refused(breakable, project):
    run = breakable / "models" / "run-2"
    adapter = run / "gguf" / "adapter.gguf"
    with adapter.open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\xff\xff\xff\xff")
    with pytest.raises(InosukeError, match=r"adapter\.gguf is damaged: its SHA-256 is .*gguf run-2 --adapter` again"):
        application(breakable, "llamacpp", *NAMES)
    write_adapter(adapter, run / "adapter", "f" * 64)
    relist(run, sha256=sha256_file(adapter))
    with pytest.raises(InosukeError, match=r"adapter\.gguf is an adapter for another base: it was made for .*ffff"):
        application(breakable, "llamacpp", *NAMES)
    shutil.copy(project / "models" / "run-2" / "gguf" / "adapter.gguf", adapter)
    relist(run, sha256=sha256_file(adapter))
    base = breakable / "models" / "base-gguf" / "Tiny" / "model-F32.gguf"
    with base.open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"\x00\x00\x00\x00")
    with pytest.raises(InosukeError, match=r"model-F32\.gguf is not the base that .* was measured over"):
        application(breakable, "llamacpp", *NAMES)
