"""A tiny random Gemma 3 as a GGUF file, with the kind of tokenizer that Gemma's files have: pieces, scores, bytes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from gguf import GGUFWriter, TokenType

TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'system' %}{{ '<start_of_turn>user\n' + m['content'] "
    "+ '<end_of_turn>\n' }}{% else %}{{ '<start_of_turn>' + ('model' if m['role'] == 'assistant' else 'user') + '\n' "
    "+ m['content'] + '<end_of_turn>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
CONTROL = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "<unused0>", "<start_of_turn>", "<end_of_turn>")
# Every sixth layer of Gemma 3 sees the whole text; llama.cpp aborts on a model without such a layer.
# transformers takes a head to be 256 wide when it scales the attention of such a file.
WIDTH, INNER, HEAD, LAYERS = 64, 128, 256, 6


def pieces() -> list[tuple[str, float, TokenType]]:
    """Return the vocabulary: text, score and type of each token."""
    vietnamese = "àáâãèéêìíòóôõùúýăđĩũơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ"
    letters = [*map(chr, range(0x21, 0x7F)), "▁", *vietnamese, *"日本"]
    merged = ["▁t", "ta", "▁ta", "ch", "▁r", "nh", "ng", "日本", "zz"]
    return [
        *((text, -1000.0, TokenType.CONTROL) for text in CONTROL),
        *((text, -1000.0, TokenType.USER_DEFINED) for text in ("\n", "\n\n", "  ", "   ")),
        *((f"<0x{byte:02X}>", -1000.0, TokenType.BYTE) for byte in range(256)),
        *((text, -float(rank), TokenType.NORMAL) for rank, text in enumerate(merged)),
        *((text, -100.0 - rank, TokenType.NORMAL) for rank, text in enumerate(letters)),
    ]


def write(path: Path) -> Path:
    """Write the model and return its path."""
    random = np.random.default_rng(0)
    tokens, scores, types = zip(*pieces(), strict=True)
    writer = GGUFWriter(path, "gemma3")
    writer.add_name("Tiny Gemma")
    writer.add_license("gemma")
    writer.add_context_length(2048)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_sliding_window(512)
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(list(tokens))
    writer.add_token_scores(list(scores))
    writer.add_token_types([int(t) for t in types])
    writer.add_pad_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_bos_token_id(2)
    writer.add_unk_token_id(3)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)
    writer.add_add_space_prefix(False)

    def matrix(name: str, rows: int, columns: int) -> None:
        writer.add_tensor(f"{name}.weight", random.normal(0, 0.2, (rows, columns)).astype(np.float32))

    matrix("token_embd", len(tokens), WIDTH)
    norms = {"output_norm": WIDTH}
    for i in range(LAYERS):
        block = f"blk.{i}."
        for name, rows, columns in (
            ("attn_q", HEAD, WIDTH),
            ("attn_k", HEAD, WIDTH),
            ("attn_v", HEAD, WIDTH),
            ("attn_output", WIDTH, HEAD),
            ("ffn_gate", INNER, WIDTH),
            ("ffn_up", INNER, WIDTH),
            ("ffn_down", WIDTH, INNER),
        ):
            matrix(block + name, rows, columns)
        norms |= {block + n: WIDTH for n in ("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")}
        norms |= {block + n: HEAD for n in ("attn_q_norm", "attn_k_norm")}
    for name, width in norms.items():
        writer.add_tensor(f"{name}.weight", np.ones(width, dtype=np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
