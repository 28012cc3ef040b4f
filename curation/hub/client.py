"""One repository on the Hugging Face Hub, through ``huggingface_hub``: list files, read, commit, tag.

The library chooses the endpoint (HF_ENDPOINT). Every failure becomes an InosukeError that names the cause and what to
do next. No message contains the token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from curation.errors import InosukeError

RepoType = Literal["dataset", "model"]

_LATER = "What was published before is unchanged. Run the command again: files that arrived are not sent twice."


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

    def prepare(self, private: bool) -> str:
        """Create the repository if needed and return its newest commit. Raises InosukeError without the right to it."""
        with self.explained("sign in"):
            account = self.api.whoami()
        if account.get("auth", {}).get("accessToken", {}).get("role") == "read":
            raise InosukeError(
                f"the token of {account['name']} can only read. Expected one with the right to write to {self.repo}. "
                "Make one at https://huggingface.co/settings/tokens and run `hf auth login`."
            )
        with self.explained("create the repository"):
            self.api.create_repo(self.repo, repo_type=self.repo_type, private=private, exist_ok=True)
            info = self.api.repo_info(self.repo, repo_type=self.repo_type)
        if private and not info.private:
            raise InosukeError(
                f"{self.repo} is public, and --private applies only to a new repository. Nothing was uploaded. "
                "Make it private in its settings, or leave --private out to publish what may be public."
            )
        return str(info.sha)

    def files(self, revision: str) -> dict[str, str]:
        """Return path → hash of every file: SHA-256 for large files, git's SHA-1 for the others."""
        from huggingface_hub.hf_api import RepoFile

        with self.explained("list the files"):
            tree = self.api.list_repo_tree(self.repo, recursive=True, revision=revision, repo_type=self.repo_type)
            return {f.path: f.lfs.sha256 if f.lfs else f.blob_id for f in tree if isinstance(f, RepoFile)}

    def read(self, path: str, revision: str, folder: Path) -> Path:
        """Download one file to its path below ``folder`` and return it."""
        with self.explained(f"read {path}"):
            return Path(
                self.api.hf_hub_download(self.repo, path, repo_type=self.repo_type, revision=revision, local_dir=folder)
            )

    def tags(self) -> dict[str, str]:
        """Return tag → commit."""
        with self.explained("list the tags"):
            refs = self.api.list_repo_refs(self.repo, repo_type=self.repo_type)
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
        with self.explained("upload"), _bars(quiet):
            info = self.api.create_commit(
                self.repo,
                operations,
                commit_message=title,
                commit_description=description,
                repo_type=self.repo_type,
                parent_commit=parent,  # so that two simultaneous publications do not undo each other
            )
        return str(info.oid)

    def tag(self, name: str, commit: str) -> None:
        """Tag a commit."""
        with self.explained(f"tag {name}"):
            self.api.create_tag(self.repo, tag=name, revision=commit, repo_type=self.repo_type)

    @contextmanager
    def explained(self, doing: str) -> Iterator[None]:
        """Turn what the libraries raise into an error message without the token."""
        import httpx2
        from huggingface_hub.errors import OfflineModeIsEnabled

        try:
            yield
        except (httpx2.HTTPError, OSError, RuntimeError, ValueError) as error:
            # The library wraps a failed upload in a RuntimeError; the reason is its cause.
            chain = list(_chain(error))
            cause = next((e for e in chain if isinstance(e, httpx2.HTTPError | OfflineModeIsEnabled)), None)
            if cause is None and isinstance(error, RuntimeError | ValueError) and not _says_yaml(error):
                raise  # not an answer of the Hub but a bug: keep the traceback
            message = f"{self.repo}: could not {doing}: {_explain(cause or error, self.repo)}"
            raise InosukeError(message.replace(self._token, "<token>")) from None


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


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _says_yaml(error: BaseException) -> bool:
    return "yaml" in str(error).lower() or "metadata" in str(error).lower()


def _explain(error: BaseException, repo: str) -> str:
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set. Unset it to publish."
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        said = (error.server_message or "").strip() or f"HTTP status {status}"
        return _STATUS.get(status, "the Hub answered: {said}. {later}").format(repo=repo, said=said, later=_LATER)
    if isinstance(error, httpx2.HTTPError):
        return f"the connection broke ({type(error).__name__}). {_LATER}"
    return str(error).strip()


_STATUS = {
    400: "the Hub refused it: {said}.",
    401: "the Hub does not accept the token. Run `hf auth login` with a new one. (The Hub answered: {said})",
    403: "the token has no right to write to {repo}. Before the slash, expected your own name or that of an "
    "organisation that you may write for. (The Hub answered: {said})",
    404: "the Hub does not know this repository, or the token may not see it. (The Hub answered: {said})",
    409: "it already exists. Choose another name. (The Hub answered: {said})",
    412: "another commit was made during the upload. Look at it, then run the command again.",
    413: "the Hub finds it too large: {said}.",
    429: "the Hub received too many requests. Wait some minutes. {later}",
}
