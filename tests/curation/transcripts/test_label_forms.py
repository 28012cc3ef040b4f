"""Names before a line in brackets of every kind, behind a dash, a rule or an arrow, or alone above it."""

import pytest

from curation.persona import Persona
from curation.transcripts.cast import cast_of
from curation.transcripts.speakers import attribute

SCENES = (
    [("Tanjiro", "We go."), ("Inosuke", "Then run!"), ("Tanjiro", "Wait.")],
    [("Thán Trị Lang", "Đi thôi."), ("Inosuke", "Chạy đi!"), ("Thán Trị Lang", "Đợi tớ với.")],
    [("炭治郎", "行くぞ。"), ("伊之助", "走れ！"), ("炭治郎", "待ってくれ。")],
    [("탄지로", "가자."), ("Inosuke", "뛰어!"), ("탄지로", "기다려.")],
)
FORMS = [
    *("{}: {}", "{} (angry): {}", "[{}] {}", "[{}]: {}", "[{}] - {}", "- [{}] {}", "({}) {}", "（{}）{}", "【{}】{}"),
    *("{{{}}} {}", "<{}> {}", "«{}» {}", "« {} » {}", "〈{}〉{}", "《{}》{}", "［{}］{}", "〔{}〕{}", "**{}** {}"),
    *("＜{}＞{}", "｛{}｝{}", "≪{}≫{}", "*{}* {}", "_{}_ {}", "{}｜{}", "{}＞{}"),
    *("{} - {}", "{} – {}", "{} — {}", "- {} - {}", "{} | {}", "{} > {}", "{} → {}", "{} => {}", "{}\n{}", "[{}]\n{}"),
    *("{} “{}”", "{}「{}」", "{}『{}』"),
]


def heard(texts: list[str], persona: Persona) -> list[tuple[str | None, str]]:
    cast = cast_of(texts, (), persona)
    return [(s.speaker, s.text.strip()) for text in texts for s in attribute(text, cast)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scene", SCENES)
def test_a_name_that_comes_twice_is_a_label_where_a_known_name_is_written_alike(
    form: str, scene: list[tuple[str, str]], persona: Persona
) -> None:
    expected = [("Inosuke" if name == "伊之助" else name, words) for name, words in scene]
    assert heard([form.format(name, words) for name, words in scene], persona) == expected


@pytest.mark.parametrize("form", ["[{}] {}", "({}) {}", "【{}】{}", "<{}> {}", "{}: {}", "{} - {}", "{} | {}"])
def test_with_a_name_on_every_line_one_that_comes_once_is_a_label(form: str, persona: Persona) -> None:
    scene = [("Tanjiro", "We go."), ("Inosuke", "Then run!"), ("Zenitsu", "No.")]
    assert heard([form.format(name, words) for name, words in scene], persona) == scene


@pytest.mark.parametrize("form", ["[{}] {}", "{}: {}", "{} - {}", "{} → {}", "«{}» {}"])
def test_names_that_recur_are_found_in_a_file_without_the_character(form: str, persona: Persona) -> None:
    scene = [("Kanao", "We go."), ("Aoi", "No."), ("Kanao", "Please."), ("Aoi", "Never.")]
    assert heard([form.format(name, words) for name, words in scene], persona) == scene


@pytest.mark.parametrize(
    ("cue", "expected"),
    [
        ("[Inosuke] Then run! [Tanjiro] Wait!", [("Inosuke", "Then run!"), ("Tanjiro", "Wait!")]),
        ("<Inosuke> Then run! <Tanjiro> Wait!", [("Inosuke", "Then run!"), ("Tanjiro", "Wait!")]),
        ("［Inosuke］Then run ［Tanjiro］Wait!", [("Inosuke", "Then run"), ("Tanjiro", "Wait!")]),
    ],
)
def test_a_second_name_in_brackets_opens_a_turn(
    cue: str, expected: list[tuple[str | None, str]], persona: Persona
) -> None:
    around = [cue.partition("In")[0] + f"Tanjiro{cue[cue.index('ke') + 2]} Go." for _ in range(2)]
    assert heard([*around, cue], persona)[2:] == expected


def test_a_dash_form_opens_a_turn_inside_a_line(persona: Persona) -> None:
    texts = ["Tanjiro - We go.", "Inosuke - Then run! Tanjiro - Wait!", "Tanjiro - Hm."]
    assert heard(texts, persona)[1:3] == [("Inosuke", "Then run!"), ("Tanjiro", "Wait!")]


@pytest.mark.parametrize(
    "texts",
    [
        ["Inosuke - come here!", "Where is he?", "I do not know.", "Up there."],
        ["Inosuke — the boar — has come.", "Tanjiro — the elder — is gone.", "Tanjiro — he waits."],
        ["«Inosuke» has come.", "I saw it.", "Where?", "Here."],
        ["《鬼滅の刃》面白いね。", "そうだね。", "《鬼滅の刃》読んだ？"],
        ["Wait - I see him.", "Now - go!", "Wait - no!", "Run - now!"],
        ["Tanjiro\nwe have to go", "Where\nare you", "Inosuke\nis up there"],
        ["5 > 2", "Sugar > salt", "Sugar > rice"],
        ["*Inosuke* jumps on the roof.", "*Tanjiro* sighs.", "Fine."],
        ["«Inosuke» est là.", "Où ça ?", "« Tanjiro » aussi.", "Bien."],
        ["Listen: We go.", "Listen: They come.", "Where to?"],
        ["**Never** do that.", "**Never** say so.", "I won't."],
    ],
)
def test_prose_with_the_same_marks_names_nobody(texts: list[str], persona: Persona) -> None:
    assert {speaker for speaker, _ in heard(texts, persona)} == {None}


@pytest.mark.parametrize(
    "sound", ["door slams", "Door slams", "Sighs", "Thở dài", "ため息", "Rain", "Static", "Music", "To Tanjiro", "Both"]
)
def test_a_sound_beside_names_in_brackets_stays_a_sound(sound: str, persona: Persona) -> None:
    texts = ["[Inosuke] Ha!", "[Tanjiro] Hm.", f"[{sound}] What?", f"[{sound}] Again.", "[Tanjiro] So."]
    assert [speaker for speaker, _ in heard(texts, persona)] == ["Inosuke", "Tanjiro", None, None, "Tanjiro"]


def test_labels_of_a_file_in_capitals_or_in_small_letters_count(persona: Persona) -> None:
    assert heard(["AOI: WHERE ARE YOU?", "INOSUKE: UP HERE!", "AOI: COME DOWN."], persona)[0][0] == "Aoi"
    assert heard(["Aoi: where are you", "Inosuke: up here", "Aoi: come down"], persona)[0] == ("Aoi", "where are you")
    assert heard(["Speaker 0: Where?", "Speaker 1: Here!"], persona) == [
        ("Speaker 0", "Where?"),
        ("Speaker 1", "Here!"),
    ]


def test_a_dash_inside_one_persons_line_stays(persona: Persona) -> None:
    texts = ["Tanjiro: Wait - I see him.", "Inosuke: Go - now!", "Tanjiro: No."]
    assert heard(texts, persona)[:2] == [("Tanjiro", "Wait - I see him."), ("Inosuke", "Go - now!")]
