"""A project folder with trusted and untrusted lines, used through its commands and its desk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from annotations.store.review_store import ReviewStore
from inosuke import cli

PERSONA = """
name = "Inosuke"
languages = ["vi"]
system_prompt = "Ngươi là Inosuke."

[[sources]]
path = "trusted"
rights = "own"
trusted = true
author = "tác giả"

[[sources]]
path = "lines"
rights = "own"
"""
_PLACES = ("núi Kumotori", "rừng tre", "bờ sông", "thác nước", "đồng cỏ", "hang đá", "làng chài", "đèo cao")
_BEASTS = ("lợn rừng", "gấu xám", "rắn khổng lồ", "đại bàng", "hổ vằn", "cá sấu", "sói già", "nhện độc")


def trusted_lines(count: int) -> list[tuple[str, str]]:
    """Return that many dialogues, none of them like another."""
    return [
        (
            f"Hôm {n} ngươi làm gì ở {_PLACES[n % 8]} lúc {n * 37 % 24} giờ {n * 13 % 60} phút?",
            f"Ta húc ngã {n * n + 3} con {_BEASTS[(n // 8 + n) % 8]} ở {_PLACES[(n * 3 + n // 8) % 8]}! Số {n * 7919}!",
        )
        for n in range(count)
    ]


class Project:
    """A project folder, used through its commands."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.persona = root / "persona.toml"
        self.configure()
        (root / "trusted").mkdir()
        (root / "lines").mkdir()

    def configure(self, table: str = "") -> None:
        """Write persona.toml with these tables at its end."""
        self.persona.write_text(PERSONA + table, encoding="utf-8")

    def write(self, folder: str, lines: list[tuple[str, str]], name: str = "lines.jsonl") -> None:
        """Write a source file with these dialogues."""
        rows = [
            {"messages": [{"role": "user", "content": ask}, {"role": "assistant", "content": reply}]}
            for ask, reply in lines
        ]
        text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
        (self.root / folder / name).write_text(text, encoding="utf-8")

    def call(self, *arguments: str) -> Result:
        """Run `inosuke …` and return what click's runner says."""
        return CliRunner().invoke(cli, [*arguments, "--persona", str(self.persona)])

    def run(self, *arguments: str) -> Any:
        """Run `inosuke … --json` and return what it prints."""
        result = self.call(*arguments, "--json")
        assert result.exit_code == 0, (result.output, result.exception)
        return json.loads(result.stdout)

    def store(self) -> ReviewStore:
        """Open the project's store; the caller closes it."""
        return ReviewStore(f"sqlite:///{self.root / 'datasets' / 'review.db'}")


@pytest.fixture
def project(desk_folder: Path) -> Project:
    return Project(desk_folder)
