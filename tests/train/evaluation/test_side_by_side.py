"""`inosuke evaluate`: its metrics, its intervals, both pages, and the votes."""

from __future__ import annotations

import copy
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.contracts.evaluation import Evaluation
from curation.contracts.queue_scores import read_queue_scores, write_waiting
from curation.contracts.rows import HeldOut
from curation.errors import InosukeError, UsageError
from curation.folders import Folders
from curation.persona import Persona
from curation.record import Message, Sample, Source, sample_id
from tests.train.conftest import ONE, TWO, Project, Turns, write_export
from train.commands.evaluate import evaluate
from train.evaluation import bootstrap, metrics, votes
from train.evaluation.text import table
from train.model.generate import Reply

CHROMIUM = Path("/usr/bin/chromium")
ASKED = "Hôm nay ngươi định làm gì trên núi thế?"


def measured(
    persona: Persona, text: str, reference: str | None = None, learnt: set[str] | None = None
) -> dict[str, Any]:
    tried = HeldOut(id="h", messages=(Message("user", ASKED),), reference=reference)
    table = metrics.per_reply(metrics.Answers([Reply(text, True)], [tried], learnt or set(), persona))
    return {key: values[0] for key, values in table.items()}


@pytest.mark.parametrize(
    ("text", "reference", "expected"),
    [
        ("Ta đói rồi", "Ta đói rồi!", 1.0),
        ("Ta đói", "Ta no", 0.5),
        ("đói rồi ta", "ta đói rồi", 2 / 3),  # an order that is kept counts, not a bag of words
        ("mưa", "nắng", 0.0),
        ("", "nắng", 0.0),
    ],
)
def test_rouge_l_counts_syllables_in_order(text: str, reference: str, expected: float) -> None:
    assert metrics.rouge_l(text, reference) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "measure", "value"),
    [
        ("Ta húc bay cả ngọn núi này!", "own_pronoun", 1.0),
        ("Con tay to lắm đấy nhé!", "own_pronoun", 0.0),  # `ta` inside `tay` is not a pronoun
        ("I will fight you!", "own_pronoun", None),
        ("Dạ, tôi xin phép ạ.", "no_avoided_words", 0.0),
        ("Ta dạy ngươi!", "no_avoided_words", 1.0),
        ("As an AI language model I cannot fight.", "in_character", 0.0),
        ("Là một trợ lý ảo, ta biết hết.", "in_character", 0.0),
        ("Ta là một AI agent.", "in_character", 0.0),
        ("I am an AI and cannot fight.", "in_character", 0.0),
        ("Hội an ai cũng biết ta! A ai đó?", "in_character", 1.0),  # `ai` is Vietnamese for who
        ("BẤT AN AI MÀ CHẲNG CÓ! NGƯƠI LÀ AI?", "in_character", 1.0),
        ("Ta là chúa tể rừng xanh!", "in_character", 1.0),
        ("Ta đi săn lợn rừng với bầy của ta!", "language_kept", 1.0),
        ("I am going to hunt boars in the mountains today.", "language_kept", 0.0),
        ("Ha!", "language_kept", None),
        ("", "no_flag", 0.0),
        ("Bạn: chào", "no_flag", 0.0),
    ],
)
def test_persona_checks_of_a_reply(persona: Persona, text: str, measure: str, value: float | None) -> None:
    assert measured(persona, text)[measure] == value


def test_the_pronoun_is_the_personas_and_without_one_the_metric_is_left_out(persona: Persona) -> None:
    other = persona.style.model_copy(update={"pronouns": ("tớ",)})
    assert measured(persona.model_copy(update={"style": other}), "Tớ đi chợ đây!")["own_pronoun"] == 1.0
    silent = persona.model_copy(update={"style": persona.style.model_copy(update={"pronouns": ()})})
    assert "own_pronoun" not in measured(silent, "Ta húc bay cả ngọn núi này!")


