"""The rows of an export, and the files that hold them: Parquet with typed features, and JSON lines for reading.

``chat`` has a row for each sample, with its ``messages``. ``instruct`` has a row for each reply, with ``instruction``,
``input``, ``output`` and the ``history`` before it, so that a trainer that learns the output learns the character's
words alone. ``preferences`` has a row for each pair of replies of which people preferred one, and ``labels`` a row for
each reply that people wanted or did not want; an export without any has no such files. All hold the system prompt,
where the line came from, what is known about it and how it was reviewed.

Parquet has nulls. JSON lines have none, because polars and ``datasets`` take a column's type from the first rows: there
an empty text stands for no value, and ``flags`` is one text. Knows nothing of cards, versions or the Hub.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from rapidfuzz import fuzz

from curation.chat import Exchange, exchanges, system_prompt, with_topic
from curation.cleaning.referents import mention
from curation.codes import findings
from curation.contracts.manifest import Manifest
from curation.contracts.preferences import LabelRow, PreferenceRow
from curation.contracts.rows import HELD_OUT, AboutRow, ChatRow, HeldOutRow, InstructRow, RowMessage
from curation.files import write_atomically
from curation.persona import Persona
from curation.preferences.opinions import Judged, Opinions, Pair
from curation.record import Kind, Message, Role, Sample, Source
from curation.review.decisions import State
from curation.split.held_out import HeldOutSample

SIDES = ("train", "eval")
CONFIGS = ("chat", "instruct")
# Only where there are such rows.
OPTIONAL = ("preferences", "labels")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportInput:
    """What an export is made from.

    ``side`` is ``train`` or ``eval`` by sample id; a sample without a side is left out. ``group`` is the split's group
    by sample id; a sample without one is a group of its own. ``facts`` are the fields of the manifest that describe the
    build and the review; the export fills in the others. ``opinions`` are what people preferred.
    """

    samples: Sequence[Sample]
    side: Mapping[str, str]
    states: Mapping[str, State]
    held_out: Sequence[HeldOutSample]
    persona: Persona
    persona_file: Path
    facts: Manifest
    group: Mapping[str, str] = field(default_factory=dict)
    opinions: Opinions = field(default_factory=Opinions)


def _empty_sides() -> dict[str, Any]:
    return {side: [] for side in SIDES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """All rows of an export: those of each configuration by side, and the held-out prompts."""

    chat: Mapping[str, Sequence[ChatRow]]
    instruct: Mapping[str, Sequence[InstructRow]]
    held_out: Sequence[HeldOutRow]
    preferences: Mapping[str, Sequence[PreferenceRow]] = field(default_factory=_empty_sides)
    labels: Mapping[str, Sequence[LabelRow]] = field(default_factory=_empty_sides)

    @property
    def configurations(self) -> dict[str, Mapping[str, Sequence[AboutRow]]]:
        """The rows by configuration and side, without optional configurations that have none."""
        optional: dict[str, Mapping[str, Sequence[AboutRow]]] = {"preferences": self.preferences, "labels": self.labels}
        filled = {config: sides for config, sides in optional.items() if any(sides.values())}
        return {"chat": self.chat, "instruct": self.instruct, **filled}

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
        told = with_topic(sample.messages, mention(sample, content.persona.names))
        about = _about(sample, content, system_prompt(told, content.persona))
        messages: list[RowMessage] = [{"role": m.role, "content": m.content, "name": m.name} for m in told]
        # `id` comes first and `messages` second: the order of keys is the order in the JSON lines.
        chat[side].append({"id": sample.id, "messages": messages, **about})
        instruct[side] += _instruct(about, exchanges(told, content.persona))
    return Rows(
        chat=chat,
        instruct=instruct,
        held_out=[h.to_row() for h in content.held_out],
        preferences=_by_side((pair.side, _preference(pair, content)) for pair in content.opinions.pairs),
        labels=_by_side((label.side, _labelled(label, content)) for label in content.opinions.labels),
    )


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
            _jsonl(folder / "jsonl" / f"{config}.{side}.jsonl", [_without_nulls(row) for row in _typed_first(content)])
    _jsonl(folder / HELD_OUT, [_held_out(row) for row in rows.held_out])


def read(folder: Path) -> Rows:
    """Read what :func:`write` wrote. Raises OSError for a missing file, a ValueError (pyarrow's) for a damaged one."""
    held_out = [json.loads(line) for line in (folder / HELD_OUT).read_text(encoding="utf-8").split("\n") if line]
    sides = {config: {side: read_side(folder, config, side) for side in SIDES} for config in present(folder)}
    return Rows(**sides, held_out=held_out)


def present(folder: Path) -> tuple[str, ...]:
    """Return the configurations of an export."""
    return (*CONFIGS, *(config for config in OPTIONAL if (folder / parquet(config, SIDES[0])).is_file()))


def read_side(folder: Path, config: str, side: str) -> list[Any]:
    """Return the rows of one configuration and side."""
    import pyarrow.parquet as pq

    found: list[Any] = pq.read_table(folder / parquet(config, side)).to_pylist()
    return found


def sample_of(row: ChatRow) -> Sample:
    """Return a row as the sample that it was, its flags left out."""
    source = Source(path=row["source"], sha256=row["source_sha256"], locator=row["locator"], importer=row["importer"])
    return Sample(
        id=row["id"],
        kind=cast(Kind, row["kind"]),
        messages=tuple(Message(cast(Role, m["role"]), m["content"], m["name"]) for m in row["messages"]),
        language=row["language"],
        topic=row["topic"],
        source=source,
    )


def replies(row: ChatRow) -> list[str]:
    """Return the character's replies in a chat row."""
    return [m["content"] for m in row["messages"] if m["role"] == "assistant"]


def parquet(config: str, side: str) -> str:
    """Return where an export keeps these rows."""
    return f"{config}/{side}.parquet"


def filled(about: Manifest) -> dict[str, list[str]]:
    """Return the configurations of an export that have rows, each with its sides that have some."""
    samples = {side: content.samples for side, content in about.counts.items()}
    rows = dict.fromkeys(CONFIGS, samples) | {
        "preferences": about.preferences.pairs,
        "labels": about.preferences.labels,
    }
    sides = {config: [side for side in SIDES if count.get(side)] for config, count in rows.items()}
    return {config: found for config, found in sides.items() if found or config in CONFIGS}


def infos(folder: Path) -> list[dict[str, Any]]:
    """Return ``dataset_info`` for a card: the columns, splits and sizes (bytes) of each configuration in the folder.

    It is read from the files and not from this version's columns, since the folder may be of an older version.
    """
    import pyarrow.parquet as pq

    from datasets import Features  # type: ignore[attr-defined]

    found = []
    for config in present(folder):
        tables = {side: pq.read_table(folder / parquet(config, side)) for side in SIDES}
        splits = [{"name": side, "num_bytes": t.nbytes, "num_examples": len(t)} for side, t in tables.items() if len(t)]
        found.append(
            {
                "config_name": config,
                "features": Features.from_arrow_schema(tables[SIDES[0]].schema)._to_yaml_list(),
                "splits": splits,
                # An empty side is not part of the configuration, since `load_dataset` fails on it.
                "download_size": sum((folder / parquet(config, split["name"])).stat().st_size for split in splits),
                "dataset_size": sum(split["num_bytes"] for split in splits),
            }
        )
    return found


@cache
def features(config: str) -> Any:
    """Return the ``datasets.Features`` of a configuration, in the order of the columns."""
    from datasets import Features, List, Value  # type: ignore[attr-defined]

    text, count = Value("string"), Value("int32")
    turns = List({"role": text, "content": text, "name": text})
    history: dict[str, Any] = {"history": List(List(text))}
    lead: dict[str, Any] = {
        "chat": {"messages": turns},
        "instruct": {"turn": count} | dict.fromkeys(("instruction", "input", "output"), text) | history,
        "preferences": dict.fromkeys(("prompt", "chosen", "rejected"), turns)
        | {"origin": text, "annotators": count, "edit_distance": Value("float32")},
        "labels": {"prompt": turns, "completion": turns, "label": Value("bool"), "origin": text, "annotators": count},
    }[config]
    known = dict.fromkeys(("system", "group", "kind", "language", "topic"), text) | {"flags": List(text)}
    source = dict.fromkeys(("source", "source_sha256", "locator", "importer", "rights"), text)
    return Features({"id": text} | lead | known | {"revision": count, "reviewers": count} | source)


def _instruct(about: AboutRow, pairs: Sequence[Exchange]) -> list[InstructRow]:
    """Return a row for each reply that answers something."""
    return [
        {
            "id": about["id"],
            "turn": turn,
            "instruction": pair.prompt,
            "input": "",
            "output": pair.reply,
            "history": [[before.prompt, before.reply] for before in pairs[: turn - 1]],
            **about,
            "system": pair.system,
        }
        for turn, pair in enumerate(pairs, 1)
        if pair.prompt
    ]


R = TypeVar("R", bound=AboutRow)


def _by_side(rows: Iterable[tuple[str | None, R]]) -> dict[str, list[R]]:
    sides: dict[str, list[R]] = {side: [] for side in SIDES}
    for side, row in rows:
        if side is not None:
            sides[side].append(row)
    return sides


def _preference(pair: Pair, content: ExportInput) -> PreferenceRow:
    prompt, about = _asked(pair, content)
    return {
        **about,
        "prompt": prompt,
        "chosen": _said(pair.chosen),
        "rejected": _said(pair.rejected),
        "origin": pair.origin,
        "annotators": pair.annotators,
        "edit_distance": round(1 - fuzz.ratio(pair.chosen, pair.rejected) / 100, 3),
    }


def _labelled(label: Judged, content: ExportInput) -> LabelRow:
    prompt, about = _asked(label, content)
    return {
        **about,
        "prompt": prompt,
        "completion": _said(label.reply),
        "label": label.wanted,
        "origin": label.origin,
        "annotators": label.annotators,
    }


def _asked(one: Pair | Judged, content: ExportInput) -> tuple[list[RowMessage], AboutRow]:
    """Return the prompt as a model gets it, and what the row says about its sample."""
    told = with_topic(one.prompt, mention(one.sample, content.persona.names))
    turns: list[RowMessage] = [{"role": m.role, "content": m.content, "name": m.name} for m in told]
    return turns, _about(one.sample, content, system_prompt(told, content.persona))


def _said(reply: str) -> list[RowMessage]:
    return [{"role": "assistant", "content": reply, "name": None}]


def _about(sample: Sample, content: ExportInput, system: str) -> AboutRow:
    state = content.states.get(sample.id, State())
    return {
        "id": sample.id,
        "system": system,
        "group": content.group.get(sample.id, sample.id),
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


def _typed_first(rows: Sequence[R]) -> list[R]:
    """Return the rows with one that has a history first: readers take the type of a list from the first rows."""
    at = next((n for n, row in enumerate(rows) if row.get("history")), 0)
    return [*rows[at : at + 1], *rows[:at], *rows[at + 1 :]]


def _without_nulls(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row for JSON lines: an empty text instead of null, and the flags as one text."""
    plain: dict[str, Any] = _no_null(row)
    return plain | {"flags": " ".join(row["flags"])}


def _held_out(row: HeldOutRow) -> dict[str, Any]:
    """Return a held-out prompt in which every message has the same keys."""
    messages = [{"role": m["role"], "content": m["content"], "name": m.get("name")} for m in row["messages"]]
    plain: dict[str, Any] = _no_null({**row, "messages": messages})
    return plain


def _no_null(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _no_null(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_no_null(inner) for inner in value]
    return "" if value is None else value


def _jsonl(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    write_atomically(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
