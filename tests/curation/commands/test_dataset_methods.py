"""`inosuke dataset methods`: a paragraph whose every figure is the export's own."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.commands.dataset import dataset
from curation.contracts.manifest import read_manifest
from curation.export import methods
from tests.conftest import ROOT
from tests.tools.exports import write

ROWS = [
    {"instruction": f"Hỏi: {what} đâu rồi?", "input": "", "output": f"{what} hả? Ta {did} từ {when} rồi!"}
    for what, did, when in (
        ("Cái thang", "chẻ làm củi", "sáng"),
        ("Bánh nếp", "nhai sạch", "tối qua"),
        ("Con gà trống", "thả lên mái", "lúc mưa"),
        ("Đôi dép cỏ", "đá xuống suối", "hôm kia"),
        ("Chiếc nón", "đội cho trâu", "đầu tháng"),
        ("Quạt nan", "bẻ đôi", "trưa"),
        ("Ấm đất", "húc vỡ", "mùa trước"),
        ("Sợi thừng", "buộc đuôi lợn", "nửa đêm"),
        ("Tấm phản", "kê chân núi", "năm ngoái"),
        ("Hũ muối", "rắc vào thịt", "bữa cơm"),
    )
]


@pytest.fixture(scope="module")
def persona_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("methods")
    shutil.copy(ROOT / "persona.toml", root / "persona.toml")
    (root / "mine").mkdir()
    bad = [{"instruction": "", "input": "", "output": "Ta!"}, {**ROWS[0]}]
    (root / "mine" / "conversations.json").write_text(json.dumps([*ROWS, *bad]), encoding="utf-8")
    _run(root / "persona.toml", "--corpus", str(root / "mine"))
    return root / "persona.toml"


def _run(persona_file: Path, *arguments: str) -> str:
    run = CliRunner().invoke(dataset, [*arguments, "--persona", str(persona_file)], catch_exceptions=False)
    assert run.exit_code == 0, run.output
    return run.stdout


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            (
                "The dataset holds 10 dialogues in the voice of Inosuke (version VERSION,",
                "9 to train on and 1 to evaluate on.",
                "By kind these are conversations 10; by language, vi 10.",
                "They come from 1 source file (read as alpaca 10).",
                "11 dialogues were imported and 1 rows or pieces were quarantined with a reason (no prompt 1).",
                "1 exact duplicates were merged.",
                "of 90 or more of 100); they were flagged, and none was removed automatically.",
                "No one but the author has judged them: 10 were approved on the author's word.",
                "Agreement between annotators was not measured.",
                "aims at 10% for evaluation; 0 near pairs cross it.",
            ),
        ),
        (
            "vi",
            (
                "Bộ dữ liệu gồm 10 đoạn thoại theo giọng Inosuke (phiên bản VERSION,",
                "9 để huấn luyện và 1 để đánh giá.",
                "1 bản trùng hoàn toàn được gộp lại.",
                "Ngoài tác giả chưa ai đánh giá: 10 đoạn được duyệt theo lời tác giả.",
                "Mức đồng thuận giữa những người duyệt chưa được đo.",
            ),
        ),
    ],
)
def test_the_paragraph_has_the_figures_of_the_export(language: str, words: tuple[str, ...], persona_file: Path) -> None:
    answer = json.loads(_run(persona_file, "methods", "--language", language, "--json"))
    text = _run(persona_file, "methods", "--language", language)
    assert text == f"{answer['text']}\n\n{answer['bibtex']}\n"
    for part in words:
        assert part.replace("VERSION", answer["version"]) in answer["text"]
    assert "\n" not in answer["text"] and "  " not in answer["text"]
    assert answer["figures"]["samples"] == {"train": 9, "eval": 1, "total": 10}


@pytest.mark.parametrize("language", ["en", "vi"])
def test_every_number_of_the_paragraph_is_a_figure(language: str, persona_file: Path) -> None:
    answer = json.loads(_run(persona_file, "methods", "--language", language, "--json"))
    known = set(_numbers(answer["figures"])) | {100.0, 10.0, 12.0, 256.0}  # of 100; 100 × eval_share; digits; SHA-256
    text = answer["text"].replace(answer["version"], "")
    thousands, point = (",", ".") if language == "en" else (".", ",")
    for number in re.findall(r"\d+(?:[.,]\d+)*", text):
        assert float(number.replace(thousands, "").replace(point, ".")) in known, number


def _numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [n for inner in value.values() for n in _numbers(inner)]
    if isinstance(value, list):
        return [n for inner in value for n in _numbers(inner)] + [float(len(value))]
    return [round(sum([float(value)]), 6)] if isinstance(value, int | float) else []


@pytest.mark.parametrize("language", ["en", "vi"])
def test_reviewers_agreement_and_audits_are_told_where_they_were_measured(language: Any, tmp_path: Path) -> None:
    audit = {"drawn": 50, "frame": 400, "people": 2, "read": 50, "wrong": 1, "confidence": 0.95, "bound": 0.0914}
    review = {
        "approved": 1_404,
        "awaiting_review": 1,
        "seen_by_a_person": 3,
        "only_vouched_for_by_the_author": 1_401,
        "annotators": 2,
        "verdicts": {"approve": 2, "rewrite": 1},
        "agreement": {"samples": 3, "share": 0.667, "alpha": 0.412, "blind": True},
        "audits": [audit],
    }
    about = read_manifest(write(tmp_path, review=review))
    text = methods.paragraph(methods.figures(about, ["a", "b", "a"]), language)
    expected = {
        "en": (
            "2 annotators judged 3 of them (approve 2, rewrite 1); 1,401 were approved on the author's word alone.",
            "66.7% of verdict pairs are equal (Krippendorff's alpha 0.412).",
            "2 people read 50 of 400 dialogues approved on the author's word, drawn at random, and found 1 wrong: at "
            "most 9.14% with 95% confidence",
            "2 source files",
        ),
        "vi": (
            "2 người duyệt đã đánh giá 3 đoạn (approve 2, rewrite 1); 1.401 đoạn chỉ được duyệt theo lời tác giả.",
            "66,7% cặp phán quyết giống nhau (alpha của Krippendorff 0,412).",
            "nhiều nhất 9,14% với độ tin cậy 95%",
            "2 tệp nguồn",
        ),
    }
    for part in expected[language]:
        assert part in text
