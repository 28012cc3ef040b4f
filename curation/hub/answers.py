"""What the Hub answered, in words: the cause, its own sentence, and what to do next.

Pure: errors of ``huggingface_hub`` in, text out. The caller removes the token.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

LATER = "What was published before is unchanged. Run the command again: files that arrived are not sent twice."

_TOKEN_VARIABLES = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
_NO_ROOM = re.compile(r"\b(storage|quota|disk|billing|payment|exceeded|too (?:big|large))\b", re.IGNORECASE)


def explain(error: BaseException, repo: str) -> str:
    """Return what went wrong in one or two sentences, with the Hub's own words where it gave any."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set. Unset it to publish."
    if isinstance(error, HfHubHTTPError):
        return _of_status(error, repo)
    if isinstance(error, httpx2.HTTPError):
        return f"the connection broke ({type(error).__name__}). {LATER}"
    return str(error).strip()


def cause(error: BaseException) -> BaseException | None:
    """Return the answer of the Hub, or the broken connection, that an error of the library was raised from."""
    import httpx2
    from huggingface_hub.errors import OfflineModeIsEnabled

    return next((e for e in _chain(error) if isinstance(e, httpx2.HTTPError | OfflineModeIsEnabled)), None)


def seconds_to_wait(error: BaseException) -> int | None:
    """Return after how many seconds the Hub wants to be asked again, or None if it did not say or is not too busy."""
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils._http import parse_ratelimit_headers

    answer = cause(error)
    if not isinstance(answer, HfHubHTTPError) or answer.response.status_code != 429:
        return None
    headers = answer.response.headers
    if (after := str(headers.get("Retry-After", "")).strip()).isdigit():
        return int(after)
    if after:
        try:
            when = parsedate_to_datetime(after)
        except ValueError:
            return None
        return max(0, round((when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds()))
    limit = parse_ratelimit_headers(headers)
    return limit.reset_in_seconds if limit and not limit.remaining else None


def _of_status(error: Any, repo: str) -> str:
    status, said = error.response.status_code, _said(error)
    if status == 401:
        return _not_accepted(error, said)
    if status == 403 and _NO_ROOM.search(said):
        return (
            f"the Hub has no room for it: {_sentence(said)} Free some storage, or enlarge it "
            "(https://huggingface.co/settings/billing), then publish again. What was published before is unchanged."
        )
    if status == 429:
        seconds = seconds_to_wait(error)
        wait = f"Wait {_time(seconds)}, then run the command again." if seconds is not None else "Wait some minutes."
        own = f" {_sentence(said)}" if error.server_message or said != _nothing(status) else ""
        return f"the Hub received too many requests.{own} {wait} What was published before is unchanged."
    text = _STATUS.get(status, "the Hub answered: {said}. {later}")
    return text.format(repo=repo, said=said.rstrip("."), later=LATER)


def _not_accepted(error: Any, said: str) -> str:
    """Explain a 401. A token in the environment hides the one from `hf auth login`, so a new login would not help."""
    own = str(error.args[0]) if error.args else ""
    words = re.sub(r"\s+", " ", own).strip() if "takes precedence" in own else said
    variable = next((name for name in _TOKEN_VARIABLES if os.environ.get(name)), None)
    if variable:
        do = (
            f"It comes from {variable}, which takes precedence over `hf auth login`. Put a valid one into {variable}, "
            f"or unset {variable} and run `hf auth login`"
        )
    else:
        do = "Run `hf auth login` with a new one"
    return f"the Hub does not accept the token. {do}. (The Hub answered: {words.rstrip('.')})"


def _said(error: Any) -> str:
    """Return the Hub's own sentence. The library drops it from some of its errors; the answer still has it."""
    said = (error.server_message or error.response.headers.get("X-Error-Message") or "").strip()
    if not said:
        try:
            body = error.response.json()
        except (ValueError, RuntimeError):  # not JSON, or a stream that was not read
            body = None
        said = str(body.get("error") or "").strip() if isinstance(body, dict) else ""
    return re.sub(r"\s+", " ", said) or _nothing(error.response.status_code)


def _nothing(status: int) -> str:
    return f"HTTP status {status}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _time(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} seconds"
    minutes = -(-seconds // 60)
    return f"{minutes} minutes" if minutes < 120 else f"{-(-minutes // 60)} hours"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


_STATUS = {
    400: "the Hub refused it: {said}.",
    403: "the token has no right to write to {repo}. Before the slash, expected your own name or that of an "
    "organisation that you may write for. (The Hub answered: {said})",
    404: "the Hub does not know this repository, or the token may not see it. (The Hub answered: {said})",
    409: "it already exists. Choose another name. (The Hub answered: {said})",
    412: "another commit was made during the upload. Look at it, then run the command again.",
    413: "the Hub finds it too large: {said}.",
}
