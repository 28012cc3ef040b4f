"""Every flag that a sample can carry is explained in both languages, detail included, and its words are marked."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from annotations.dialogue_checks import check_messages
from annotations.flag_marks import MARKERS, WITHOUT_WORDS, marks
from annotations.flag_words import FORMS, explain_detail, twin
from annotations.ui.highlight import flag_marks, marked, of_turn, search_marks
from curation.checks import check_sample
from curation.cleaning import personal_data
from curation.cleaning.damage import damage_flags
from curation.codes import FLAGS, explain_flag
from curation.dedup.duplicates import cluster, flag
from curation.persona import Persona
from curation.record import Flag, Message, Sample, Source, sample_id

FINDINGS = sorted(code for code, row in FLAGS.items() if row.finding)
# A word of English that no detail in Vietnamese may keep.
ENGLISH = re.compile(
    r"\b(the|looks|like|expected|would|say|says|said|characters|label|inside|reply|speaker|visitor|only)\b"
)


def sample(*turns: Message, flags: tuple[Flag, ...] = ()) -> Sample:
    source = Source(path="a.jsonl", sha256="0" * 64, locator="row 1", importer="rows")
    return Sample(
        id=sample_id("conversation", turns),
        kind="conversation",
        messages=turns,
        language="vi",
        topic=None,
        source=source,
        flags=flags,
    )


def said(prompt: str, reply: str, name: str | None = None) -> tuple[Message, ...]:
    return Message("user", prompt, name), Message("assistant", reply)


# code → (turns, the texts that are marked). Flags come from the check itself where it is one function of the turns.
LONG = "Ta leo núi! " * 40
CASES: dict[str, tuple[tuple[Message, ...], list[str]]] = {
    "out_of_character": (said("Chào!", "Dạ, ta dạy ngươi, xin phép!"), ["Dạ", "xin phép"]),
    "over_length": (said("Kể đi.", LONG), [LONG[400:]]),
    "label_in_reply": (said("Chào!", "Ta đây!\nBạn: đi đâu?"), ["Bạn:"]),
    "example_row": (said("Chào!", "Chào! Ví dụ: hãy viết lại."), ["Ví dụ: hãy viết"]),
    "empty_reply": (said("Chào!", "  "), []),
    "empty_turn": (said("  ", "Ta đây!"), []),
    "no_reply_at_the_end": (said("Chào!", "Ta đây!")[:1], []),
    "template_words": (said("Chào {{user}}!", "<START> Ta đây!"), ["{{user}}", "<START>"]),
    "damaged_letters": (said("Chào!", "TrÃªn mÃ¡i nhÃ\xa0!"), ["TrÃªn mÃ¡i nhÃ\xa0!"]),
    "user_line_repeated": (said("Ngươi đi đâu đấy?", "Hả? ngươi đi đâu đấy? Ta đi!"), ["ngươi đi đâu đấy?"]),
    "personal_data": (
        said("Gọi ta: 0912 345 678 nhé", "Thư về lon@rung.vn!"),
        ["0912 345 678", "lon@rung.vn"],
    ),
    "assistant_words": (said("Chào!", "As an AI, I cannot fight!"), ["As an AI"]),
    "placeholder": (said("Chào!", "Chào [tên nhân vật]!"), ["[tên nhân vật]"]),
    "markup": (said("Chào!", "<b>Ta</b> đây!"), ["<b>", "</b>"]),
    "link": (said("Chào!", "Xem www.rung.vn đi!"), ["www.rung.vn"]),
    "stage_direction": (said("Chào!", "(gầm lên) Ta đây!"), ["(gầm lên)"]),
    "role_label": (said("Chào!", "Ta đây! User: hả?"), ["User:"]),
    "lost_letters": (said("Chào!", "Ta m?nh nhất!"), ["m?nh"]),
    "loop": (said("Chào!", "Ta đói, ta đói, ta đói, ta đói!"), ["Ta đói", "ta đói", "ta đói", "ta đói"]),
    "cut_off": (said("Chào!", "Ta mạnh nhất và"), ["Ta mạnh nhất và"]),
    "typing_error": (said("Chào!", "Ta không đuợc ăn sáng!"), ["đuợc"]),
    "profanity": (said("Chào!", "Đéo sợ ai hết!"), ["Đéo"]),
    "prompt_echoed": (said("Ngươi đi đâu đấy?", "Ngươi đi đâu đấy!"), ["Ngươi đi đâu đấy!"]),
    "wrong_address": (said("Chào cậu!", "Mày là ai? Ta không quen mày!"), ["Mày", "mày"]),
    "language": (
        said("Parle !", "Je suis le roi de la montagne et je n'ai peur de personne ici !"),
        ["Je suis le roi de la montagne et je n'ai peur de personne ici !"],
    ),
    "no_diacritics": (said("Ai?", "Ta khong so nguoi dau!"), ["Ta khong so nguoi dau!"]),
    "chat_spelling": (said("Ai?", "Ta ko sợ, ngươi bik ta là ai?"), ["ko", "bik"]),
}


@pytest.mark.parametrize("code", CASES)
def test_what_a_check_finds_is_marked_and_explained(code: str, persona: Persona) -> None:
    messages, expected = CASES[code]
    persona = persona.model_copy(update={"address": {"user": ("ngươi",)}})
    one = sample(*messages)
    found = (*check_messages(messages, persona), *check_sample(one, persona), *personal_data.check(one, persona))
    found += damage_flags(m.content for m in messages)
    of_code = next(f for f in found if f.code == code)
    explained(of_code)
    places = marks(of_code, messages, persona)
    assert [messages[p.turn].content[p.start : p.end] for p in places] == expected


def explained(found: Flag) -> str:
    """Check a detail's words; return the Vietnamese ones."""
    vietnamese, english = explain_detail(found, "vi"), explain_detail(found, "en")
    assert bool(vietnamese) == bool(english)
    forms = [f for f in FORMS[found.code] if f.pattern.fullmatch(found.detail)]
    assert forms or not found.detail, f"{found.code}: no words for {found.detail!r}"
    assert not ENGLISH.search(vietnamese), vietnamese
    return vietnamese


