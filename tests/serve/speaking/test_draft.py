"""A reply never shows a word that the character avoids, and never takes back what it shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.checks import avoided
from curation.persona import load_persona
from curation.repeats import find_loop
from serve.speaking.draft import BREAK_OFF, MOST_HELD, TRIES_AT_ONE_PLACE, Draft, Rewind
from serve.speaking.guard import Guard
from tests.conftest import ROOT

PERSONA = load_persona(ROOT / "persona.toml")
GUARD = Guard(PERSONA)


def speak(wishes, may_rewind=True, guard=GUARD):
    """Let a model say its wishes, each a text or a list of texts in its order of liking; returns pieces and the draft.

    A wish is said at its place among the tokens. After a rewind the model wishes the same again; where it has no other
    wish, it says a number.
    """
    liked = [[wish] if isinstance(wish, str) else list(wish) for wish in wishes]
    vocabulary = sorted({text for texts in liked for text in texts} | {f" {n}" for n in range(len(wishes))})
    draft, pieces, banned, at = Draft(guard, may_rewind), [], {}, 0
    while at < len(wishes):
        wish = next((t for t in liked[at] if vocabulary.index(t) not in banned.get(at, ())), f" {at}")
        shown, then = draft.add(vocabulary.index(wish), wish)
        at += 1
        if at == len(wishes) and then is True:
            pieces.append(shown)
            shown, then = draft.end()
        pieces.append(shown)
        if isinstance(then, Rewind):
            at, banned[then.kept] = then.kept, then.banned
        elif then is False:
            break
    return pieces, draft


@pytest.mark.parametrize(
    ("wishes", "said"),
    [
        (["Hừ", [" tôi", " ta"], " khỏe"], "Hừ ta khỏe"),
        (["Hừ, ", ["t", "ta "], "ôi", " đây"], "Hừ, ta ôi đây"),
        ([["Dạ", "Này"], ", ngươi!"], "Này, ngươi!"),
        (["Ta không sợ", [" ạ", " đâu"], "!"], "Ta không sợ đâu!"),
        (["Đi thôi", [" ạ", " nào"]], "Đi thôi nào"),  # only the end decides
        (["Cứ", [" xin", " đi"], " phép", " đi"], "Cứ đi phép đi"),
        (["I am", [" a language", " a boar"], " model", "."], "I am a boar model."),
        (["TA", [" TÔI", " đây"], "!"], "TA đây!"),
    ],
)
def test_a_word_that_the_character_avoids_is_said_differently(wishes, said):
    pieces, draft = speak(wishes)
    assert "".join(pieces) == said
    assert draft.stopped["avoided"] >= 1


@pytest.mark.parametrize(
    "wishes",
    [
        ["Kẻ", " gan", " dạ", " mới", " thắng", "!"],
        ["Bọn", " tôi", " tớ", " kia"],
        ["Hắn", " nói", ' "', "Dạ", ", thưa", " ngài", '"', " rồi", " chạy"],
        ["Chữ", " dạ", " là", " gì", "?"],
        ["Xin phép", " là", " gì", "?"],
        ["Tô", "i luyện"],
        ["t", "h", "ầy", " trò"],
        ["Models", " of", " language"],
    ],
)
def test_other_words_with_the_same_letters_and_quotations_are_left_alone(wishes):
    pieces, draft = speak(wishes)
    assert "".join(pieces) == "".join(wishes)
    assert not draft.stopped


def test_only_what_may_become_such_a_word_is_held_back():
    pieces, _ = speak(["Ta", " là", " t", "hú", " dữ", ", d", "ữ", " lắm", "!"])
    assert pieces == ["Ta", " là", "", " thú", " dữ", "", ", dữ", " lắm", "!", ""]


def test_a_word_that_what_follows_made_harmless_is_not_shown_before_that_is():
    """`ạ lắm` is no politeness, but the reply may not end after `ạ` once ` tôi` is refused."""
    pieces, _ = speak(["Vâng", " ạ", [" tôi", "!"], " đi"])
    assert avoided("".join(pieces), PERSONA) == []
    assert "".join(pieces).startswith("Vâng")


def test_a_reply_with_no_way_on_ends_before_the_word():
    draft = Draft(GUARD)
    pieces = [draft.add(99, "Ta là")[0]]
    for token in range(TRIES_AT_ONE_PLACE + 1):  # so many tokens for one word
        assert draft.add(token, " tôi") == ("", True)
        shown, then = draft.add(99, " đây")
        assert then == (token < TRIES_AT_ONE_PLACE and Rewind(1, frozenset(range(token + 1))))
    assert [*pieces, shown] == ["Ta là", BREAK_OFF]


def test_a_reply_is_never_empty():
    draft = Draft(GUARD, may_rewind=False)
    assert draft.add(1, "Dạ, thưa ngài!") == (BREAK_OFF, False)


def test_without_a_way_back_a_reply_ends_before_the_word():
    pieces, _ = speak(["Ta là", " chúa tể. ", "Xin", " phép", " ngài"], may_rewind=False)
    assert "".join(pieces) == "Ta là chúa tể. "
    pieces, _ = speak(["Ta là", " chúa tể và tôi đây"], may_rewind=False)
    assert "".join(pieces) == f"Ta là chúa tể và{BREAK_OFF}"


def test_a_quotation_that_never_ends_counts_as_speech():
    pieces, draft = speak(["Hừ", [' "', " Ta"], *[" tôi,", " bla"] * MOST_HELD])
    assert draft.stopped["avoided"]
    assert "tôi" not in "".join(pieces)


@pytest.mark.parametrize(
    "wishes",
    [
        ["Ta", " là", " vua", "!"] * 12,
        ["Xông", " lên", " nào", " bọn", " kia", " mau", " đánh", " nó", "!"] * 5,
        ["ハハハ伊之助"] * 30,
        [word for n in range(40) for word in ("Ta", " ăn", " cơm", f" {n % 3}", ".")],
    ],
)
def test_a_loop_is_stopped_before_it_is_one(wishes):
    pieces, draft = speak(wishes)
    text = "".join(pieces)
    assert find_loop("".join(wishes), ended=True) and find_loop(text, ended=True) is None
    assert draft.stopped["loop"] and not draft.stopped["avoided"]


def test_a_model_that_is_stuck_goes_on_with_other_words():
    words = ["Ta", " là", [" vua", " chúa"], "!"]
    pieces, draft = speak(words * 3 + [" Nghe", " chưa", "?"])
    assert "".join(pieces) == "Ta là vua!" * 2 + "Ta là chúa! Nghe chưa?"
    assert draft.stopped["loop"] == 1


@pytest.mark.parametrize("text", ["Xông lên! Xông lên! Xông lên!", "Hahahahahaha!", "Đi! Đi! Đi! Đi! Đi!"])
def test_a_shout_is_no_loop(text):
    pieces, draft = speak(list(text))
    assert "".join(pieces) == text and not draft.stopped


@pytest.mark.parametrize(
    ("off", "wishes"),
    [("out_of_character", ["Ta là", " tôi", " đây"]), ("loop", ["Ta", " là", " vua", "!"] * 12)],
)
def test_what_persona_toml_switches_off_is_not_stopped(tmp_path, off, wishes):
    toml = tmp_path / "persona.toml"
    text = (ROOT / "persona.toml").read_text(encoding="utf-8")
    toml.write_text(f'{text}\n[checks]\noff = ["{off}"]\n', encoding="utf-8")
    pieces, _ = speak(wishes, guard=Guard(load_persona(toml)))
    assert "".join(pieces) == "".join(wishes)


PIECES = st.sampled_from(
    [
        *(
            " dạ",
            "dạ",
            " tôi",
            " t",
            "ôi",
            " tớ",
            " gan",
            " ạ",
            "ạ",
            "Dạ",
            "THƯA",
            " thưa",
            " thầy",
            " sư",
            " phụ",
            " vâng",
        ),
        *("!", ",", ".", "?", "…", "\n", " ", "  ", '"', " “", "”", " '", "'", " «", "»", " nói", " chữ", " bề", " Ta"),
        *(" xin", " phép", " là", " gì", " nghĩa", " sao", " as an", " AI", " language", " model", "s"),
    ]
)


@pytest.mark.parametrize("may_rewind", [True, False])
@given(wishes=st.lists(st.lists(PIECES, min_size=1, max_size=3), max_size=25), cut=st.booleans())
def test_whatever_a_model_wishes_no_avoided_word_is_shown(may_rewind, wishes, cut):
    pieces, draft = speak(wishes, may_rewind)
    text = "".join(pieces)
    if cut:  # the reply may end at any moment: the limit, a stop string, a client that leaves
        for end in range(len(pieces)):
            assert avoided("".join(pieces[:end]), PERSONA) == []
    assert avoided(text, PERSONA) == []
    assert draft.text == text
