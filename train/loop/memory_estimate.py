"""How much memory a training takes, from the shape of the base, the recipe and the largest batch. Sums, no torch.

Counted are: weights (NF4: half a byte, and a scale for 64 of them), adapters with their gradients, the optimiser's
moments, the activations that autograd keeps, logits with what cross-entropy makes of them, and one unpacked weight of a
linear layer. tests/train/loop/test_memory_estimate.py compares the activations with what torch keeps. What other
programs and the display hold is not counted: it is missing from the free memory already.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from train.recipe import Recipe

BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
MOMENTS = {
    "adamw_torch": 8,
    "adamw_torch_fused": 8,
    "adamw_8bit": 2.03,
    "paged_adamw_32bit": 8,
    "paged_adamw_8bit": 2.03,
}
# What libraries take for themselves: on a GPU the workspaces of cuBLAS and bitsandbytes. Its context is there when
# the free memory is read. A CPU process has its libraries loaded already.
OVERHEAD = {"cuda": 300e6, "cpu": 100e6}
# Holes between tensors, as a share of what comes and goes with each batch. Assumed: batches differ in length, and
# expandable segments (train.gpu) leave few holes.
FRAGMENTATION = {"cuda": 0.2, "cpu": 0.0}


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a decoder with gated feed-forward layers (Llama, Qwen, Mistral, SmolLM, Gemma), by ``config.json``.

    ``norms`` is how many norms of the hidden size a block has; ``head_norms`` whether queries and keys have their own.
    """

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool
    norms: int = 2
    head_norms: bool = False

    @property
    def cache(self) -> int:
        """The figures that generation keeps of a token: keys and values of all blocks."""
        return 2 * self.layers * self.kv_heads * self.head_dim

    @property
    def linears(self) -> dict[str, tuple[int, int]]:
        """The linear layers of one block: inputs and outputs."""
        q, kv = self.heads * self.head_dim, self.kv_heads * self.head_dim
        return {
            "q_proj": (self.hidden, q),
            "k_proj": (self.hidden, kv),
            "v_proj": (self.hidden, kv),
            "o_proj": (q, self.hidden),
            "gate_proj": (self.hidden, self.intermediate),
            "up_proj": (self.hidden, self.intermediate),
            "down_proj": (self.intermediate, self.hidden),
        }

    @property
    def linear_parameters(self) -> int:
        """Parameters of the linear layers in all blocks, which NF4 quantises."""
        return self.layers * sum(i * o for i, o in self.linears.values())

    @property
    def embedding_parameters(self) -> int:
        """Parameters of the embeddings, and of the output layer unless it is tied to them."""
        return self.vocabulary * self.hidden * (1 if self.tied else 2)


def shape_of(config: Any) -> Shape | None:
    """Read a transformers configuration. Returns None for a model of another shape, or with experts."""
    config = config.get_text_config()  # of a model that also sees pictures
    if any(getattr(config, name, None) for name in ("num_experts", "num_local_experts", "n_routed_experts")):
        return None
    family = config.model_type
    try:
        return Shape(
            layers=config.num_hidden_layers,
            hidden=config.hidden_size,
            intermediate=config.intermediate_size,
            heads=config.num_attention_heads,
            kv_heads=config.num_key_value_heads,
            head_dim=getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads,
            vocabulary=config.vocab_size,
            tied=config.tie_word_embeddings,
            norms=4 if family.startswith(("gemma2", "gemma3", "gemma4")) else 2,
            head_norms=family.startswith(("gemma3", "gemma4", "qwen3")),
        )
    except AttributeError:
        return None


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes at the peak of a step, by purpose. ``fragmentation`` are the holes between tensors."""

    weights: float
    adapters: float
    optimizer: float
    activations: float
    logits: float
    fragmentation: float
    overhead: float

    @property
    def total(self) -> float:
        """The sum of all parts."""
        return float(sum(getattr(self, f.name) for f in fields(self)))

    def __str__(self) -> str:
        parts = ", ".join(f"{f.name} {getattr(self, f.name) / 1e9:.2f}" for f in fields(self))
        return f"{self.total / 1e9:.1f} GB ({parts})"


def adapter_parameters(shape: Shape, recipe: Recipe) -> int:
    """Return the number of parameters of the recipe's LoRA matrices."""
    return recipe.adapted_layers(shape.layers) * sum(
        recipe.lora_rank * (i + o) for i, o in _adapted(shape, recipe).values()
    )