def test_every_finding_has_its_forms_and_either_marks_or_the_reason_why_not() -> None:
    assert sorted(FORMS) == FINDINGS
    assert sorted((*MARKERS, *WITHOUT_WORDS)) == FINDINGS
    for code in FINDINGS:
        assert explain_flag(code, "vi") != explain_flag(code, "en") != code


def twins() -> list[Sample]:
    return [
        sample(*said("Ngươi thích ăn món gì nhất vậy?", "Ta thích mật ong rừng nhất trên đời này!")),
        sample(*said("Ngươi thích ăn món gì nhất vậy?", "Ta thích mặt ong rừng nhất trên đời này!")),
    ]


def test_a_pair_that_differs_in_diacritics_is_linked_and_the_words_are_marked(persona: Persona) -> None:
    first, second = flag(cluster(twins(), persona.dedup.threshold, ()))
    flagged, other = (first, second) if any(f.code == "diacritics" for f in first.flags) else (second, first)
    found = next(f for f in flagged.flags if f.code in ("diacritics", "near_duplicate"))
    assert twin(found) == other.id
    assert other.id in explained(found) and re.search(r"\d %", explained(found))
    accent = Flag("diacritics", f"without diacritics: 98.1 like {other.id}")
    places = marks(accent, flagged.messages, persona, other.messages)
    assert [flagged.messages[p.turn].content[p.start : p.end] for p in places] in (["mật"], ["mặt"])
    assert marks(accent, flagged.messages, persona) == []


