"""Scores replies with a base's GGUF file and an adapter over it, by the server that serves them (xllamacpp).

cyllama, which scores whole models (:mod:`train.gguf.llamacpp`), cannot lay an adapter over one. The server tells the
probability of the token that it says; so it is made to say each token of a reply, one request a token. In: GGUF files
and encoded rows. Out: :class:`~train.model.scoring.Score` s. Knows nothing of runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from curation.contracts.llamacpp_server import parameters
from curation.errors import InosukeError
from train.data.dialogues import Encoded
from train.model.scoring import Score

_LIKELIEST = (40, 2000, 10_000_000)  # the last one is the whole vocabulary
_FORCED = 1000.0  # a bias with which a token is certain; the probability that is told is the one without it


def score(
    base: Path,
    adapter: Path,
    rows: Sequence[Encoded],
    end_ids: Iterable[int],
    letter: int,
    after_row: Callable[[int], object] = lambda rows_done: None,
) -> list[Score]:
    """Score the replies of each row, as :func:`train.gguf.llamacpp.score` does for a whole model.

    ``letter`` is the token of a plain letter. Raises InosukeError when the files cannot be loaded, or do not belong
    together.
    """
    ends = set(end_ids)
    server = _start(base, adapter, max(len(row.input_ids) for row in rows) + 8)
    scores: dict[int, Score] = {}
    # In the order of their ids, rows with a common beginning follow each other.
    for number in sorted(range(len(rows)), key=lambda n: rows[n].input_ids):
        row = rows[number]
        counted = [i for i in range(1, len(row.input_ids)) if row.loss_mask[i]]
        losses = [(row.input_ids[i], _loss(server, row.input_ids[:i], row.input_ids[i], letter)) for i in counted]
        end = [loss for token, loss in losses if token in ends]
        scores[number] = Score(math.fsum(x for _, x in losses), math.fsum(end), len(losses), row.chars, len(end))
        after_row(1)
    return [scores[number] for number in range(len(rows))]


def _loss(server: Any, prompt: list[int], token: int, letter: int) -> float:
    """Return the negative log-likelihood of a token after a prompt."""
    # Nothing is told of a token without a whole letter (a byte, the end of a turn). Such a one is looked up among the
    # likeliest, then among more of them, while a plain letter is said.
    for said, likeliest in ((token, 1), *((letter, number) for number in _LIKELIEST)):
        for told in _told(server, prompt, said, likeliest):
            found = next((entry for entry in (told, *told["top_logprobs"]) if entry["id"] == token), None)
            if found:
                return -float(found["logprob"])
    raise InosukeError("llama.cpp did not tell how likely a token is. Serve this run's own GGUF files.")


def _told(server: Any, prompt: list[int], said: int, likeliest: int) -> list[dict[str, Any]]:
    chunks: list[dict[str, Any]] = []
    server.handle_completions(
        {
            "prompt": prompt,
            "max_tokens": 1,
            "logprobs": likeliest,
            "logit_bias": [[said, _FORCED]],
            "temperature": 0,
            "samplers": ["temperature"],
            "cache_prompt": True,
            "lora": [{"id": 0, "scale": 1.0}],
            "verbose": True,
        },
        chunks.append,
    )
    for chunk in chunks:
        if "error" in chunk:
            raise InosukeError(f"llama.cpp cannot compute a reply with the adapter ({chunk['error'].get('message')}).")
    return [told for chunk in chunks for told in chunk.get("__verbose", {}).get("completion_probabilities") or ()]


def _start(base: Path, adapter: Path, context: int) -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        raise InosukeError(
            f"xllamacpp, which serves an adapter over a base, cannot be loaded ({error}). Serve this run's own GGUF "
            "files."
        ) from error
    params = parameters(xllamacpp, base, context, [adapter])
    params.n_parallel = 1
    try:
        return xllamacpp.Server(params)
    except RuntimeError:
        raise InosukeError(
            f"{adapter} cannot be loaded over {base} by llama.cpp. Run `inosuke gguf --adapter` again, or serve this "
            "run's own GGUF files."
        ) from None
