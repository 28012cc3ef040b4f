"""The rows of an export, and the files that hold them: Parquet with typed features, and JSON lines for reading.

``chat`` rows hold ``messages``; ``instruct`` rows hold ``instruction``, ``input`` and ``output``. Both also hold where
the line came from, what is known about it and how it was reviewed. Knows nothing of cards, versions or the Hub.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from curation.chat import to_alpaca
from curation.codes import findings
from curation.contracts import HELD_OUT, AboutRow, ChatRow, HeldOutRow, InstructRow, Manifest, RowMessage
from curation.files import write_atomically
from curation.persona import Persona
from curation.record import Sample
from curation.review.decisions import State
from curation.split.held_out import HeldOutSample

SIDES = ("train", "eval")
CONFIGS = ("chat", "instruct")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportInput:
    """What an export is made from.

    ``side`` is ``train`` or ``eval`` by sample id; a sample without a side is left out. ``group`` is the split's group
    by sample id; a sample without one is a group of its own. ``facts`` are the fields of the manifest that describe the
    build and the review; the export fills in the others.
    """

    samples: Sequence[Sample]
    side: Mapping[str, str]
    states: Mapping[str, State]
    held_out: Sequence[HeldOutSample]
    persona: Persona
    persona_file: Path
    facts: Manifest
    group: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """All rows of an export: those of each configuration by side, and the held-out prompts."""

    chat: Mapping[str, Sequence[ChatRow]]
    instruct: Mapping[str, Sequence[InstructRow]]
    held_out: Sequence[HeldOutRow]

    @property
    def configurations(self) -> dict[str, Mapping[str, Sequence[AboutRow]]]:
        """The rows by configuration and side."""
        return {"chat": self.chat, "instruct": self.instruct}

    @property
    def samples(self) -> list[ChatRow]:
        """The ``chat`` rows of both sides: one per sample."""
        return [row for side in self.chat.values() for row in side]


def from_samples(content: ExportInput) -> Rows:
    """Return the rows of all samples that have a side, and of the held-out prompts."""
    chat: dict[str, list[ChatRow]] = {side: [] for side in SIDES}
    instruct: dict[str, list[InstructRow]] = {side: [] for side in SIDES}
    for sample in content.samples:
        if (side := content.side.get(sample.id)) is None:
            continue
        about = _about(sample, content.group.get(sample.id, sample.id), content.states.get(sample.id, State()))
        alpaca = to_alpaca(sample, content.persona)
        messages: list[RowMessage] = [{"role": m.role, "content": m.content, "name": m.name} for m in sample.messages]
        # `id` comes first and `messages` second: the order of keys is the order in the JSON lines.
        chat[side].append({"id": sample.id, "messages": messages, **about})
        instruct[side].append(
            {
                "id": sample.id,
                "instruction": alpaca.get("instruction", ""),
                "input": alpaca.get("input", ""),
                "output": alpaca.get("output", ""),
                **about,
            }
        )
    return Rows(chat=chat, instruct=instruct, held_out=[h.to_row() for h in content.held_out])


def write(rows: Rows, folder: Path) -> None:
    """Write ``<config>/<side>.parquet``, ``jsonl/`` with the same rows, and the prompts. Same rows, same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    for config, sides in rows.configurations.items():
        schema = features(config).arrow_schema
        (folder / config).mkdir(parents=True, exist_ok=True)
        for side, content in sides.items():
            # pyarrow, because Dataset.from_list fails without rows, and one approved sample leaves a side empty. As
            # Dataset.to_parquet does, write content-defined chunks and a page index: the Hub then stores and sends only
            # what differs between versions, and its viewer need not read the whole file.
            pq.write_table(
                pa.Table.from_pylist(list(content), schema=schema),
                folder / parquet(config, side),
                use_content_defined_chunking=True,
                write_page_index=True,
            )
            _jsonl(folder / "jsonl" / f"{config}.{side}.jsonl", content)
    _jsonl(folder / HELD_OUT, rows.held_out)


def read(folder: Path) -> Rows:
    """Read what :func:`write` wrote. Raises OSError for a missing file, a ValueError (pyarrow's) for a damaged one."""
    held_out = [json.loads(line) for line in (folder / HELD_OUT).read_text(encoding="utf-8").split("\n") if line]
    chat, instruct = ({side: read_side(folder, config, side) for side in SIDES} for config in CONFIGS)
    return Rows(chat=chat, instruct=instruct, held_out=held_out)


def read_side(folder: Path, config: str, side: str) -> list[Any]:
    """Return the rows of one configuration and side."""
    import pyarrow.parquet as pq

    found: list[Any] = pq.read_table(folder / parquet(config, side)).to_pylist()
    return found


def replies(row: ChatRow) -> list[str]:
    """Return the character's replies in a chat row."""
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
    known = dict.fromkeys(("group", "kind", "language", "topic"), text) | {"flags": List(text)}
    source = dict.fromkeys(("source", "source_sha256", "locator", "importer", "rights"), text)
    return Features({"id": text} | lead | known | {"revision": count, "reviewers": count} | source)


def _about(sample: Sample, group: str, state: State) -> AboutRow:
    return {
        "id": sample.id,
        "group": group,
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


def _jsonl(path: Path, rows: Sequence[AboutRow] | Sequence[HeldOutRow]) -> None:
    write_atomically(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
