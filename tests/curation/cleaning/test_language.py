"""Languages: long lines are judged alone, short ones follow their file."""

from __future__ import annotations

from curation.cleaning.language import detect, tag
from curation.persona import Persona
from curation.record import Message, Sample, Source, sample_id


def sample(reply: str, path: str) -> Sample:
    messages = (Message("user", "?"), Message("assistant", reply))
    return Sample(
        id=sample_id("quote", messages),
        kind="quote",
        messages=messages,
        language=None,
        topic=None,
        source=Source(path=path, sha256="", locator="", importer="alpaca"),
    )


VIETNAMESE = "Ngọn núi này là của ta, con suối kia cũng là của ta!"
ENGLISH = "This mountain is mine, and the river over there is mine as well!"
FRENCH = "Cette montagne est à moi et la rivière aussi, je vous le dis !"


def test_an_interjection_takes_the_language_of_its_file(persona: Persona) -> None:
    tagged = tag(
        [sample(VIETNAMESE, "vi"), sample("Hahahaha!", "vi"), sample(ENGLISH, "en"), sample("Ha!", "en")], persona
    )
    assert [s.language for s in tagged] == ["vi", "vi", "en", "en"]
    assert all(s.flags == () for s in tagged)


def test_a_long_line_in_another_language_is_flagged_and_kept(persona: Persona) -> None:
    tagged = tag([sample(VIETNAMESE, "vi"), sample(FRENCH, "vi")], persona)
    assert tagged[1].language == "fr"
    assert [f.code for f in tagged[1].flags] == ["language"]


def test_the_same_text_always_gets_the_same_answer() -> None:
    assert {detect("Ai dám so tài với ta nào?") for _ in range(5)} == {"vi"}
    assert detect("!!! 123") is None


def test_a_file_of_interjections_takes_the_characters_first_language(persona: Persona) -> None:
    assert tag([sample("Ha!", "x")], persona)[0].language == "vi"
