"""A source folder's map of its voices: `speakers = { "SPEAKER_01" = "Inosuke" }`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner

from curation.folders import Folders
from curation.review.queue import read_queue
from inosuke import cli
from tests.tools.transcripts import ass, one_after_another

PERSONA = """
name = "Inosuke"
languages = ["en"]
system_prompt = "You are Inosuke."

[[sources]]
path = "datasets/sources/one"
speakers = { "Ka" = "Inosuke", "SPEAKER_02" = "Tanjiro" }

[[sources]]
path = "datasets/sources/two"
speakers = { "Ka" = "Kanao" }
"""
TALK = ["Come down from there!", "I am up on the roof and I like it.", "The rice is ready.", "Then I am down already!"]


def test_each_folder_has_names_of_its_own(project: Callable[..., Path]) -> None:
    cues = ass(one_after_another(TALK, actors=["speaker_02", "KA"]))
    root = project({"one/ep 1.ass": cues, "two/ep 1.ass": cues}, PERSONA)
    options = ["--persona", str(root / "persona.toml"), "--json"]
    shown = CliRunner().invoke(cli, ["import", str(root / "datasets" / "sources"), *options])
    speakers = [file["speakers"] for file in json.loads(shown.stdout)["files"]]
    assert speakers == [{"Tanjiro": 2, "Inosuke": 2}, {"speaker_02": 2, "Kanao": 2}]
    assert CliRunner().invoke(cli, ["dataset", *options]).exit_code == 0
    (sample,) = [item.sample for item in read_queue(Folders(root).queue)]
    assert sample.source.path == "datasets/sources/one/ep 1.ass"
    assert [(m.role, m.name) for m in sample.messages] == [("user", "Tanjiro"), ("assistant", None)] * 2
