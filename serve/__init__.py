"""Serves the character: a chat page and an API over a trained run.

In: ``models/<run>`` and requests. Out: replies. The modules directly here are shared by all folders. May import the
modules directly in ``curation/``. Nothing heavy is imported here, so that ``inosuke --help`` stays quick.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flask import Flask


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Return the Flask application; :mod:`serve.http.app` lists the settings of ``config``.

    Serves the newest run under ``models/`` by default. Raises InosukeError when there is nothing to serve.
    """
    from serve.config import NAMES, read_config
    from serve.http.several import build

    given = config or {}
    return build(read_config(given), {key: value for key, value in given.items() if key not in NAMES})
