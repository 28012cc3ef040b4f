"""What an annotator is shown as near, by the commands: through `inosuke dedup` and `inosuke dataset`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from curation.commands.dataset import dataset
from curation.commands.dedup import dedup
from curation.dedup.relations import moved
from curation.folders import Folders
from curation.review.queue import read_queue

Project = Callable[..., Path]
LONG = "Ta đã leo ba ngọn núi, lội hai con suối và húc đổ một gốc cây trước khi mặt trời mọc!"


def compare(tmp_path: Path, *texts: str) -> dict[str, Any]:
    """Return what `inosuke dedup FILE --json` prints."""
    file = tmp_path / "lines.json"
    file.write_text(json.dumps([{"output": text} for text in texts]), encoding="utf-8")
    result = CliRunner().invoke(dedup, [str(file), "--json"], catch_exceptions=False)
    assert result.exit_code == 0
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def shown(found: dict[str, Any]) -> list[str]:
    """Return the sorts of evidence on two texts."""
    near = [member["by"] for cluster in found["near"] for member in cluster["members"]]
    return ["exact"] * len(found["exact"]) + near + ["diacritics"] * len(found["diacritics"])


@pytest.mark.parametrize(
    ("one", "other", "by"),
    [
        ("Ta là CHÚA TỂ rừng núi!!!", "ta là  chúa tể rừng núi!", "exact"),
        ("Ta la\u0300 chu\u0301a te\u0302\u0309 ru\u031b\u0300ng!", "Ta là chúa tể rừng!", "exact"),
        ("Today is Sunday and it's a happy day!", "Today is sunday and it's really a happy day!", "ratio"),
        ("Ngươi vỡ mật rồi!", "Ngươi vỡ mặt rồi!", "ratio"),
        ("Ta kì lạ và quý mến bác sĩ!", "Ta kỳ lạ và quí mến bác sỹ!", "spelling"),
        ("Ta ko sợ ngươi đâu, ko bao h!", "Ta không sợ ngươi đâu, không bao giờ!", "spelling"),
        ("Điiiii nàooooo! Lao lênnnnn!", "Đi nào! Lao lên!", "spelling"),
        ("Ngươi khỏe hòa thủy hóa dọa lòe!", "Ngươi khoẻ hoà thuỷ hoá doạ loè!", "spelling"),
        ("ＴＡ！ mạnh", "TA! mạnh", "spelling"),
        ("It's dangerous to go alone!", "It's not safe to go alone!", "spelling"),
        ("Lại đây thử!", "Thử lại đây!", "order"),
        ("new york mets vs atlanta braves", "atlanta braves vs new york mets", "order"),
        ("Tanjiro và Zenitsu đâu rồi?", "Zenitsu và Tanjiro đâu rồi?", "order"),
        ("Đói rồi, ta đi ăn đây!", "Ta đi ăn đây, đói rồi!", "order"),
        (LONG, f"{LONG} Bây giờ mang cơm ra đây, ta đói lắm rồi!", "contains"),
        (f"Hừ! Nghe cho rõ đây, lũ yếu nhớt các ngươi. {LONG}", LONG, "contains"),
        ("Ta là chúa tể núi rừng, ngươi hãy quỳ xuống!", "Ta la chua te nui rung, nguoi hay quy xuong!", "diacritics"),
    ],
)
def test_near_texts_are_shown_with_what_shows_it(tmp_path: Path, one: str, other: str, by: str) -> None:
    assert shown(compare(tmp_path, one, other)) == [by]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Tanjiro giúp Zenitsu!", "Zenitsu giúp Tanjiro!"),
        ("Ta đánh ngươi trước!", "Ngươi đánh ta trước!"),
        ("Nezuko mạnh hơn Aoi nhiều lắm", "Aoi mạnh hơn Nezuko nhiều lắm"),
        ("dogs bite men", "men bite dogs"),
        ("Ta không đi, ngươi đi", "Ta đi, ngươi không đi"),
        ("Ta sợ quỷ!", "Ta không sợ quỷ!"),
        ("Ta luôn sợ thầy", "Ta chẳng sợ thầy"),
        ("Cào nát mặt!", "Đập nát núi!"),
        ("Đạp vỡ đất!", "Đạp vỡ đầu!"),
        ("Xé tung bụng!", "Xé tung lưng!"),
        ("Ta thích Tanjiro", "Ta thích Zenitsu"),
        ("Ta ăn!", "Ta ăn! Ngươi nhìn cái gì hả?"),  # short: said by chance
        (f"Không! {LONG[3:]}", f"{LONG[:30]} không nổi, {LONG[30:]} Ta thua!"),
    ],
)
def test_other_texts_are_not(tmp_path: Path, one: str, other: str) -> None:
    assert shown(compare(tmp_path, one, other)) == []


def test_the_terminal_names_the_relation(tmp_path: Path) -> None:
    file = tmp_path / "lines.json"
    file.write_text(json.dumps([{"output": "Lại đây thử!"}, {"output": "Thử lại đây!"}]), encoding="utf-8")
    lines = CliRunner().invoke(dedup, [str(file)], catch_exceptions=False).stdout.splitlines()
    assert lines[-1] == "  100.0 row 2: Thử lại đây!  [another order of the words]"
    page = CliRunner().invoke(dedup, [str(file), "--html"], catch_exceptions=False).stdout
    assert "100.0, the words in another order" in page


def row(*turns: str) -> dict[str, str]:
    """Return a row whose turns are the user's and the character's in turn."""
    rest = "\n".join(f"{'Inosuke' if at % 2 else 'Bạn'}: {turn}" for at, turn in enumerate(turns[2:]))
    return {
        "instruction": "Trò chuyện.",
        "input": f"Bạn: {turns[0]}\nInosuke:",
        "output": f"{turns[1]}\n{rest}".strip(),
    }


REPLY = "Ta vung kiếm loạn xạ cho nó khỏi đoán!"


@pytest.mark.parametrize(
    ("one", "other", "how"),
    [
        (("Inosuke, cậu đói không?", "Đói chứ! Đưa cơm đây!"), ("Cậu đói không?", "Đói chứ! Đưa cơm đây!"), "spelt"),
        (("Ngươi thích ăn gì nhất?", "Thịt!"), ("Bạn thích ăn gì nhất ạ?", "Thịt!"), "spelt"),
        (("Mày có đói hông z?", "Đói!"), ("Cậu có đói không vậy?", "Đói!"), "spelt"),
        (("Khi mưa cậu làm gì?", "Húc!"), ("Cậu làm gì khi mưa?", "Húc!"), "order"),
        (("Quỷ nhìn thấu ngươi thì sao?", REPLY), ("Nó biết trước mọi đòn mà?", REPLY), "another prompt"),
        (("Quỷ nhìn thấu ngươi thì sao?", REPLY), ("Nó biết mọi đòn?", "Hừ!", "Thì sao?", REPLY), "another prompt"),
        (("Đi đâu?", "Lên núi!"), ("Đi đâu thế?", "Lên núi!", "Xa không?", "Gần!"), "begins"),
        (("Kể đi", LONG), ("Kể đi", f"{LONG} Giờ thì đưa cơm ra đây mau lên!"), "contains"),
    ],
)
def test_near_dialogues_are_flagged_and_none_is_merged(
    project: Project, one: tuple[str, ...], other: tuple[str, ...], how: str
) -> None:
    root = project({"handwritten/conversations.json": json.dumps([row(*one), row(*other)])})
    result = CliRunner().invoke(dataset, ["--persona", str(root / "persona.toml"), "--json"], catch_exceptions=False)
    report = json.loads(result.stdout)
    assert report["duplicates"] == {"exact": 0, "near": 1}
    queue = [item.sample for item in read_queue(Folders(root).queue)]
    (flag,) = [f for sample in queue for f in sample.flags if f.code == "near_duplicate"]
    assert how in flag.detail
    assert sum(sample.id in flag.detail for sample in queue) >= 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Cậu có thích Tanjiro không?", "Có!"), ("Cậu có thích Nezuko không?", "Có!")),
        (("Tanjiro giúp Zenitsu à?", "Có!"), ("Zenitsu giúp Tanjiro à?", "Có!")),
        (("Tớ giúp cậu nhé?", "Ừ!"), ("Cậu giúp tớ nhé?", "Ừ!")),
        (("Cậu có đói không?", "Có!"), ("Cậu có đói không?", "Không!")),
        (("Ai mạnh nhất?", "Ta!"), ("Ai đói nhất?", "Ta!")),
        (("Cậu ấy đói?", "Có!"), ("Cậu đói?", "Có!")),
    ],
)
def test_other_dialogues_are_not(project: Project, one: tuple[str, ...], other: tuple[str, ...]) -> None:
    root = project({"handwritten/conversations.json": json.dumps([row(*one), row(*other)])})
    result = CliRunner().invoke(dataset, ["--persona", str(root / "persona.toml"), "--json"], catch_exceptions=False)
    assert json.loads(result.stdout)["duplicates"] == {"exact": 0, "near": 0}


def test_auto_near_leaves_out_only_what_the_kept_one_says_too(project: Project) -> None:
    rows = [
        row("Ngươi ăn gì?", "Thịt!"),
        row("Cậu ăn gì?", "Thịt!"),
        row("Ta làm sao?", REPLY),
        row("Vì cớ gì?", REPLY),
    ]
    root = project({"handwritten/conversations.json": json.dumps(rows)})
    options = ["--persona", str(root / "persona.toml"), "--json", "--auto-near"]
    report = json.loads(CliRunner().invoke(dataset, options, catch_exceptions=False).stdout)
    assert report["duplicates"] == {"exact": 0, "near": 2}
    assert report["left_out"] == {"near_duplicate": 1}


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        ("a b c d", "c d a b", True),
        ("a b c d", "a c d b", True),
        ("a or b", "b or a", True),
        ("a giúp b", "b giúp a", False),
        ("a b c d", "d b c a", False),
        ("ta không đi ngươi đi", "ta đi ngươi không đi", False),
        ("a b", "a b", True),
    ],
)
def test_one_part_may_move(one: str, other: str, near: bool) -> None:
    assert moved(one, other) is moved(other, one) is near
