"""Loads base models and adapters. Knows recipes and weights; knows nothing of data or runs."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import torch
from safetensors import SafetensorError

from curation import bases
from curation.chat.layout import control_tokens
from curation.errors import InosukeError, UsageError, no_space
from train.distributed import of_environment
from train.model import packed_attention
from train.model.base_model import BaseModel
from train.model.out_of_memory import is_out_of_memory, release
from train.recipe import Device, Recipe

ADAPTER_CONFIG = "adapter_config.json"
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def device() -> Device:
    """Return the device that this machine trains on."""
    if torch.cuda.is_available():
        # By default torch also says yes where bf16 is emulated, slowly: on a T4 and all other cards before Ampere.
        return Device("cuda", torch.cuda.is_bf16_supported(including_emulation=False))
    # Other processors multiply bf16 more slowly than fp32, docs/experiments/2026-11-28-gemma-270m.md.
    able = torch.cpu.get_capabilities()
    return Device("cpu", has_bf16=bool(able.get("avx512_bf16") or able.get("amx_bf16")))


def load_tokenizer(location: str, chat_template: str | None = None, needs_template: bool = True) -> Any:
    """Load a tokenizer that has a chat template and a token to pad with.

    ``chat_template`` (Jinja) is used where the tokenizer brings none. Raises InosukeError when the tokenizer does not
    exist, cannot be reached, has no token that ends a turn, or has no chat template although one is needed.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(location)
    except (OSError, ValueError) as error:
        raise unreachable(location, error) from error
    if tokenizer.chat_template is None:
        tokenizer.chat_template = chat_template
    if tokenizer.chat_template is None and needs_template:
        raise InosukeError(
            f"{location}: its tokenizer has no chat template. Choose an instruct model as base, or set "
            '`prompt = "alpaca"` in the recipe, which needs none.'
        )
    if tokenizer.eos_token_id is None:
        raise InosukeError(
            f"{location}: its tokenizer has no end-of-text token (eos_token), so no reply could end. Choose another "
            "base."
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def tokenizer_of(base: BaseModel, recipe: Recipe) -> Any:
    """Load the base's tokenizer, with the chat template of the table of bases where it brings none."""
    known = bases.find(base.name)
    return load_tokenizer(base.location, known.chat_template if known else None, recipe.prompt == "chat")


def end_ids(tokenizer: Any) -> list[int]:
    """Return the ids of the control tokens. Any of them ends a turn, since the text of a turn never contains one."""
    return sorted(control_tokens(tokenizer).values())


def load_config(base: BaseModel) -> Any:
    """Load the configuration of the base, without its weights. Raises InosukeError when it cannot be reached."""
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(base.location)
    except (OSError, ValueError) as error:
        raise unreachable(base.location, error) from error


def load_base(base: BaseModel, recipe: Recipe) -> Any:
    """Load the base as the (resolved) recipe asks: in NF4, or unquantised in the recipe's precision.

    Raises InosukeError when the model does not exist or cannot be reached, and when memory runs out.
    """
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    nf4: Any = BitsAndBytesConfig  # it has no types

    dtype = DTYPES[recipe.precision]
    options: dict[str, Any] = {"dtype": dtype}
    if recipe.quantization == "nf4":
        # Quantise from the file's own precision: the same bits, without an fp32 copy of each weight.
        options["dtype"] = "auto"
        options["quantization_config"] = nf4(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=dtype,
            bnb_4bit_use_double_quant=recipe.double_quant,
        )
    if device().kind == "cuda":
        # Each process of `accelerate launch` has a GPU of its own.
        options["device_map"] = {"": of_environment().local_rank}
    try:
        with _whole_errors():
            model = AutoModelForCausalLM.from_pretrained(base.location, **options)
            packed_attention.use_where_right(model)
            if recipe.quantization == "nf4":
                _compute_in(model, dtype)
                keep_as_they_are(model)
        return model
    except (OSError, ValueError, RuntimeError, MemoryError, SafetensorError) as error:
        if not is_out_of_memory(error):
            if type(error) is RuntimeError:
                raise
            raise unreachable(base.location, error) from error
    # Outside of `except`, whose traceback holds what was loaded so far.
    release()
    raise InosukeError(
        f"out of memory while {base.name} was loaded ({recipe.quantization}, {recipe.precision}). {free_memory()} "
        "Close other programs that use it (a browser or a game, too), or choose a smaller base model."
    )


def free_memory() -> str:
    """Describe in a sentence how much memory the device has left."""
    if device().kind == "cuda":
        free, whole = torch.cuda.mem_get_info()
    else:
        memory = psutil.virtual_memory()
        free, whole = memory.available, memory.total
    return f"{free / 1e9:.1f} of {whole / 1e9:.1f} GB are free."


def add_adapter(model: Any, base: BaseModel, recipe: Recipe) -> Any:
    """Put new LoRA matrices in fp32 on the model and freeze everything else.

    Raises UsageError when a target of the recipe is not a layer of this model, or peft cannot adapt it.
    """
    from peft import get_peft_model

    model.config.use_cache = False
    # Not prepare_model_for_kbit_training: it makes fp32 copies of the embeddings.
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    names = _linear_names(model)
    if isinstance(recipe.lora_targets, tuple) and (unknown := set(recipe.lora_targets) - set(names)):
        # peft ignores a name that matches nothing as long as another one matches. An adapter on the output layer could
        # not be merged, since that layer may share its weights with the embeddings.
        raise UsageError(
            f"`lora_targets`: {base.name} has no layer called {', '.join(sorted(unknown))} that can have an adapter. "
            f"There: {', '.join(names)}."
        )
    try:
        adapted = get_peft_model(model, adapter_config(model, recipe))
    except ValueError as error:
        raise UsageError(
            f"{base.name}: peft cannot put LoRA matrices on a {model.config.model_type} model ({_first_line(error)}). "
            f"Name other layers in `lora_targets`, of {', '.join(names)}, or choose another base."
        ) from error
    if recipe.checkpointing:
        model.activation_checkpointing_enable({"use_reentrant": False})
        # transformers lets the embeddings' output require gradients, which reentrant checkpointing needs. Here it would
        # checkpoint every layer below the lowest adapter and run it backwards for nothing.
        model.disable_input_require_grads()
    return adapted


def adapter_config(model: Any, recipe: Recipe) -> Any:
    """Return the recipe's ``LoraConfig`` for this model."""
    from peft import LoraConfig

    layers = model.config.get_text_config().num_hidden_layers
    first = layers - recipe.adapted_layers(layers)
    targets = recipe.lora_targets if recipe.lora_targets == "all-linear" else list(recipe.lora_targets)
    if first and targets == "all-linear":
        targets = _linear_names(model)  # peft accepts layers_to_transform only with a list of names
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=recipe.lora_rank,
        lora_alpha=recipe.lora_alpha,
        lora_dropout=recipe.lora_dropout,
        target_modules=targets,
        layers_to_transform=list(range(first, layers)) if first else None,
        exclude_modules=_outside_text(model),
    )


