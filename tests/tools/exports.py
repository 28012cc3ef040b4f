"""Small exports for tests: original lines, written through the real `write_export`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curation.contracts.manifest import Manifest
from curation.export.exported_rows import ExportInput
from curation.export.write import write_export
from curation.persona import load_persona
from curation.record import Flag, Kind, Message, Rights, Sample, Source, sample_id
from curation.review.decisions import State
from curation.split.held_out import HeldOutSample
from tests.conftest import ROOT

PERSONA_FILE = ROOT / "persona.toml"
FACTS: dict[str, Any] = {
    "imported": {"quote": 2, "conversation": 3},
    "rejected": {"empty_reply": 1},
    "flagged": {"near_duplicate": 1},
    "duplicates": {"exact": 1, "near": 2},
    "review": {
        "approved": 4,
        "awaiting_review": 1,
        "agreement": {"samples": 2, "share": 0.5, "alpha": -0.2, "blind": True},
    },
    "split": {"leakage": {"quote": 0, "conversation": 0}},
    "held_out": 1,
    "log": {"events": 4, "digest": "ab" * 8},
}


def sample(
    *turns: str,
    kind: Kind = "conversation",
    rights: Rights = "own",
    source: str = "datasets/sources/handwritten/conversations.vi.jsonl",
    language: str | None = "vi",
    flags: tuple[Flag, ...] = (),
) -> Sample:
    """Make a sample of turns that alternate, starting with the user's."""
    messages = tuple(
        Message("assistant" if i % 2 else "user", t, None if i % 2 else "Bạn") for i, t in enumerate(turns)
    )
    where = Source(path=source, sha256="ab" * 32, locator=f"row {len(turns)}", importer="rows", rights=rights)
    return Sample(
        id=sample_id(kind, messages),
        kind=kind,
        messages=messages,
        language=language,
        topic=None,
        source=where,
        flags=flags,
    )


SAMPLES = (
    sample("Cái diều mắc trên cây rồi.", "Cây nào? Ta leo! Cành cao nhất để ta bẻ cho gió nó sợ!"),
    sample("Ngươi nghe tiếng gì?", "Mưa đang chạy trên sườn núi!", "Có tới đây không?", "Tới! Mở cửa đón nó!"),
    sample("Nói một câu đậm chất Inosuke (ngắn).", "Suối lạnh hơn, ta vẫn cười to hơn!", kind="quote"),
    sample("Describe yourself as Inosuke.", "Bells ring when I nod!", kind="persona", language="en"),
)
PROMPT = HeldOutSample(
    id="identity-1", sample=sample("Ngươi là máy à?", "Gõ vào trán ta xem có kêu không!"), tests="identity"
)


def write(
    out: Path,
    samples: Sequence[Sample] = SAMPLES,
    states: Mapping[str, State] | None = None,
    held_out: Sequence[HeldOutSample] = (PROMPT,),
    persona_file: Path = PERSONA_FILE,
    **facts: Any,
) -> Path:
    """Export samples, the last one into eval, and return the folder."""
    content = ExportInput(
        samples=samples,
        side={s.id: "train" for s in samples} | ({samples[-1].id: "eval"} if samples else {}),
        states=states or {},
        held_out=held_out,
        persona=load_persona(persona_file),
        persona_file=persona_file,
        facts=Manifest.model_validate({"version": "", "files": {}, **FACTS, **facts}),
    )
    return write_export(content, out)
