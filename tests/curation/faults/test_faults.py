"""Faults of replies, dialogues and corpora: one example in, the exact pieces out."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from curation import faults
from curation.faults.syllables import is_syllable
from curation.persona import Persona, Style
from curation.record import Message, Sample, Source, sample_id


def sample(*turns: str, language: str = "vi") -> Sample:
    messages = tuple(Message("assistant" if at % 2 else "user", text) for at, text in enumerate(turns))
    source = Source(path="a.jsonl", sha256="0" * 64, locator="row 1", importer="rows")
    return Sample(
        id=sample_id("conversation", messages),
        kind="conversation",
        messages=messages,
        language=language,
        topic=None,
        source=source,
    )


def flags(samples: Sequence[Sample], persona: Persona) -> list[dict[str, str]]:
    return [{f.code: f.detail for f in found} for found in faults.in_corpus(samples, persona)]


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        ("As an AI language model, no.", {"assistant_words": "As an AI, language model"}),
        ("Ai? Ai là một AI?", {"assistant_words": "là một AI"}),
        ("Ai là một đứa nhát?", {}),
        ("TODO viết sau", {"placeholder": "TODO"}),
        ("Viết sau.", {"placeholder": "Viết sau."}),
        ("Thư thì để ta viết sau, giờ ăn đã!", {}),
        ("<b>Ta</b> &amp; ngươi!", {"markup": "<b>, </b>, &amp;"}),
        ("Ta < ngươi? Không, ta > ngươi!", {}),
        ("Xem https://a.vn/b nhé!", {"link": "https://a.vn/b"}),
        ("(gầm lên) Ta đây!", {"stage_direction": "(gầm lên)"}),
        ("Cái bánh (của ngươi ấy) ngon đấy!", {}),
        ("*Grrr* Ta đây!", {"stage_direction": "*Grrr*"}),
        ("Ta *rất* mạnh!", {"markup": "*rất*"}),
        ("Inosuke gầm lên. Ta đây!", {"stage_direction": "Inosuke gầm"}),
        ("Inosuke này không sợ ai!", {}),
        ("User: Chào! Assistant: Hả?", {"role_label": "User:, Assistant:"}),
        ("Ta bảo các bạn: chạy!", {}),
        ("Ta m?nh nhất!", {"lost_letters": "m?nh"}),
        ("Sao?Ta đi đây!", {"typing_error": "Sao?Ta"}),
        ("Ta đói, ta đói, ta đói, ta đói!", {"loop": "Ta đói"}),
        ("Xông lên! Xông lên! Xông lên!", {}),
        ("Hahaha ha ha ha ha ha ha!", {}),
        ("Ta sẽ húc nó vì", {"cut_off": "sẽ húc nó vì"}),
        ("Ta húc rồi mà", {}),
        ("Ta hét: 'Chạy!", {"cut_off": "Ta hét: 'Chạy!"}),
        ("It's the dogs' bone!", {}),
        ("Ta không đuợc ăn!", {"typing_error": "đuợc"}),
        ("Tanjirồ gọi ta là Íc-xì kìa!", {}),
        ("Grừừ! Hừừ! Ta đói quá rồi!", {}),
        ("Đéo sợ!", {"profanity": "Đéo"}),
        ("Thổi phì phò như lợn!", {}),
    ],
)
def test_a_reply_is_flagged_with_its_own_words(reply: str, found: dict[str, str], persona: Persona) -> None:
    assert {f.code: f.detail for f in faults.in_reply(reply, persona)} == found


def test_the_words_that_are_vulgar_are_the_personas_if_it_lists_any(persona: Persona) -> None:
    rude = persona.model_copy(update={"style": Style(profanity=("đồ ngốc",))})
    assert [f.code for f in faults.in_reply("Đéo sợ!", rude)] == []
    assert [f.code for f in faults.in_reply("Đồ ngốc!", rude)] == ["profanity"]
    free = persona.model_copy(update={"style": Style(profanity=())})
    assert faults.in_reply("Đéo sợ!", free) == ()


@pytest.mark.parametrize(
    ("turns", "found"),
    [
        (("Ngươi thích gì nhất?", "Ngươi thích gì nhất?"), {"prompt_echoed"}),
        (("Ngươi thích gì nhất?", "NGƯƠI THÍCH GÌ NHẤT!"), {"prompt_echoed"}),
        (("Ngươi thích gì nhất?", "Ngươi thích gì nhất? Ta thích thịt!"), {"prompt_echoed"}),
        (("Ngươi thích gì nhất?", "Hả? Ngươi thích gì nhất? Thịt!"), {"user_line_repeated"}),
        (("Hả?", "Hả?"), set()),
        (("Đấu không?", "Đấu!"), set()),
    ],
)
def test_a_reply_that_repeats_the_prompt(turns: tuple[str, ...], found: set[str], persona: Persona) -> None:
    assert {f.code for f in faults.in_messages(sample(*turns).messages, persona)} == found


TABLE = {"self": ("ta",), "user": ("ngươi",), "Rengoku": ("ông ấy", "ông"), "Giyu": ("hắn",)}


@pytest.mark.parametrize(
    ("turns", "found"),
    [
        (("Cậu là ai?", "Ta là vua, còn ngươi?"), ""),
        (("Cậu là ai?", "Mày hỏi tao à?"), "self: tao; user: Mày"),
        (("Cậu là ai?", "Bạn ơi, cậu lầm rồi!"), "user: Bạn; user: cậu"),
        (("Cậu là ai?", "Ta cau mày, chuốt lông mày rồi gọi cậu ấy!"), ""),
        (("Ai là bạn cậu?", "Bạn ta là núi rừng!"), ""),
        (("Hắn nói gì?", "Hắn gào: 'Mày là ai?'"), ""),
        (("Rengoku thế nào?", "Ông ấy cháy rực!"), ""),
        (("Rengoku thế nào?", "Hắn cháy rực!"), "Rengoku: Hắn"),
        (("Rengoku đánh con quỷ, cậu thấy sao?", "Hắn gục ngay!"), ""),
        (("Rengoku và Giyu ai mạnh?", "Hắn chứ ai!"), ""),
        (("Ai thế?", "Thằng Rengoku đấy!"), "Rengoku: Thằng Rengoku"),
        (("Ai thế?", "Ông Rengoku đấy!"), ""),
        (("Nói một câu đậm chất Inosuke (ngắn).", "Mày chết chắc!"), ""),
    ],
)
def test_words_for_people_are_compared_with_the_table(turns: tuple[str, ...], found: str, persona: Persona) -> None:
    strict = persona.model_copy(update={"address": TABLE})
    assert {f.code: f.detail for f in faults.in_messages(sample(*turns).messages, strict)} == (
        {"wrong_address": found} if found else {}
    )
    assert faults.in_messages(sample(*turns).messages, persona) == ()


def named(**times: int) -> list[Sample]:
    """Return dialogues in which each name stands so many times."""
    return [sample(f"Cậu thấy {name} thế nào, lần {n}?", "Mạnh!") for name, t in times.items() for n in range(t)]


@pytest.mark.parametrize(
    ("times", "wrong"),
    [
        ({"Giyu": 9, "Giyuu": 3}, "Giyuu → Giyu"),
        ({"Tanjiro": 20, "Tanjirou": 1}, "Tanjirou → Tanjiro"),
        ({"Zenitsu": 20, "Zentisu": 1}, "Zentisu → Zenitsu"),
        ({"Nezuko": 20, "Nezukko": 1}, "Nezukko → Nezuko"),
        ({"Tanjiro": 20, "Tanjuro": 1}, ""),  # father and son
        ({"Kanao": 20, "Kanae": 1}, ""),  # two sisters
        ({"Giyu": 9, "Giyuu": 8}, ""),  # neither is the usual one
        ({"Rengoku": 20, "Rừng": 1}, ""),
    ],
)
def test_the_corpus_decides_how_a_name_is_spelt(times: dict[str, int], wrong: str, persona: Persona) -> None:
    found = [f["name_spelling"] for f in flags(named(**times), persona) if "name_spelling" in f]
    assert set(found) == ({wrong} if wrong else set())
    assert len(found) == (min(times.values()) if wrong else 0)


def test_names_that_persona_toml_lists_are_right_however_rare(persona: Persona) -> None:
    listed = persona.model_copy(update={"style": Style(names=("Giyuu", "Tanjuro"))})
    found = flags(named(Giyu=9, Giyuu=1, Tanjiro=20, Tanjuro=1), listed)
    assert [f["name_spelling"] for f in found if f] == ["Giyu → Giyuu"] * 9


def test_in_a_corpus_of_whole_sentences_one_without_its_mark_has_broken_off(persona: Persona) -> None:
    whole = [sample(f"Câu {n}?", f"Ta trả lời câu {n}!") for n in range(40)]
    cut = sample("Ngươi đâu?", "Ta ở trên")
    assert flags([*whole, cut], persona)[-1] == {"cut_off": "Ta ở trên"}
    assert flags([*whole[:20], cut], persona)[-1] == {}
    careless = [sample(f"Câu {n}?", f"ta trả lời câu {n} đây nhé") for n in range(40)]
    assert flags([*careless, cut], persona)[-1] == {}
    # Where no one writes the last mark, its lack says nothing; an open quotation still does.
    chatty = [sample(f"Câu {n}?", f"Hả? Câu {n} à! ta trả lời câu {n} đây nhé") for n in range(40)]
    assert [f for f in flags(chatty, persona) if f] == []
    assert flags([*chatty, sample("Ngươi đâu?", "Ta hét: 'Ta ở")], persona)[-1] == {"cut_off": "Ta hét: 'Ta ở"}


def test_what_persona_toml_switches_off_is_not_flagged(persona: Persona) -> None:
    text = "Xem www.rung.vn và <b>cười</b> đi!"
    assert {f.code for f in faults.in_reply(text, persona)} == {"markup", "link"}
    quiet = persona.model_copy(update={"checks": persona.checks.model_copy(update={"off": ("link", "name_spelling")})})
    assert {f.code for f in faults.in_reply(text, quiet)} == {"markup"}
    assert [f for f in flags(named(Giyu=9, Giyuu=3), quiet) if f] == []


def test_marks_of_other_languages_are_theirs(persona: Persona) -> None:
    french = persona.model_copy(update={"languages": ("fr",)})
    assert faults.in_reply("Là, j'ai été à la forêt, et lé café était très bon, là", french) == ()
    german = persona.model_copy(update={"languages": ("de",)})
    assert faults.in_reply("Größe zählt nicht, nur die Stärke der Hörner!", german) == ()


VIETNAMESE = [
    "được", "người", "khuỷu", "thuở", "ngoằn", "ngoèo", "quốc", "quýt", "giếng", "gìn", "xoong", "hoà", "hòa", "Ừ",
]  # fmt: skip
IMPOSSIBLE = ["đuợc", "nguời", "truờng", "nghười", "nghành", "khôgn", "đựơc", "ngừoi", "Tanjiro", "câ"]


@pytest.mark.parametrize("word", VIETNAMESE)
def test_a_word_is_vietnamese(word: str) -> None:
    assert is_syllable(word)


@pytest.mark.parametrize("word", IMPOSSIBLE)
def test_a_word_cannot_be_vietnamese(word: str) -> None:
    assert not is_syllable(word)
