"""A signed token names its person to the desk that made it: not changed, not for ever, not for another store."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations.signing import TOKEN_SECONDS, sign, signed, store_mark
from annotations.store.review_store import ReviewStore
from tests.annotations.conftest import Clock

NAMES = st.text(min_size=1, max_size=40).filter(
    lambda name: name.isprintable() and name.strip() == name and any(c.isalnum() for c in name)
)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory):
    opened = ReviewStore(f"sqlite:///{tmp_path_factory.mktemp('desk') / 'review.db'}")
    yield opened
    opened.close()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES, at=st.integers(0, 10_000), letter=st.sampled_from("abcXYZ019-_."))
def test_a_token_gives_the_name_back_and_one_changed_letter_gives_nothing(desk, name, at, letter):
    desk.people.add(name)
    token = sign(desk, name)
    assert signed(desk, token) == name
    at %= len(token)
    changed = token[:at] + letter + token[at + 1 :]
    # The last letter of a base64 text carries bits that mean nothing.
    assert changed == token or signed(desk, changed) is None or at == len(token) - 1


def test_a_token_ends(store: ReviewStore, clock: Clock):
    store.people.add("Minh")
    token = sign(store, "Minh")
    clock.now += TOKEN_SECONDS - 1
    assert signed(store, token) == "Minh"
    clock.now += 3
    assert signed(store, token) is None


def test_a_token_of_another_store_a_name_and_an_unknown_person_sign_no_one_in(store: ReviewStore, tmp_path: Path):
    other = ReviewStore(f"sqlite:///{tmp_path / 'other.db'}")
    for one in (store, other):
        one.people.add("Minh")
    assert signed(store, sign(other, "Minh")) is None
    assert store_mark(store) != store_mark(other)
    other.close()
    assert signed(store, "Minh") is None
    assert signed(store, "") is None
    assert signed(store, sign(store, "a person who was never added")) is None


def test_a_new_password_ends_the_tokens_of_before(store: ReviewStore):
    store.people.add("Minh")
    by_name = sign(store, "Minh")
    store.people.set_password("Minh", "một con lợn rừng")
    assert signed(store, by_name) is None
    token = sign(store, "Minh", "password")
    assert signed(store, token, "password") == "Minh"
    store.people.set_password("Minh", "hai con lợn rừng")
    assert signed(store, token, "password") is None


def test_who_picked_a_name_is_not_signed_in_at_a_desk_with_passwords(store: ReviewStore):
    store.people.add("Minh")
    store.people.set_password("Minh", "một con lợn rừng")
    assert signed(store, sign(store, "Minh", "name"), "password") is None


def test_processes_that_open_a_new_store_at_once_share_one_secret(url: str):
    stores = [ReviewStore(url) for _ in range(4)]
    stores[0].people.add("Minh")
    tokens: list[str] = []
    start = threading.Barrier(4)

    def work(store: ReviewStore) -> None:
        start.wait()
        tokens.append(sign(store, "Minh"))

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [signed(store, token) for store in stores for token in tokens] == ["Minh"] * 16
    for store in stores:
        store.close()
