"""llama.cpp in this process, through cyllama: writes smaller GGUF files and scores replies with them.

In: GGUF files and encoded rows. Out: files and :class:`~train.model.scoring.Score` s. Knows nothing of runs.
"""

from __future__ import annotations

import ctypes
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType
from numpy.typing import NDArray

from curation.errors import InosukeError
from train.data.dialogues import Encoded
from train.model.scoring import Score

# The values of llama.h's enum llama_ftype, smallest file first.
TYPES = {"Q4_0": 2, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18, "Q8_0": 7, "F16": 1}
TYPE_ORDER = tuple(TYPES)
UBATCH = 512


class _Importance(ctypes.Structure):
    """llama.h's ``llama_model_imatrix_data``; a list of them ends with one without a name."""

    _fields_ = (("name", ctypes.c_char_p), ("data", ctypes.POINTER(ctypes.c_float)), ("size", ctypes.c_size_t))


class _TensorType(ctypes.Structure):
    """llama.h's ``llama_model_tensor_override``; a list of them ends with one without a pattern."""

    _fields_ = (("pattern", ctypes.c_char_p), ("type", ctypes.c_int32))


class _QuantizeParams(ctypes.Structure):
    """llama.h's ``llama_model_quantize_params``."""

    _fields_ = (
        *((name, ctypes.c_int32) for name in ("nthread", "ftype", "output_tensor_type", "token_embedding_type")),
        *((name, ctypes.c_bool) for name in ("allow_requantize", "quantize_output_tensor", "only_copy", "pure")),
        *((name, ctypes.c_bool) for name in ("keep_split", "dry_run")),
        ("imatrix", ctypes.POINTER(_Importance)),
        ("kv_overrides", ctypes.c_void_p),
        ("tt_overrides", ctypes.POINTER(_TensorType)),
        ("prune_layers", ctypes.c_void_p),
    )


def quantize(
    source: Path,
    out: Path,
    kind: str,
    importance: Mapping[str, NDArray[np.float32]] | None = None,
    tensor_types: Mapping[str, str] | None = None,
) -> None:
    """Write ``source`` (16 bits) as ``out`` in one of :data:`TYPES`.

    ``importance`` maps a tensor's name to the weight of each column (fp32, see train.gguf.importance). ``tensor_types``
    maps a part of a name to the type (``Q8_0``) that such tensors get instead of the usual one. Raises InosukeError
    when llama.cpp cannot, or when there are such hints and :func:`takes_hints` is false.
    """
    llama = _llama()
    wanted = llama.LlamaModelQuantizeParams()
    wanted.ftype = TYPES[kind]
    wanted.nthread = os.cpu_count() or 1
    # Keep references to what the tables point at until llama.cpp has read it.
    weights = {n.encode(): np.ascontiguousarray(w, dtype=np.float32) for n, w in (importance or {}).items()}
    floats = ctypes.POINTER(ctypes.c_float)
    by_name = [_Importance(name, w.ctypes.data_as(floats), w.size) for name, w in weights.items()]
    types = [_TensorType(part.encode(), GGMLQuantizationType[t].value) for part, t in (tensor_types or {}).items()]
    if by_name or types:
        memory = _memory_of(wanted)
        memory.imatrix = (_Importance * (len(by_name) + 1))(*by_name) if by_name else None
        memory.tt_overrides = (_TensorType * (len(types) + 1))(*types) if types else None
    try:
        llama.model_quantize(str(source), str(out), wanted)
    except (RuntimeError, ValueError, OSError) as error:
        out.unlink(missing_ok=True)
        raise InosukeError(
            f"{source}: cannot be written as {kind} ({error}). Check that the disk has room, or choose another --type."
        ) from error


def takes_hints() -> bool:
    """Return whether the installed cyllama can pass hints to llama.cpp, see :func:`quantize`."""
    try:
        _memory_of(_llama().LlamaModelQuantizeParams())
    except InosukeError:
        return False
    return True


def score(
    file: Path,
    rows: Sequence[Encoded],
    end_ids: Iterable[int],
    after_row: Callable[[int], object] = lambda rows_done: None,
) -> list[Score]:
    """Score the replies of each row with the file's own weights and llama.cpp's own arithmetic.

    A common beginning of rows (the system prompt) is computed once. Raises InosukeError when the file cannot be loaded.
    """
    ends = set(end_ids)
    longest = max(len(r.input_ids) for r in rows)
    scores: dict[int, Score] = {}
    with closing(_load(file)) as model, closing(_context(model, longest)) as context:
        held: Sequence[int] = ()
        # In the order of their ids, rows with a common beginning follow each other.
        for number in sorted(range(len(rows)), key=lambda n: rows[n].input_ids):
            row = rows[number]
            shared = _shared(held, row.input_ids, row.loss_mask)
            context.memory_seq_rm(0, shared, -1)
            losses = _losses(context, row, shared)
            held = row.input_ids
            end = [loss for token, loss in losses if token in ends]
            scores[number] = Score(math.fsum(x for _, x in losses), math.fsum(end), len(losses), row.chars, len(end))
            after_row(1)
    return [scores[number] for number in range(len(rows))]


