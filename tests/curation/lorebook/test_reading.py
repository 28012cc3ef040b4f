"""Lorebook files: the forms that are recognised, what is named as without effect, and errors that name the place."""

import json

import pytest

from curation.errors import UsageError
from curation.lorebook.reading import read_book

ENTRY = {"keys": ["boar"], "content": "A boar.", "enabled": True, "insertion_order": 3, "use_regex": False}


def read(content, **more):
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read_book(raw, "lore.json", **more)


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ({"spec": "lorebook_v3", "data": {"entries": [ENTRY]}}, ""),
        ({"entries": [ENTRY], "extensions": {}}, "bare lorebook"),
        ([ENTRY], "a list of entries"),
        ({"spec": "chara_card_v3", "data": {"name": "x", "character_book": {"entries": [ENTRY]}}}, "character card"),
        (
            {"entries": {"0": {"uid": 0, "key": ["boar"], "keysecondary": [], "content": "A boar.", "order": 3,
                               "disable": False, "selective": True, "probability": 100, "caseSensitive": None}}},
            "SillyTavern",
        ),
    ],
)  # fmt: skip
def test_each_form_gives_the_same_entry_and_says_which_form_it_is(content, note):
    book = read(content)
    (entry,) = book.entries
    assert (entry.keys, entry.content, entry.order, entry.enabled, entry.name) == (
        ("boar",),
        "A boar.",
        3,
        True,
        "boar",
    )
    assert any(note in said for said in book.notes) if note else book.notes == ()


def test_a_byte_order_mark_and_unknown_keys_are_fine():
    raw = json.dumps({"spec": "lorebook_v3", "data": {"entries": [ENTRY | {"new": 1}], "other": []}}).encode(
        "utf-8-sig"
    )
    assert len(read(raw).entries) == 1


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "not valid JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"5", "expected a lorebook"),
        ({"spec": "lorebook_v3"}, "no lorebook"),
        ({"spec": "chara_card_v2", "data": {}}, "without a `character_book`"),
        ({"entries": 5}, "`entries` is 5"),
        ([5], "entry 1 is 5"),
        ([ENTRY, {"keys": 5}], "entry 2: `keys` is 5; expected a list of texts"),
        ([ENTRY | {"keys": [None]}], "entry 1: `keys`"),
        ([ENTRY | {"content": ["x"]}], "entry 1: `content` is a list; expected a text"),
        ([ENTRY | {"enabled": "no"}], '`enabled` is "no"; expected true or false'),
        ([ENTRY | {"insertion_order": "1"}], "`insertion_order`"),
        (b'[{"insertion_order": NaN}]', "`insertion_order`"),
        (b'[{"priority": 1e999}]', "`priority`"),
        ([ENTRY | {"content": "x" * 50_000}], "50,000 characters"),
        ([ENTRY | {"keys": ["x" * 2_000]}], "`keys` is too long"),
        ({"entries": [], "scan_depth": -1}, "`scan_depth` is -1"),
        ({"entries": [], "token_budget": True}, "`token_budget`"),
        ([{}] * 20_001, "20,001 entries"),
        (b" " * (21 * 2**20), "bytes; expected a lorebook of at most"),
    ],
)
def test_a_wrong_file_is_an_error_that_names_the_place(content, says):
    with pytest.raises(UsageError) as error:
        read(content)
    assert says in str(error.value) and str(error.value).startswith("lore.json")


def test_lone_surrogates_do_not_get_through():
    (entry,) = read(b'[{"keys": ["a\\ud800"], "content": "\\udfff x"}]').entries
    assert (entry.keys, entry.content) == (("a?",), "? x")


def test_what_has_no_effect_is_named():
    book = read(
        [
            ENTRY | {"content": "@@depth 4\n@@role system\n@@made_up 1\n@@scan_depth x\nA boar."},
            ENTRY | {"use_regex": True, "keys": ["("]},
            ENTRY | {"extensions": {"probability": 50, "sticky": 3, "group": "", "position": 4}},
            ENTRY | {"content": ""},
            ENTRY | {"keys": []},
        ]
    )
    notes = "\n".join(book.notes)
    for said in (
        "entry 1 (boar): @@depth is not understood: a fact stands before the newest message",
        "@@role is not", "@@made_up is not understood: the spec does not have it", "@@scan_depth is not understood",
        "entry 2 ((): the pattern '(' is invalid", "entry 3 (boar): `probability` has no effect", "`sticky` has no",
        "entry 4 (boar): it has no content", "entry 5 (#5): it has no keys",
    ):  # fmt: skip
        assert said in notes
    assert "`group`" not in notes


def test_whole_words_are_for_entries_that_do_not_say():
    says = ENTRY | {"extensions": {"match_whole_words": False}}
    assert [e.whole_words for e in read([ENTRY, says], whole_words=True).entries] == [True, False]
