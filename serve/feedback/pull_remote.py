"""Fetches feedback from another server, or from a repository on the Hub, into a file of its own.

A Space loses its disk when it restarts, so the file here is the lasting one: lines are only ever added.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from curation.errors import InosukeError, UsageError
from curation.files import write_atomically
from serve.feedback.repository import FeedbackRepository


class Pulled(NamedTuple):
    """The file, how many of its lines are new, how many it has, and how many of those sent are not feedback."""

    path: Path
    new: int
    there: int
    left_out: int


def pull_feedback(url: str, key: str | None, folder: Path, client: httpx.Client | None = None) -> Pulled:
    """Fetch new feedback. Raises InosukeError when that fails, or when nothing that the server sends is feedback."""
    host = urlsplit(url).netloc
    if urlsplit(url).scheme not in ("http", "https") or not host:
        raise UsageError(
            f"{url!r} is not an address; expected one such as https://owner-inosuke.hf.space, or a repository on the "
            "Hub as OWNER/NAME"
        )
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
    return _add(path, _lines(response.text), url)


def pull_repository(repository: FeedbackRepository, folder: Path) -> Pulled:
    """Fetch new feedback that servers pushed to the Hub. Raises InosukeError as :func:`pull_feedback` does."""
    path = folder / (re.sub(r"[^\w.-]", "_", f"hub_{repository.name}") + ".jsonl")
    sent = [line for content in repository.read() for line in _lines(content.decode("utf-8", "replace"))]
    return _add(path, sent, repository.name)


def _add(path: Path, sent: list[str], source: str) -> Pulled:
    """Add lines to a file, but none that is in any file of its folder already."""
    good = [line for line in sent if _is_feedback(line)]
    if sent and not good:
        raise InosukeError(f"{source} sent {sent[0][:60]!r}; expected lines of feedback. Check its address.")
    files = {file: _lines(file.read_text(encoding="utf-8", errors="replace")) for file in path.parent.glob("*.jsonl")}
    before = files.get(path, [])
    known = {line for lines in files.values() for line in lines}
    fresh = [line for line in dict.fromkeys(good) if line not in known]
    if fresh:
        # Of two lines on one reply the later counts, whichever server each came through.
        write_atomically(path, "".join(f"{line}\n" for line in sorted([*before, *fresh], key=_time)))
    return Pulled(path, len(fresh), len(before) + len(fresh), len(sent) - len(good))


def _lines(text: str) -> list[str]:
    # Not str.splitlines, which also cuts at U+2028 and others that JSON allows inside a text.
    return [line for line in text.split("\n") if line.strip()]


def _time(line: str) -> str:
    return str(_row(line).get("time", ""))


def _is_feedback(line: str) -> bool:
    return {"conversation", "turn", "messages"} <= set(_row(line))


def _row(line: str) -> dict[str, Any]:
    """Return the object in a line; an empty one where it is not JSON, or not an object."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return row if isinstance(row, dict) else {}


def _reason(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, LookupError, TypeError):
        return response.text[:200]
