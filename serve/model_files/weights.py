"""Weights that a Space fetches from a model repository on the Hub instead of having them in its folder.

``weights.json`` names the file, the commit and the SHA-256 that were known when the folder was written. The image runs
``python -m serve.model_files.weights`` when it is built, which fetches that file and accepts no other.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from pydantic import BaseModel, Field, ValidationError

from curation.command import run
from curation.errors import InosukeError, UsageError, explain
from curation.files import sha256_file

FILE = "weights.json"
# A build gets its secrets as files that Docker mounts.
_SECRET = Path("/run/secrets/HF_TOKEN")


class Weights(BaseModel):
    """A file of a model repository. ``folder`` is where its path begins in the Space; ``revision`` is a commit."""

    repo: str
    revision: str = Field(pattern=r"^[0-9a-f]{40}$")
    file: str
    folder: str
    sha256: str
    bytes: int


def pin(source: str, path: Path, sha256: str, folder: str, api: Any = None) -> Weights:
    """Find the file at ``path`` in the repository ``OWNER/NAME[@REVISION]``, in ``gguf/`` as `publish-model` leaves it.

    ``sha256`` is the file's, ``api`` an ``HfApi``. Raises InosukeError when the repository lacks the file or has
    another one of that name.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    repo, _, revision = source.partition("@")
    file = f"{path.parent.name}/{path.name}"
    api = api or HfApi()
    try:
        commit = api.repo_info(repo, revision=revision or None).sha
        found = api.get_paths_info(repo, [file], revision=commit)
    except HFValidationError as error:
        raise UsageError(
            f"{source!r} is not a model repository ({error}). Expected OWNER/NAME or OWNER/NAME@REVISION."
        ) from None
    except (HfHubHTTPError, OSError) as error:
        raise InosukeError(
            f"{source} cannot be read: {error}. Check the name, and that your token has access to it."
        ) from None
    remedy = f"Publish this run there first (`inosuke publish-model RUN {repo}`), or leave --weights-from out."
    if not found:
        raise InosukeError(f"{repo} has no {file} at {commit[:12]}. {remedy}")
    there = found[0].lfs.sha256 if found[0].lfs else None
    if sha256 != there:
        raise InosukeError(
            f"{file} is another file in {repo} at {commit[:12]}: its SHA-256 is {str(there)[:12]}…; expected "
            f"{sha256[:12]}…. {remedy}"
        )
    return Weights(repo=repo, revision=commit, file=file, folder=folder, sha256=sha256, bytes=path.stat().st_size)


def fetch(root: Path = Path(), api: Any = None) -> str:
    """Fetch the file that ``weights.json`` below ``root`` names, if there is one. Returns what was done.

    Raises InosukeError, and leaves no file, when it cannot be fetched or its bytes are not those of ``weights.json``.
    """
    if not (root / FILE).is_file():
        return f"No {FILE}: the weights are in the folder."
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    try:
        wanted = Weights.model_validate_json((root / FILE).read_bytes())
    except ValidationError as error:
        raise InosukeError(
            f"{FILE}: {explain(error, Weights)}. Expected the file that `inosuke space` writes. Write the folder again."
        ) from None
    token = _SECRET.read_text(encoding="utf-8").strip() if _SECRET.is_file() else None
    api = api or HfApi(token=token)
    where = f"{wanted.file} of {wanted.repo} at {wanted.revision[:12]}"
    try:
        path = Path(
            api.hf_hub_download(wanted.repo, wanted.file, revision=wanted.revision, local_dir=root / wanted.folder)
        )
    except (HfHubHTTPError, OSError) as error:
        raise InosukeError(
            f"{where} cannot be fetched: {_short(error)}. Check that the repository still exists. A private one needs "
            "a token: give the Space a secret called HF_TOKEN."
        ) from None
    if (seen := sha256_file(path)) != wanted.sha256:
        path.unlink()
        raise InosukeError(
            f"{where} is not the file that this Space was made for: its SHA-256 is {seen}; expected {wanted.sha256}. "
            "Write the folder again with `inosuke space --weights-from`."
        )
    return f"Fetched {where}: {wanted.bytes:,} bytes, SHA-256 as expected."


def _short(error: Exception) -> str:
    """Return the first two lines of an error; the Hub's client adds a paragraph of advice."""
    return " ".join([line for line in str(error).splitlines() if line.strip()][:2]).rstrip(".")


if __name__ == "__main__":
    run(lambda: click.echo(fetch()))
