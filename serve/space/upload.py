"""Uploads a Space's folder to the Hugging Face Hub, in one commit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from curation.errors import InosukeError


def push(folder: Path, repo: str, api: Any = None, sdk: str = "docker") -> str:
    """Create the Space if it does not exist, upload the folder, and return its address. ``api`` is an ``HfApi``."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

    api = api or HfApi()
    try:
        api.create_repo(repo, repo_type="space", space_sdk=sdk, exist_ok=True)
        api.upload_folder(
            repo_id=repo, repo_type="space", folder_path=folder, commit_message="Chat page", delete_patterns="*"
        )
    except HFValidationError as error:
        raise InosukeError(f"{repo!r} is not the name of a Space ({error}). Expected OWNER/NAME.") from None
    except (HfHubHTTPError, LocalTokenNotFoundError, OSError) as error:
        raise InosukeError(
            f"{repo} was not written: {error}. The folder {folder} is complete; log in with `hf auth login` (a token "
            "that may write), then push again or upload it by hand."
        ) from None
    return f"https://huggingface.co/spaces/{repo}"
