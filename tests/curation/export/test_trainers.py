"""An export as other people load it: trl, LLaMA-Factory, pandas, polars, datasets, Croissant. Built by the command."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from curation import chat
from curation.commands.dataset import dataset
from curation.contracts.manifest import read_manifest
from curation.contracts.rows import read_chat_rows
from curation.export.columns import COLUMNS
from curation.export.exported_rows import CONFIGS, OPTIONAL, SIDES, features
from curation.persona import Persona
from curation.record import Message, messages_from_json
from tests.conftest import ROOT
from tests.tools.tokenizers import chatml_tokenizer

_PLACES = ("núi", "suối", "hang", "rừng", "thác", "vách", "đầm", "đèo", "bãi", "đồi", "vực", "ghềnh", "nương", "trảng")
_DEEDS = ("leo lên", "nhảy xuống", "húc đổ", "lội qua", "gầm vang", "ngủ quên", "chạy quanh", "đào tung", "hát giữa")
_SIZES = ("to", "nhỏ", "cao", "sâu", "tối", "lạnh", "xa", "dốc", "rộng", "hẹp", "ướt")
SYSTEM = "You are a boar."


def rows() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield (file, row): 139 single rows in both languages, then dialogues with topics, names and a system prompt."""
    for n in range(126):
        place, deed, size = _PLACES[n % 14], _DEEDS[n // 14], _SIZES[n % 11]
        yield (
            "conversations.json",
            {
                "instruction": f"Hỏi: {place} {size} kia có gì mà ngươi {deed} thế?",
                "input": "",
                "output": f"{deed.capitalize()} {place} {size}! {n} con lợn rừng nhìn ta mà há mồm!",
            },
        )
    words = ("river", "stone", "bread", "moon", "snow", "wolf", "fire", "door", "song", "boat", "hill", "rain", "bone")
    for n, word in enumerate(words):
        yield (
            "conversations.json",
            {
                "instruction": f"You: What would you do with a {word}?",
                "input": "",
                "output": f"I hit the {word} {n} times with my head until it gives up!",
            },
        )
    for n, name in enumerate(("Rengoku", "Giyu", "Mitsuri", "Zenitsu", "Kanao", "Shinobu", "Aoi", "Urokodaki")):
        yield (
            "conversations.json",
            {
                "instruction": f"Đoạn hội thoại nhiều lượt về {name}.",
                "input": f"Bạn: {name} mạnh hơn ngươi à?\nInosuke:",
                "output": f"{name} hả? Ta thách đấu {n} lần rồi!\nNgười khác: {name} thắng chứ gì?\n"
                f"Inosuke: Chưa ai thắng ta cả, hỏi {name} mà xem!",
            },
        )
    yield (
        "chat.jsonl",
        {
            "messages": [
                {"role": "user", "content": "Bún nóng đây!", "name": "Tanjiro"},
                {"role": "user", "content": "Phần của tớ đâu?", "name": "Zenitsu"},
                {"role": "assistant", "content": "Ta ăn sạch rồi!"},
                {"role": "assistant", "content": "Ngon lắm!"},
            ]
        },
    )
    yield (
        "chat.jsonl",
        {
            "messages": [
                {"role": "system", "content": SYSTEM},
                {"role": "user", "content": "Trà hay nước lã?"},
                {"role": "assistant", "content": "Nước suối! Múc bằng tay!"},
            ]
        },
    )
    for n in range(40):
        yield (
            "quotes.json",
            {
                "instruction": "Nói một câu đậm chất Inosuke (ngắn).",
                "input": "",
                "output": f"{_DEEDS[n % 9].capitalize()} {_PLACES[n % 14]}, {_SIZES[n % 11]} mấy cũng chơi, lần {n}!",
            },
        )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("trainers")
    shutil.copy(ROOT / "persona.toml", root / "persona.toml")
    files: dict[str, list[dict[str, Any]]] = {}
    for name, row in rows():
        files.setdefault(name, []).append(row)
    (root / "mine").mkdir()
    for name, content in files.items():
        text = json.dumps(content) if name.endswith(".json") else "".join(f"{json.dumps(r)}\n" for r in content)
        (root / "mine" / name).write_text(text, encoding="utf-8")
    prompts = [
        {"id": f"p{n}", "messages": [{"role": "user", "content": q}], "reference": "Ta!"} for n, q in enumerate("ab")
    ]
    prompts[1] |= {"tests": "food"}
    (root / "mine" / "test_set.jsonl").write_text("".join(f"{json.dumps(p)}\n" for p in prompts), encoding="utf-8")
    arguments = ["--corpus", str(root / "mine"), "--persona", str(root / "persona.toml"), "--json"]
    run = CliRunner().invoke(dataset, arguments, catch_exceptions=False)
    assert run.exit_code == 0, run.output
    report = json.loads(run.stdout)
    assert report["flagged"] and sum(report["exported"].values()) > 180, report
    return Path(report["path"])


def parquet(folder: Path, config: str, side: str) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    found: list[dict[str, Any]] = pq.read_table(folder / f"{config}/{side}.parquet").to_pylist()
    return found


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").split("\n") if line]


# ---------------------------------------------------------------- instruct


def test_instruct_learns_the_characters_words_alone_with_a_row_for_each_reply(folder: Path, persona: Persona) -> None:
    for side in SIDES:
        known = {row.id: row for row in read_chat_rows(folder, side)}
        found = parquet(folder, "instruct", side)
        assert [(r["id"], r["turn"]) for r in found] == [
            (r.id, n) for r in known.values() for n in range(1, len(chat.exchanges(r.messages, persona)) + 1)
        ]
        for row in found:
            said = [m.content for m in known[row["id"]].messages if m.role == "assistant"]
            assert set(row["output"].split("\n")) <= set(said)
            assert len(row["history"]) == row["turn"] - 1
            assert [reply for _, reply in row["history"]] == [
                r["output"] for r in found if r["id"] == row["id"] and r["turn"] < row["turn"]
            ]
            text = "\n".join([row["instruction"], row["output"], *(t for pair in row["history"] for t in pair)])
            assert not re.search(r"(?m)^(?:Bạn|Người khác|Hỏi|You|Inosuke):", text)


def test_two_speakers_in_a_row_are_one_prompt_and_a_row_keeps_its_own_system_prompt(
    folder: Path, persona: Persona
) -> None:
    found = [row for side in SIDES for row in parquet(folder, "instruct", side)]
    (bun,) = [row for row in found if "Bún" in row["instruction"]]
    assert bun["instruction"] == "Tanjiro: Bún nóng đây!\nZenitsu: Phần của tớ đâu?"
    assert (bun["output"], bun["history"]) == ("Ta ăn sạch rồi!\nNgon lắm!", [])
    for row in found:
        english = row["instruction"].startswith("What would")
        own = row["instruction"].startswith("Trà hay")
        assert row["system"] == (SYSTEM if own else persona.system_prompt_in("en" if english else "vi"))


# ---------------------------------------------------------------- LLaMA-Factory


def llama_factory(folder: Path, name: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Read a data set as LLaMA-Factory documents it (data/README.md): (system, [(role, content), …]) for each example.

    Its rules, restated: a column that `columns` does not name is not read; the prompt is `instruction`, a line break
    and `input`; exchanges of `history` come before it; a system message at the start counts before the system column;
    an example whose roles do not alternate, user first, is skipped.
    """
    import pyarrow.parquet as pq

    about = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))[name]
    assert Path(about["file_name"]).suffix == ".parquet"
    columns = about["columns"]
    examples = []
    for row in pq.read_table(folder / about["file_name"]).to_pylist():
        system = row[columns["system"]] if "system" in columns else ""
        if about.get("formatting", "alpaca") == "alpaca":
            turns = [
                turn
                for prompt, reply in (row[columns["history"]] if "history" in columns else [])
                for turn in (("user", prompt), ("assistant", reply))
            ]
            asked = "\n".join(text for text in (row[columns["prompt"]], row[columns["query"]]) if text)
            turns += [("user", asked), ("assistant", row[columns["response"]])]
        else:
            tags = about["tags"]
            roles = {tags["user_tag"]: "user", tags["assistant_tag"]: "assistant", tags["system_tag"]: "system"}
            turns = [(roles[m[tags["role_tag"]]], m[tags["content_tag"]]) for m in row[columns["messages"]]]
            if turns[0][0] == "system":
                system, turns = turns[0][1], turns[1:]
            if len(turns) % 2 or any(role != ("user", "assistant")[n % 2] for n, (role, _) in enumerate(turns)):
                continue
        examples.append((system, turns))
    return examples


def test_llama_factory_reads_both_configurations_by_dataset_info(folder: Path, persona: Persona) -> None:
    names = json.loads((folder / "dataset_info.json").read_text(encoding="utf-8"))
    assert list(names) == ["inosuke_chat", "inosuke_chat_eval", "inosuke_instruct", "inosuke_instruct_eval"]
    for side, end in (("train", ""), ("eval", "_eval")):
        known = read_chat_rows(folder, side)
        instruct = llama_factory(folder, f"inosuke_instruct{end}")
        assert len(instruct) == sum(len(chat.exchanges(row.messages, persona)) for row in known)
        alternating = llama_factory(folder, f"inosuke_chat{end}")
        skipped = read_manifest(folder).trainers.not_alternating[side]
        assert len(alternating) == len(known) - skipped
        # The last reply of each dialogue comes out of both with the same turns under the same system prompt.
        whole = {(system, *turns) for system, turns in instruct}
        assert {(system, *turns) for system, turns in alternating} <= whole
    skipped = sum(read_manifest(folder).trainers.not_alternating.values())
    assert skipped == 1
    assert "In 1 rows of `chat` two people speak before" in (folder / "README.md").read_text(encoding="utf-8")


# ---------------------------------------------------------------- trl


def with_system(folder: Path) -> Any:
    """Return the function that the card gives to its readers."""
    card = (folder / "README.md").read_text(encoding="utf-8")
    match = re.search(r"^def with_system.*?(?=^train = )", card, re.MULTILINE | re.DOTALL)
    assert match
    space: dict[str, Any] = {}
    exec(match.group(), space)
    return space["with_system"]


@pytest.mark.slow
def test_trl_reads_chat_and_the_card_shows_how_a_model_is_prompted_as_ours(folder: Path, persona: Persona) -> None:
    from trl import is_conversational

    tokenizer = chatml_tokenizer()
    prepare = with_system(folder)
    compared = 0
    for side in SIDES:
        for row in parquet(folder, "chat", side):
            assert is_conversational(row)
            messages = prepare(row)["messages"]
            assert [m["role"] for m in messages].count("system") == 1
            given = messages_from_json(row["messages"])
            if any(m.role == "user" and m.name and not persona.is_user(m.name) for m in given):
                continue  # a third speaker's name is a part of our prompt and a key of theirs
            theirs = tokenizer.apply_chat_template(messages, tokenize=False)
            ours = tokenizer.decode(chat.render(given, tokenizer, persona).input_ids)
            assert theirs.strip() == ours.strip()
            compared += 1
    assert compared > 170


def test_training_here_reads_what_it_read_before(folder: Path) -> None:
    (boar,) = [r for side in SIDES for r in read_chat_rows(folder, side) if r.messages[0].role == "system"]
    assert boar.messages[1:] == (
        Message("user", "Trà hay nước lã?"),
        Message("assistant", "Nước suối! Múc bằng tay!"),
    ), "no second system prompt, and no empty name"


# ---------------------------------------------------------------- JSON lines and Parquet in other libraries


def shape(value: Any) -> Any:
    """Return the type of a value as a reader of JSON sees it; the parts of a list have one type."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        parts = [shape(inner) for inner in value]
        assert all(a == b for a, b in pairwise(parts))
        return parts[:1]
    return type(value)


def test_json_lines_have_no_null_one_order_of_keys_and_one_type_for_each(folder: Path) -> None:
    for file in [*(folder / "jsonl").iterdir(), folder / "heldout.jsonl"]:
        found = lines(file)
        assert len({tuple(row) for row in found}) == 1, file
        assert "null" not in re.sub(r'"(?:[^"\\]|\\.)*"', "", file.read_text(encoding="utf-8")), file
        for key in found[0]:
            seen = [shape(row[key]) for row in found if row[key] != []]
            assert all(a == b for a, b in pairwise(seen)), (file, key)
    topics = [row["topic"] for row in lines(folder / "jsonl/chat.train.jsonl")]
    assert topics[0] == "" and any(topics)


def test_polars_reads_every_file_and_both_sides_fit_together(folder: Path) -> None:
    import polars as pl

    for config in CONFIGS:
        sides = [pl.read_ndjson(folder / f"jsonl/{config}.{side}.jsonl") for side in SIDES]
        assert pl.concat(sides).height == sum(len(parquet(folder, config, side)) for side in SIDES)
        for side in SIDES:
            assert pl.read_parquet(folder / f"{config}/{side}.parquet").to_dicts() == parquet(folder, config, side)
    assert pl.read_ndjson(folder / "heldout.jsonl")["tests"].to_list() == ["", "food"]


def test_pandas_reads_every_file(folder: Path) -> None:
    import pandas as pd

    for config in CONFIGS:
        for side in SIDES:
            known = parquet(folder, config, side)
            table = pd.read_json(folder / f"jsonl/{config}.{side}.jsonl", lines=True, dtype=False)
            assert sorted(table["id"]) == sorted(row["id"] for row in known)
            assert not table.isnull().to_numpy().any()
            assert len(pd.read_parquet(folder / f"{config}/{side}.parquet")) == len(known)


@pytest.mark.slow
def test_datasets_reads_the_json_lines_of_both_sides_together(folder: Path, tmp_path: Path) -> None:
    import datasets

    for config in CONFIGS:
        files = {side: str(folder / f"jsonl/{config}.{side}.jsonl") for side in SIDES}
        loaded = datasets.load_dataset("json", data_files=files, cache_dir=str(tmp_path))  # type: ignore[attr-defined]
        assert {side: len(loaded[side]) for side in SIDES} == {s: len(parquet(folder, config, s)) for s in SIDES}
        assert str(loaded["train"].features["topic"]) == "Value('string')"


@pytest.mark.slow
def test_a_small_block_in_front_of_the_first_topic_does_not_decide_its_type(folder: Path, tmp_path: Path) -> None:
    """`datasets` takes types from the first block of a file, polars from the first hundred rows."""
    import polars as pl

    import datasets

    for config in CONFIGS:
        file = folder / f"jsonl/{config}.train.jsonl"
        at = next(n for n, row in enumerate(lines(file)) if n and row["topic"])
        assert at > 5
        assert pl.read_ndjson(file, infer_schema_length=5)["topic"].dtype == pl.String
        loaded = datasets.load_dataset(  # type: ignore[attr-defined]
            "json", data_files=str(file), split="train", cache_dir=str(tmp_path / config), chunksize=4096
        )
        assert loaded[at]["topic"]


# ---------------------------------------------------------------- descriptions


@pytest.mark.slow
def test_croissant_describes_every_column_and_reads_every_row(folder: Path) -> None:
    import mlcroissant

    described = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
    assert not described.metadata.issues.errors
    assert described.metadata.version == folder.name
    for config in CONFIGS:
        for side in SIDES:
            known = parquet(folder, config, side)
            name = f"{config}_{side}"
            fields = {
                f.name: f.description for f in next(r for r in described.metadata.record_sets if r.name == name).fields
            }
            assert fields == {column: COLUMNS[column] for column in features(config)}
            read = list(described.records(name))
            assert [r[f"{name}/id"].decode() for r in read] == [row["id"] for row in known]
            assert [r[f"{name}/system"].decode() for r in read] == [row["system"] for row in known]
    read = next(iter(described.records("chat_train")))
    said = [m["chat_train/messages/content"].decode() for m in read["chat_train/messages"]]
    assert said == [m["content"] for m in parquet(folder, "chat", "train")[0]["messages"]]


def test_the_citation_file_has_what_the_format_asks_for(folder: Path) -> None:
    cited = yaml.safe_load((folder / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= cited.keys()
    assert (cited["type"], cited["version"], cited["authors"]) == ("dataset", folder.name, [{"name": "OWNER"}])
    assert "license" not in cited and "url" not in cited, "private rows, not published"
    assert "@misc{inosuke_lines_" in (folder / "README.md").read_text(encoding="utf-8")


def test_the_card_holds_the_system_prompts_and_says_which_eval_prompts_stand_in_train(
    folder: Path, persona: Persona
) -> None:
    card = (folder / "README.md").read_text(encoding="utf-8")
    for language, text in persona.system_prompts.items():
        assert f"- `{language}`: {text}" in card
    trained = {(r["instruction"], str(r["history"])) for r in parquet(folder, "instruct", "train")}
    evaluated = parquet(folder, "instruct", "eval")
    known = [r for r in evaluated if (r["instruction"], str(r["history"])) in trained]
    templates = [r for r in known if r["instruction"] == "Nói một câu đậm chất Inosuke (ngắn)."]
    assert templates
    assert (
        f"Of the {len(evaluated)} rows of its eval side, {len(known)} have a prompt that stands word for word in train "
        f"({len(templates)} of these are template prompts"
    ) in card
    columns = re.findall(r"(?m)^\| `(\w+)` \|", card.partition("| Column |")[2].partition("\n\n")[0])
    there = {c for config in CONFIGS for c in features(config)}
    assert columns == [c for c in COLUMNS if c in there], "columns of configurations that this export lacks"
    assert set(columns) == there
    assert set(COLUMNS) == there | {c for config in OPTIONAL for c in features(config)}
