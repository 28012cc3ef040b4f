"""One repository on the Hugging Face Hub, through ``huggingface_hub``: look at it, list files, read, commit, tag.

The library chooses the endpoint (HF_ENDPOINT). Every failure becomes an InosukeError that names the cause and what to
do next. No message contains the token. Where the Hub asks to wait for a short time, the request is made again.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from curation import console
from curation.errors import InosukeError
from curation.hub import answers

RepoType = Literal["dataset", "model"]
T = TypeVar("T")

_LONGEST_WAIT, _MOST_WAITS = 60, 3  # seconds that the Hub may ask for, and how often, before the command gives up


class HubUnreachable(InosukeError):
    """There is no connection to the Hub, or the user has switched it off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """A repository as it is on the Hub: its newest commit, who sees it, path → hash and size (bytes) of its files.

    A hash is the SHA-256 of a large file and git's SHA-1 of any other.
    """

    commit: str
    private: bool
    gated: bool = False
    files: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)


def check_name(repo: str) -> None:
    """Raise InosukeError for anything that is not ``OWNER/NAME``."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils._validators import validate_repo_id

    try:
        validate_repo_id(repo)
        if repo.count("/") != 1:
            raise HFValidationError("it does not name an owner")
    except HFValidationError as error:
        said = str(error).removesuffix(".").removesuffix(f": '{repo}'").rstrip(".")
        raise InosukeError(
            f"`{repo}` is not a repository name ({said}). Expected OWNER/NAME, such as me/lines."
        ) from None


class Hub:
    """A repository and a token with the right to write to it. Raises InosukeError if there is no token."""

    def __init__(self, repo: str, repo_type: RepoType) -> None:
        from huggingface_hub import HfApi, get_token

        check_name(repo)
        self.repo, self.repo_type = repo, repo_type
        token = get_token()
        if token is None:
            raise InosukeError(
                "no Hugging Face token. Expected one from `hf auth login` or in HF_TOKEN, with the right to write. "
                "Make one at https://huggingface.co/settings/tokens."
            )
        self._token = token
        self.api = HfApi(token=token)

    @property
    def token(self) -> str:
        """The token, for libraries that need it. Never print it."""
        return self._token

    @property
    def url(self) -> str:
        """The web page of the repository."""
        prefix = "datasets/" if self.repo_type == "dataset" else ""
        return f"{self.api.endpoint}/{prefix}{self.repo}"

    def sign_in(self) -> None:
        """Check that the token is valid and may write. Raises InosukeError if not."""
        account = self._ask("sign in", self.api.whoami)
        if account.get("auth", {}).get("accessToken", {}).get("role") == "read":
            raise InosukeError(
                f"the token of {account['name']} can only read. Expected one with the right to write to {self.repo}. "
                "Make one at https://huggingface.co/settings/tokens and run `hf auth login`."
            )

    def look(self) -> Remote | None:
        """Return the repository as it is, or None if there is none of this name.

        Raises InosukeError if it was renamed: the Hub forwards the old name, and creating a repository under it would
        take that away.
        """
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError

        def info() -> Any:
            try:
                return self.api.repo_info(self.repo, repo_type=self.repo_type)
            except GatedRepoError:  # exists, and the token may not see it
                raise
            except RepositoryNotFoundError:
                return None

        found = self._ask("look at the repository", info)
        if found is None:
            return None
        if found.id != self.repo:
            spelt = "is spelt" if found.id.lower() == self.repo.lower() else "is now called"
            raise InosukeError(
                f"{self.repo} {spelt} {found.id} on the Hub, which only forwards the name that you gave. Nothing was "
                f"created or uploaded. Publish to {found.id}."
            )
        commit = str(found.sha)
        entries = self._tree(commit)
        return Remote(
            commit=commit,
            private=bool(found.private),
            gated=bool(getattr(found, "gated", False)),
            files={entry.path: _hash(entry) for entry in entries},
            sizes={entry.path: int(entry.size) for entry in entries},
        )

    def create(self, private: bool) -> Remote:
        """Create the repository and return it. Raises InosukeError without the right to it, or where one exists."""
        self._ask(
            "create the repository",
            lambda: self.api.create_repo(self.repo, repo_type=self.repo_type, private=private, exist_ok=False),
        )
        if (made := self.look()) is None:
            raise InosukeError(f"{self.repo}: was created, but the Hub does not show it. Run the command again.")
        return made

    def files(self, revision: str) -> dict[str, str]:
        """Return path → hash of every file: SHA-256 for large files, git's SHA-1 for the others."""
        return {entry.path: _hash(entry) for entry in self._tree(revision)}

    def _tree(self, revision: str) -> list[Any]:
        from huggingface_hub.hf_api import RepoFile

        def listed() -> list[Any]:
            tree = self.api.list_repo_tree(self.repo, recursive=True, revision=revision, repo_type=self.repo_type)
            return [entry for entry in tree if isinstance(entry, RepoFile)]

        return self._ask("list the files", listed)

    def read(self, path: str, revision: str, folder: Path) -> Path:
        """Download one file to its path below ``folder`` and return it."""

        def download() -> str:
            return str(
                self.api.hf_hub_download(self.repo, path, repo_type=self.repo_type, revision=revision, local_dir=folder)
            )

        return Path(self._ask(f"read {path}", download))

    def tags(self) -> dict[str, str]:
        """Return tag → commit."""
        refs = self._ask("list the tags", lambda: self.api.list_repo_refs(self.repo, repo_type=self.repo_type))
        return {ref.name: ref.target_commit for ref in refs.tags}

    def commit(
        self,
        files: Mapping[str, Path],
        stale: Sequence[str],
        *,
        parent: str,
        title: str,
        description: str,
        quiet: bool,
    ) -> str:
        """Upload ``files`` (path → local file) and delete ``stale`` in one commit on ``parent``. Return its id."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        operations: list[Any] = [CommitOperationAdd(path, str(local)) for path, local in sorted(files.items())]
        operations += [CommitOperationDelete(path) for path in sorted(stale)]

        def upload() -> Any:
            return self.api.create_commit(
                self.repo,
                operations,
                commit_message=title,
                commit_description=description,
                repo_type=self.repo_type,
                parent_commit=parent,  # so that two simultaneous publications do not undo each other
            )

        with _bars(quiet):
            return str(self._ask("upload", upload, quiet).oid)

    def tag(self, name: str, commit: str) -> None:
        """Tag a commit."""
        self._ask(
            f"tag {name}",
            lambda: self.api.create_tag(self.repo, tag=name, revision=commit, repo_type=self.repo_type),
        )

    def _ask(self, doing: str, call: Callable[[], T], quiet: bool = False) -> T:
        """Call the Hub, and again where it asks to wait for a short time. Raises InosukeError in its words."""
        with self.explained(doing):
            for _ in range(_MOST_WAITS):
                try:
                    return call()
                except (OSError, RuntimeError) as error:  # an upload's error is wrapped in a RuntimeError
                    seconds = answers.seconds_to_wait(error)
                    if seconds is None or seconds > _LONGEST_WAIT:
                        raise
                console.note(f"The Hub asks to wait {seconds} s before the next request.", quiet=quiet)
                time.sleep(seconds)
            return call()

    @contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Turn what the libraries raise into an error message without the token."""
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError

        try:
            yield
        except (httpx2.HTTPError, OSError, RuntimeError, ValueError) as error:
            # The library wraps a failed upload in a RuntimeError; the reason is its cause.
            found = answers.cause(error)
            if found is None and isinstance(error, RuntimeError | ValueError) and not _says_yaml(error):
                raise  # not an answer of the Hub but a bug: keep the traceback
            message = f"{self.repo}: could not {doing}: {answers.explain(found or error, self.repo)}"
            kind = HubUnreachable if found and not isinstance(found, HfHubHTTPError) else InosukeError
            raise kind(message.replace(self._token, "<token>")) from None


def git_hash(data: bytes) -> str:
    """Return the SHA-1 that git gives to the content of a file."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def same(local: Path, remote_hash: str) -> bool:
    """Return whether a local file has the hash that the Hub lists (SHA-256 or git's SHA-1)."""
    data = local.read_bytes()
    return remote_hash == (hashlib.sha256(data).hexdigest() if len(remote_hash) == 64 else git_hash(data))


@contextmanager
def _bars(quiet: bool) -> Iterator[None]:
    """Let the library show its own bars of bytes, but only on a terminal."""
    import sys

    from huggingface_hub.utils.tqdm import disable_progress_bars

    if quiet or not sys.stderr.isatty():
        with disable_progress_bars():
            yield
    else:
        yield


def _hash(entry: Any) -> str:
    return str(entry.lfs.sha256 if entry.lfs else entry.blob_id)


def _says_yaml(error: BaseException) -> bool:
    return "yaml" in str(error).lower() or "metadata" in str(error).lower()
