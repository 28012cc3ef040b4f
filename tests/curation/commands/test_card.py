"""`inosuke card` through the command line, and what a parser from npm makes of its cards."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from curation.folders import Folders
from inosuke import cli
from tests.conftest import ROOT
from tests.curation.character_cards.making import card, card_png

_READ = """
import { CCardLib } from '@risuai/ccardlib'
import { readFileSync } from 'node:fs'
const card = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const v2 = CCardLib.character.convert(card, { to: 'v2' })
console.log(JSON.stringify([CCardLib.character.check(card), v2.data.name, v2.data.first_mes]))
"""


def test_a_card_becomes_a_character_whose_rows_wait_for_review(tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(card_png(card()))
    boar = tmp_path / "boar"
    done = CliRunner().invoke(cli, ["card", "import", str(tmp_path / "in.png"), "--into", str(boar)])
    assert done.exit_code == 0, done.output
    assert (boar / "character-card.png").read_bytes() == card_png(card())
    assert b"tEXt" not in (boar / "portrait.png").read_bytes()
    done = CliRunner().invoke(cli, ["dataset", "--persona", str(boar / "persona.toml")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    rows = pq.read_table(Folders(boar).queue).to_pylist()
    found = {json.loads(row["source"])[2]: (row["kind"], json.loads(row["messages"])[-1]["content"]) for row in rows}
    assert found == {
        "data.mes_example 1": ("conversation", "The king of this hill, you!"),
        "data.first_mes": ("quote", "Hello you, I am Boar, the king!"),
        "data.alternate_greetings[0]": ("quote", "What do you want from me?"),
        "data.character_book.entries[0]": ("generic_qa", "The mountain is the home of the boars."),
    }
    assert {json.loads(row["source"])[4] for row in rows} == {"unknown"}


def test_check_lists_what_a_card_breaks(tmp_path: Path) -> None:
    file = tmp_path / "in.json"
    file.write_text(json.dumps(card()), encoding="utf-8")
    assert CliRunner().invoke(cli, ["card", "check", str(file)]).exit_code == 0
    file.write_text(json.dumps(card(tags=None)), encoding="utf-8")
    done = CliRunner().invoke(cli, ["card", "check", str(file)])
    assert done.exit_code == 1
    assert "`tags` is missing or null" in done.output


@pytest.mark.skipif(
    not shutil.which("node") or not (ROOT / "node_modules" / "@risuai").is_dir(), reason="needs node and `npm ci`"
)
@pytest.mark.parametrize("version", [2, 3])
def test_a_parser_from_npm_reads_what_is_written(tmp_path: Path, version: int) -> None:
    persona = tmp_path / "persona.toml"
    persona.write_text(
        'name = "Boar"\nlanguages = ["en"]\nsystem_prompt = "Wild."\n[greetings]\nen = ["Hm?"]\n', encoding="utf-8"
    )
    out = tmp_path / "out.json"
    arguments = ["card", "export", "--out", str(out), f"--v{version}", "--persona", str(persona)]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    run = subprocess.run(
        ["node", "--input-type=module", "-", str(out)],
        input=_READ, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == [f"v{version}", "Boar", "Hm?"]


KING = "I am the king of this hill, and you had better hear me roar"
LINES = [
    *(f"{KING}{end}" for end in ("!", "!!", ".", " now!", ", now!", "!!!")),
    "Out of my way, the mountain is waiting for me.",
    "Who dares to wake a sleeping boar before noon?",
    "Bring me chestnuts, and nobody gets hurt today.",
    "The river is cold, so I swim it twice.",
    "My tusks are sharper than any word of yours.",
    "Never ask a storm where it goes next.",
]


def test_greetings_and_examples_are_approved_lines_one_of_each_cluster_within_the_budget(tmp_path: Path) -> None:
    for folder, lines in (("lines", LINES), ("waiting", ["Nobody has read this line of mine yet, you know."])):
        (tmp_path / folder).mkdir()
        rows = [{"instruction": "Say something only Boar would say.", "input": "", "output": line} for line in lines]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / folder / "quotes.en.jsonl").write_text(text, encoding="utf-8")
    persona = tmp_path / "persona.toml"
    persona.write_text(
        'name = "Boar"\nlanguages = ["en"]\nsystem_prompt = "Wild."\n[kinds]\n"quote*" = "quote"\n'
        '[[sources]]\npath = "lines"\nrights = "own"\ntrusted = true\n'
        '[[sources]]\npath = "waiting"\nrights = "own"\n',
        encoding="utf-8",
    )
    done = CliRunner().invoke(cli, ["dataset", "--persona", str(persona)], catch_exceptions=False)
    assert done.exit_code == 0, done.output

    def exported(tokens: int) -> tuple[list[str], list[str]]:
        out = tmp_path / "out.json"
        command = ["card", "export", "--out", str(out), "--persona", str(persona), "--tokens", str(tokens)]
        assert CliRunner().invoke(cli, command, catch_exceptions=False).exit_code == 0
        data = json.loads(out.read_text(encoding="utf-8"))["data"]
        assert data["extensions"]["inosuke"]["dataset"]
        examples = [block.split("{{char}}: ")[1].strip() for block in data["mes_example"].split("<START>")[1:]]
        assert len(data["mes_example"]) <= 3 * tokens
        return [text for text in (data["first_mes"], *data["alternate_greetings"]) if text], examples

    greetings, examples = exported(2000)
    used = greetings + examples
    assert 1 < len(greetings) <= 4 and examples and set(used) <= set(LINES), "approved lines alone"
    assert sum(line.startswith(KING) for line in used) <= 1 and len(set(used)) == len(used) >= 5, "one of each cluster"
    assert len(exported(90)[1]) < len(examples) and exported(0) == ([], [])
    persona.write_text(persona.read_text("utf-8") + '[greetings]\nen = ["Hm?"]\n', encoding="utf-8")
    assert exported(2000)[0] == ["Hm?"], "the persona's own greeting comes first"
