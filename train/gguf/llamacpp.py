"""llama.cpp in this process, through cyllama: writes smaller GGUF files and scores replies with them.

In: GGUF files and encoded rows. Out: files and :class:`~train.model.scoring.Score` s. Knows nothing of runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from curation.contracts.llamacpp_server import cores
from curation.errors import InosukeError
from train.data.dialogues import Encoded
from train.model.scoring import Score

# The values of llama.h's enum llama_ftype, smallest file first.
TYPES = {"Q4_0": 2, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_S": 16, "Q5_K_M": 17, "Q6_K": 18, "Q8_0": 7, "F16": 1}
TYPE_ORDER = tuple(TYPES)
UBATCH = 512


def quantize(source: Path, out: Path, kind: str) -> None:
    """Write ``source`` (16 bits) as ``out`` in one of :data:`TYPES`. Raises InosukeError when llama.cpp cannot."""
    llama = _llama()
    wanted = llama.LlamaModelQuantizeParams()
    wanted.ftype = TYPES[kind]
    wanted.nthread = cores()
    try:
        llama.model_quantize(str(source), str(out), wanted)
    except (RuntimeError, ValueError, OSError) as error:
        out.unlink(missing_ok=True)
        raise InosukeError(
            f"{source}: cannot be written as {kind} ({error}). Check that the disk has room, or choose another --type."
        ) from error


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
    wanted.n_threads = wanted.n_threads_batch = cores()
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
