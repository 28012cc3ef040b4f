"""How each person is spoken of and spoken to."""

from __future__ import annotations

from typing import Any

from curation.export.views.people import names, people

OWN = ("Inosuke", "Hashibira Inosuke", "Bạn", "Người khác")


def row(asked: str, reply: str, speaker: str | None = "Bạn", topic: str | None = None) -> Any:
    messages = [
        {"role": "user", "content": asked, "name": speaker},
        {"role": "assistant", "content": reply, "name": None},
    ]
    return {"id": asked, "kind": "conversation", "language": "vi", "topic": topic, "messages": messages}


ROWS = [
    *(row(f"Inosuke, cậu thấy Rengoku thế nào, lần {n}?", "Ông ấy ăn khỏe! Ông ấy cười to!") for n in range(6)),
    *(row(f"Nghe nói Rengoku mạnh lắm, lần {n}?", "Ông ta mạnh, nhưng ta mạnh hơn!") for n in range(4)),
    *(row(f"Còn Nezuko thì sao, ngày {n}?", "Nó ngủ suốt! Tụi nó im re!") for n in range(5)),
    *(row(f"Hắn đáng ghét không, {n}?", "Hắn thối!", topic="Hội thoại về Rui.") for n in range(5)),
    *(row(f"Rui với Rengoku ai hơn, {n}?", "Hắn!") for n in range(3)),
    *(row(f"Ăn bún đi, bát {n}!", "Ngươi nấu hả? Ngươi được đấy!", speaker="Tanjiro") for n in range(5)),
    row("Ta gọi Kanao nhé?", "Gọi đi!"),
    row("Đi Đâu đó không? Mai đi đâu? Rồi đi đâu nữa?", "Mày hỏi nhiều!"),
]


def found() -> dict[str, Any]:
    return {person.name: person for person in people(ROWS, OWN)}


def test_names_stand_with_a_capital_inside_sentences_in_several_rows() -> None:
    assert names(ROWS, OWN) == {"Rengoku": 13, "Rui": 8, "Nezuko": 5, "Tanjiro": 5}


def test_the_words_for_a_person_are_counted_once_a_row_where_no_one_else_is_named() -> None:
    assert found()["Rengoku"].referred == {"ông ấy": 6, "ông ta": 4}
    assert found()["Nezuko"].referred == {"nó": 5, "tụi nó": 5}
    assert (found()["Rui"].rows, found()["Rui"].referred) == (5, {"hắn": 5}), "only the topic names Rui"


def test_a_person_without_one_word_is_mixed() -> None:
    assert {name: person.mixed for name, person in found().items() if name} == {
        "Rengoku": True,
        "Nezuko": True,
        "Rui": False,
        "Tanjiro": False,
    }


def test_whoever_talks_is_addressed_apart_from_a_named_speaker() -> None:
    assert found()["Tanjiro"].addressed == {"ngươi": 5}
    assert found()[""].addressed == {"mày": 1}
    assert next(iter(found())) == "", "whoever talks comes first"


def test_english_pronouns_are_one_word_whatever_their_form() -> None:
    rows = [row(f"What about Tanjiro, day {n}?", "I beat him! His head is hard! You know her?") for n in range(5)]
    rows += [row("I saw Tanjiro.", "He runs!"), row("Was it Tanjiro?", "Yes!")]
    (talking, tanjiro) = people(rows, OWN)
    assert tanjiro.referred == {"he": 6, "she": 5}
    assert talking.addressed == {"you": 5}


def test_a_word_in_each_language_is_not_mixed() -> None:
    rows = [row(f"Thấy Rengoku chưa, {n}?", "Hắn đi rồi!") for n in range(4)]
    rows += [row(f"Have you seen Rengoku, {n}?", "He left!") for n in range(4)]
    (_, rengoku) = people(rows, OWN)
    assert (dict(rengoku.referred), rengoku.settled, rengoku.mixed) == ({"he": 4, "hắn": 4}, 1.0, False)


def test_an_export_without_names_has_only_whoever_talks() -> None:
    assert [person.name for person in people([row("Đói chưa?", "Đói!")], OWN)] == [""]
    assert people([], OWN)[0].rows == 0


def test_the_table_of_address_says_which_words_are_beside_it() -> None:
    found = {p.name: p for p in people(ROWS, OWN, {"user": ["ngươi"], "Rengoku": ["ông ấy"], "Kanao": ["con bé"]})}
    assert found["Rengoku"].table == ("ông ấy",)
    assert found["Rengoku"].beside_table == {"ông ta": 4}
    assert found["Rengoku"].mixed
    assert found[""].beside_table == {"mày": 1}
    assert found["Kanao"].beside_table == {}  # listed, however few rows name her
    assert found["Nezuko"].table == ()  # no entry: as before