def test_the_pronoun_counts_in_the_personas_first_language(persona: Persona) -> None:
    style = persona.style.model_copy(update={"pronouns": ("this witch",)})
    witch = persona.model_copy(update={"name": "Mira", "languages": ("en",), "style": style})
    assert measured(witch, "This witch will brew you some tea before the rain comes.")["own_pronoun"] == 1.0
    assert measured(witch, "I will brew you some tea before the rain comes.")["own_pronoun"] == 0.0
    assert measured(witch, "Trời sắp mưa to rồi, vào nhà uống trà đi đã!")["own_pronoun"] is None
    titles = [m.title(witch) for m in metrics.REPLY_METRICS]
    assert "speaks as “this witch” (replies in en)" in titles
    assert "says nothing that Mira avoids" in titles


def test_each_metric_has_one_row_and_a_key_of_its_own() -> None:
    rows = (*metrics.REPLY_METRICS, *metrics.SET_METRICS, *metrics.LIKELIHOOD_METRICS)
    assert len({m.key for m in rows}) == len(rows)


def test_copies_are_exact_or_near_and_short_cries_are_too_common_to_be_near(persona: Persona) -> None:
    learnt = {"Ta là chúa tể của rừng xanh này!", "Đi thôi!"}
    exact = measured(persona, "Ta là chúa tể của rừng xanh này!", learnt=learnt)
    near = measured(persona, "Ta là chúa tể của rừng xanh đó!", learnt=learnt)
    short = measured(persona, "Đi thôi!", learnt=learnt)
    own = measured(persona, "Hôm nay ta ăn hết nồi cơm nhà ngươi!", learnt=learnt)
    assert [(m["copied"], m["nearly_copied"]) for m in (exact, near, short, own)] == [(1, 1), (0, 1), (1, 0), (0, 0)]


def test_without_a_reference_nothing_is_made_up(persona: Persona) -> None:
    found = measured(persona, "Ta đây!")
    assert (found["chrf"], found["rouge_l"], found["length_ratio"]) == (None, None, None)
    assert bootstrap.mean([None]) == {"value": None, "low": None, "high": None, "n": 0, "groups": 0}


def prompt(id: str, reference: str | None) -> HeldOut:
    return HeldOut(id=id, messages=(Message("user", "?"),), reference=reference)


def test_figures_of_a_set(persona: Persona) -> None:
    tried = [prompt(str(i), "Ta đi săn lợn rừng") for i in range(2)]
    same = metrics.whole_set(metrics.Answers([Reply("Ta đi săn lợn rừng", True)] * 2, tried, set(), persona))
    assert same["bleu"] == pytest.approx(100)
    assert same["corpus_chrf"] == pytest.approx(100)
    assert (same["distinct_1"], same["distinct_2"]) == (0.5, 0.5)


def test_an_embedding_model_sees_only_pairs_with_a_reference(persona: Persona) -> None:
    tried = [prompt("a", None), prompt("b", "Ta!")]
    seen: list[Any] = []
    answers = [Reply("x", True), Reply("y", True)]
    table = metrics.per_reply(metrics.Answers(answers, tried, set(), persona, lambda p: seen.extend(p) or [0.25]))
    assert (seen, table["similarity"]) == ([("y", "Ta!")], [None, 0.25])


def test_an_interval_holds_the_value_and_a_paired_difference_is_narrower() -> None:
    ours = [float(i % 7) for i in range(100)]
    theirs = [v + 0.3 + (i % 3) / 10 for i, v in enumerate(ours)]
    one, other = bootstrap.mean(ours), bootstrap.mean(theirs)
    change = bootstrap.difference(ours, theirs)
    assert one["low"] < one["value"] < one["high"]
    assert change["value"] == pytest.approx(one["value"] - other["value"])
    assert change["high"] < 0  # the same rows: certain, though the two intervals overlap
    assert one["high"] > other["low"]
    assert change["high"] - change["low"] < one["high"] - one["low"]


