"""Which entries fire: keys, scripts, conditions, recursion, patterns in bounded time, and a book of 10,000 entries."""

import json
import time

import pytest

from curation.lorebook.book import Book
from curation.lorebook.matching import ALL_PATTERNS_SECONDS, fired, within
from curation.lorebook.reading import read_book
from curation.record import Message


def book(*entries: dict, **about) -> Book:
    rows = [{"keys": ["boar"], "content": f"fact {n}", **entry} for n, entry in enumerate(entries, 1)]
    return read_book(json.dumps({"spec": "lorebook_v3", "data": {"entries": rows, **about}}).encode(), "lorebook.json")


def talk(*texts: str) -> list[Message]:
    """The user speaks last."""
    roles = ("user", "assistant")
    return [Message(roles[(len(texts) - 1 - n) % 2], text) for n, text in enumerate(texts)]


def numbers(read: Book, *texts: str) -> list[int]:
    return [entry.number for entry in fired(read, talk(*texts))]


@pytest.mark.parametrize(
    ("entry", "said", "fires"),
    [
        ({}, "A BOAR!", True),
        ({}, "a bear", False),
        ({"case_sensitive": True}, "A Boar", False),
        ({"case_sensitive": True, "keys": ["Boar"]}, "A Boar", True),
        ({}, "boars", True),
        ({"extensions": {"match_whole_words": True}}, "boars", False),
        ({"extensions": {"match_whole_words": True}}, "a (boar)", True),
        ({"extensions": {"match_whole_words": True}, "keys": ["伊之助"]}, "嘴平伊之助だ", True),
        ({"keys": ["núi"]}, "nu\u0301i", True),  # NFD
        ({"keys": ["mật"]}, "mặt", False),  # a tone mark makes another word
        ({"keys": ["wild boar"]}, "wild\u00a0\nboar", True),
        ({"keys": ["boar"]}, "bo\u200bar", True),
        ({"keys": ["ΣΟΦΟΣ"]}, "σοφος", True),
        ({"enabled": False, "constant": True}, "boar", False),
        ({"content": ""}, "boar", False),
        ({"keys": []}, "boar", False),
        ({"keys": ["", " ", "\u200b"]}, "anything", False),
        ({"selective": True, "secondary_keys": ["forest"]}, "a boar", False),
        ({"selective": True, "secondary_keys": ["forest"]}, "a boar in the Forest", True),
        ({"selective": False, "secondary_keys": ["forest"]}, "a boar", True),
        ({"selective": True, "secondary_keys": "forest, hill"}, "boar hill", True),  # the spec's prose
        ({"selective": True, "secondary_keys": ["hill"], "extensions": {"selectiveLogic": 2}}, "boar hill", False),
        ({"selective": True, "secondary_keys": ["a1", "a2"], "extensions": {"selectiveLogic": 3}}, "boar a1", False),
        ({"use_regex": True, "keys": ["b[oe]ar"]}, "a Bear", True),
        ({"use_regex": True, "keys": ["/b[oe]ar/"]}, "a Bear", False),
        ({"use_regex": True, "keys": ["/b[oe]ar/i"]}, "a Bear", True),
        ({"use_regex": True, "keys": ["b(", "[", "(?<x"]}, "b( [ (?<x", False),
        ({"use_regex": True, "keys": ["bear"], "constant": True}, "boar", False),
    ],
)
def test_an_entry_fires_by_its_keys(entry, said, fires):
    assert numbers(book(entry), said) == [1] * fires


def test_no_key_begins_in_one_message_and_ends_in_the_next():
    assert numbers(book({"keys": ["wild boar"]}), "wild", "boar", "?") == []


def test_keys_are_looked_for_in_the_last_messages_alone():
    said = ("boar", "b", "c", "d", "e")
    assert numbers(book({}), *said) == []
    assert numbers(book({}, scan_depth=5), *said) == [1]
    assert numbers(book({"content": "@@scan_depth 5\nfact"}), *said) == [1]
    assert numbers(book({}, scan_depth=0), "boar") == []


def test_the_order_is_that_of_insertion():
    assert numbers(book({"insertion_order": 5}, {"insertion_order": -1}, {"insertion_order": 5}), "boar") == [2, 1, 3]


