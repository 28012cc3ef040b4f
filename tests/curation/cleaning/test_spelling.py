"""Spelling: one form for the same words, what is left alone, and what was changed."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curation.cleaning.normalise import clean_text
from curation.cleaning.spelling import respell


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # the place of the tone mark
        ("Ngươi khoẻ hoà thuỷ hoá doạ loè!", "Ngươi khỏe hòa thủy hóa dọa lòe!"),
        ("Tuỳ ngươi! Uỷ quyền, huỷ bỏ, luỹ tre, truỵ lạc", "Tùy ngươi! Ủy quyền, hủy bỏ, lũy tre, trụy lạc"),
        ("Thuý Hoà oà khóc, xoã tóc, choé lửa", "Thúy Hòa òa khóc, xõa tóc, chóe lửa"),
        ("HOÀ BÌNH! KHOẺ!", "HÒA BÌNH! KHỎE!"),
        ('hoà-bình (toà nhà) "xoá"', 'hòa-bình (tòa nhà) "xóa"'),
        # letters of another script in a Latin word
        ("Tа là vuа", "Ta là vua"),
        ("Та là vua", "Ta là vua"),
        ("Ngươі đі đâu", "Ngươi đi đâu"),
        ("Кhông", "Không"),
        ("tὸ, cό", "tò, có"),
        ("Tɑ không ɡì, cօ", "Ta không gì, co"),
        ("h\u043e\u0300a", "hòa"),
        ("h\u043e\u0430\u0300", "hòa"),
        ("Ðường Ðại Ðế", "Đường Đại Đế"),
        # wide and mathematical letters
        ("ＡＢＣ！ Ta mạnh", "ABC! Ta mạnh"),
        ("Ｔａ　１００％", "Ta 100%"),
        ("𝐓𝐚 𝗸𝗵𝗼̂𝗻𝗴 𝓼𝓸̛̣", "Ta không sợ"),
        ("俺はＡＢＣだ！", "俺はABCだ！"),
        # quotes and ellipses
        ("Ta hét: ‘Đừng chạy!’", "Ta hét: 'Đừng chạy!'"),
        ("“Hả?” „Ừ‟", '"Hả?" "Ừ"'),
        ("don’t, ʼtis", "don't, 'tis"),
        ("Sao... thế.... ngươi…. à……", "Sao… thế… ngươi… à…"),
        (". . . rồi sao", "… rồi sao"),
        ("Hả?...", "Hả?…"),
    ],
)
def test_one_form(before: str, after: str) -> None:
    text, changes = respell(clean_text(before))
    assert text == after
    assert changes


@pytest.mark.parametrize(
    "text",
    [
        "quý quỳ quỷ quỵ quà quá giá già, quốc",
        "hoàn toàn ngoài khoái khuỷu huỳnh tuýp suýt loáng xoèn",
        "hòa khỏe thủy ủy òa dọa",
        "Noé, Zoé, Chloé, Joé",
        "hoààà! oàaa",
        "Привет! нет, да, мать",
        "Ой! Ta đau, сука",
        "Ես ամենաուժեղն եմ, tա",
        "μm, Ω, α, π và β",
        "það, að, eða, með",
        "誰だ？　なに……「え」‘’“”。。。",
        "너 누구야?... “응”",
        "«Oui», ‹non›, 5′ 3″, `x`",
        "Một.. hai. 1.5. v.v.",
        "Ta - ngươi – hắn — nó",
        "",
    ],
)
def test_what_is_right_or_somebody_elses_is_left_alone(text: str) -> None:
    cleaned = clean_text(text)
    assert respell(cleaned) == (cleaned, {})


def test_every_change_is_named_and_counted() -> None:
    assert respell("doạ... doạ ‘x’\nHoà") == (
        "dọa… dọa 'x'\nHòa",
        {"doạ → dọa": 2, "... → …": 1, "‘ → '": 1, "’ → '": 1, "Hoà → Hòa": 1},
    )


SPELLED = "aeoyAOuUqhntaàáảãạèéẻẽẹòóỳýỷỹỵаоеТСіοΑ.… ‘’“”'ＡｂＣ！１誰나𝐚ÐðĐ\u0300\u0301\u0323\n"


@given(st.text(SPELLED) | st.text())
def test_respelling_twice_is_respelling_once(text: str) -> None:
    once = respell(clean_text(text))[0]
    assert respell(clean_text(once)) == (once, {})


@given(st.text(SPELLED) | st.text())
def test_a_text_without_changes_is_the_same_text(text: str) -> None:
    cleaned = clean_text(text)
    spelled, changes = respell(cleaned)
    assert (spelled == unicodedata.normalize("NFC", cleaned)) == (not changes)