def test_a_ratio_is_of_sums_not_a_mean_of_ratios() -> None:
    figure = bootstrap.ratio([10.0, 1.0], [10.0, 10.0])
    assert figure["value"] == pytest.approx(0.55)
    assert (figure["low"], figure["high"]) == pytest.approx((0.1, 1.0))


@pytest.fixture(scope="module")
def measured_once(tmp_path_factory: pytest.TempPathFactory, tiny_base: Path) -> tuple[Path, dict[str, Any]]:
    held = [[("user", ONE[0][1])], [("user", "<script>alert(1)</script>")], [("user", "Mưa à?")]]
    project = Project(tmp_path_factory.mktemp("evaluated"), tiny_base)
    write_export(project.root, [ONE, TWO] * 10, [TWO], held)
    recipe = project.recipe(quantization="none", epochs=3, samples=0)
    project.train(recipe=recipe, run="r")
    return project.root, json.loads(invoke(project, "r", "--eval-replies", "1", "--json"))


@pytest.fixture
def evaluated(
    tmp_path: Path, tiny_base: Path, measured_once: tuple[Path, dict[str, Any]]
) -> tuple[Project, dict[str, Any]]:
    root, content = measured_once
    return Project(shutil.copytree(root, tmp_path / "project"), tiny_base), copy.deepcopy(content)


def invoke(project: Project, *arguments: str) -> str:
    return CliRunner().invoke(evaluate, [*arguments, "--persona", str(project.persona)], catch_exceptions=False).stdout


@pytest.mark.slow
def test_a_run_is_measured_reported_and_voted_on(evaluated: tuple[Project, dict[str, Any]], tmp_path: Path) -> None:
    project, content = evaluated
    folder = project.root / "models" / "r"
    trained = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    # Row by row or all at once, it is the same likelihood; the interval holds it.
    for who in ("base", "adapter"):
        figure = content["eval"]["figures"]["reply_nll_per_char"][who]
        assert figure["value"] == pytest.approx(trained["eval"][who]["reply_nll_per_char"], rel=1e-3)
    for who in ("base", "adapter"):
        figure = content["replies"]["figures"]["end_of_turn_rate"][who]
        assert figure["low"] <= figure["value"] <= figure["high"]
    assert [a["set"] for a in content["answers"]] == ["held-out"] * 3 + ["eval"]
    assert (content["replies"]["prompts"], content["eval_replies"]["prompts"]) == (3, 1)
    assert content["eval_replies"]["adapter"]["chrf"] is not None
    assert all(not a["base"].endswith("\ufffd") for a in content["answers"])

    report, blind = ((folder / name).read_text(encoding="utf-8") for name in ("report.html", "ab.html"))
    for page in (report, blind):
        assert "<script>alert(1)" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script" not in report
    assert "adapter" not in blind.split("</style>")[1].lower()
    assert blind.count('<section class="pair"') == 4
    card = (folder / "README.md").read_text(encoding="utf-8")
    assert card.index("## Evaluation") < card.index("## Use")

    sides = {a["id"]: "a" if votes.adapter_is_a(content["page"], a["id"]) else "b" for a in content["answers"]}
    ids = list(sides)
    ours = write_votes(tmp_path / "1.json", content["page"], "An", {ids[0]: sides[ids[0]], ids[1]: "same"})
    against = "b" if sides[ids[0]] == "a" else "a"
    theirs = write_votes(tmp_path / "2.json", content["page"], "Bình", {ids[0]: against})
    said = invoke(project, "r", "--votes", str(ours), "--votes", str(theirs))
    assert "Blind votes on 2 pairs by 2 people: 1 for the adapter, 1 for the base, 1 alike" in said
    stored = json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))
    assert stored["preference"]["share_for_adapter"]["value"] == pytest.approx(0.5)
    assert stored["preference"]["agreement"] == 0.0
    assert "Blind votes on 2 pairs" in (folder / "report.html").read_text(encoding="utf-8")
    # An annotator who changes a vote counts once.
    write_votes(theirs, content["page"], "Bình", {ids[0]: sides[ids[0]]})
    assert "2 for the adapter, 0 for the base" in invoke(project, "r", "--votes", str(theirs))

    with pytest.raises(UsageError, match=r"votes on page 0{16}, but the evaluation of r made page"):
        invoke(project, "r", "--votes", str(write_votes(tmp_path / "3.json", "0" * 16, "An", {})))
    with pytest.raises(UsageError, match=r"votes on pairs that the page does not have: other"):
        invoke(project, "r", "--votes", str(write_votes(tmp_path / "4.json", content["page"], "An", {"other": "a"})))
    with pytest.raises(UsageError, match=r"`votes.0.choice` is 'left': .*Expected a file that ab.html"):
        invoke(project, "r", "--votes", str(write_votes(tmp_path / "5.json", content["page"], "An", {ids[0]: "left"})))
    with pytest.raises(UsageError, match=r"cannot be read"):
        invoke(project, "r", "--votes", str(tmp_path / "none.json"))

    (folder / "evaluation.json").unlink()
    with pytest.raises(InosukeError, match=r"so the run was not evaluated. Run `inosuke evaluate` first"):
        invoke(project, "r", "--votes", str(ours))


