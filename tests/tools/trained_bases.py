"""What ``metrics.json`` of a run says of its base, for a few bases of the table."""

from __future__ import annotations

from typing import Any

QWEN: dict[str, Any] = {
    "name": "Qwen/Qwen2.5-3B-Instruct",
    "path": "Qwen/Qwen2.5-3B-Instruct",
    "sha256": None,
    "source": "hub",
}
GEMMA: dict[str, Any] = {
    "name": "gemma-3-270m",
    "path": "models/base/gemma-3-270m-vi-en",
    "sha256": "ab",
    "source": "embedded",
    "vocabulary": "c",
}
