"""``inosuke gguf``: a run as GGUF files for llama.cpp, each measured against the 16-bit one.

Out: ``models/<run>/gguf/`` with ``model-<TYPE>.gguf`` and ``gguf.json``, which lists whole files only and names the one
to serve. A file takes its name when it is whole, the list is written last: whoever reads the list can trust it.
"""

from __future__ import annotations

import json
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from curation.errors import InosukeError
from curation.files import sha256_file, write_atomically
from train.data.dialogues import Encoded, Export, encode, find_export, load_export
from train.gguf import convert, merge_adapter
from train.run import card_section
from train.run.finished import Trained, open_run

DEFAULT = "Q4_K_M"
WORSE_AT_MOST = 0.05  # perplexity of a served file over the 16-bit file's, less one
LADDER = ("Q5_K_M", "Q6_K", "Q8_0")  # tried in turn where the wanted type is worse than that
ROWS = 32  # eval dialogues a file is measured on; the files are compared on the same ones, so few tell enough
WEIGHED_ON = 64  # training dialogues that tell the quantiser which columns matter
# 1 to 2% of a model with grouped queries, and what feels rounding most: 0.6 MB of SmolLM2 save a quarter of the loss.
KEPT = {"attn_v": "Q8_0"}
PLAIN = ("F16", "Q8_0")  # as they are without hints: nothing left to be better at
LIST = "gguf.json"
SMALL = 1_000_000_000  # bytes of base weights: such a model is converted and measured within a minute or two

Say = Callable[[str], None]
T = TypeVar("T")


def make(persona_file: Path, run: str | None, kind: str, export_path: Path | None, say: Say) -> dict[str, Any]:
    """Write a run's GGUF files and return the content of ``gguf.json``.

    Files that are whole already are not made again. Raises InosukeError when the run, its base or its export is not
    there, the model cannot be converted, or the disk is too full.
    """
    trained = open_run(persona_file.resolve().parent, run, say)
    export = load_export(export_path or own_export(trained))

    from train.model.load import load_tokenizer
    from train.progress import quiet

    quiet()
    tokenizer = load_tokenizer(str(trained.folder / "tokenizer"))
    encoded = partial(
        encode,
        tokenizer=tokenizer,
        persona=trained.persona,
        max_length=trained.recipe.max_length,
        prompt=trained.recipe.prompt,
    )
    rows, _ = encoded(export.eval)
    if not rows:
        raise InosukeError(f"every eval row of {export.path} is longer than {trained.recipe.max_length} tokens.")
    rows = _some(rows, ROWS)
    seen, _ = encoded(_some(export.train, WEIGHED_ON))
    folder = trained.folder / "gguf"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / ".lock"):
        return _make(_Task(trained, export, tokenizer, rows, seen), kind, say)


@dataclass(frozen=True, slots=True)
class _Task:
    """A run with its export, the eval rows that files are measured on, and the train rows that say how to round."""

    trained: Trained
    export: Export
    tokenizer: Any
    rows: list[Encoded]
    seen: list[Encoded]

    def hints(self, kind: str) -> dict[str, Any] | None:
        """Return what a file of this type is made with besides the type, as ``gguf.json`` notes it."""
        from train.gguf import llamacpp

        if kind in PLAIN or not llamacpp.takes_hints():
            return None
        return {"importance_from": f"{len(self.seen)} training dialogues", "kept": KEPT}


def _some(rows: Sequence[T], count: int) -> list[T]:
    return random.Random(0).sample(rows, min(count, len(rows)))  # noqa: S311 - the same rows each time