@pytest.mark.slow
def test_a_run_is_shown_blind_beside_the_run_that_it_was_started_from(
    evaluated: tuple[Project, dict[str, Any]], tmp_path: Path
) -> None:
    project, _ = evaluated
    models = project.root / "models"
    started(shutil.copytree(models / "r", models / "s"), "r")
    with pytest.raises(InosukeError, match=r"r was trained from a base.*s continues it: `inosuke evaluate s"):
        invoke(project, "r", "--against", "start")
    content = json.loads(invoke(project, "s", "--against", "start", "--dialogues", "0", "--json"))
    assert content["against"]["run"] == "r"
    # The same adapter, so the same replies; the base's are others, and are not on the page.
    assert [a["other"] for a in content["answers"]] == [a["adapter"] for a in content["answers"]]
    blind = (models / "s" / "ab.html").read_text(encoding="utf-8")
    assert "another trained model" in blind and content["answers"][0]["base"] not in blind
    first = content["answers"][0]["id"]
    side = "a" if votes.adapter_is_a(content["page"], first) else "b"
    voted = write_votes(tmp_path / "1.json", content["page"], "An", {first: side})
    assert "1 for s, 0 for r, 0 alike, 0 for neither. s's share" in invoke(project, "s", "--votes", str(voted))
    started(models / "s", "gone")
    with pytest.raises(InosukeError, match=r"s was started from gone, which is not in .*models any more"):
        invoke(project, "s", "--against", "start")


def started(run: Path, start: str) -> None:
    file = run / "metrics.json"
    content = json.loads(file.read_text(encoding="utf-8")) | {"run": run.name, "started_from": start}
    file.write_text(json.dumps(content), encoding="utf-8")


def write_votes(file: Path, page: str, annotator: str, chosen: dict[str, str]) -> Path:
    listed = [{"pair": pair, "choice": choice} for pair, choice in chosen.items()]
    file.write_text(json.dumps({"page": page, "annotator": annotator, "votes": listed}), encoding="utf-8")
    return file


