"""Personal data through `inosuke dataset`: a row that holds some waits, a row that only counts does not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from curation.folders import Folders
from curation.review.queue import read_queue
from inosuke import cli

WAITING = {
    "Viết cho ta: lon chấm rung a còng gmail chấm com!": "e-mail address: lon chấm rung a còng gmail chấm com",
    "Tìm ta trên zalo: lon_rung95 ấy!": "account on a network: zalo: lon_rung95",
    "Chuyển cơm vào STK 19034567890123 cho ta!": "bank account: 19034567890123",
    "Gọi ta số O9l2 345 678 nghe chưa!": "phone number: O9l2 345 678",
    "Ta tên là Nguyễn Văn An, sinh ngày 12/3/2008, lớp 10A1!": (
        "name with birthday: Nguyễn Văn An, sinh ngày 12/3/2008"
    ),
}
FINE = ["Bát 1 2 3 4 5 6 7 8 9 10! Ta ăn hết rồi!", "Ta đấm mười cái, chấm điểm đi!"]


def test_what_is_personal_waits_and_is_named(project: Callable[..., Path]) -> None:
    rows = [{"instruction": "Hỏi: Nói gì đi?", "input": "", "output": text} for text in (*WAITING, *FINE)]
    root = project({"handwritten/conversations.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})
    run = CliRunner().invoke(cli, ["dataset", "--json", "--persona", str(root / "persona.toml")])
    report = json.loads(run.stdout)
    assert (report["approved"], report["awaiting_review"]) == (len(FINE), len(WAITING))
    assert report["flagged"] == {"personal_data": len(WAITING)}
    found = {s.replies[0]: [f.detail for f in s.flags] for s in (i.sample for i in read_queue(Folders(root).queue))}
    assert found == {text: [detail] for text, detail in WAITING.items()} | {text: [] for text in FINE}