def _make(task: _Task, kind: str, say: Say) -> dict[str, Any]:
    from train.gguf import llamacpp
    from train.model.load import end_ids
    from train.model.scoring import total
    from train.progress import bar

    trained, export, tokenizer, rows = task.trained, task.export, task.tokenizer, task.rows
    folder = trained.folder / "gguf"
    measured_on = {"dataset": export.version, "rows": len(rows)}
    known = {f["type"]: f for f in _read(folder, measured_on) if f.get("hints") == task.hints(f["type"])}
    importance = cache(partial(_importance, task, folder / "model-F16.gguf", say))

    def file_of(wanted: str) -> dict[str, Any]:
        if wanted in known:
            return known[wanted]
        file, hints = folder / f"model-{wanted}.gguf", task.hints(wanted)
        if wanted == "F16":
            _sixteen_bits(trained, file, say)
        else:
            given: dict[str, Any] = {}
            if hints:
                given = {"importance": importance(), "tensor_types": KEPT}
            elif wanted not in PLAIN:
                say(f"Note: {llamacpp.made_with()} takes no importance matrix, so {file.name} loses more than it need.")
            say(f"Writing {file.name}")
            _whole(file, partial(llamacpp.quantize, folder / "model-F16.gguf", kind=wanted, **given))
        say(f"Measuring {file.name} on {len(rows)} eval dialogues")
        with bar(len(rows), wanted, "row") as moved:
            figures = total(llamacpp.score(file, rows, end_ids(tokenizer), moved)).as_json()
        entry = {"file": file.name, "type": wanted, "sha256": sha256_file(file), "bytes": file.stat().st_size}
        entry |= {key: figures[key] for key in ("reply_nll_per_char", "loss", "perplexity")}
        entry["hints"] = hints
        known[wanted] = entry
        return entry

    whole = file_of("F16")
    texts = [m.content for row in export.eval for m in row.messages]
    plain = partial(tokenizer, add_special_tokens=False, split_special_tokens=True)
    differing = llamacpp.other_tokens(folder / whole["file"], texts, lambda text: list(plain(text)["input_ids"]))
    tried = [kind, *(k for k in LADDER if llamacpp.TYPE_ORDER.index(k) > llamacpp.TYPE_ORDER.index(kind))]
    for wanted in tried:
        entry = file_of(wanted)
        entry["worse"] = entry["perplexity"] / whole["perplexity"] - 1
        if entry["worse"] <= WORSE_AT_MOST:
            break
        say(f"{entry['file']}: perplexity {entry['worse']:+.1%} against 16 bits, more than {WORSE_AT_MOST:.0%}")
    good = [e for e in known.values() if e.get("worse", 0.0) <= WORSE_AT_MOST]
    served = next((e for e in good if e["type"] == kind), None) or min(good, key=lambda e: int(e["bytes"]))
    content = {
        "run": trained.name,
        "base": trained.base.name,
        "files": sorted(known.values(), key=lambda e: int(e["bytes"])),
        "served": served["file"],
        "wanted": kind,
        "measured_on": measured_on,
        "texts_tokenized_differently": len(differing),
        "texts": len(texts),
        "made_with": [convert.REQUIREMENT, llamacpp.made_with()],
    }
    write_atomically(folder / LIST, json.dumps(content, ensure_ascii=False, indent=2) + "\n")
    card_section.put(trained.folder / "README.md", "gguf", section(content))
    return content


def after_training(persona_file: Path, metrics: dict[str, Any], say: Say) -> None:
    """Give ``inosuke serve`` a file at once where the base is small and the machine a CPU.

    The run is whole by now, so whatever goes wrong here is said and nothing more.
    """
    from train.model.load import device

    run, base = metrics["run"], metrics["base_model"]
    weights = (persona_file.resolve().parent / base["path"]).glob("*.safetensors")
    if base["sha256"] is None or device().kind != "cpu" or sum(f.stat().st_size for f in weights) >= SMALL:
        return
    try:
        say(table(make(persona_file, run, DEFAULT, None, say)))
    except KeyboardInterrupt:
        say(f"Warning: stopped while writing GGUF files; run {run} is whole. Later: inosuke gguf {run}")
    except Exception as error:  # minutes or hours of training must not end in a traceback
        reason = str(error) if isinstance(error, InosukeError) else f"{type(error).__name__}: {error}."
        say(f"Warning: no GGUF files, so serving is slower; run {run} is whole. {reason} Later: inosuke gguf {run}")


def table(content: dict[str, Any]) -> str:
    """Return what the person who typed the command reads."""
    lines = [
        f"GGUF files of {content['run']}, measured on {content['measured_on']['rows']} eval dialogues (replies only)",
        "",
        f"  {'type':<8}{'MB':>8}{'nll/char':>11}{'perplexity':>13}{'to F16':>10}",
    ]
    for f in content["files"]:
        mark = "   <- served" if f["file"] == content["served"] else ""
        lines.append(
            f"  {f['type']:<8}{f['bytes'] / 1e6:>8.0f}{f['reply_nll_per_char']:>11.3f}{f['perplexity']:>13.2f}"
            f"{f.get('worse', 0.0):>+10.1%}{mark}"
        )
    lines += ["", f"  {_why(content)}"]
    if content["texts_tokenized_differently"]:
        lines.append(
            f"  Note: llama.cpp splits {content['texts_tokenized_differently']} of {content['texts']} texts of the "
            "eval split into other tokens than the trainer did; prompts sent as token ids are not affected."
        )
    return "\n".join(lines)


