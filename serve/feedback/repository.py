"""A private dataset repository on the Hugging Face Hub that keeps feedback.

In: files as bytes. Out: one commit, or all lines. Knows nothing of when to push (:mod:`serve.feedback.pushing`). The
token is the one of ``huggingface_hub`` (HF_TOKEN, or `hf auth login`), and no message contains it.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from curation.errors import InosukeError, UsageError

_KIND = "dataset"
# What another try may cure: everything else is refused for good, and a server does not start with it.
_FINAL = (400, 401, 403, 404)
_OVERTAKEN = 412
_LONGEST = 3600  # seconds; the Hub asks for minutes


class HubAway(InosukeError):
    """The Hub cannot be reached or is busy. ``retry_after`` is how many seconds it asks to wait, or 0."""

    def __init__(self, message: str, retry_after: float = 0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Overtaken(HubAway):
    """Another server has made a commit since this one looked."""


class FeedbackRepository:
    """The repository ``OWNER/NAME``; ``api`` is an ``HfApi``. Raises UsageError for another name, or with no token."""

    def __init__(self, name: str, api: Any = None) -> None:
        from huggingface_hub import HfApi, get_token
        from huggingface_hub.errors import HFValidationError
        from huggingface_hub.utils._validators import validate_repo_id

        try:
            validate_repo_id(name)
            if name.count("/") != 1:
                raise HFValidationError("it does not name an owner")
        except HFValidationError as error:
            raise UsageError(
                f"{name!r} is not a repository for feedback ({error}). Expected OWNER/NAME, such as me/feedback."
            ) from None
        self.name = name
        token = str(api.token) if api else get_token()
        if not token:
            raise UsageError(
                f"there is no token for {name}. Expected one in HF_TOKEN (in a Space, a secret of this name) or from "
                "`hf auth login`. Make one at https://huggingface.co/settings/tokens."
            )
        self._token = token
        self._api: Any = api or HfApi(token=token)

    def sign_in(self) -> None:
        """Raise InosukeError if the token is not valid or may not write at all."""
        with self._explained("sign in"):
            account = self._api.whoami()
        if account.get("auth", {}).get("accessToken", {}).get("role") == "read":
            raise InosukeError(
                f"the token of {account['name']} may only read; expected one with the right to write to {self.name}. "
                "Make one at https://huggingface.co/settings/tokens."
            )

    def newest(self, *, create: bool) -> str:
        """Return the newest commit; with ``create``, of a repository that is made if it does not exist.

        Raises InosukeError where the repository is public: feedback is private.
        """
        from huggingface_hub.errors import RepositoryNotFoundError

        with self._explained("look at it"):
            try:
                found = self._api.repo_info(self.name, repo_type=_KIND)
            except RepositoryNotFoundError:
                if not create:
                    raise
                self._api.create_repo(self.name, repo_type=_KIND, private=True, exist_ok=True)
                found = self._api.repo_info(self.name, repo_type=_KIND)
        if not found.private:
            raise InosukeError(
                f"{self.name} is public, and feedback is private. Make it private in its settings on the Hub, or name "
                "another repository, which is created if it does not exist."
            )
        return str(found.sha)

    def continues(self, files: Mapping[str, bytes], commit: str) -> bool:
        """Return whether each file begins with what the repository has at its path, so that replacing it loses nothing.

        ``files`` is path → content.
        """
        with self._explained("list its files"):
            there = self._api.get_paths_info(self.name, list(files), repo_type=_KIND, revision=commit)
        return all(_hash(files[f.path][: f.size], f.lfs) == (f.lfs.sha256 if f.lfs else f.blob_id) for f in there)

    def commit(self, files: Mapping[str, bytes], title: str, parent: str) -> None:
        """Send files in one commit on ``parent``. Raises Overtaken if that is not the newest commit any more."""
        from huggingface_hub import CommitOperationAdd
        from huggingface_hub.utils.tqdm import disable_progress_bars

        operations = [CommitOperationAdd(path, data) for path, data in sorted(files.items())]
        with self._explained("write to it"), disable_progress_bars():
            self._api.create_commit(self.name, operations, commit_message=title, repo_type=_KIND, parent_commit=parent)

    def read(self) -> list[bytes]:
        """Return the content of all its files of feedback, in the order of their names."""
        commit = self.newest(create=False)
        # A folder of its own: nothing private stays in the library's cache.
        with tempfile.TemporaryDirectory(prefix="inosuke-feedback-") as name, self._explained("read it"):
            self._api.snapshot_download(
                self.name, repo_type=_KIND, revision=commit, allow_patterns="*.jsonl", local_dir=name
            )
            return [path.read_bytes() for path in sorted(Path(name).rglob("*.jsonl"))]

    def hidden(self, text: str) -> str:
        """Return a text without the token in it."""
        return text.replace(self._token, "<token>")

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        """Turn what the library raises into an error message without the token."""
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError

        try:
            yield
        except HfHubHTTPError as error:
            status = error.response.status_code
            said = self.hidden(str(error.server_message or error).partition("\n")[0]).rstrip(".")
            message = f"{self.name}: could not {doing}: the Hub answered {status} ({said})."
            if status in _FINAL:
                raise InosukeError(f"{message} Check the name, and that the token may write there.") from None
            if status == _OVERTAKEN:
                raise Overtaken(message) from None
            after = error.response.headers.get("Retry-After", "")
            raise HubAway(message, min(float(after), _LONGEST) if after.isdecimal() else 0) from None
        except (httpx2.HTTPError, OSError) as error:
            said = self.hidden(str(error).partition("\n")[0]).rstrip(".")
            raise HubAway(f"{self.name}: could not {doing}: {type(error).__name__} ({said}).") from None


def _hash(data: bytes, large: Any) -> str:
    """Return the hash that the Hub lists: SHA-256 of a large file, git's SHA-1 of another."""
    if large:
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()
