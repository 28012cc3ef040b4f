"""Which text that is gone a new one was made from, and what is remembered of a text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from curation.record import Kind, Message, Sample, Source, sample_id
from curation.split.lineage import Gone, fingerprint, likeness, place, trace

LINES = [
    "Ta là chúa tể núi rừng, kẻ nào dám cản đường ta?",
    "Bụng ta đang gầm như thác đổ giữa đêm mưa đây!",
    "Leo lên đỉnh núi rồi hãy nói chuyện với ta, đồ yếu nhớt!",
    "Sao trời nhiều thế kia, ta húc rụng hết cho ngươi coi!",
]


def line(text: str, at: int = 1, path: str = "quotes.json", kind: Kind = "quote", prompt: str = "Nói đi.") -> Sample:
    messages = (Message("user", prompt), Message("assistant", text))
    source = Source(path=path, sha256="0" * 64, locator=f"row {at}", importer="json")
    key = sample_id(kind, messages)
    return Sample(id=key, kind=kind, messages=messages, language="vi", topic=None, source=source)


def gone(*samples: Sample, places: bool = True) -> dict[str, Gone]:
    return {s.id: Gone(fingerprint(s), place(s) if places else "") for s in samples}


def test_an_edited_row_is_found_by_its_words_wherever_it_went() -> None:
    old = [line(text, at) for at, text in enumerate(LINES, 1)]
    new = [line(text.rstrip("?!") + " đó!", 9 - at, "renamed.json") for at, text in enumerate(LINES, 1)]
    for places in (True, False):
        found = trace(new, gone(*old, places=places))
        assert {n.id: (found[n.id].id, found[n.id].edited) for n in new} == {
            n.id: (o.id, True) for n, o in zip(new, old, strict=True)
        }


def test_two_rows_that_were_swapped_and_edited_follow_their_words_not_their_places() -> None:
    old = [line(LINES[0], 1), line(LINES[1], 2)]
    new = [line(LINES[1] + " Ừ!", 1), line(LINES[0] + " Ừ!", 2)]
    found = trace(new, gone(*old))
    assert [found[n.id].id for n in new] == [old[1].id, old[0].id]


def test_at_its_place_half_of_the_words_are_enough() -> None:
    old, new = line("Đập nát núi kia!"), line("Đập vỡ cái núi!")
    assert trace([new], gone(old))[new.id].edited
    assert new.id not in trace([line("Đập vỡ cái núi!", 2)], gone(old))
    assert trace([line("Ngươi ăn cơm chưa?")], gone(old)) == {}


def test_what_is_only_alike_takes_the_side_and_is_not_called_an_edit() -> None:
    old = line("Ta đấm ngươi bay qua ba ngọn núi liền!")
    new = line("Ta đấm ngươi bay qua ba con suối luôn!", 7)
    (ancestor,) = trace([new], gone(old)).values()
    assert ancestor.id == old.id and not ancestor.edited and 60 <= ancestor.score < 75


def test_one_text_has_one_edit() -> None:
    old = line(LINES[0])
    near, far = line(LINES[0] + " Hả?", 5), line(LINES[0].replace("núi rừng", "suối thác") + " Hả?", 6)
    found = trace([far, near], gone(old))
    assert (found[near.id].edited, found[far.id].edited) == (True, False)


def test_spelling_marks_and_the_prompt_of_a_quote_are_no_other_words() -> None:
    old = line("Ta khoẻ, ngươi ko thắng nổi đâu!!", prompt="Nói một câu.")
    new = line("TA khỏe – ngươi không thắng nổi đâu…", prompt="Nói câu khác.")
    assert trace([new], gone(old))[new.id].same
    assert not trace([line("Ta khoẻ, ngươi thắng nổi đâu!")], gone(old))[line("Ta khoẻ, ngươi thắng nổi đâu!").id].same
    asked, other = (line("Ta!", kind="conversation", prompt=p) for p in ("Ai mạnh nhất?", "Ai đói nhất?"))
    assert fingerprint(asked) != fingerprint(other)


def test_a_fingerprint_does_not_hold_the_text_and_any_text_in_its_place_is_no_error() -> None:
    words = fingerprint(line(LINES[0]))
    assert len(words) == 6 + 2 * len(LINES[0].split())
    assert not any(word in words for word in LINES[0].split() if len(word) > 2)
    assert likeness(words, words) == (100.0, True)
    assert likeness(words, "") == (0.0, False)
    assert likeness(words, "no fingerprint, é ?")[1] is False


@given(st.text(), st.text())
def test_two_texts_have_one_fingerprint_only_if_their_folded_words_are_equal(one: str, other: str) -> None:
    from curation.dedup.folding import reply_key

    a, b = fingerprint(line(one)), fingerprint(line(other))
    assert (a == b) == (reply_key(one) == reply_key(other))
    assert likeness(a, a) == (100.0, True)
