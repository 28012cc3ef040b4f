"""A vocabulary cut to the languages of a persona: any text can still be written, and kept text keeps its tokens."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, processors

from curation.errors import InosukeError
from tests.conftest import ROOT
from train.model import vocabulary

LINES = [
    "Ta là chúa tể núi rừng! Ngươi muốn gì?",
    "Nguoi la ai? Ta khong so ai ca!",
    "I am the king of the mountain! What do you want?",
    "  Two spaces,\ttabs\nand lines 1234567890 (and signs: @#%) …",
]
ODD = [
    "猪突猛進！",
    "Приве́т, как дела?",
    "สวัสดี",
    "🐗💪🏽👨‍👩‍👧",
    "e\u0301\u200b\u202e",
    "\x00\x07",
    "<0x41><unused3>",
    "▁▁",
]


def words_of(text: str) -> list[str]:
    return [("▁" if i else "") + word for i, word in enumerate(text.split(" ")) if word]


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    """A byte-fallback BPE like Gemma's: every word of a few sentences in five languages, spelled out by merges."""
    control = ["<pad>", "<eos>", "<bos>", "<unk>", "<unused0>", "<unused1>", "<start_of_turn>", "<end_of_turn>"]
    vocabulary_: dict[str, int] = {token: number for number, token in enumerate(control)}
    for byte in range(256):
        vocabulary_[f"<0x{byte:02X}>"] = len(vocabulary_)
    merges: list[list[str]] = []
    texts = [*LINES, *ODD, "где мы были", "dónde está el niño", "Straße über Äcker"]
    for text in texts:
        for character in text.replace(" ", "▁"):
            vocabulary_.setdefault(character, len(vocabulary_))
    for text in texts:
        for word in words_of(text):
            done = word[0]
            for character in word[1:]:
                if (pair := [done, character]) not in merges:
                    merges.append(pair)
                done += character
                vocabulary_.setdefault(done, len(vocabulary_))
    model = models.BPE(vocab=vocabulary_, merges=[(a, b) for a, b in merges], byte_fallback=True, unk_token="<unk>")
    tokenizer = Tokenizer(model)
    tokenizer.normalizer = normalizers.Replace(" ", "▁")
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in control])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<bos> $A", special_tokens=[("<bos>", vocabulary_["<bos>"])]
    )
    content: dict[str, Any] = json.loads(tokenizer.to_str())
    return content


class Both:
    """The whole tokenizer and the cut one."""

    def __init__(self, whole: dict[str, Any], languages: tuple[str, ...] = ("vi", "en")) -> None:
        self.kept = vocabulary.kept_ids(whole, languages)
        self.content = vocabulary.cut(whole, self.kept)
        self.before = Tokenizer.from_str(json.dumps(whole))
        self.after = Tokenizer.from_str(json.dumps(self.content))

    def ids(self, text: str) -> tuple[list[int], list[int]]:
        """Return the ids of both, those of the cut one in the old numbers."""
        old = self.before.encode(text, add_special_tokens=False).ids
        return old, [self.kept[i] for i in self.after.encode(text, add_special_tokens=False).ids]


@pytest.fixture(scope="module")
def both(whole: dict[str, Any]) -> Both:
    return Both(whole)


@pytest.mark.parametrize("text", LINES)
def test_text_of_the_languages_is_tokenized_as_before(both: Both, text: str) -> None:
    before, after = both.ids(text)
    assert before == after


@pytest.mark.parametrize("text", [*LINES, *ODD])
def test_any_text_survives_the_round_trip(both: Both, text: str) -> None:
    ids = both.after.encode(text, add_special_tokens=False).ids
    assert both.after.decode(ids, skip_special_tokens=False) == text.replace("▁", " ")


@given(text=st.text())
def test_any_text_at_all_survives_the_round_trip(both: Both, text: str) -> None:
    ids = both.after.encode(text, add_special_tokens=False).ids
    assert both.after.decode(ids, skip_special_tokens=False) == text.replace("▁", " ")


def test_words_of_other_languages_go_and_reserved_control_tokens_too(both: Both, whole: dict[str, Any]) -> None:
    left = both.content["model"]["vocab"]
    assert {"▁chúa", "▁rừng!", "▁mountain!", "<start_of_turn>", "<0xFF>", "🐗"} <= left.keys()
    assert not {"猪突", "Приве́т,", "▁как", "สวัส", "<unused0>"} & left.keys()
    assert len(left) < len(whole["model"]["vocab"])
    assert {token["content"] for token in both.content["added_tokens"]} == {
        *("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>")
    }


