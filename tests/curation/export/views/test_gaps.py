"""What an export says little about."""

from __future__ import annotations

from typing import Any

from curation.export.views.gaps import SUBJECTS, subjects, unlike_train
from tests.curation.export.views.test_people import row


def held_out(text: str, tests: str | None = "skill") -> Any:
    return {"id": text, "messages": [{"role": "user", "content": text}], "tests": tests}


def test_subjects_are_counted_by_the_words_of_prompts_whole_and_in_any_case() -> None:
    rows = [*(row(f"Tết này ngươi ăn gì, lần {n}?", "Không ngủ!") for n in range(6)), row("Hết tếttt rồi.", "Hả?")]
    found = {subject.name: subject for subject in subjects(rows)}
    assert (found["food"].rows, found["food"].missing) == (6, False)
    assert (found["feasts and holidays"].rows, found["feasts and holidays"].missing) == (6, False)
    assert (found["sleep and dreams"].rows, found["sleep and dreams"].missing) == (0, True), "a reply is no prompt"
    assert [s.rows for s in subjects(rows)] == sorted(s.rows for s in subjects(rows))


def test_each_language_of_the_export_has_its_own_list() -> None:
    english = row("Do you ever count money?", "Never!") | {"language": "en"}
    found = {(s.language, s.name): s.rows for s in subjects([english, row("Ngươi có tiền không?", "Không!")])}
    assert (found["en", "work and money"], found["vi", "work and money"]) == (1, 1)
    assert (found["en", "numbers and sums"], found["vi", "numbers and sums"]) == (1, 0)
    assert {language for language, _ in found} == {"en", "vi"}
    assert subjects([row("Grr", "Grr!") | {"language": None}]) == []


def test_every_subject_has_words_in_the_languages_of_the_starter_corpus() -> None:
    assert all(words.keys() == {"vi", "en"} for words in SUBJECTS.values())


def test_a_prompt_is_like_train_if_it_shares_two_content_words() -> None:
    train = [row(f"Ngươi có sợ {what} không?", "Không!") for what in ("sấm sét", "bóng tối", "thác nước", "gấu nâu")]
    asked = [held_out("Bóng tối thì sao?"), held_out("Ngươi có sợ thuế không?"), held_out("Gấu ăn gì?", None)]
    unlike, total = unlike_train(train, asked, {"vi": ("Sấm sét kìa!", "Bầu cử là gì?")})
    assert total == 5
    assert [(question.group, question.text) for question in unlike] == [
        ("skill", "Ngươi có sợ thuế không?"),
        ("held out", "Gấu ăn gì?"),
        ("starter", "Bầu cử là gì?"),
    ]