@pytest.mark.slow
def test_measuring_again_keeps_the_votes(evaluated: tuple[Project, dict[str, Any]], tmp_path: Path) -> None:
    project, content = evaluated
    folder = project.root / "models" / "r"
    voted = write_votes(tmp_path / "1.json", content["page"], " An ", {content["answers"][0]["id"]: "same"})
    invoke(project, "r", "--votes", str(voted))
    again = json.loads(invoke(project, "r", "--eval-replies", "1", "--json"))
    assert again["page"] == content["page"]
    assert [v["annotator"] for v in again["votes"]] == ["An"]
    assert again["preference"]["counts"]["same"] == 1

    fewer = json.loads(invoke(project, "r", "--replies", "1", "--json"))  # other pairs, another page
    assert fewer["votes"] == []
    backup = json.loads((folder / f"evaluation.{content['page']}.json").read_text(encoding="utf-8"))
    assert backup == again

    (folder / "evaluation.json").write_text("{half", encoding="utf-8")
    with pytest.raises(InosukeError, match=r"evaluation.json: damaged .* Move it away and run `inosuke evaluate`"):
        invoke(project, "r", "--votes", str(voted))
    blanks = write_votes(tmp_path / "2.json", content["page"], "  ", {})
    (folder / "evaluation.json").write_text(json.dumps(again), encoding="utf-8")
    with pytest.raises(UsageError, match="`annotator` is"):
        invoke(project, "r", "--votes", str(blanks))


MIRA = """
name = "Mira"
languages = ["en"]
system_prompt = "You are Mira, a witch who sells tea."
"""


@pytest.mark.slow
def test_another_character_is_another_persona_file(tmp_path: Path, tiny_base: Path) -> None:
    """One without labels for the user, pronouns or Vietnamese, from training to the report."""
    persona = tmp_path / "mira.toml"
    persona.write_text(MIRA, encoding="utf-8")
    tea: Turns = [("user", "What do you sell?"), ("assistant", "Tea! Nettle and a little thunder.")]
    rain: Turns = [("user", "Will it rain?"), ("assistant", "Only if you forget your hat.")]
    project = Project(tmp_path, tiny_base)
    write_export(tmp_path, [tea, rain], [rain], persona=persona)
    metrics_json = project.train(recipe=project.recipe(quantization="none", epochs=1), run="r")
    assert metrics_json["eval"]["base"]["replies"] == 1
    shown = invoke(project, "r", "--replies", "1")
    folder = project.root / "models" / "r"
    written = [(folder / name).read_text(encoding="utf-8") for name in ("README.md", "report.html", "ab.html")]
    for text in (shown, *written):
        assert "Inosuke" not in text.replace("inosuke", "")
        assert not re.search(r"\b(he|him|his)\b|“ta”|“”", text.partition("</style>")[2] or text, re.IGNORECASE)
    assert all("Mira" in text for text in written)


@pytest.mark.slow
def test_an_eval_split_that_was_trained_on_is_named(
    evaluated: tuple[Project, dict[str, Any]], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    project, _ = evaluated
    write_export(tmp_path / "other", [TWO], [ONE, TWO], [])
    export = tmp_path / "other" / "datasets" / "export" / "v1"
    done = CliRunner().invoke(
        evaluate, ["r", "--export", str(export), "--replies", "0", "--persona", str(project.persona)]
    )
    assert done.exit_code == 0
    assert "was trained on another export (v1), which held the replies of 2 of these 2 eval dialogues" in done.stderr


def lines(content: dict[str, Any], persona: Persona) -> list[str]:
    return table(Evaluation.model_validate(content), persona).splitlines()


@pytest.mark.slow
def test_one_row_has_no_interval_and_no_verdict(evaluated: tuple[Project, dict[str, Any]], persona: Persona) -> None:
    _, content = evaluated
    assert content["eval"]["rows"] == 1
    change = content["eval"]["figures"]["loss"]["difference"]
    assert (change["low"], change["high"]) == (None, None)
    line = next(x for x in lines(content, persona) if "loss per reply token" in x)
    assert line.endswith(f"{change['value']:+.3f}")


def test_a_truncated_reply_has_no_length_ratio(persona: Persona) -> None:
    said = [Reply("Ta đây! Ta", False), Reply("Ta đây! Ta đây!", True)]
    table = metrics.per_reply(metrics.Answers(said, [prompt("1", "Ta đây!")] * 2, set(), persona))
    assert table["length_ratio"] == [None, 15 / 7]


@pytest.mark.slow
def test_a_worse_figure_is_called_worse(evaluated: tuple[Project, dict[str, Any]], persona: Persona) -> None:
    _, content = evaluated
    figures = content["eval"]["figures"]["loss"]
    figures["difference"] = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9}
    line = next(x for x in lines(content, persona) if "loss per reply token" in x)
    assert line.endswith("+0.500 (+0.400 to +0.600) WORSE")
    figures["difference"] = {"value": 0.5, "low": -0.4, "high": 0.6, "n": 9}
    line = next(x for x in lines(content, persona) if "loss per reply token" in x)
    assert line.endswith("(-0.400 to +0.600)")


