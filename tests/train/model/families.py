"""Tiny random models of many families, for whoever asks whether a loss is right on all of them.

Weights are drawn ten times as wide as usual, so that a cap, a window or a leaking state shows in the loss.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Make = Callable[[Any], Any]

SHAPE: dict[str, Any] = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "initializer_range": 0.2,
    "bos_token_id": None,
}
HEADS_OF_16 = {"head_dim": 16}
GEMMA = HEADS_OF_16 | {"query_pre_attn_scalar": 16}
SHORT = 16  # a window; the rows of the tests are longer
MOSTLY_SLIDING = {"sliding_window": SHORT, "layer_types": ["sliding_attention"] * 3 + ["full_attention"]}
STATE = {"mamba_d_ssm": 64, "mamba_n_heads": 4, "mamba_d_head": 16, "mamba_n_groups": 1, "mamba_d_state": 16}
DELTA = dict.fromkeys(("linear_num_key_heads", "linear_num_value_heads"), 2) | dict.fromkeys(
    ("linear_key_head_dim", "linear_value_head_dim"), 16
)
VISION = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2} | {
    "image_size": 28,
    "patch_size": 14,
}

# Model class, configuration class, what differs from SHAPE.
TEXT: dict[str, tuple[str, str, dict[str, Any]]] = {
    "Qwen2": ("Qwen2ForCausalLM", "Qwen2Config", {}),
    "Qwen3": ("Qwen3ForCausalLM", "Qwen3Config", HEADS_OF_16),
    "Llama": ("LlamaForCausalLM", "LlamaConfig", {}),
    "SmolLM3": ("SmolLM3ForCausalLM", "SmolLM3Config", {}),
    "Phi-3, short window": ("Phi3ForCausalLM", "Phi3Config", {"sliding_window": SHORT}),
    "Mistral, short window": ("MistralForCausalLM", "MistralConfig", HEADS_OF_16 | {"sliding_window": SHORT}),
    "Gemma 2, both caps": (
        "Gemma2ForCausalLM",
        "Gemma2Config",
        GEMMA | {"sliding_window": SHORT, "final_logit_softcapping": 30.0, "attn_logit_softcapping": 5.0},
    ),
    "Gemma 2, final cap": (
        "Gemma2ForCausalLM",
        "Gemma2Config",
        GEMMA | {"final_logit_softcapping": 30.0, "attn_logit_softcapping": None},
    ),
    "Gemma 3, long window": ("Gemma3ForCausalLM", "Gemma3TextConfig", GEMMA | {"sliding_window": 512}),
    "Gemma 3, short window": ("Gemma3ForCausalLM", "Gemma3TextConfig", GEMMA | MOSTLY_SLIDING),
    "nanochat, cap": ("NanoChatForCausalLM", "NanoChatConfig", {}),
    "Cohere, scale": ("CohereForCausalLM", "CohereConfig", {"logit_scale": 0.25}),
    "Granite, scales": (
        "GraniteForCausalLM",
        "GraniteConfig",
        {"logits_scaling": 8.0, "embedding_multiplier": 3.0, "residual_multiplier": 0.5},
    ),
    "gpt-oss, sinks": (
        "GptOssForCausalLM",
        "GptOssConfig",
        HEADS_OF_16 | {"sliding_window": SHORT, "num_local_experts": 4, "num_experts_per_tok": 2},
    ),
    "Qwen3.5, recurrent": ("Qwen3_5ForCausalLM", "Qwen3_5TextConfig", HEADS_OF_16 | DELTA),
    "LFM2, convolutions": (
        "Lfm2ForCausalLM",
        "Lfm2Config",
        {"layer_types": ["conv", "full_attention", "conv", "full_attention"]},
    ),
    "Falcon-H1, both at once": ("FalconH1ForCausalLM", "FalconH1Config", {"num_hidden_layers": 2} | STATE),
    "StableLM, a mask of its own": ("StableLmForCausalLM", "StableLmConfig", {}),
    "OPT, body in two parts": (
        "OPTForCausalLM",
        "OPTConfig",
        {"ffn_dim": 128, "init_std": 0.2, "word_embed_proj_dim": 64, "dropout": 0.0, "pad_token_id": 1},
    ),
    "BLOOM, attention by distance": ("BloomForCausalLM", "BloomConfig", {"n_layer": 2, "n_head": 4}),
    "Mamba2, no attention": (
        "Mamba2ForCausalLM",
        "Mamba2Config",
        {"num_hidden_layers": 2, "head_dim": 16, "num_heads": 8, "n_groups": 1, "state_size": 16},
    ),
}
WITH_IMAGES = "Gemma 3 with images"
NAMES = (*TEXT, WITH_IMAGES)


def save(name: str, folder: Path, tokenizer: Any) -> Path:
    """Write a model of this family and the tokenizer into a folder, as a base is."""
    import torch
    import transformers

    ids = {"vocab_size": len(tokenizer), "pad_token_id": tokenizer.pad_token_id, "eos_token_id": tokenizer.eos_token_id}
    library: Any = transformers
    torch.manual_seed(0)
    if name == WITH_IMAGES:
        marks = {"mm_tokens_per_image": 4, "image_token_index": 5, "boi_token_index": 6, "eoi_token_index": 7}
        text = SHAPE | ids | GEMMA | MOSTLY_SLIDING
        config = library.Gemma3Config(text_config=text, vision_config=VISION, initializer_range=0.2, **marks)
        made = library.Gemma3ForConditionalGeneration(config)
    else:
        model, config, changes = TEXT[name]
        made = getattr(library, model)(getattr(library, config)(**SHAPE | ids | changes))
    made.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
