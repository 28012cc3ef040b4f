"""A program's words that were left in a text are flagged; what people write is not."""

import pytest

from curation.cleaning.damage import damage_flags, template_words_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hey {{user}}, I win!", ["{{user}}"]),
        ("{{char}} and {{user}} and {{char}}", ["{{char}}", "{{user}}"]),
        ("Hello <START> there", ["<START>"]),
        ("Hello <USER> and <BOT>", ["<USER>", "<BOT>"]),
        ("I win!<|im_end|>", ["<|im_end|>"]),
        ("[INST] Hi [/INST] Ha!", ["[INST]", "[/INST]"]),
        ("Ha!</s>", ["</s>"]),
        ("Ha!<end_of_turn>", ["<end_of_turn>"]),
        ("Ha! ### Human: And now?", ["### Human"]),
    ],
)
def test_left_over_words(text, found):
    assert template_words_in(text) == found
    (flag,) = damage_flags(("Hi.", text))
    assert (flag.code, flag.detail) == ("template_words", ", ".join(found))


@pytest.mark.parametrize("text", ["I win {laughs} again!", "<3", "a < b > c", "[laughs]", "# 1 king", "{}", "x <b> y"])
def test_words_of_people(text):
    assert damage_flags((text,)) == ()


@pytest.mark.parametrize("text", ["TrÃªn mÃ¡i nhÃ", "ÄÃ¢u rá»i?", "d\ufffd", "Â«oui»"])
def test_letters_of_a_wrong_encoding(text):
    assert [f.code for f in damage_flags((text,))] == ["damaged_letters"]


@pytest.mark.parametrize(
    "text", ["Ông ấy nói: “Ừ…”", "Êy, Ân Ấn!", "«Oui», dit-il à l'été", "Ãnh", "それ…", "£5 ± 1 °C", "Größe „ja“", "½"]
)
def test_letters_that_belong_together(text):
    assert damage_flags((text,)) == ()
