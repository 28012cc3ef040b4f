"""Which names are close to the character's: offered as aliases, never taken for another person without a flag."""

import pytest

from curation.codes import blocks_approval
from curation.persona import Persona
from curation.record import Source, Utterance
from curation.transcripts.names import names_like
from curation.transcripts.scenes import to_samples

LIKE = [
    *("Inosuke-kun", "INOSUKE-SAMA", "Inosuke san", "Inosukechan", "Hashibira-san", "Inosuke-no-aniki"),
    *("Young Inosuke", "Inosuke Mom", "Inosuke's mother", "Inosuke’s Dad", "Inosuke?", "Inosuke_2", "Inosuke2"),
    *("Inosuké", "Inôsuke", "Inōsuke", "INÔSUKE", "In\u006f\u0302suke", "anh Inosuke", "Inosuke bé", "Cậu Inosuke"),
    *("Inosuke - thinking", "Inosuke:OS", "Inosuke_flashback", "Kid-Inosuke", "inosuke.alt", "Inosuke Jr"),
    *("伊之助君", "伊之助くん", "若い伊之助", "伊之助の母", "伊之助さん", "嘴平さん", "子供の伊之助", "嘴平伊之助様"),
]
OTHERS = [
    *("Inosuke", "INOSUKE", "hashibira inosuke", "伊之助", "Inosuke/Zenitsu", "Inosuke and Tanjiro", "伊之助・炭治郎"),
    *("Tanjiro", "Tanjiro-kun", "Kotoha Hashibira", "嘴平琴葉", "Kinosuke", "Nosuke", "", "?", "Young", "san"),
]


@pytest.mark.parametrize("name", LIKE)
def test_a_name_with_an_honorific_an_affix_an_owners_s_or_accents_is_like_the_characters(
    name: str, persona: Persona
) -> None:
    assert names_like(persona, [name]) == [name]


@pytest.mark.parametrize("name", OTHERS)
def test_the_characters_own_names_groups_and_other_people_are_not(name: str, persona: Persona) -> None:
    assert names_like(persona, [name]) == []


def test_each_name_is_offered_once_in_the_order_of_the_lines(persona: Persona) -> None:
    speakers = ["Tanjiro", "Inosuke-kun", "Inosuke", "Young Inosuke", "Inosuke-kun"]
    assert names_like(persona, speakers) == ["Inosuke-kun", "Young Inosuke"]


def test_a_name_that_becomes_an_alias_is_not_asked_about_again(persona: Persona) -> None:
    named = persona.model_copy(update={"aliases": (*persona.aliases, "Inosuke-kun")})
    assert names_like(named, ["Inosuke-kun", "Inosuke-sama"]) == ["Inosuke-sama"]


@pytest.mark.parametrize(
    ("own", "like", "other"),
    [
        ("Mai", "Chị Mai", "Maika"),
        ("Hòa", "Hoà-kun", "Bình"),
        ("猫猫", "猫猫ちゃん", "猫"),
        ("Kaguya", "Kaguya-sama", "Kagura"),
    ],
)
def test_the_rule_holds_for_another_character(own: str, like: str, other: str, persona: Persona) -> None:
    another = persona.model_copy(update={"name": own, "aliases": ()})
    assert names_like(another, [like, other, own]) == [like]


def test_a_dialogue_with_such_a_name_is_flagged_and_never_approved_by_itself(persona: Persona) -> None:
    def line(speaker: str, text: str) -> Utterance:
        source = Source(path="a", sha256="0", locator="cue 1", importer="srt")
        return Utterance(text=text, speaker=speaker, evidence="prefix: x", source=source)

    lines = [line("Inosuke-kun", "Ha!"), line("Inosuke", "Up on the roof!")]
    [sample] = to_samples([("a", lines)], persona)[0]
    assert [(f.code, f.detail) for f in sample.flags] == [("similar_name", "Inosuke-kun")]
    assert blocks_approval(sample.flags)
