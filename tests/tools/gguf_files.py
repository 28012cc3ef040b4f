"""The tiny test model as a GGUF, written with `gguf` alone: the same weights as in transformers, in fp32."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from curation.contracts.gguf import BASE_WEIGHTS_KEY, GgufFile, GgufList, write_gguf_list
from curation.files import sha256_file

NAMES = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
LAYER = {
    "input_layernorm.weight": "attn_norm.weight",
    "post_attention_layernorm.weight": "ffn_norm.weight",
    "self_attn.q_proj.weight": "attn_q.weight",
    "self_attn.q_proj.bias": "attn_q.bias",
    "self_attn.k_proj.weight": "attn_k.weight",
    "self_attn.k_proj.bias": "attn_k.bias",
    "self_attn.v_proj.weight": "attn_v.weight",
    "self_attn.v_proj.bias": "attn_v.bias",
    "self_attn.o_proj.weight": "attn_output.weight",
    "mlp.gate_proj.weight": "ffn_gate.weight",
    "mlp.up_proj.weight": "ffn_up.weight",
    "mlp.down_proj.weight": "ffn_down.weight",
}


def write_gguf(path: Path, model: Any, tokenizer: Any) -> Path:
    """Write a Qwen2 model and its byte-level tokenizer."""
    import gguf

    config = model.config
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    words = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
    control = set(tokenizer.all_special_ids)
    writer.add_token_list(words)
    writer.add_token_types([3 if i in control else 1 for i in range(len(words))])
    writer.add_token_merges([f"{words[0]} {words[1]}"])  # an empty list is refused; no text is tokenized there anyway
    writer.add_eos_token_id(tokenizer.eos_token_id)
    for name, tensor in model.state_dict().items():
        writer.add_tensor(_name(name), tensor.float().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_adapter(path: Path, adapter: Path, weights: str) -> Path:
    """Write an adapter of a Qwen2 model, as peft saved it, in fp32; ``weights`` is the hash of the base's."""
    import gguf
    from safetensors.numpy import load_file

    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, "qwen2")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", config["lora_alpha"])
    writer.add_string(BASE_WEIGHTS_KEY, weights)
    for name, tensor in load_file(adapter / "adapter_model.safetensors").items():
        which = {"lora_A": "lora_a", "lora_B": "lora_b"}
        base, kind = name.removeprefix("base_model.model.").removesuffix(".weight").rsplit(".", 1)
        writer.add_tensor(f"{_name(f'{base}.weight')}.{which[kind]}", tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def manifest(folder: Path, served: str | None = None) -> None:
    """Write the gguf.json of a run's folder ``gguf/``."""
    files = [
        GgufFile(
            file=path.name,
            type=path.stem.removeprefix("model-"),
            sha256=sha256_file(path),
            bytes=path.stat().st_size,
        )
        for path in sorted(folder.glob("*.gguf"))
    ]
    write_gguf_list(folder.parent, GgufList(files=files, served=served))


def _name(name: str) -> str:
    if name in NAMES:
        return NAMES[name]
    _, _, layer, rest = name.split(".", 3)
    return f"blk.{layer}.{LAYER[rest]}"