@pytest.mark.parametrize(
    ("code", "text", "vietnamese"),
    [
        ("near_duplicate", "c12: 95.3 like 52401ed6026f3eb2", "giống 95.3 % với mẫu 52401ed6026f3eb2"),
        (
            "near_duplicate",
            "c12: 100.0 like 5240, spelt or addressed otherwise",
            "giống 100.0 % với mẫu 5240: cách viết hoặc cách xưng hô khác",
        ),
        ("near_duplicate", "c12: 90.0 like 5240, chain cut here", "giống 90.0 % với mẫu 5240; nhóm được cắt ở đây"),
        (
            "language",
            "looks like `fr`; expected vi or en",
            "trông như tiếng Pháp; nhân vật nói tiếng Việt hoặc tiếng Anh",
        ),
        ("language", "looks like `ja` (written in Hiragana, Han, 100%); expected vi", "tiếng Nhật (viết bằng chữ Hira"),
        ("language", "looks like `de` (by its words, 98%); expected vi", "trông như tiếng Đức (xét theo từ, 98 %)"),
        ("language", "looks like `sq` (by langdetect, 99%); expected vi", "trông như sq (theo langdetect, 99 %)"),
        ("language", "partly written in Han; expected vi", "một phần viết bằng chữ Han; nhân vật nói tiếng Việt"),
        ("language", "looks like `cy`; expected vi", "trông như cy; nhân vật nói tiếng Việt"),
        ("over_length", "1355 characters; Inosuke says at most 400 at once", "1.355 ký tự; Inosuke nói nhiều nhất 400"),
        ("weak_speaker", "only this names Inosuke as the speaker: style", "tên kiểu chữ của ASS"),
        ("weak_speaker", "only this names Inosuke as the speaker: style:Boar", "tên kiểu chữ của ASS:Boar"),
        ("unknown_speaker", "said by several at once: Inosuke & Zenitsu", "nhiều người cùng nói: Inosuke & Zenitsu"),
        ("personal_data", "phone number: 0912 345 678; e-mail address: a@b.vn", "số điện thoại: 0912 345 678; địa chỉ"),
        (
            "feedback_better",
            "a visitor wrote this instead of: Hả?\nGì?",
            "người dùng viết lời này thay cho: “Hả?\nGì?”",
        ),
        ("wrong_address", "user: mày; Rengoku: hắn; self: tao", "gọi người dùng: mày; Rengoku: hắn; tự xưng: tao"),
        ("feedback_up", "a visitor liked this reply", ""),
        ("from_an_older_queue", "something", "something"),
    ],
)
def test_a_detail_in_vietnamese(code: str, text: str, vietnamese: str) -> None:
    found = explain_detail(Flag(code, text), "vi")
    assert vietnamese in found and bool(vietnamese) == bool(found)


def test_a_line_of_a_possible_speaker_and_a_turn_of_an_unknown_one_are_marked(persona: Persona) -> None:
    messages = said("Chào!", "Ta đây!\nTanjiro: Đợi với!\nNhanh lên!")
    (place,) = marks(Flag("possible_speaker", "Tanjiro"), messages, persona)
    assert messages[1].content[place.start : place.end] == "Tanjiro: Đợi với!"
    scene = (Message("user", "Đứng lại! " * 20), Message("user", "Ai đấy?", "Zenitsu"), Message("assistant", "Ta!"))
    (place,) = marks(Flag("unknown_speaker", f"no speaker is named for: {scene[0].content[:80]}"), scene, persona)
    assert (place.turn, place.start, place.end) == (0, 0, len(scene[0].content))
    named = (replace(scene[0], name="Tanjiro"), *scene[1:])
    assert marks(Flag("unknown_speaker", f"no speaker is named for: {scene[0].content[:80]}"), named, persona) == []


def test_a_misspelt_name_is_marked_in_any_turn_and_an_end_that_only_the_corpus_shows(persona: Persona) -> None:
    messages = said("Giyuu đâu?", "Ta không biết Giyuu ở đâu cả")
    places = marks(Flag("name_spelling", "Giyuu → Giyu"), messages, persona)
    assert [messages[p.turn].content[p.start : p.end] for p in places] == ["Giyuu", "Giyuu"]
    (place,) = marks(Flag("cut_off", "Giyuu ở đâu cả"), messages, persona)
    assert messages[1].content[place.start : place.end] == "Giyuu ở đâu cả"
    (place,) = marks(Flag("repaired_letters", messages[1].content), messages, persona)
    assert (place.turn, place.start, place.end) == (1, 0, len(messages[1].content))


def test_a_word_that_a_rewrite_removed_is_not_marked(persona: Persona) -> None:
    assert marks(Flag("out_of_character", "Inosuke would not say: dạ"), said("Chào!", "Ta đây!"), persona) == []


def test_marks_are_elements_and_texts_stay_texts(persona: Persona) -> None:
    messages = said("<b>Chào</b>", "Dạ, <script>alert(1)</script> & dạ!")
    found = flag_marks(messages, [Flag("out_of_character", "Inosuke would not say: dạ")], persona, "en")
    found += search_marks(messages, "da script")
    html = marked(messages[1].content, of_turn(found, 1))
    assert html.startswith('<mark class="flag hit" title="It uses words that the character avoids.">Dạ</mark>, &lt;')
    assert html.count("<mark") == 4 and "<script" not in html
    assert re.sub(r"<[^>]+>", "", html) == "Dạ, &lt;script&gt;alert(1)&lt;/script&gt; &amp; dạ!"
    assert marked(messages[0].content, of_turn(found, 0)) == "&lt;b&gt;Chào&lt;/b&gt;"
    assert search_marks(messages, "/(/") == []