def test_ids_are_renumbered_without_gaps_and_in_the_old_order(both: Both, whole: dict[str, Any]) -> None:
    old, new = whole["model"]["vocab"], both.content["model"]["vocab"]
    assert sorted(new.values()) == list(range(len(both.kept)))
    assert all(both.kept[number] == old[token] for token, number in new.items())
    assert both.kept == sorted(both.kept)
    assert all(token["id"] == new[token["content"]] for token in both.content["added_tokens"])
    assert both.after.encode("Ta").ids[0] == new["<bos>"]


def test_every_merge_and_every_part_of_a_kept_token_is_there(both: Both) -> None:
    left = both.content["model"]["vocab"]
    assert all({a, b, a + b} <= left.keys() for a, b in both.content["model"]["merges"])
    made = {a + b for a, b in both.content["model"]["merges"]}
    assert [t for t in left if len(t) > 1 and t not in made and not t.startswith("<")] == []


def test_the_cut_is_the_same_every_time(both: Both, whole: dict[str, Any]) -> None:
    assert Both(json.loads(json.dumps(whole)), ("en", "vi")).content == both.content


def test_another_persona_keeps_other_words(whole: dict[str, Any]) -> None:
    japanese = Both(whole, ("ja",)).content["model"]["vocab"]
    russian = Both(whole, ("ru", "en")).content["model"]["vocab"]
    assert "猪突" in japanese
    assert "▁как" not in japanese
    assert "▁как" in russian


def test_a_rare_word_stays_for_its_letters(whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary, "COMMON", 0)
    german = Both(whole, ("de",)).content["model"]["vocab"]
    vietnamese = Both(whole, ("vi",)).content["model"]["vocab"]
    assert "▁über" in german
    assert "▁chúa" in vietnamese
    assert "▁ngươi" not in german
    assert "▁muốn" in vietnamese
    assert "▁khong" in vietnamese  # a syllable without its marks
    assert "▁mountain!" not in vietnamese


def test_a_tokenizer_that_cannot_spell_in_bytes_is_refused(whole: dict[str, Any]) -> None:
    without = {**whole, "model": {**whole["model"], "byte_fallback": False}}
    with pytest.raises(InosukeError, match=r"without byte fallback cannot be cut"):
        vocabulary.kept_ids(without, ("vi",))
    with pytest.raises(InosukeError, match=r"no script is known for the language xx"):
        vocabulary.kept_ids(whole, ("vi", "xx"))


def texts_of(file: Path) -> list[str]:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [value for row in rows for value in row.values() if isinstance(value, str) and value]


@pytest.mark.model
def test_the_embedded_base_reads_the_corpus_as_the_whole_model_does() -> None:
    """Held against the tokenizer inside the GGUF file itself."""
    from transformers import AutoTokenizer

    from curation import bases
    from train.model import embedded

    row = bases.find("gemma-3-270m")
    assert row is not None
    folder = embedded.ensure(row, ("vi", "en"), ROOT / "models" / "base", print)
    cut = AutoTokenizer.from_pretrained(folder)
    before = AutoTokenizer.from_pretrained(folder.parent, gguf_file=row.gguf_file)
    kept = json.loads((folder / embedded.KEPT).read_text(encoding="utf-8"))["kept"]
    handwritten = sorted((ROOT / "datasets/sources/handwritten").glob("*.jsonl"))
    # English takes 4 to 5% more tokens, and half of the everyday rows are English: the bounds are for the other files.
    texts = [text for file in handwritten if "everyday" not in file.name for text in texts_of(file)]
    everyday = [text for file in handwritten if "everyday" in file.name for text in texts_of(file)]
    old = [before(text, add_special_tokens=False)["input_ids"] for text in texts]
    new = [cut(text, add_special_tokens=False)["input_ids"] for text in texts]
    same = sum(a == [kept[i] for i in b] for a, b in zip(old, new, strict=True))
    assert same / len(texts) > 0.89  # rare English words are spelled in two parts instead of one
    assert sum(map(len, new)) < 1.01 * sum(map(len, old))
    assert len(kept) < 55_000
    for text in [*texts, *everyday, *ODD]:
        if "▁" not in text:
            assert cut.decode(cut(text, add_special_tokens=False)["input_ids"]) == text
    assert cut.eos_token == row.end_of_turn
    assert "\n" not in cut.all_special_tokens
