"""What a search finds and where: marks count only where the query has them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.search_text import BadPattern, Query, folded, found_by, parse, places

VIETNAMESE = "aăâbcdđeêghiklmnoôơpqrstuưvxyáàảãạấầẩẫậắằẳẵặéèẻẽẹếềểễệíìỉĩịóòỏõọốồổỗộớờởỡợúùủũụứừửữựýỳỷỹỵ"
TEXT = st.text(st.sampled_from(VIETNAMESE + VIETNAMESE.upper() + "  \n.,!かが伊之助"), max_size=60)


def finds(typed: str, text: str) -> bool:
    query = parse(typed)
    plain, marked = folded(text, False), folded(text, True)
    if query.pattern is not None:
        return found_by(query, plain, marked)
    return all(part.text in (marked if part.marks else plain) for part in query.parts)


def marked(typed: str, text: str) -> list[str]:
    return [text[start:end] for start, end in places(parse(typed), text)]


@pytest.mark.parametrize(
    ("typed", "text", "found"),
    [
        ("mat", "Tổ MẬT ong", True),
        ("mat", unicodedata.normalize("NFD", "mật ong"), True),
        ("mật", "mật ong", True),
        ("MẬT", unicodedata.normalize("NFD", "mật ong"), True),
        ("mật", "mặt trời", False),
        ("mật", "mat", False),
        ("di", "Đi thôi!", True),
        ("đi", "Đi thôi!", True),
        ("đi", "di thoi", False),
        ("ong mật", "mật của con ong", True),
        ("ong gấu", "mật của con ong", False),
        ('"con ong"', "mật của con   ong", True),
        ('"ong con"', "mật của con ong", False),
        ('núi "con ong', "con ong trên núi", True),
        ("か", "がんばれ", False),
        ("100%", "100% thắng", True),
        ("a_b", "axb", False),
        ("/^mat/", "Mật ong", True),
        ("/^mật/", "Mặt trời", False),
        ("/n.i{1}$/", "leo núi", True),
        (r"/\bong\b/", "trong nhà", False),
        ("/", "a/b", True),
        ("//", "a//b", True),
    ],
)
def test_a_search_finds(typed: str, text: str, found: bool) -> None:
    assert finds(typed, text) is found


def test_the_hits_are_where_the_text_has_them() -> None:
    decomposed = unicodedata.normalize("NFD", "Mật và mặt")
    assert marked("mat", "Mật và mặt!") == ["Mật", "mặt"]
    assert [unicodedata.normalize("NFC", hit) for hit in marked("mat", decomposed)] == ["Mật", "mặt"]
    assert [unicodedata.normalize("NFC", hit) for hit in marked("mật", decomposed)] == ["Mật"]
    assert marked('"leo núi"', "ta leo \n núi") == ["leo \n núi"]
    assert marked("ta núi", "Ta leo núi, ta!") == ["Ta", "núi", "ta"]
    assert marked("/n.i/", "núi nùi") == ["núi", "nùi"]
    assert marked("", "núi") == []


@given(TEXT, st.booleans(), st.booleans())
def test_every_piece_of_a_text_finds_it_and_is_marked_in_it(text: str, decompose: bool, strip: bool) -> None:
    shown = unicodedata.normalize("NFD" if decompose else "NFC", text)
    for word in text.replace('"', "").split():
        typed = folded(word, marks=not strip)
        if not typed or (len(typed) > 2 and typed[0] == typed[-1] == "/"):
            continue
        assert finds(typed, shown)
        hits = marked(typed, shown)
        assert any(typed in folded(hit, marks=True) or typed in folded(hit, marks=False) for hit in hits)


@given(st.text(max_size=60))
def test_any_text_can_be_searched_and_any_text_can_be_typed(text: str) -> None:
    assert folded(folded(text, True), True) == folded(text, True)
    try:
        spans = places(parse(text), text)
    except BadPattern:
        return
    assert all(0 <= start < end <= len(text) for start, end in spans)


@pytest.mark.parametrize("pattern", ["/(/", "/[/", "/a{2,1}/", "/*/", r"/\p{Nonsense}/", "/(?P<a>x)(?P<a>y/"])
def test_a_pattern_that_is_none_says_what_is_wrong_with_it(pattern: str) -> None:
    with pytest.raises(BadPattern, match="is not a regular expression"):
        parse(pattern)


def test_a_catastrophic_pattern_is_stopped_and_named() -> None:
    # There are more ways to cut forty syllables into ones and twos than a computer tries in a year.
    query = parse(r"/^(\w|\w\w)+$/")
    text = "ta" * 40 + "?"
    with pytest.raises(BadPattern, match="takes too long"):
        found_by(query, text, text)
    assert places(query, text) == []


def test_nothing_typed_asks_for_nothing() -> None:
    assert parse("   ") == Query() == parse('""')
