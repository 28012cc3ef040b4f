"""Keys that clients send and that are no parameter here: which change an answer, and which do not."""

from __future__ import annotations

from typing import Any

# Keys that change an answer and are supported by none of the engines, with the values at which they change nothing,
# beside null, false, 0 and what is empty.
REFUSED: dict[str, tuple[Any, ...]] = {
    "tools": (),
    "functions": (),
    "tool_choice": ("none", "auto"),
    "function_call": ("none", "auto"),
    "audio": (),
    "modalities": (["text"],),
    "web_search_options": (),
    "documents": (),
    "images": (),
    "suffix": (),
    "grammar": (),
    "grammar_string": (),
    "structured_outputs": (),
    "guided_json": (),
    "guided_regex": (),
    "guided_choice": (),
    "guided_grammar": (),
    "mirostat": (),
    "mirostat_mode": (),
    "tfs": (1,),
    "tfs_z": (1,),
    "top_a": (),
    "nsigma": (-1,),
    "top_n_sigma": (-1,),
    "xtc_probability": (),
    "dynatemp_range": (),
    "dynamic_temperature": (),
    "smoothing_factor": (),
    "skew": (),
    "epsilon_cutoff": (),
    "eta_cutoff": (),
    "penalty_alpha": (),
    "min_tokens": (),
    "min_length": (),
    "min_keep": (1,),
    "num_beams": (1,),
    "use_beam_search": (),
    "length_penalty": (1,),
    "no_repeat_ngram_size": (),
    "encoder_repetition_penalty": (1,),
    "repetition_penalty_range": (64,),
    "repeat_last_n": (64,),
    "dry_base": (1.75,),
    "dry_allowed_length": (2,),
    "dry_penalty_last_n": (-1,),
    "dry_sequence_breakers": (),
    "guidance_scale": (1,),
    "cfg_scale": (1,),
    "negative_prompt": (),
    "ignore_eos": (),
    "ban_eos_token": (),
    "banned_tokens": (),
    "custom_token_bans": (),
    "banned_strings": (),
    "bad_words": (),
    "allowed_token_ids": (),
    "stop_token_ids": (),
    "include_stop_str_in_output": (),
    "samplers": (),
    "sampler_order": (),
    "sampler_priority": (),
    "chat_template": (),
    "chat_template_kwargs": ({"enable_thinking": False},),
    "n_probs": (),
    "post_sampling_probs": (),
    "prompt_logprobs": (),
    "lora": (),
}
# What clients send and what changes no answer here.
HARMLESS = frozenset(
    """
    user metadata store service_tier safety_identifier prompt_cache_key prompt_cache_retention prediction
    parallel_tool_calls reasoning_effort reasoning reasoning_format include_reasoning verbosity timings_per_token
    return_progress cache_prompt backend_sampling n_keep id_slot xtc_threshold dynatemp_exponent dynatemp_low
    dynatemp_high mirostat_tau mirostat_eta smoothing_curve early_stopping add_bos_token skip_special_tokens
    spaces_between_special_tokens truncation_length max_context_length keep_alive priority request_id chat_id
    session_id message_id background_tasks features variables model_item provider transforms route type
    chat_completion_source user_name char_name group_names api_type api_server
    """.split()  # noqa: SIM905 - sixty words read better as lines of text
)
