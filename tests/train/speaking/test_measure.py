"""The figures that decide whether a run may be served: which prompts are tried, and what is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation import bases
from curation.contracts.run import RunBase, RunEval, RunMetrics, Scores, Speaking
from curation.persona import Persona
from curation.record import Message
from tests.train.conftest import ONE, TWO, write_export
from train.data.dialogues import load_export
from train.model.generate import Reply
from train.speaking import measure
from train.speaking.language import guess_language

ENGLISH = [("user", "Who are you, anyway?"), ("assistant", "The king of this mountain!")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Ta là chúa tể rừng xanh!", "vi"),
        ("Bay! Ai thấy ta oai?", "vi"),
        ("I am the king of the mountain!", "en"),
        ("Nobody beats me, not even Dế Nít or that sleepy Zenitsu!", "en"),
        ("Hahahaha!", None),
        ("", None),
    ],
)
def test_the_language_of_a_short_text(persona: Persona, text: str, expected: str | None) -> None:
    assert guess_language(text, persona) == expected


def test_a_persona_of_one_language_and_one_of_three(persona: Persona) -> None:
    def of(*codes: str) -> Persona:
        return persona.model_copy(update={"languages": codes})

    assert guess_language("Ich bin der König der Berge", of("de")) == "de"
    assert guess_language("Ich bin der König der Berge", of("de", "en")) is None
    assert guess_language("Ta là chúa tể rừng xanh", of("de")) == "vi"


def test_replies_are_counted_and_a_shout_has_no_language(persona: Persona) -> None:
    prompts = [[Message("user", text)] for text in ("Ngươi là ai thế?", "Who are you?", "Who is that?", "Ai đấy hả?")]
    answers = [
        Reply("Ta là chúa tể rừng xanh!", True),
        Reply("để có thến để có thến để có thến", False),
        Reply("Hahahaha!", True),
        Reply("I am the king of the mountain!", False),
    ]
    found = measure.count(prompts, answers, persona)
    assert found == Speaking(prompts=4, looping=1, ended=2, judged=3, right_language=1, loops=["để có thến"])


def test_prompts_are_of_every_language_alike_and_never_twice(tmp_path: Path) -> None:
    held_out = [[("user", f"Câu hỏi số {i} là gì thế?")] for i in range(100)] + [ENGLISH[:1]] * 3
    questions = [[("user", f"Do you like number {i}?"), ("assistant", "Yes!")] for i in range(50)]
    export = load_export(write_export(tmp_path, [ONE], [TWO, ENGLISH, *questions], held_out))
    chosen = measure.chosen_prompts(export, 40)
    assert chosen == measure.chosen_prompts(export, 40)
    languages = [guess_language(p.messages[-1].content, export.persona) for p in chosen]
    assert (languages.count("vi"), languages.count("en")) == (20, 20)
    assert len({p.messages for p in chosen}) == 40
    few = load_export(write_export(tmp_path / "few", [ONE], [TWO, ENGLISH]))
    assert len(measure.chosen_prompts(few, 40)) == 2


def test_the_sampling_is_the_bases_own() -> None:
    [known] = {measure.sampling_of(name) for name in ("SmolLM2-135M-Instruct", "huggingfacetb/smollm2-135m-instruct")}
    assert known == bases.find("SmolLM2-135M-Instruct").sampling  # type: ignore[union-attr]
    assert measure.sampling_of("a model of one's own") == measure.SAMPLING


def speaking(**figures: int) -> Speaking:
    good = {"prompts": 40, "looping": 0, "ended": 40, "judged": 40, "right_language": 40}
    return Speaking.model_validate(good | figures)


@pytest.mark.parametrize(
    ("figures", "fault"),
    [
        ({}, None),
        ({"looping": 4}, None),
        ({"looping": 5}, "5 of 40 replies repeat themselves (at most 10% may)"),
        ({"ended": 32}, None),
        ({"ended": 31}, "only 31 of 40 replies end (at least 80% have to)"),
        ({"judged": 10, "right_language": 8}, None),
        ({"judged": 10, "right_language": 7}, "only 7 of 10 replies are in the language of their prompt"),
        ({"prompts": 1, "looping": 1, "ended": 0, "judged": 1, "right_language": 0}, None),  # one reply proves nothing
        ({"prompts": 2, "looping": 2, "ended": 2, "judged": 0, "right_language": 0}, "2 of 2 replies repeat"),
        ({"prompts": 0, "looping": 0, "ended": 0, "judged": 0, "right_language": 0}, None),
    ],
)
def test_the_bounds_of_a_character_that_may_be_served(figures: dict[str, int], fault: str | None) -> None:
    metrics = RunMetrics(
        base_model=RunBase(name="b", path="b"),
        eval=RunEval(base=Scores(loss=2.0), adapter=Scores(loss=1.0)),
        speaking=speaking(**figures),
    )
    assert [f[: len(fault or "")] for f in metrics.faults()] == ([fault] if fault else [])


def test_replies_that_could_not_be_measured_are_a_fault_and_an_older_run_has_none() -> None:
    older = RunMetrics(base_model=RunBase(name="b", path="b"))
    assert older.faults() == []
    failed = older.model_copy(update={"speaking_failed": "out of memory"})
    assert failed.faults() == ["its replies could not be measured (out of memory)"]
