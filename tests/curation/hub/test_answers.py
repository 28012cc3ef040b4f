"""The Hub's own sentences reach the person, with what to do, and never the token."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from time import time

import pytest

from tests.curation.conftest import Shell
from tests.tools.exports import PERSONA_FILE, write
from tests.tools.hub import WRITER, FakeHub, Refusal

REPO = "writer/lines"
COMMIT = "/commit/main"
LIMIT = "You have reached the commit limit of 128 per hour for this repository, retry in 30 minutes"
Go = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def project_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    shutil.copy(PERSONA_FILE, root / "persona.toml")
    write(root / "datasets" / "export")
    return root


@pytest.fixture
def go(project_folder: Path, shell: Shell) -> Go:
    def run(*options: str, repo: str = REPO, token: str | None = WRITER) -> tuple[int, str, str]:
        status, out, error = shell("publish", repo, "--persona", project_folder / "persona.toml", *options, token=token)
        assert token is None or token not in out + error
        return status, out, error

    return run


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"Retry-After": "1800"}, "Wait 30 minutes, then run the command again."),
        ({"Retry-After": "in 1795 seconds"}, "Wait 30 minutes, "),  # written as a date by the test
        ({"ratelimit": '"api";r=0;t=75', "ratelimit-policy": '"fixed window";"api";q=500;w=300'}, "Wait 75 seconds, "),
        ({"Retry-After": "10000"}, "Wait 3 hours, "),
        ({}, "Wait some minutes."),
    ],
)
@pytest.mark.parametrize("end", [COMMIT, "/api/whoami-v2", "/create", "/api/datasets/writer/lines"])
def test_a_rate_limit_is_told_in_the_hubs_words_with_its_time(
    end: str, headers: dict[str, str], wait: str, hub: FakeHub, go: Go
) -> None:
    if headers.get("Retry-After", "").startswith("in "):
        headers = {"Retry-After": formatdate(time() + 1795, usegmt=True)}
    hub.refusals.append(Refusal(end, 429, LIMIT, headers, times=9))
    status, _, error = go()
    assert status == 1
    assert f"the Hub received too many requests. {LIMIT}." in error and wait in error
    assert not hub.repos or len(hub[REPO].commits) == 1


@pytest.mark.parametrize("end", [COMMIT, "/create", "/api/whoami-v2"])
def test_a_short_wait_is_waited_and_the_request_is_made_again(end: str, hub: FakeHub, go: Go) -> None:
    hub.refusals.append(Refusal(end, 429, "slow down", {"Retry-After": "1"}, times=2))
    status, out, error = go()
    assert (status, out.split(" (")[0]) == (0, "writer/lines: published"), error
    assert error.count("The Hub asks to wait 1 s before the next request.") == 2


def test_a_hub_that_always_asks_to_wait_a_moment_is_not_asked_for_ever(hub: FakeHub, go: Go) -> None:
    hub.refusals.append(Refusal(COMMIT, 429, "slow down", {"Retry-After": "1"}, times=99))
    status, _, error = go()
    assert status == 1 and "slow down. Wait 1 seconds, then" in error
    assert sum(request.endswith(COMMIT) for request in hub.requests) == 4


def test_a_token_from_the_environment_that_is_not_accepted_is_named_as_that(hub: FakeHub, go: Go) -> None:
    status, _, error = go(token="hf_wrong_token_1234567890")
    assert status == 1
    assert (
        "could not sign in: the Hub does not accept the token. It comes from HF_TOKEN, which takes precedence" in error
    )
    assert "The token from HF_TOKEN environment variable is invalid. Note that HF_TOKEN takes precedence over" in error
    assert "unset HF_TOKEN and run `hf auth login`" in error


def test_a_stored_token_that_is_not_accepted_wants_a_new_login(
    hub: FakeHub, go: Go, environment: dict[str, str]
) -> None:
    stored = Path(environment["HF_HOME"]) / "token"
    stored.write_text("hf_stored_token_1234567890", encoding="utf-8")
    try:
        error = go(token=None)[2]
    finally:
        stored.unlink()
    assert "does not accept the token. Run `hf auth login` with a new one." in error
    assert "The token stored is invalid" not in error.split("(The Hub")[0] and "hf_stored" not in error


@pytest.mark.parametrize(
    ("said", "heading"),
    [
        (
            "Private repository storage limit reached, please upgrade your plan",
            "the Hub has no room for it: Private repo",
        ),
        (
            "You have exceeded your storage quota.",
            "the Hub has no room for it: You have exceeded your storage quota. Free",
        ),
        ("You don't have the rights to write to this repository", "the token has no right to write to writer/lines."),
    ],
)
@pytest.mark.parametrize("end", [COMMIT, "/create"])
def test_a_full_storage_is_not_called_a_missing_right(end: str, said: str, heading: str, hub: FakeHub, go: Go) -> None:
    hub.refusals.append(Refusal(end, 403, said, times=9))
    status, _, error = go("--private")
    assert status == 1 and heading in error and said.rstrip(".") in error
    assert ("no right to write" in error) is ("rights" in said)


@pytest.mark.parametrize(("status", "said"), [(500, "Internal Error - we're working on it"), (402, "Payment required")])
def test_any_other_answer_is_given_in_its_own_words(status: int, said: str, hub: FakeHub, go: Go) -> None:
    hub.refusals.append(Refusal(COMMIT, status, said, times=9))
    failed, _, error = go()
    assert failed == 1 and f"the Hub answered: {said}. What was published before is unchanged." in error


def test_an_answer_that_holds_the_token_is_printed_without_it(hub: FakeHub, go: Go) -> None:
    hub.refusals.append(Refusal(COMMIT, 403, f"Bearer {WRITER} may not write", times=9))
    assert "Bearer <token> may not write" in go()[2]


@pytest.mark.parametrize("new", ["writer/new", "writer/Lines"])
@pytest.mark.parametrize("options", [[], ["--yes"], ["--dry-run"]])
def test_a_renamed_repository_is_not_created_again_under_its_old_name(
    options: list[str], new: str, hub: FakeHub, go: Go
) -> None:
    hub.make(new, {})
    hub.renamed[REPO] = new
    status, _, error = go(*options)
    assert status == 1 and f"{new} on the Hub" in error and f"Publish to {new}." in error
    assert list(hub.repos) == [f"datasets/{new}"] and len(hub[new].commits) == 1
    assert not any(request.endswith("/create") for request in hub.requests)
    assert go(repo=new)[0] == 0
