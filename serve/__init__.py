"""The served character: a chat page and an API over a trained run.

Nothing heavy is imported here, so that ``inosuke --help`` stays quick.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Return the Flask application; :mod:`serve.http.app` lists the keys that ``config`` knows.

    Loads the newest run under ``models/`` unless told otherwise. Raises InosukeError when it cannot be served.
    """
    from serve.http.app import build

    return build(config or {})
