"""GGUF files: the real converter and the real llama.cpp on a tiny random Qwen2."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.contracts.gguf import GgufFile, GgufList
from curation.contracts.run import RunMetrics, read_metrics
from curation.errors import InosukeError
from tests.conftest import ROOT
from tests.train.conftest import Project
from train.commands.gguf import gguf as command
from train.gguf import build, convert, convert_process, merge_adapter
from train.model import pinned_wheel
from train.run import card_section
from train.run.finished import open_run

Make = Callable[..., Project]


def train_only(project: Project, recipe: str, name: str) -> RunMetrics:
    project.train(recipe=recipe, run=name)
    return read_metrics(project.root / "models" / name)


def make(project: Project, kind: str | None = None) -> GgufList:
    return build.make(project.persona, "r", kind, None, lambda line: None)


@pytest.mark.model
def test_a_run_becomes_measured_files_with_a_list_and_a_part_of_the_card(trained: Project, converter: Path) -> None:
    answer = CliRunner().invoke(
        command, ["r", "--type", "q8_0", "--persona", str(trained.persona), "--json"], catch_exceptions=False
    )
    content = json.loads(answer.stdout)
    folder = trained.root / "models" / "r" / "gguf"
    assert sorted(p.name for p in folder.iterdir()) == [".lock", "gguf.json", "model-F16.gguf", "model-Q8_0.gguf"]
    assert content == json.loads((folder / "gguf.json").read_text(encoding="utf-8"))
    assert (content["served"], content["base"]) == ("model-Q8_0.gguf", "tiny-qwen2")
    for file in content["files"]:
        assert file["bytes"] == (folder / file["file"]).stat().st_size
    card = (folder.parent / "README.md").read_text(encoding="utf-8")
    assert card.index("| `gguf/model-Q8_0.gguf` |") < card.index("## Use")

    # llama.cpp and our own scoring agree on the same weights, and the GGUF tokenizer on each text.
    metrics = json.loads((folder.parent / "metrics.json").read_text(encoding="utf-8"))
    sixteen = next(f for f in content["files"] if f["type"] == "F16")
    assert sixteen["loss"] == pytest.approx(metrics["eval"]["adapter"]["loss"], rel=0.02)
    assert content["texts_tokenized_differently"] == 0 < content["texts"]


@pytest.mark.model
def test_finished_files_are_kept_and_damaged_ones_made_again(
    trained: Project, converter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make(trained)
    folder = trained.root / "models" / "r" / "gguf"
    with (folder / "model-Q8_0.gguf").open("r+b") as file:
        file.truncate(1000)
    (folder / ".partial-of-a-killed-run").mkdir()
    monkeypatch.setattr(convert, "convert", lambda *_: pytest.fail("the 16-bit file was whole"))
    assert make(trained) == first
    assert not (folder / ".partial-of-a-killed-run").exists()


@pytest.mark.model
def test_a_type_that_loses_too_much_is_reported_and_a_better_one_served(
    trained: Project, converter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from train.gguf import llamacpp
    from train.model.scoring import Score

    loss = {"model-F16": 1.0, "model-Q4_K_M": 1.2, "model-Q5_K_M": 1.06, "model-Q6_K": 1.04, "model-Q8_0": 1.0}
    monkeypatch.setattr(
        llamacpp,
        "score",
        lambda file, rows, ends, moved: [Score(100 * loss[file.stem], 0.0, 100, 100, 1) for _ in rows],
    )
    said: list[str] = []
    content = build.make(trained.persona, "r", "Q4_K_M", None, said.append)
    assert content.served == "model-Q6_K.gguf"
    assert {f.type for f in content.files} == {"F16", "Q4_K_M", "Q5_K_M", "Q6_K"}
    assert any("model-Q4_K_M.gguf: perplexity +22.1% against 16 bits" in line for line in said)
    assert "Q4_K_M raises perplexity by more than 5%" in build.table(content)


def program(folder: Path, name: str, body: str) -> None:
    """Put a Python program on the PATH of a test; it stands in for one of a llama.cpp that is not installed here."""
    file = folder / name
    file.write_text(f"#!{sys.executable}\nimport shutil, sys\narguments = sys.argv[1:]\n{body}\n", encoding="utf-8")
    file.chmod(0o755)


@pytest.mark.model
def test_llama_cpps_own_programs_round_with_an_importance_matrix_where_they_are_on_the_path(
    trained: Project, converter: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(build, "WORSE_AT_MOST", 10.0)  # a model of random weights loses any amount

    def file() -> GgufFile:
        return next(f for f in make(trained, "Q4_K_M").files if f.type == "Q4_K_M")

    plain = file()
    assert plain.hints is None and file() == plain
    programs = tmp_path / "bin"
    programs.mkdir()
    kept = tmp_path / "text"
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    program(programs, "llama-imatrix", "sys.exit('no such option: --parse-special')")
    assert file() == plain  # one of the two is not enough
    program(
        programs,
        "llama-quantize",
        "assert arguments[0] == '--imatrix' and open(arguments[1]).read() == 'matrix' and arguments[4] == 'Q4_K_M'\n"
        "shutil.copyfile(arguments[2], arguments[3])",
    )
    with pytest.raises(InosukeError, match=r"llama-imatrix ended with status 1 \(no such option: --parse-special\)"):
        file()
    program(
        programs,
        "llama-imatrix",
        f"named = dict(zip(arguments[:6:2], arguments[1:6:2]))\nshutil.copyfile(named['-f'], {str(kept)!r})\n"
        "open(named['-o'], 'w').write('matrix')",
    )
    made = file()
    assert made.hints == {"importance_from": "20 training dialogues"}
    assert made.sha256 != plain.sha256 and file() == made
    text = kept.read_text(encoding="utf-8")
    assert text.count("<|im_start|>assistant\nTa là chúa tể rừng xanh!<|im_end|>") == 10
    card = (trained.root / "models" / "r" / "README.md").read_text(encoding="utf-8")
    assert "quantised with an importance matrix from 20 training dialogues." in card


def test_a_small_model_is_served_at_8_bits_and_a_large_one_at_4() -> None:
    assert build.default_type(264_000_000) == "Q8_0"
    assert build.default_type(1_980_000_000) == "Q8_0"
    assert build.default_type(6_180_000_000) == "Q4_K_M"


@pytest.mark.model
@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no limit on the size of files")
@pytest.mark.parametrize("step", ["merge", "convert"])
def test_a_disk_that_fills_leaves_no_half_file(trained: Project, tmp_path: Path, step: str) -> None:
    merge_adapter.write(open_run(trained.root, "r", print), tmp_path / "merged")
    weights = (tmp_path / "merged" / "model.safetensors").stat().st_size  # the GGUF file holds the vocabulary too
    bytes_left = weights if step == "convert" else weights - 1
    code = (
        "import resource, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes_left}, {bytes_left}))\n"
        "from pathlib import Path\n"
        "from curation.errors import InosukeError\n"
        "from train.gguf import build, convert\n"
        f"convert.ensure = lambda models, say: Path({str(convert.ensure(ROOT / 'models', print))!r})\n"
        "try:\n"
        f"    build.make(Path({str(trained.persona)!r}), 'r', 'Q8_0', None, print)\n"
        "except InosukeError as error:\n"
        "    print('TOLD', error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    told = done.stdout.partition("TOLD ")[2]
    assert "Free some disk space" in told, done.stdout + done.stderr
    assert ("merged model cannot be written" in told) == (step == "merge")
    assert [p.name for p in (trained.root / "models" / "r" / "gguf").iterdir()] == [".lock"]


@pytest.mark.parametrize(
    ("error", "told"),
    [(InosukeError("it cannot be fetched."), "it cannot be fetched."), (MemoryError("big"), "MemoryError: big.")],
)
@pytest.mark.slow
def test_a_failure_after_training_is_reported_and_the_run_is_kept(
    trainer: Make, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    def no_network(*_: Any) -> Path:
        raise error

    monkeypatch.setattr(convert, "ensure", no_network)
    project, said = trainer(), list[str]()
    recipe = project.recipe(quantization="none", epochs=1, samples=0)
    build.after_training(project.persona, train_only(project, recipe, "r"), said.append)
    assert said[-1] == (
        f"Warning: no GGUF files, so serving is slower; run r is finished. {told} Later: inosuke gguf r"
    )
    assert (project.root / "models" / "latest").read_text(encoding="utf-8") == "r\n"
    assert not list((project.root / "models" / "r" / "gguf").glob("*.gguf*"))


@pytest.mark.model
def test_training_a_small_model_on_a_cpu_ends_with_its_files(
    trainer: Make, base_with_merges: Path, converter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project, said = Project(trainer().root, base_with_merges), list[str]()
    recipe = project.recipe(quantization="none", epochs=1, samples=0)
    build.after_training(project.persona, train_only(project, recipe, "r"), said.append)
    content = json.loads((project.root / "models" / "r" / "gguf" / "gguf.json").read_text(encoding="utf-8"))
    assert said[-1].startswith("GGUF files of r, measured on 1 eval dialogues")
    assert (project.root / "models" / "r" / "gguf" / content["served"]).is_file()

    monkeypatch.setattr(build, "SMALL", 1000)
    build.after_training(project.persona, train_only(project, recipe, "large"), said.append)
    assert not (project.root / "models" / "large" / "gguf").exists()


@pytest.mark.model
def test_a_model_that_the_converter_does_not_know_is_refused_with_its_reason(
    tmp_path: Path, base_with_merges: Path, converter: Path
) -> None:
    model = tmp_path / "odd"
    shutil.copytree(base_with_merges, model)
    config = json.loads((model / "config.json").read_text(encoding="utf-8"))
    (model / "config.json").write_text(json.dumps(config | {"architectures": ["OddForCausalLM"]}), encoding="utf-8")
    with pytest.raises(InosukeError, match=r"odd cannot be converted to GGUF: the converter says .*OddForCausalLM"):
        convert.convert(converter, model, tmp_path / "out.gguf")
    assert not (tmp_path / "out.gguf").exists()


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ({"type": "ByteLevel", "use_regex": True}, "gpt-2"),
        ({"pretokenizers": [{"type": "Digits", "individual_digits": True}, {"type": "ByteLevel"}]}, "smollm"),
        ({"type": "Metaspace"}, None),
        (None, None),
    ],
)
def test_an_unknown_tokenizer_is_named_by_how_it_splits_words(declared: Any, name: str | None) -> None:
    assert convert_process.pre_tokenizer_name(declared) == name


def test_qwen_splits_each_digit_and_llama_three_at_a_time() -> None:
    start = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"

    def named(digits: str) -> str | None:
        split = {"type": "Split", "pattern": {"Regex": start + digits + r"| ?[^\s\p{L}\p{N}]+[\r\n]*"}}
        return convert_process.pre_tokenizer_name({"type": "Sequence", "pretokenizers": [split, {"type": "ByteLevel"}]})

    assert (named(r"\p{N}"), named(r"\p{N}{1,3}")) == ("qwen2", "llama-bpe")


def test_a_wheel_that_cannot_be_fetched_quotes_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(InosukeError, match=r"no-such-name==0, for a test, cannot be fetched: pip says .*no-such-name"):
        pinned_wheel.fetch("no-such-name==0", "", tmp_path, "for a test")


def test_a_cards_part_stands_before_use_and_is_replaced(tmp_path: Path) -> None:
    card = tmp_path / "README.md"
    card_section.put(card, "gguf", "nothing to write into")
    assert not card.exists()
    card.write_text("# Card\n\n## Use\n\nlike this\n", encoding="utf-8")
    card_section.put(card, "gguf", "## GGUF\n\nfirst")
    card_section.put(card, "gguf", "## GGUF\n\nsecond")
    assert card.read_text(encoding="utf-8") == (
        "# Card\n\n<!-- gguf -->\n## GGUF\n\nsecond\n<!-- end of gguf -->\n\n## Use\n\nlike this\n"
    )
