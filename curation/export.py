"""The approved samples as a dataset folder that ``datasets.load_dataset`` loads, with a manifest of every hash.

``datasets/export/<version>/`` holds two configurations, ``instruct`` and ``chat``, each with ``train`` and ``eval`` as
Parquet, the same rows as JSONL for reading, ``heldout.jsonl``, the persona, the card and its charts. The version
follows from the content: same inputs, same bytes, same name.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Any

from curation import card
from curation.chat import LAYOUT, to_alpaca
from curation.decisions import State
from curation.errors import InosukeError
from curation.files import sha256_file, write_atomically
from curation.heldout import HeldOut
from curation.persona import Persona
from curation.record import Sample, messages_to_json

SIDES = ("train", "eval")
CONFIGS = ("chat", "instruct")
_LIBRARIES = ("datasets", "langdetect", "pyarrow", "rapidfuzz")


def export(
    samples: Sequence[Sample],
    side: Mapping[str, str],
    states: Mapping[str, State],
    held_out: Sequence[HeldOut],
    persona: Persona,
    persona_file: Path,
    out: Path,
    facts: Mapping[str, Any],
) -> Path:
    """Write the export of approved samples and return its folder.

    ``side`` says ``train`` or ``eval`` for each sample's id (a sample without a side is left out), ``facts`` goes
    into the manifest and the card as it is. A version that is there already is left untouched; a new one appears
    whole or not at all.
    """
    rows = {name: [s for s in samples if side.get(s.id) == name] for name in SIDES}
    out.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=".partial-", dir=out))
    try:
        for name in SIDES:
            chat_rows = [_chat_row(s, states.get(s.id, State())) for s in rows[name]]
            instruct_rows = [_instruct_row(s, states.get(s.id, State()), persona) for s in rows[name]]
            _write(work, "chat", name, chat_rows)
            _write(work, "instruct", name, instruct_rows)
        _jsonl(work / "heldout.jsonl", [_held_out_row(h) for h in held_out])
        shutil.copyfile(persona_file, work / "persona.toml")
        card.draw_charts(rows, work / "charts")
        manifest = _manifest(work, rows, persona, facts)
        write_atomically(work / "README.md", card.text(manifest))
        manifest["files"]["README.md"] = sha256_file(work / "README.md")
        write_atomically(work / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")
        final = out / manifest["version"]
        if final.exists() and not _intact(final):
            # Somebody edited it by hand: their work is set aside, never overwritten.
            final.rename(_free_name(final))
        if not final.exists():
            work.chmod(0o755)
            work.rename(final)
        write_atomically(out / "latest", manifest["version"] + "\n")
    except OSError as error:
        raise InosukeError(
            f"{out}: the export cannot be written ({error.strerror or error}). No version was changed. "
            "Free some disk space or mend the folder's permissions, then run the command again."
        ) from error
    finally:
        shutil.rmtree(work, ignore_errors=True)  # gone already where it was renamed
    return final


def _write(folder: Path, config: str, side: str, rows: list[dict[str, Any]]) -> None:
    from datasets import Dataset  # type: ignore[attr-defined]

    path = folder / config / f"{side}.parquet"
    path.parent.mkdir(exist_ok=True)
    Dataset.from_list(rows, features=_features(config)).to_parquet(str(path))
    _jsonl(folder / "jsonl" / f"{config}.{side}.jsonl", rows)


def _features(config: str) -> Any:
    from datasets import Features, List, Value  # type: ignore[attr-defined]

    text = Value("string")
    lead: dict[str, Any] = {
        "chat": {"messages": List({"role": text, "content": text, "name": text})},
        "instruct": {"instruction": text, "input": text, "output": text},
    }[config]
    about: dict[str, Any] = dict.fromkeys(("kind", "language", "topic", "source", "locator", "rights"), text)
    count = Value("int32")
    return Features({"id": text} | lead | about | {"flags": List(text), "revision": count, "reviewers": count})


def _about(sample: Sample, state: State) -> dict[str, Any]:
    return {
        "kind": sample.kind,
        "language": sample.language,
        "topic": sample.topic,
        "source": sample.source.path,
        "locator": sample.source.locator,
        "rights": sample.source.rights,
        "flags": sorted({f.code for f in sample.flags} - {LAYOUT}),
        "revision": state.revision,
        "reviewers": len(state.reviewers),
    }


def _chat_row(sample: Sample, state: State) -> dict[str, Any]:
    messages = [{"role": m.role, "content": m.content, "name": m.name} for m in sample.messages]
    return {"id": sample.id, "messages": messages} | _about(sample, state)


def _instruct_row(sample: Sample, state: State, persona: Persona) -> dict[str, Any]:
    row = to_alpaca(sample, persona)
    texts = {key: row.get(key, "") for key in ("instruction", "input", "output")}
    return {"id": sample.id} | texts | _about(sample, state)


def _held_out_row(prompt: HeldOut) -> dict[str, Any]:
    messages = messages_to_json(prompt.prompt)
    return {"id": prompt.id, "messages": messages, "reference": prompt.reference, "tests": prompt.tests}


def _jsonl(path: Path, rows: list[dict[str, Any]]) -> None:
    write_atomically(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def _manifest(
    folder: Path, rows: Mapping[str, Sequence[Sample]], persona: Persona, facts: Mapping[str, Any]
) -> dict[str, Any]:
    paths = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
    files = {name: sha256_file(folder / name) for name in paths}
    content = hashlib.sha256(json.dumps([files, facts], sort_keys=True).encode()).hexdigest()
    return {
        "version": content[:12],
        "persona": {"name": persona.name, "sha256": files["persona.toml"]},
        "counts": {name: _counts(samples) for name, samples in rows.items()},
        **facts,
        "libraries": {name: library_version(name) for name in _LIBRARIES},
        "files": files,
    }


def _counts(samples: Sequence[Sample]) -> dict[str, Any]:
    by: dict[str, dict[str, int]] = {"kind": {}, "language": {}, "rights": {}}
    for sample in samples:
        for key, value in (("kind", sample.kind), ("language", sample.language), ("rights", sample.source.rights)):
            by[key][str(value)] = by[key].get(str(value), 0) + 1
    lengths = [len(reply) for sample in samples for reply in sample.replies]
    return {
        "samples": len(samples),
        "multi_turn": sum(len(s.replies) > 1 for s in samples),
        "replies": len(lengths),
        "mean_reply_chars": round(sum(lengths) / len(lengths), 1) if lengths else 0.0,
        **{key: dict(sorted(values.items())) for key, values in by.items()},
    }


def _free_name(folder: Path) -> Path:
    taken = sum(1 for p in folder.parent.iterdir() if p.name.startswith(f"{folder.name}.edited-"))
    return folder.with_name(f"{folder.name}.edited-{taken + 1}")


def _intact(folder: Path) -> bool:
    """Say whether every file of an export still has the hash that its manifest gives."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        return all(sha256_file(folder / name) == digest for name, digest in manifest["files"].items())
    except (OSError, ValueError, KeyError):
        return False
