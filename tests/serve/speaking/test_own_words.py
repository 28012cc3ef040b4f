"""What a character says in a room, whatever labels its model writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serve.engine import Delta, Done, Settings
from serve.speaking.own_words import Labels, OwnWords, own_words

LABELS = Labels(("Inosuke", "伊之助"), ("Zenitsu", "Agatsuma Zenitsu", "Khách", "Tố Nữ", "Groß", " "))

SAID = {
    # The character's own label is left out, wherever it stands.
    "Inosuke: Ta đây!": "Ta đây!",
    "**Inosuke:** Ta đây!": "Ta đây!",
    "inosuke : Inosuke: Ta đây!": "Ta đây!",
    "[伊之助]：俺様だ！": "俺様だ！",
    "Ta đây!\nInosuke: Lên nào!": "Ta đây!\nLên nào!",
    # Another's label ends the reply before it.
    "Ta đây!\nZenitsu: Đừng mà!": "Ta đây!",
    "Ta đây! Zenitsu: Đừng mà!": "Ta đây!",
    "Ta đây!\n\n*Agatsuma Zenitsu*: Đừng mà!\nInosuke: Ha!": "Ta đây!",
    "Ta đây!\nTo\u0302\u0301 Nu\u031b\u0303: Chào!": "Ta đây!",
    "Zenitsu: Đừng mà!": "",
    "Inosuke: Zenitsu: Đừng mà!": "",
    # Names inside what is said are words.
    "Zenitsu, chạy đi!": "Zenitsu, chạy đi!",
    "Ta hét với Zenitsu: chạy đi!": "Ta hét với Zenitsu: chạy đi!",
    "Ta nói thế này: đánh!\nNghe rõ: đánh!": "Ta nói thế này: đánh!\nNghe rõ: đánh!",
    "Zenitsu": "Zenitsu",
    "Ha!\nGROß: Nein!": "Ha!",
    "Ha!\nınosuke: Ta!": "Ha!\nTa!",
    "": "",
}


@pytest.mark.parametrize("text", SAID)
def test_own_labels_are_left_out_and_anothers_line_ends_the_reply(text):
    assert LABELS.said(text, ended=True)[0] == SAID[text]


@pytest.mark.parametrize("text", SAID)
def test_what_was_shown_is_never_taken_back(text):
    words, shown = OwnWords(LABELS), ""
    for letter in text:
        shown += words.add(letter)
        assert SAID[text].startswith(shown)
    assert shown + words.add("", ended=True) == SAID[text]


@given(
    st.lists(
        st.sampled_from(
            ["Zenitsu", "Inosuke", ":", " ", "\n", "! ", "**", "ta", "T", "o\u0302", "ố", "[", "ı", "İ", "ınosuke: "]
        ),
        max_size=12,
    )
)
def test_pieces_give_what_the_whole_text_gives(pieces):
    words = OwnWords(LABELS)
    shown = "".join([*map(words.add, pieces), words.add("", ended=True)])
    assert shown == LABELS.said("".join(pieces), ended=True)[0]


class Model:
    """Says one text after the other, a word at a time, and stops where it is told to."""

    def __init__(self, *texts):
        self.texts, self.seeds, self.stopped = list(texts), [], []

    def __call__(self, settings, cancelled):
        self.seeds.append(settings.seed)
        for n, word in enumerate(self.texts.pop(0).split(" ")):
            if cancelled():
                self.stopped.append(n)
                yield Done("cancelled", 5, n)
                return
            yield Delta(f"{word} ")
        yield Done("stop", 5, n + 1)


def heard(model, **settings):
    *deltas, done = own_words(model, Settings(**settings), lambda: False, LABELS)
    return "".join(event.text for event in deltas), done


def test_the_model_is_stopped_where_anothers_line_begins():
    model = Model("Ha! Zenitsu: ôi mẹ ơi cứu tôi với")
    text, done = heard(model)
    assert text == "Ha!" and model.stopped == [2]
    assert (done.finish_reason, done.prompt_tokens, done.completion_tokens) == ("stop", 5, 2)


def test_a_reply_that_is_anothers_line_alone_is_drawn_again_with_another_seed():
    model = Model("Zenitsu: ôi", "Inosuke: Ta đây!")
    text, done = heard(model, seed=7)
    assert text == "Ta đây!" and model.seeds == [7, 8] and done.finish_reason == "stop"


def test_a_model_that_never_says_its_own_line_says_nothing():
    model = Model(*["Zenitsu: ôi"] * 3)
    assert heard(model)[0] == "…" and model.texts == []
    certain = Model("Zenitsu: ôi", "never asked")
    assert heard(certain, temperature=0.0)[0] == "…" and certain.texts == ["never asked"]


def test_a_client_that_leaves_ends_it():
    model = Model("một hai ba")
    events = own_words(model, Settings(), lambda: True, LABELS)
    assert [event.finish_reason for event in events] == ["cancelled"] and model.stopped == [0]
