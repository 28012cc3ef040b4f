"""How much memory a training takes, from the shape of the base, the recipe and the largest batch. Sums, no torch.

Counted are: weights (NF4: half a byte, and a scale for 64 of them), adapters with their gradients, the optimiser's
moments, the activations that autograd keeps, logits with what cross-entropy makes of them, and one unpacked weight of a
linear layer. tests/train/loop/test_memory_estimate.py compares the activations with what torch keeps.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from train.recipe import Recipe

BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
MOMENTS = {"adamw_torch": 8, "adamw_torch_fused": 8, "paged_adamw_32bit": 8, "paged_adamw_8bit": 2.03}
# A CUDA context with its libraries and its allocator's waste. A CPU process has its libraries loaded already.
OVERHEAD = {"cuda": 600e6, "cpu": 100e6}


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a Llama-shaped model (Llama, Qwen2, Mistral, SmolLM2), as its ``config.json`` names them."""

    layers: int
    hidden: int
    intermediate: int
    heads: int
    kv_heads: int
    head_dim: int
    vocabulary: int
    tied: bool

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
    """Read a transformers configuration. Returns None for a model that is not shaped like Llama."""
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
        )
    except AttributeError:
        return None


@dataclass(frozen=True, slots=True)
class Estimate:
    """Bytes at the peak of a step, by purpose."""

    weights: float
    adapters: float
    optimizer: float
    activations: float
    logits: float
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
    if recipe.quantization == "nf4":
        linear = 0.5 + (1 / 64 + 4 / (64 * 256) if recipe.double_quant else 4 / 64)
    adapters = adapter_parameters(shape, recipe)
    kept = saved_by_layer(shape, recipe)
    blocks = recipe.adapted_layers(shape.layers)  # autograd keeps nothing of the blocks below
    # Checkpointing keeps the input of each block, and one whole block while it is recomputed.
    by_token = blocks * shape.hidden * width + kept if recipe.checkpointing else blocks * kept
    unpacked = max(i * o for i, o in shape.linears.values()) * width if recipe.quantization == "nf4" else 0
    at_once = min(counted, max(1, chunk_bytes // (4 * shape.vocabulary)))
    return Estimate(
        weights=shape.linear_parameters * linear + shape.embedding_parameters * width,
        adapters=adapters * 2 * 4,  # fp32, and the same again for their gradients
        optimizer=adapters * MOMENTS[recipe.optimizer],
        activations=tokens * by_token + unpacked,
        # As the head returns them, in fp32, and their log-softmax, which becomes their gradient.
        logits=at_once * shape.vocabulary * (width + 2 * 4) + counted * shape.hidden * width,
        overhead=OVERHEAD[device],
    )


def saved_by_layer(shape: Shape, recipe: Recipe) -> float:
    """Return the bytes that autograd keeps of one block for each token.

    For frozen layers autograd keeps only the inputs of activation functions, products, norms and attention. For an
    adapter it keeps the input, as a copy of its own where the precision differs from the adapter's.
    """
    width = BYTES[recipe.precision]
    q, kv = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    h, wide = shape.hidden, shape.intermediate
    norms = 2 * 4 * h
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
