"""Rows of dialogue, as chat pages and Label Studio export them, of the samples that the table gives."""

from __future__ import annotations

import json
from typing import Any

from curation.importers import read
from curation.persona import load_persona
from curation.record import Sample
from curation.transcripts.scenes import to_samples
from tests.curation.importers.scenes.neutral import FOLDER, TABLE, Said


def _samples() -> list[Sample]:
    persona = load_persona(FOLDER.parents[2] / "persona.toml")
    return to_samples([read(TABLE, persona)], persona)[0]


def _messages(sample: Sample) -> list[dict[str, str]]:
    return [{"role": m.role, "content": m.content} | ({"name": m.name} if m.name else {}) for m in sample.messages]


def openai(_: list[Said]) -> bytes:
    """One `messages` object a line."""
    return "".join(json.dumps({"messages": _messages(s)}, ensure_ascii=False) + "\n" for s in _samples()).encode()


def sharegpt(_: list[Said]) -> bytes:
    """`conversations`; other speakers go by their names."""
    return _pretty(
        [
            {
                "conversations": [
                    {"from": "gpt" if m.role == "assistant" else m.name or "human", "value": m.content}
                    for m in sample.messages
                ]
            }
            for sample in _samples()
        ]
    )


def label_studio(_: list[Said]) -> bytes:
    """Tasks with their annotations: one was skipped, one has none, one has a reply that an annotator rewrote."""
    tasks: list[dict[str, Any]] = []
    for number, sample in enumerate(_samples(), 1):
        messages = _messages(sample)
        result: list[dict[str, Any]] = [_result("verdict", "choices", "approve")]
        if number == 3:
            result = [_result("verdict", "choices", "rewrite"), _result("reply", "text", messages[-1]["content"])]
            messages[-1] = messages[-1] | {"content": "Câu này người chấm đã viết lại."}
        tasks.append(_task(number, messages, [{"id": number, "was_cancelled": False, "result": result}]))
    other = [{"role": "user", "content": "Câu này bỏ qua nhé?"}, {"role": "assistant", "content": "Bỏ qua!"}]
    tasks.append(_task(len(tasks) + 1, other, [{"id": len(tasks) + 1, "was_cancelled": True, "result": []}]))
    tasks.append(_task(len(tasks) + 1, other, []))
    return _pretty(tasks)


def _task(number: int, messages: list[dict[str, str]], annotations: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": number, "data": {"messages": messages}, "annotations": annotations, "predictions": []}


def _result(name: str, kind: str, value: str) -> dict[str, Any]:
    return {"from_name": name, "to_name": "dialogue", "type": kind, "value": {kind: [value]}}


def _pretty(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()
