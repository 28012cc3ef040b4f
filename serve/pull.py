"""Fetches feedback from another server into a file of its own. What was fetched before stays, though it be gone there.

A Space forgets its disk when it restarts, so the file here is the lasting one: lines are only ever added.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from curation.errors import InosukeError, UsageError
from curation.files import write_atomically


def pull_feedback(url: str, key: str | None, folder: Path, client: httpx.Client | None = None) -> tuple[Path, int, int]:
    """Return the file, how many lines are new in it, and how many there are. Raises InosukeError when it cannot."""
    host = urlsplit(url).netloc
    if urlsplit(url).scheme not in ("http", "https") or not host:
        raise UsageError(f"{url!r} is not an address; expected one such as https://owner-inosuke.hf.space")
    if not key:
        raise UsageError("no key; expected the server's INOSUKE_FEEDBACK_KEY in --key or in the environment.")
    path = folder / (re.sub(r"[^\w.-]", "_", host) + ".jsonl")
    try:
        with client or httpx.Client(timeout=60, follow_redirects=True) as http:
            response = http.get(f"{url.rstrip('/')}/api/feedback", headers={"Authorization": f"Bearer {key}"})
    except httpx.HTTPError as error:
        raise InosukeError(f"{url} does not answer ({error!r}). Is the server running, is the address right?") from None
    if response.status_code != 200:
        raise InosukeError(f"{url} refused ({response.status_code}): {_reason(response)}")
    before = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    known = set(before)
    fresh = [line for line in dict.fromkeys(response.text.splitlines()) if line.strip() and line not in known]
    for line in fresh:
        _check(line, url)
    if fresh:
        write_atomically(path, "".join(f"{line}\n" for line in [*before, *fresh]))
    return path, len(fresh), len(before) + len(fresh)


def _check(line: str, url: str) -> None:
    try:
        good = {"conversation", "turn", "messages"} <= set(json.loads(line))
    except (ValueError, TypeError):
        good = False
    if not good:
        raise InosukeError(f"{url} sent {line[:60]!r}; expected lines of feedback. Is it an inosuke server?")


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return response.text[:200]