def _compute_in(model: Any, dtype: torch.dtype) -> None:
    """Have quantised weights unpacked to ``dtype``, and convert the others, which are as in their file.

    With fp16 the others become fp32. What passes from layer to layer is then in fp32, too: in fp16 it overflows in
    Gemma 3 and in some Qwen models.
    """
    others = torch.float32 if dtype == torch.float16 else dtype
    # patch: nf4-state
    for parameter in model.parameters():
        if (state := getattr(parameter, "quant_state", None)) is not None:
            state.dtype = dtype
        else:
            parameter.data = parameter.data.to(others)


def keep_as_they_are(model: Any) -> None:
    """Keep bitsandbytes from repacking NF4 weights for inference, which it does on CPUs that multiply bf16.

    The first evaluation would round their scales to bf16 and leave the weights in a layout that has no backward pass.
    """
    # patch: nf4-state
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False


@contextmanager
def _whole_errors() -> Iterator[None]:
    """Raise errors of quantising from the error of transformers, which writes their text into its log only.

    Otherwise a GPU that is too full for the next weight would be a conversion that failed for an unknown reason.
    """
    # patch: conversion-errors
    log = logging.getLogger("transformers.modeling_utils")
    lines: list[str] = []
    keep = logging.Handler()
    keep.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    level, propagate = log.level, log.propagate
    log.addHandler(keep)
    log.setLevel(logging.WARNING)
    log.propagate = False
    try:
        yield
    except RuntimeError as error:
        if lines and "conversion" in str(error):
            raise error from RuntimeError("\n".join(lines))
        raise
    finally:
        log.removeHandler(keep)
        log.setLevel(level)
        log.propagate = propagate


