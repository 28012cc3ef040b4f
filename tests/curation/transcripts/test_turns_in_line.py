"""Two people in one line: cut where the name is known or recurs, `mixed` where nobody can tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.codes import blocks_approval
from curation.persona import Persona
from curation.record import Source, Utterance
from curation.transcripts.cast import cast_of
from curation.transcripts.scenes import to_samples
from curation.transcripts.speakers import attribute
from curation.transcripts.turns_in_line import apart

Heard = list[tuple[str | None, str]]
WIN = ("Inosuke", "Up here!")
STOP = ("Tanjiro", "Stop!")


def heard(text: str, persona: Persona, *around: str, given: str = "") -> Heard:
    cast = cast_of([text, *around], [given] if given else (), persona)
    return [(s.speaker, s.text) for s in attribute(text, cast, given, "actor" if given else "")]


def is_mixed(text: str, persona: Persona, *around: str, given: str = "") -> bool:
    cast = cast_of([text, *around], [given] if given else (), persona)
    return any(s.evidence.startswith("mixed") for s in attribute(text, cast, given, "actor" if given else ""))


@pytest.mark.parametrize(
    ("cue", "expected"),
    [
        ("INOSUKE: Up here! TANJIRO: Stop!", [WIN, STOP]),
        ("INOSUKE: Up here! Tanjiro: Stop!", [WIN, STOP]),
        ("INOSUKE: Up here!  TANJIRO (V.O.): Stop!", [WIN, STOP]),
        ("INOSUKE: Up here TANJIRO: Stop!", [("Inosuke", "Up here"), STOP]),
        ("INOSUKE: Up here! KANAO: Stop!", [WIN, ("Kanao", "Stop!")]),
        ("INOSUKE: Up here! MR. SMITH: Stop!", [WIN, ("Mr. Smith", "Stop!")]),
        ("INOSUKE: Up here! TANJIRO: Stop! INOSUKE: No!", [WIN, STOP, ("Inosuke", "No!")]),
        ("TANJIRO: Stop! Inosuke: Up here!", [STOP, WIN]),
        ("INOSUKE：Up here！TANJIRO：Stop!", [("Inosuke", "Up here！"), STOP]),
        ("**INOSUKE:** Up here! **TANJIRO:** Stop!", [WIN, STOP]),
        ("**Inosuke**: Up here! **Tanjiro**: Stop!", [WIN, STOP]),
        ("TANJIRO: Hẹn lúc 10:42 nhé! Đi thôi.", [("Tanjiro", "Hẹn lúc 10:42 nhé! Đi thôi.")]),
    ],
)
def test_a_known_name_or_one_in_capitals_inside_a_line_opens_a_turn(
    cue: str, expected: Heard, persona: Persona
) -> None:
    assert heard(cue, persona, "TANJIRO: Where?", "TANJIRO: Hm.") == expected


@pytest.mark.parametrize(
    ("cue", "expected"),
    [
        ("- Go! - No, wait!", [(None, "Go!"), (None, "No, wait!")]),
        ("– Đi! – Không!", [(None, "Đi!"), (None, "Không!")]),
        ("-Oui. -Non.", [(None, "Oui."), (None, "Non.")]),
        ("INOSUKE: - Go! - No, wait!", [("Inosuke", "Go!"), (None, "No, wait!")]),
        ("INOSUKE: - Go!\n- No, wait!", [("Inosuke", "Go!"), (None, "No, wait!")]),
        ("[INOSUKE] - Go! - No!", [("Inosuke", "Go!"), (None, "No!")]),
        ("- INOSUKE: Go! - TANJIRO: No!", [("Inosuke", "Go!"), ("Tanjiro", "No!")]),
        ("- Minus -5!", [(None, "Minus -5!")]),
        (">> INOSUKE: Go! >> No!", [("Inosuke", "Go!"), (None, "No!")]),
        (">>> Hi! >> INOSUKE: Go!", [(None, "Hi!"), ("Inosuke", "Go!")]),
        (">> [INOSUKE] Go!", [("Inosuke", "Go!")]),
        (">> Tanjiro: Ready?", [("Tanjiro", "Ready?")]),
        (">> Inosuke: Ha! >> Tanjiro: No.", [("Inosuke", "Ha!"), ("Tanjiro", "No.")]),
        ("5 > 2", [(None, "5 > 2")]),
    ],
)
def test_dashes_and_chevrons_open_a_turn_of_another_person(cue: str, expected: Heard, persona: Persona) -> None:
    assert heard(cue, persona) == expected


@pytest.mark.parametrize("cue", ["- Go! - No!", "– Đi! – Không!", "- Go!\n- No!"])
def test_two_dashes_under_one_actor_are_two_people_of_whom_one_is_named(cue: str, persona: Persona) -> None:
    assert [speaker for speaker, _ in heard(cue, persona, given="Inosuke")] == [None, None]


@pytest.mark.parametrize("brackets", ["[]", "()", "（）", "【】"])
@pytest.mark.parametrize("colon", ["", ":", "："])
@pytest.mark.parametrize(("name", "spelled"), [("Tanjiro", "Tanjiro"), ("Chị Aoi", "Chị Aoi"), ("壬氏", "壬氏")])
def test_a_name_in_brackets_that_recurs_is_a_label_at_the_start_and_after_a_sentence(
    brackets: str, colon: str, name: str, spelled: str, persona: Persona
) -> None:
    label = f"{brackets[0]}{name}{brackets[1]}{colon}"
    own = f"{brackets[0]}Inosuke{brackets[1]}{colon}"
    around = [f"{label} Where?", f"{label} Hm.", f"{own} Yes."]
    assert heard(f"{own} Up here! {label} Stop!", persona, *around) == [WIN, (spelled, "Stop!")]
    assert heard(f"{own} Up here!\n{label} Stop!", persona, *around) == [WIN, (spelled, "Stop!")]


@pytest.mark.parametrize(
    "sound", ["Sighs", "Laughing", "Gasps", "Thở dài", "Cười", "Music", "ため息", "笑い声", "Cả hai"]
)
def test_a_sound_in_brackets_that_recurs_is_not_a_person(sound: str, persona: Persona) -> None:
    around = [f"[{sound}] Hm.", f"[{sound}] So.", f"[{sound}] Ah.", "[Inosuke] Ha!"]
    assert heard(f"[{sound}] Up here!", persona, *around) == [(None, f"[{sound}] Up here!")]


@pytest.mark.parametrize("label", ["SPEAKER_00", "Speaker 1", "SPK 2", "Speaker A", "speaker_3", "Người nói 1"])
@pytest.mark.parametrize("form", ["[{}]: {}", "[{}] {}", "({}) {}"])
def test_an_id_of_diarisation_is_kept_so_that_an_alias_can_name_it(label: str, form: str, persona: Persona) -> None:
    [(speaker, text)] = heard(form.format(label, "Up here!"), persona)
    assert text == "Up here!" and speaker is not None and speaker.casefold() == label.casefold()
    named = persona.model_copy(update={"aliases": (label,)})
    assert heard(form.format(label, "Up here!"), named) == [WIN]


def test_corner_quotes_after_known_names_are_turns(persona: Persona) -> None:
    around = ["善逸「帰ろう」", "善逸「いやだ」"]
    assert heard("伊之助「上だぞ！」善逸「待って」", persona, *around) == [("Inosuke", "上だぞ！"), ("善逸", "待って")]
    assert heard("伊之助「上だぞ！」", persona) == [("Inosuke", "上だぞ！")]
    assert heard("カナヲ「はい」", persona) == [(None, "カナヲ「はい」")]
    assert heard("彼は「行け」と言った", persona, *["彼は「来い」と言った"] * 3) == [(None, "彼は「行け」と言った")]


@pytest.mark.parametrize(
    ("cue", "words"),
    [
        ("伊之助:「俺が先に行く！」", "俺が先に行く！"),
        ('INOSUKE: "I win!"', "I win!"),
        ("INOSUKE: “I win!”", "I win!"),
        ("INOSUKE: «Je gagne!»", "Je gagne!"),
        ("[Inosuke] “I win!”", "I win!"),
        ('INOSUKE: "I win," he says, "always."', '"I win," he says, "always."'),
        ("伊之助：「はい」と「いいえ」", "「はい」と「いいえ」"),
    ],
)
def test_quotes_that_enclose_a_whole_turn_are_taken_off(cue: str, words: str, persona: Persona) -> None:
    assert heard(cue, persona) == [("Inosuke", words)]


@pytest.mark.parametrize(
    "cue",
    [
        "INOSUKE: Up here! Kanao: Stop!",
        "INOSUKE: Go! - No, wait!",
        "INOSUKE: Đi! – Không được!",
        "INOSUKE:\nWhere are you going?\nMe? Home.",
        "INOSUKE: Where are you going?\nMe? Home.",
        "伊之助：上だぞ！（善逸）待って",
        "INOSUKE: Up here! (Kanao) Stop!",
        "INOSUKE: Inosuke laughs: he has found a beetle.",
        "INOSUKE: I tell you, Tanjiro: run!",
    ],
)
def test_words_that_may_be_another_persons_are_mixed(cue: str, persona: Persona) -> None:
    assert is_mixed(cue, persona, "TANJIRO: Hm.")


@pytest.mark.parametrize(
    "cue",
    [
        "INOSUKE: I said - go home.",
        "INOSUKE: One rule: never wake me.",
        "INOSUKE: Go! (Sighs) Fine.",
        "INOSUKE: It is 10:42. Go!",
        "INOSUKE: Where are\nyou going?",
        "INOSUKE: Look at https://boar.example",
        "INOSUKE: Ta hét:\nlũ ngươi: ra đây",
        "INOSUKE: Ha! Ha! Ha!",
    ],
)
def test_ordinary_lines_are_not_mixed(cue: str, persona: Persona) -> None:
    assert not is_mixed(cue, persona, "TANJIRO: Hm.")


@pytest.mark.parametrize(
    "around",
    [
        ["TANJIRO: Tell me.", "ZENITSU: Hm."],
        ["Tanjiro: Tell me.", "Tanjiro: Hm.", "Zenitsu: Ah.", "Zenitsu: Oh."],
    ],
)
def test_a_name_before_a_small_letter_is_prose_where_labels_stand_before_sentences(
    around: list[str], persona: Persona
) -> None:
    line = "Inosuke: the boy whom boars raised."
    assert heard(line, persona, *around) == [(None, line)]
    assert heard("Inosuke: The boy!", persona, *around) == [("Inosuke", "The boy!")]


def test_captions_in_small_letters_keep_their_labels(persona: Persona) -> None:
    around = ["Tanjiro: where are you", "Tanjiro: come down"]
    assert heard("Inosuke: up on the roof", persona, *around) == [("Inosuke", "up on the roof")]


def test_a_dialogue_with_a_mixed_line_has_the_flag_that_keeps_it_from_approval(persona: Persona) -> None:
    def line(speaker: str, text: str, evidence: str) -> Utterance:
        source = Source(path="a", sha256="0", locator="cue 1", importer="srt")
        return Utterance(text=text, speaker=speaker, evidence=evidence, source=source)

    lines = [line("Tanjiro", "Hm.", "prefix: x"), line("Inosuke", "Go! - No!", "mixed: INOSUKE")]
    [sample] = to_samples([("a", lines)], persona)[0]
    assert [(f.code, f.detail) for f in sample.flags] == [("possible_speaker", "Go! - No!")]
    assert blocks_approval(sample.flags)


PIECES = st.sampled_from(
    [
        "INOSUKE: ",
        "Tanjiro: ",
        "[Tanjiro] ",
        "（善逸）",
        "- ",
        ">> ",
        "「",
        "」",
        "Up here! ",
        "No. ",
        "\n",
        "ta ",
        "? ",
        ": ",
    ]
)


@given(pieces=st.lists(PIECES, max_size=12))
def test_cutting_a_line_changes_nothing_but_its_white_space(pieces: list[str], persona: Persona) -> None:
    text = "".join(pieces)
    cast = cast_of([text, "[Tanjiro] Hm.", "TANJIRO: Hm."], (), persona)
    whole = "".join(apart(text, cast).replace("：", ":").split())
    assert [c for c in whole if c.isalpha()] == [c for c in "".join(text.split()) if c.isalpha()]


@given(pieces=st.lists(PIECES, max_size=12))
def test_no_word_of_a_line_is_lost_or_said_twice(pieces: list[str], persona: Persona) -> None:
    text = "".join(pieces)
    cast = cast_of([text], (), persona)
    words = " ".join(s.text for s in attribute(text, cast)).split()
    for word in ("here!", "No.", "ta"):
        assert words.count(word) <= text.split().count(word) or word in text.replace(" ", "")
