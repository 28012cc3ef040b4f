"""The speaker of a line. Each case is a whole cue; `cast_of` gets the file around it."""

import pytest

from curation.codes import EVIDENCE
from curation.record import Source, Utterance
from curation.transcripts.speakers import attribute, cast_of, confidence


def heard(text, persona, *around, script=False):
    return [(s.speaker, s.text) for s in attribute(text, cast_of([text, *around], (), persona, script))]


@pytest.mark.parametrize(
    ("cue", "expected"),
    [
        ("INOSUKE: Ta đây!", [("Inosuke", "Ta đây!")]),
        ("伊之助：うるせえ", [("Inosuke", "うるせえ")]),
        ("Hashibira: Ta đây!", [("Inosuke", "Ta đây!")]),
        ("ASH, MISTY: Chạy!", [("Ash, Misty", "Chạy!")]),
        ("MAN 1: Này!", [("Man 1", "Này!")]),
        ("TANJIRO (thì thầm): Suỵt", [("Tanjiro", "Suỵt")]),
        ("TANJIRO: Đi\nINOSUKE: Không", [("Tanjiro", "Đi"), ("Inosuke", "Không")]),
        ("TANJIRO: Đi\nnhanh lên", [("Tanjiro", "Đi\nnhanh lên")]),
        ("- Ngươi?\n- INOSUKE: Ta!", [(None, "Ngươi?"), ("Inosuke", "Ta!")]),
        ("- Ai?\n- Gì?", [(None, "Ai?"), (None, "Gì?")]),
        ("- Một mình", [(None, "Một mình")]),
        ("INOSUKE\nĐứng lại!", [("Inosuke", "Đứng lại!")]),
        ("[INOSUKE] Hả?", [("Inosuke", "Hả?")]),
        ("[cửa mở] Hả?", [(None, "[cửa mở] Hả?")]),
        ("10:42", [(None, "10:42")]),
        ("Hẹn lúc 10:42 nhé", [(None, "Hẹn lúc 10:42 nhé")]),
        ("John: an earring", [(None, "John: an earring")]),
        ("Ta hét vào núi: ra đây", [(None, "Ta hét vào núi: ra đây")]),
        ("NGHE ĐÂY: CHẠY MAU", [(None, "NGHE ĐÂY: CHẠY MAU")]),
        ("CHẠY ĐI\nMAU LÊN", [(None, "CHẠY ĐI\nMAU LÊN")]),
        ("Xem https://x.example", [(None, "Xem https://x.example")]),
        ("え", [(None, "え")]),
        # An unknown name is not the character.
        ("INOSUKE: Ta đây!\nZenitsu: Đợi với!", [("Inosuke", "Ta đây!"), (None, "Zenitsu: Đợi với!")]),
        ("INOSUKE: Ta đói!\n- Ăn đi.\nNhanh!", [("Inosuke", "Ta đói!"), (None, "Ăn đi.\nNhanh!")]),
        ("INOSUKE: Ta hét:\nlũ ngươi: ra đây", [("Inosuke", "Ta hét:\nlũ ngươi: ra đây")]),
    ],
)
def test_cues_of_subtitles(cue, expected, persona):
    assert heard(cue, persona) == expected


def test_a_label_in_ordinary_case_has_to_recur(persona):
    once = "Aoi: Ăn đi!"
    assert heard(once, persona, "Aoi: Rửa tay!") == [(None, once)]
    assert heard(once, persona, "Aoi: Rửa tay!", "Aoi: Ngủ đi!") == [("Aoi", "Ăn đi!")]
    assert heard(once, persona, "Aoi: Rửa tay!", script=True) == [("Aoi", "Ăn đi!")]


def test_a_name_alone_on_its_line_has_to_be_known(persona):
    assert heard("MISTY\nGì?", persona) == [(None, "MISTY\nGì?")]
    assert heard("MISTY\nGì?", persona, "ASH, MISTY: Chạy!") == [("Misty", "Gì?")]


def test_the_format_is_trusted_over_the_text(persona):
    cast = cast_of([], ("Tanjiro",), persona)
    assert attribute("Zenitsu: bảo thế", cast, "Tanjiro", "actor")[0].text == "Zenitsu: bảo thế"
    (piece,) = attribute("TANJIRO: Đi!", cast, "Tanjiro", "actor")
    assert piece == ("Đi!", "Tanjiro", "actor: Tanjiro")


@pytest.mark.parametrize(
    ("cue", "expected"),
    [
        ("Ta đây!\nZenitsu: Đợi với!", [("Inosuke", "Ta đây!"), (None, "Zenitsu: Đợi với!")]),
        ("Ta đây!\nTANJIRO: Đợi với!", [("Inosuke", "Ta đây!"), ("Tanjiro", "Đợi với!")]),
        ("INOSUKE: Ta đây!\nnhanh lên", [("Inosuke", "Ta đây!\nnhanh lên")]),
        ("ZENITSU: Ồn quá!", [(None, "ZENITSU: Ồn quá!")]),
        ("- Ta!\n- Ừ!", [(None, "Ta!"), (None, "Ừ!")]),
        ("- INOSUKE: Ta!\n- Ừ!", [("Inosuke", "Ta!"), (None, "Ừ!")]),
    ],
)
def test_a_line_with_two_claimed_speakers_is_not_the_characters(cue, expected, persona):
    pieces = attribute(cue, cast_of([cue], ("Tanjiro",), persona), "Inosuke", "actor")
    assert [(p.speaker, p.text) for p in pieces] == expected


def test_several_at_once_are_not_the_character(persona):
    cast = cast_of([], (), persona)
    assert cast.includes_character("Inosuke, Zenitsu") and not cast.is_character("Inosuke, Zenitsu")
    assert cast.is_character("hashibira inosuke") and not cast.includes_character("Inosuke")


def test_confidence_of_each_evidence():
    def sure(evidence):
        return confidence(
            Utterance(
                text="x",
                speaker=None,
                evidence=evidence,
                source=Source(path="", sha256="", locator="", importer=""),
                start_ms=None,
                end_ms=None,
            )
        )

    assert (
        sure("actor: Inosuke")
        == EVIDENCE["actor"].confidence
        > sure("prefix: INOSUKE")
        > sure("style: Inosuke")
        > sure("none")
    )
    assert sure("something else") == 0.0
