"""The shape of an exported row, and the files that hold rows: Parquet with typed features, and JSONL for reading.

A row is a plain dict. ``chat`` rows carry ``messages``, ``instruct`` rows ``instruction, input, output``; both carry
where the line came from, what is known about it and how it was reviewed. Knows nothing of cards, versions or the Hub.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from curation.chat import to_alpaca
from curation.codes import findings
from curation.files import write_atomically
from curation.persona import Persona
from curation.record import Sample, messages_to_json
from curation.review.decisions import State
from curation.split.held_out import HeldOut

SIDES = ("train", "eval")
CONFIGS = ("chat", "instruct")
HELD_OUT = "heldout.jsonl"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Rows:
    """Every row of an export: ``data[config][side]``, and the prompts held out for evaluation."""

    data: Mapping[str, Mapping[str, Sequence[Row]]]
    held_out: Sequence[Row]

    @property
    def chat(self) -> Mapping[str, Sequence[Row]]:
        """The ``chat`` rows by side: one for every sample."""
        return self.data["chat"]


def from_samples(
    samples: Sequence[Sample],
    side: Mapping[str, str],
    states: Mapping[str, State],
    held_out: Sequence[HeldOut],
    persona: Persona,
) -> Rows:
    """Turn samples into rows; ``side`` says ``train`` or ``eval`` for a sample's id, and one without is left out."""
    data: dict[str, dict[str, list[Row]]] = {config: {name: [] for name in SIDES} for config in CONFIGS}
    for sample in samples:
        if (name := side.get(sample.id)) is None:
            continue
        about = _about(sample, states.get(sample.id, State()))
        alpaca = to_alpaca(sample, persona)
        texts = {key: alpaca.get(key, "") for key in ("instruction", "input", "output")}
        messages = [{"role": m.role, "content": m.content, "name": m.name} for m in sample.messages]
        data["chat"][name].append({"id": sample.id, "messages": messages} | about)
        data["instruct"][name].append({"id": sample.id} | texts | about)
    return Rows(data, [_held_out_row(h) for h in held_out])


def write(rows: Rows, folder: Path) -> None:
    """Write ``<config>/<side>.parquet``, ``jsonl/`` with the same rows, and the prompts. Same rows, same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for config, sides in rows.data.items():
        schema = features(config).arrow_schema
        (folder / config).mkdir(parents=True, exist_ok=True)
        for side, content in sides.items():
            # Through pyarrow: Dataset.from_list fails on no rows at all, and one approved sample leaves a side empty.
            # Content-defined chunks and a page index are what its to_parquet writes too: the Hub then stores and sends
            # only what differs between versions, and its viewer need not read the whole file.
            pq.write_table(
                pa.Table.from_pylist(list(content), schema=schema),
                folder / parquet(config, side),
                use_content_defined_chunking=True,
                write_page_index=True,
            )
            _jsonl(folder / "jsonl" / f"{config}.{side}.jsonl", content)
    _jsonl(folder / HELD_OUT, rows.held_out)


def read(folder: Path) -> Rows:
    """Read what :func:`write` wrote. Raises OSError for a missing file, a ValueError (pyarrow's) for a bad one."""
    data = {config: {side: read_side(folder, config, side) for side in SIDES} for config in CONFIGS}
    held_out = [json.loads(line) for line in (folder / HELD_OUT).read_text(encoding="utf-8").split("\n") if line]
    return Rows(data, held_out)


def read_side(folder: Path, config: str, side: str) -> list[Row]:
    """Read the rows of one configuration and side."""
    import pyarrow.parquet as pq

    found: list[Row] = pq.read_table(folder / parquet(config, side)).to_pylist()
    return found


def replies(row: Row) -> list[str]:
    """Return what the character says in a chat row."""
    return [m["content"] for m in row["messages"] if m["role"] == "assistant"]


def parquet(config: str, side: str) -> str:
    """Return where an export keeps these rows."""
    return f"{config}/{side}.parquet"


@cache
def features(config: str) -> Any:
    """Return the ``datasets.Features`` of a configuration, in the order of the columns."""
    from datasets import Features, List, Value  # type: ignore[attr-defined]

    text, count = Value("string"), Value("int32")
    lead: dict[str, Any] = {
        "chat": {"messages": List({"role": text, "content": text, "name": text})},
        "instruct": {"instruction": text, "input": text, "output": text},
    }[config]
    known = dict.fromkeys(("kind", "language", "topic"), text) | {"flags": List(text)}
    source = dict.fromkeys(("source", "source_sha256", "locator", "importer", "rights"), text)
    return Features({"id": text} | lead | known | {"revision": count, "reviewers": count} | source)


def _about(sample: Sample, state: State) -> Row:
    return {
        "kind": sample.kind,
        "language": sample.language,
        "topic": sample.topic,
        "flags": sorted({f.code for f in findings(sample.flags)}),
        "revision": state.revision,
        "reviewers": len(state.reviewers),
        "source": sample.source.path,
        "source_sha256": sample.source.sha256,
        "locator": sample.source.locator,
        "importer": sample.source.importer,
        "rights": sample.source.rights,
    }


def _held_out_row(prompt: HeldOut) -> Row:
    return {
        "id": prompt.id,
        "messages": messages_to_json(prompt.prompt),
        "reference": prompt.reference,
        "tests": prompt.tests,
        "source": prompt.sample.source.path,
        "rights": prompt.sample.source.rights,
    }


def _jsonl(path: Path, rows: Sequence[Row]) -> None:
    write_atomically(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