def section(content: dict[str, Any]) -> str:
    """Return the model card's part about the GGUF files."""
    rows = "\n".join(
        f"| `gguf/{f['file']}` | {f['bytes'] / 1e6:.0f} MB | {f['reply_nll_per_char']:.3f} | {f['perplexity']:.2f} | "
        f"{f.get('worse', 0.0):+.1%} |"
        for f in content["files"]
    )
    return f"""## GGUF

For llama.cpp. Perplexity over the replies of {content["measured_on"]["rows"]} eval dialogues, computed by llama.cpp
with the file's own weights:

| File | Size | nll per reply character | Perplexity | To 16 bits |
|---|---|---|---|---|
{rows}

{_why(content)}{_how(content)}
"""


def own_export(trained: Trained) -> Path:
    """Return the export that a run was trained on. Raises InosukeError, naming the newest, when it is gone."""
    path: Path = trained.root / trained.metrics["dataset"]["path"]
    if path.is_dir():
        return path
    newest = find_export(trained.root)
    raise InosukeError(
        f"{path}: the export that {trained.name} was trained on is gone. Name another with --export, such as {newest}; "
        "its eval split may then hold dialogues that the run has learnt."
    )


def _how(content: dict[str, Any]) -> str:
    """Return what the card says of how the files were made, after why one is served."""
    hints = next((f["hints"] for f in content["files"] if f.get("hints")), None)
    if hints is None:
        return ""
    kept = ", ".join(f"`{part}` as {kind}" for part, kind in hints["kept"].items())
    return (
        f" Files smaller than Q8_0 are rounded with an importance matrix from {hints['importance_from']}, and keep "
        f"{kept}."
    )


def _why(content: dict[str, Any]) -> str:
    files = {f["file"]: f for f in content["files"]}
    served = files[content["served"]]
    if served["type"] == "F16":
        tried = "" if content["wanted"] == "F16" else f"No smaller file is within {WORSE_AT_MOST:.0%} of it, so "
        return f"{tried}`{served['file']}` is served: the merged weights as they are."
    if served["type"] == content["wanted"]:
        return f"`{served['file']}` is served: its perplexity is at most {WORSE_AT_MOST:.0%} above the 16-bit file's."
    return (
        f"{content['wanted']} loses more than {WORSE_AT_MOST:.0%} of perplexity on this model, so `{served['file']}`, "
        "the smallest file within that bound, is served."
    )


def _importance(task: _Task, file: Path, say: Say) -> dict[str, Any]:
    """Return how much the quantiser should mind each column, seen on dialogues that the run was trained on."""
    from train.gguf import importance
    from train.model.load import end_ids, load_adapter, load_base
    from train.progress import bar

    say(f"Looking at {len(task.seen)} training dialogues for what to round with care")
    model = load_adapter(load_base(task.trained.base, task.trained.recipe), task.trained.folder / "adapter")
    with bar(len(task.seen), "Looking", "row") as moved:
        return importance.measure(model, task.seen, end_ids(task.tokenizer), file, moved)


def _sixteen_bits(trained: Trained, file: Path, say: Say) -> None:
    converter = convert.ensure(trained.root / "models", say)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=file.parent) as name:
        merged = trained.folder / "merged"
        if not merged.is_dir():  # it appears whole, and a run never changes
            say(f"Merging {trained.name} into {trained.base.name}")
            merged = Path(name) / trained.name
            merge_adapter.write(trained, merged)
        say(f"Converting to {file.name}")
        _check_room(merged, file.parent)
        _whole(file, partial(convert.convert, converter, merged))


def _whole(file: Path, write: Callable[[Path], None]) -> None:
    """Let ``write`` make the file under another name beside it, and give it its own when it is whole."""
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=file.parent) as name:
        made = Path(name) / file.name
        write(made)
        made.chmod(0o644)
        made.replace(file)


def _check_room(merged: Path, folder: Path) -> None:
    needed = 2 * sum(f.stat().st_size for f in merged.glob("*.safetensors"))
    if (free := shutil.disk_usage(folder).free) < needed:
        raise InosukeError(
            f"{folder}: {free / 1e6:,.0f} MB free, the GGUF files need up to {needed / 1e6:,.0f} MB. "
            "Free some disk space and run the command again."
        )


def _read(folder: Path, measured_on: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the list says of files that are still as listed and were measured on the same rows."""
    for left in folder.glob(".partial-*"):  # by a run that was killed
        shutil.rmtree(left, ignore_errors=True)
    try:
        content = json.loads((folder / LIST).read_text(encoding="utf-8"))
        files = content["files"] if content["measured_on"] == measured_on else []
        return [f for f in files if (folder / f["file"]).is_file() and sha256_file(folder / f["file"]) == f["sha256"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
