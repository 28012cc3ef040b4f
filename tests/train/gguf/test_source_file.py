"""GGUF files of a base that came from a GGUF file: llama.cpp's tokenizer is then the source's, whole or cut."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from gguf import GGUFReader, TokenType

from curation.errors import InosukeError
from curation.files import sha256_file
from tests.conftest import ROOT
from tests.tools import tiny_gemma
from tests.train.conftest import ONE, TWO, Project, write_export
from train.commands.gguf import gguf as command
from train.commands.merge import merge
from train.gguf import convert, llamacpp, source_file
from train.gguf.source_file import SourceFile
from train.model import embedded, vocabulary
from train.model.base_model import BaseModel

TEXTS = [
    "Ta là chúa tể rừng xanh!",
    "hai  dấu cách,   ba\n\nvà dòng trống\n",
    "日本 zz 😀 <end_of_turn> <bos> <0x41>",
    " trước và sau ",
]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gemma.write(tmp_path_factory.mktemp("source") / "tiny-gemma.gguf")


def make_base(source: Path, folder: Path, cut: bool) -> Path:
    """Make a base's folder from the GGUF file as train.model.embedded does: Gemma's template, and a cut if wanted."""
    from transformers import AutoTokenizer

    folder.mkdir(parents=True)
    embedded.convert_gguf(source, folder)
    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = tiny_gemma.TEMPLATE
    tokenizer.eos_token = "<end_of_turn>"
    tokenizer.add_special_tokens({"extra_special_tokens": ["<start_of_turn>", "<end_of_turn>"]})
    tokenizer.save_pretrained(folder)
    if cut:
        _cut(folder)
    embedded.write_stamp(folder, {"gguf": str(source), "gguf_sha256": sha256_file(source)})
    return folder


def _cut(folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    whole = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    dropped = {"<unused0>", "日", "本", "日本", "zz", "{"}
    kept = sorted(i for token, i in whole["model"]["vocab"].items() if token not in dropped)
    assert len(kept) == len(whole["model"]["vocab"]) - len(dropped)
    (folder / "tokenizer.json").write_text(json.dumps(vocabulary.cut(whole, kept)), encoding="utf-8")
    (folder / embedded.KEPT).write_text(json.dumps({"kept": kept}), encoding="utf-8")
    model: Any = AutoModelForCausalLM.from_pretrained(folder)
    rows = model.get_input_embeddings().weight[torch.tensor(kept)].detach().clone()
    model.resize_token_embeddings(len(kept), mean_resizing=False)
    model.get_input_embeddings().weight.data = rows
    model.tie_weights()
    model.save_pretrained(folder)


@pytest.fixture(scope="module", params=["whole", "cut"])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, source: Path) -> Iterator[Project]:
    """A project with a finished run ``r`` on such a base."""
    root = tmp_path_factory.mktemp(request.param)
    base = make_base(source, root / "models" / "base" / "tiny", request.param == "cut")
    write_export(root, [ONE, TWO] * 10, [TWO])
    project = Project(root, base)
    project.train(recipe=project.recipe(quantization="none", epochs=2, samples=0), run="r")
    folder = convert.ensure(ROOT / "models", print)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convert, "ensure", lambda models, say: folder)  # downloaded once, not once a test
        yield project


def field(file: Path, key: str) -> Any:
    found = GGUFReader(file).get_field(key)
    return None if found is None else found.contents()


@pytest.mark.model
def test_llama_cpp_reads_the_ids_that_the_run_was_trained_with(run: Project) -> None:
    from transformers import AutoTokenizer

    answer = CliRunner().invoke(command, ["r", "--persona", str(run.persona), "--json"], catch_exceptions=False)
    content = json.loads(answer.stdout)
    assert content["served"] == "model-Q8_0.gguf"
    assert content["texts_tokenized_differently"] == 0 < content["texts"]
    file = run.root / "models" / "r" / "gguf" / "model-F16.gguf"
    tokenizer: Any = AutoTokenizer.from_pretrained(run.root / "models" / "r" / "tokenizer")

    def plain(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False, split_special_tokens=True)["input_ids"])

    assert llamacpp.other_tokens(file, TEXTS, plain) == []
    with closing(llamacpp._load(file)) as model:
        known = model.get_vocab()
        assert (known.token_bos(), known.token_eos(), known.token_pad()) == (
            *(tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id),
        )
        assert known.is_eog(tokenizer.convert_tokens_to_ids("<end_of_turn>"))
        assert known.is_control(tokenizer.convert_tokens_to_ids("<start_of_turn>"))
    assert field(file, "tokenizer.chat_template") == tiny_gemma.TEMPLATE
    assert field(file, "tokenizer.ggml.model") == "llama"
    assert field(file, "general.license") == "gemma"
    # The weights are right too: llama.cpp scores the replies as the trainer did.
    metrics = json.loads((run.root / "models" / "r" / "metrics.json").read_text(encoding="utf-8"))
    sixteen = next(f for f in content["files"] if f["type"] == "F16")
    assert sixteen["loss"] == pytest.approx(metrics["eval"]["adapter"]["loss"], rel=0.02)


@pytest.mark.model
def test_a_source_that_is_gone_or_another_is_named_before_anything_is_written(
    run: Project, source: Path, tmp_path: Path
) -> None:
    moved = tmp_path / source.name
    shutil.rmtree(run.root / "models" / "r" / "gguf", ignore_errors=True)
    shutil.move(source, moved)
    try:
        answer = CliRunner().invoke(command, ["r", "--persona", str(run.persona)])
        assert isinstance(answer.exception, InosukeError)
        assert "tiny-gemma.gguf: missing. The base tiny was made from it" in str(answer.exception)
        assert f"Remove the folder {run.base}" in str(answer.exception)
        source.write_bytes(moved.read_bytes()[:-1])
        answer = CliRunner().invoke(command, ["r", "--persona", str(run.persona)])
        assert "has changed since the base tiny was made from it" in str(answer.exception)
    finally:
        shutil.move(moved, source)
    assert not list((run.root / "models" / "r" / "gguf").glob("*.gguf"))


@pytest.mark.model
def test_a_merged_folder_that_is_cut_short_is_not_used(run: Project) -> None:
    CliRunner().invoke(merge, ["r", "--persona", str(run.persona)], catch_exceptions=False)
    folder = run.root / "models" / "r"
    shutil.rmtree(folder / "gguf", ignore_errors=True)
    with (folder / "merged" / "model.safetensors").open("r+b") as file:
        file.truncate(10_000)
    answer = CliRunner().invoke(command, ["r", "--type", "F16", "--persona", str(run.persona)], catch_exceptions=False)
    assert f"{folder / 'merged'} is incomplete and not used" in answer.stderr
    assert (folder / "gguf" / "model-F16.gguf").is_file()
    shutil.rmtree(folder / "merged")


@pytest.mark.model
def test_a_model_with_other_tokens_than_the_source_is_refused(tmp_path: Path, source: Path) -> None:
    converter = convert.ensure(ROOT / "models", print)
    base = make_base(source, tmp_path / "cut", cut=True)
    kept = json.loads((base / embedded.KEPT).read_text(encoding="utf-8"))["kept"]
    kept[300], kept[301] = kept[301], kept[300]
    (tmp_path / "kept.json").write_text(json.dumps({"kept": kept}), encoding="utf-8")
    with pytest.raises(InosukeError, match=r"token 300 is .* in the model and .* in tiny-gemma\.gguf"):
        convert.convert(converter, base, tmp_path / "out.gguf", SourceFile(source, tmp_path / "kept.json"))
    assert not (tmp_path / "out.gguf").exists()


def test_merges_and_ids_of_a_byte_level_tokenizer_are_cut_too() -> None:
    from train.gguf.convert_process import _cut as cut

    values = {
        "tokenizer.ggml.tokens": ["a", "b", "ab", "c", "<e>", "<f>"],
        "tokenizer.ggml.token_type": [1, 1, 1, 1, int(TokenType.CONTROL), int(TokenType.CONTROL)],
        "tokenizer.ggml.merges": ["a b", "b c"],
        "tokenizer.ggml.eos_token_id": 5,
        "tokenizer.ggml.padding_token_id": 4,
        "tokenizer.ggml.pre": "qwen2",
    }
    assert cut(values, [0, 1, 2, 5]) == {
        "tokenizer.ggml.tokens": ["a", "b", "ab", "<f>"],
        "tokenizer.ggml.token_type": [1, 1, 1, int(TokenType.CONTROL)],
        "tokenizer.ggml.merges": ["a b"],
        "tokenizer.ggml.eos_token_id": 3,
        "tokenizer.ggml.pre": "qwen2",
    }
    with pytest.raises(ValueError, match="keeps token 6 of 6"):
        cut(values, [0, 6])


@pytest.mark.parametrize(
    ("stamp", "kept", "error"),
    [
        ("{", None, r"inosuke\.json: damaged .*Remove the folder .*base and run the command again"),
        ("[]", None, r"inosuke\.json: damaged; expected a JSON object"),
        ('{"gguf": "x.gguf", "gguf_sha256": "%s"}', '{"kept": ["a"]}', r"vocabulary\.json: damaged; expected `kept`"),
        ('{"gguf": "x.gguf", "gguf_sha256": "%s"}', '{"kept": [', r"vocabulary\.json: damaged"),
        ('{"base": "gemma-3-270m", "gguf_sha256": "0"}', None, r"gemma-3-270m-q4_k_m\.gguf: missing\. The base b was"),
    ],
)
def test_a_damaged_stamp_or_vocabulary_is_named(tmp_path: Path, stamp: str, kept: str | None, error: str) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / embedded.STAMP).write_text(stamp.replace("%s", sha256_file(tmp_path / "x.gguf")), encoding="utf-8")
    if kept:
        (folder / embedded.KEPT).write_text(kept, encoding="utf-8")
    with pytest.raises(InosukeError, match=error):
        source_file.find(BaseModel("b", str(folder), "0" * 64, "folder"))


def test_a_base_that_came_as_safetensors_has_no_source(tmp_path: Path) -> None:
    assert source_file.find(BaseModel("b", str(tmp_path), "0" * 64, "folder")) is None
    assert source_file.find(BaseModel("owner/name", "owner/name", None)) is None
    (tmp_path / embedded.STAMP).write_text("{}", encoding="utf-8")  # converted before the stamp named the source
    assert source_file.find(BaseModel("b", str(tmp_path), "0" * 64, "folder")) is None
