"""The connection to a Label Studio server: its address, the token, and its error messages. Knows nothing of tasks.

The token is read from the environment or from a private file and given to the SDK. No message, log line or
command-line argument contains it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from curation.errors import InosukeError, UsageError

if TYPE_CHECKING:
    from label_studio_sdk import LabelStudio
    from label_studio_sdk.core.request_options import RequestOptions

URL_VARIABLE = "LABEL_STUDIO_URL"
KEY_VARIABLE = "LABEL_STUDIO_API_KEY"
FILE_VARIABLE = "LABEL_STUDIO_API_KEY_FILE"

# For requests that must not be sent twice: after a cut connection or a 5xx the SDK repeats any request, even an import.
ONCE: RequestOptions = {"max_retries": 0, "timeout_in_seconds": 300}

_SHOWN_CHARACTERS = 300


class LabelStudioError(InosukeError):
    """The server cannot be used, or refused a request. ``status`` is the HTTP status of its response, if any."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Server:
    """The server's address and the token for it; ``repr`` leaves the token out."""

    url: str
    token: str = field(repr=False)


def from_environment(environment: Mapping[str, str] = os.environ) -> Server:
    """Read the server's address and token. Raises UsageError, naming the variable to set."""
    url = environment.get(URL_VARIABLE, "").strip()
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        seen = "is not set" if not url else "is not an http(s) address"
        raise UsageError(f"{URL_VARIABLE} {seen}. Expected the server's address, as in https://labels.example.org.")
    if parts.username or parts.password:
        raise UsageError(f"{URL_VARIABLE} holds a user or password. Leave them out; the token is enough.")
    token = environment.get(KEY_VARIABLE, "").strip()
    if not token and (file := environment.get(FILE_VARIABLE, "").strip()):
        token = _read_token(Path(file).expanduser())
    if not token:
        raise UsageError(
            f"neither {KEY_VARIABLE} nor {FILE_VARIABLE} gives a token. Copy one from the server's page "
            f"Account & Settings, and export it or save it to a file with mode 0600 that {FILE_VARIABLE} names."
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise UsageError(f"the token for {URL_VARIABLE} has characters that no token has. Copy it again.")
    # It ends with a slash: without one, the SDK's refresh of a personal token drops the last part of a subpath.
    return Server(url.rstrip("/") + "/", token)


def _read_token(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise UsageError(
                f"{path}: mode {stat.S_IMODE(mode):04o} lets others on this machine read the token. "
                f"Expected 0600: chmod 600 {path}"
            )
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the token cannot be read ({type(error).__name__}). Check {FILE_VARIABLE}.") from None


def connect(server: Server) -> LabelStudio:
    """Return a client after one successful request. Raises LabelStudioError where the server or the token is wrong."""
    import httpx
    from label_studio_sdk import LabelStudio

    with explained(server):
        client = LabelStudio(  # type: ignore[no-untyped-call]
            base_url=server.url,
            api_key=server.token,
            # A redirect would turn a POST into a GET: report it instead of following it. TLS is verified.
            httpx_client=httpx.Client(timeout=60, follow_redirects=False),
        )
        client.users.whoami()
    return client


@contextmanager
def explained(server: Server) -> Iterator[None]:
    """Turn the SDK's errors into LabelStudioError: what happened and what to do, without the token."""
    import httpx
    from label_studio_sdk.core.api_error import ApiError
    from label_studio_sdk.core.parse_error import ParsingError

    try:
        yield
    except ApiError as error:
        raise LabelStudioError(_message(server, error.status_code, error.body), error.status_code) from None
    except httpx.TimeoutException:
        raise LabelStudioError(
            f"{server.url} has not answered in time. Nothing is lost: run the command again, it continues."
        ) from None
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise LabelStudioError(
            f"{server.url} cannot be reached ({_clean(server, str(error))}). Check {URL_VARIABLE} and that the server "
            "runs, then run the command again: it continues where it was."
        ) from None
    except (ParsingError, ValueError) as error:
        raise LabelStudioError(
            f"{server.url} gave an answer that is not Label Studio's ({_clean(server, str(error))}). "
            f"Check that {URL_VARIABLE} is the server's own address."
        ) from None


_ADVICE = {
    HTTPStatus.UNAUTHORIZED: (
        "The token is wrong or has expired: copy a new one from the server's page Account & Settings. "
        "(A legacy token works only where the server allows legacy tokens.)"
    ),
    HTTPStatus.FORBIDDEN: "The token's owner may not do this: use another account, or have its role changed.",
    HTTPStatus.NOT_FOUND: f"Check {URL_VARIABLE}, with its subpath if there is one, and the project's name.",
    HTTPStatus.TOO_MANY_REQUESTS: "It is busy: run the command again later, it continues where it was.",
}


def _message(server: Server, status: int | None, body: object) -> str:
    said = _clean(server, _detail(body))
    if status is None:
        return f"{server.url}: {said}"
    if 300 <= status < 400:
        return f"{server.url} redirects elsewhere (status {status}). Set {URL_VARIABLE} to the address it redirects to."
    if status < 300:
        return f"{server.url} answered {said}, which is not Label Studio's API. Check {URL_VARIABLE}."
    advice = _ADVICE.get(HTTPStatus(status)) if status in HTTPStatus._value2member_map_ else None
    if advice is None:
        advice = (
            "The server has failed: look at its log, then run the command again; it continues where it was."
            if status >= 500
            else "Nothing was changed by this request."
        )
    return f"{server.url} answered with status {status}: {said}. {advice}"


def _detail(body: object) -> str:
    """Return the text of an error's body: the fields of Django REST framework, or just "a page of HTML"."""
    if isinstance(body, Mapping):
        parts = [body.get("detail"), body.get("validation_errors")]
        return "; ".join(str(p) for p in parts if p) or str(dict(body))
    text = str(body).strip()
    if "<html" in text[:1000].lower() or text.lower().startswith("<!doctype"):
        return "a page of HTML"
    return text or "nothing"


def _clean(server: Server, text: str) -> str:
    text = " ".join(text.replace(server.token, "…").split())
    return (text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…").rstrip(".")
