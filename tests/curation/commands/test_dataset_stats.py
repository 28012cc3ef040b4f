"""`inosuke dataset stats`: what it shows of a corpus, in a terminal, as JSON and as a page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.commands.dataset import dataset
from curation.errors import InosukeError, UsageError
from tests.conftest import ROOT

_THINGS = (
    "thác", "hang", "suối", "đèo", "vực", "bãi", "đồi", "đầm", "trảng", "gò", "khe", "rẫy", "mỏm", "dốc", "lạch",
    "ruộng", "vách", "truông", "ghềnh", "mương", "gốc", "lùm", "bờ", "hố", "triền", "chòi", "ngòi", "phá", "hẻm", "eo",
)  # fmt: skip
_DONE = ("húc", "leo", "nhảy", "lội", "gầm", "chạy", "ngủ", "đào", "cắn", "ném", "quật", "rình", "hú", "bơi", "vồ")


def _rows() -> list[dict[str, str]]:
    said = [
        (
            f"Cái {thing} ấy ngươi từng {_DONE[n % 15]} tới lần thứ {n} rồi à?",
            f"Có! Ta {_DONE[-n % 15]} nát {thing} {n}!",
        )
        for n, thing in enumerate(_THINGS)
    ]
    said += [
        (f"Này, mấy hôm {thing} cạn thì Rengoku {_DONE[n % 15]} ra sao?", f"{who} {_DONE[-n % 15]} như {thing} vỡ!")
        for n, (thing, who) in enumerate(zip(_THINGS[:10], ("Ông ấy", "Ông ta") * 5, strict=True))
    ]
    said += [
        ("Inosuke, Aoi có từng khen cậu chưa?", "Chưa bao giờ! Toàn mắng!"),
        ("Aoi có từng khen ngươi chưa?", "Có | một lần, `lúc` <b>rửa</b> bát!"),
    ]
    return [{"instruction": f"Hỏi: {asked}", "input": "", "output": reply} for asked, reply in said]


@pytest.fixture(scope="module")
def persona_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("stats")
    # A row with markup shows that a report escapes it; the check would hold that row back.
    persona = (ROOT / "persona.toml").read_text(encoding="utf-8")
    (root / "persona.toml").write_text(f'{persona}\n[checks]\noff = ["markup"]\n', encoding="utf-8")
    (root / "mine").mkdir()
    (root / "mine" / "conversations.json").write_text(json.dumps(_rows()), encoding="utf-8")
    prompt = {"id": "x", "tests": "politics", "messages": [{"role": "user", "content": "Bầu cử là gì?"}]}
    text = json.dumps(prompt | {"reference": "Bầu gì? Ta ăn!"})
    (root / "mine" / "test_set.jsonl").write_text(text, encoding="utf-8")
    run(root / "persona.toml", "--corpus", str(root / "mine"))
    return root / "persona.toml"


def run(persona_file: Path, *arguments: str) -> str:
    result = CliRunner().invoke(dataset, [*arguments, "--persona", str(persona_file)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def found(persona_file: Path) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(run(persona_file, "stats", "--json"))
    return answer


def test_first_words_and_first_two_words_over_the_guide_are_marked(found: dict[str, Any], persona_file: Path) -> None:
    first, second, third, *_ = found["first_words"]["vi"]
    assert (first["words"], first["count"], first["over"]) == ("có", 31, True)
    assert (second["words"], second["count"]) == ("ông", 10)
    assert (third["words"], third["over"]) == ("chưa", False)
    assert found["first_two_words"]["vi"][0]["words"] == "có ta"
    text = run(persona_file, "stats")
    assert "over the guide     vi: first word of more than 3% of the replies: `có` 73.8%, `ông` 23.8%\n" in text
    assert "first two words of more than 3% of the replies: `có ta` 71.4%, `ông ta` 11.9%, `ông ấy` 11.9%\n" in text


def test_opposite_answers_name_their_rows(found: dict[str, Any], persona_file: Path) -> None:
    (entry,) = found["contradictions"]
    assert [a["place"] for a in entry["no"]] == ["mine/conversations.json, row 41"]
    assert [a["place"] for a in entry["yes"]] == ["mine/conversations.json, row 42"]
    assert found["repeated_questions"] == {"questions": 1, "rows": 2}
    text = run(persona_file, "stats")
    assert "contradictions     1 of 1 questions that stand in several rows are answered with both yes and no\n" in text
    assert entry["yes"][0]["id"] in text and entry["no"][0]["id"] in text


def test_people_are_listed_with_the_words_for_them(found: dict[str, Any], persona_file: Path) -> None:
    (rengoku,) = [person for person in found["people"] if person["name"] == "Rengoku"]
    assert (rengoku["referred"], rengoku["mixed"]) == ({"ông ta": 5, "ông ấy": 5}, True)
    assert "  Rengoku              10 rows  of them: ông ta 5, ông ấy 5\n" in run(persona_file, "stats")


def test_what_the_corpus_lacks_is_named(found: dict[str, Any], persona_file: Path) -> None:
    assert {s["name"]: s["rows"] for s in found["subjects"]}["work and money"] == 0
    assert {"group": "politics", "text": "Bầu cử là gì?"} in found["unlike_train"]
    text = run(persona_file, "stats")
    assert "little about       vi: " in text and "work and money 0" in text
    assert "  politics: Bầu cử là gì?\n" in text


@pytest.mark.parametrize("name", ["report.md", "report.html"])
def test_the_report_holds_every_view_and_shows_text_as_it_is(name: str, persona_file: Path, tmp_path: Path) -> None:
    run(persona_file, "stats", "--report", str(tmp_path / name))
    text = (tmp_path / name).read_text(encoding="utf-8")
    for part in (
        "How replies begin",
        "Opposite answers to one question",
        "What people are called",
        "What the corpus says little about",
        "Near-duplicate replies",
        "Rengoku",
        "work and money",
    ):
        assert part in text
    if name.endswith(".html"):
        assert text.count("data:image/png;base64,") == 2 and 'alt="Samples by kind"' in text
        assert "Có | một lần, `lúc` &lt;b&gt;rửa&lt;/b&gt; bát!" in text and "<b>rửa" not in text
        assert "<td>có</td>" in text.replace("<code>", "").replace("</code>", "")
    else:
        assert r"Có \| một lần, \`lúc\` \<b\>rửa\</b\> bát!" in text


def test_a_report_under_another_name_or_in_no_folder_is_an_error(persona_file: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"report\.pdf: expected a name that ends with \.html or \.md"):
        run(persona_file, "stats", "--report", str(tmp_path / "report.pdf"))
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InosukeError, match="cannot be written"):
        run(persona_file, "stats", "--report", str(tmp_path / "file" / "report.md"))


def test_charts_have_titles() -> None:
    from curation.export import charts

    rows: Any = {"train": [{"kind": "quote", "messages": [{"role": "assistant", "content": "Hú!"}]}], "eval": []}
    titles = [figure.axes[0].get_title() for figure in (charts._composition(rows), charts._lengths(rows))]
    assert titles == ["Samples by kind", "Length of replies"]