def other_tokens(file: Path, texts: Sequence[str], tokenize: Callable[[str], list[int]]) -> list[str]:
    """Return the texts for which the file's tokenizer gives other ids than ``tokenize``, both as plain text."""
    with closing(_load(file)) as model:
        vocabulary = model.get_vocab()
        return [t for t in texts if t and list(vocabulary.tokenize(t, False, False)) != tokenize(t)]


def made_with() -> str:
    """Return the package and version that writes the files."""
    return f"cyllama=={version('cyllama')}"


def _memory_of(params: Any) -> _QuantizeParams:
    """Return llama.cpp's own struct inside cyllama's object, since cyllama has no setter for its pointer fields.

    Raises InosukeError unless every field of the object is where it is expected.
    """
    # patch: cyllama-hints
    start = type(params).__basicsize__ - ctypes.sizeof(_QuantizeParams)
    if start >= object.__basicsize__:
        memory = _QuantizeParams.from_address(id(params) + start)
        plain = [field[0] for field in _QuantizeParams._fields_ if field[1] in (ctypes.c_int32, ctypes.c_bool)]
        if all(getattr(memory, n) == getattr(params, n) for n in plain) and not memory.imatrix:
            return memory
    raise InosukeError(
        f"{made_with()} has another memory layout than 0.2.18, so it takes no importance matrix. "
        "Install the version in constraints.txt."
    )


def _losses(context: Any, row: Encoded, shared: int) -> list[tuple[int, float]]:
    """Run the tokens of a row from ``shared`` on; return each counted token with its negative log-likelihood."""
    llama = _llama()
    ids, mask = row.input_ids, row.loss_mask
    found: list[tuple[int, float]] = []
    for start in range(shared, len(ids), UBATCH):
        stop = min(start + UBATCH, len(ids))
        # Position i predicts token i + 1.
        counted = [i for i in range(start, stop) if i + 1 < len(ids) and mask[i + 1]]
        with closing(llama.LlamaBatch(n_tokens=stop - start, embd=0, n_seq_max=1)) as batch:
            for i in range(start, stop):
                batch.add(ids[i], i, [0], i in counted)
            try:
                context.decode(batch)
            except (RuntimeError, ValueError) as error:
                raise InosukeError(f"llama.cpp cannot compute row {row.id} ({error}).") from error
        for i in counted:
            logits = np.asarray(context.get_logits_ith(i - start), dtype=np.float64)
            peak = logits.max()
            found.append((ids[i + 1], float(peak + np.log(np.exp(logits - peak).sum()) - logits[ids[i + 1]])))
    return found


def _shared(held: Sequence[int], ids: Sequence[int], mask: Sequence[int]) -> int:
    """Count the tokens that are computed already, but stop before the one that predicts a first counted token."""
    limit = min(next((i for i, m in enumerate(mask) if m), len(ids)) - 1, len(held), len(ids) - 1)
    return next((i for i in range(limit) if held[i] != ids[i]), max(limit, 0))


def _load(file: Path) -> Any:
    llama = _llama()

    class Model(llama.LlamaModel):  # type: ignore[misc, name-defined]
        @property
        def n_vocab(self) -> int:
            """The size of the vocabulary, which cyllama's get_logits_ith reads but its model does not define."""
            # patch: cyllama-n-vocab
            return int(self.get_vocab().n_vocab)

    try:
        return Model(str(file), verbose=False)
    except (ValueError, OSError) as error:
        raise InosukeError(f"{file}: llama.cpp cannot load it ({error}). Make it again with `inosuke gguf`.") from error


def _context(model: Any, longest: int) -> Any:
    llama = _llama()
    wanted = llama.LlamaContextParams()
    wanted.n_ctx = longest + 8
    wanted.n_batch = wanted.n_ubatch = UBATCH
    wanted.n_threads = wanted.n_threads_batch = os.cpu_count() or 1
    return llama.LlamaContext(model, wanted, False)


def _llama() -> Any:
    try:
        from cyllama.llama import llama_cpp
    except ImportError as error:
        raise InosukeError(
            f"cyllama, which contains llama.cpp, cannot be loaded ({error}). It has wheels for Linux and macOS on x86, "
            "macOS on ARM and Windows; elsewhere serve the run without GGUF."
        ) from error
    llama_cpp.disable_logging()
    return llama_cpp