def _linear_names(model: Any) -> list[str]:
    """Return the names of the linear layers in the text model's blocks, without the output layer: "all-linear"."""
    head = model.get_output_embeddings()
    linear = (name for name, m in model.get_decoder().named_modules() if _is_linear(m) and m is not head)
    return sorted({name.rsplit(".", 1)[-1] for name in linear})


def _outside_text(model: Any) -> str | None:
    """Return a pattern of the layers beside the text model (for images or sound) by their full names, None without any.

    Dialogues never reach them, so an adapter there would be weight without use.
    """
    text = set(model.get_decoder().modules())
    beside = {model.get_output_embeddings()}
    names = []
    for name, module in model.named_modules():  # parents first
        if module not in beside and text.isdisjoint(module.modules()):
            beside.update(module.modules())
            if any(map(_is_linear, module.modules())):
                names.append(re.escape(name))
    return rf"({'|'.join(names)})(\..*)?" if names else None


def _is_linear(module: Any) -> bool:
    from transformers.pytorch_utils import Conv1D

    return isinstance(module, (torch.nn.Linear, Conv1D))


def save_adapter(model: Any, base: BaseModel, folder: Path) -> None:
    """Write ``adapter_config.json`` and ``adapter_model.safetensors``."""
    model.peft_config["default"].base_model_name_or_path = base.hub_id
    # False: the embeddings were not trained, and peft would ask the Hub to find that out.
    model.save_pretrained(folder, save_embedding_layers=False)


def put_adapter(model: Any, folder: Path) -> None:
    """Copy the tensors of a trained adapter into a model that has an adapter of the same shape.

    Raises InosukeError when the file is missing, damaged, or holds another adapter.
    """
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    file = folder / "adapter_model.safetensors"
    try:
        state = load_file(file)
    except (OSError, SafetensorError) as error:
        raise InosukeError(f"{file}: cannot be read ({error}). Put the file back, or name another run.") from error
    wanted = sum(".lora_" in name for name, _ in model.named_parameters())
    try:
        found = set_peft_model_state_dict(model, state)
    except RuntimeError as error:
        found, why = None, _first_line(error)
    if found is None or found.unexpected_keys or len(state) != wanted:
        why = why if found is None else f"{len(state)} tensors instead of {wanted}"
        raise InosukeError(
            f"{folder}: its adapter does not fit ({why}). Continue it with the recipe's `lora_` fields of its own run."
        )


def load_adapter(model: Any, folder: Path) -> Any:
    """Put a trained adapter on its base. Raises InosukeError when it is missing, damaged, or made for another model."""
    from peft import PeftModel

    for name in ("adapter_model.safetensors", ADAPTER_CONFIG):
        if not (folder / name).is_file():
            raise InosukeError(f"{folder}: {name} is missing. Name a finished run of `make train`.")
    config = _read_adapter_config(folder / ADAPTER_CONFIG)
    try:
        return PeftModel.from_pretrained(model, folder)
    except SafetensorError as error:
        raise InosukeError(f"{folder}: the adapter is damaged ({error}). Train again, or put the file back.") from error
    except (RuntimeError, ValueError, TypeError, KeyError) as error:
        if is_out_of_memory(error):
            raise
        text = model.config.get_text_config()
        raise InosukeError(
            f"{folder}: this adapter does not fit the base model. It was made for "
            f"{config.get('base_model_name_or_path')}; this is a {model.config.model_type} of "
            f"{text.num_hidden_layers} layers, {text.hidden_size} wide. Put the right adapter back, or train again."
        ) from error


def _read_adapter_config(file: Path) -> dict[str, Any]:
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InosukeError(f"{file}: cannot be read ({error}). Put the file back, or train again.") from error
    if not isinstance(config, dict) or config.get("peft_type") != "LORA":
        raise InosukeError(
            f'{file}: is not the configuration of a LoRA adapter. Expected an object whose `peft_type` is "LORA". '
            "Put the file back, or train again."
        )
    return config


def unreachable(location: str, error: Exception) -> InosukeError:
    """Return the error for a base model that cannot be loaded, whatever the cause."""
    if reason := no_space(error):
        return InosukeError(
            f"base model {location}: {reason} while it was read or fetched. Free some disk space or fix the folder's "
            "permissions, then try again."
        )
    return InosukeError(
        f"base model {location}: cannot be loaded ({_first_line(error)}). Expected a model folder, or a Hub id and "
        "access to the Hub. Check the name and the network, or train with `--recipe cpu`, which brings its own model."
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