def test_the_side_of_the_adapter_is_a_fair_coin() -> None:
    sides = [votes.adapter_is_a("page", f"pair-{i}") for i in range(400)]
    assert 150 < sum(sides) < 250
    assert sides == [votes.adapter_is_a("page", f"pair-{i}") for i in range(400)]


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing: apt-get install chromium")
@pytest.mark.slow
def test_the_blind_page_opened_from_a_folder_keeps_votes_and_saves_them(
    evaluated: tuple[Project, dict[str, Any]], tmp_path: Path
) -> None:
    from playwright.sync_api import expect, sync_playwright

    project, content = evaluated
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        wrong: list[str] = []
        page.on("console", lambda message: wrong.append(message.text))
        page.goto((project.root / "models/r/ab.html").as_uri())
        page.keyboard.press("1")
        page.keyboard.press("3")
        expect(page.locator("#count")).to_have_text("2 of 4")
        page.reload()
        expect(page.locator("#count")).to_have_text("2 of 4")
        expect(page.locator(".pair").first.get_by_role("button", name="A", exact=True)).to_have_attribute(
            "aria-pressed", "true"
        )
        page.locator(".pair").nth(3).get_by_role("button", name="Neither").click()
        page.get_by_label("Your name").fill("Bé An")
        with page.expect_download() as saving:
            page.get_by_role("button", name="Save votes").click()
        file = tmp_path / "votes.json"
        saving.value.save_as(file)
        page.goto((project.root / "models/r/report.html").as_uri())
        expect(page.locator("svg").first).to_be_visible()
        browser.close()
    assert wrong == []  # the content security policy lets in what the pages need
    found = votes.read(file, Evaluation.model_validate(content))
    assert [(v["annotator"], v["pair"]) for v in found] == [
        ("Bé An", a["id"]) for a in (content["answers"][i] for i in (0, 1, 3))
    ]
    assert [v["choice"] for v in found] == ["a", "same", "neither"]


@pytest.mark.slow
def test_the_queue_that_waits_is_scored_once_for_a_run(evaluated: tuple[Project, dict[str, Any]]) -> None:
    project, _ = evaluated
    folders = Folders(project.root)
    with pytest.raises(InosukeError, match=r"waiting\.jsonl: does not exist"):
        invoke(project, "--queue")
    samples = [sample(TWO), sample([ONE[0], ("assistant", "Kính chào quý khách, tôi xin phép ạ.")])]
    write_waiting(folders.waiting, samples)
    measured = json.loads(invoke(project, "r", "--queue", "--json"))
    assert (measured["run"], measured["waiting"], measured["known"]) == ("r", 2, 0)
    scores = read_queue_scores(folders.queue_scores)
    assert scores is not None
    learnt, strange = (scores.surprise()[s.id] for s in samples)
    assert learnt < strange, "what the run has learnt is less of a surprise"
    assert "2 were scored by r before" in invoke(project, "--queue")
    with pytest.raises(UsageError, match="--queue only scores"):
        invoke(project, "--queue", "--against", "r")


def sample(turns: Turns) -> Sample:
    messages = tuple(Message(role, text) for role, text in turns)  # type: ignore[arg-type]
    source = Source(path="a.jsonl", sha256="0" * 64, locator="row 1", importer="rows")
    return Sample(
        id=sample_id("conversation", messages), kind="conversation", messages=messages, language="vi", topic=None,
        source=source,
    )  # fmt: skip