@pytest.mark.parametrize(
    ("decorators", "fires"),
    [
        ("@@activate_only_after 2", [False, False, True, True]),
        ("@@activate_only_every 2", [True, False, True, False]),
        ("@@keep_activate_after_match", [True, True, True, True]),
        ("@@dont_activate_after_match", [True, False, False, False]),
        ("@@dont_activate", [False] * 4),
        ("@@dont_activate\n@@activate_only_after 3", [False] * 4),
        ("@@additional_keys hill,forest", [False, True, True, False]),
        ("@@exclude_keys hill", [True, False, False, True]),
        ("@@unknown 3\n@@@other 1\n@@@activate_only_after 3", [False, False, False, True]),
        ("@@activate_only_after 0\n@@@activate_only_after 9", [True] * 4),
        ("@@activate_only_after no\n@@@activate_only_after 1", [False, True, True, True]),
        ("@@activate_only_after 1\n@@activate_only_after 9", [False, True, True, True]),
    ],
)
def test_decorators_decide_with_the_course_of_the_conversation(decorators, fires):
    read = book({"content": f"{decorators}\n\nfact"}, scan_depth=3)
    said = ["boar", "r", "boar hill", "r", "boar", "r", "boar"]
    assert [bool(numbers(read, *said[: 2 * n + 1])) for n in range(4)] == fires
    assert read.entries[0].content == "fact"


def test_an_entry_kept_by_a_decorator_stays_when_its_word_has_gone():
    read = book({"content": "@@keep_activate_after_match\nfact"}, scan_depth=1)
    assert numbers(read, "boar", "r", "what?") == [1]
    assert numbers(read, "hello", "r", "what?") == []


def test_entries_fire_entries_only_where_the_book_asks_for_it():
    chain = ({"content": "the hill"}, {"keys": ["hill"], "content": "the river"}, {"keys": ["river"]})
    assert numbers(book(*chain), "boar") == [1]
    assert numbers(book(*chain, recursive_scanning=True), "boar") == [1, 2, 3]
    alone = ({"content": "the hill", "extensions": {"prevent_recursion": True}}, chain[1])
    assert numbers(book(*alone, recursive_scanning=True), "boar") == [1]
    outside = (chain[0], chain[1] | {"extensions": {"exclude_recursion": True}})
    assert numbers(book(*outside, recursive_scanning=True), "boar") == [1]
    constant = ({"keys": [], "constant": True, "content": "the hill"}, chain[1])
    assert numbers(book(*constant, recursive_scanning=True), "hello") == [2]


def test_recursion_ends():
    ring = [{"keys": [f"key{n}."], "content": f"key{(n + 1) % 50}."} for n in range(50)]
    assert len(numbers(book(*ring, recursive_scanning=True), "key0.")) == 6  # the first, and five rounds
    loop = [{"keys": ["a"], "content": "a"}, {"keys": ["a"], "content": "a"}]
    assert numbers(book(*loop, recursive_scanning=True), "a") == [1, 2]


def test_hidden_keys_count_in_recursion_and_comments_do_not():
    read = book(
        {"content": "x {{hidden_key:hill}}"}, {"content": "y {{// river}}"}, {"keys": ["hill"]}, {"keys": ["river"]},
        recursive_scanning=True,
    )  # fmt: skip
    assert numbers(read, "boar") == [1, 2, 3]


def test_a_catastrophic_pattern_ends_and_the_others_still_match():
    evil = [{"use_regex": True, "keys": ["(a+)+$", "(a|a)*b", "(.*)*x"]} for _ in range(50)]
    read = book({"use_regex": True, "keys": ["boar"]}, {}, *evil)
    began = time.monotonic()
    assert numbers(read, "a" * 4000 + "!", "b", "boar " + "a" * 4000 + "!")[:2] == [1, 2]
    assert time.monotonic() - began < 20 * ALL_PATTERNS_SECONDS


def test_ten_thousand_entries_take_milliseconds():
    rows = [{"keys": [f"name{n} place{n}", f"từ khoá {n}.", f"kw{n}x"]} for n in range(10_000)]
    read = book(*rows)
    said = [" ".join(f"word{n}" for n in range(40)) + " name77 place77 từ khoá 5." for _ in range(4)]
    assert numbers(read, *said) == [6, 78]  # also makes the index
    times = []
    for n in range(20):
        messages = talk(*said[:3], f"{said[3]} {n}")
        began = time.perf_counter()
        fired(read, messages)
        times.append(time.perf_counter() - began)
    assert min(times) < 0.01


def test_the_budget_drops_the_lowest_priority_first():
    read = book({"priority": 5}, {"priority": 1}, {"priority": 9}, {"insertion_order": 7}).entries
    assert [e.number for e in within(read, [10] * 4, 40)] == [1, 2, 3, 4]
    assert [e.number for e in within(read, [10] * 4, 39)] == [1, 3, 4]
    assert [e.number for e in within(read, [10] * 4, 20)] == [3, 4]
    assert [e.number for e in within(read, [10, 10, 100, 10], 30)] == [1, 2, 4], "too long by itself"
    assert within(read, [10] * 4, 0) == []
