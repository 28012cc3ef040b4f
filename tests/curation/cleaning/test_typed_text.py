"""Typed text: cleaned as imported text is, with a list of what was removed."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from curation.cleaning.normalise import clean_text
from curation.cleaning.spelling import respell
from curation.cleaning.typed_text import Removed, clean_typed
from curation.record import Message

turns = st.lists(
    st.builds(Message, st.sampled_from(["user", "assistant"]), st.text(max_size=30), st.none() | st.text(max_size=8)),
    max_size=4,
)


def test_what_was_removed_is_named_and_counted():
    pasted = unicodedata.normalize("NFD", "mật") + "\u200b\u200b\u202e\0\ufeff\u00ad\u2028"
    messages, removed = clean_typed([Message("user", pasted, "T\u200dan"), Message("assistant", "Ta\r\nđây")])
    assert messages == (Message("user", "mật", "Tan"), Message("assistant", "Ta\nđây"))
    assert removed == (
        Removed("U+0000", "NULL", 1),
        Removed("NFC", "decomposed letters", 2),
        Removed("U+00AD", "SOFT HYPHEN", 1),
        Removed("U+200B", "ZERO WIDTH SPACE", 2),
        Removed("U+200D", "ZERO WIDTH JOINER", 1),
        Removed("U+202E", "RIGHT-TO-LEFT OVERRIDE", 1),
        Removed("U+FEFF", "ZERO WIDTH NO-BREAK SPACE", 1),
    )


def test_text_that_is_clean_stays_and_nothing_was_removed():
    messages = (Message("user", "Ngươi là ai?\nHả?", "Bạn"), Message("assistant", "Ta là Inosuke! 🐗❤️"))
    assert clean_typed(messages) == (messages, ())


def test_a_respelled_word_is_named_and_counted():
    messages, removed = clean_typed([Message("user", "Sao… thế?"), Message("assistant", "Ta doạ... doạ ngươi!", "Hoà")])
    assert messages == (Message("user", "Sao… thế?"), Message("assistant", "Ta dọa… dọa ngươi!", "Hoà"))
    assert removed == (Removed("spelling", "doạ → dọa", 2), Removed("spelling", "... → …", 1))


def test_a_name_without_visible_characters_is_no_name():
    assert clean_typed([Message("user", "Hả?", " \u200b")])[0][0].name is None


@given(turns)
def test_it_does_what_import_does_and_once_is_enough(typed):
    messages, _ = clean_typed(typed)
    assert [m.content for m in messages] == [respell(clean_text(m.content))[0] for m in typed]
    assert [m.role for m in messages] == [m.role for m in typed]
    assert clean_typed(messages) == (messages, ())