def estimate(shape: Shape, recipe: Recipe, tokens: int, counted: int, device: str, chunk_bytes: int) -> Estimate:
    """Estimate the peak of a (resolved) recipe for a batch of ``tokens``, of which ``counted`` are in the loss.

    ``chunk_bytes`` is the size of the fp32 logits that are made at once, see train.model.loss.
    """
    width = BYTES[recipe.precision]
    linear: float = width
    passed = passed_on(recipe)
    if recipe.quantization == "nf4":
        linear = 0.5 + (1 / 64 + 4 / (64 * 256) if recipe.double_quant else 4 / 64)
    adapters = adapter_parameters(shape, recipe)
    kept = saved_by_layer(shape, recipe)
    blocks = recipe.adapted_layers(shape.layers)  # autograd keeps nothing of the blocks below
    # Checkpointing keeps the input of each block, and one whole block while it is recomputed.
    by_token = blocks * shape.hidden * passed + kept if recipe.checkpointing else blocks * kept
    unpacked = max(i * o for i, o in shape.linears.values()) * width if recipe.quantization == "nf4" else 0
    at_once = min(counted, max(1, chunk_bytes // (4 * shape.vocabulary)))
    activations = tokens * by_token + unpacked
    # As the head returns them, in fp32, and their log-softmax, which becomes their gradient.
    logits = at_once * shape.vocabulary * (passed + 2 * 4) + counted * shape.hidden * passed
    return Estimate(
        weights=shape.linear_parameters * linear + shape.embedding_parameters * passed,
        adapters=adapters * 2 * 4,  # fp32, and the same again for their gradients
        optimizer=adapters * MOMENTS[recipe.optimizer],
        activations=activations,
        logits=logits,
        fragmentation=FRAGMENTATION[device] * (activations + logits),
        overhead=OVERHEAD[device],
    )


def passed_on(recipe: Recipe) -> int:
    """Return the bytes of a figure that passes from layer to layer, see train.model.load."""
    return 4 if recipe.quantization == "nf4" and recipe.precision == "fp16" else BYTES[recipe.precision]


def answering_bytes(shape: Shape, recipe: Recipe, prompts: int, tokens: int, step: Estimate, device: str) -> float:
    """Return the bytes at the peak of generation after a training: ``prompts`` at once, each with ``tokens`` tokens.

    Weights, adapter and optimiser of the training are still there; the cache of keys and values is new.
    """
    held = step.weights + step.adapters + step.optimizer + step.overhead
    width = passed_on(recipe)
    cache = prompts * tokens * shape.cache * width
    # Reading the prompts computes each layer for all tokens, one layer after another.
    reading = prompts * tokens * (4 * shape.hidden + 2 * shape.intermediate) * width
    return held + (cache + reading) * (1 + FRAGMENTATION[device]) + prompts * shape.vocabulary * (width + 4)


def saved_by_layer(shape: Shape, recipe: Recipe) -> float:
    """Return the bytes that autograd keeps of one block for each token.

    For frozen layers autograd keeps only the inputs of activation functions, products, norms and attention. For an
    adapter it keeps the input, as a copy of its own where the precision differs from the adapter's.
    """
    width = BYTES[recipe.precision]
    q, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    h, wide = shape.hidden, shape.intermediate
    norms = shape.norms * 4 * h + (4 * (q + kv) if shape.head_norms else 0)
    # Queries, the output of attention, keys and values; the last two repeated for each query head that shares them.
    attention = width * (2 * q + 2 * (q if kv < q else kv))
    mlp = width * 3 * wide  # gate, silu(gate), up
    adapted = _adapted(shape, recipe)
    inputs = {"q_proj": "attn", "k_proj": "attn", "v_proj": "attn", "gate_proj": "mlp", "up_proj": "mlp"}
    if width == 4 and not recipe.lora_dropout:
        shared = {inputs.get(name, name): i for name, (i, _) in adapted.items()}
        # The input of o_proj is the output of attention, which is already counted.
        lora = 4.0 * sum(i for name, i in shared.items() if name != "o_proj")
    else:
        each = width + (4 + 1 if recipe.lora_dropout else 0)  # the cast input, the dropout mask and its input
        lora = sum(each * i for i, _ in adapted.values())
    lora += len(adapted) * recipe.lora_rank * width
    return norms + attention + mlp + lora


def what_would_fit(
    shape: Shape, recipe: Recipe, tokens: int, counted: int, device: str, chunk_bytes: int, free: float
) -> str:
    """Name the smallest change to the recipe whose estimate fits into ``free`` bytes, or report that none does."""
    changes: list[tuple[str, dict[str, Any], int]] = []
    if not recipe.checkpointing:
        changes.append(("`checkpointing = true`", {"checkpointing": True}, 1))
    size = recipe.batch_size
    while size > 1:
        size //= 2
        parts = recipe.batch_size // size
        what = f"`batch_size = {size}` with `gradient_accumulation = {recipe.gradient_accumulation * parts}`"
        changes.append((what, {"batch_size": size}, parts))
        changes.append((f"{what} and `checkpointing = true`", {"batch_size": size, "checkpointing": True}, parts))
    for what, change, parts in changes:
        smaller = estimate(
            shape, recipe.model_copy(update=change), tokens // parts, counted // parts, device, chunk_bytes
        )
        if smaller.total <= free:
            return f"{what} would fit ({smaller.total / 1e9:.1f} GB)"
    return "no batch is small enough; choose a smaller base model or a smaller `max_length`"


def _adapted(shape: Shape, recipe: Recipe) -> dict[str, tuple[int, int]]:
    if recipe.lora_targets == "all-linear":
        return shape.linears
    return {name: size for name, size in shape.linears.items() if name in recipe.lora_targets}
