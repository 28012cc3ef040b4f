"""Fetches feedback from another server into a file of its own. Lines that were fetched before are kept.

A Space loses its disk when it restarts, so the file here is the lasting one: lines are only ever added.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from curation.errors import InosukeError, UsageError
from curation.files import write_atomically


class Pulled(NamedTuple):
    """The file, how many of its lines are new, how many it has, and how many the server sent that are not feedback."""

    path: Path
    new: int
    there: int
    left_out: int


def pull_feedback(url: str, key: str | None, folder: Path, client: httpx.Client | None = None) -> Pulled:
    """Fetch new feedback. Raises InosukeError when that fails, or when nothing that the server sends is feedback."""
    host = urlsplit(url).netloc
    if urlsplit(url).scheme not in ("http", "https") or not host:
        raise UsageError(f"{url!r} is not an address; expected one such as https://owner-inosuke.hf.space")
    if not key:
        raise UsageError("no key was given. Pass the server's feedback key with --key or in INOSUKE_FEEDBACK_KEY.")
    path = folder / (re.sub(r"[^\w.-]", "_", host) + ".jsonl")
    try:
        with client or httpx.Client(timeout=60, follow_redirects=True) as http:
            response = http.get(f"{url.rstrip('/')}/api/feedback", headers={"Authorization": f"Bearer {key}"})
    except httpx.HTTPError as error:
        raise InosukeError(f"{url} does not answer ({error!r}). Check that the server runs, and its address.") from None
    if response.status_code != 200:
        raise InosukeError(f"{url} refused the request ({response.status_code}): {_reason(response)}")
    before = _lines(path.read_text(encoding="utf-8")) if path.is_file() else []
    sent = _lines(response.text)
    good = [line for line in sent if _is_feedback(line)]
    if sent and not good:
        raise InosukeError(f"{url} sent {sent[0][:60]!r}; expected lines of feedback. Check its address.")
    known = set(before)
    fresh = [line for line in dict.fromkeys(good) if line not in known]
    if fresh:
        write_atomically(path, "".join(f"{line}\n" for line in [*before, *fresh]))
    return Pulled(path, len(fresh), len(before) + len(fresh), len(sent) - len(good))


def _lines(text: str) -> list[str]:
    # Not str.splitlines, which also cuts at U+2028 and others that JSON allows inside a text.
    return [line for line in text.split("\n") if line.strip()]


def _is_feedback(line: str) -> bool:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(row, dict) and {"conversation", "turn", "messages"} <= set(row)


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return response.text[:200]
